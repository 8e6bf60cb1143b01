// Step: the importance of A is moved onto B, and settles.

import { ITERATION_STOPS } from "../../../engine/settling.js";
import { button, make, percent } from "../../dom.js";
import { otherSide } from "../../pair.js";
import { text } from "../../texts.js";
import { matrixPicture } from "../matrix.js";
import { id, line, num, op, row, sub, sum, sup, term } from "../mathml.js";
import { similarityMatrix } from "./similarity.js";

/** @import { Step, Term, View } from "../types.js" */

const PACE = 1100; // ms between two stops when it plays
const LAST = ITERATION_STOPS.length - 1;

/** @type {Step} */
export const transport = {
  id: "transport",
  kind: "few",
  by: "plan",
  build(tools) {
    const { photos, sizes, on, signal, letters } = tools;
    const B = letters.b;
    const similarities = matrixPicture(similarityMatrix(), tools);
    const plan = matrixPicture(planMatrix(true), tools);
    const slider = /** @type {HTMLInputElement} */ (
      make("input", { type: "range", min: 0, max: LAST, step: 1, ariaLabel: text("steps.transport.slider") })
    );
    const output = make("output");
    const status = make("p", { className: "diml-how-status", role: "status" });
    let stop = LAST;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let playing;
    const halt = () => {
      clearTimeout(playing);
      playing = undefined;
      play.textContent = text("steps.transport.play");
    };
    const onward = () => {
      if (stop >= LAST) return halt();
      on.settle(stop + 1);
      playing = setTimeout(onward, PACE);
    };
    const play = button(text("steps.transport.play"), () => {
      if (playing !== undefined) return halt();
      play.textContent = text("steps.transport.halt");
      on.settle(0);
      playing = setTimeout(onward, PACE);
    });
    signal.addEventListener("abort", () => clearTimeout(playing));
    slider.addEventListener("input", () => {
      halt();
      on.settle(slider.valueAsNumber);
    });
    const settle = make(
      "div",
      { className: "diml-how-settle diml-how-wide" },
      make("label", { className: "diml-slider" }, text("steps.transport.iterations"), slider, output),
      play,
      status,
    );
    return {
      show: [similarities.node, plan.node, settle],
      say: ({ pair }) => {
        const { mass } = pair.options;
        return mass < 1 ? [["steps.transport.text", { B }], ["steps.transport.partial", { mass: percent(mass) }]] : [["steps.transport.text", { B }]];
      },
      terms: terms(B),
      lines: (view) => formula(view),
      paint(view) {
        const { pair } = view;
        const other = otherSide(view.side);
        photos[view.side].paint(view, sizes.of(photos[view.side].frame), {});
        const received = { rows: pair[other].rows, columns: pair[other].columns, values: view.flow.mass };
        photos[other].paint(view, sizes.of(photos[other].frame), {
          grid: received,
          range: [0, Math.max(...view.flow.mass) || 1],
          map: "magma",
        });
        similarities.paint(view, pair.cosine, 1);
        plan.paint(view, pair.plan, topOf(pair.plan));
        stop = view.stop;
        slider.value = String(stop);
        const iterations = ITERATION_STOPS[stop];
        output.textContent = Number.isFinite(iterations)
          ? String(iterations)
          : text("steps.transport.settled", { iterations: pair.explanation.iterations });
        slider.setAttribute("aria-valuetext", output.textContent);
        const { a, b } = view.fillings();
        const bars = text(pair.options.mass < 1 ? "steps.transport.most" : "steps.transport.bars", { B });
        const now = `${bars} ${text("steps.transport.status", { a: shareOf(a.placed), b: shareOf(b.placed), B })}`;
        if (status.textContent !== now) status.textContent = now;
      },
    };
  },
};

/** The plan, as every step shows it. Small masses are lifted: most of it would be black. */
export function planMatrix(edges = false) {
  return /** @type {import("../matrix.js").Matrix} */ ({
    id: "T",
    what: text("steps.matrix.T"),
    map: "magma",
    power: 0.5,
    format: (value) => percent(value, 1),
    edges,
  });
}

/** @param {Float64Array} values */
export function topOf(values) {
  let top = 0;
  for (const value of values) if (value > top) top = value;
  return top || 1;
}

/**
 * Towards what is not yet all, so that nearly is not told as all.
 *
 * @param {number} placed
 */
const shareOf = (placed) => percent(placed > 1 - 1e-6 ? 1 : Math.floor(1000 * placed) / 1000, placed > 1 - 1e-6 ? 0 : 1);

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
      id: "r",
      symbol: () => row(sub(id("r"), "i"), op(","), sub(id("c"), "j")),
      words: text("steps.transport.r"),
      value: () => "",
      lights: { T: "all", u: "all", v: "all" },
    },
    {
      id: "u",
      symbol: () => row(sum("j"), sub(id("T"), "ij")),
      words: text("steps.transport.u"),
      value: ({ pair, cell, fillings }) =>
        text("steps.transport.of", { sum: percent(fillings().a.sums[cell.i], 2), all: percent(pair.a.marginals[cell.i], 2) }),
      lights: { a: "part", T: "row", u: "part" },
      of: "a",
    },
    {
      id: "v",
      symbol: () => row(sum("i"), sub(id("T"), "ij")),
      words: text("steps.transport.v", { B }),
      value: ({ pair, cell, fillings }) =>
        text("steps.transport.of", { sum: percent(fillings().b.sums[cell.j], 2), all: percent(pair.b.marginals[cell.j], 2) }),
      lights: { b: "part", T: "column", v: "part" },
      of: "b",
    },
  ];
}

/** @param {View} view */
function formula({ pair, cell }) {
  const T = () => term("T", sub(id("T"), "ij"));
  const within = pair.options.mass < 1 ? "≤" : "=";
  const power = row(op("−"), op("("), num("1"), op("−"), term("S", sub(id("S"), "ij")), op(")"), op("/"), num(String(pair.options.epsilon)));
  return [
    line(T(), op("="), term("r", sub(id("r"), "i")), op("·"), sup(id("e"), power), op("·"), term("r", sub(id("c"), "j")), op("="), term("T", num(percent(pair.plan[cell.k], 2)))),
    line(
      term("u", row(sum("j"), sub(id("T"), "ij"), op(within), sub(id("u"), "i"))),
      op(","),
      term("v", row(sum("i"), sub(id("T"), "ij"), op(within), sub(id("v"), "j"))),
    ),
  ];
}
