// The numbers of a pair, as the library saves them: `to_dict` and `to_csv` of diml_core/explanation.py.

import { FALSE_MATCHES, serves, standing, threshold } from "../../../diml_core/viewer/engine/scale.js";
import { sumOf } from "../../../diml_core/viewer/view/pair.js";

/** @import { Explanation, Grid, Payload, Scale } from "../../../diml_core/viewer/engine/types.js" */

const FORMAT = 1; // the library's, which reads no other
const COLUMNS = ["row_a", "column_a", "row_b", "column_b", "mass", "cosine", "contribution", "share"];

/**
 * What `Explanation.from_json` reads, once it is written as JSON.
 *
 * @param {Pick<Payload, "a" | "b" | "model">} pair
 * @param {Explanation} explanation
 */
export function numbersOf({ a, b, model }, explanation) {
  const { similarity, global, structural, mass, options, gridA, gridB, marginalsA, marginalsB } = explanation;
  const { rolloutA, rolloutB, rolloutMapA, rolloutMapB, mapA, mapB } = explanation;
  const hasRollout = rolloutA && rolloutB && rolloutMapA && rolloutMapB && mapA && mapB;
  const columns = gridB[0] * gridB[1];
  return {
    format: FORMAT,
    model: model.name,
    similarity,
    global_similarity: global,
    structural_similarity: structural,
    mass,
    standing: model.scale && serves(model.scale, options) ? standingOf(model.scale, similarity) : null,
    names: { a: a.name, b: b.name },
    sizes: { a: a.size, b: b.size },
    grid: { a: gridA, b: gridB },
    plan: rowsOf(explanation.plan, columns),
    part_similarity: rowsOf(explanation.cosine, columns),
    contribution: rowsOf(explanation.contribution, columns),
    marginals: { a: [...marginalsA], b: [...marginalsB] },
    rollout: hasRollout ? { a: [...rolloutA], b: [...rolloutB] } : null,
    rollout_map: hasRollout ? { a: rowsOf(rolloutMapA, mapA[1]), b: rowsOf(rolloutMapB, mapB[1]) } : null,
    solver: { iterations: explanation.iterations, marginal_error: explanation.marginalError, converged: explanation.converged },
    options,
  };
}

/**
 * Every pair of parts that carries mass as a row of CSV, strongest first.
 *
 * @param {Explanation} explanation
 */
export function csvOf({ gridA, gridB, plan, cosine, contribution, structural }) {
  const columns = gridB[0] * gridB[1];
  const order = [...plan.keys()].filter((k) => plan[k] > 0).sort((k, l) => contribution[l] - contribution[k]);
  const rows = order.map((k) => {
    const share = structural ? contribution[k] / structural : 0;
    return [...cellOf(Math.floor(k / columns), gridA), ...cellOf(k % columns, gridB), plan[k], cosine[k], contribution[k], share];
  });
  return [COLUMNS, ...rows].map((row) => `${row.join(",")}\r\n`).join("");
}

/**
 * @param {Scale} scale
 * @param {number} score
 */
function standingOf(scale, score) {
  const { differentBelow, sameAbove } = standing(scale, score);
  const least = threshold(scale, FALSE_MATCHES);
  return {
    different_below: differentBelow,
    same_above: sameAbove,
    threshold: least,
    same_above_threshold: standing(scale, least).sameAbove,
    photographs: scale.photographs,
    kinds: scale.kinds,
    pairs_different: sumOf(scale.different),
    pairs_same: sumOf(scale.same),
  };
}

/**
 * @param {number} part
 * @param {Grid} grid
 * @returns {[number, number]} its row and column
 */
const cellOf = (part, [, columns]) => [Math.floor(part / columns), part % columns];

/**
 * @param {Float64Array | Float32Array} values
 * @param {number} columns
 * @returns {number[][]}
 */
const rowsOf = (values, columns) =>
  Array.from({ length: values.length / columns }, (_, row) => [...values.subarray(row * columns, (row + 1) * columns)]);
