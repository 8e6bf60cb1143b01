// A row of pairs to choose from, a button each: it marks the pair that a viewer shows, and in presenter mode goes on and back.

import { PAIR_EVENT, ASK_EVENT } from "./linking.js";
import { PRESENTING, TURN_EVENT } from "./presenter.js";

/**
 * To go on or back is to click that card: whoever listens for clicks on cards needs nothing else.
 *
 * @param {HTMLElement} row with a `button[data-photos]` for each pair, the names of its example photos in order, and
 *   perhaps `button[data-turn]`, whose value is a step
 * @param {string} shownIn selects the viewer whose pair is marked
 */
export function mountStrip(row, shownIn) {
  /** @type {HTMLElement[]} */
  const cards = [...row.querySelectorAll("button[data-photos]")].map((card) => /** @type {HTMLElement} */ (card));
  /** Of the pair that the viewer shows; null for photos of the visitor's own. @type {HTMLElement | null} */
  let shown = null;
  /** Chosen and not shown yet: who goes on quickly goes on from it. @type {HTMLElement | null} */
  let wanted = null;

  // Not scrollIntoView, which would move the page, too.
  /** @param {HTMLElement} card */
  const uncover = (card) => {
    const strip = /** @type {HTMLElement} */ (card.parentElement);
    strip.scrollLeft = card.offsetLeft - (strip.clientWidth - card.offsetWidth) / 2;
  };

  /** @param {number} step */
  const turn = (step) => {
    const from = cards.indexOf(/** @type {HTMLElement} */ (wanted ?? shown));
    const next = from < 0 ? (step > 0 ? 0 : cards.length - 1) : (from + step + cards.length) % cards.length;
    cards[next].click();
  };

  row.addEventListener("click", ({ target }) => {
    const button = /** @type {HTMLElement | null} */ (/** @type {Element} */ (target).closest("button"));
    if (button?.dataset.turn) turn(Number(button.dataset.turn));
    else if (button && cards.includes(button)) uncover((wanted = button));
  });

  window.addEventListener(TURN_EVENT, (event) => {
    if (!row.offsetParent) return; // another tab is open
    event.preventDefault();
    turn(/** @type {CustomEvent} */ (event).detail);
  });

  // Cards are as wide as the mode has them.
  window.addEventListener(PRESENTING, () => shown && uncover(shown));

  window.addEventListener(PAIR_EVENT, (event) => {
    const { from, pair } = /** @type {CustomEvent} */ (event).detail;
    if (!from.closest(shownIn)) return;
    const photos = pair?.a.example && pair.b.example ? [pair.a.name, pair.b.name].sort().join(" ") : null;
    const now = cards.find((card) => card.dataset.photos === photos) ?? null;
    if (now && now === wanted) wanted = null;
    if (now === shown) return;
    shown?.removeAttribute("aria-current");
    now?.setAttribute("aria-current", "true");
    shown = now;
    if (now) uncover(now);
  });
  // The viewer may have been quicker.
  window.dispatchEvent(new CustomEvent(ASK_EVENT, { detail: { from: null } }));
}
