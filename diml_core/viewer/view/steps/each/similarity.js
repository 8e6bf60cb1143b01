// Step: every part of A beside every part of B.

import { cellName, otherSide } from "../../pair.js";
import { grouped, text } from "../../texts.js";
import { matrixPicture } from "../matrix.js";
import { frac, id, line, num, op, row, sub, term } from "../mathml.js";
import { bestOf } from "../numbers.js";

/** @import { Step, Term } from "../types.js" */

/** @type {Step} */
export const similarity = {
  id: "similarity",
  kind: "few",
  by: "cosine",
  build(tools) {
    const { photos, sizes, letters } = tools;
    const B = letters.b;
    const matrix = matrixPicture(similarityMatrix(), tools);
    /** @type {Term[]} */
    const terms = [
      {
        id: "S",
        symbol: () => sub(id("S"), "ij"),
        words: text("steps.similarity.S"),
        value: ({ pair, cell }) => pair.cosine[cell.k].toFixed(3),
        lights: { a: "part", b: "part", S: "cell" },
      },
      {
        id: "a",
        symbol: () => sub(id("a"), "i"),
        words: text("steps.similarity.a"),
        value: ({ pair, cell }) => cellName(pair.a, cell.i),
        lights: { a: "part", S: "row" },
        of: "a",
      },
      {
        id: "b",
        symbol: () => sub(id("b"), "j"),
        words: text("steps.similarity.b", { B }),
        value: ({ pair, cell }) => cellName(pair.b, cell.j),
        lights: { b: "part", S: "column" },
        of: "b",
      },
    ];
    return {
      show: [matrix.node],
      say: ({ pair, side }) => {
        const counts = { countA: pair.a.count, countB: pair.b.count, all: grouped(pair.a.count * pair.b.count), B };
        return [["steps.similarity.text", counts], [side === "a" ? "steps.similarity.row" : "steps.similarity.column", { B }]];
      },
      terms,
      lines: ({ pair, cell }) => {
        const [a, b] = [() => term("a", sub(id("a"), "i")), () => term("b", sub(id("b"), "j"))];
        return [
          line(
            term("S", sub(id("S"), "ij")),
            op("="),
            id("cos"),
            row(op("("), a(), op(","), b(), op(")")),
            op("="),
            frac(row(a(), op("·"), b()), row(op("‖"), a(), op("‖"), op("‖"), b(), op("‖"))),
            op("="),
            term("S", num(pair.cosine[cell.k].toFixed(3))),
          ),
        ];
      },
      paint(view) {
        const { pair, side, parts } = view;
        const other = otherSide(side);
        const grid = { rows: pair[other].rows, columns: pair[other].columns, values: bestOf(pair, side, parts[side]) };
        photos[side].paint(view, sizes.of(photos[side].frame), {});
        photos[other].paint(view, sizes.of(photos[other].frame), { grid, range: [0, 1], map: "viridis" });
        matrix.paint(view, pair.cosine, 1);
      },
    };
  },
};

/** The similarities, as every step shows them: with the colours and the range of the layer of that name. */
export function similarityMatrix() {
  return /** @type {import("../matrix.js").Matrix} */ ({
    id: "S",
    what: text("steps.matrix.S"),
    map: "viridis",
    format: (value) => value.toFixed(0),
  });
}
