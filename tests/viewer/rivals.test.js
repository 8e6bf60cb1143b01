// What other methods say in the page without a server, against the library; and how it tests them.

import assert from "node:assert/strict";
import { test } from "node:test";

import { decodeFeatures, decodeFloat64 } from "../../diml_core/viewer/engine/decode.js";
import { explain } from "../../diml_core/viewer/engine/explain.js";
import { curvesOf } from "../../scripts/site/page/curves.js";
import { orderOf } from "../../scripts/site/page/order.js";
import { OURS, rivalsAmong, weightsOf } from "../../scripts/site/page/rivals.js";
import { assertClose, bytes, cases } from "./golden.js";

const CLOSE = 1e-6;

for (const [name, { payload, weights }] of cases("rivals")) {
  test(`methods say what they say in the library: ${name}`, () => {
    const [a, b] = [payload.a, payload.b].map((side) => decodeFeatures(bytes(side.features), side, payload.model));
    const known = { pair: payload, features: { a, b }, explanation: explain(payload, { a, b }, payload.options) };
    const keys = rivalsAmong(Object.keys(weights).map((key) => ({ key }))).map(({ key }) => key);
    assert.deepEqual(keys, ["best-match", "marginals", "nearest", ...(payload.model.blocks ? ["rollout"] : []), "second-order"]);
    for (const key of [OURS, ...keys]) {
      const found = weightsOf(key, known);
      weights[key].map(decodeFloat64).forEach((expected, side) => {
        const those = found["ab"[side]];
        assertClose(those, expected, CLOSE, `${key} in ${"ab"[side]}`);
        const inOrder = orderOf(those).map((part) => expected[part]);
        for (let k = 1; k < inOrder.length; k++) assert.ok(inOrder[k] <= inOrder[k - 1] + 2 * CLOSE, key);
      });
    }
  });
}

test("parts that count alike come in the library's order", () => {
  const [[, { orders }]] = cases("tables");
  for (const order of orders) assert.deepEqual(orderOf(order.map((_, k) => Math.floor(k / 3))), order);
});

const METHODS = [
  { key: "diml", order: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15] },
  { key: "one", order: [15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0] },
  { key: "other", order: [8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7] },
];
const left = (parts) => 1 - parts.length / 16;

test("curves look at every covered photo once, and grow from their ends", async () => {
  const looked = [];
  const told = [];
  const look = async (parts) => looked.push([...parts].sort((i, j) => i - j).join()) && left(parts);
  const found = await curvesOf(METHODS, 1, look, async (progress) => told.push(progress));
  assert.equal(new Set(looked).size, looked.length);
  assert.ok(looked.length <= 40);
  assert.deepEqual(found.map(({ key, kind }) => `${key} ${kind}`), METHODS.flatMap(({ key }) => [`${key} deletion`, `${key} insertion`]));
  for (const { kind, fractions, scores, area } of found) {
    assert.deepEqual([fractions[0], fractions.at(-1), fractions.length], [0, 1, 8]);
    fractions.forEach((fraction, k) => assert.equal(scores[k], kind === "deletion" ? 1 - fraction : fraction));
    assert.ok(Math.abs(area - 0.5) < 1e-12);
  }
  assert.deepEqual(told.map(({ done }) => done), looked.map((_, k) => k));
  assert.ok(told.every(({ total }) => total === looked.length));
  // When everything has been covered once, all curves have both of their ends.
  assert.ok(told[1].curves.every(({ fractions }) => fractions.length === (fractions.length > 1 ? 2 : 1)));
  assert.deepEqual(told[1].curves[0].fractions, [0, 1]);
});

test("who has gone is looked for no longer", async () => {
  let looks = 0;
  const pause = async ({ done }) => {
    if (done === 3) throw new Error("gone");
  };
  await assert.rejects(curvesOf(METHODS, 1, async (parts) => ++looks && left(parts), pause), /gone/);
  assert.equal(looks, 3);
});

test("a grid of few parts has shorter curves", async () => {
  const found = await curvesOf([{ key: "diml", order: [1, 0] }], 1, async (parts) => 1 - parts.length / 2, async () => {});
  assert.deepEqual(found.map(({ fractions }) => fractions), [[0, 0.5, 1], [0, 0.5, 1]]);
});
