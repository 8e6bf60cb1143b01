// How much each part counts: diml_core/comparison/marginals.py.

import { innerProducts } from "./matrix.js";

/** @import { Embedding } from "./types.js" */

/**
 * The two factors of a marginal: what parts count for by their cosines with the other photo as a whole, null where
 * that does not matter, and whether by the attention that they get.
 * @type {Record<string, { correlation: ((cosines: Float64Array) => Float64Array) | null, rollout: boolean }>}
 */
export const MARGINALS = {
  "cross-correlation": { correlation: relu, rollout: false },
  uniform: { correlation: null, rollout: false },
  rollout: { correlation: null, rollout: true },
  product: { correlation: relu, rollout: true },
};

/** @param {Float64Array} values */
function relu(values) {
  return values.map((value) => Math.max(value, 0));
}

/**
 * The marginal of one photo of a pair.
 *
 * @param {string} name
 * @param {Embedding} own
 * @param {Embedding} other
 * @returns {Float64Array} [R] non-negative, summing to 1; uniform where every part has the weight 0
 * @throws {Error} an unknown name, or a rollout that the model does not have
 */
export function marginal(name, own, other) {
  const factors = MARGINALS[name];
  if (!factors) throw new Error(`There are no marginals named '${name}'.`);
  /** @type {Float64Array} */
  let weights = new Float64Array(own.grid[0] * own.grid[1]).fill(1);
  if (factors.correlation) {
    innerProducts(own.parts, other.pooled, other.pooled.length, weights);
    weights = factors.correlation(weights);
  }
  if (factors.rollout) {
    if (!own.rollout) throw new Error(`The marginals '${name}' need attention, which this model does not have.`);
    for (let part = 0; part < weights.length; part++) weights[part] *= own.rollout[part];
  }
  return normalise(weights);
}

/**
 * What the parts of a photo count for before the other one is looked at: the marginal without its correlation.
 *
 * @param {boolean} hasRollout whether the marginal counts attention
 * @param {number} count
 * @param {Float64Array | null} rollout [R] where the model has it
 * @returns {Float64Array} [R] summing to 1
 * @throws {Error} attention that the model does not have
 */
export function countedAlone(hasRollout, count, rollout) {
  if (!hasRollout) return new Float64Array(count).fill(1 / count);
  if (!rollout) throw new Error("These marginals need attention, which this model does not have.");
  return rollout;
}

/**
 * Scale weights to sum to 1; all zero or not finite means uniform.
 *
 * @param {Float64Array} weights
 * @returns {Float64Array}
 */
function normalise(weights) {
  let scaled = weights.map((weight) => (Number.isFinite(weight) ? Math.max(weight, 0) : 0));
  // Dividing by the largest first keeps the sum of denormal or huge weights in range.
  const largest = scaled.reduce((most, weight) => Math.max(most, weight), 0);
  scaled = scaled.map((weight) => (largest > 0 ? weight / largest : 1));
  const sum = scaled.reduce((total, weight) => total + weight, 0);
  return scaled.map((weight) => weight / sum);
}
