// Entropic optimal transport between the parts of two photos, balanced and partial, in the steps of
// diml_core/comparison/transport.py: T = s r K c, K = exp((f + g + h - C) / epsilon), in float64.

import { sumOf, timesVector, vectorTimes } from "./matrix.js";
import { solve } from "./newton.js";

const NEWTON_AFTER = 300; // iterations; most problems at the default epsilon need fewer
const CHECK_EVERY = 5; // iterations between two looks at the marginal error and the size of the scalings
const LARGEST_LOG = 0.25 * Math.log(Number.MAX_VALUE); // of a scaling, before it is absorbed
const LEAST_NORMAL = 2 ** -1022;
/** What is asked for below this is raised to it, for float64 cannot tell. */
export const FINEST_TOLERANCE = 16 * Number.EPSILON;

/**
 * @typedef {object} Transport
 * @property {Float64Array} plan [Ra * Rb] non-negative
 * @property {number} iterations Newton steps included
 * @property {number} marginalError L1 distance of the plan's marginals from what they must be
 */

/**
 * The plan that moves `mass` at least cost plus epsilon times entropy.
 *
 * @param {Float64Array} cost [Ra * Rb] finite
 * @param {Float64Array} u [Ra] non-negative, summing to 1
 * @param {Float64Array} v [Rb] likewise
 * @param {number} mass in (0, 1]; 1 is balanced
 * @param {number} epsilon in units of cost
 * @param {number} tolerance L1 marginal error at which it stops
 * @returns {Transport}
 */
export function transport(cost, u, v, mass, epsilon, tolerance) {
  // A part without mass sends and gets nothing, and must not anchor any potential: it is left out.
  const rows = withMass(u);
  const columns = withMass(v);
  const some = new Float64Array(rows.length * columns.length);
  for (let i = 0, k = 0; i < rows.length; i++) {
    for (let j = 0; j < columns.length; j++) some[k++] = cost[rows[i] * v.length + columns[j]];
  }
  const sent = Float64Array.from(rows, (i) => u[i]);
  const got = Float64Array.from(columns, (j) => v[j]);
  const problem =
    mass === 1 ? new Balanced(some, sent, got, epsilon) : new Partial(some, sent, got, epsilon, mass);
  const found = settled(problem, Math.max(tolerance, FINEST_TOLERANCE));
  const plan = new Float64Array(cost.length);
  for (let i = 0, k = 0; i < rows.length; i++) {
    for (let j = 0; j < columns.length; j++) plan[rows[i] * v.length + columns[j]] = found.plan[k++];
  }
  return { ...found, plan };
}

/** @param {Float64Array} marginal */
function withMass(marginal) {
  const parts = [];
  for (let part = 0; part < marginal.length; part++) if (marginal[part] > 0) parts.push(part);
  return parts;
}

/**
 * @param {Balanced | Partial} problem
 * @param {number} tolerance
 * @returns {Transport}
 */
function settled(problem, tolerance) {
  problem.start();
  for (let done = CHECK_EVERY; done <= NEWTON_AFTER; done += CHECK_EVERY) {
    for (let step = 0; step < CHECK_EVERY; step++) problem.step();
    const marginalError = problem.marginalError();
    if (marginalError <= tolerance) return { plan: problem.plan(), iterations: done, marginalError };
    problem.absorbIfLarge();
  }
  const { steps, ...found } = solve(problem.dual(), problem.potentials(), tolerance);
  return { ...found, iterations: NEWTON_AFTER + steps };
}

// One problem is solved after the other, and its plan is an array of its own: the same memory serves the next kernel of
// that size, for collecting a third of a megabyte after every move would cost as much as some iterations.
let lastKernel = new Float64Array(0);

/** @param {number} length */
function kernelOf(length) {
  if (lastKernel.length !== length) lastKernel = new Float64Array(length);
  return lastKernel;
}

/** Potentials `f, g, h` and scalings `r, c, s` of a problem in which every part has mass. */
class Scaling {
  /**
   * @param {Float64Array} cost
   * @param {Float64Array} u
   * @param {Float64Array} v
   * @param {number} epsilon
   */
  constructor(cost, u, v, epsilon) {
    this.cost = cost;
    this.u = u;
    this.v = v;
    this.epsilon = epsilon;
    this.f = new Float64Array(u.length);
    this.g = new Float64Array(v.length);
    this.h = 0;
    this.r = new Float64Array(u.length);
    this.c = new Float64Array(v.length);
    this.s = 1;
    this.kernel = kernelOf(cost.length);
    this.rowSums = new Float64Array(u.length); // K c, always of the c of now
    this.columnSums = new Float64Array(v.length); // r K, of the r of now once a step is taken
  }

  /** Recompute the kernel from the potentials; the scalings are then 1. */
  reset() {
    const { cost, f, g, h, epsilon, kernel } = this;
    const columns = g.length;
    for (let i = 0; i < f.length; i++) {
      for (let j = 0; j < columns; j++) {
        kernel[i * columns + j] = Math.exp((f[i] + g[j] + h - cost[i * columns + j]) / epsilon);
      }
    }
    this.r.fill(1);
    this.c.fill(1);
    this.s = 1;
    timesVector(kernel, this.c, this.rowSums);
  }

