import assert from "node:assert/strict";
import test from "node:test";
import { setTimeout as after } from "node:timers/promises";

import { answerTo } from "../../diml_core/viewer/view/asking.js";
import { lastFew } from "../../diml_core/viewer/view/loading.js";

const SILENCE = 40; // ms

test("an answer arrives as it is", async () => {
  const answer = { before: {}, after: {} };
  assert.equal(await answerTo(async () => answer, {}, () => {}, { silence: SILENCE }), answer);
});

test("a lost answer ends in a sentence", async () => {
  const { error } = await answerTo(() => new Promise(() => {}), {}, () => {}, { silence: SILENCE });
  assert.match(error, /did not answer within three minutes/);
});

test("a question that fails, at once or later, ends in a sentence", async () => {
  const failing = [
    () => {
      throw new TypeError("no");
    },
    () => Promise.reject(new Error("no")),
    async () => undefined,
  ];
  for (const ask of failing) {
    const { error } = await answerTo(ask, {}, () => {}, { silence: SILENCE });
    assert.match(error, /did not reach the network/);
  }
});

test("who hears of progress goes on waiting", async () => {
  const heard = [];
  const answer = { before: {} };
  const ask = async (_, onProgress) => {
    for (let step = 0; step < 4; step++) {
      await after(SILENCE / 2);
      onProgress(step);
    }
    return answer;
  };
  assert.equal(await answerTo(ask, {}, (text) => heard.push(text), { silence: SILENCE }), answer);
  assert.deepEqual(heard, [0, 1, 2, 3]);
});

test("the last few are kept, what is on its way is fetched once, and what failed is fetched again", async () => {
  const keep = lastFew(2);
  const fetched = [];
  const load = (url) => async () => {
    fetched.push(url);
    if (url === "gone" && fetched.filter((each) => each === "gone").length === 1) throw new Error("gone");
    return url;
  };
  const ask = (url) => keep(url, load(url));
  await Promise.all([ask("x"), ask("x"), ask("y")]);
  await ask("x"); // the last used stays
  await ask("z");
  await ask("x");
  assert.deepEqual(fetched, ["x", "y", "z"]);
  await ask("y");
  assert.deepEqual(fetched, ["x", "y", "z", "y"]);
  await assert.rejects(ask("gone"));
  assert.equal(await ask("gone"), "gone");
});
