import assert from "node:assert/strict";
import test from "node:test";

import { layerOf } from "../../diml_core/viewer/view/layers.js";
import { addressQuery, canBeLinked, leftOut, viewFromQuery } from "../../diml_core/viewer/view/share.js";

const pair = {
  a: { name: "heron.jpg", example: true, count: 63, rollout: {} },
  b: { name: "harrier.jpg", example: true, count: 63, rollout: {} },
  model: { name: "dinov2-s14" },
  options: { grid: 8, marginals: "product", mass: 0.5, start_block: 9, epsilon: 0.2 },
};
const view = { layer: layerOf("rollout"), lines: 7, pinned: { side: "b", parts: [9, 10] } };

test("an address brings layer, lines and parts back", () => {
  const query = new URLSearchParams(addressQuery("", pair, view));
  assert.deepEqual(viewFromQuery(query, pair), { ...view, layer: "rollout", unknown: [] });
});

test("an address brings another method's layer back, where the server has that method", () => {
  const query = new URLSearchParams(addressQuery("", pair, { ...view, layer: { id: "rival-grad-cam" } }));
  const model = { ...pair.model, rivals: [{ key: "grad-cam", name: "Grad-CAM", title: "." }] };
  assert.equal(viewFromQuery(query, { ...pair, model }).layer, "rival-grad-cam");
  assert.deepEqual(viewFromQuery(query, pair), { lines: 7, pinned: view.pinned, unknown: ["layer"] });
});

test("an address opens a step of how it works, if there is such a step", () => {
  const address = addressQuery("", pair, { ...view, step: "transport" });
  assert.equal(viewFromQuery(new URLSearchParams(address), pair).step, "transport");
  assert.equal(viewFromQuery(new URLSearchParams(address.replace("transport", "nine")), pair).unknown[0], "step");
  assert.equal(new URLSearchParams(addressQuery(address, pair, { ...view, step: null })).has("step"), false);
});

test("an address names every option that the viewer has a control for, and none that the model lacks", () => {
  const query = new URLSearchParams(addressQuery("", { ...pair, options: { ...pair.options, start_block: null } }, view));
  assert.equal(query.get("epsilon"), "0.2");
  assert.equal(query.get("mass"), "0.5");
  assert.equal(query.has("start_block"), false);
});

test("a link keeps what others have in the address", () => {
  const before = "?__theme=dark&a=old.jpg&utm=x%20y&epsilon=1&parts=a1";
  const query = new URLSearchParams(addressQuery(before, pair, { ...view, pinned: null }));
  assert.equal(query.get("__theme"), "dark");
  assert.equal(query.get("utm"), "x y");
  assert.deepEqual(query.getAll("a"), ["heron.jpg"]);
  assert.deepEqual(query.getAll("epsilon"), ["0.2"]);
  assert.equal(query.has("parts"), false);
});

test("a pair that cannot be linked leaves nothing of itself", () => {
  assert.equal(canBeLinked({ ...pair, b: { ...pair.b, example: false } }), false);
  assert.equal(addressQuery("?a=heron.jpg&b=x&model=m&grid=2&lines=4&layer=none", null, view), "");
  assert.equal(addressQuery("?a=heron.jpg&__theme=dark", null, view), "?__theme=dark");
});

test("an address of other options is not of this pair, however its numbers are written", () => {
  const address = "a=heron.jpg&b=harrier.jpg&model=dinov2-s14&lines=3";
  assert.deepEqual(viewFromQuery(new URLSearchParams(`${address}&mass=.50&marginals=product`), pair), { lines: 3, unknown: [] });
  assert.equal(viewFromQuery(new URLSearchParams(`${address}&grid=4`), pair), null);
  assert.equal(viewFromQuery(new URLSearchParams(`${address}&marginals=uniform`), pair), null);
});

test("what an address asks for in vain is told, and the rest is shown", () => {
  assert.equal(viewFromQuery(new URLSearchParams("a=cat.jpg&b=harrier.jpg&model=dinov2-s14"), pair), null);
  const nonsense = "a=heron.jpg&b=harrier.jpg&model=dinov2-s14&layer=x&lines=-1&parts=c1";
  assert.deepEqual(viewFromQuery(new URLSearchParams(nonsense), pair), { unknown: ["layer", "lines", "parts"] });
  const beyond = "a=heron.jpg&b=harrier.jpg&model=dinov2-s14&parts=a1.1.999";
  assert.deepEqual(viewFromQuery(new URLSearchParams(beyond), pair), { pinned: { side: "a", parts: [1] }, unknown: ["parts"] });
  const unseen = { ...pair, a: { ...pair.a, rollout: null } };
  const looking = new URLSearchParams("a=heron.jpg&b=harrier.jpg&model=dinov2-s14&layer=rollout");
  assert.deepEqual(viewFromQuery(looking, unseen), { unknown: ["layer"] });
  assert.equal(leftOut([]), null);
  assert.match(leftOut(["layer", "parts"]), /Left out: what the photos are coloured by, marked parts\.$/);
});
