// Other methods that say how much each part counts, as far as they need no gradients and no chance that the library
// draws otherwise: diml_core/evaluation/faithfulness/rivals/.

import { embed } from "../../../diml_core/viewer/engine/embedding.js";
import { poolingOf, sumParts } from "../../../diml_core/viewer/engine/pooling.js";

/** @import { Explanation, Features, Payload, Rival } from "../../../diml_core/viewer/engine/types.js" */

export const OURS = "diml";

/** @typedef {"a" | "b"} Side */
/** @typedef {Record<Side, Float64Array>} Weights how much every part counts; larger counts more */

/**
 * @typedef {object} Known what is known of a pair
 * @property {Payload} pair
 * @property {Record<Side, Features>} features
 * @property {Explanation} explanation
 */

/** @type {Record<string, (known: Known) => Weights>} */
const METHODS = {
  [OURS]: ({ explanation: { contribution, gridB } }) => sums(contribution, gridB),
  "best-match": ({ explanation: { cosine, gridB } }) => {
    const { a, b } = nearest(cosine, gridB);
    return { a: Float64Array.from(a, (k) => cosine[k]), b: Float64Array.from(b, (k) => cosine[k]) };
  },
  marginals: ({ explanation }) => ({ a: explanation.marginalsA, b: explanation.marginalsB }),
  nearest: ({ explanation: { cosine, gridB } }) => {
    const { a, b } = nearest(cosine, gridB);
    const plan = new Float64Array(cosine.length);
    for (const own of [a, b]) for (const k of own) plan[k] += 0.5 / own.length;
    return sums(plan.map((mass, k) => mass * cosine[k]), gridB);
  },
  rollout: ({ explanation: { rolloutA, rolloutB } }) => {
    if (!rolloutA || !rolloutB) throw new Error("Only models with attention have a rollout to ask.");
    return { a: rolloutA, b: rolloutB };
  },
  "second-order": secondOrder,
};

/**
 * Those of some methods that are here, beside ours.
 *
 * @param {Rival[]} all
 */
export const rivalsAmong = (all) => all.filter(({ key }) => key !== OURS && key in METHODS);

/**
 * @param {string} key of a method that is here
 * @param {Known} known
 */
export const weightsOf = (key, known) => METHODS[key](known);

/**
 * Sums of the rows, and of the columns.
 *
 * @param {Float64Array} values [Ra * Rb]
 * @param {[number, number]} gridB
 * @returns {Weights}
 */
function sums(values, [rows, columns]) {
  const partsB = rows * columns;
  const [a, b] = [new Float64Array(values.length / partsB), new Float64Array(partsB)];
  values.forEach((value, k) => {
    a[Math.floor(k / partsB)] += value;
    b[k % partsB] += value;
  });
  return { a, b };
}

/**
 * For every part the pair with its nearest of the other photo; of equal ones the first.
 *
 * @param {Float64Array} cosine [Ra * Rb]
 * @param {[number, number]} gridB
 * @returns {Record<Side, Int32Array>} indices into the cosines
 */
function nearest(cosine, [rows, columns]) {
  const partsB = rows * columns;
  const [a, b] = [new Int32Array(cosine.length / partsB).fill(-1), new Int32Array(partsB).fill(-1)];
  cosine.forEach((value, k) => {
    const [i, j] = [Math.floor(k / partsB), k % partsB];
    if (a[i] < 0 || value > cosine[a[i]]) a[i] = k;
    if (b[j] < 0 || value > cosine[b[j]]) b[j] = k;
  });
  return { a, b };
}

/**
 * Products of all cells of both maps: what each part adds to the global similarity.
 *
 * @param {Known} known
 * @returns {Weights}
 */
function secondOrder({ pair, features, explanation: { options, gridA, gridB } }) {
  /** @param {Side} side */
  const pooledOf = (side) => embed(pair[side], features[side], pair.model, options).pooled;
  /** @type {(side: Side, other: Float64Array, grid: [number, number]) => Float64Array} */
  const weigh = (side, other, grid) => {
    const [height, width, dimension] = pair[side].map;
    const { map, rollouts } = features[side];
    const count = height * width;
    // Pooling is linear: given an identity for a map, it shows the weight of each cell, up to its unit length.
    const identity = new Float64Array(count * count);
    for (let cell = 0; cell < count; cell++) identity[cell * (count + 1)] = 1;
    const { pooled: counted } = embed({ ...pair[side], map: [height, width, count] }, { map: identity, rollouts }, pair.model, options);
    const whole = new Float64Array(dimension);
    const cells = new Float64Array(count);
    map.forEach((value, k) => {
      const cell = Math.floor(k / dimension);
      whole[k % dimension] += counted[cell] * value;
      cells[cell] += counted[cell] * value * other[k % dimension];
    });
    const length = Math.hypot(...whole);
    return sumParts(poolingOf([height, width], grid, "area"), cells.map((value) => value / length));
  };
  return { a: weigh("a", pooledOf("b"), gridA), b: weigh("b", pooledOf("a"), gridB) };
}
