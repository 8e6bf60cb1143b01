// The plan after a few Sinkhorn iterations, so that a class sees the transport settle. Log domain (Peyre & Cuturi
// 2019, section 4.4), so that a small epsilon cannot underflow; the cap at 0 is partial transport.

/** @import { Explanation } from "./types.js" */

/** Iterations that can be looked at; the last is the settled plan itself, which is not computed here. */
export const ITERATION_STOPS = [0, 1, 2, 5, 20, Infinity];

/**
 * @param {Explanation} explanation
 * @param {number} iterations finite
 * @returns {Float64Array} [Ra * Rb] plan, before the first iteration the kernel scaled to the mass
 */
export function planAfter(explanation, iterations) {
  const { cosine, marginalsA, marginalsB } = explanation;
  const { epsilon, mass } = explanation.options;
  const partial = mass < 1;
  const columns = marginalsB.length;
  const logU = marginalsA.map(Math.log); // log 0 = -Infinity: such a part sends nothing
  const logV = marginalsB.map(Math.log);
  const kernel = cosine.map((similarity) => (similarity - 1) / epsilon);
  const f = new Float64Array(marginalsA.length);
  const g = new Float64Array(columns);
  const rowSums = new Float64Array(f.length);
  const columnSums = new Float64Array(columns);
  let h = 0;
  for (let step = 0; step < iterations; step++) {
    logSums(kernel, columns, 1, g, h, rowSums);
    for (let i = 0; i < f.length; i++) f[i] = capped(logU[i] - rowSums[i], partial);
    logSums(kernel, 1, columns, f, h, columnSums);
    for (let j = 0; j < columns; j++) g[j] = capped(logV[j] - columnSums[j], partial);
    if (partial) h += Math.log(mass) - logTotal(kernel, f, g, h, rowSums);
  }
  if (iterations === 0) h = Math.log(mass) - logTotal(kernel, f, g, h, rowSums);
  return kernel.map((value, k) => Math.exp(value + f[Math.floor(k / columns)] + g[k % columns] + h));
}

/**
 * How far the plan's row and column sums are from the marginals (L1). In partial transport a part may send less than
 * its marginal, so that only what exceeds it counts.
 *
 * @param {Explanation} explanation
 * @returns {[number, number]} of A, of B
 */
export function marginalErrors({ plan, marginalsA, marginalsB, options }) {
  const [sent, got] = marginalSums(plan, marginalsA.length, marginalsB.length);
  const partial = options.mass < 1;
  return [errorOf(sent, marginalsA, partial), errorOf(got, marginalsB, partial)];
}

/**
 * What every part of A sends and every part of B gets.
 *
 * @param {Float64Array} plan [rows * columns]
 * @param {number} rows
 * @param {number} columns
 * @returns {[Float64Array, Float64Array]} row sums, column sums
 */
export function marginalSums(plan, rows, columns) {
  const sent = new Float64Array(rows);
  const got = new Float64Array(columns);
  for (let i = 0, k = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++, k++) {
      sent[i] += plan[k];
      got[j] += plan[k];
    }
  }
  return [sent, got];
}

/**
 * @param {Float64Array} sums
 * @param {Float64Array} marginals
 * @param {boolean} partial
 */
function errorOf(sums, marginals, partial) {
  return sums.reduce((error, sum, part) => {
    const over = sum - marginals[part];
    return error + (partial ? Math.max(over, 0) : Math.abs(over));
  }, 0);
}

/**
 * @param {number} potential
 * @param {boolean} partial
 */
function capped(potential, partial) {
  return partial ? Math.min(potential, 0) : potential;
}

/**
 * Logarithms of the sums of exp(kernel + potential + h), over the columns of each row or over the rows of each column.
 *
 * @param {Float64Array} kernel [Ra * Rb]
 * @param {number} stride from one sum's first entry to the next one's
 * @param {number} step from one entry of a sum to the next
 * @param {Float64Array} potential per entry of a sum
 * @param {number} h
 * @param {Float64Array} out per sum
 */
function logSums(kernel, stride, step, potential, h, out) {
  for (let n = 0; n < out.length; n++) {
    let top = -Infinity;
    for (let m = 0; m < potential.length; m++) top = Math.max(top, kernel[n * stride + m * step] + potential[m]);
    let sum = 0;
    for (let m = 0; m < potential.length; m++) sum += Math.exp(kernel[n * stride + m * step] + potential[m] - top);
    out[n] = top + Math.log(sum) + h;
  }
}

/**
 * @param {Float64Array} kernel
 * @param {Float64Array} f
 * @param {Float64Array} g
 * @param {number} h
 * @param {Float64Array} rowSums to work in
 */
function logTotal(kernel, f, g, h, rowSums) {
  logSums(kernel, g.length, 1, g, h, rowSums);
  const top = f.reduce((most, value, i) => Math.max(most, value + rowSums[i]), -Infinity);
  return top + Math.log(f.reduce((sum, value, i) => sum + Math.exp(value + rowSums[i] - top), 0));
}
