// What two viewers side by side differ by, kept beside the pair that each of them shows, and the layer that colours A by it.

import { text } from "./texts.js";

/** @import { Difference } from "../engine/difference.js" */
/** @import { Pair } from "./pair.js" */

/** @typedef {"triple" | "settings"} Relation three photos, or one pair at two settings */

/** @type {WeakMap<Pair, {difference: Difference, relation: Relation}>} */
const kept = new WeakMap();

/**
 * Keeps a difference for as long as this pair is shown: another pair, other options, and it is gone.
 *
 * @param {Pair} pair
 * @param {Difference} difference
 * @param {Relation} relation
 */
export function keepDifference(pair, difference, relation) {
  kept.set(pair, { difference, relation });
}

/**
 * The pair stands alone, or beside one that has nothing to do with it.
 *
 * @param {Pair} pair
 */
export function dropDifference(pair) {
  kept.delete(pair);
}

/** @param {number} value */
export function signed(value, digits = Math.abs(value) < 1 ? 2 : 1) {
  const shown = Math.abs(value).toFixed(digits);
  return Number(shown) ? `${value < 0 ? "−" : "+"}${shown}` : shown;
}

/** @type {import("./layers.js").Layer} */
export const DIFFERENCE = {
  id: "difference",
  label: text("triple.layer"),
  help: text("triple.layer.help"),
  available: (pair) => kept.has(pair),
  beside: true,
  note: (pair) => {
    const relation = kept.get(pair)?.relation;
    return relation ? text(relation === "triple" ? "triple.legend" : "settings.legend") : null;
  },
  colouring: {
    map: "difference",
    grid: (pair, side) => {
      const difference = kept.get(pair)?.difference;
      if (side === "b" || !difference) return null;
      return { rows: difference.rows, columns: difference.columns, values: difference.parts };
    },
    range: (pair) => {
      let top = 0;
      for (const value of kept.get(pair)?.difference.parts ?? []) top = Math.max(top, Math.abs(value));
      return [-top || -1, top || 1];
    },
    format: (value) => signed(value),
  },
};
