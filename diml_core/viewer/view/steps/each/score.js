// Step: the mean of the photos as wholes and of their parts is the score.

import { make } from "../../dom.js";
import { shownSum } from "../../points.js";
import { scoreOf } from "../../score.js";
import { text } from "../../texts.js";
import { frac, id, line, num, op, row, sub, sum, term } from "../mathml.js";
import { stripsPicture } from "../strips.js";
import { partTerms } from "./contribution.js";
import { embeddings } from "./parts.js";
import { topOf } from "./transport.js";

/** @import { Step, Term, View } from "../types.js" */

/** @type {Step} */
export const score = {
  id: "score",
  kind: "large",
  by: "plan",
  build({ photos, sizes, on, letters }) {
    const strips = stripsPicture({ a: text("steps.score.strip", { side: letters.a }), b: text("steps.score.strip", { side: letters.b }) });
    const bar = make("div", { className: "diml-how-wide" });
    /** @type {View["side"]} */
    let side = "a";
    const sums = scoreOf(bar, {
      hover: (part) => on.hover(part === null ? null : { side, parts: [part] }),
      select: (part) => on.select({ side, parts: [part] }),
    });
    /** @type {View["pair"] | null} */
    let shown = null;
    return {
      show: [bar, photos.a.node, photos.b.node, strips.node],
      say: () => [["steps.score.text"]],
      terms: terms(letters.b),
      lines: (view) => formula(view),
      paint(view) {
        const { pair } = view;
        const top = Math.max(topOf(pair.a.contribution), topOf(pair.b.contribution));
        // The global part knows no parts.
        const asWhole = view.term?.id === "g";
        for (const each of /** @type {const} */ (["a", "b"])) {
          const { rows, columns, contribution: values } = pair[each];
          const grid = asWhole ? null : { rows, columns, values };
          photos[each].paint(view, sizes.of(photos[each].frame), { grid, range: [0, top], map: "magma", cut: !asWhole });
        }
        if (shown !== pair || side !== view.side) {
          [shown, side] = [pair, view.side];
          sums.update(pair, side, 0);
        }
        sums.light(view.pointed ? view.parts[side] : []);
        const found = embeddings(view);
        strips.paint(found && { a: found.a.pooled, b: found.b.pooled });
      },
    };
  },
};

/** @type {(B: string) => Term[]} */
function terms(B) {
  return [
    {
      id: "s",
      symbol: () => id("s"),
      words: text("steps.score.s"),
      value: ({ pair }) => text("points", { points: shownSum(pair).words.total }),
      lights: { a: "all", b: "all" },
    },
    {
      id: "g",
      symbol: () => row(frac(num("1"), num("2")), id("g")),
      words: text("steps.score.g"),
      value: ({ pair }) => text("points", { points: shownSum(pair).words.global }),
      lights: { a: "all", b: "all" },
    },
    {
      id: "all",
      symbol: () => row(sum("ij"), sub(id("p"), "ij")),
      words: text("steps.contribution.all"),
      value: ({ pair }) => text("points", { points: shownSum(pair).words.structural }),
      lights: { a: "all", b: "all" },
    },
    ...partTerms(B),
  ];
}

/** @param {View} view */
function formula({ pair }) {
  const half = () => frac(num("1"), num("2"));
  const points = shownSum(pair).words;
  /** @type {(name: string, value: string) => MathMLElement} */
  const shown = (name, value) => term(name, num(value));
  return [
    line(
      term("s", id("s")),
      op("="),
      term("g", row(half(), id("g"))),
      op("+"),
      term("all", row(sum("ij"), sub(id("p"), "ij"))),
      op("="),
      term("g", row(half(), op("·"), num(pair.global.toFixed(4)))),
      op("+"),
      term("all", row(half(), op("·"), num(pair.structural.toFixed(4)))),
    ),
    line(
      op("="),
      shown("g", points.global),
      op("+"),
      shown("all", points.structural),
      op("="),
      shown("s", text("points", { points: points.total })),
    ),
  ];
}
