// Step: each photo is cut into parts, and each part becomes a list of numbers.

import { embed } from "../../../engine/explain.js";
import { cellName } from "../../pair.js";
import { text } from "../../texts.js";
import { id, line, num, op, sub, term, words } from "../mathml.js";
import { stripsPicture } from "../strips.js";

/** @import { Phrase, Step, Term, View } from "../types.js" */

const SHOWN = 3; // numbers of an embedding in the formula

/**
 * The embeddings of both photos, as the comparison has them; null in a file without features.
 *
 * @param {View} view
 */
export function embeddings({ loaded: { payload, features }, pair }) {
  if (!features) return null;
  const { model, options } = { model: payload.model, options: pair.options };
  return { a: embed(payload.a, features.a, model, options), b: embed(payload.b, features.b, model, options) };
}

/** @type {Step} */
export const parts = {
  id: "parts",
  kind: "large",
  by: "cosine",
  build({ photos: { a, b }, sizes, letters }) {
    const strips = stripsPicture({ a: text("steps.parts.strip", { part: "i", side: letters.a }), b: text("steps.parts.strip", { part: "j", side: letters.b }) });
    /** @type {Term[]} */
    const terms = [
      {
        id: "a",
        symbol: () => sub(id("a"), "i"),
        words: text("steps.parts.a"),
        value: ({ pair, cell }) => cellName(pair.a, cell.i),
        lights: { a: "part" },
        of: "a",
      },
      {
        id: "b",
        symbol: () => sub(id("b"), "j"),
        words: text("steps.parts.b", { B: letters.b }),
        value: ({ pair, cell }) => cellName(pair.b, cell.j),
        lights: { b: "part" },
        of: "b",
      },
    ];
    return {
      show: [a.node, b.node, strips.node],
      say: (view) => {
        const { a: first, b: second } = view.pair;
        const found = embeddings(view);
        const sizesOfGrids = { rowsA: first.rows, columnsA: first.columns, rowsB: second.rows, columnsB: second.columns };
        /** @type {Phrase[]} */
        const phrases = [["steps.parts.text", { ...sizesOfGrids, countA: first.count, countB: second.count, B: letters.b }]];
        if (found) phrases.push(["steps.parts.numbers", { count: found.a.pooled.length }]);
        return phrases;
      },
      terms,
      lines: (view) => {
        const found = embeddings(view);
        if (!found) return [];
        /** @type {(vector: Float64Array) => string} */
        const start = (vector) => Array.from(vector.subarray(0, SHOWN), (value) => value.toFixed(2).replace("-", "−")).join(", ");
        const { dimension, vectors } = marked(view, found);
        const more = () => words(`\u00a0${text("steps.parts.more", { count: dimension - SHOWN })}`);
        return [
          line(term("a", sub(id("a"), "i")), op("="), op("("), num(start(vectors.a)), op(","), more(), op(")")),
          line(term("b", sub(id("b"), "j")), op("="), op("("), num(start(vectors.b)), op(","), more(), op(")")),
        ];
      },
      paint(view) {
        for (const photo of [a, b]) photo.paint(view, sizes.of(photo.frame), { cut: true });
        const found = embeddings(view);
        strips.paint(found && marked(view, found).vectors);
      },
    };
  },
};

/**
 * @param {View} view
 * @param {NonNullable<ReturnType<typeof embeddings>>} found
 */
function marked({ cell }, { a, b }) {
  const dimension = a.pooled.length;
  /** @type {(parts: Float64Array, part: number) => Float64Array} */
  const vector = (parts, part) => parts.subarray(part * dimension, (part + 1) * dimension);
  return { dimension, vectors: { a: vector(a.parts, cell.i), b: vector(b.parts, cell.j) } };
}
