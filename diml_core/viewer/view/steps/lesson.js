// The steps themselves: one is shown at a time, on the pair that is open, and all of them live.

import { button, make } from "../dom.js";
import { cellName, flowFrom, letterOf, otherSide } from "../pair.js";
import { rich } from "../terms.js";
import { text } from "../texts.js";
import { attention } from "./each/attention.js";
import { contribution } from "./each/contribution.js";
import { importance } from "./each/importance.js";
import { parts } from "./each/parts.js";
import { photos } from "./each/photos.js";
import { score } from "./each/score.js";
import { similarity } from "./each/similarity.js";
import { transport } from "./each/transport.js";
import { cellAt, fillings, markedCell } from "./numbers.js";
import { photoPicture } from "./photo.js";
import { sizesOf } from "./sizes.js";
import { formulaOf } from "./terms.js";

/** @import { Pair, Side } from "../pair.js" */
/** @import { Built, Shown, Step, StepEvents, Term, View } from "./types.js" */

/** @type {readonly Step[]} */
const STEPS = [photos, parts, attention, similarity, importance, transport, contribution, score];

/**
 * @param {HTMLElement} root
 * @param {StepEvents} on
 * @param {(step: string) => void} chosen
 * @param {AbortSignal} signal
 * @returns {{paint: (shown: Shown, id: string) => void}}
 */
export function createLesson(root, on, chosen, signal) {
  const list = make("ol", { className: "diml-how-list" });
  const title = make("h4", { className: "diml-how-title" });
  const words = make("p", { className: "diml-how-words" });
  const show = make("div", { className: "diml-how-show" });
  const formula = make("div");
  const back = button(text("steps.back"), () => goBy(-1));
  const next = button(text("steps.next"), () => goBy(1));
  const nav = make("nav", { className: "diml-how-nav", ariaLabel: text("steps.title"), title: text("steps.keys") }, list, back, next);
  root.replaceChildren(nav, title, words, show, formula);

  const photosOfPair = { a: photoPicture("a", on, signal), b: photoPicture("b", on, signal) };
  const pairOfPhotos = make("div", { className: "diml-how-pair" });
  /** @type {Step | null} */
  let step = null;
  /** @type {Built | null} */
  let built = null;
  /** @type {ReturnType<typeof formulaOf> | null} */
  let paintFormula = null;
  const inks = inksOf(root);
  let letters = { a: "A", b: "B" }; // what the photos are called in this viewer
  let ending = new AbortController(); // what a step listens to ends with it
  /** @type {Step[]} */
  let usable = [];
  /** @type {Term | null} */
  let term = null;
  /** @type {{pair: Pair, found: ReturnType<typeof fillings>} | null} */
  let filled = null;
  signal.addEventListener("abort", () => ending.abort());

  /** @param {Step} of */
  const titleOf = (of) => text(/** @type {"steps.photos.title"} */ (`steps.${of.id}.title`), { B: letters.b });

  /** @param {number} by */
  function goBy(by) {
    const at = usable.findIndex((each) => each === step) + by;
    if (usable[at]) go(usable[at]);
  }

  /** @param {Step} to */
  function go(to) {
    chosen(to.id);
    on.speak(text("steps.now", { number: usable.indexOf(to) + 1, count: usable.length, title: titleOf(to) }));
  }

  document.addEventListener(
    "keydown",
    (event) => {
      if (!root.checkVisibility() || event.ctrlKey || event.metaKey || event.altKey) return;
      // Keys that are typed elsewhere are not for here.
      const at = /** @type {HTMLElement} */ (event.target);
      if (at.closest("input:not([type=range]), select, textarea, [contenteditable]")) return;
      if (at !== document.body && !root.closest(".diml")?.contains(at)) return;
      const to = usable[Number(event.key) - 1];
      if (!to || !/^[1-9]$/.test(event.key)) return;
      go(to);
      event.preventDefault();
    },
    { signal },
  );

  /** @param {Term | null} now */
  const light = (now) => {
    if (now === term) return;
    term = now;
    on.repaint();
  };

  /** @param {Step} now */
  function build(now) {
    ending.abort();
    ending = new AbortController();
    term = null;
    step = now;
    const sizes = sizesOf(on.repaint);
    ending.signal.addEventListener("abort", sizes.stop);
    for (const { frame } of Object.values(photosOfPair)) sizes.watch(frame);
    built = now.build({ on, sizes, signal: ending.signal, photos: photosOfPair, letters, speakOf });
    show.dataset.kind = now.kind;
    show.dataset.pictures = String(built.show.length);
    root.dataset.step = now.id;
    // Beside matrices, A stands above B.
    if (now.kind === "few") pairOfPhotos.replaceChildren(photosOfPair.a.node, photosOfPair.b.node);
    show.replaceChildren(...(now.kind === "few" ? [pairOfPhotos] : []), ...built.show);
    const { terms = [], lines = () => [] } = built;
    paintFormula = formulaOf(formula, terms, light, lines, on.speak);
  }

  /** @param {Pair} pair */
  function showList(pair) {
    usable = STEPS.filter((each) => !each.available || each.available(pair));
    const now = [step, ...usable].map((each) => each?.id).join() + letters.b;
    if (list.dataset.shown === now) return;
    list.dataset.shown = now;
    if (list.childElementCount !== usable.length) {
      list.replaceChildren(
        ...usable.map((each, at) => {
          const name = make("span", {}, text(/** @type {"steps.photos.name"} */ (`steps.${each.id}.name`)));
          const choose = button("", () => go(each));
          choose.append(make("b", {}, String(at + 1)), " ", name);
          choose.dataset.step = each.id;
          return make("li", {}, choose);
        }),
      );
    }
    list.querySelectorAll("button").forEach((choose, at) => {
      choose.title = titleOf(usable[at]);
      if (usable[at] === step) choose.setAttribute("aria-current", "step");
      else choose.removeAttribute("aria-current");
    });
    // Not disabled: who has pressed it last would lose the focus.
    back.setAttribute("aria-disabled", String(step === usable[0]));
    next.setAttribute("aria-disabled", String(step === usable[usable.length - 1]));
  }

  return {
    paint({ pair, loaded, pointed, stop }, id) {
      const named = STEPS.find((each) => each.id === id) ?? STEPS[0];
      // What another model has not is passed over.
      const now = !named.available || named.available(pair) ? named : STEPS[STEPS.indexOf(named) - 1];
      const b = letterOf(pair, "b");
      if (now !== step || b !== letters.b) {
        letters = { ...letters, b };
        build(now);
      }
      showList(pair);
      const cell = markedCell(pair, pointed, pair[now.by]);
      const side = pointed?.side ?? "a";
      const here = side === "a" ? cell.i : cell.j;
      const there = side === "a" ? cell.j : cell.i;
      const own = pointed?.parts ?? [here];
      if (filled?.pair !== pair) filled = null;
      /** @type {View} */
      const view = {
        ...{ pair, loaded, pointed, stop, cell, side, term },
        parts: /** @type {Record<Side, number[]>} */ ({ [side]: own, [otherSide(side)]: [there] }),
        flow: flowFrom(pair, side, own),
        inks: inks(),
        fillings: () => (filled ??= { pair, found: fillings(pair) }).found,
      };
      showText(title, titleOf(now));
      const phrases = built?.say(view) ?? [];
      const saying = JSON.stringify(phrases);
      if (words.dataset.shown !== saying) {
        words.dataset.shown = saying;
        words.replaceChildren(...phrases.flatMap(([key, values]) => [...rich(key, values), " "]));
      }
      built?.paint(view);
      paintFormula?.(view);
    },
  };
}

