// From what the network saw in two photos to why they are similar: diml_core/explain.py and explanation.py.

import { decodeFloat64 } from "./decode.js";
import { embed } from "./embedding.js";
import { countedAlone, marginal, MARGINALS } from "./marginals.js";
import { innerProducts, sumOf } from "./matrix.js";
import { FINEST_TOLERANCE, transport } from "./transport.js";

/** @import { Embedding, Explanation, Features, Options, Payload } from "./types.js" */

export { embed } from "./embedding.js";
export { cellsOf } from "./pooling.js";
export { blockAttention, partRollout, rolloutThrough, startingTokens } from "./rollout.js";

// The cosines of the last pair of embeddings, and the costs, which a move of mass, epsilon or marginals leaves as they are.
/** @type {WeakMap<Embedding, { other: Embedding, cosine: Float64Array, cost: Float64Array }>} */
const latest = new WeakMap();

/**
 * Compare two photos part by part.
 *
 * @param {Payload} payload
 * @param {{ a: Features, b: Features }} features
 * @param {Options} options
 * @returns {Explanation} whose arrays are shared with later ones: read them only
 * @throws {Error} options that this model or these features cannot serve
 */
export function explain(payload, features, options) {
  const a = embed(payload.a, features.a, payload.model, options);
  const b = embed(payload.b, features.b, payload.model, options);
  const { cosine, cost } = cosines(a, b);
  const marginalsA = marginal(options.marginals, a, b);
  const marginalsB = marginal(options.marginals, b, a);
  const { plan, iterations, marginalError } = transport(
    cost,
    marginalsA,
    marginalsB,
    options.mass,
    options.epsilon,
    options.tolerance,
  );
  const { rollout } = MARGINALS[options.marginals];
  const overall = new Float64Array(1);
  innerProducts(a.pooled, b.pooled, a.pooled.length, overall);
  return {
    options,
    gridA: a.grid,
    gridB: b.grid,
    cosine,
    plan,
    marginalsA,
    marginalsB,
    countedA: countedAlone(rollout, marginalsA.length, a.rollout),
    countedB: countedAlone(rollout, marginalsB.length, b.rollout),
    rolloutA: a.rollout,
    rolloutB: b.rollout,
    rolloutMapA: a.rolloutMap,
    rolloutMapB: b.rolloutMap,
    mapA: a.mapShape,
    mapB: b.mapShape,
    ...scores(overall[0], plan, cosine),
    iterations,
    marginalError,
    converged: marginalError <= Math.max(options.tolerance, FINEST_TOLERANCE),
  };
}

/**
 * By how much each part of a photo keeps the overall similarity down: how far its best match lies below the mean cosine
 * at which mass moves, and how little it resembles the other photo as a whole. `Explanation.against_a` of the library.
 *
 * @param {Float64Array} marginals
 * @param {Float64Array} counted what the parts counted for before the other photo was looked at
 * @param {Float64Array} best cosine of each part to any of the other photo
 * @param {number} structural
 * @param {number} global
 */
export function against(marginals, counted, best, structural, global) {
  const [mean, whole] = [structural, global].map((similarity) => Math.max(0, similarity));
  return counted.map(
    (own, part) => Math.max(0, own * (mean - best[part]) + whole * (own - marginals[part])) / 2,
  );
}

/**
 * An explanation that was loaded from a file: scores and contributions are recomputed, not trusted.
 *
 * @param {Payload} payload with `fixed`
 * @returns {Explanation}
 * @throws {Error} a payload without
 */
export function fromFixed({ fixed, options }) {
  if (!fixed) throw new Error("This pair has features: explain it.");
  const { rolloutMapA, rolloutMapB } = fixed;
  const [rolloutA, rolloutB] = [fixed.rolloutA, fixed.rolloutB].map((rollout) => rollout === null ? null : decodeFloat64(rollout));
  const [marginalsA, marginalsB] = [fixed.marginalsA, fixed.marginalsB].map(decodeFloat64);
  const plan = decodeFloat64(fixed.plan);
  const cosine = decodeFloat64(fixed.cosine);
  return {
    options,
    gridA: fixed.gridA,
    gridB: fixed.gridB,
    cosine,
    plan,
    marginalsA,
    marginalsB,
    countedA: countedAlone(fixed.haveRollout, marginalsA.length, rolloutA),
    countedB: countedAlone(fixed.haveRollout, marginalsB.length, rolloutB),
    rolloutA,
    rolloutB,
    rolloutMapA: rolloutMapA === null ? null : Float32Array.from(decodeFloat64(rolloutMapA)),
    rolloutMapB: rolloutMapB === null ? null : Float32Array.from(decodeFloat64(rolloutMapB)),
    mapA: fixed.mapA,
    mapB: fixed.mapB,
    ...scores(fixed.global, plan, cosine),
    iterations: fixed.iterations,
    marginalError: fixed.marginalError,
    converged: fixed.converged,
  };
}

/**
 * Cosine of every part of A with every part of B, and its cost.
 *
 * @param {Embedding} a
 * @param {Embedding} b
 */
function cosines(a, b) {
  const known = latest.get(a);
  if (known?.other === b) return known;
  const dimension = a.pooled.length;
  const cosine = new Float64Array((a.parts.length / dimension) * (b.parts.length / dimension));
  innerProducts(a.parts, b.parts, dimension, cosine);
  const cost = new Float64Array(cosine.length);
  for (let k = 0; k < cosine.length; k++) {
    cosine[k] = Math.min(Math.max(cosine[k], -1), 1);
    cost[k] = 1 - cosine[k];
  }
  const found = { other: b, cosine, cost };
  latest.set(a, found);
  return found;
}

/**
 * @param {number} global cosine of the global embeddings
 * @param {Float64Array} plan
 * @param {Float64Array} cosine
 */
function scores(global, plan, cosine) {
  const mass = sumOf(plan);
  const contribution = plan.map((moved, k) => (moved * cosine[k]) / mass);
  const structural = sumOf(contribution);
  return { global, structural, similarity: (global + structural) / 2, mass, contribution };
}
