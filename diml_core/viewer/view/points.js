// The one unit of what is shown: points of the overall score. A score of 1 is 100 points (docs/method.md, "Points").

import { percent } from "./dom.js";

/**
 * What a contribution to the structural similarity, half of the score, adds to all of it.
 *
 * @param {number} contribution
 */
export const pointsOf = (contribution) => 50 * contribution;

/** Decimals of points and of per cent: one, and two below one. @param {number} value */
const digitsOf = (value) => (Math.abs(value) < 1 ? 2 : 1);

/**
 * Points as they are written.
 *
 * @param {number} points
 * @param {number} [digits]
 */
export function written(points, digits = digitsOf(points)) {
  const text = Math.abs(points).toFixed(digits);
  return points < 0 && Number(text) ? `−${text}` : text;
}

/**
 * The share of the overall score in per cent; of a score that is not above zero there are no shares.
 *
 * @param {{similarity: number}} pair
 * @param {number} points
 */
export function shareOf({ similarity }, points) {
  if (similarity <= 0) return "–";
  const share = points / (100 * similarity);
  return percent(share, digitsOf(100 * share)).replace("-", "−");
}

/**
 * A score and its two parts in points. Numbers that are shown as a sum must add up as they are shown.
 *
 * @param {{similarity: number, global: number}} pair
 * @param {number} [digits]
 */
export function shownSum({ similarity, global }, digits = 1) {
  const total = Number((100 * similarity).toFixed(digits));
  const whole = Number((50 * global).toFixed(digits));
  return {
    total,
    words: {
      total: written(total, digits),
      global: written(whole, digits),
      structural: written(total - whole, digits),
    },
  };
}
