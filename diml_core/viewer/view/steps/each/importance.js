// Step: how much each part counts, as a map and as bars.

import { percent } from "../../dom.js";
import { named } from "../../marginals.js";
import { text } from "../../texts.js";
import { barsPicture } from "../bars.js";
import { frac, id, line, num, op, row, sub, sum, term, whole } from "../mathml.js";
import { embeddings } from "./parts.js";

/** @import { Phrase, Step, Term, View } from "../types.js" */

/** @type {Step} */
export const importance = {
  id: "importance",
  kind: "large",
  by: "plan",
  build(tools) {
    const { photos, sizes, letters } = tools;
    const B = letters.b;
    const bars = { a: barsPicture("a", tools), b: barsPicture("b", tools) };
    /** @type {Term[]} */
    const terms = [
      {
        id: "u",
        symbol: () => sub(id("u"), "i"),
        words: text("steps.importance.u"),
        value: ({ pair, cell }) => percent(pair.a.marginals[cell.i], 2),
        lights: { a: "part", u: "part" },
        of: "a",
      },
      {
        id: "v",
        symbol: () => sub(id("v"), "j"),
        words: text("steps.importance.v", { B }),
        value: ({ pair, cell }) => percent(pair.b.marginals[cell.j], 2),
        lights: { b: "part", v: "part" },
        of: "b",
      },
      {
        id: "c",
        symbol: () => row(id("cos"), op("("), sub(id("a"), "i"), op(","), whole("b"), op(")")),
        words: text("steps.importance.c", { B }),
        value: (view) => cosineOf(view)?.toFixed(3) ?? "",
        lights: { a: "part", b: "all" },
        when: ({ pair }) => ["product", "cross-correlation"].includes(pair.options.marginals),
        of: "a",
      },
      {
        id: "r",
        symbol: () => sub(id("ρ"), "i"),
        words: text("steps.importance.rho"),
        value: ({ pair, cell }) => percent(pair.explanation.rolloutA?.[cell.i] ?? 0, 2),
        lights: { a: "part" },
        when: ({ pair }) => ["product", "rollout"].includes(pair.options.marginals),
        of: "a",
      },
      {
        id: "U",
        symbol: () => row(sum("i"), sub(id("u"), "i")),
        words: text("steps.importance.all"),
        value: () => "100%",
        lights: { a: "all", u: "all" },
      },
    ];
    return {
      show: [photos.a.node, photos.b.node, bars.a.node, bars.b.node],
      say: ({ pair, cell }) => {
        const times = (pair.a.marginals[cell.i] * pair.a.count).toFixed(1);
        return [howPartsCount(pair.options.marginals), ["steps.importance.text", { times }]];
      },
      terms,
      lines: (view) => formula(view),
      paint(view) {
        const { pair } = view;
        const top = Math.max(...pair.a.marginals, ...pair.b.marginals);
        for (const side of /** @type {const} */ (["a", "b"])) {
          const { rows, columns, marginals } = pair[side];
          photos[side].paint(view, sizes.of(photos[side].frame), {
            grid: { rows, columns, values: marginals },
            range: [0, top],
            map: "cividis",
          });
          bars[side].paint(view);
        }
      },
    };
  },
};

/**
 * What makes a part count, in a sentence; of marginals that somebody added, their name.
 *
 * @param {string} marginals
 * @returns {Phrase}
 */
export function howPartsCount(marginals) {
  const own = named(marginals);
  return own ? [`steps.importance.${own}`] : ["steps.importance.other", { marginals }];
}

/**
 * What the marked part of A counts, with the factors that its marginals have; of others, what it counts.
 *
 * @param {View} view
 */
function formula(view) {
  const { pair, cell } = view;
  const { marginals } = pair.options;
  const share = percent(pair.a.marginals[cell.i], 2);
  const u = () => term("u", sub(id("u"), "i"));
  if (marginals === "uniform") return [line(u(), op("="), frac(num("1"), num(String(pair.a.count))), op("="), term("u", num(share)))];
  const cosine = cosineOf(view);
  const rollout = pair.explanation.rolloutA?.[cell.i] ?? 0;
  const w = () => sub(id("w"), "i");
  const resembles = row(id("max"), op("("), num("0"), op(","), term("c", id("cos"), op("("), sub(id("a"), "i"), op(","), whole("b"), op(")")), op(")"));
  const looked = term("r", sub(id("ρ"), "i"));
  const factors = { "cross-correlation": [resembles], rollout: [looked], product: [resembles, op("·"), looked] }[marginals];
  if (!factors) return [line(u(), op("="), term("u", num(share)))];
  // A file without features has the shares alone.
  const first = cosine === null ? [] : [term("c", num(Math.max(0, cosine).toFixed(3)))];
  const second = term("r", num(percent(rollout, 2)));
  const numbers = { "cross-correlation": first, rollout: [second], product: [...first, op("·"), second] }[marginals] ?? [];
  return [
    line(u(), op("="), frac(w(), row(sum("i"), w())), op("="), term("u", num(share))),
    line(w(), op("="), ...factors, ...(first.length || marginals === "rollout" ? [op("="), ...numbers] : [])),
  ];
}

/**
 * Of the marked part of A with B as a whole; null in a file without features.
 *
 * @param {View} view
 */
function cosineOf(view) {
  const found = embeddings(view);
  if (!found) return null;
  const { parts } = found.a;
  const { pooled } = found.b;
  return pooled.reduce((total, value, d) => total + value * parts[view.cell.i * pooled.length + d], 0);
}
