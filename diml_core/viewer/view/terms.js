// Words of the method on the page: pointed at, focused or tapped, each shows its one-sentence definition.

import { make, uniqueId } from "./dom.js";
import { piecesOf, text } from "./texts.js";

/** @import { Key } from "./texts.js" */

const GRACE = 200; // ms for the pointer to reach the definition
const APART = 6; // px between a word and its definition

/** @type {{word: HTMLElement, tip: HTMLElement} | null} the only one on the page */
let open = null;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let closing;

/**
 * A word of the glossary.
 *
 * @param {string} id as in `terms.<id>.name` of the texts
 * @param {string} [words] what is shown; the term's own name without
 * @returns {HTMLElement}
 */
export function term(id, words = text(/** @type {Key} */ (`terms.${id}.name`))) {
  const word = make("button", { type: "button", className: "diml-word" }, words);
  word.addEventListener("pointerenter", (event) => event.pointerType !== "touch" && show(word, id));
  word.addEventListener("pointerleave", closeSoon);
  word.addEventListener("focus", () => show(word, id));
  word.addEventListener("blur", close);
  word.addEventListener("click", () => show(word, id)); // a tap; not every phone gives a tapped button the focus
  return word;
}

/**
 * A text with its terms as words of the glossary.
 *
 * @param {Key} key
 * @param {Record<string, string | number | Node>} [values]
 * @returns {(Node | string)[]}
 * @throws {Error} a value that the text needs is missing
 */
export function rich(key, values = {}) {
  return piecesOf(key).map((piece) => {
    if (typeof piece === "string") return piece;
    if ("term" in piece) return term(piece.term, piece.words);
    if ("strong" in piece) return make("b", {}, piece.strong);
    if (!(piece.value in values)) throw new Error(`The text ${key} needs ${piece.value}.`);
    const value = values[piece.value];
    return value instanceof Node ? value : String(value);
  });
}

/**
 * @param {HTMLElement} word
 * @param {string} id
 */
function show(word, id) {
  clearTimeout(closing);
  if (open?.word === word && open.tip.isConnected) return;
  close();
  const tip = make("span", { className: "diml-word-tip", id: uniqueId("term"), role: "tooltip", popover: "manual" });
  tip.append(make("b", {}, text(/** @type {Key} */ (`terms.${id}.name`))), " ", text(/** @type {Key} */ (`terms.${id}.definition`)));
  tip.addEventListener("pointerenter", () => clearTimeout(closing));
  tip.addEventListener("pointerleave", closeSoon);
  word.after(tip);
  word.setAttribute("aria-describedby", tip.id);
  open = { word, tip };
  tip.showPopover?.();
  place(word, tip);
  document.addEventListener("keydown", onKey, true);
  document.addEventListener("pointerdown", onPress, true);
  window.addEventListener("scroll", follow, { passive: true });
}

/**
 * Above the word, where one has read already; below it where there is no room.
 *
 * @param {HTMLElement} word
 * @param {HTMLElement} tip
 */
function place(word, tip) {
  const at = word.getClientRects()[0]; // of a word that breaks over two lines, the first piece
  const { width, height } = tip.getBoundingClientRect();
  const page = document.documentElement;
  const left = Math.max(APART, Math.min(at.left, page.clientWidth - width - APART));
  const above = at.top - height - APART;
  tip.style.left = `${left}px`;
  tip.style.top = `${above >= 0 ? above : at.bottom + APART}px`;
}

/** Tab brings a word into view by scrolling, after the word has the focus. */
function follow() {
  if (!open) return;
  const { top, bottom } = open.word.getBoundingClientRect();
  if (bottom < 0 || top > document.documentElement.clientHeight) close();
  else place(open.word, open.tip);
}

function closeSoon() {
  clearTimeout(closing);
  closing = setTimeout(() => document.activeElement !== open?.word && close(), GRACE);
}

function close() {
  clearTimeout(closing);
  open?.tip.remove();
  open?.word.removeAttribute("aria-describedby");
  open = null;
  document.removeEventListener("keydown", onKey, true);
  document.removeEventListener("pointerdown", onPress, true);
  window.removeEventListener("scroll", follow);
}

/** @param {KeyboardEvent} event */
function onKey(event) {
  if (event.key !== "Escape" || !open?.tip.isConnected) return;
  close();
  // What else an Escape ends waits for the next one.
  event.stopImmediatePropagation();
  event.preventDefault();
}

/** @param {PointerEvent} event */
function onPress({ target }) {
  if (target instanceof Node && !open?.word.contains(target) && !open?.tip.contains(target)) close();
}
