// The numbers of a difference as they are shown: they must add up as they are.

import { cellName, indicesOfLargest } from "./pair.js";

/** @import { Difference } from "../engine/difference.js" */

/**
 * @typedef {object} Balance in points, with one decimal: total = global + gains + losses
 * @property {number} first score of the first
 * @property {number} second
 * @property {number} total first - second
 * @property {number} global
 * @property {number} gains sum of the parts above zero
 * @property {number} losses sum of those below
 */

/** @param {number} value */
const round = (value) => Number(value.toFixed(1));

/**
 * @param {{similarity: number}} first
 * @param {{similarity: number}} second
 * @param {Difference} difference of them
 * @returns {Balance}
 */
export function balanceOf(first, second, { global, parts }) {
  const scores = [first, second].map(({ similarity }) => round(100 * similarity));
  const total = round(scores[0] - scores[1]);
  const losses = round(parts.reduce((sum, value) => sum + Math.min(value, 0), 0));
  const whole = round(global);
  // The gains take what rounding leaves: never more than two tenths.
  return { first: scores[0], second: scores[1], total, global: whole, gains: round(total - whole - losses), losses };
}

/**
 * The part that speaks most for the first, and that which speaks most for the second; null where no part does.
 *
 * @param {Difference} difference
 * @returns {Record<"most" | "least", {part: number, cell: string, points: number} | null>}
 */
export function extremesOf(difference) {
  const { parts } = difference;
  /** @param {number} part */
  const named = (part) => ({ part, cell: cellName(difference, part), points: parts[part] });
  const [most] = indicesOfLargest(parts, 1);
  const [least] = indicesOfLargest(parts.map((value) => -value), 1);
  return { most: parts[most] > 0 ? named(most) : null, least: parts[least] < 0 ? named(least) : null };
}
