// The engine against the library: same bytes in, same explanation out.

import assert from "node:assert/strict";
import { test } from "node:test";

import { decodeAttention, decodeFeatures, decodeFloat64 } from "../../diml_core/viewer/engine/decode.js";
import { cellsOf, explain, fromFixed, partRollout } from "../../diml_core/viewer/engine/explain.js";
import { transport } from "../../diml_core/viewer/engine/transport.js";
import { buildPair } from "../../diml_core/viewer/view/pair.js";
import { assertClose, bytes, cases } from "./golden.js";

const CLOSE = 1e-6;

for (const [name, { payload, fixed, scores, against }] of cases("pairs")) {
  test(`the browser explains as the library does: ${name}`, () => {
    const expected = fromFixed(fixed);
    const scoresOf = ({ similarity, global, structural }) => [similarity, global, structural];
    const features = {
      a: decodeFeatures(bytes(payload.a.features), payload.a, payload.model),
      b: decodeFeatures(bytes(payload.b.features), payload.b, payload.model),
    };
    const found = explain(payload, features, payload.options);
    assertClose(scoresOf(expected), scores, CLOSE, "the loaded score");
    assertClose(scoresOf(found), scores, CLOSE, "the score");
    for (const key of ["options", "gridA", "gridB", "converged"]) assert.deepEqual(found[key], expected[key]);
    for (const key of ["plan", "cosine", "contribution", "marginalsA", "marginalsB"]) {
      assertClose(found[key], expected[key], CLOSE, key);
    }
    for (const key of ["rolloutA", "rolloutB", "rolloutMapA", "rolloutMapB"]) {
      assertClose(found[key] ?? [], expected[key] ?? [], CLOSE, key);
    }
    const { a, b } = buildPair(payload, found);
    assertClose(a.against, decodeFloat64(against[0]), CLOSE, "what speaks against in A");
    assertClose(b.against, decodeFloat64(against[1]), CLOSE, "what speaks against in B");
    // One look at the marginal error more or fewer, where rounding decides.
    assert.ok(Math.abs(found.iterations - expected.iterations) <= 5, `${found.iterations} iterations`);
    const largest = found.plan.reduce((most, mass, k) => Math.max(most, Math.abs(mass - expected.plan[k])), 0);
    console.log(`score off by ${Math.abs(found.similarity - scores[0])}, plan by ${largest}`);
  });
}

for (const [name, { payload, grid, looked }] of cases("looks")) {
  test(`a part looked where the library says: ${name}`, () => {
    const { model, options } = payload;
    const expected = decodeFloat64(looked);
    const attention = decodeAttention(bytes(payload.a.attention), payload.a, model);
    const mapShape = payload.a.map.slice(0, 2);
    const cells = mapShape[0] * mapShape[1];
    const look = (parts) =>
      partRollout(attention, cellsOf(parts, grid, mapShape), model, options.start_block, options.kept_mass);
    for (let part = 0; part < grid[0] * grid[1]; part++) {
      assertClose(look([part]), expected.subarray(part * cells, (part + 1) * cells), CLOSE, `part ${part}`);
    }
    const both = expected.subarray(0, cells).map((share, cell) => (share + expected[cells + cell]) / 2);
    assertClose(look([0, 1]), both, CLOSE, "two parts together");
  });
}

for (const [name, { cost, u, v, mass, epsilon, tolerance, ...expected }] of cases("transports")) {
  test(`the transport is the library's: ${name}`, () => {
    const found = transport(...[cost, u, v].map(decodeFloat64), mass, epsilon, tolerance);
    assertClose(found.plan, decodeFloat64(expected.plan), CLOSE, "the plan");
    assert.ok(found.marginalError <= tolerance, `${found.marginalError}`);
    // Below that, and among Newton steps, rounding decides how many more there are.
    if (tolerance < 1e-6 || expected.iterations > 300) return;
    assert.ok(Math.abs(found.iterations - expected.iterations) <= 5, `${found.iterations}, not ${expected.iterations}`);
  });
}
