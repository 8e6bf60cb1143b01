import assert from "node:assert/strict";
import test from "node:test";
import { setImmediate } from "node:timers/promises";

import { answerTo } from "../../diml_core/viewer/view/asking.js";
import { lastFew } from "../../diml_core/viewer/view/loading.js";

const SILENCE = 40; // ms

test("an answer arrives as it is", async () => {
  const answer = { before: {}, after: {} };
  assert.equal(await answerTo(async () => answer, {}, () => {}, { silence: SILENCE }), answer);
});

test("a lost answer ends in a sentence, and whoever was asked hears that nobody waits", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  let givenUp;
  const ask = (...question) => {
    givenUp = question[2];
    return new Promise(() => {});
  };
  const lost = answerTo(ask, {}, () => {}, { silence: SILENCE });
  await setImmediate(); // until it has been asked
  t.mock.timers.tick(SILENCE - 1);
  assert.equal(givenUp.aborted, false);
  t.mock.timers.tick(1);
  assert.match((await lost).error, /did not answer within three minutes/);
  assert.equal(givenUp.aborted, true);
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

test("who hears of progress goes on waiting", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const heard = [];
  const answer = { before: {} };
  let tell;
  let arrive;
  const ask = (_, onProgress) => {
    tell = onProgress;
    return new Promise((resolve) => (arrive = resolve));
  };
  const waiting = answerTo(ask, {}, (text) => heard.push(text), { silence: SILENCE });
  await setImmediate(); // until it has been asked
  for (let step = 0; step < 4; step++) {
    t.mock.timers.tick(SILENCE - 1);
    tell(step);
  }
  arrive(answer);
  assert.equal(await waiting, answer);
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
