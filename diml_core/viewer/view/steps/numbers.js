// What the steps say in numbers: nothing here draws.

import { marginalSums } from "../../engine/settling.js";
import { otherSide, planIndex } from "../pair.js";

/** @import { Pair, Pointed, Side } from "../pair.js" */

/**
 * @typedef {object} Cell a pair of parts
 * @property {number} i part of A
 * @property {number} j part of B
 * @property {number} k index into the matrices
 */

/**
 * @param {Pair} pair
 * @param {number} k
 * @returns {Cell}
 */
export const cellAt = (pair, k) => ({ i: Math.floor(k / pair.b.count), j: k % pair.b.count, k });

/**
 * The pair of parts that a step speaks of: the one that is pointed at, of parts their largest, else the pair that adds
 * most to the score.
 *
 * @param {Pair} pair
 * @param {Pointed | null} pointed
 * @param {ArrayLike<number>} values [Ra * Rb] by which the largest is found
 * @returns {Cell}
 */
export function markedCell(pair, pointed, values) {
  if (!pointed) return cellAt(pair, pair.order[0]);
  const { side, parts, to } = pointed;
  if (to !== undefined) return cellAt(pair, planIndex(pair, side, parts[0], to));
  let best = -1;
  for (const part of parts) {
    for (let other = 0; other < pair[otherSide(side)].count; other++) {
      const k = planIndex(pair, side, part, other);
      if (best < 0 || values[k] > values[best]) best = k;
    }
  }
  return cellAt(pair, best);
}

/**
 * How far the heaps of both photos are moved: what leaves each part of A and reaches each part of B.
 *
 * @param {Pair} pair
 * @returns {Record<Side, {sums: Float64Array, placed: number}>} with the share of the moved mass that no part has too
 *   much of
 */
export function fillings(pair) {
  const [a, b] = marginalSums(pair.plan, pair.a.count, pair.b.count);
  return { a: filling(a, pair.a.marginals, pair.mass), b: filling(b, pair.b.marginals, pair.mass) };
}

/**
 * @param {Float64Array} sums
 * @param {Float64Array} marginals
 * @param {number} mass
 */
function filling(sums, marginals, mass) {
  return { sums, placed: sums.reduce((total, sum, part) => total + Math.min(sum, marginals[part]), 0) / mass };
}

/**
 * The cosines of some parts of one photo with every part of the other: of each the best.
 *
 * @param {Pair} pair
 * @param {Side} side
 * @param {number[]} parts
 */
export function bestOf(pair, side, parts) {
  const best = new Float64Array(pair[otherSide(side)].count).fill(-1);
  for (const part of parts) {
    for (let to = 0; to < best.length; to++) best[to] = Math.max(best[to], pair.cosine[planIndex(pair, side, part, to)]);
  }
  return best;
}
