// Bytes from Python to numbers. All binaries are little-endian, as is every machine that runs a browser.

/** @import { Attention, Features, Model, Side } from "./types.js" */

/**
 * The features of one photo: float16 map, then float32 rollout weights per start block.
 *
 * @param {ArrayBuffer} buffer
 * @param {Side} side
 * @param {Model} model
 * @returns {Features}
 * @throws {Error} a length that does not fit the shapes
 */
export function decodeFeatures(buffer, side, model) {
  const [rows, columns, dimension] = side.map;
  const cells = rows * columns;
  const blocks = Math.max(model.blocks - model.firstBlock, 0);
  checkLength(buffer, 2 * cells * dimension + 4 * blocks * cells, side);
  const halves = new Uint16Array(buffer, 0, cells * dimension);
  // A copy: what follows an odd number of halves does not lie where a Float32Array may start.
  const weights = new Float32Array(buffer.slice(halves.byteLength));
  return {
    map: Float64Array.from(halves, fromHalf),
    rollouts: Array.from({ length: blocks }, (_, block) => weights.subarray(block * cells, (block + 1) * cells)),
  };
}

/**
 * The attention of one photo: its rows as bytes, each in units of its largest entry / 255, which nobody needs to know:
 * the rollout scales every row to sum to 1.
 *
 * @param {ArrayBuffer} buffer
 * @param {Side} side
 * @param {Model} model
 * @returns {Attention}
 * @throws {Error} a length that does not fit the shapes
 */
export function decodeAttention(buffer, side, model) {
  const { tokens } = side;
  const blocks = model.blocks - model.firstBlock;
  const size = tokens * tokens;
  checkLength(buffer, blocks * size, side);
  return {
    tokens,
    blocks: Array.from({ length: blocks }, (_, block) => new Uint8Array(buffer, block * size, size)),
  };
}

/**
 * @param {string} text base64 of little-endian float64
 * @returns {Float64Array}
 */
export function decodeFloat64(text) {
  return new Float64Array(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer);
}

/**
 * The value of an IEEE 754 half-precision number (Float16Array is too new to count on).
 *
 * @param {number} bits 0 to 0xffff
 * @returns {number}
 */
export function fromHalf(bits) {
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  const sign = bits & 0x8000 ? -1 : 1;
  if (exponent === 0x1f) return fraction ? NaN : sign * Infinity;
  return sign * (exponent ? (0x400 + fraction) * POWERS[exponent] : fraction * POWERS[1]);
}

// What the last place of a half-precision number is worth, by exponent.
const POWERS = Float64Array.from({ length: 31 }, (_, exponent) => 2 ** (exponent - 25));

/**
 * @param {ArrayBuffer} buffer
 * @param {number} expected
 * @param {Side} side
 */
function checkLength(buffer, expected, side) {
  if (buffer.byteLength !== expected) {
    throw new Error(`What came for '${side.name}' has ${buffer.byteLength} bytes, not ${expected}: load the page again.`);
  }
}
