// From what the network gives to what the viewer's engine reads: diml_core/viewer/binaries.py.

import { roundEven, toHalf } from "./half.js";

/** @typedef {{values: Float32Array, tokens: number, heads: number}} Attention softmax, [heads * T * T] */

// Entries a thousand times smaller than the largest, which matter to a cosine, still have their 11 bits.
const LEAST = 2 ** -4;
const MOST = 2 ** 15;

/**
 * A feature map in half precision, as `as_float16` of diml_core/embedding/features.py has it.
 *
 * @param {Float32Array} map
 * @returns {Uint16Array<ArrayBuffer>}
 */
export function halves(map) {
  const largest = map.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const isOff = largest > 0 && Number.isFinite(largest) && !(largest > LEAST && largest < MOST);
  const factor = isOff ? 2 ** -(Math.floor(Math.log2(largest)) + 1) : 1;
  return Uint16Array.from(map, (value) => toHalf(value * factor));
}

/**
 * Mean over the heads.
 *
 * @param {Attention} attention
 * @returns {Float64Array} [T * T]
 */
export function fused({ values, tokens, heads }) {
  const mean = new Float64Array(tokens * tokens);
  for (let at = 0; at < values.length; at += mean.length) {
    for (let k = 0; k < mean.length; k++) mean[k] += values[at + k] / heads;
  }
  return mean;
}

/**
 * The class token's rollout for every start block: diml_core/embedding/rollout.py, with all of the mass kept.
 *
 * @param {Float64Array[]} blocks from the first to the last, [T * T] each
 * @param {number} tokens T
 * @param {number} prefix leading tokens that are no patch
 * @returns {Float32Array<ArrayBuffer>} [blocks * (T - prefix)], every row summing to 1
 */
export function rollouts(blocks, tokens, prefix) {
  const patches = tokens - prefix;
  const result = new Float32Array(blocks.length * patches);
  let row = new Float64Array(tokens);
  row[0] = 1;
  for (let block = blocks.length - 1; block >= 0; block--) {
    row = through(row, blocks[block]);
    const reached = row.subarray(prefix);
    const sum = reached.reduce((total, share) => total + share, 0);
    result.set(reached.map((share) => share / sum), block * patches);
  }
  return result;
}

/**
 * `row @ (A + I) / 2`, with rows of A that sum to 1.
 *
 * @param {Float64Array} row [T]
 * @param {Float64Array} block [T * T]
 */
function through(row, block) {
  const next = row.map((share) => share / 2);
  row.forEach((share, token) => {
    const from = block.subarray(token * row.length, (token + 1) * row.length);
    const factor = share / 2 / from.reduce((total, each) => total + each, 0);
    from.forEach((each, k) => (next[k] += factor * each));
  });
  return next;
}

/**
 * One byte an entry, in 255ths of the largest of its row: where parts looked is only ever drawn.
 *
 * @param {Float64Array[]} blocks
 * @param {number} tokens
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function attentionBytes(blocks, tokens) {
  const bytes = new Uint8Array(blocks.length * tokens * tokens);
  blocks.forEach((block, index) => {
    for (let from = 0; from < block.length; from += tokens) {
      const row = block.subarray(from, from + tokens);
      const largest = row.reduce((most, each) => Math.max(most, each), 0) || 1;
      row.forEach((each, k) => (bytes[index * block.length + from + k] = roundEven((255 * each) / largest)));
    }
  });
  return bytes;
}
