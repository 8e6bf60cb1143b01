// The geometry of parts, against tables that the library wrote.

import assert from "node:assert/strict";
import { test } from "node:test";

import { decodeFloat64 } from "../../diml_core/viewer/engine/decode.js";
import { gridFor, gridOnMap } from "../../diml_core/viewer/engine/grids.js";
import { areaPooling, cellsOf, poolingOf, resampledPooling } from "../../diml_core/viewer/engine/pooling.js";
import { cases } from "./golden.js";

const [[, tables]] = cases("tables");

test("maps of all shapes get the library's grids", () => {
  for (const [mapShape, side, grid] of tables.grids) {
    assert.deepEqual(gridOnMap(mapShape, side), grid, `${side} parts per side on a map of ${mapShape}`);
  }
});

test("no two grids fit a map equally well, so that neither order nor rounding chooses", () => {
  const misfit = (aspect, parts, rows, columns) =>
    Math.abs(Math.log(columns / rows / aspect)) + 0.5 * Math.log(parts / (rows * columns));
  for (let height = 1; height <= 20; height++) {
    for (let width = 1; width <= 20; width++) {
      const aspect = width / height;
      for (let side = 1; side <= 16; side++) {
        const parts = side * side;
        const [rows, columns] = gridFor(aspect, parts);
        const best = misfit(aspect, parts, rows, columns);
        for (let row = 1; row <= parts; row++) {
          for (const column of [Math.floor(row * aspect), Math.ceil(row * aspect), Math.floor(parts / row)]) {
            if (column < 1 || row * column > parts || (row === rows && column === columns)) continue;
            assert.ok(misfit(aspect, parts, row, column) > best + 1e-9, `${[width, height, side, row, column]}`);
          }
        }
      }
    }
  }
});

test("cells pool along an axis by the library's weights, to the last bit", () => {
  const along = { area: areaPooling, resampled: resampledPooling };
  for (const [method, cells, parts, weights] of tables.poolings) {
    assert.deepEqual(
      Float64Array.from(along[method](cells, parts)),
      decodeFloat64(weights),
      `${method}, ${cells} to ${parts}`,
    );
  }
});

test("cells pool onto a grid by the library's weights, to the last bit", () => {
  for (const [method, shape, grid, matrix] of tables.matrices) {
    const { starts, cells, weights } = poolingOf(shape, grid, method);
    const found = new Float64Array(grid[0] * grid[1] * shape[0] * shape[1]);
    for (let part = 0; part + 1 < starts.length; part++) {
      for (let k = starts[part]; k < starts[part + 1]; k++) found[part * shape[0] * shape[1] + cells[k]] = weights[k];
    }
    assert.deepEqual(found, decodeFloat64(matrix), `${method}, ${shape} to ${grid}`);
  }
});

test("the cells of a part are those under it, also where sizes do not divide", () => {
  assert.deepEqual(Array.from(cellsOf([1], [1, 2], [2, 4])), [0, 0, 0.25, 0.25, 0, 0, 0.25, 0.25]);
  assert.deepEqual(Array.from(cellsOf([0], [1, 2], [1, 3])), [1, 0.5, 0].map((share) => share / 1.5));
  assert.deepEqual(Array.from(cellsOf([0, 1], [1, 2], [1, 2])), [0.5, 0.5]);
});
