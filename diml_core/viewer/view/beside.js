// Two viewers side by side: what makes the difference between their scores, in a panel above both. Everything follows from
// the pairs that the two show at this moment, so that nothing is said of a pair that is gone or not here yet.

import { differenceOf } from "../engine/difference.js";
import { balanceOf, extremesOf } from "./balance.js";
import { keepDifference, signed } from "./difference.js";
import { button, make } from "./dom.js";
import { ASK_EVENT, BESIDE_EVENT, PAIR_EVENT, POINT_EVENT } from "./linking.js";
import { boxOf, partsIn, sumOf } from "./pair.js";
import { OPTION_KEYS } from "./share.js";
import { text } from "./texts.js";

/** @import { Difference } from "../engine/difference.js" */
/** @import { Relation } from "./difference.js" */
/** @import { Word } from "./linking.js" */
/** @import { Box, Pair } from "./pair.js" */

const SETTLES = 400; // ms until an address is written, and a layer that has lost its numbers is left
const KEYS = ["c", "beside"];
/** @type {Record<string, "settings.grid">} */
const OPTION_TEXTS = Object.fromEntries(OPTION_KEYS.map((key) => [key, /** @type {"settings.grid"} */ (`settings.${key}`)]));

/**
 * What two pairs have to do with each other; null for nothing that could be told.
 *
 * @param {Pair | null} first
 * @param {Pair | null} second
 * @returns {Relation | null}
 */
export function relationOf(first, second) {
  if (!first || !second || first.model.name !== second.model.name || first.a.digest !== second.a.digest) return null;
  return first.b.digest === second.b.digest ? "settings" : "triple";
}

/**
 * The options in which two pairs differ.
 *
 * @param {Pair} first
 * @param {Pair} second
 */
export const changesOf = (first, second) => OPTION_KEYS.filter((key) => first.options[key] !== second.options[key]);

/**
 * The query part of an address that brings back what stands beside the pair; the rest of it stays.
 *
 * @param {string} search of today's address
 * @param {Pair | null} first
 * @param {Pair | null} second
 */
export function besideQuery(search, first, second) {
  const query = new URLSearchParams(search);
  for (const key of [...query.keys()]) if (KEYS.includes(key) || key.startsWith("beside_")) query.delete(key);
  if (first && second && query.has("a")) {
    const relation = relationOf(first, second);
    if (relation === "triple" && second.b.example) query.set("c", second.b.name);
    if (relation === "settings") {
      query.set("beside", "settings");
      for (const key of changesOf(first, second)) query.set(`beside_${key}`, String(second.options[key]));
    }
    if (first.model.name !== second.model.name) query.set("beside", second.model.name);
  }
  return query.size ? `?${query}` : "";
}

/**
 * @param {HTMLElement} root
 * @param {[string, string]} viewers selectors of what holds the viewers: the first, and the one beside it
 * @param {Record<string, string>} [captions] what to look for in three example photos, by their names A, B and C
 * @returns {() => void} takes the panel away
 */
