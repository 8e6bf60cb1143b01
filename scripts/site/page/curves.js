// Deletion and insertion: a photo is covered part by part in the order of a method, and the score watched.
// diml_core/evaluation/faithfulness/curves.py, of one photo.

import { roundEven } from "./half.js";

/** @import { Curve } from "../../../diml_core/viewer/view/verdict.js" */

/** @typedef {{done: number, total: number, curves: Curve[]}} Progress photos looked at, of how many, and what is known */
/** @typedef {{key: string, kind: Curve["kind"], order: number[], counts: number[], covered: number[][]}} Course what a curve looks at */

const KINDS = /** @type {const} */ (["deletion", "insertion"]);
const POINTS = 8; // of a curve, both ends included: three methods take 37 photos at most

/**
 * @param {{key: string, order: number[]}[]} methods with the parts of the photo, what counts most first
 * @param {number} asIs overall similarity of the pair as it is
 * @param {(parts: readonly number[]) => Promise<number>} scoreOf the same with parts covered
 * @param {(progress: Progress) => Promise<void>} pause before every photo; rejects to end it
 * @returns {Promise<Curve[]>} by method and kind
 */
export async function curvesOf(methods, asIs, scoreOf, pause) {
  const courses = methods.flatMap((method) => KINDS.map((kind) => courseOf(method, kind)));
  const known = new Map([["", asIs]]);
  const missing = missingOf(courses);
  let done = 0;
  for (const [name, parts] of missing) {
    await pause({ done, total: missing.size, curves: courses.map((course) => curveOf(course, known)) });
    known.set(name, await scoreOf(parts));
    done++;
  }
  return courses.map((course) => curveOf(course, known));
}

/**
 * @param {{key: string, order: number[]}} method
 * @param {Curve["kind"]} kind
 * @returns {Course}
 */
function courseOf({ key, order }, kind) {
  const shares = Array.from({ length: POINTS }, (_, k) => (k === POINTS - 1 ? 1 : k * (1 / (POINTS - 1))));
  const counts = [...new Set(shares.map((share) => roundEven(share * order.length)))];
  const covered = counts.map((count) => (kind === "deletion" ? order.slice(0, count) : order.slice(count)));
  return { key, kind, order, counts, covered };
}

/** One name for one set of parts. @param {number[]} parts */
const nameOf = (parts) => [...parts].sort((one, other) => one - other).join();

/**
 * What the network must look at: each once, ends of the curves first, so that a curve grows from something.
 *
 * @param {Course[]} courses
 * @returns {Map<string, number[]>}
 */
function missingOf(courses) {
  const wanted = new Map();
  for (const point of [POINTS - 1, ...Array(POINTS - 1).keys()]) {
    for (const { covered } of courses) if (point < covered.length) wanted.set(nameOf(covered[point]), covered[point]);
  }
  wanted.delete("");
  return wanted;
}

/**
 * @param {Course} course
 * @param {Map<string, number>} known
 * @returns {Curve} as far as it is known
 */
function curveOf({ key, kind, order, counts, covered }, known) {
  const points = covered.flatMap((parts, k) => {
    const score = known.get(nameOf(parts));
    return score === undefined ? [] : [[counts[k] / order.length, score]];
  });
  const [fractions, scores] = [0, 1].map((which) => points.map((point) => point[which]));
  const area = fractions.slice(1).reduce((sum, fraction, k) => sum + ((fraction - fractions[k]) * (scores[k] + scores[k + 1])) / 2, 0);
  return { key, kind, fractions, scores, area, order };
}
