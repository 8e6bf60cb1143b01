// What an address asks for: two example photos, a model, and options. The viewer writes it (view/share.js) and reads the
// layer and the pinned parts back itself.

import { text } from "../../../diml_core/viewer/view/texts.js";
import { marginalsOf } from "./payload.js";

/** @import { Options } from "../../../diml_core/viewer/engine/types.js" */
/** @import { ModelFile } from "./network.js" */

/**
 * @param {string} search the query part
 * @param {ModelFile[]} models the default first
 * @param {string[]} examples file names
 * @returns {{a: string, b: string, model: ModelFile, options: Options} | null} null where it names no photos
 * @throws {Error} a sentence: it asks for what there is not
 */
export function readLink(search, models, examples) {
  const query = new URLSearchParams(search);
  if (!query.has("a")) return null;
  const [a, b] = [query.get("a") ?? "", query.get("b") ?? ""];
  const model = query.has("model") ? models.find(({ name }) => name === query.get("model")) : models[0];
  if (!model || !examples.includes(a) || !examples.includes(b)) throw new Error(text("site.link.unknown"));
  const options = { ...model.defaults };
  for (const [name, low, high, isWhole] of rangesOf(model)) {
    const given = query.get(name);
    if (given === null) continue;
    const value = Number(given);
    if (!(value >= low && value <= high) || (isWhole && !Number.isInteger(value))) throw new Error(text("site.link.option", { name }));
    options[name] = value;
  }
  const marginals = query.get("marginals") ?? options.marginals;
  if (!marginalsOf(model).includes(marginals)) throw new Error(text("site.link.option", { name: "marginals" }));
  return { a, b, model, options: { ...options, marginals } };
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
