// What covers a photo in the page without a server, against what covers it in the library.

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
      assertClose(found, decodeFloat64(expected), 0, cover);
    });
  }
}
