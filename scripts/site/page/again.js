// What a viewer asks the network about a pair that it has looked at: app/cover.py and app/trial.py.

import { text } from "../../../diml_core/viewer/view/texts.js";
import { sameShapeElsewhere } from "./covering.js";
import { curvesOf } from "./curves.js";
import { jpegOf } from "./decoding.js";
import { orderOf } from "./order.js";
import { OURS, weightsOf } from "./rivals.js";

/** @import { Explanation } from "../../../diml_core/viewer/engine/types.js" */
/** @import { Pixels } from "./resampling.js" */
/** @import { Known, Side } from "./rivals.js" */

const PREVIEW_SIDE = 240; // px
const CONTROLS = 4; // other places that are covered to compare with

/**
 * @typedef {object} Covering one photo of a pair, to be covered
 * @property {(parts: readonly number[]) => Pixels} hide
 * @property {(parts: readonly number[]) => Promise<Explanation>} explained the pair, once the network has looked again
 */

/** @typedef {Known & {covering: (side: Side, cover: string) => Covering}} Asked a pair that somebody asks about */
/** @typedef {(told: any) => Promise<void>} Pause tells how far it is, and rejects where nobody waits any more */

/**
 * Covers parts, and compares what becomes of the score with what the parts had promised.
 *
 * @param {Asked} asked
 * @param {{side: Side, parts: number[], cover: string}} question
 * @param {Pause} pause
 */
export async function cover({ explanation: before, covering }, { side, parts, cover: how }, pause) {
  const grid = side === "a" ? before.gridA : before.gridB;
  const { hide, explained } = covering(side, how);
  const elsewhere = sameShapeElsewhere(parts, grid, CONTROLS);
  const total = 1 + elsewhere.length;
  await pause(text("network.step", { done: 1, total }));
  const after = await explained(parts);
  const controls = [];
  for (const other of elsewhere) {
    await pause(text("network.step", { done: 2 + controls.length, total }));
    controls.push(before.similarity - (await explained(other)).similarity);
  }
  return {
    before: scoresOf(before),
    after: scoresOf(after),
    promised: promisedBy(before, side, parts),
    expected: ((parts.length / (grid[0] * grid[1])) * before.structural) / 2,
    controls,
    photo: await dataUrlOf(await jpegOf(hide(parts), PREVIEW_SIDE)),
  };
}

/**
 * How much every part counts to another method, from 0, the least of its photo, to 1, the most.
 *
 * @param {Asked} asked
 * @param {{rival: string}} question
 */
export function rival(asked, { rival: key }) {
  const { a, b } = weightsOf(key, asked);
  return { a: scaled(a), b: scaled(b) };
}

/**
 * Deletion and insertion in our order of the parts and in those of two other methods.
 *
 * @param {Asked} asked
 * @param {{rivals: string[], side: Side, cover: string}} question
 * @param {Pause} pause
 */
export async function curves(asked, { rivals, side, cover: how }, pause) {
  const { explained } = asked.covering(side, how);
  const methods = [OURS, ...rivals].map((key) => ({ key, order: orderOf(weightsOf(key, asked)[side]) }));
  /** @param {readonly number[]} parts */
  const scoreOf = async (parts) => (await explained(parts)).similarity;
  return { curves: await curvesOf(methods, asked.explanation.similarity, scoreOf, pause) };
}

/** @param {Float64Array} weights */
function scaled(weights) {
  const [least, most] = [Math.min(...weights), Math.max(...weights)];
  return Array.from(weights, (weight) => (weight - least) / (most - least || 1));
}

/** @param {Explanation} explanation */
const scoresOf = ({ similarity, global, structural }) => ({ similarity, global, structural });

/**
 * Half of what the parts contribute.
 *
 * @param {Explanation} explanation
 * @param {Side} side
 * @param {readonly number[]} parts
 */
function promisedBy({ contribution, gridB }, side, parts) {
  const columns = gridB[0] * gridB[1];
  const own = new Set(parts);
  return contribution.reduce(
    (sum, each, k) => (own.has(side === "a" ? Math.floor(k / columns) : k % columns) ? sum + each / 2 : sum),
    0,
  );
}

/**
 * @param {Blob} blob
 * @returns {Promise<string>}
 */
function dataUrlOf(blob) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(/** @type {string} */ (reader.result));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(blob);
  });
}
