import assert from "node:assert/strict";
import test from "node:test";

import { EPSILON_STEPS, epsilonAt, stepOf } from "../../diml_core/viewer/view/controls.js";
import {
  boxOf,
  buildPair,
  cosineTo,
  flowFrom,
  indicesOfLargest,
  partsIn,
  sumOf,
  withPlan,
} from "../../diml_core/viewer/view/pair.js";
import { region } from "../../diml_core/viewer/view/pointing.js";
import { spoken } from "../../diml_core/viewer/view/readout.js";

const [A, B] = [6, 8]; // parts: 2 x 3 and 4 x 2
const ROUNDING = A * B * Number.EPSILON; // of a sum of as many numbers below 1

// A fixed sequence in 0..1, so that every run sees the same numbers.
function numbers(count, seed) {
  return Float64Array.from({ length: count }, (_, k) => (Math.sin(seed + 12.9898 * k) * 43758.5453) % 1).map(Math.abs);
}

function somePair(mass) {
  const cosine = numbers(A * B, 1).map((value) => 2 * value - 1);
  const weights = numbers(A * B, 2);
  const plan = weights.map((value) => (mass * value) / sumOf(weights));
  const contribution = plan.map((value, k) => (value * cosine[k]) / mass);
  const structural = sumOf(contribution);
  const side = { name: "x.jpg", digest: "d", example: false };
  const explanation = {
    ...{ gridA: [2, 3], gridB: [4, 2], cosine, plan, contribution, structural, mass },
    ...{ marginalsA: numbers(A, 3), marginalsB: numbers(B, 4), countedA: numbers(A, 5), countedB: numbers(B, 6), rolloutMapA: null, rolloutMapB: null, mapA: null, mapB: null },
    ...{ global: 0.4, similarity: (0.4 + structural) / 2, options: { mass } },
  };
  return buildPair({ a: side, b: side, model: { name: "m" } }, explanation);
}

for (const mass of [1, 0.5]) {
  test(`the parts of either photo add up to the structural similarity, mass ${mass}`, () => {
    const pair = somePair(mass);
    assert.ok(Math.abs(sumOf(pair.a.contribution) - pair.structural) <= ROUNDING);
    assert.ok(Math.abs(sumOf(pair.b.contribution) - pair.structural) <= ROUNDING);
  });

  test(`what all parts send is the whole plan, from either side, mass ${mass}`, () => {
    const pair = somePair(mass);
    for (const side of ["a", "b"]) {
      const parts = [...Array(pair[side].count).keys()];
      const flow = flowFrom(pair, side, parts);
      assert.ok(Math.abs(sumOf(flow.mass) - mass) <= ROUNDING);
      assert.ok(Math.abs(sumOf(flow.contribution) - pair.structural) <= ROUNDING);
    }
  });
}

test("one part adds, and several add", () => {
  const pair = somePair(1);
  const said = [[3], [3, 4]].map((parts) => spoken(pair, { side: "a", parts, flow: flowFrom(pair, "a", parts) }));
  assert.match(said[0], /^row 2, column 1 of A: goes to row \d, column \d, adds /);
  assert.match(said[1], /^2 parts of A: go mostly to row \d, column \d, add /);
});

test("the cosine of one part to another is read back from mass and contribution", () => {
  const pair = somePair(0.5);
  const flow = flowFrom(pair, "b", [5]);
  for (let to = 0; to < A; to++) {
    assert.ok(Math.abs(cosineTo(pair, flow, to) - pair.cosine[to * B + 5]) <= 8 * Number.EPSILON);
  }
});

test("another plan has its own scores and leaves the settled pair alone", () => {
  const settled = somePair(1);
  const before = settled.structural;
  const even = withPlan(settled, new Float64Array(A * B).fill(1 / (A * B)));
  assert.equal(even.settled, false);
  assert.ok(Math.abs(even.structural - sumOf(settled.cosine) / (A * B)) <= ROUNDING);
  assert.equal(even.similarity, (even.global + even.structural) / 2);
  assert.equal(settled.structural, before);
  assert.ok(settled.settled);
});

test("the largest come first, as many as asked for", () => {
  const values = numbers(500, 5);
  const sorted = [...values.keys()].sort((i, j) => values[j] - values[i]);
  assert.deepEqual(indicesOfLargest(values, 20), sorted.slice(0, 20));
  assert.deepEqual(indicesOfLargest([1, 3, 2], 100), [1, 2, 0]);
});

test("a place stays the same place in another grid", () => {
  const coarse = { rows: 2, columns: 3, count: 6 };
  const fine = { rows: 4, columns: 6, count: 24 };
  assert.deepEqual(partsIn(fine, boxOf(coarse, [4])), [14, 15, 20, 21]);
  assert.deepEqual(partsIn(coarse, boxOf(fine, [14, 15, 20, 21])), [4]);
  assert.deepEqual(partsIn(coarse, boxOf(fine, [20])), [4]); // a corner of it, which holds no centre
});

test("a region is a rectangle, whichever corners it is dragged between", () => {
  for (const [from, to] of [[1, 8], [8, 1], [2, 7], [7, 2]]) assert.deepEqual(region(from, to, 3), [1, 2, 4, 5, 7, 8]);
});

test("the slider of epsilon reaches both ends, and every step of it is another number", () => {
  assert.equal(epsilonAt(0), 0.005);
  assert.equal(epsilonAt(EPSILON_STEPS), 1);
  const values = Array.from({ length: EPSILON_STEPS + 1 }, (_, step) => epsilonAt(step));
  for (let step = 1; step < values.length; step++) assert.ok(values[step] > values[step - 1]);
  values.forEach((epsilon, step) => assert.equal(epsilonAt(stepOf(epsilon)), epsilon, `step ${step}`));
});
