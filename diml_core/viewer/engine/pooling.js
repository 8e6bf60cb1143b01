// How the cells of a feature map become the parts of a grid: diml_core/embedding/pooling.py. Weights are rounded to
// float32 where Python rounds them.

/** @import { Grid } from "./types.js" */

/**
 * Which cells a part has and how much each counts, part after part.
 * @typedef {object} Pooling
 * @property {Int32Array} starts [R + 1]: part p has the entries from starts[p] up to starts[p + 1]
 * @property {Int32Array} cells per entry
 * @property {Float64Array} weights per entry
 */

/**
 * Overlap of each output cell with each input cell along one axis, in input cells.
 *
 * @param {number} cellsIn
 * @param {number} cellsOut
 * @returns {Float32Array} [cellsOut * cellsIn], columns summing to 1
 */
export function areaPooling(cellsIn, cellsOut) {
  const scale = cellsIn / cellsOut;
  const weights = new Float32Array(cellsOut * cellsIn);
  for (let out = 0; out < cellsOut; out++) {
    const start = out * scale;
    for (let cell = 0; cell < cellsIn; cell++) {
      weights[out * cellsIn + cell] = Math.max(Math.min(start + scale, cell + 1) - Math.max(start, cell), 0);
    }
  }
  return weights;
}

/**
 * The pooling of the DIML authors: bilinear to 4 points per cell, corners aligned, then averaged.
 *
 * @param {number} cellsIn
 * @param {number} cellsOut
 * @returns {Float32Array} [cellsOut * cellsIn], rows summing to 1
 */
export function resampledPooling(cellsIn, cellsOut) {
  const { fround } = Math;
  const scale = fround((cellsIn - 1) / (4 * cellsOut - 1));
  const weights = new Float32Array(cellsOut * cellsIn);
  for (let point = 0; point < 4 * cellsOut; point++) {
    const place = fround(scale * point);
    const left = Math.min(Math.floor(place), cellsIn - 1);
    const right = Math.min(left + 1, cellsIn - 1);
    const nearRight = Math.min(fround(place - left), 1);
    const first = (point >> 2) * cellsIn;
    weights[first + left] += fround(1 - nearRight);
    weights[first + right] += nearRight;
  }
  return weights.map((weight) => weight / 4);
}

const ALONG = { area: areaPooling, resampled: resampledPooling };

/**
 * @param {Grid} mapShape
 * @param {Grid} grid
 * @param {"area" | "resampled"} method
 * @returns {Pooling} of a flattened map onto a flattened grid
 */
export function poolingOf(mapShape, grid, method) {
  const across = ALONG[method](mapShape[0], grid[0]);
  const along = ALONG[method](mapShape[1], grid[1]);
  const starts = new Int32Array(grid[0] * grid[1] + 1);
  const cells = [];
  const weights = [];
  for (let part = 0; part < grid[0] * grid[1]; part++) {
    const [row, column] = [Math.floor(part / grid[1]), part % grid[1]];
    for (let y = 0; y < mapShape[0]; y++) {
      const high = across[row * mapShape[0] + y];
      for (let x = 0; high > 0 && x < mapShape[1]; x++) {
        const wide = along[column * mapShape[1] + x];
        if (wide === 0) continue;
        cells.push(y * mapShape[1] + x);
        weights.push(Math.fround(high * wide));
      }
    }
    starts[part + 1] = cells.length;
  }
  return { starts, cells: Int32Array.from(cells), weights: Float64Array.from(weights) };
}

/**
 * Means of the cells under each part.
 *
 * @param {Pooling} pooling
 * @param {Float64Array} map [h * w * D]
 * @param {number} dimension D
 * @param {Float32Array | null} counted [h * w] how much each cell counts within its part; null for all the same
 * @returns {Float64Array} [R * D]
 */
export function poolParts(pooling, map, dimension, counted) {
  const shares = sharesOf(pooling, counted);
  const parts = new Float64Array((pooling.starts.length - 1) * dimension);
  for (let part = 0; part + 1 < pooling.starts.length; part++) {
    const to = part * dimension;
    for (let entry = pooling.starts[part]; entry < pooling.starts[part + 1]; entry++) {
      const share = shares[entry];
      const from = pooling.cells[entry] * dimension;
      for (let d = 0; d < dimension; d++) parts[to + d] += share * map[from + d];
    }
  }
  return parts;
}

/**
 * How much each entry of the pooling counts within its part.
 *
 * @param {Pooling} pooling
 * @param {Float32Array | null} counted
 * @returns {Float64Array} per entry, summing to 1 per part
 */
function sharesOf({ starts, cells, weights }, counted) {
  const shares = weights.slice();
  for (let part = 0; part + 1 < starts.length; part++) {
    const [start, end] = [starts[part], starts[part + 1]];
    let total = 0;
    for (let entry = start; counted && entry < end; entry++) total += weights[entry] * counted[cells[entry]];
    // A part that truncation left without any rollout mass still has a content: its plain mean.
    const byCount = counted && total > 0;
    if (!byCount) for (let entry = start; entry < end; entry++) total += weights[entry];
    for (let entry = start; entry < end; entry++) {
      shares[entry] = (byCount ? weights[entry] * counted[cells[entry]] : weights[entry]) / total;
    }
  }
  return shares;
}

/**
 * Sums of the cells' values under each part; with areas nothing is lost.
 *
 * @param {Pooling} pooling
 * @param {Float32Array | Float64Array} values [h * w]
 * @returns {Float64Array} [R]
 */
export function sumParts({ starts, cells, weights }, values) {
  const sums = new Float64Array(starts.length - 1);
  for (let part = 0; part < sums.length; part++) {
    for (let entry = starts[part]; entry < starts[part + 1]; entry++) sums[part] += weights[entry] * values[cells[entry]];
  }
  return sums;
}

/**
 * How much each cell of the map belongs to some parts: where they lie, whatever pools them.
 *
 * @param {number[]} parts at least one
 * @param {Grid} grid
 * @param {Grid} mapShape
 * @returns {Float64Array} [h * w] summing to 1
 */
export function cellsOf(parts, grid, mapShape) {
  const pooling = poolingOf(mapShape, grid, "area");
  const shares = sharesOf(pooling, null);
  const cells = new Float64Array(mapShape[0] * mapShape[1]);
  for (const part of parts) {
    for (let entry = pooling.starts[part]; entry < pooling.starts[part + 1]; entry++) {
      cells[pooling.cells[entry]] += shares[entry] / parts.length;
    }
  }
  return cells;
}
