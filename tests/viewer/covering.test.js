// What covers a photo in the page without a server, against what covers it in the library.

import assert from "node:assert/strict";
import { test } from "node:test";

import { decodeFloat64 } from "../../diml_core/viewer/engine/decode.js";
import { coverer } from "../../scripts/site/page/covering.js";
import { assertClose, cases } from "./golden.js";

const [[, { covers }]] = cases("tables");

for (const [width, height, pixels, whole] of covers) {
  for (const [cover, expected] of Object.entries(whole)) {
    test(`${cover} is the library's on ${width} x ${height} pixels`, () => {
      const values = Uint8ClampedArray.from(decodeFloat64(pixels));
      const { values: found } = coverer({ width, height, values }, [1, 1], cover)([0]);
      const wanted = decodeFloat64(expected);
      // A mean that is half-way between two bytes may go to either: that is one in hundreds.
      assertClose(found, wanted, cover === "blur" ? 1 : 0, cover);
      assert.ok(found.filter((value, k) => value !== wanted[k]).length <= found.length / 100);
    });
  }
}
