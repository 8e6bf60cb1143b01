// What makes the difference between two scores, in a sentence and in a sum.

import { balanceOf, extremesOf } from "./balance.js";
import { signed } from "./difference.js";
import { button, make } from "./dom.js";
import { marginalsInWords } from "./marginals.js";
import { partsIn, sumOf } from "./pair.js";
import { OPTION_KEYS } from "./share.js";
import { text } from "./texts.js";

/** @import { Options } from "../engine/types.js" */
/** @import { Difference } from "../engine/difference.js" */
/** @import { Relation } from "./difference.js" */
/** @import { Box, Pair } from "./pair.js" */

/**
 * @typedef {object} Compared what two viewers show
 * @property {Pair} first
 * @property {Pair} second
 * @property {Relation} relation
 * @property {Difference} difference
 */

/**
 * The options in which two pairs differ.
 *
 * @param {Pair} first
 * @param {Pair} second
 */
export const changesOf = (first, second) => OPTION_KEYS.filter((key) => first.options[key] !== second.options[key]);

/**
 * @param {Record<string, string>} captions what to look for in three example photos, by their names A, B and C
 * @param {(difference: Difference, part: number) => void} select is told which part a visitor wants to see
 * @returns {{node: HTMLElement, show: (compared: Compared, box: Box | null) => void}} `box` is what is pointed at, on A
 */
export function differencePanel(captions, select) {
  const sentence = make("p", {});
  const sum = make("div", { className: "diml-sum" });
  const detail = make("p", { className: "diml-note" });
  const node = make("section", { className: "diml diml-beside", ariaLabel: text("triple.panel") }, sentence, sum, detail);
  return {
    node,
    show(compared, box) {
      sentence.replaceChildren(...sentenceOf(compared, captions));
      const differs = compared.relation === "triple" || changesOf(compared.first, compared.second).length > 0;
      sum.hidden = detail.hidden = !differs;
      if (!differs) return;
      sum.replaceChildren(...sumParts(compared));
      detail.replaceChildren(...(box ? [pointedAt(compared, box)] : strongest(compared, select)));
    },
  };
}

/**
 * Of three photos the left is measured by the right; of two settings the right, which is the news, by the left.
 *
 * @param {Compared} compared
 */
function balance({ first, second, relation, difference }) {
  return relation === "triple" ? balanceOf(first, second, difference) : balanceOf(second, first, difference);
}

/**
 * @param {Compared} compared
 * @param {Record<string, string>} captions
 */
function sentenceOf(compared, captions) {
  const { first, second, relation } = compared;
  const shown = balance(compared);
  const [one, other] = [shown.first.toFixed(1), shown.second.toFixed(1)];
  if (relation === "settings") {
    const changes = changesOf(first, second).map((key) =>
      text("settings.change", {
        name: text(/** @type {"settings.grid"} */ (`settings.${key}`)),
        now: inWords(key, second.options),
        before: inWords(key, first.options),
      }),
    );
    const values = { changes: changes.join(", "), first: other, second: one };
    return [make("b", {}, changes.length ? text("settings.score", values) : text("settings.same"))];
  }
  const key = shown.total > 0 ? "triple.more" : shown.total < 0 ? "triple.less" : "triple.even";
  const examples = [first.a, first.b, second.b];
  const caption = examples.every(({ example }) => example) && captions[examples.map(({ name }) => name).join(" ")];
  const told = text(key, { total: Math.abs(shown.total).toFixed(1), first: one, second: other });
  return [make("b", {}, told), caption ? ` ${caption}` : ""];
}

/** @type {(key: keyof Options, options: Options) => string} */
const inWords = (key, options) => (key === "marginals" ? marginalsInWords(options.marginals) : String(options[key]));

/** @param {Compared} compared */
function sumParts(compared) {
  const { total, global, gains, losses } = balance(compared);
  const triple = compared.relation === "triple";
  return [
    make("strong", { className: "diml-total" }, signed(total, 1)),
    make("small", {}, text("triple.points")),
    make("span", { className: "diml-op" }, "="),
    term(global, text("triple.global"), "diml-global"),
    term(gains, text(triple ? "triple.for" : "settings.gained"), "diml-gains"),
    term(losses, text(triple ? "triple.against" : "settings.lost"), "diml-losses"),
  ];
}

/**
 * @param {number} value
 * @param {string} name
 * @param {string} className
 */
function term(value, name, className) {
  return make("span", { className: `diml-term ${className}` }, make("b", {}, signed(value, 1)), make("small", {}, name));
}

/**
 * @param {Compared} compared
 * @param {Box} box
 */
function pointedAt({ first, second, relation, difference }, box) {
  const grid = { ...difference, count: difference.parts.length };
  const points = signed(sumOf(difference.parts, partsIn(grid, box)));
  if (relation === "settings") return text("settings.pointed", { points });
  const [one, other] = [first, second].map(({ a }) => signed(50 * sumOf(a.contribution, partsIn(a, box))).replace("+", ""));
  return text("triple.pointed", { first: one, second: other, points });
}

/**
 * The parts that move the score most, to be pressed.
 *
 * @param {Compared} compared
 * @param {(difference: Difference, part: number) => void} select
 */
function strongest({ relation, difference }, select) {
  const { most, least } = extremesOf(difference);
  /** @param {NonNullable<typeof most>} of */
  const pressed = ({ part, cell, points }) =>
    button(text("triple.part", { cell, points: signed(points) }), () => select(difference, part));
  if (relation === "triple") {
    return [
      ...(most ? [text("triple.strongest"), " ", pressed(most), " "] : []),
      ...(least ? [text("triple.weakest"), " ", pressed(least)] : []),
    ];
  }
  const found = [most, least].filter((each) => each !== null);
  const [top] = found.sort((one, other) => Math.abs(other.points) - Math.abs(one.points));
  return top ? [text("settings.strongest"), " ", pressed(top)] : [];
}
