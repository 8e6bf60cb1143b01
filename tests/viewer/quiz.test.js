import assert from "node:assert/strict";
import test from "node:test";

import { canBeAsked, questionIn, questionLink, withoutQuestion } from "../../diml_core/viewer/quiz/link.js";
import { GAME, MOST_MARKS, bestPlace, concentration, judgePlace, placeAt, reachOf, shareAt, totals } from "../../diml_core/viewer/quiz/scoring.js";

const GRID = { rows: 7, columns: 9 };
const COUNT = GRID.rows * GRID.columns;
const massAt = (entries) => Float64Array.from({ length: COUNT }, (_, part) => entries[part] ?? 0);

test("a game has ten rounds, of every kind", () => {
  assert.equal(GAME.length, 10);
  assert.deepEqual([...new Set(GAME)].sort(), ["model", "pair", "part"]);
});

test("a place is about a quarter of the photo across on every grid; as in tests/app/test_rounds.py", () => {
  const reaches = [[4, 5], [6, 6], [7, 9], [12, 11], [12, 16], [10, 18]].map(([rows, columns]) => reachOf({ rows, columns }));
  assert.deepEqual(reaches, [0, 1, 1, 2, 2, 2]);
});

test("a place ends where the photo does", () => {
  assert.deepEqual(placeAt(GRID, 0), [0, 1, 9, 10]);
  assert.equal(placeAt(GRID, 4 * 9 + 4).length, 9);
  assert.equal(placeAt(GRID, COUNT - 1).length, 4);
});

test("a place gets what its parts get", () => {
  const mass = massAt({ 0: 1, 10: 2, 40: 5 });
  assert.equal(shareAt(GRID, mass, 0), 3 / 8);
  assert.equal(shareAt(GRID, mass, 40), 5 / 8);
  assert.equal(shareAt(GRID, mass, 62), 0);
});

test("the best place is round the part that gets most, where several get the same", () => {
  assert.deepEqual(bestPlace(GRID, massAt({ 40: 3, 0: 1 })), { part: 40, share: 0.75 });
  assert.deepEqual(bestPlace(GRID, massAt({ 0: 1 })), { part: 0, share: 1 });
});

test("a guess gets its share of the marks: all at the best place, none where nothing goes", () => {
  const mass = massAt({ 40: 3, 3: 1 });
  assert.deepEqual(judgePlace(GRID, mass, 41), { share: 0.75, best: { part: 40, share: 0.75 }, marks: MOST_MARKS });
  assert.equal(judgePlace(GRID, mass, 3).marks, Math.round(MOST_MARKS / 3));
  assert.equal(judgePlace(GRID, mass, 62).marks, 0);
});

test("no guess gets more than the best place", () => {
  const mass = Float64Array.from({ length: COUNT }, (_, part) => Math.abs(Math.sin(part * part)));
  for (let guess = 0; guess < COUNT; guess++) {
    const { share, best, marks } = judgePlace(GRID, mass, guess);
    assert.ok(share <= best.share + 1e-9 && marks >= 0 && marks <= MOST_MARKS);
  }
});

test("the tenth of equal parts has a tenth of the importance", () => {
  assert.ok(Math.abs(concentration(new Float64Array(COUNT).fill(1 / COUNT)) - 0.1) < 1e-12);
  assert.equal(concentration(massAt({ 5: 1 })), 1);
});

test("what a game has come to is said by kind, of the kinds that were asked", () => {
  const played = [{ kind: "part", marks: 7 }, { kind: "model", marks: 10 }, { kind: "part", marks: 2 }];
  assert.deepEqual(totals(played), {
    marks: 19,
    most: 30,
    kinds: [{ kind: "part", marks: 9, most: 20 }, { kind: "model", marks: 10, most: 10 }],
  });
  assert.deepEqual(totals([]), { marks: 0, most: 0, kinds: [] });
});

test("a link carries the pair, its options and the parts, and leaves what the viewer keeps in the address alone", () => {
  const payload = { a: { name: "scenes/a b/00.jpg" }, b: { name: "harrier.jpg" }, model: { name: "efficientnet-lite0" } };
  const options = { grid: 8, marginals: "product", mass: 0.5, start_block: null, epsilon: 0.05 };
  const link = new URL(questionLink(new URL("https://example.org/app/?a=cat.jpg"), payload, options, { side: "b", parts: [3, 4] }));
  assert.equal(link.pathname, "/app/");
  assert.deepEqual([...link.searchParams.keys()], ["guess"]);
  assert.deepEqual(Object.fromEntries(new URLSearchParams(questionIn(link.search))), {
    a: "scenes/a b/00.jpg", b: "harrier.jpg", model: "efficientnet-lite0", grid: "8", marginals: "product", mass: "0.5", epsilon: "0.05", parts: "b3.4",
  });
  assert.equal(withoutQuestion(`${link.search}&a=cat.jpg`), "?a=cat.jpg");
  assert.equal(withoutQuestion(link.search), "");
  assert.equal(questionIn("?a=cat.jpg"), null);
});

test("only photos that everybody has can be asked about by a link", () => {
  assert.equal(canBeAsked({ a: { shared: true }, b: { shared: true } }), true);
  assert.equal(canBeAsked({ a: { shared: true }, b: { shared: false } }), false);
});
