// The numbers of "How it works", on a small pair of made-up photos.

import assert from "node:assert/strict";
import { test } from "node:test";

import { explain } from "../../diml_core/viewer/engine/explain.js";
import { MARGINALS } from "../../diml_core/viewer/engine/marginals.js";
import { ITERATION_STOPS, planAfter } from "../../diml_core/viewer/engine/settling.js";
import { buildPair, cellName, flowFrom, sumOf, withPlan } from "../../diml_core/viewer/view/pair.js";
import { pointsOf, shownSum } from "../../diml_core/viewer/view/points.js";
import { howPartsCount } from "../../diml_core/viewer/view/steps/each/importance.js";
import { bestOf, fillings, markedCell } from "../../diml_core/viewer/view/steps/numbers.js";
import { text } from "../../diml_core/viewer/view/texts.js";
import { assertClose } from "./golden.js";
import { features, OPTIONS, payload } from "./made.js";

const pairAt = (mass) => buildPair(payload, explain(payload, features, { ...OPTIONS, mass }));
const after = (pair, stop) => (Number.isFinite(stop) ? withPlan(pair, planAfter(pair.explanation, stop)) : pair);

for (const mass of [1, 0.6]) {
  test(`the heaps of a transport of ${mass} fill up to the marginals`, () => {
    const pair = pairAt(mass);
    const placed = ITERATION_STOPS.slice(1).map((stop) => {
      const { a, b } = fillings(after(pair, stop));
      return a.placed + b.placed;
    });
    for (let k = 1; k < placed.length; k++) assert.ok(placed[k] >= placed[k - 1] - 1e-12, `${placed}`);
    const { a, b } = fillings(pair);
    for (const [filling, side] of [[a, pair.a], [b, pair.b]]) {
      assert.ok(Math.abs(sumOf(filling.sums) - mass) <= 1e-11);
      assert.ok(filling.placed >= 1 - 1e-11);
      // The tolerance that the transport was asked for.
      if (mass === 1) assertClose(filling.sums, side.marginals, 1e-11, "the sums");
      else filling.sums.forEach((sum, part) => assert.ok(sum <= side.marginals[part] + 1e-11));
    }
  });

  test(`the points of all pairs and those of the wholes are the score, mass ${mass}`, () => {
    for (const pair of [pairAt(mass), after(pairAt(mass), 1)]) {
      const points = sumOf(pair.contribution.map(pointsOf));
      assert.ok(Math.abs(points + 50 * pair.global - 100 * pair.similarity) <= 1e-11);
      const { words } = shownSum(pair);
      // One digit, and the last part takes the rounding of both.
      for (const [shown, exact, most] of [[words.total, 100 * pair.similarity, 0.05], [words.global, 50 * pair.global, 0.05], [words.structural, points, 0.1]]) {
        assert.ok(Math.abs(Number(shown.replace("−", "-")) - exact) <= most + 1e-9, `${shown} for ${exact}`);
      }
    }
  });
}

test("a step speaks of the pair that is pointed at, of a part's largest, else of the one that adds most", () => {
  const pair = pairAt(1);
  const most = pair.contribution.indexOf(Math.max(...pair.contribution));
  assert.equal(markedCell(pair, null, pair.plan).k, most);
  for (const side of ["a", "b"]) {
    const pointed = { side, parts: [4], flow: flowFrom(pair, side, [4]) };
    const { i, j, k } = markedCell(pair, pointed, pair.cosine);
    assert.equal(side === "a" ? i : j, 4);
    assert.equal(k, i * pair.b.count + j);
    assert.equal(pair.cosine[k], Math.max(...bestOf(pair, side, [4])));
    const meant = markedCell(pair, { ...pointed, to: 7 }, pair.cosine);
    assert.deepEqual(side === "a" ? [meant.i, meant.j] : [meant.j, meant.i], [4, 7]);
  }
  assert.equal(cellName(pair.a, 4), "row 2, column 2");
});

test("every marginal of the engine has its sentence, and one that somebody added its name", () => {
  const sentences = Object.keys(MARGINALS).map((name) => text(...howPartsCount(name)));
  assert.equal(new Set(sentences).size, sentences.length);
  for (const name of ["softmax", "toString"]) assert.match(text(...howPartsCount(name)), new RegExp(`"${name}"`));
});
