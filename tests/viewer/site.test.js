// The parts of the page without a server that need no browser.

import assert from "node:assert/strict";
import { test } from "node:test";

import { fromHalf } from "../../diml_core/viewer/engine/decode.js";
import { explain } from "../../diml_core/viewer/engine/explain.js";
import { MARGINALS } from "../../diml_core/viewer/engine/marginals.js";
import { coverer, sameShapeElsewhere } from "../../scripts/site/page/covering.js";
import { toHalf } from "../../scripts/site/page/half.js";
import { headerOf } from "../../scripts/site/page/headers.js";
import { csvOf, numbersOf } from "../../scripts/site/page/numbers.js";
import { marginalsOf } from "../../scripts/site/page/payload.js";
import { resized } from "../../scripts/site/page/resampling.js";
import { features, OPTIONS, payload } from "./made.js";

test("every half-precision number comes back as itself", () => {
  for (let bits = 0; bits < 0x10000; bits++) {
    const value = fromHalf(bits);
    assert.ok(Number.isNaN(value) ? Number.isNaN(fromHalf(toHalf(value))) : toHalf(value) === bits, `${bits}`);
  }
});

test("a number between two halves goes to the nearer, and half-way to the even one", () => {
  for (const low of [0x0000, 0x0001, 0x03ff, 0x0400, 0x3bff, 0x3c00, 0x7bfe]) {
    const [one, two] = [low, low + 1].map(fromHalf);
    assert.equal(toHalf(one + (two - one) * 0.49), low);
    assert.equal(toHalf(one + (two - one) * 0.51), low + 1);
    assert.equal(toHalf((one + two) / 2), low % 2 ? low + 1 : low);
  }
  assert.equal(toHalf(65519), 0x7bff);
  assert.equal(toHalf(65520), 0x7c00);
});

/** @param {...(string | number[])} pieces letters, or bytes */
const file = (...pieces) => Uint8Array.from(pieces.flatMap((each) => (typeof each === "string" ? Buffer.from(each, "latin1") : each)).flatMap((x) => (typeof x === "number" ? [x] : [...x]))).buffer;

test("a header tells kind and size before anything is decoded", () => {
  const exif = [0xff, 0xe1, 0, 6, 1, 2, 3, 4];
  const frame = [0xff, 0xc2, 0, 17, 8, 1, 44, 1, 194, 3];
  const png = file("\x89PNG\r\n\x1a\n", [0, 0, 0, 13], "IHDR", [0, 0, 1, 194, 0, 0, 1, 44]);
  const known = [
    [file([0xff, 0xd8], exif, frame), "JPEG"],
    [png, "PNG"],
    [file("GIF89a", [194, 1, 44, 1]), "GIF"],
    [file("BM", Array(16).fill(0), [194, 1, 0, 0], [212, 254, 255, 255]), "BMP"], // upside down: its height is negative
    [file("RIFF", [0, 0, 0, 0], "WEBPVP8X", Array(8).fill(0), [193, 1, 0, 43, 1, 0]), "WebP"],
    [file("RIFF", [0, 0, 0, 0], "WEBPVP8 ", Array(10).fill(0), [194, 1, 44, 1]), "WebP"],
    [file("RIFF", [0, 0, 0, 0], "WEBPVP8L", [0, 0, 0, 0, 0x2f], [0xc1, 0xc1, 0x4a, 0]), "WebP"],
    [file([0, 0, 0, 20], "ftypavif", Array(8).fill(0), [0, 0, 0, 20], "ispe", [0, 0, 0, 0], [0, 0, 1, 194], [0, 0, 1, 44], Array(8).fill(0)), "AVIF"],
  ];
  for (const [bytes, kind] of known) assert.deepEqual(headerOf(bytes), { kind, width: 450, height: 300 });
  assert.equal(headerOf(file("%PDF-1.7")), null);
  assert.equal(headerOf(file("")), null);
  assert.throws(() => headerOf(png.slice(0, 20)), RangeError);
  assert.throws(() => headerOf(file([0xff, 0xd8], exif)), RangeError);
});

