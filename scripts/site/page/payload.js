// A pair as the viewer gets it: diml_core/viewer/pair.py.

import { MARGINALS } from "../../../diml_core/viewer/engine/marginals.js";
import { rivalsAmong } from "./rivals.js";

/** @import { Model, Options, Payload, Side } from "../../../diml_core/viewer/engine/types.js" */
/** @import { ModelFile } from "./network.js" */

const LIVE = /** @type {const} */ (["grid", "marginals", "mass", "start_block", "epsilon"]);

/**
 * @param {ModelFile} file
 * @returns {Model}
 */
export function modelOf(file) {
  return {
    name: file.name,
    title: file.title,
    pooling: file.config.pooling,
    gridPooling: file.config.grid_pooling,
    maxGrid: file.map_side,
    blocks: file.attention_blocks,
    firstBlock: 0,
    prefix: file.prefix_tokens,
    classToken: file.class_token,
    marginals: marginalsOf(file),
    defaults: Object.fromEntries(LIVE.map((name) => [name, file.defaults[name]])),
    scale: file.scale,
    rivals: rivalsAmong(file.rivals),
  };
}

/** @param {ModelFile} file */
export function marginalsOf({ attention_blocks: blocks }) {
  return Object.keys(MARGINALS).filter((name) => blocks || !MARGINALS[name].rollout);
}

/**
 * @param {ModelFile} file
 * @param {Side} a
 * @param {Side} b
 * @param {Options} options
 * @returns {Payload}
 */
export const payloadOf = (file, a, b, options) => ({ a, b, model: modelOf(file), options, fixed: null });
