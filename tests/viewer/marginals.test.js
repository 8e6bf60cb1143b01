import assert from "node:assert/strict";
import test from "node:test";

import { marginalsInWords } from "../../diml_core/viewer/view/marginals.js";

test("every marginal is told in words, and one that somebody adds by its own name", () => {
  for (const name of ["cross-correlation", "rollout", "product", "uniform"]) assert.match(marginalsInWords(name), / \(.+\)$/);
  assert.equal(marginalsInWords("help"), "help");
});
