// How a picture is cut into a grid: diml_core/embedding/grids.py, number for number.

/** @import { Grid } from "./types.js" */

/**
 * The grid of at most `parts` nearly square cells that covers a picture.
 *
 * @param {number} aspect width / height
 * @param {number} parts upper bound on rows * columns
 * @returns {Grid} at least [1, 1]
 */
export function gridFor(aspect, parts) {
  /** @type {Grid} */
  let best = [1, 1];
  let least = Infinity;
  for (let rows = 1; rows <= parts; rows++) {
    for (const columns of [Math.floor(rows * aspect), Math.ceil(rows * aspect), Math.floor(parts / rows)]) {
      if (columns < 1 || rows * columns > parts) continue;
      // Cells should be square first, and as many as allowed second.
      const misfit = Math.abs(Math.log(columns / rows / aspect)) + 0.5 * Math.log(parts / (rows * columns));
      // The first smallest. Two candidates of one row are never equal (see tests/viewer/grids.test.js), so that the
      // order in which Python's set gives them does not matter.
      if (misfit < least) {
        least = misfit;
        best = [rows, columns];
      }
    }
  }
  return best;
}

/**
 * The grid that a feature map is pooled to.
 *
 * @param {Grid} mapShape rows and columns of the map; its cells are square in the picture
 * @param {number} side parts per side of a square picture
 * @returns {Grid} no finer than the map
 */
export function gridOnMap(mapShape, side) {
  const [rows, columns] = gridFor(mapShape[1] / mapShape[0], side * side);
  return [Math.min(rows, mapShape[0]), Math.min(columns, mapShape[1])];
}
