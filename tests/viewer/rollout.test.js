// Where parts looked, by hand: one prefix token and two patches.

import assert from "node:assert/strict";
import { test } from "node:test";

import { blockAttention, partRollout, rolloutThrough, startingTokens } from "../../diml_core/viewer/engine/explain.js";
import { assertClose } from "./golden.js";

const MODEL = { prefix: 1, firstBlock: 3 };
const SECOND = Float64Array.of(0, 1);

test("a token that no heads agree on keeps what it has", () => {
  const first = Uint8Array.of(255, 0, 0, 0, 0, 0, 0, 255, 0); // the first patch looks nowhere, the second at it
  const last = Uint8Array.of(255, 0, 0, 0, 255, 0, 0, 255, 0);
  const looked = partRollout({ tokens: 3, blocks: [first, last] }, SECOND, MODEL, 3, 1);
  // Half is the first patch's, which keeps it; of the other half it gives half to the first patch.
  assertClose(looked, [3 / 4, 1 / 4], 1e-15, "its rollout");
});

test("half of what a token is comes from where it looked, and prefix tokens are left out", () => {
  const block = Uint8Array.of(255, 0, 0, 0, 255, 0, 255, 255, 0); // the second patch: prefix and first patch alike
  const looked = partRollout({ tokens: 3, blocks: [block] }, SECOND, MODEL, 3, 1);
  // A quarter each from prefix and first patch, half its own.
  assertClose(looked, [1 / 3, 2 / 3], 1e-15, "its rollout");
});

test("a later start leaves the earlier blocks out", () => {
  const swap = Uint8Array.of(255, 0, 0, 0, 0, 255, 0, 255, 0);
  const first = Uint8Array.of(0, 255, 0, 0, 255, 0, 0, 255, 0);
  const attention = { tokens: 3, blocks: [first, swap] };
  assertClose(partRollout(attention, SECOND, MODEL, 4, 1), [1 / 2, 1 / 2], 1e-15, "from the second block");
  // Half swapped, then half of the second patch's share moved to the first.
  assertClose(partRollout(attention, SECOND, MODEL, 3, 1), [3 / 4, 1 / 4], 1e-15, "from the first block");
});

test("truncation keeps the largest entries that hold the mass, at least one", () => {
  const block = Uint8Array.of(255, 0, 0, 0, 255, 0, 255, 255, 0);
  const attention = { tokens: 3, blocks: [block] };
  assertClose(partRollout(attention, SECOND, MODEL, 3, 0.66), [0, 1], 1e-15, "keeping 0.66");
  assertClose(partRollout(attention, SECOND, MODEL, 3, 0.67), [1 / 3, 2 / 3], 1e-15, "keeping 0.67");
  assertClose(partRollout(attention, SECOND, MODEL, 3, 0.01), [0, 1], 1e-15, "keeping 0.01");
});

test("one block is its attention as it is, without what a token keeps of itself", () => {
  const block = Uint8Array.of(0, 255, 85, 255, 0, 0, 255, 255, 0);
  const attention = { tokens: 3, blocks: [block] };
  const look = (cells, classToken) => blockAttention(attention, startingTokens(attention, cells, { ...MODEL, classToken }), MODEL, 3);
  assertClose(look(SECOND).shares, [1 / 2, 0], 1e-15, "of a part");
  assertClose(look(null, true).shares, [3 / 4, 1 / 4], 1e-15, "of the class token");
  // A third each: of the class token 3/4 and 1/4, of the first patch nothing, of the second half of what it gives.
  assertClose(look(null, false).shares, [5 / 12, 1 / 12], 1e-15, "of all tokens");
  assert.equal(look(SECOND).step, 1 / 510);
  const nothing = blockAttention({ tokens: 3, blocks: [new Uint8Array(9)] }, Float64Array.of(1, 0, 0), MODEL, 3);
  assertClose(nothing.shares, [0, 0], 0, "of heads that never agree");
});

test("through several blocks a part's look is its rollout before truncation", () => {
  const attention = { tokens: 3, blocks: [0, 1].map((k) => Uint8Array.from({ length: 9 }, (_, n) => (n * 71 + k * 37) % 256)) };
  const found = rolloutThrough(attention, startingTokens(attention, SECOND, MODEL), MODEL, 3);
  assertClose(found, partRollout(attention, SECOND, MODEL, 3, 1), 1e-15, "its rollout");
});
