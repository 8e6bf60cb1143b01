import assert from "node:assert/strict";
import test from "node:test";

import { differenceOf, onGrid } from "../../diml_core/viewer/engine/difference.js";
import { explain } from "../../diml_core/viewer/engine/explain.js";
import { balanceOf, extremesOf } from "../../diml_core/viewer/view/balance.js";
import { besideQuery, relationOf } from "../../diml_core/viewer/view/beside.js";
import { buildPair } from "../../diml_core/viewer/view/pair.js";
import { OPTIONS, features, payload, photo } from "./made.js";

const sum = (values) => values.reduce((total, value) => total + value, 0);
const pairOf = (options, second = features.b) =>
  buildPair(payload, explain(payload, { a: features.a, b: second }, options));

test("the global difference and those of the parts add up to the difference of the scores", () => {
  const [like, unlike] = [pairOf(OPTIONS), pairOf(OPTIONS, photo(2))];
  const { total, global, parts, rows, columns } = differenceOf(like, unlike);
  assert.deepEqual([rows, columns], [like.a.rows, like.a.columns]);
  assert.ok(Math.abs(total - 100 * (like.similarity - unlike.similarity)) < 1e-9);
  assert.ok(Math.abs(global + sum(parts) - total) < 1e-9);
  const part = 4;
  const own = 50 * (like.a.contribution[part] - unlike.a.contribution[part]);
  assert.ok(Math.abs(parts[part] - own) < 1e-12);
});

test("the other way round every difference has the other sign", () => {
  const [like, unlike] = [pairOf(OPTIONS), pairOf(OPTIONS, photo(2))];
  const [there, back] = [differenceOf(like, unlike), differenceOf(unlike, like)];
  assert.equal(there.total, -back.total);
  there.parts.forEach((value, part) => assert.equal(value, -back.parts[part]));
});

test("they add up between two settings with other grids, too", () => {
  const [fine, coarse] = [pairOf(OPTIONS), pairOf({ ...OPTIONS, grid: 2, mass: 0.7 })];
  const { total, global, parts, rows, columns } = differenceOf(fine, coarse);
  assert.deepEqual([rows, columns], [coarse.a.rows, coarse.a.columns]);
  assert.ok(rows < fine.a.rows);
  assert.ok(Math.abs(global + sum(parts) - total) < 1e-9);
});

test("a setting differs from itself by nothing", () => {
  const { total, global, parts } = differenceOf(pairOf(OPTIONS), pairOf(OPTIONS));
  assert.deepEqual([total, global, sum(parts)], [0, 0, 0]);
});

test("values on another grid go by the area that cells share", () => {
  assert.deepEqual([...onGrid({ rows: 1, columns: 3 }, [3, 6, 9], 1, 2)], [6, 12]);
  assert.deepEqual([...onGrid({ rows: 2, columns: 2 }, [1, 2, 3, 4], 1, 1)], [10]);
  assert.deepEqual([...onGrid({ rows: 2, columns: 1 }, [1, 2], 2, 1)], [1, 2]);
});

test("the numbers that are shown add up as they are shown", () => {
  for (const phase of [0.5, 2, 3]) {
    const [first, second] = [pairOf(OPTIONS), pairOf(OPTIONS, photo(phase))];
    const difference = differenceOf(first, second);
    const shown = balanceOf(first, second, difference);
    assert.ok(Math.abs(shown.total - (shown.first - shown.second)) < 1e-9);
    assert.ok(Math.abs(shown.total - (shown.global + shown.gains + shown.losses)) < 1e-9);
    // Two scores and two sums are rounded to a tenth each.
    assert.ok(Math.abs(shown.gains - sum(difference.parts.map((value) => Math.max(value, 0)))) <= 0.2 + 1e-9);
  }
});

test("the strongest parts are named, and none where nothing differs", () => {
  const difference = { total: 1, global: 0, rows: 1, columns: 3, parts: Float64Array.of(-0.5, 2, -0.5) };
  const { most, least } = extremesOf(difference);
  assert.deepEqual([most.part, most.points], [1, 2]);
  assert.equal(least.points, -0.5);
  assert.deepEqual(extremesOf({ ...difference, parts: new Float64Array(3) }), { most: null, least: null });
});

test("two pairs are compared where they share photo A and the model, and an address brings back what differs", () => {
  const a = { digest: "1", name: "a.jpg", example: true };
  const [b, c] = [{ digest: "2", name: "b.jpg", example: true }, { digest: "3", name: "c.jpg", example: true }];
  const options = { grid: 8, marginals: "product", mass: 1, start_block: null, epsilon: 0.1 };
  const first = { a, b, model: { name: "m" }, options };
  const settings = { ...first, options: { ...options, grid: 4 } };
  const triple = { ...first, b: c };
  assert.equal(relationOf(first, triple), "triple");
  assert.equal(relationOf(first, settings), "settings");
  assert.equal(relationOf(first, { ...first, a: c }), null);
  assert.equal(relationOf(first, { ...triple, model: { name: "n" } }), null);
  assert.equal(relationOf(first, null), null);
  const search = "?a=a.jpg&b=b.jpg&beside=old&beside_mass=0.5&utm=x";
  assert.equal(besideQuery(search, first, settings), "?a=a.jpg&b=b.jpg&utm=x&beside=settings&beside_grid=4");
  assert.equal(besideQuery(search, first, triple), "?a=a.jpg&b=b.jpg&utm=x&c=c.jpg");
  assert.equal(besideQuery(search, first, { ...triple, b: { ...c, example: false } }), "?a=a.jpg&b=b.jpg&utm=x");
  assert.equal(besideQuery(search, first, { ...first, model: { name: "n" } }), "?a=a.jpg&b=b.jpg&utm=x&beside=n");
  assert.equal(besideQuery("?c=c.jpg", null, null), "");
});
