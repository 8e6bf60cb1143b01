// Presenter mode: large type, the controls out of the way. The page's own style sheet hides what is around.

import { text } from "./texts.js";

export const PRESENTING = "diml-presenting";
export const TURN_EVENT = "diml-turn"; // whoever has a row of pairs goes on or back; its detail is the step

/** A clicker in the hand of a speaker sends the keys of pages. @type {Record<string, number>} */
const STEPS = { ArrowRight: 1, ArrowDown: 1, PageDown: 1, ArrowLeft: -1, ArrowUp: -1, PageUp: -1 };
const HAS_ARROWS = "input, select, textarea, [role=application], [role=listbox], [role=radiogroup], [role=tablist], [role=slider]";

/**
 * The mode is the page's: all viewers enter and leave it together.
 *
 * @param {object} place
 * @param {HTMLElement} place.button enters and leaves
 * @param {HTMLElement} place.fullscreen fills the screen; there while the mode is on
 * @param {HTMLElement} place.note says why the screen is not filled
 * @param {AbortSignal} signal ends the mode and the listening
 */
export function connectPresenter({ button, fullscreen, note }, signal) {
  const page = document.documentElement;
  const isOn = () => page.classList.contains(PRESENTING);
  /** @param {boolean} on */
  const show = (on) => {
    page.classList.toggle(PRESENTING, on);
    if (!on && document.fullscreenElement === page) document.exitFullscreen();
    window.dispatchEvent(new Event(PRESENTING));
    if (on) window.scrollTo(0, 0); // all of it is in view there, and the button may have been far below
  };
  const tell = () => {
    button.ariaPressed = String(isOn());
    button.textContent = text(isOn() ? "present.leave" : "present.enter");
    fullscreen.hidden = !isOn();
    fullscreen.textContent = text(document.fullscreenElement ? "present.window" : "present.fullscreen");
    note.hidden = true;
  };
  tell();
  window.addEventListener(PRESENTING, tell, { signal });
  document.addEventListener("fullscreenchange", tell, { signal });
  button.addEventListener("click", () => show(!isOn()));
  fullscreen.addEventListener("click", async () => {
    try {
      await (document.fullscreenElement ? document.exitFullscreen() : page.requestFullscreen());
    } catch {
      // Within a frame that does not allow it, or in a browser (a phone's) that has none for pages.
      note.hidden = false;
      note.textContent = text("present.refused");
    }
  });
  // At the window, behind the document, where viewers let go of parts.
  window.addEventListener(
    "keydown",
    (event) => {
      // An Escape that let go of a part has done its work; a turn that another viewer took is taken.
      if (event.defaultPrevented || !isOn()) return;
      if (event.key === "Escape") return show(false);
      const step = STEPS[event.key];
      if (!step || event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return;
      if (event.key.startsWith("Arrow") && /** @type {Element} */ (event.target).closest?.(HAS_ARROWS)) return;
      // Where nobody goes on, as in a report, the key scrolls.
      if (!window.dispatchEvent(new CustomEvent(TURN_EVENT, { detail: step, cancelable: true }))) event.preventDefault();
    },
    { signal },
  );
  signal.addEventListener("abort", () => button.ariaPressed === "true" && show(false));
}
