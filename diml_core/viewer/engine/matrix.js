// Products of row-major float64 matrices, the loops in which all the time goes: several sums at once, because one
// sum alone waits for its last addition.

/**
 * Every row of `a` with every row of `b`.
 *
 * @param {Float64Array} a [n * dimension]
 * @param {Float64Array} b [m * dimension]
 * @param {number} dimension
 * @param {Float64Array} out [n * m]
 */
export function innerProducts(a, b, dimension, out) {
  const rows = a.length / dimension;
  const columns = b.length / dimension;
  for (let i = 0; i < rows; i += 2) {
    // Past the end the last row is taken again, which writes the same numbers to the same place.
    const i1 = Math.min(i + 1, rows - 1);
    for (let j = 0; j < columns; j += 4) {
      const j1 = Math.min(j + 1, columns - 1);
      const j2 = Math.min(j + 2, columns - 1);
      const j3 = Math.min(j + 3, columns - 1);
      let [s00, s01, s02, s03, s10, s11, s12, s13] = [0, 0, 0, 0, 0, 0, 0, 0];
      const a0 = i * dimension, a1 = i1 * dimension;
      const b0 = j * dimension, b1 = j1 * dimension, b2 = j2 * dimension, b3 = j3 * dimension;
      for (let d = 0; d < dimension; d++) {
        const x0 = a[a0 + d], x1 = a[a1 + d];
        const y0 = b[b0 + d], y1 = b[b1 + d], y2 = b[b2 + d], y3 = b[b3 + d];
        s00 += x0 * y0;
        s01 += x0 * y1;
        s02 += x0 * y2;
        s03 += x0 * y3;
        s10 += x1 * y0;
        s11 += x1 * y1;
        s12 += x1 * y2;
        s13 += x1 * y3;
      }
      out[i * columns + j] = s00;
      out[i * columns + j1] = s01;
      out[i * columns + j2] = s02;
      out[i * columns + j3] = s03;
      out[i1 * columns + j] = s10;
      out[i1 * columns + j1] = s11;
      out[i1 * columns + j2] = s12;
      out[i1 * columns + j3] = s13;
    }
  }
}

/**
 * `matrix @ vector`.
 *
 * @param {Float64Array} matrix [n * m]
 * @param {Float64Array} vector [m]
 * @param {Float64Array} out [n]
 */
export function timesVector(matrix, vector, out) {
  const rows = out.length;
  const columns = vector.length;
  for (let i = 0; i < rows; i += 4) {
    const k0 = i * columns;
    const k1 = Math.min(i + 1, rows - 1) * columns;
    const k2 = Math.min(i + 2, rows - 1) * columns;
    const k3 = Math.min(i + 3, rows - 1) * columns;
    let s0 = 0, s1 = 0, s2 = 0, s3 = 0;
    for (let j = 0; j < columns; j++) {
      const x = vector[j];
      s0 += matrix[k0 + j] * x;
      s1 += matrix[k1 + j] * x;
      s2 += matrix[k2 + j] * x;
      s3 += matrix[k3 + j] * x;
    }
    out[i] = s0;
    out[Math.min(i + 1, rows - 1)] = s1;
    out[Math.min(i + 2, rows - 1)] = s2;
    out[Math.min(i + 3, rows - 1)] = s3;
  }
}

/**
 * `vector @ matrix`.
 *
 * @param {Float64Array} vector [n]
 * @param {Float64Array} matrix [n * m]
 * @param {Float64Array} out [m]
 */
export function vectorTimes(vector, matrix, out) {
  const rows = vector.length;
  const columns = out.length;
  out.fill(0);
  let i = 0;
  for (; i + 4 <= rows; i += 4) {
    const x0 = vector[i], x1 = vector[i + 1], x2 = vector[i + 2], x3 = vector[i + 3];
    const k0 = i * columns, k1 = k0 + columns, k2 = k1 + columns, k3 = k2 + columns;
    for (let j = 0; j < columns; j++) {
      out[j] += x0 * matrix[k0 + j] + x1 * matrix[k1 + j] + (x2 * matrix[k2 + j] + x3 * matrix[k3 + j]);
    }
  }
  for (; i < rows; i++) {
    for (let j = 0; j < columns; j++) out[j] += vector[i] * matrix[i * columns + j];
  }
}

/**
 * @param {Float64Array} values
 * @returns {number}
 */
export function sumOf(values) {
  let sum = 0;
  for (let k = 0; k < values.length; k++) sum += values[k];
  return sum;
}
