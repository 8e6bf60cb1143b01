// How the transport settles, on a small pair of made-up photos.

import assert from "node:assert/strict";
import { test } from "node:test";

import { explain } from "../../diml_core/viewer/engine/explain.js";
import { ITERATION_STOPS, marginalErrors, planAfter } from "../../diml_core/viewer/engine/settling.js";
import { assertClose } from "./golden.js";
import { features, OPTIONS, payload } from "./made.js";

const sum = (values) => values.reduce((total, value) => total + value, 0);

for (const mass of [1, 0.6]) {
  test(`after many iterations the transport of ${mass} is the settled plan`, () => {
    const settled = explain(payload, features, { ...OPTIONS, mass });
    assert.ok(settled.converged);
    // 1e-12 in the marginals, of a problem whose iterations each gain a good share of what is left.
    assertClose(planAfter(settled, 3000), settled.plan, 1e-9, "the plan");
  });

  test(`before the first iteration there is the kernel, scaled to ${mass}`, () => {
    const settled = explain(payload, features, { ...OPTIONS, mass });
    const kernel = settled.cosine.map((similarity) => Math.exp((similarity - 1) / OPTIONS.epsilon));
    const scale = mass / sum(kernel);
    assertClose(planAfter(settled, 0), kernel.map((value) => value * scale), 1e-12, "the plan");
  });

  test(`the marginals of a transport of ${mass} come nearer at every stop`, () => {
    const settled = explain(payload, features, { ...OPTIONS, mass });
    const errors = ITERATION_STOPS.slice(1, -1).map((stop) => sum(marginalErrors({ ...settled, plan: planAfter(settled, stop) })));
    for (let k = 1; k < errors.length; k++) assert.ok(errors[k] <= errors[k - 1] + 1e-12, `${errors}`);
    assert.ok(sum(marginalErrors(settled)) <= 1e-11);
  });
}

test("a part without mass sends nothing, settled or not", () => {
  const opposite = { ...features.a, map: features.a.map.map((value, k) => (k < 15 ? -5 : value)) };
  const settled = explain(payload, { a: opposite, b: features.b }, { ...OPTIONS, marginals: "cross-correlation" });
  const part = settled.marginalsA.indexOf(0);
  assert.ok(part >= 0);
  for (const plan of [settled.plan, planAfter(settled, 2)]) {
    assert.equal(sum(plan.subarray(part * settled.marginalsB.length, (part + 1) * settled.marginalsB.length)), 0);
  }
  assert.ok(settled.converged);
});
