// The one unit: whatever shows what a part adds shows the same points, and sums add up as they are shown.

import assert from "node:assert/strict";
import test from "node:test";

import { layerOf } from "../../diml_core/viewer/view/layers.js";
import { buildPair, flowFrom, strongestOf } from "../../diml_core/viewer/view/pair.js";
import { shareOf, shownSum, written } from "../../diml_core/viewer/view/points.js";
import { addedBy, spoken } from "../../diml_core/viewer/view/readout.js";
import { explain } from "../../diml_core/viewer/engine/explain.js";
import { OPTIONS, features, payload } from "./made.js";

const side = { name: "x.jpg", digest: "d", example: false };
const model = { name: "m", ...payload.model };
const PAIR = buildPair({ ...payload, model, a: { ...side, ...payload.a }, b: { ...side, ...payload.b } }, explain(payload, features, OPTIONS));

test("points are a hundredth of the overall score, and half of it is that of the parts", () => {
  const all = [...PAIR.a.contribution.keys()];
  const whole = 50 * PAIR.global;
  const parts = all.reduce((sum, part) => sum + 50 * PAIR.a.contribution[part], 0);
  assert.ok(Math.abs(whole + parts - 100 * PAIR.similarity) < 1e-9);
});

test("a score that is shown as a sum adds up as it is shown, and no part of it is off by more than a last digit", () => {
  for (let k = 0; k < 400; k++) {
    const [similarity, global] = [Math.sin(k), Math.sin(3 * k + 1)];
    for (const digits of [1, 2]) {
      const { words } = shownSum({ similarity, global }, digits);
      const [total, first, second] = [words.total, words.global, words.structural].map((word) => Number(word.replace("−", "-")));
      const unit = 10 ** -digits;
      assert.equal((first + second).toFixed(digits), total.toFixed(digits));
      assert.ok(Math.abs(total - 100 * similarity) <= unit / 2 + 1e-9);
      assert.ok(Math.abs(first - 50 * global) <= unit / 2 + 1e-9);
      assert.ok(Math.abs(second - (100 * similarity - 50 * global)) <= unit + 1e-9);
    }
  }
});

test("points have one decimal, below one point two, and no negative zero", () => {
  assert.deepEqual([8.04, 83.38, 0.162, -0.162, -7.46, -0.001, 0].map((value) => written(value)), ["8.0", "83.4", "0.16", "−0.16", "−7.5", "0.00", "0.00"]);
});

test("of a score that is not above zero there are no shares", () => {
  assert.deepEqual([8, 0.19, -0.19].map((points) => shareOf({ similarity: 0.834 }, points)), ["9.6%", "0.23%", "−0.23%"]);
  assert.deepEqual([0, -0.1].map((similarity) => shareOf({ similarity }, 8)), ["–", "–"]);
});

test("readout, legend and spoken text say the same of the strongest part", () => {
  for (const side of ["a", "b"]) {
    const [part] = strongestOf(PAIR[side].contribution, 1);
    const added = addedBy(PAIR, side, [part]);
    assert.equal(added.score, shownSum(PAIR).words.total);
    const said = spoken(PAIR, { side, parts: [part], flow: flowFrom(PAIR, side, [part]) });
    assert.match(said, new RegExp(`adds ${added.points} points \\(${added.share}\\) of ${added.score}\\.`));
    const { range, format } = layerOf("contribution").colouring;
    const [, top] = range(PAIR);
    if (PAIR[side].contribution[part] === top) assert.equal(format(top), `${added.points} points`);
  }
});
