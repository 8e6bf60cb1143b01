// What an address asks for: two example photos, a model, options, and what stands beside the pair. The viewers write it
// (view/share.js, view/beside.js) and read the layer and the pinned parts back themselves.

import { text } from "../../../diml_core/viewer/view/texts.js";
import { NOTHING, PHOTO_C, SETTINGS } from "./beside.js";
import { marginalsOf } from "./payload.js";

/** @import { Options } from "../../../diml_core/viewer/engine/types.js" */
/** @import { ModelFile } from "./network.js" */

/**
 * @typedef {object} Link
 * @property {string[]} photos names of A, B and maybe C
 * @property {ModelFile} model
 * @property {Options} options
 * @property {string} beside one of choicesBeside()
 * @property {Options} besideOptions of the viewer there
 */

/**
 * @param {string} search the query part
 * @param {ModelFile[]} models the default first
 * @param {string[]} examples file names
 * @returns {Link | null} null where it names no photos
 * @throws {Error} a sentence: it asks for what there is not
 */
export function readLink(search, models, examples) {
  const query = new URLSearchParams(search);
  if (!query.has("a")) return null;
  const photos = ["a", "b", ...(query.has("c") ? ["c"] : [])].map((side) => query.get(side) ?? "");
  const model = modelNamed(query.get("model") ?? models[0].name, models);
  if (!photos.every((name) => examples.includes(name))) throw new Error(text("site.link.unknown"));
  const options = optionsIn(query, "", model, model.defaults);
  const asked = query.get("beside") ?? NOTHING;
  if (query.has("c")) return { photos, model, options, beside: PHOTO_C, besideOptions: options };
  if (asked === NOTHING || asked === SETTINGS) {
    return { photos, model, options, beside: asked, besideOptions: optionsIn(query, "beside_", model, options) };
  }
  const second = modelNamed(asked, models);
  return { photos, model, options, beside: asked, besideOptions: optionsIn(query, "beside_", second, second.defaults) };
}

/**
 * @param {string} asked
 * @param {ModelFile[]} models
 */
function modelNamed(asked, models) {
  const found = models.find(({ name }) => name === asked);
  if (!found) throw new Error(text("site.link.unknown"));
  return found;
}

/**
 * @param {URLSearchParams} query
 * @param {string} prefix of the keys
 * @param {ModelFile} model
 * @param {Options} usual those that the query does not name
 * @returns {Options}
 */
function optionsIn(query, prefix, model, usual) {
  const options = { ...usual };
  for (const [name, low, high, isWhole] of rangesOf(model)) {
    const given = query.get(prefix + name);
    if (given === null) continue;
    const value = Number(given);
    if (!(value >= low && value <= high) || (isWhole && !Number.isInteger(value))) throw new Error(text("site.link.option", { name }));
    options[name] = value;
  }
  const marginals = query.get(`${prefix}marginals`) ?? usual.marginals;
  if (!marginalsOf(model).includes(marginals)) throw new Error(text("site.link.option", { name: "marginals" }));
  return { ...options, marginals };
}

/**
 * @param {ModelFile} model
 * @returns {["grid" | "mass" | "epsilon" | "start_block", number, number, boolean][]}
 */
function rangesOf({ map_side: side, attention_blocks: blocks }) {
  return [
    ["grid", 1, side, true],
    ["mass", Number.MIN_VALUE, 1, false],
    ["epsilon", 0.005, 1, false],
    ...(blocks ? [/** @type {["start_block", number, number, boolean]} */ (["start_block", 0, blocks - 1, true])] : []),
  ];
}
