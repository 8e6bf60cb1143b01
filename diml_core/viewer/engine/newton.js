// Newton steps on the dual of entropic transport, for problems on which Sinkhorn crawls: projected Newton (Bertsekas
// 1982) as in diml_core/comparison/newton.py. Potentials lie in one array x = (f, g, h).

import { innerProducts, sumOf } from "./matrix.js";

const MAX_STEPS = 100;
const HALVINGS = 20; // of a step that does not raise the dual, before it is damped more
const SUFFICIENT = 1e-4; // share of the promised rise that a step must bring (Armijo)
const AT_BOUND = 1e-6; // a potential this near to its bound, and pushed against it, is held there
// Damping, as a share of the mean curvature: shifting f against g changes no plan, so that the curvature is singular,
// and far from the maximum such shifts would be all that there is of a step. In proportion to the error it leaves
// convergence quadratic.
const DAMPING = 1e-2;
const LEAST_DAMPING = 1e-13;
const MORE = 1e3;
const MOST_DAMPING = 1e6;

/**
 * One problem; every part has mass.
 * @typedef {object} Problem
 * @property {Float64Array} cost [Ra * Rb] finite
 * @property {Float64Array} u [Ra] positive
 * @property {Float64Array} v [Rb] positive
 * @property {number | null} mass to transport, or null for all of it (balanced)
 * @property {number} epsilon in units of cost
 */

/**
 * Where the climb stands: potentials, their plan, its row sums, column sums and total, and what each still lacks.
 * @typedef {object} State
 * @property {Float64Array} x [Ra + Rb + 1]
 * @property {Float64Array} plan [Ra * Rb]
 * @property {Float64Array} sums [Ra + Rb + 1]
 * @property {Float64Array} gradient [Ra + Rb + 1] of the dual, which is maximised
 */

/**
 * Climb from `start` until the marginal error is within the tolerance.
 *
 * @param {Problem} problem
 * @param {Float64Array} start [Ra + Rb + 1] potentials, from some Sinkhorn iterations
 * @param {number} tolerance L1 marginal error
 * @returns {{ plan: Float64Array, marginalError: number, steps: number }}
 */
export function solve(problem, start, tolerance) {
  let state = stateAt(problem, projected(problem, start));
  for (let steps = 0; ; steps++) {
    const marginalError = errorOf(problem, state);
    const next = marginalError <= tolerance || steps === MAX_STEPS ? null : stepped(problem, state, marginalError);
    if (!next) return { plan: state.plan, marginalError, steps }; // or rounding allows no further rise
    state = next;
  }
}

/**
 * The nearest potentials that are allowed: f and g at most 0, unless all of the mass is moved.
 *
 * @param {Problem} problem
 * @param {Float64Array} x
 */
function projected({ mass }, x) {
  const last = x.length - 1;
  return mass === null ? x : x.map((value, k) => (k < last ? Math.min(value, 0) : value));
}

/**
 * @param {Problem} problem
 * @param {Float64Array} x
 * @returns {State}
 */
function stateAt({ cost, u, v, mass, epsilon }, x) {
  const [rows, columns] = [u.length, v.length];
  const h = x[rows + columns];
  const plan = new Float64Array(cost.length);
  const sums = new Float64Array(x.length);
  for (let i = 0, k = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++, k++) {
      plan[k] = Math.exp((x[i] + x[rows + j] + h - cost[k]) / epsilon);
      sums[i] += plan[k];
      sums[rows + j] += plan[k];
    }
    sums[rows + columns] += sums[i];
  }
  const wanted = Float64Array.of(...u, ...v, mass ?? sumOf(u));
  return { x, plan, sums, gradient: wanted.map((value, k) => value - sums[k]) };
}

/**
 * L1 error of marginals and total; a part at its bound may send less than its mass, never more.
 *
 * @param {Problem} problem
 * @param {State} state
 */
function errorOf({ mass }, { x, gradient }) {
  const last = x.length - 1;
  let error = mass === null ? 0 : Math.abs(gradient[last]);
  for (let k = 0; k < last; k++) {
    const atBound = mass !== null && x[k] >= 0;
    error += Math.abs(atBound ? Math.min(gradient[k], 0) : gradient[k]);
  }
  return error;
}

/**
 * @param {Problem} problem
 * @param {State} state
 * @param {number} error
 * @returns {State | null} null where no step raises the dual
 */
function stepped(problem, state, error) {
  for (let damping = Math.max(LEAST_DAMPING, DAMPING * error); damping < MOST_DAMPING; damping *= MORE) {
    const direction = directionAt(problem, state, damping);
    const next = direction && climbed(problem, state, direction);
    if (next) return next;
  }
  return null;
}

/**
 * The damped Newton step of the free potentials, leaving out those it would push over their bound.
 *
 * @param {Problem} problem
 * @param {State} state
 * @param {number} damping
 * @returns {Float64Array | null} null where the damping is lost in rounding
 */
function directionAt({ u, mass, epsilon }, { x, plan, sums, gradient }, damping) {
  const last = x.length - 1;
  // Which potentials can move: not h if balanced; not those at their bound and pushed against it.
  const free = Array.from(x.keys()).filter((k) =>
    mass === null ? k < last : k === last || x[k] < -AT_BOUND || gradient[k] <= 0,
  );
  const added = (damping * sumOf(sums)) / x.length;
  for (;;) {
    const step = solved(plan, sums, u.length, free, added, gradient);
    if (!step) return null;
    const over = free.filter((k, n) => mass !== null && k < last && x[k] >= -AT_BOUND && x[k] + step[n] > 0);
    if (!over.length) {
      const direction = new Float64Array(x.length);
      free.forEach((k, n) => (direction[k] = epsilon * step[n]));
      return direction;
    }
    for (const k of over) free.splice(free.indexOf(k), 1);
  }
}

