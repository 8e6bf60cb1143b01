// A round of the quiz: photos that are here, and the numbers of the viewer's own engine.

import { explain } from "../engine/explain.js";
import { buildPair, flowFrom, otherSide } from "../view/pair.js";

/** @import { Payload } from "../engine/types.js" */
/** @import { Loaded } from "../view/loading.js" */
/** @import { Pair, Selection, Side } from "../view/pair.js" */
/** @import { Kind } from "./scoring.js" */

/**
 * What a host asks: a payload for every pair, and of the kind "part" whose place is to be found, of the kind "model" which
 * of the two pairs.
 * @typedef {object} Question
 * @property {Kind} kind
 * @property {Payload[]} pairs
 * @property {string} [key] by which the host knows it again
 * @property {Selection & {name?: string | null, marked?: [number, number] | null}} [asked] what people call that part, and
 *   where they marked it in the other photo, as fractions of its width and height
 * @property {number} [wanted]
 * @property {number} [apart] the share of the importance that the two models put in different places
 */

/**
 * @typedef {object} RoundPair
 * @property {Payload} payload
 * @property {Pair} pair
 * @property {Loaded["photos"]} photos
 */

/** @typedef {Omit<Question, "pairs"> & {pairs: RoundPair[]}} Round */

/**
 * @param {Question} question
 * @param {(payload: Payload) => Promise<Loaded>} load
 * @returns {Promise<Round>} rejects with a sentence where something is gone
 */
export async function prepare(question, load) {
  const pairs = question.pairs.map(async (payload) => {
    const { photos, features } = await load(payload);
    if (!features) throw new Error("This pair cannot be asked about: its features are not here.");
    return { payload, photos, pair: buildPair(payload, explain(payload, features, payload.options)) };
  });
  return { ...question, pairs: await Promise.all(pairs) };
}

/**
 * Where the parts that are asked about go.
 *
 * @param {Pair} pair
 * @param {Selection} asked
 * @returns {{side: Side, mass: Float64Array}} the side on which to look, and what every part of it receives
 */
export const answerOf = (pair, { side, parts }) => ({ side: otherSide(side), mass: flowFrom(pair, side, parts).mass });
