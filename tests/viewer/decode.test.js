// Bytes to numbers.

import assert from "node:assert/strict";
import { test } from "node:test";

import { decodeAttention, decodeFeatures, decodeFloat64, fromHalf } from "../../diml_core/viewer/engine/decode.js";
import { cases } from "./golden.js";

const model = { blocks: 4, firstBlock: 2 };

test("every half-precision number is numpy's", () => {
  const [[, { halves }]] = cases("tables");
  const expected = decodeFloat64(halves);
  assert.equal(expected.length, 2 ** 16);
  for (let bits = 0; bits < 2 ** 16; bits++) assert.ok(Object.is(fromHalf(bits), expected[bits]), `0x${bits.toString(16)}`);
});

test("rollout weights are found behind an odd number of halves", () => {
  const side = { name: "a.jpg", map: [1, 3, 1] };
  const buffer = new ArrayBuffer(6 + 2 * 3 * 4);
  const view = new DataView(buffer);
  [0x3c00, 0xc000, 0x0001].forEach((half, k) => view.setUint16(2 * k, half, true));
  [0.5, 0.25, 0.25, 0, 1, 0].forEach((weight, k) => view.setFloat32(6 + 4 * k, weight, true));
  const { map, rollouts } = decodeFeatures(buffer, side, model);
  assert.deepEqual(map, Float64Array.of(1, -2, 2 ** -24));
  assert.deepEqual(rollouts, [Float32Array.of(0.5, 0.25, 0.25), Float32Array.of(0, 1, 0)]);
});

test("features without attention end behind the map", () => {
  const { map, rollouts } = decodeFeatures(new ArrayBuffer(8), { map: [1, 2, 2] }, { blocks: 0, firstBlock: 0 });
  assert.deepEqual(map, new Float64Array(4));
  assert.deepEqual(rollouts, []);
});

test("attention comes block by block", () => {
  const bytes = Uint8Array.from({ length: 2 * 4 }, (_, k) => k);
  const { tokens, blocks } = decodeAttention(bytes.buffer, { tokens: 2 }, model);
  assert.equal(tokens, 2);
  assert.deepEqual(blocks, [Uint8Array.of(0, 1, 2, 3), Uint8Array.of(4, 5, 6, 7)]);
});

test("a download that was cut short is said to be", () => {
  const side = { name: "heron.jpg", map: [2, 2, 8], tokens: 5 };
  assert.throws(() => decodeFeatures(new ArrayBuffer(10), side, model), /'heron.jpg' has 10 bytes, not 96/);
  assert.throws(() => decodeAttention(new ArrayBuffer(10), side, model), /'heron.jpg' has 10 bytes, not 50/);
});
