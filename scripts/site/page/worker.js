// What looks at photos, beside the page: decodes them, runs the network, and answers what the viewer asks it. Nothing
// leaves: a worker that a page starts from a blob: address is bound by the page's own policy.

import { decodeFeatures } from "../../../diml_core/viewer/engine/decode.js";
import { explain } from "../../../diml_core/viewer/engine/explain.js";
import { gridFor } from "../../../diml_core/viewer/engine/grids.js";
import { text } from "../../../diml_core/viewer/view/texts.js";
import { cover, curves, rival } from "./again.js";
import { coverer } from "./covering.js";
import { decode, jpegOf } from "./decoding.js";
import { attentionBytes, fused, halves, rollouts } from "./features.js";
import { opener } from "./network.js";
import { modelOf, payloadOf } from "./payload.js";
import { resized } from "./resampling.js";

/** @import { Features, Grid, Side } from "../../../diml_core/viewer/engine/types.js" */
/** @import { QuestionBase } from "../../../diml_core/viewer/view/asking.js" */
/** @import { Asked, Pause } from "./again.js" */
/** @import { Photo } from "./decoding.js" */
/** @import { ModelFile, Network, Site } from "./network.js" */
/** @import { Pixels } from "./resampling.js" */

const SEEN = 6; // photos whose features are kept, by model
const PHOTO_SIDE = 720; // px; sharp on the page
const MAX_ASPECT = 4; // more elongated pictures are squeezed to it

/** @typedef {Omit<Side, "photo" | "features" | "attention" | "example"> & {photo: Blob, features: Blob, attention: Blob | null}} Looked */
/** @typedef {{name: string, engine: string, threads: number}} Opened what a model runs in */
/** @typedef {(told: any) => void} Tell */

const nothing = () => {};

/** @type {ReturnType<typeof opener>} */
let open;
/** @type {Map<string, {network: Promise<Network>, tells: Set<Tell>}>} by model; who is told while it loads */
const networks = new Map();
/** @type {Map<string, {pixels: Pixels, looked: Looked, features: Features}>} by model and photo, in the order of their last use */
const seen = new Map();

/** @type {Map<number, AbortController>} questions that are being answered, by their id */
const asked = new Map();

/** @type {Record<string, (question: any, tell: Tell, pause: Pause) => unknown>} */
const ANSWERS = {
  /** @param {Site} site */
  site: (site) => {
    open = opener(site);
  },
  open: async ({ model }, tell) => openedOf(await networkOf(model, tell)),
  look,
  cover: async (question, _, pause) => cover(await askedPair(question), question, pause),
  rival: async (question) => rival(await askedPair(question), question),
  curves: async (question, _, pause) => curves(await askedPair(question), question, pause),
};

self.onmessage = async ({ data: { id, about, question } }) => {
  if (about === "stop") return asked.get(id)?.abort();
  const stop = new AbortController();
  const { signal } = stop;
  asked.set(id, stop);
  /** @type {Tell} */
  const tell = (told) => self.postMessage({ id, told });
  try {
    const answer = await ANSWERS[about](question, tell, async (told) => {
      tell(told);
      // A network on one core leaves no message through, until it has to wait for a timer.
      await new Promise((resolve) => setTimeout(resolve));
      signal.throwIfAborted();
    });
    self.postMessage({ id, answer });
  } catch (error) {
    if (signal.aborted) return;
    const isSentence = error instanceof Error && error.name === "Error";
    if (!isSentence) console.error(error);
    self.postMessage({ id, error: isSentence ? error.message : text("site.failed") });
  } finally {
    asked.delete(id);
  }
};

/**
 * @param {ModelFile} model
 * @param {Tell} tell
 */
function networkOf(model, tell) {
  const known = networks.get(model.name);
  if (known) {
    known.tells.add(tell); // another choice of photos while it loads
    return known.network;
  }
  const tells = new Set([tell]);
  const network = open(model, (loaded, all) => tells.forEach((each) => each({ loaded, all })));
  networks.set(model.name, { network, tells });
  network.then(
    () => tells.clear(),
    () => networks.delete(model.name), // the next try may reach it
  );
  return network;
}

/**
 * @param {Network} network
 * @returns {Opened}
 */
const openedOf = ({ model, engine, ort }) => ({ name: model.name, engine, threads: ort.env.wasm.numThreads });

