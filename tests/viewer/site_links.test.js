// What an address asks of the page without a server, and what it puts beside the pair.

import assert from "node:assert/strict";
import { test } from "node:test";

import { PHOTO_C, SETTINGS, besideOf, choicesBeside } from "../../scripts/site/page/beside.js";
import { readLink } from "../../scripts/site/page/links.js";

const usual = { grid: 7, marginals: "cross-correlation", mass: 1, start_block: null, epsilon: 0.05 };
const cnn = { name: "cnn", title: "CNN", map_side: 14, attention_blocks: 0, defaults: usual };
const vit = { ...cnn, name: "vit", title: "ViT", attention_blocks: 12, defaults: { ...usual, grid: 8, start_block: 6 } };
const models = /** @type {any} */ ([cnn, vit]);
const read = (query) => readLink(`?a=one.jpg&b=two.jpg${query}`, models, ["one.jpg", "two.jpg", "three.jpg"]);

test("a link without photos asks for nothing", () => {
  assert.equal(readLink("?__theme=dark", models, []), null);
});

test("a third photo stands at the pair's options, whatever else a link says", () => {
  const link = read("&c=three.jpg&grid=5&beside=vit&beside_grid=3");
  assert.deepEqual(link.photos, ["one.jpg", "two.jpg", "three.jpg"]);
  assert.equal(link.beside, PHOTO_C);
  assert.deepEqual(link.besideOptions, { ...usual, grid: 5 });
});

test("other settings differ from the pair's in what the link names", () => {
  const link = read("&mass=0.9&beside=settings&beside_grid=4&beside_marginals=uniform");
  assert.deepEqual(link.options, { ...usual, mass: 0.9 });
  assert.deepEqual(link.besideOptions, { ...usual, mass: 0.9, grid: 4, marginals: "uniform" });
});

test("a second model stands at its own options", () => {
  const link = read("&grid=5&beside=vit&beside_start_block=9");
  assert.equal(link.beside, "vit");
  assert.deepEqual(link.besideOptions, { ...vit.defaults, start_block: 9 });
});

test("what is not here, or out of range, ends in a sentence", () => {
  for (const query of ["&model=nobody", "&c=four.jpg", "&c=", "&beside=nobody", "&beside=photo-c"]) {
    assert.throws(() => read(query), /is not here: choose a pair/, query);
  }
  for (const query of ["&grid=15", "&grid=2.5", "&beside=settings&beside_mass=0", "&beside=vit&beside_start_block=12"]) {
    assert.throws(() => read(query), /is out of range: choose a pair/, query);
  }
  assert.throws(() => read("&beside=settings&beside_marginals=rollout"), /The marginals in this link/);
});

test("beside a pair stands what was chosen, and own options stay where the model has them", () => {
  const first = { model: cnn, photos: ["A", "B"], options: { ...usual, mass: 0.5 } };
  const own = { ...usual, grid: 3 };
  const beside = (choice, photoC = null, stands = null) => besideOf(choice, first, photoC, models, () => stands);
  assert.equal(beside(""), null);
  assert.equal(beside(PHOTO_C), null);
  assert.deepEqual(beside(PHOTO_C, "C", own), { ...first, photos: ["A", "C"], letter: "C" });
  assert.deepEqual(beside(SETTINGS, "C"), first);
  assert.deepEqual(beside(SETTINGS, null, own), { ...first, options: own });
  assert.deepEqual(beside("vit"), { ...first, model: vit, options: vit.defaults });
  assert.deepEqual(beside("vit", null, own), { ...first, model: vit, options: own });
  assert.deepEqual(choicesBeside(models).map(([value]) => value), ["", PHOTO_C, SETTINGS, "cnn", "vit"]);
});
