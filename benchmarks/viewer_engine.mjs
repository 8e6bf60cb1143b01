// How long the viewer's engine takes per move of a control, without drawing:
//
//     python tests/viewer/write_golden.py GOLDEN && node benchmarks/viewer_engine.mjs GOLDEN
//
// with GOLDEN an empty folder. Per model, with the features of three pairs: moves of one control over its range, others
// at the model's defaults, at the default and at the finest grid. "anew" embeds both photos again, as a move of the grid
// does; the other moves find their embeddings and cosines kept.

import { readFileSync } from "node:fs";
import { join } from "node:path";

import { decodeFeatures } from "../diml_core/viewer/engine/decode.js";
import { explain } from "../diml_core/viewer/engine/explain.js";

const REPEATS = 3;
const SWEEPS = {
  mass: [0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1],
  epsilon: [0.02, 0.03, 0.05, 0.07, 0.1, 0.2, 0.5],
};

const folder = process.argv[2];
const pairs = (model) =>
  [0, 1, 2].map((number) => {
    const { payload } = JSON.parse(readFileSync(join(folder, "pairs", `${model} pair ${number} case 0.json`), "utf8"));
    const features = (side) => {
      const { buffer, byteOffset, length } = readFileSync(join(folder, payload[side].features));
      return decodeFeatures(buffer.slice(byteOffset, byteOffset + length), payload[side], payload.model);
    };
    return { payload, a: features("a"), b: features("b") };
  });

function timesOf(run, values) {
  const times = [];
  for (let repeat = 0; repeat <= REPEATS; repeat++) {
    for (const value of values) {
      const start = performance.now();
      run(value);
      if (repeat > 0) times.push(performance.now() - start); // the first time compiles
    }
  }
  return times;
}

for (const model of ["dinov2-s14", "efficientnet-lite0", "efficientnet-lite0-imagenet"]) {
  const seen = pairs(model);
  const { defaults, maxGrid } = seen[0].payload.model;
  for (const grid of new Set([defaults.grid, maxGrid])) {
    const optionsOf = (payload) => ({ ...payload.options, ...defaults, grid });
    const report = (name, times) => {
      times.sort((first, second) => first - second);
      const at = (share) => times[Math.floor(share * (times.length - 1))].toFixed(1);
      console.log(`${model}, grid ${grid}, ${name}: median ${at(0.5)} ms, 95th percentile ${at(0.95)} ms`);
    };
    report("anew", timesOf(({ payload, a, b }) => {
      explain(payload, { a: { ...a }, b: { ...b } }, optionsOf(payload));
    }, seen));
    for (const [control, values] of Object.entries(SWEEPS)) {
      report(control, seen.flatMap(({ payload, a, b }) =>
        timesOf((value) => explain(payload, { a, b }, { ...optionsOf(payload), [control]: value }), values),
      ));
    }
  }
}
