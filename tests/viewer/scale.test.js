// A score on the scale of its model, against what the library says (tests/comparison/test_scale.py has the same case).

import assert from "node:assert/strict";
import { test } from "node:test";

import { serves, standing, threshold } from "../../diml_core/viewer/engine/scale.js";
import { shareOfPairs } from "../../diml_core/viewer/view/scale.js";

const counts = (from, to, each) => Array.from({ length: 200 }, (_, k) => (k >= from && k < to ? each : 0));
const SCALE = { photographs: 9, kinds: 3, different: counts(100, 150, 2), same: counts(140, 180, 1), options: { grid: 7, mass: 1 } };

test("a score stands where the library says", () => {
  // 0.455 lies in the middle of bin 145: 45.5 of 50 bins of different pairs are below, 34.5 of 40 of like ones above.
  const { differentBelow, sameAbove } = standing(SCALE, 0.455);
  assert.ok(Math.abs(differentBelow - 0.91) < 1e-9);
  assert.ok(Math.abs(sameAbove - 0.8625) < 1e-9);
  assert.deepEqual(standing(SCALE, -1), { differentBelow: 0, sameAbove: 1 });
  assert.deepEqual(standing(SCALE, 1), { differentBelow: 1, sameAbove: 0 });
});

test("a threshold lies where the library says", () => {
  assert.ok(Math.abs(threshold(SCALE, 0.01) - 0.495) < 1e-9);
  for (const share of [0.01, 0.05, 0.3]) {
    assert.ok(Math.abs(1 - standing(SCALE, threshold(SCALE, share)).differentBelow - share) < 1e-9);
  }
});

test("a scale serves the options that it was measured with, and no others", () => {
  assert.ok(serves(SCALE, { grid: 7, mass: 1, epsilon: 0.05 }));
  assert.ok(!serves(SCALE, { grid: 6, mass: 1 }));
});

test("nearly all is not told as all, nor hardly any as none", () => {
  const told = [1, 0.99988, 0.97, 0.004, 0.00001, 0].map(shareOfPairs);
  assert.deepEqual(told, ["all pairs", "99.9% of pairs", "97% of pairs", "0.4% of pairs", "0.1% of pairs", "no pairs"]);
});
