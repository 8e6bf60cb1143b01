// What is kept between moves, and what is refused.

import assert from "node:assert/strict";
import { test } from "node:test";

import { embed, explain } from "../../diml_core/viewer/engine/explain.js";
import { features, OPTIONS, payload, photo } from "./made.js";

test("a move of mass keeps the embeddings, and one of grid or start block does not", () => {
  const { a, model } = payload;
  const before = embed(a, features.a, model, OPTIONS);
  assert.equal(embed(a, features.a, model, { ...OPTIONS, mass: 0.3 }), before);
  const after = embed(a, features.a, model, { ...OPTIONS, start_block: 2 });
  assert.deepEqual(after.rolloutMap, features.a.rollouts[0]);
  assert.notDeepEqual(after.rollout, before.rollout);
  assert.deepEqual(embed(a, features.a, model, { ...OPTIONS, start_block: 2, grid: 1 }).grid, [1, 1]);
});

test("explaining anew after other options gives the same again", () => {
  const once = explain(payload, features, OPTIONS);
  explain(payload, features, { ...OPTIONS, grid: 1, start_block: 2, marginals: "uniform" });
  assert.deepEqual(explain(payload, features, OPTIONS), once);
  assert.deepEqual(explain(payload, { a: photo(0), b: photo(1) }, OPTIONS), once);
});

test("a start block that was not sent is refused", () => {
  assert.throws(() => explain(payload, features, { ...OPTIONS, start_block: 1 }), /at block 2 to 3 here, not at 1/);
});

test("a start block from which no attention reaches any part is refused", () => {
  const [, second] = features.a.rollouts;
  const blind = { ...features.a, rollouts: [second.map(() => NaN), second] };
  assert.ok(explain(payload, { a: blind, b: features.b }, OPTIONS).converged);
  const options = { ...OPTIONS, start_block: 2 };
  assert.throws(() => explain(payload, { a: blind, b: features.b }, options), /No attention reaches any part/);
});

test("another photo beside the same one is compared anew", () => {
  const once = explain(payload, features, OPTIONS);
  const other = explain(payload, { a: features.a, b: photo(2) }, OPTIONS);
  assert.notDeepEqual(other.cosine, once.cosine);
});

test("no cosine of a photo with itself is above 1", () => {
  const { cosine } = explain(payload, { a: features.a, b: features.a }, OPTIONS);
  assert.equal(Math.max(...cosine), 1);
});

test("marginals that the viewer does not know are refused", () => {
  assert.throws(() => explain(payload, features, { ...OPTIONS, marginals: "softmax" }), /no marginals named 'softmax'/);
});

test("without attention there is no rollout to weigh by", () => {
  const plain = { ...payload, model: { ...payload.model, blocks: 0, firstBlock: 0 } };
  const options = { ...OPTIONS, start_block: null };
  assert.throws(() => explain(plain, features, options), /need attention/);
  const found = explain(plain, features, { ...options, marginals: "uniform" });
  assert.deepEqual([found.rolloutA, found.rolloutMapA], [null, null]);
});
