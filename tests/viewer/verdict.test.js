import assert from "node:assert/strict";
import test from "node:test";

import { rangeOf } from "../../diml_core/viewer/view/curves.js";
import { nearest } from "../../diml_core/viewer/view/trial.js";
import { verdict } from "../../diml_core/viewer/view/verdict.js";

const METHODS = [
  { key: "diml", name: "DIML contributions" },
  { key: "x", name: "Grad-CAM" },
  { key: "y", name: "random" },
];
const curves = (deletion, insertion) =>
  METHODS.flatMap(({ key }, k) => [
    { key, kind: "deletion", area: deletion[k] },
    { key, kind: "insertion", area: insertion[k] },
  ]);

test("falling sooner is faster, and so is rising sooner", () => {
  const sentence = verdict(curves([0.15, 0.21, 0.1], [0.5, 0.4, 0.6]), METHODS);
  assert.match(sentence, /lowers the score faster than Grad-CAM and more slowly than random \(mean score 15\.0 against 21\.0 and 10\.0\)/);
  assert.match(sentence, /raises it faster than Grad-CAM and more slowly than random \(mean score 50\.0 against 40\.0 and 60\.0\)/);
  assert.match(sentence, /On this pair only\.$/);
});

test("a difference below half a point is none", () => {
  const sentence = verdict(curves([0.15, 0.154, 0.146], [0.5, 0.504, 0.496]), METHODS);
  assert.equal(sentence.match(/about as fast as/g).length, 4);
});

test("the axis holds every score, and begins at 0 unless one is below", () => {
  for (const [scores, expected] of [
    [[0.42, 0.13], [0, 0.5]],
    [[-0.03, 0.5], [-0.1, 0.5]],
    [[-0.2, -0.3], [-0.3, 0]],
    [[0], [0, 0.1]],
  ]) {
    const [low, high] = rangeOf([{ scores }]);
    assert.ok(low <= Math.min(...scores) && high >= Math.max(...scores));
    assert.deepEqual([low, high].map((each) => each.toFixed(1)), expected.map((each) => each.toFixed(1)));
  }
});

test("the pointer is at the point that is nearest", () => {
  assert.equal(nearest([0, 0.14, 0.3, 1], 0.2), 1);
  assert.equal(nearest([0, 0.14, 0.3, 1], 5), 3);
  assert.equal(nearest([0, 0.14, 0.3, 1], -1), 0);
});