/**
 * @param {{model: ModelFile, photos: {file: Blob, name: string}[]}} question
 * @param {Tell} tell
 * @returns {Promise<Looked[]>}
 */
async function look({ model, photos }, tell) {
  // First what may be wrong with a photo: nobody should wait for a network to hear of it.
  const decoded = [];
  for (const { file, name } of photos) decoded.push(await decode(file, name));
  const network = await networkOf(model, tell);
  const found = [];
  for (const [k, photo] of decoded.entries()) {
    const kept = await seenOf(network, photo);
    found.push({ ...kept.looked, name: photos[k].name });
  }
  return found;
}

/**
 * @param {Network} network
 * @param {Photo} photo
 */
async function seenOf(network, photo) {
  const key = `${network.model.name} ${photo.digest}`;
  const kept = seen.get(key) ?? (await lookAt(network, photo));
  seen.delete(key);
  seen.set(key, kept);
  const [oldest] = seen.keys();
  if (seen.size > SEEN) seen.delete(oldest);
  return kept;
}

/**
 * @param {Network} network
 * @param {Photo} photo
 */
async function lookAt(network, photo) {
  const { pixels, size, digest } = photo;
  const { map, rollout, attention, shape, tokens } = await bytesFrom(network, pixels, size);
  const looked = {
    name: "",
    size,
    digest,
    map: shape,
    tokens,
    photo: await jpegOf(pixels, PHOTO_SIDE),
    features: new Blob([map, rollout]),
    attention: attention && new Blob([attention]),
  };
  return { pixels, looked, features: await featuresOf(looked, network.model) };
}

/**
 * @param {Network} network
 * @param {Pixels} pixels
 * @param {[number, number]} size of the original
 */
async function bytesFrom(network, pixels, size) {
  const { model } = network;
  const [rows, columns] = mapShapeFor(size, model.config.input.size / model.unit, model.flexible);
  const { map, shape, attentions } = await network.look(
    resized(pixels, columns * model.unit, rows * model.unit, model.config.input.interpolation),
  );
  const blocks = attentions.map(fused);
  const tokens = attentions[0]?.tokens ?? 0;
  return {
    map: halves(map),
    shape,
    tokens,
    rollout: rollouts(blocks, tokens, model.prefix_tokens),
    attention: tokens ? attentionBytes(blocks, tokens) : null,
  };
}

/**
 * Rows and columns of the map that a picture gets: diml_core/network/preprocessing.py.
 *
 * @param {[number, number]} size width, height
 * @param {number} side of the map of a square
 * @param {boolean} flexible
 * @returns {Grid}
 */
function mapShapeFor([width, height], side, flexible) {
  if (!flexible) return [side, side];
  return gridFor(Math.min(Math.max(width / height, 1 / MAX_ASPECT), MAX_ASPECT), side * side);
}

/**
 * @param {Pick<Looked, "map" | "tokens" | "features">} looked
 * @param {ModelFile} model
 */
async function featuresOf(looked, model) {
  return decodeFeatures(await looked.features.arrayBuffer(), sideOf(looked), modelOf(model));
}

/** @param {Pick<Looked, "map" | "tokens">} looked */
const sideOf = (looked) => /** @type {Side} */ (/** @type {unknown} */ (looked));

/**
 * A pair that was looked at, for who asks more about it.
 *
 * @param {Omit<QuestionBase, "model"> & {model: ModelFile}} question
 * @returns {Promise<Asked>} rejects where it is forgotten
 */
async function askedPair({ model, digests, options }) {
  const [a, b] = digests.map((digest) => {
    const kept = seen.get(`${model.name} ${digest}`);
    if (!kept) throw new Error(text("site.forgotten"));
    return kept;
  });
  const network = await networkOf(model, nothing);
  const pair = payloadOf(model, sideOf(a.looked), sideOf(b.looked), options);
  const features = { a: a.features, b: b.features };
  const explanation = explain(pair, features, options);
  return {
    pair,
    features,
    explanation,
    covering(side, cover) {
      const { pixels, looked } = side === "a" ? a : b;
      const hide = coverer(pixels, side === "a" ? explanation.gridA : explanation.gridB, cover);
      return {
        hide,
        async explained(parts) {
          const { map, rollout } = await bytesFrom(network, hide(parts), looked.size);
          const found = await featuresOf({ ...looked, features: new Blob([map, rollout]) }, model);
          return explain(pair, { ...features, [side]: found }, options);
        },
      };
    },
  };
}
