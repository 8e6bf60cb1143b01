// Two viewers side by side: what makes the difference between their scores, in a panel above both, and in the layer of that
// name. Everything follows from the pairs that the two show at this moment, so that nothing is said of a pair that is gone or not here yet.

import { differenceOf } from "../engine/difference.js";
import { dropDifference, keepDifference } from "./difference.js";
import { changesOf, differencePanel } from "./contrast.js";
import { ASK_EVENT, BESIDE_EVENT, PAIR_EVENT, POINT_EVENT } from "./linking.js";
import { boxOf } from "./pair.js";
import { OPTION_KEYS } from "./share.js";

/** @import { Relation } from "./difference.js" */
/** @import { Compared } from "./contrast.js" */
/** @import { Word } from "./linking.js" */
/** @import { Box, Pair } from "./pair.js" */

const SETTLES = 400; // ms until an address is written, and a layer that has lost its numbers is left
const LINK_PATIENCE = 20_000; // ms
const KEYS = ["c", "beside"];

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
  const query = new URLSearchParams(location.search);
  let asked = query.get("layer"); // by the link
  // What a link asks for is not taken out of the address before it is here, nor kept there if it never comes.
  let awaited = KEYS.some((key) => query.has(key));
  setTimeout(() => (awaited = false), LINK_PATIENCE);
  /** @type {Relation | null} */
  let before = null;
  let wants = !asked || asked === "difference"; // whether three photos, when they are here, are coloured by what they differ by
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let later;

  const panel = differencePanel(captions, (difference, part) => {
    if (!shown) return;
    const word = { from: root, kind: "pinned", side: "a", digest: shown.first.a.digest, box: boxOf(difference, [part]) };
    window.dispatchEvent(new CustomEvent(POINT_EVENT, { detail: word }));
  });

  /** @type {(place: number, detail: object) => void} */
  const tell = (place, detail) => roots[place]?.dispatchEvent(new CustomEvent(BESIDE_EVENT, { detail }));

  /** @type {Compared | null} */
  let shown = null;

  function compare() {
    const [first, second] = pairs;
    const relation = relationOf(first, second);
    shown = null;
    // Of three photos one that stands at other options follows within a frame or two: what is said fades meanwhile, for a
    // panel that came and went would move the photos under the pointer.
    const follows = first && second && relation === "triple" && changesOf(first, second).length > 0;
    panel.node.classList.toggle("diml-following", Boolean(follows));
    if (follows) return;
    if (!relation) for (const pair of pairs) if (pair) dropDifference(pair);
    if (first && second && relation) {
      // Of three photos the left is measured by the right; of two settings the right, which is the news, by the left.
      const difference = relation === "triple" ? differenceOf(first, second) : differenceOf(second, first);
      for (const pair of [first, second]) keepDifference(pair, difference, relation);
      shown = { first, second, relation, difference };
      render();
    }
    if (!shown) panel.node.remove();
    else if (!panel.node.isConnected) root.append(panel.node);
    // Where nothing was and is to be seen of a difference, a viewer alone has nothing to look at anew.
    if (shown || before) for (const place of [0, 1]) tell(place, {});
    if (shown?.relation !== before) greet(shown?.relation ?? null);
  }

  /** @param {Relation | null} relation what is new is shown at once */
  function greet(relation) {
    before = relation;
    if (relation === "settings") {
      const drawer = roots[1]?.querySelector('[data-role="options-drawer"]');
      /** @type {HTMLDetailsElement | null | undefined} */ (drawer)?.setAttribute("open", "");
    }
    if (relation !== "triple") return;
    const layer = wants ? "difference" : asked;
    for (const place of [0, 1]) if (layer) tell(place, { layer });
    wants = false;
    asked = null;
  }

  function settle() {
    clearTimeout(later);
    later = setTimeout(() => {
      const search = awaited ? location.search : besideQuery(location.search, pairs[0], pairs[1]);
      if (search !== location.search) history.replaceState(history.state, "", location.pathname + search + location.hash);
      if (shown) return;
      for (const place of [0, 1]) {
        const chosen = roots[place]?.querySelector('[data-layer="difference"]');
        if (chosen?.ariaChecked !== "true") continue;
        tell(place, { layer: "contribution" });
        wants = true;
      }
    }, SETTLES);
  }

  function render() {
    if (shown) panel.show(shown, pointed.hover ?? pointed.pinned);
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
      if (place === 0 && pair?.a.digest !== last?.a.digest) pointed.hover = pointed.pinned = null;
      if (place === 1 && pair) awaited = false;
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
    panel.node.remove();
  };
}
