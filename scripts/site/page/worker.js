// What looks at photos, beside the page: decodes them, runs the network, and answers what the viewer asks it. Nothing
// leaves: a worker that a page starts from a blob: address is bound by the page's own policy.

import { decodeFeatures } from "../../../diml_core/viewer/engine/decode.js";
import { explain } from "../../../diml_core/viewer/engine/explain.js";
import { gridFor } from "../../../diml_core/viewer/engine/grids.js";
import { text } from "../../../diml_core/viewer/view/texts.js";
import { covered, sameShapeElsewhere } from "./covering.js";
import { decode, jpegOf } from "./decoding.js";
import { attentionBytes, fused, halves, rollouts } from "./features.js";
import { opener } from "./network.js";
import { modelOf, payloadOf } from "./payload.js";
import { resized } from "./resampling.js";

/** @import { Explanation, Features, Grid, Side } from "../../../diml_core/viewer/engine/types.js" */
/** @import { Question } from "../../../diml_core/viewer/view/cover.js" */
/** @import { Photo } from "./decoding.js" */
/** @import { ModelFile, Network, Site } from "./network.js" */
/** @import { Pixels } from "./resampling.js" */

const SEEN = 6; // photos whose features are kept, by model
const PHOTO_SIDE = 720; // px; sharp on the page
const PREVIEW_SIDE = 240; // px
const CONTROLS = 4; // other places that are covered to compare with
const MAX_ASPECT = 4; // more elongated pictures are squeezed to it

/** @typedef {Omit<Side, "photo" | "features" | "attention" | "example"> & {photo: Blob, features: Blob, attention: Blob | null}} Looked */
/** @typedef {{name: string, engine: string, threads: number}} Opened what a model runs in */
/** @typedef {(told: any) => void} Tell */

/** @type {ReturnType<typeof opener>} */
let open;
/** @type {Map<string, {network: Promise<Network>, tells: Set<Tell>}>} by model; who is told while it loads */
const networks = new Map();
/** @type {Map<string, {pixels: Pixels, looked: Looked, features: Features}>} by model and photo, in the order of their last use */
const seen = new Map();

/** @type {Record<string, (question: any, tell: Tell) => unknown>} */
const ANSWERS = {
  /** @param {Site} site */
  site: (site) => {
    open = opener(site);
  },
  open: async ({ model }, tell) => openedOf(await networkOf(model, tell)),
  look,
  cover,
};

self.onmessage = async ({ data: { id, about, question } }) => {
  try {
    const answer = await ANSWERS[about](question, (told) => self.postMessage({ id, told }));
    self.postMessage({ id, answer });
  } catch (error) {
    const isSentence = error instanceof Error && error.name === "Error";
    if (!isSentence) console.error(error);
    self.postMessage({ id, error: isSentence ? error.message : text("site.failed") });
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
 * Covers parts, lets the network look again, and compares with what the parts had promised.
 *
 * @param {Omit<Question, "model"> & {model: ModelFile}} question
 * @param {Tell} tell
 */
async function cover({ model, digests, options, side, parts, cover: how }, tell) {
  const network = await networkOf(model, tell);
  const [a, b] = digests.map((digest) => {
    const kept = seen.get(`${model.name} ${digest}`);
    if (!kept) throw new Error(text("site.forgotten"));
    return kept;
  });
  const pair = payloadOf(model, sideOf(a.looked), sideOf(b.looked), options);
  const before = explain(pair, { a: a.features, b: b.features }, options);
  const grid = side === "a" ? before.gridA : before.gridB;
  const own = side === "a" ? a : b;

  /** @param {readonly number[]} hidden */
  const score = async (hidden) => {
    const { map, rollout } = await bytesFrom(network, covered(own.pixels, grid, hidden, how), own.looked.size);
    const features = await featuresOf({ ...own.looked, features: new Blob([map, rollout]) }, model);
    return explain(pair, side === "a" ? { a: features, b: b.features } : { a: a.features, b: features }, options);
  };

  const elsewhere = sameShapeElsewhere(parts, grid, CONTROLS);
  const all = 1 + elsewhere.length;
  tell(text("site.again", { done: 1, all }));
  const after = await score(parts);
  const controls = [];
  for (const other of elsewhere) {
    tell(text("site.again", { done: 2 + controls.length, all }));
    controls.push(before.similarity - (await score(other)).similarity);
  }
  const preview = await jpegOf(covered(own.pixels, grid, parts, how), PREVIEW_SIDE);
  return {
    before: scoresOf(before),
    after: scoresOf(after),
    promised: promisedBy(before, side, parts),
    expected: ((parts.length / (grid[0] * grid[1])) * before.structural) / 2,
    controls,
    photo: await dataUrlOf(preview),
  };
}

/** @param {Explanation} explanation */
const scoresOf = ({ similarity, global, structural }) => ({ similarity, global, structural });

/**
 * Half of what the parts contribute.
 *
 * @param {Explanation} explanation
 * @param {"a" | "b"} side
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