test("resampling keeps a plain colour, and a picture of its own size", () => {
  const values = Uint8ClampedArray.from({ length: 3 * 7 * 5 }, (_, k) => [200, 10, 255][k % 3]);
  for (const kernel of ["bilinear", "bicubic", "lanczos"]) {
    const { values: found } = resized({ width: 7, height: 5, values }, 4, 9, kernel);
    found.forEach((value, k) => assert.equal(value, [200, 10, 255][k % 3]));
  }
  const noise = values.map((_, k) => (k * 97) % 256);
  assert.deepEqual(resized({ width: 7, height: 5, values: noise }, 7, 5, "bicubic").values, noise);
});

test("a cover lies on its parts and nowhere else", () => {
  const values = new Uint8ClampedArray(3 * 10 * 6);
  const { values: found } = coverer({ width: 10, height: 6, values }, [2, 2], "grey")([3]);
  found.forEach((value, k) => {
    const [x, y] = [Math.floor(k / 3) % 10, Math.floor(k / 30)];
    assert.equal(value, x >= 5 && y >= 3 ? 128 : 0);
  });
  assert.deepEqual(sameShapeElsewhere([0], [2, 2], 4), [[1], [2], [3]]);
  assert.deepEqual(sameShapeElsewhere([0, 1, 2, 3], [2, 2], 4), []);
  const four = sameShapeElsewhere([5, 6], [5, 5], 4);
  assert.equal(new Set(four.map(String)).size, 4);
  assert.ok(four.every((parts) => !parts.includes(5) && !parts.includes(6) && parts[1] === parts[0] + 1));
});

test("the rows of a table add up to the structural similarity, strongest first", () => {
  const found = explain(payload, features, { ...OPTIONS, mass: 0.5 });
  const table = csvOf(found);
  assert.ok(table.endsWith("\r\n"));
  const [head, ...rows] = table.trimEnd().split("\r\n");
  assert.equal(head, "row_a,column_a,row_b,column_b,mass,cosine,contribution,share");
  const numbers = rows.map((row) => row.split(",").map(Number));
  assert.equal(numbers.length, found.plan.filter((mass) => mass > 0).length);
  let [sum, last] = [0, Infinity];
  for (const [rowA, columnA, rowB, columnB, mass, cosine, contribution, share] of numbers) {
    const k = (rowA * found.gridA[1] + columnA) * found.gridB[0] * found.gridB[1] + rowB * found.gridB[1] + columnB;
    assert.deepEqual([mass, cosine, contribution], [found.plan[k], found.cosine[k], found.contribution[k]]);
    assert.ok(contribution <= last);
    assert.ok(Math.abs(share * found.structural - contribution) < 1e-12);
    [sum, last] = [sum + contribution, contribution];
  }
  assert.ok(Math.abs(sum - found.structural) < 1e-12);
});

test("saved numbers stand in rows of A, and of the map", () => {
  const found = explain(payload, features, OPTIONS);
  const scale = { photographs: 2, kinds: 2, same: [0, 0, 1, 1], different: [2, 2, 0, 0], options: { grid: 3 } };
  const saved = JSON.parse(JSON.stringify(numbersOf({ ...payload, model: { ...payload.model, name: "made", scale } }, found)));
  assert.deepEqual(saved.plan.flat(), [...found.plan]);
  assert.equal(saved.plan.length, found.gridA[0] * found.gridA[1]);
  assert.deepEqual([saved.rollout_map.a.length, saved.rollout_map.a[0].length], [4, 3]);
  assert.ok(saved.standing.different_below >= 0 && saved.standing.same_above <= 1);
  assert.equal(numbersOf({ ...payload, model: { ...payload.model, scale } }, { ...found, options: { ...OPTIONS, grid: 2 } }).standing, null);
  const blind = { ...payload, model: { ...payload.model, blocks: 0, firstBlock: 0 } };
  const plain = numbersOf(blind, explain(blind, features, { ...OPTIONS, marginals: "uniform", start_block: null }));
  assert.deepEqual([plain.rollout, plain.rollout_map, plain.standing], [null, null, null]);
});

test("the page offers what the engine computes, and what needs attention only where there is some", () => {
  MARGINALS.added = { correlation: null, rollout: false };
  try {
    assert.deepEqual(marginalsOf({ attention_blocks: 12 }), ["cross-correlation", "uniform", "rollout", "product", "added"]);
    assert.deepEqual(marginalsOf({ attention_blocks: 0 }), ["cross-correlation", "uniform", "added"]);
  } finally {
    delete MARGINALS.added;
  }
});