export function mountBeside(root, viewers, captions = {}) {
  const gone = new AbortController();
  /** @type {(Pair | null)[]} of the viewer on the left, and of that on the right */
  const pairs = [null, null];
  /** @type {(Element | null)[]} likewise */
  const roots = [null, null];
  /** @type {{hover: Box | null, pinned: Box | null}} on A */
  const pointed = { hover: null, pinned: null };
  let before = ""; // what the panel last told of: which photos, which relation
  const askedLayer = new URLSearchParams(location.search).get("layer");
  let greeted = false; // whether a triple was shown since the page was opened
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let later;

  const sum = make("div", { className: "diml-sum" });
  const sentence = make("p", {});
  const detail = make("p", { className: "diml-note" });
  const panel = make("section", { className: "diml diml-beside", ariaLabel: text("triple.panel") }, sentence, sum, detail);

  /** @type {(place: number, asked: object) => void} */
  const tell = (place, asked) => roots[place]?.dispatchEvent(new CustomEvent(BESIDE_EVENT, { detail: asked }));

  /** @type {{first: Pair, second: Pair, relation: Relation, difference: Difference} | null} */
  let shown = null;

  function compare() {
    const [first, second] = pairs;
    const relation = relationOf(first, second);
    shown = null;
    // Of three photos, one that stands at other options is following.
    if (first && second && relation && !(relation === "triple" && changesOf(first, second).length)) {
      // Of three photos the left is measured by the right; of two settings the right, which is the news, by the left.
      const difference = relation === "triple" ? differenceOf(first, second) : differenceOf(second, first);
      for (const pair of [first, second]) keepDifference(pair, difference, relation);
      shown = { first, second, relation, difference };
      render();
    }
    if (!shown) panel.remove();
    else if (!panel.isConnected) root.append(panel);
    for (const place of [0, 1]) tell(place, {});
    greet(relation);
  }

  /** @param {Relation | null} relation what is new is shown at once */
  function greet(relation) {
    const now = relation ?? "";
    if (now === before) return;
    before = now;
    if (relation === "triple" && (greeted || !askedLayer)) {
      for (const place of [0, 1]) tell(place, { layer: "difference" });
    } else if (relation === "triple") {
      tell(1, { layer: askedLayer });
    }
    greeted ||= relation === "triple";
    const drawer = /** @type {HTMLDetailsElement | null | undefined} */ (roots[1]?.querySelector('[data-role="options-drawer"]'));
    if (relation === "settings" && drawer) drawer.open = true;
  }

  function settle() {
    clearTimeout(later);
    later = setTimeout(() => {
      const search = besideQuery(location.search, pairs[0], pairs[1]);
      if (search !== location.search) history.replaceState(history.state, "", location.pathname + search + location.hash);
      if (shown) return;
      for (const place of [0, 1]) {
        const chosen = roots[place]?.querySelector('[data-layer="difference"]');
        if (chosen?.ariaChecked === "true") tell(place, { layer: "contribution" });
      }
    }, SETTLES);
  }

  function render() {
    if (!shown) return;
    const { first, second, relation, difference } = shown;
    const triple = relation === "triple";
    const balance = triple ? balanceOf(first, second, difference) : balanceOf(second, first, difference);
    const { most, least } = extremesOf(difference);
    if (triple) {
      const key = balance.total > 0 ? "triple.more" : balance.total < 0 ? "triple.less" : "triple.even";
      const [total, one, two] = [Math.abs(balance.total), balance.first, balance.second].map((value) => value.toFixed(1));
      const examples = [first.a, first.b, second.b];
      const caption = examples.every(({ example }) => example) && captions[examples.map(({ name }) => name).join(" ")];
      sentence.replaceChildren(
        make("b", {}, text(key, { total, first: one, second: two })),
        caption ? ` ${caption}` : "",
      );
    } else {
      const changes = changesOf(first, second).map((key) =>
        text("settings.change", { name: text(OPTION_TEXTS[key]), now: String(second.options[key]), before: String(first.options[key]) }),
      );
      const values = { changes: changes.join(", "), first: balance.second.toFixed(1), second: balance.first.toFixed(1) };
      sentence.replaceChildren(make("b", {}, changes.length ? text("settings.score", values) : text("settings.same")));
    }
    const words = triple
      ? { global: text("triple.global"), gains: text("triple.for"), losses: text("triple.against") }
      : { global: text("settings.global"), gains: text("settings.gained"), losses: text("settings.lost") };
    const differs = triple || changesOf(first, second).length > 0;
    sum.hidden = !differs;
    sum.replaceChildren(
      make("strong", { className: "diml-total" }, signed(balance.total, 1)),
      make("small", {}, text("triple.points")),
      make("span", { className: "diml-op" }, "="),
      termOf(balance.global, words.global, "diml-global"),
      termOf(balance.gains, words.gains, "diml-gains"),
      termOf(balance.losses, words.losses, "diml-losses"),
    );
    detail.hidden = !differs;
    const box = pointed.hover ?? pointed.pinned;
    if (box) detail.replaceChildren(sayPointed(box));
    else if (triple) {
      detail.replaceChildren(
        ...(most ? [text("triple.strongest"), " ", partButton(difference, most), " "] : []),
        ...(least ? [text("triple.weakest"), " ", partButton(difference, least)] : []),
      );
    } else {
      const [strongest] = [most, least].filter((each) => each !== null).sort((x, y) => Math.abs(y.points) - Math.abs(x.points));
      detail.replaceChildren(...(strongest ? [text("settings.strongest"), " ", partButton(difference, strongest)] : []));
    }
  }

  /** @param {Box} box */
  function sayPointed(box) {
    if (!shown) return "";
    const { first, second, relation, difference } = shown;
    const grid = { ...difference, count: difference.parts.length };
    const points = signed(sumOf(difference.parts, partsIn(grid, box)));
    if (relation === "settings") return text("settings.pointed", { points });
    const [to, from] = [first, second].map(({ a }) => signed(50 * sumOf(a.contribution, partsIn(a, box))).replace("+", ""));
    return text("triple.pointed", { first: to, second: from, points });
  }

  /**
   * @param {Difference} difference
   * @param {{part: number, cell: string, points: number}} of
   */
  function partButton(difference, { part, cell, points }) {
    const label = text("triple.part", { cell, points: signed(points) });
    return button(label, () => {
      if (!shown) return;
      const word = { from: root, kind: "pinned", side: "a", digest: shown.first.a.digest, box: boxOf(difference, [part]) };
      window.dispatchEvent(new CustomEvent(POINT_EVENT, { detail: word }));
    });
  }

  /** @param {Element} from @returns {number} 0, 1, or -1 for another viewer */
  const placeOf = (from) => {
    const known = roots.indexOf(from);
    // A viewer that is taken away may say so when it lies nowhere any more.
    return known >= 0 ? known : viewers.findIndex((selector) => from.closest(selector));
  };

  window.addEventListener(
    PAIR_EVENT,
    (event) => {
      /** @type {{from: Element, pair: Pair | null}} */
      const { from, pair } = /** @type {CustomEvent} */ (event).detail;
      const place = placeOf(from);
      if (place < 0) return;
      const last = pairs[place];
      roots[place] = pair ? from : null;
      pairs[place] = pair;
      const other = pairs[1 - place];
      // Three photos are compared at the same options: whoever moved leads, and of a pair that has just come the first.
      if (pair && other && relationOf(pairs[0], pairs[1]) === "triple" && changesOf(pair, other).length) {
        const moved = last?.a.digest === pair.a.digest && last.b.digest === pair.b.digest && last.model.name === pair.model.name;
        const leads = moved ? place : 0;
        const options = Object.fromEntries(OPTION_KEYS.map((key) => [key, pairs[leads]?.options[key]]));
        tell(1 - leads, { options });
      }
      compare();
      settle();
    },
    { signal: gone.signal },
  );
  window.addEventListener(
    POINT_EVENT,
    (event) => {
      /** @type {Word & {from: Element}} */
      const { from, kind, side, digest, box } = /** @type {CustomEvent} */ (event).detail;
      if (from !== root && placeOf(from) < 0) return;
      pointed[kind] = side === "a" && box && digest === pairs[0]?.a.digest ? box : null;
      if (kind === "pinned") pointed.hover = null;
      render();
    },
    { signal: gone.signal },
  );
  window.dispatchEvent(new CustomEvent(ASK_EVENT, { detail: { from: root } }));
  return () => {
    clearTimeout(later);
    gone.abort();
    panel.remove();
  };
}

/**
 * @param {number} value
 * @param {string} name
 * @param {string} className
 */
function termOf(value, name, className) {
  return make("span", { className: `diml-term ${className}` }, make("b", {}, signed(value, 1)), make("small", {}, name));
}
