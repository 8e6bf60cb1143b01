// The formula of a step, and what its terms stand for: pointing at a term lights that on the pictures.

import { button, make } from "../dom.js";
import { text } from "../texts.js";
import { math } from "./mathml.js";

/** @import { Side } from "../pair.js" */
/** @import { Term, View } from "./types.js" */

/**
 * @param {HTMLElement} root
 * @param {Term[]} terms
 * @param {(term: Term | null) => void} light
 * @param {(view: View) => Node[]} lines of the formula, their terms named as in `terms`
 * @param {(words: string) => void} speak
 */
export function formulaOf(root, terms, light, lines, speak) {
  const formula = make("div", { className: "diml-how-formula" });
  /** @type {HTMLElement[]} */
  const values = [];
  /** @type {View | null} */
  let shown = null;
  const list = make("ul", { className: "diml-how-terms" });
  for (const term of terms) {
    const value = make("span", { className: "diml-how-value" });
    values.push(value);
    const chip = button("", () => shown && speak(text("steps.lit", { term: term.words, value: term.value(shown) })));
    chip.append(math("math", term.symbol()), make("span", {}, term.words), value);
    chip.dataset.term = term.id;
    chip.addEventListener("focus", () => light(term));
    chip.addEventListener("blur", () => light(null));
    list.append(make("li", {}, chip));
  }
  root.replaceChildren(formula, list);
  list.hidden = !terms.length;
  formula.hidden = !terms.length;

  /** @param {Event} event */
  const termAt = (event) => {
    const name = /** @type {Element} */ (event.target).closest("[data-term]")?.getAttribute("data-term");
    return terms.find(({ id }) => id === name) ?? null;
  };
  for (const part of [formula, list]) {
    part.addEventListener("pointerover", (event) => light(termAt(event)));
    part.addEventListener("pointerleave", () => light(null));
  }

  let key = "";
  return (/** @type {View} */ view) => {
    const now = `${view.cell.k} ${view.parts.a} ${view.parts.b}`;
    // Not while only a term is pointed at: the nodes under the pointer must stay.
    if (shown?.pair !== view.pair || key !== now) {
      key = now;
      formula.replaceChildren(...lines(view));
      terms.forEach((term, at) => {
        values[at].textContent = term.value(view);
        /** @type {HTMLElement} */ (list.children[at]).hidden = Boolean(term.when && !term.when(view));
      });
    }
    shown = view;
    for (const node of root.querySelectorAll("[data-term]")) {
      const term = terms.find(({ id }) => id === node.getAttribute("data-term"));
      node.classList.toggle("diml-on", Boolean(term && (term.id === view.term?.id || isPointedAt(term, view))));
    }
  };
}

/**
 * @param {Term} term
 * @param {View} view
 */
function isPointedAt({ of = "" }, { pointed, term }) {
  if (!pointed || term) return false;
  /** @type {Side[]} */
  const sides = pointed.to === undefined ? [pointed.side] : ["a", "b"];
  return sides.some((side) => of.includes(side));
}
