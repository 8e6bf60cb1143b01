// The formula drawer: the real numbers of the strongest match of the part that is pointed at.

import { marginalErrors } from "../engine/settling.js";
import { make, percent } from "./dom.js";
import { cellName, letterOf, otherSide, planIndex, sumOf } from "./pair.js";
import { addedBy } from "./readout.js";
import { pointsOf, shareOf, shownSum, written } from "./points.js";
import { term } from "./terms.js";
import { counted, text } from "./texts.js";

/** @import { Pair, Pointed } from "./pair.js" */

/**
 * @param {HTMLElement} root
 * @param {Pair} pair as shown
 * @param {Pair} settled the same with the settled plan
 * @param {Pointed | null} active
 * @param {number} stop iterations shown; Infinity for the settled plan
 */
export function renderFormula(root, pair, settled, active, stop) {
  const iterations = Number.isFinite(stop) ? stop : pair.explanation.iterations;
  const state = Number.isFinite(stop)
    ? text("formula.early", { iterations: counted("iteration", stop), share: percent(misplacedMass(pair, settled), 1) })
    : text("formula.settled", { iterations: counted("iteration", iterations) });
  const k = active ? heaviestCell(pair, active) : pair.order[0];
  const i = Math.floor(k / pair.b.count);
  const j = k % pair.b.count;
  const epsilon = pair.options.epsilon;
  /** @type {(value: number, digits?: number) => string} */
  const number = (value, digits = 4) => value.toFixed(digits);
  const kernel = Math.exp((pair.cosine[k] - 1) / epsilon);
  const added = pointsOf(pair.contribution[k]);
  /** @type {[string, string, string][]} */
  const lines = [
    ["", text("formula.match"), text("formula.match.value", { i: cellName(pair.a, i), j: cellName(pair.b, j), B: letterOf(pair, "b") })],
    ["cosine", text("terms.cosine.name"), `Sᵢⱼ = ${number(pair.cosine[k])}`],
    ["importance", text("terms.importance.name"), `uᵢ = ${number(pair.a.marginals[i])},  vⱼ = ${number(pair.b.marginals[j])}`],
    ["", text("formula.kernel"), `Kᵢⱼ = exp(−(1 − Sᵢⱼ) / ε) = exp(−${number(1 - pair.cosine[k])} / ${epsilon}) = ${kernel.toExponential(3)}`],
    ["plan", text("terms.plan.name"), `Tᵢⱼ = rᵢ · Kᵢⱼ · cⱼ = ${number(pair.plan[k], 6)}   ${text("formula.plan", { iterations: counted("iteration", iterations) })}`],
    [
      "contribution",
      text("terms.contribution.name"),
      pair.options.mass < 1
        ? `Tᵢⱼ · Sᵢⱼ / m = ${number(pair.plan[k], 6)} × ${number(pair.cosine[k])} / ${number(pair.mass, 2)} = ${number(pair.contribution[k], 6)}`
        : `Tᵢⱼ · Sᵢⱼ = ${number(pair.plan[k], 6)} × ${number(pair.cosine[k])} = ${number(pair.contribution[k], 6)}`,
    ],
    ["points", text("terms.points.name"), `100 · ½ · ${number(pair.contribution[k], 6)} = ${text("formula.points", { points: written(added), share: shareOf(pair, added), score: shownSum(pair).words.total })}`],
    ...(active ? [pointedLine(pair, active)] : []),
    ["structural_similarity", text("terms.structural_similarity.name"), `Σᵢⱼ = ${number(pair.structural, 6)}`],
    ["overall", text("terms.overall.name"), `(global + structural) / 2 = (${number(pair.global, 6)} + ${number(pair.structural, 6)}) / 2 = ${number(pair.similarity, 6)}`],
  ];
  const list = make("dl", { className: "diml-formula" });
  for (const [id, name, words] of lines) list.append(make("dt", {}, id ? term(id, name) : name), make("dd", {}, words));
  root.replaceChildren(
    make("p", {}, state, " ", marginalSentence(pair)),
    make("p", { className: "diml-hint" }, text(active ? "formula.which.pointed" : "formula.which.all")),
    list,
  );
}

/**
 * From the contributions of all that is pointed at to its points.
 *
 * @param {Pair} pair
 * @param {Pointed} pointed
 * @returns {[string, string, string]}
 */
function pointedLine(pair, { side, parts }) {
  const sum = sumOf(pair[side].contribution, parts).toFixed(6);
  return ["", text("formula.pointed"), `100 · ½ · Σ = 100 · ½ · ${sum} = ${text("formula.points", addedBy(pair, side, parts))}`];
}

/**
 * Half the L1 distance of the two plans, as a share of the mass.
 *
 * @param {Pair} pair
 * @param {Pair} settled
 */
function misplacedMass(pair, settled) {
  return sumOf(pair.plan.map((mass, k) => Math.abs(mass - settled.plan[k]))) / 2 / settled.mass;
}

/** @param {Pair} pair */
function marginalSentence(pair) {
  const [rows, columns] = marginalErrors({ ...pair.explanation, plan: pair.plan }).map((error) => error.toExponential(1));
  return text(pair.options.mass < 1 ? "formula.errors.partial" : "formula.errors", { rows, columns, B: letterOf(pair, "b") });
}

/**
 * @param {Pair} pair
 * @param {Pointed} pointed
 */
function heaviestCell(pair, { side, parts }) {
  let best = -1;
  for (const part of parts) {
    for (let to = 0; to < pair[otherSide(side)].count; to++) {
      const k = planIndex(pair, side, part, to);
      if (best < 0 || pair.plan[k] > pair.plan[best]) best = k;
    }
  }
  return best;
}
