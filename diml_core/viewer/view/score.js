// The score as a running sum: the global term, then the parts from strongest to weakest.

import { colour } from "./colour.js";
import { make, percent, uniqueId } from "./dom.js";
import { cellName, strongestOf, sumOf } from "./pair.js";
import { pointsOf, shareOf, shownSum, written } from "./points.js";
import { term } from "./terms.js";
import { counted, text } from "./texts.js";

/** @import { Pair, Side } from "./pair.js" */

const STRONGEST_NAMED = 5;

/**
 * The score, its sum and the bar of its parts. The bar is a list box: one stop for Tab, in which the arrow keys
 * move along the parts.
 *
 * @param {HTMLElement} root
 * @param {object} on
 * @param {(part: number | null) => void} on.hover
 * @param {(part: number) => void} on.select
 * @returns {{update: (pair: Pair, side: Side, lineCount: number) => void, light: (parts: number[]) => void}}
 */
export function scoreOf(root, on) {
  const sum = make("div", { className: "diml-sum" });
  const warning = make("div", { role: "status" });
  const globalBar = make("span", { className: "diml-bar-global" });
  const parts = make("div", { className: "diml-bar-parts", role: "listbox", tabIndex: 0 });
  const note = make("p", { className: "diml-note" });
  root.replaceChildren(sum, warning, make("div", { className: "diml-bar" }, globalBar, parts), note);

  /** @type {{pair: Pair, side: Side, order: number[], lineCount: number} | null} */
  let shown = null;
  /** @type {HTMLElement[]} */
  let segments = [];
  let cursor = -1; // the rank that the keyboard is at
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let naming;

  const nameSegments = () => {
    clearTimeout(naming);
    naming = undefined;
    if (!shown) return;
    const { pair, side, order } = shown;
    order.forEach((part, rank) => {
      const points = pointsOf(pair[side].contribution[part]);
      const values = { cell: cellName(pair[side], part), photo: side.toUpperCase(), points: written(points), share: shareOf(pair, points) };
      segments[rank].title = segments[rank].ariaLabel = text("bar.part", values);
    });
  };

  /** @param {number | null} rank of the part up to which the note counts; null for the usual few */
  const say = (rank) => {
    if (!shown) return;
    const { pair, side, order, lineCount } = shown;
    const count = rank === null ? Math.min(STRONGEST_NAMED, order.length) : rank + 1;
    note.textContent = noteText(pair, side, order, count, lineCount);
  };

  /** @param {Event} event */
  const rankOf = (event) => segments.indexOf(/** @type {HTMLElement} */ (event.target));

  /** @param {number} rank */
  const go = (rank) => {
    cursor = rank;
    if (naming) nameSegments();
    if (rank < 0 || !shown) parts.removeAttribute("aria-activedescendant");
    else parts.setAttribute("aria-activedescendant", segments[rank].id);
    say(rank < 0 ? null : rank);
    on.hover(rank < 0 || !shown ? null : shown.order[rank]);
  };

  parts.addEventListener("pointerover", (event) => {
    const rank = rankOf(event);
    if (rank < 0 || !shown) return;
    say(rank);
    on.hover(shown.order[rank]);
  });
  parts.addEventListener("pointerleave", () => {
    say(null);
    on.hover(null);
  });
  parts.addEventListener("click", (event) => {
    const rank = rankOf(event);
    if (rank >= 0 && shown) on.select(shown.order[rank]);
  });
  parts.addEventListener("keydown", (event) => {
    if (!shown?.order.length) return;
    const last = shown.order.length - 1;
    if (event.key === "ArrowRight" || event.key === "ArrowDown") go(Math.min(cursor + 1, last));
    else if (event.key === "ArrowLeft" || event.key === "ArrowUp") go(Math.max(cursor - 1, 0));
    else if (event.key === "Home") go(0);
    else if (event.key === "End") go(last);
    else if ((event.key === "Enter" || event.key === " ") && cursor >= 0) on.select(shown.order[cursor]);
    else return;
    event.preventDefault();
  });
  parts.addEventListener("blur", () => cursor >= 0 && go(-1));

  return {
    update(pair, side, lineCount) {
      const order = strongestOf(pair[side].contribution, pair[side].count);
      const at = cursor >= 0 && shown?.side === side ? shown.order[cursor] : -1;
      shown = { pair, side, order, lineCount };
      renderSum(sum, pair);
      renderWarning(warning, pair);
      const values = pair[side].contribution;
      const all = sumOf(values, order);
      const global = Math.max(pair.global, 0);
      const top = values[order[0]] || 1;
      globalBar.style.width = percent(global / (global + all || 1), 3);
      globalBar.title = text("bar.global", { points: shownSum(pair).words.global });
      parts.ariaLabel = text("bar.label", { photo: side.toUpperCase() });
      const before = segments.length;
      segments = order.map((part, rank) => {
        const segment = segments[rank] ?? make("span", { className: "diml-bar-part", role: "option", id: uniqueId("part") });
        // Shares: growth below 1 in all would leave a gap.
        segment.style.cssText = `flex-grow:${values[part] / all};background:${colour("magma", values[part] / top)}`;
        segment.dataset.part = String(part);
        return segment;
      });
      if (segments.length !== before) parts.replaceChildren(...segments);
      // Their names can wait until a slider rests: two hundred of them would cost a move more than its plan.
      clearTimeout(naming);
      naming = setTimeout(nameSegments, 150);
      // A list box without options is none.
      parts.hidden = !segments.length;
      cursor = order.indexOf(at);
      say(cursor < 0 ? null : cursor);
    },
    light(lit) {
      const on = new Set(lit.map(String));
      for (const segment of segments) {
        const now = on.has(segment.dataset.part ?? "");
        if (segment.classList.contains("diml-on") === now) continue;
        segment.classList.toggle("diml-on", now);
        segment.ariaSelected = String(now);
      }
    },
  };
}

