// What two curves per method amount to, in one sentence.

import { written } from "./points.js";
import { text } from "./texts.js";

/**
 * @typedef {object} Curve the score while parts are covered, or shown, in the order of a method
 * @property {string} key of the method
 * @property {"deletion" | "insertion"} kind
 * @property {number[]} fractions of the parts, covered or shown, from 0 to 1
 * @property {number[]} scores overall similarity there
 * @property {number} area under the curve: the mean score on the way
 * @property {number[]} order of the parts, what counts most first
 */

/**
 * @typedef {object} Method
 * @property {string} key
 * @property {string} name
 */

const SAME = 0.005; // of a mean score: half a point

/**
 * @param {Curve[]} curves whole ones
 * @param {Method[]} methods ours first
 */
export function verdict(curves, [ours, ...rivals]) {
  /** @type {(kind: Curve["kind"], method: Method) => number} */
  const area = (kind, { key }) => curves.find((each) => each.kind === kind && each.key === key)?.area ?? NaN;
  /** @param {number} mean */
  const shown = (mean) => written(100 * mean, 1);
  const and = text("verdict.and");
  /** @type {(kind: Curve["kind"], sign: 1 | -1) => string} */
  const clause = (kind, sign) => {
    const own = area(kind, ours);
    const words = rivals.map((rival) => {
      const ahead = sign * (area(kind, rival) - own);
      const how = Math.abs(ahead) < SAME ? "same" : ahead > 0 ? "faster" : "slower";
      return text(`verdict.${how}`, { rival: rival.name });
    });
    const others = rivals.map((rival) => shown(area(kind, rival))).join(and);
    return text("verdict.clause", { words: words.join(and), own: shown(own), others });
  };
  return text("verdict.sentence", { deletion: clause("deletion", 1), insertion: clause("insertion", -1) });
}
