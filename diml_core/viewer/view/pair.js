// From an explanation to what is shown of it: everything that is derived once per plan.

import { against } from "../engine/explain.js";
import { text } from "./texts.js";

/** @import { Explanation, Options, Payload } from "../engine/types.js" */

/** @typedef {"a" | "b"} Side */

/**
 * @typedef {object} Grid values in row-major order
 * @property {number} rows
 * @property {number} columns
 * @property {ArrayLike<number> & Iterable<number>} values
 */

/**
 * @typedef {object} PairSide one photo and its parts
 * @property {string} name
 * @property {string} digest
 * @property {boolean} example
 * @property {string} [letter] what it is called, if not by its side
 * @property {number} rows
 * @property {number} columns
 * @property {number} count of parts: rows * columns
 * @property {Float64Array} marginals
 * @property {Float64Array} counted what the parts count for before the other photo is looked at
 * @property {Grid | null} rollout where the class token looked, at the resolution of the map
 * @property {Float64Array} contribution of each part
 * @property {Float64Array} best cosine to any part of the other photo
 * @property {Float64Array} against by how many points each part keeps the overall similarity down
 */

/**
 * @typedef {object} Pair
 * @property {PairSide} a
 * @property {PairSide} b
 * @property {Payload["model"]} model
 * @property {Explanation} explanation with the settled plan
 * @property {Options} options
 * @property {Float64Array} cosine parts of A as rows
 * @property {Float64Array} plan the settled one, or the one after a few iterations
 * @property {boolean} settled which of them
 * @property {Float64Array} contribution
 * @property {number} mass
 * @property {number} global
 * @property {number} structural
 * @property {number} similarity
 * @property {number[]} order indices of the largest contributions, largest first
 */

/**
 * @typedef {object} Flow what some parts of one photo send to every part of the other
 * @property {Float64Array} mass
 * @property {Float64Array} contribution
 */

/**
 * @typedef {object} Selection
 * @property {Side} side
 * @property {number[]} parts
 * @property {number} [cursor] the part that the keyboard is at
 * @property {number} [to] the part of the other photo that is meant with it, where a pair of parts is pointed at
 */

/** @typedef {Selection & {flow: Flow}} Pointed */

/**
 * @typedef {object} Box fractions of a photo's width and height
 * @property {number} left
 * @property {number} top
 * @property {number} right
 * @property {number} bottom
 */

/** @type {readonly Side[]} */
export const SIDES = ["a", "b"];

export const MOST_LINES = 100; // what the slider of flow lines goes up to

/**
 * @param {Payload} payload names, sizes and the model
 * @param {Explanation} explanation its numbers
 * @returns {Pair} with the settled plan and the explanation's own scores
 */
export function buildPair(payload, explanation) {
  const { a, b } = payload;
  return derived(
    {
      a: {
        ...a,
        ...sideOf(explanation.gridA, explanation.rolloutMapA, explanation.mapA),
        marginals: explanation.marginalsA,
        counted: explanation.countedA,
      },
      b: {
        ...b,
        ...sideOf(explanation.gridB, explanation.rolloutMapB, explanation.mapB),
        marginals: explanation.marginalsB,
        counted: explanation.countedB,
      },
      model: payload.model,
      explanation,
      options: explanation.options,
      cosine: explanation.cosine,
      global: explanation.global,
    },
    explanation.plan,
    explanation,
  );
}

/**
 * The pair with the plan of a few iterations. Its scores are summed from that plan.
 *
 * @param {Pair} pair
 * @param {Float64Array} plan
 * @returns {Pair}
 */
export function withPlan(pair, plan) {
  return derived(pair, plan, null);
}

/**
 * @param {number[]} grid
 * @param {ArrayLike<number> & Iterable<number> | null} rolloutMap
 * @param {number[] | null} map
 */
function sideOf([rows, columns], rolloutMap, map) {
  return {
    rows,
    columns,
    count: rows * columns,
    rollout: rolloutMap && map && { rows: map[0], columns: map[1], values: rolloutMap },
  };
}

/**
 * @param {any} base a pair without a plan, or another plan's pair
 * @param {Float64Array} plan
 * @param {Explanation | null} exact scores, or null to sum them here
 * @returns {Pair}
 */
function derived(base, plan, exact) {
  /** @type {Pair} */
  const pair = { ...base, a: { ...base.a }, b: { ...base.b }, plan, settled: Boolean(exact) };
  const { a, b, cosine } = pair;
  pair.mass = exact?.mass ?? sumOf(plan);
  pair.contribution = exact?.contribution ?? plan.map((mass, k) => (mass * cosine[k]) / pair.mass);
  pair.structural = exact?.structural ?? sumOf(pair.contribution);
  pair.similarity = exact?.similarity ?? (pair.global + pair.structural) / 2;
  for (const each of [a, b]) {
    each.contribution = new Float64Array(each.count);
    each.best = new Float64Array(each.count).fill(-1);
  }
  for (let i = 0, k = 0; i < a.count; i++) {
    for (let j = 0; j < b.count; j++, k++) {
      a.contribution[i] += pair.contribution[k];
      b.contribution[j] += pair.contribution[k];
      if (cosine[k] > a.best[i]) a.best[i] = cosine[k];
      if (cosine[k] > b.best[j]) b.best[j] = cosine[k];
    }
  }
  for (const each of [a, b]) {
    each.against = against(each.marginals, each.counted, each.best, pair.structural, pair.global);
  }
  pair.order = indicesOfLargest(pair.contribution, MOST_LINES);
  return pair;
}

