// The formula drawer: the real numbers of the strongest match of the part that is pointed at.

import { marginalErrors } from "../engine/settling.js";
import { make, percent, plural } from "./dom.js";
import { cellName, otherSide, planIndex, sumOf } from "./pair.js";

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
  const state = make(
    "p",
    {},
    Number.isFinite(stop)
      ? `The plan after ${plural(stop, "iteration")}, not the settled one: the score and the pictures above show it. ` +
          `${percent(misplacedMass(pair, settled), 1)} of the mass still lies elsewhere than in the settled plan. `
      : `The settled plan, after ${plural(pair.explanation.iterations, "iteration")}. `,
    marginalSentence(pair),
  );
  const k = active ? heaviestCell(pair, active) : pair.order[0];
  const i = Math.floor(k / pair.b.count);
  const j = k % pair.b.count;
  const epsilon = pair.options.epsilon;
  /** @type {(value: number, digits?: number) => string} */
  const number = (value, digits = 4) => value.toFixed(digits);
  const kernel = Math.exp((pair.cosine[k] - 1) / epsilon);
  const lines = [
    ["the match", `i = ${cellName(pair.a, i)} of A,  j = ${cellName(pair.b, j)} of B`],
    ["cosine", `Sᵢⱼ = ${number(pair.cosine[k])}`],
    ["marginals", `uᵢ = ${number(pair.a.marginals[i])},  vⱼ = ${number(pair.b.marginals[j])}`],
    ["kernel", `Kᵢⱼ = exp(−(1 − Sᵢⱼ) / ε) = exp(−${number(1 - pair.cosine[k])} / ${epsilon}) = ${kernel.toExponential(3)}`],
    ["plan", `Tᵢⱼ = rᵢ · Kᵢⱼ · cⱼ = ${number(pair.plan[k], 6)}   (r and c scale rows and columns to u and v, ${plural(iterations, "iteration")})`],
    [
      "contribution",
      pair.options.mass < 1
        ? `Tᵢⱼ · Sᵢⱼ / mass = ${number(pair.plan[k], 6)} × ${number(pair.cosine[k])} / ${number(pair.mass, 2)} = ${number(pair.contribution[k], 6)}`
        : `Tᵢⱼ · Sᵢⱼ = ${number(pair.plan[k], 6)} × ${number(pair.cosine[k])} = ${number(pair.contribution[k], 6)}`,
    ],
    ["structural similarity", `Σᵢⱼ = ${number(pair.structural, 6)}`],
    ["overall similarity", `(global + structural) / 2 = (${number(pair.global, 6)} + ${number(pair.structural, 6)}) / 2 = ${number(pair.similarity, 6)}`],
  ];
  const list = make("dl", { className: "diml-formula" });
  for (const [name, text] of lines) list.append(make("dt", {}, name), make("dd", {}, text));
  root.replaceChildren(
    state,
    make("p", { className: "diml-hint" }, active ? "The strongest match of what you point at:" : "The strongest match of all; point at a part for its own:"),
    list,
  );
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
  return pair.options.mass < 1
    ? `Mass sent beyond the marginals: ${rows} by A, ${columns} by B.`
    : `Its row sums differ from the marginals of A by ${rows} in all, its column sums from those of B by ${columns}.`;
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
