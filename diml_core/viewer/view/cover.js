// The counterfactual: cover what is pinned, let the network score again, compare with what the parts promised.

import { answerTo } from "./asking.js";
import { COVERS } from "./covers.js";
import { button, make } from "./dom.js";
import { sumOf } from "./pair.js";
import { shownSum, written } from "./points.js";
import { counted, text } from "./texts.js";

/** @import { Ask, QuestionBase } from "./asking.js" */
/** @import { Side } from "./pair.js" */

/** @typedef {QuestionBase & {about: "cover", side: Side, parts: number[], cover: string}} Question about the pinned parts */

/** @typedef {{similarity: number, global: number, structural: number}} Scores */

/**
 * @typedef {object} Answer
 * @property {Scores} before
 * @property {Scores} after
 * @property {number} promised what the parts add to the score
 * @property {number} expected what as many parts would add on average
 * @property {number[]} controls falls for other places
 * @property {string} photo URL of the photo, covered
 * @property {undefined} [error]
 */

/**
 * The panel that asks. An answer is shown only while its own question stands: other parts, another pair or other
 * options make a new panel, and whatever still arrives for the old one is dropped.
 *
 * @param {HTMLElement} root
 * @param {Ask} ask
 * @returns {(question: Omit<Question, "about" | "cover"> | null) => void} shows the panel for these parts; null for none
 */
export function coverPanel(root, ask) {
  let shown = "null";
  return (question) => {
    const key = JSON.stringify(question);
    if (key === shown) return;
    shown = key;
    if (question) renderQuestion(root, question, ask);
    else root.replaceChildren();
  };
}

/**
 * @param {HTMLElement} root
 * @param {Omit<Question, "about" | "cover">} question
 * @param {Ask} ask
 */
function renderQuestion(root, question, ask) {
  const result = make("div", { role: "status" });
  const asking = text("cover.ask", { parts: counted("part", question.parts.length), photo: question.side.toUpperCase() });
  let waiting = false;
  const buttons = COVERS.map(({ id: cover, label, title }) =>
    button(
      label,
      async () => {
        if (waiting) return;
        wait(true);
        const progress = make("p", { className: "diml-hint" }, text("network.looking"));
        result.replaceChildren(progress);
        const answer = await answerTo(ask, { about: "cover", ...question, cover }, (told) => (progress.textContent = told));
        wait(false);
        result.replaceChildren(...(answer.error === undefined ? coverResult(answer) : [make("p", {}, answer.error)]));
      },
      { title },
    ),
  );
  /** @param {boolean} on */
  const wait = (on) => {
    waiting = on;
    // Not `disabled`: that would take the focus away.
    for (const each of buttons) each.ariaDisabled = String(on);
  };
  root.replaceChildren(
    make("h3", { className: "diml-unseen" }, text("cover.title")),
    make("p", {}, make("b", {}, asking), " ", ...buttons),
    result,
  );
}

/** @param {Answer} answer */
function coverResult(answer) {
  const { before, after, promised, controls, photo } = answer;
  const average = controls.length ? sumOf(controls) / controls.length : null;
  // In as many digits as the promise has, all of it: the fall is the difference of the scores as they are shown.
  const digits = Math.abs(100 * promised) < 1 ? 2 : 1;
  const [was, is] = [before, after].map((scores) => shownSum(scores, digits));
  const fall = Number((was.total - is.total).toFixed(digits));
  const largest = Math.max(...[100 * promised, fall, 100 * (average ?? 0)].map(Math.abs), 1e-9);
  /** @type {(label: string, points: number, className: string) => HTMLElement} */
  const scale = (label, points, className) =>
    make(
      "div",
      { className: "diml-fall" },
      make("span", {}, label),
      make("span", { className: `diml-fall-bar ${className}`, style: `width:${(46 * Math.max(points, 0)) / largest}%` }),
      make("b", {}, signed(-points, digits)),
    );
  return [
    make(
      "div",
      { className: "diml-cover-result" },
      make("img", { src: photo, alt: text("cover.photo") }),
      make(
        "div",
        {},
        make("p", {}, text("cover.scores"), " ", was.words.total, " → ", make("b", {}, is.words.total), ". ", text("cover.sums", { was: sumText(was), is: sumText(is) })),
        scale(text("cover.promised"), 100 * promised, "diml-promised"),
        scale(text("cover.measured"), fall, "diml-measured"),
        average === null ? "" : scale(text("cover.controls", { places: counted("place", controls.length) }), 100 * average, "diml-control"),
        make("p", {}, make("b", {}, verdict(answer, before.similarity - after.similarity, average))),
        make("p", { className: "diml-hint" }, text("cover.hint")),
      ),
    ),
  ];
}

/** @param {ReturnType<typeof shownSum>} sum */
const sumText = ({ words }) => text("cover.sum", words);

/**
 * Whether the network minds this region as much as the explanation says: more than other regions, or less.
 *
 * @param {Answer} answer
 * @param {number} fall
 * @param {number | null} average
 */
function verdict({ promised, expected, controls }, fall, average) {
  if (average === null) return text("cover.verdict.alone");
  if (promised <= expected) return text(fall <= average ? "cover.verdict.little" : "cover.verdict.hidden");
  if (fall > Math.max(...controls)) return text("cover.verdict.most");
  return text(fall > average ? "cover.verdict.part" : "cover.verdict.not");
}

/**
 * @param {number} points
 * @param {number} digits
 */
const signed = (points, digits) => (points < 0 ? "" : "+") + written(points, digits);