/**
 * @param {HTMLElement} root
 * @param {Pair} pair
 */
function renderSum(root, pair) {
  const { total, global, structural } = shownSum(pair).words;
  const score = make("span", { className: "diml-score-term" }, make("strong", { className: "diml-total" }, total), make("small", {}, term("points")));
  root.replaceChildren(
    score,
    make("span", { className: "diml-op" }, "="),
    summand("global_part", global, "diml-global"),
    make("span", { className: "diml-op" }, "+"),
    summand("structural_part", structural, "diml-structural"),
  );
}

/**
 * A plan that has not settled still adds up, but to a score that is only near.
 *
 * @param {HTMLElement} warning
 * @param {Pair} pair
 */
function renderWarning(warning, { explanation }) {
  const words = text("score.unsettled", { error: explanation.marginalError.toExponential(0) });
  warning.replaceChildren(...(explanation.converged ? [] : [make("p", { className: "diml-note diml-unsettled" }, words)]));
}

/**
 * @param {Pair} pair
 * @param {Side} side
 * @param {number[]} order
 * @param {number} count
 * @param {number} lineCount
 */
function noteText(pair, side, order, count, lineCount) {
  /** @param {number} contribution */
  const added = (contribution) => {
    const points = pointsOf(contribution);
    return { points: written(points), share: shareOf(pair, points) };
  };
  const all = counted("part", pair[side].count);
  const carried = added(sumOf(pair[side].contribution, order.slice(0, count)));
  const notes = [text("score.strongest", { count, all, photo: side.toUpperCase(), ...carried })];
  // The bar has no room below zero, so what a part takes away is said in words.
  const lowering = pair[side].contribution.filter((value) => value < 0);
  if (lowering.length) notes.push(text("score.below", { parts: counted("part", lowering.length), ...added(sumOf(lowering)) }));
  if (lineCount) {
    const lines = added(sumOf(pair.contribution, pair.order.slice(0, lineCount)));
    notes.push(text("score.lines", { lines: counted("line", lineCount), ...lines }));
  }
  if (pair.options.mass < 1) notes.push(text("score.mass", { mass: percent(pair.mass) }));
  return notes.join("  ·  ");
}

/**
 * @param {string} id of the term
 * @param {string} value
 * @param {string} className
 */
function summand(id, value, className) {
  return make("span", { className: `diml-term ${className}` }, make("b", {}, value), make("small", {}, term(id)));
}
