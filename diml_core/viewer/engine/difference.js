// Two comparisons of one photo: what makes the difference between their scores, part by part.

/**
 * @typedef {object} Compared what there is to compare of a pair, where A is the photo that both have
 * @property {number} similarity
 * @property {number} global
 * @property {{rows: number, columns: number, contribution: ArrayLike<number>}} a
 */

/**
 * @typedef {object} Difference in points of the overall score, 100 for the highest: first minus second
 * @property {number} total global + the sum of parts
 * @property {number} global
 * @property {number} rows of the parts' grid: the coarser of the two along each side
 * @property {number} columns
 * @property {Float64Array} parts [rows * columns]
 */

/**
 * @param {Compared} first
 * @param {Compared} second
 * @returns {Difference}
 */
export function differenceOf(first, second) {
  const rows = Math.min(first.a.rows, second.a.rows);
  const columns = Math.min(first.a.columns, second.a.columns);
  const [one, two] = [first, second].map(({ a }) => onGrid(a, a.contribution, rows, columns));
  return {
    total: 100 * (first.similarity - second.similarity),
    global: 50 * (first.global - second.global),
    rows,
    columns,
    parts: one.map((value, part) => 50 * (value - two[part])),
  };
}

/**
 * The values of one grid on another, each spread evenly over its cell: their sum stays.
 *
 * @param {{rows: number, columns: number}} from
 * @param {ArrayLike<number>} values [from.rows * from.columns]
 * @param {number} rows
 * @param {number} columns
 * @returns {Float64Array} [rows * columns]
 */
export function onGrid(from, values, rows, columns) {
  const placed = new Float64Array(rows * columns);
  const down = sharesOf(from.rows, rows);
  const across = sharesOf(from.columns, columns);
  down.forEach((targets, row) =>
    across.forEach((others, column) => {
      const value = values[row * from.columns + column];
      for (const [y, high] of targets) for (const [x, wide] of others) placed[y * columns + x] += value * high * wide;
    }),
  );
  return placed;
}

/**
 * In which of `to` equal stretches each of `from` lies, and with what share of itself.
 *
 * @param {number} from
 * @param {number} to
 * @returns {[number, number][][]}
 */
function sharesOf(from, to) {
  return Array.from({ length: from }, (_, k) => {
    /** @type {[number, number][]} */
    const found = [];
    // In units of 1 / (from * to), so that edges are whole numbers.
    for (let j = Math.floor((k * to) / from); j * from < (k + 1) * to; j++) {
      found.push([j, (Math.min((k + 1) * to, (j + 1) * from) - Math.max(k * to, j * from)) / to]);
    }
    return found;
  });
}
