// The folder that write_golden.py wrote, $DIML_GOLDEN, and how to read it.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const folder = process.env.DIML_GOLDEN;
if (!folder) throw new Error("Set DIML_GOLDEN to a folder that tests/viewer/write_golden.py wrote.");

/** All files of one kind: [name, content]. */
export function cases(kind) {
  const files = readdirSync(join(folder, kind)).filter((file) => file.endsWith(".json"));
  assert.ok(files.length > 0, `${folder} has no ${kind}`);
  return files.map((file) => [file.slice(0, -5), JSON.parse(readFileSync(join(folder, kind, file), "utf8"))]);
}

/** The binary that an address of a payload names, as an ArrayBuffer. */
export function bytes(address) {
  const file = readFileSync(join(folder, address));
  return file.buffer.slice(file.byteOffset, file.byteOffset + file.length);
}

/** No entry may differ by more than `most`, and none may be NaN. */
export function assertClose(found, expected, most, what) {
  assert.equal(found.length, expected.length, what);
  let largest = 0;
  for (let k = 0; k < found.length; k++) {
    const difference = Math.abs(found[k] - expected[k]);
    if (!(difference <= largest)) largest = difference; // so that NaN is kept
  }
  assert.ok(largest <= most, `${what} differs by ${largest}`);
}
