// Step: mass times similarity is what a pair of parts adds to the score.

import { percent } from "../../dom.js";
import { pointsOf, shownSum, written } from "../../points.js";
import { text } from "../../texts.js";
import { matrixPicture } from "../matrix.js";
import { frac, id, line, num, op, row, sub, sum, term } from "../mathml.js";
import { similarityMatrix } from "./similarity.js";
import { planMatrix, topOf } from "./transport.js";

/** @import { Step, Term, View } from "../types.js" */

/** @type {Step} */
export const contribution = {
  id: "contribution",
  kind: "few",
  by: "plan",
  build(tools) {
    const { photos, sizes } = tools;
    const plan = matrixPicture(planMatrix(), tools);
    const similarities = matrixPicture(similarityMatrix(), tools);
    const product = matrixPicture(
      {
        id: "C",
        what: text("steps.matrix.C"),
        map: "magma",
        power: 0.5,
        format: (value) => written(pointsOf(value)),
      },
      tools,
    );
    return {
      show: [plan.node, similarities.node, product.node],
      say: () => [["steps.contribution.text"]],
      terms: terms(tools.letters.b),
      lines: (view) => formula(view),
      paint(view) {
        const { pair } = view;
        const top = Math.max(topOf(pair.a.contribution), topOf(pair.b.contribution));
        for (const side of /** @type {const} */ (["a", "b"])) {
          const { rows, columns, contribution: values } = pair[side];
          photos[side].paint(view, sizes.of(photos[side].frame), { grid: { rows, columns, values }, range: [0, top], map: "magma" });
        }
        plan.paint(view, pair.plan, topOf(pair.plan));
        similarities.paint(view, pair.cosine, 1);
        product.paint(view, pair.contribution, topOf(pair.contribution));
      },
    };
  },
};

/** @type {(B: string) => Term[]} */
function terms(B) {
  return [
    {
      id: "T",
      symbol: () => sub(id("T"), "ij"),
      words: text("steps.transport.T"),
      value: ({ pair, cell }) => percent(pair.plan[cell.k], 2),
      lights: { a: "part", b: "part", T: "cell" },
    },
    {
      id: "S",
      symbol: () => sub(id("S"), "ij"),
      words: text("steps.similarity.S"),
      value: ({ pair, cell }) => pair.cosine[cell.k].toFixed(3),
      lights: { a: "part", b: "part", S: "cell" },
    },
    {
      id: "m",
      symbol: () => id("m"),
      words: text("steps.contribution.m"),
      value: ({ pair }) => percent(pair.mass),
      lights: { T: "all" },
      when: ({ pair }) => pair.options.mass < 1,
    },
    {
      id: "p",
      symbol: () => sub(id("p"), "ij"),
      words: text("steps.contribution.p"),
      value: ({ pair, cell }) => text("points", { points: written(pointsOf(pair.contribution[cell.k])) }),
      lights: { a: "part", b: "part", C: "cell" },
    },
    ...partTerms(B),
    {
      id: "all",
      symbol: () => row(sum("ij"), sub(id("p"), "ij")),
      words: text("steps.contribution.all"),
      value: ({ pair }) => text("points", { points: shownSum(pair).words.structural }),
      lights: { a: "all", b: "all", C: "all" },
    },
  ];
}

/**
 * What the marked parts add in all.
 *
 * @param {string} B what photo B is called
 * @returns {Term[]}
 */
export function partTerms(B) {
  return [
    {
      id: "row",
      symbol: () => row(sum("j"), sub(id("p"), "ij")),
      words: text("steps.contribution.a"),
      value: ({ pair, cell }) => text("points", { points: written(pointsOf(pair.a.contribution[cell.i])) }),
      lights: { a: "part", C: "row" },
      of: "a",
    },
    {
      id: "column",
      symbol: () => row(sum("i"), sub(id("p"), "ij")),
      words: text("steps.contribution.b", { B }),
      value: ({ pair, cell }) => text("points", { points: written(pointsOf(pair.b.contribution[cell.j])) }),
      lights: { b: "part", C: "column" },
      of: "b",
    },
  ];
}

/** @param {View} view */
function formula({ pair, cell }) {
  const half = () => frac(num("1"), num("2"));
  const T = () => term("T", sub(id("T"), "ij"));
  const S = () => term("S", sub(id("S"), "ij"));
  const moved = term("T", num(percent(pair.plan[cell.k], 2)));
  const partial = pair.options.mass < 1;
  // Of the mass that moves, whatever share of all that is.
  return [
    line(
      term("p", sub(id("p"), "ij")),
      op("="),
      half(),
      op("·"),
      partial ? frac(T(), term("m", id("m"))) : T(),
      op("·"),
      S(),
      op("="),
      half(),
      op("·"),
      partial ? frac(moved, term("m", num(percent(pair.mass)))) : moved,
      op("·"),
      term("S", num(pair.cosine[cell.k].toFixed(3))),
      op("="),
      term("p", num(text("points", { points: written(pointsOf(pair.contribution[cell.k])) }))),
    ),
    line(term("all", row(sum("ij"), sub(id("p"), "ij"))), op("="), term("all", num(text("points", { points: shownSum(pair).words.structural })))),
  ];
}
