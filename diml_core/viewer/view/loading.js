// Fetching what a pair is made of. A pair is here when all of it is here.

import { decodeAttention, decodeFeatures } from "../engine/decode.js";
import { text } from "./texts.js";

/** @import { Attention, Features, Model, Payload, Side } from "../engine/types.js" */

const KEPT = 8; // features, of the photos last seen

/**
 * @typedef {object} Loaded
 * @property {Payload} payload
 * @property {Record<"a" | "b", HTMLImageElement>} photos decoded
 * @property {Record<"a" | "b", Features> | null} features null where the explanation is fixed
 */

/**
 * @returns {(payload: Payload) => Promise<Loaded>} rejects with a sentence where something is gone
 */
export function pairLoader() {
  /** @type {ReturnType<typeof lastFew<Features>>} */
  const features = lastFew(KEPT);
  return async (payload) => {
    const { a, b, model } = payload;
    /** @param {Side} side */
    const featuresOf = (side) =>
      features(side.features, async () => decodeFeatures(await bytesOf(side.features), side, model));
    const [photoA, photoB, pair] = await Promise.all([
      photoOf(a.photo),
      photoOf(b.photo),
      payload.fixed ? null : Promise.all([featuresOf(a), featuresOf(b)]),
    ]);
    return { payload, photos: { a: photoA, b: photoB }, features: pair && { a: pair[0], b: pair[1] } };
  };
}

/**
 * The attention of one photo, which only the map of a part needs.
 *
 * @param {Side & {attention: string}} side
 * @param {Model} model
 * @returns {Promise<Attention>} rejects where it is gone
 */
export async function attentionOf(side, model) {
  return decodeAttention(await bytesOf(side.attention), side, model);
}

/**
 * Keeps the last few of what was loaded, by URL. What is on its way is waited for rather than fetched twice; what
 * failed is not kept.
 *
 * @template T
 * @param {number} most
 * @returns {(url: string, load: () => Promise<T>) => Promise<T>}
 */
export function lastFew(most) {
  /** @type {Map<string, Promise<T>>} in the order of their last use */
  const kept = new Map();
  return (url, load) => {
    const promise = kept.get(url) ?? load();
    kept.delete(url);
    kept.set(url, promise);
    promise.catch(() => kept.get(url) === promise && kept.delete(url));
    const [oldest] = kept.keys();
    if (kept.size > most) kept.delete(oldest);
    return promise;
  };
}

/**
 * @param {string} url
 * @returns {Promise<ArrayBuffer>}
 */
async function bytesOf(url) {
  try {
    const response = await fetch(url);
    if (response.ok) return await response.arrayBuffer();
  } catch {
    // Said below.
  }
  throw new Error(text("viewer.gone"));
}

/**
 * @param {string} url
 * @returns {Promise<HTMLImageElement>} ready to be painted
 */
async function photoOf(url) {
  const image = new Image();
  image.draggable = false;
  image.src = url;
  try {
    await image.decode();
  } catch {
    throw new Error(text("viewer.gone"));
  }
  return image;
}
