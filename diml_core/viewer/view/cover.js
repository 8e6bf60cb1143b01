// The counterfactual: cover what is pinned, let the network score again, compare with what the parts promised.

import { answerTo } from "./asking.js";
import { COVERS } from "./covers.js";
import { button, make, plural } from "./dom.js";
import { sumOf } from "./pair.js";

/** @import { Ask, QuestionBase } from "./asking.js" */
/** @import { Side } from "./pair.js" */

/** @typedef {QuestionBase & {about: "cover", side: Side, letter: string, parts: number[], cover: string}} Question about the pinned parts */

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
  const what = `${plural(question.parts.length, "part")} of ${question.letter}`;
  let waiting = false;
  const buttons = COVERS.map(({ id: cover, label, title }) =>
    button(
      label,
      async () => {
        if (waiting) return;
        wait(true);
        const progress = make("p", { className: "diml-hint" }, "The network is looking again…");
        result.replaceChildren(progress);
        const answer = await answerTo(ask, { about: "cover", ...question, cover }, (text) => (progress.textContent = text));
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
    make("h3", { className: "diml-unseen" }, "Test it"),
    make("p", {}, make("b", {}, `Test it: cover the pinned ${what} and score again with `), ...buttons),
    result,
  );
}

/** @param {Answer} answer */
function coverResult(answer) {
  const { before, after, promised, controls, photo } = answer;
  const fall = before.similarity - after.similarity;
  const average = controls.length ? sumOf(controls) / controls.length : null;
  const largest = Math.max(...[promised, fall, average ?? 0].map(Math.abs), 1e-9);
  /** @type {(label: string, value: number, className: string) => HTMLElement} */
  const scale = (label, value, className) =>
    make(
      "div",
      { className: "diml-fall" },
      make("span", {}, label),
      make("span", { className: `diml-fall-bar ${className}`, style: `width:${(46 * Math.max(value, 0)) / largest}%` }),
      make("b", {}, signed(-value)),
    );
  return [
    make(
      "div",
      { className: "diml-cover-result" },
      make("img", { src: photo, alt: "The photo as the network saw it, covered" }),
      make(
        "div",
        {},
        make(
          "p",
          {},
          `Score ${before.similarity.toFixed(4)} → `,
          make("b", {}, after.similarity.toFixed(4)),
          ` (global ${before.global.toFixed(4)} → ${after.global.toFixed(4)}, ` +
            `structural ${before.structural.toFixed(4)} → ${after.structural.toFixed(4)}).`,
        ),
        scale("promised by the parts", promised, "diml-promised"),
        scale("measured by the network", fall, "diml-measured"),
        average === null ? "" : scale(`${plural(controls.length, "other place")}, average`, average, "diml-control"),
        make("p", {}, make("b", {}, verdict(answer, fall, average))),
        make(
          "p",
          { className: "diml-hint" },
          "A fall smaller than promised is normal: other parts take over the freed mass.",
        ),
      ),
    ),
  ];
}

/**
 * Whether the network minds this region as much as the explanation says: more than other regions, or less.
 *
 * @param {Answer} answer
 * @param {number} fall
 * @param {number | null} average
 */
function verdict({ promised, expected, controls }, fall, average) {
  if (average === null) return "The region leaves no room for another of its shape to compare with: pin a smaller one.";
  const matters = promised > expected;
  if (matters && fall > Math.max(...controls)) return "Agrees: no other place that was covered mattered as much.";
  if (matters && fall > average) return "Agrees in part: it matters more than other places on average, but not most.";
  if (matters) return "Disagrees: covering other places cost the score as much or more.";
  return fall <= average
    ? "Agrees: the parts promised little, and the network hardly minds."
    : "Disagrees: the parts promised little, yet the network minds.";
}

/** @param {number} value */
const signed = (value) => (value < 0 ? "−" : "+") + Math.abs(value).toFixed(4);