/**
 * Solve `curvature @ step = gradient` for the free potentials, by Cholesky. The curvature of the rows among
 * themselves is diagonal, so that they are eliminated at once, and what is left has the size of the columns.
 *
 * @param {Float64Array} plan
 * @param {Float64Array} sums
 * @param {number} rows Ra
 * @param {number[]} free potentials, ascending
 * @param {number} added to the diagonal
 * @param {Float64Array} gradient
 * @returns {Float64Array | null} per free potential; null where rounding leaves no positive pivot
 */
function solved(plan, sums, rows, free, added, gradient) {
  const last = sums.length - 1;
  const columns = last - rows;
  const upper = free.filter((k) => k < rows);
  const lower = free.filter((k) => k >= rows);
  const size = lower.length;
  const roots = Float64Array.from(upper, (i) => Math.sqrt(sums[i] + added));
  // [lower * upper]: what couples them, over the root of the rows' curvature.
  const coupling = new Float64Array(size * upper.length);
  for (let n = 0, k = 0; n < size; n++) {
    for (let m = 0; m < upper.length; m++, k++) {
      const [i, j] = [upper[m], lower[n] - rows];
      coupling[k] = (j === columns ? sums[i] : plan[i * columns + j]) / roots[m];
    }
  }
  const matrix = new Float64Array(size * size);
  if (upper.length) innerProducts(coupling, coupling, upper.length, matrix);
  for (let k = 0; k < matrix.length; k++) matrix[k] = -matrix[k];
  const hasTotal = lower[size - 1] === last;
  for (let n = 0; n < size; n++) {
    matrix[n * size + n] += sums[lower[n]] + added;
    if (hasTotal && n < size - 1) matrix[(size - 1) * size + n] += sums[lower[n]];
  }
  if (!factorise(matrix, size)) return null;

  const step = new Float64Array(free.length);
  const first = upper.map((i, m) => gradient[i] / roots[m]);
  const rest = step.subarray(upper.length);
  for (let n = 0; n < size; n++) {
    rest[n] = gradient[lower[n]];
    for (let m = 0; m < first.length; m++) rest[n] -= coupling[n * first.length + m] * first[m];
  }
  substitute(matrix, rest);
  for (let m = 0; m < first.length; m++) {
    let value = first[m];
    for (let n = 0; n < size; n++) value -= coupling[n * first.length + m] * rest[n];
    step[m] = value / roots[m];
  }
  return step;
}

/**
 * Cholesky's factor of a symmetric matrix, in place in its lower triangle.
 *
 * @param {Float64Array} matrix [n * n], of which the lower triangle is read
 * @param {number} size n
 * @returns {boolean} whether every pivot is positive
 */
function factorise(matrix, size) {
  for (let i = 0; i < size; i++) {
    for (let j = 0; j <= i; j++) {
      let value = matrix[i * size + j];
      for (let k = 0; k < j; k++) value -= matrix[i * size + k] * matrix[j * size + k];
      if (i === j && !(value > 0)) return false;
      matrix[i * size + j] = i === j ? Math.sqrt(value) : value / matrix[j * size + j];
    }
  }
  return true;
}

/**
 * @param {Float64Array} factor [n * n] from `factorise`
 * @param {Float64Array} values [n] right-hand side, replaced by the solution
 */
function substitute(factor, values) {
  const size = values.length;
  for (let i = 0; i < size; i++) {
    for (let k = 0; k < i; k++) values[i] -= factor[i * size + k] * values[k];
    values[i] /= factor[i * size + i];
  }
  for (let i = size - 1; i >= 0; i--) {
    values[i] /= factor[i * size + i];
    for (let k = 0; k < i; k++) values[k] -= factor[i * size + k] * values[i];
  }
}

/**
 * @param {Problem} problem
 * @param {State} state
 * @param {Float64Array} direction
 * @returns {State | null}
 */
function climbed(problem, { x, plan, gradient }, direction) {
  for (let halving = 0, size = 1; halving < HALVINGS; halving++, size /= 2) {
    const next = projected(problem, x.map((value, k) => value + size * direction[k]));
    const moved = next.map((value, k) => value - x[k]);
    const promised = gradient.reduce((sum, slope, k) => sum + slope * moved[k], 0);
    const rise = promised - problem.epsilon * lag(problem, plan, moved);
    if (promised > 0 && rise >= SUFFICIENT * promised) return stateAt(problem, next);
  }
  return null;
}

/**
 * By how much the dual rises less than its gradient promises, in units of epsilon. Two values of the dual would agree
 * in all their digits long before the last steps are taken, so their difference is summed instead.
 *
 * @param {Problem} problem
 * @param {Float64Array} plan
 * @param {Float64Array} moved [Ra + Rb + 1] how far the potentials have moved
 * @returns {number} not negative
 */
function lag({ u, v, epsilon }, plan, moved) {
  const [rows, columns] = [u.length, v.length];
  const h = moved[rows + columns];
  let sum = 0;
  for (let i = 0, k = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++, k++) {
      const exponent = (moved[i] + moved[rows + j] + h) / epsilon;
      sum += plan[k] * (Math.expm1(exponent) - exponent);
    }
  }
  return sum;
}