  /** Move the scalings into the potentials before a product of them leaves the number range. */
  absorbIfLarge() {
    const small = (/** @type {number} */ x) => Math.abs(logOf(x)) <= LARGEST_LOG;
    if (small(this.s) && this.r.every(small) && this.c.every(small)) return;
    for (let i = 0; i < this.f.length; i++) this.f[i] += this.epsilon * logOf(this.r[i]);
    for (let j = 0; j < this.g.length; j++) this.g[j] += this.epsilon * logOf(this.c[j]);
    this.h += this.epsilon * logOf(this.s);
    this.reset();
  }

  /** The whole potentials, scalings included: f, g and h in one array. */
  potentials() {
    const { f, g, h, epsilon } = this;
    return Float64Array.of(
      ...f.map((value, i) => value + epsilon * logOf(this.r[i])),
      ...g.map((value, j) => value + epsilon * logOf(this.c[j])),
      h + epsilon * logOf(this.s),
    );
  }

  plan() {
    const { r, c, s, kernel } = this;
    const plan = new Float64Array(kernel.length);
    for (let i = 0, k = 0; i < r.length; i++) {
      for (let j = 0; j < c.length; j++, k++) plan[k] = s * r[i] * kernel[k] * c[j];
    }
    return plan;
  }
}

class Balanced extends Scaling {
  start() {
    // Leave a 1 in every row and column of the kernel, so that none underflows to nothing.
    const { cost, f, g } = this;
    g.fill(Infinity);
    for (let i = 0; i < f.length; i++) {
      const row = cost.subarray(i * g.length, (i + 1) * g.length);
      f[i] = row.reduce((least, value) => Math.min(least, value), Infinity);
      for (let j = 0; j < g.length; j++) g[j] = Math.min(g[j], row[j] - f[i]);
    }
    this.reset();
  }

  step() {
    const { u, v, r, c, kernel, rowSums, columnSums } = this;
    for (let i = 0; i < r.length; i++) r[i] = u[i] / rowSums[i];
    vectorTimes(r, kernel, columnSums);
    for (let j = 0; j < c.length; j++) c[j] = v[j] / columnSums[j];
    timesVector(kernel, c, rowSums);
  }

  marginalError() {
    // The columns were fitted last and are exact.
    const { u, r, rowSums } = this;
    let error = 0;
    for (let i = 0; i < r.length; i++) error += Math.abs(r[i] * rowSums[i] - u[i]);
    return error;
  }

  dual() {
    const scale = sumOf(this.u) / sumOf(this.v); // equal beyond their own precision, or no plan has both
    return { cost: this.cost, u: this.u, v: this.v.map((mass) => mass * scale), mass: null, epsilon: this.epsilon };
  }
}

/** Scalings below 1 only where a part's whole mass is used: complementary slackness. */
class Partial extends Scaling {
  /**
   * @param {Float64Array} cost
   * @param {Float64Array} u
   * @param {Float64Array} v
   * @param {number} epsilon
   * @param {number} mass
   */
  constructor(cost, u, v, epsilon, mass) {
    super(cost, u, v, epsilon);
    this.mass = mass;
    this.rowCap = new Float64Array(u.length);
    this.columnCap = new Float64Array(v.length);
  }

  start() {
    this.h = this.cost.reduce((least, cost) => Math.min(least, cost), Infinity);
    this.reset();
  }

  reset() {
    super.reset();
    // The whole potential, absorbed part and scaling together, may not exceed 0.
    for (let i = 0; i < this.f.length; i++) this.rowCap[i] = Math.exp(-this.f[i] / this.epsilon);
    for (let j = 0; j < this.g.length; j++) this.columnCap[j] = Math.exp(-this.g[j] / this.epsilon);
  }

  step() {
    const { u, v, r, c, s, kernel, rowSums, columnSums, rowCap, columnCap } = this;
    for (let i = 0; i < r.length; i++) r[i] = Math.min(u[i] / (s * rowSums[i]), rowCap[i]);
    vectorTimes(r, kernel, columnSums);
    for (let j = 0; j < c.length; j++) c[j] = Math.min(v[j] / (s * columnSums[j]), columnCap[j]);
    timesVector(kernel, c, rowSums);
    let total = 0;
    for (let i = 0; i < r.length; i++) total += r[i] * rowSums[i];
    this.s = this.mass / total;
  }

  marginalError() {
    // The total was fitted last and is exact. A part at its cap may send less than its mass.
    const { u, v, r, c, s, rowSums, columnSums, rowCap, columnCap } = this;
    let error = 0;
    for (let i = 0; i < r.length; i++) error += excess(s * r[i] * rowSums[i] - u[i], r[i] < rowCap[i]);
    for (let j = 0; j < c.length; j++) error += excess(s * c[j] * columnSums[j] - v[j], c[j] < columnCap[j]);
    return error;
  }

  dual() {
    return { cost: this.cost, u: this.u, v: this.v, mass: this.mass, epsilon: this.epsilon };
  }
}

/**
 * @param {number} difference
 * @param {boolean} exact whether less than its mass is an error of the part, too
 */
function excess(difference, exact) {
  return exact ? Math.abs(difference) : Math.max(difference, 0);
}

/** @param {number} scaling */
function logOf(scaling) {
  return Math.log(Math.max(scaling, LEAST_NORMAL));
}
