// Is that high? A score among those of other pairs of photographs: diml_core/comparison/scale.py.

/** @import { Options, Scale } from "./types.js" */

export const FALSE_MATCHES = 0.01; // share of the pairs of different things above the threshold that is told

/**
 * Whether pairs compared with these options stand on this scale.
 *
 * @param {Scale} scale
 * @param {Options} options
 */
export function serves(scale, options) {
  const now = /** @type {Record<string, unknown>} */ (/** @type {unknown} */ (options));
  return Object.entries(scale.options).every(([name, value]) => now[name] === value);
}

/**
 * Where an overall similarity stands.
 *
 * @param {Scale} scale
 * @param {number} score
 * @returns {{ differentBelow: number, sameAbove: number }} shares, 0 to 1
 */
export function standing(scale, score) {
  return { differentBelow: shareBelow(scale.different, score), sameAbove: 1 - shareBelow(scale.same, score) };
}

/**
 * The score that this share of the pairs of different things exceeds.
 *
 * @param {Scale} scale
 * @param {number} falseMatches above 0, below 1
 */
export function threshold({ different }, falseMatches) {
  const wanted = (1 - falseMatches) * different.reduce((sum, count) => sum + count, 0);
  let before = 0;
  for (let bin = 0; bin < different.length; bin++) {
    const after = before + different[bin];
    if (after >= wanted && after > before) return ((bin + (wanted - before) / different[bin]) * 2) / different.length - 1;
    before = after;
  }
  return 1;
}

/**
 * Within a bin scores are taken to be spread evenly.
 *
 * @param {number[]} counts of equally wide bins from -1 to 1
 * @param {number} score
 */
function shareBelow(counts, score) {
  const at = ((score + 1) * counts.length) / 2;
  const bin = Math.min(Math.max(Math.trunc(at), 0), counts.length - 1);
  const inside = Math.min(Math.max(at - bin, 0), 1);
  let below = inside * counts[bin];
  let all = 0;
  for (let k = 0; k < counts.length; k++) {
    all += counts[k];
    if (k < bin) below += counts[k];
  }
  return below / Math.max(all, 1);
}