/**
 * Indices of the `count` largest values, largest first. One pass: sorting all 65,536 pairs of two 16 x 16 grids
 * would cost more than everything else in a slider move.
 *
 * @param {ArrayLike<number>} values
 * @param {number} count
 * @returns {number[]}
 */
export function indicesOfLargest(values, count) {
  /** @type {number[]} */
  const best = [];
  for (let k = 0; k < values.length; k++) {
    if (best.length === count && values[k] <= values[best[count - 1]]) continue;
    let at = best.length;
    while (at > 0 && values[best[at - 1]] < values[k]) at--;
    best.splice(at, 0, k);
    if (best.length > count) best.pop();
  }
  return best;
}

/**
 * @param {Side} side
 * @returns {Side}
 */
export function otherSide(side) {
  return side === "a" ? "b" : "a";
}

/**
 * What a photo is called: A or B, and C where it is the third of three.
 *
 * @param {Pair} pair
 * @param {Side} side
 */
export function letterOf(pair, side) {
  return pair[side].letter ?? side.toUpperCase();
}

/**
 * Index into the plan of what a part of one side sends to a part of the other.
 *
 * @param {Pair} pair
 * @param {Side} side of `part`
 * @param {number} part
 * @param {number} to
 */
export function planIndex(pair, side, part, to) {
  return side === "a" ? part * pair.b.count + to : to * pair.b.count + part;
}

/**
 * @param {Pair} pair
 * @param {Side} side
 * @param {number[]} parts of that side
 * @returns {Flow}
 */
export function flowFrom(pair, side, parts) {
  const other = pair[otherSide(side)];
  const mass = new Float64Array(other.count);
  const contribution = new Float64Array(other.count);
  for (const part of parts) {
    for (let to = 0; to < other.count; to++) {
      const k = planIndex(pair, side, part, to);
      mass[to] += pair.plan[k];
      contribution[to] += pair.contribution[k];
    }
  }
  return { mass, contribution };
}

/**
 * For several parts, the cosine that explains the numbers: contribution x transported mass / mass.
 *
 * @param {Pair} pair
 * @param {Flow} flow
 * @param {number} to
 */
export function cosineTo(pair, { mass, contribution }, to) {
  return mass[to] > 0 ? (contribution[to] * pair.mass) / mass[to] : 0;
}

/**
 * @param {Float64Array} values
 * @param {number} count
 * @returns {number[]} indices of the largest that are above zero, largest first
 */
export function strongestOf(values, count) {
  return Array.from(values.keys())
    .sort((x, y) => values[y] - values[x])
    .slice(0, count)
    .filter((index) => values[index] > 0);
}

/**
 * @param {Iterable<number> & ArrayLike<number>} values
 * @param {number[]} [indices] of those that count; all without
 */
export function sumOf(values, indices) {
  let total = 0;
  if (indices) for (const index of indices) total += values[index];
  else for (const value of values) total += value;
  return total;
}

/**
 * @param {{columns: number}} side
 * @param {number} part
 */
export function cellName(side, part) {
  return text("part.at", { row: Math.floor(part / side.columns) + 1, column: (part % side.columns) + 1 });
}

/**
 * The place of some parts in their photo.
 *
 * @param {{rows: number, columns: number}} side
 * @param {number[]} parts
 * @returns {Box}
 */
export function boxOf(side, parts) {
  const rows = parts.map((part) => Math.floor(part / side.columns));
  const columns = parts.map((part) => part % side.columns);
  return {
    left: Math.min(...columns) / side.columns,
    top: Math.min(...rows) / side.rows,
    right: (Math.max(...columns) + 1) / side.columns,
    bottom: (Math.max(...rows) + 1) / side.rows,
  };
}

/**
 * The parts of another grid in the same place: those whose centre lies in the box, or the one under its centre.
 *
 * @param {{rows: number, columns: number, count: number}} side
 * @param {Box} box
 * @returns {number[]}
 */
export function partsIn(side, box) {
  const inside = [];
  for (let part = 0; part < side.count; part++) {
    const x = ((part % side.columns) + 0.5) / side.columns;
    const y = (Math.floor(part / side.columns) + 0.5) / side.rows;
    if (x > box.left && x < box.right && y > box.top && y < box.bottom) inside.push(part);
  }
  if (inside.length) return inside;
  const column = Math.floor(((box.left + box.right) / 2) * side.columns);
  const row = Math.floor(((box.top + box.bottom) / 2) * side.rows);
  return [row * side.columns + column];
}