/**
 * What is there already stays: replacing it would lay the page out again in every frame.
 *
 * @param {HTMLElement} node
 * @param {string} words
 */
function showText(node, words) {
  if (node.textContent !== words) node.textContent = words;
}

/**
 * @param {Pair} pair
 * @param {number} k
 */
function speakOf(pair, k) {
  const { i, j } = cellAt(pair, k);
  return text("steps.cell", {
    a: cellName(pair.a, i),
    b: cellName(pair.b, j),
    B: letterOf(pair, "b"),
    similarity: pair.cosine[k].toFixed(2),
    mass: (100 * pair.plan[k]).toFixed(2),
  });
}

/**
 * The page's colours, for what is painted. Looking at styles in every frame would compute them in every frame.
 *
 * @param {HTMLElement} root
 * @returns {() => View["inks"]}
 */
function inksOf(root) {
  /** @type {View["inks"] | null} */
  let inks = null;
  let wasDark = false;
  return () => {
    const isDark = root.closest(".dark") !== null;
    if (inks && isDark === wasDark) return inks;
    wasDark = isDark;
    const style = getComputedStyle(root);
    /** @param {string} name */
    const of = (name) => style.getPropertyValue(`--${name}`).trim();
    return (inks = { ink: of("ink"), mark: of("mark"), structural: of("structural"), warn: of("warn") });
  };
}
