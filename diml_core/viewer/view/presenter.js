// Presenter mode: large type, the controls out of the way. The page's own style sheet hides what is around.

const PRESENTING = "diml-presenting";

/**
 * The mode is the page's: all viewers enter and leave it together.
 *
 * @param {HTMLElement} button
 * @param {AbortSignal} signal ends the mode and the listening
 */
export function connectPresenter(button, signal) {
  const page = document.documentElement;
  /** @param {boolean} on */
  const show = (on) => {
    page.classList.toggle(PRESENTING, on);
    window.dispatchEvent(new Event(PRESENTING));
  };
  const tell = () => {
    const on = page.classList.contains(PRESENTING);
    button.ariaPressed = String(on);
    button.textContent = on ? "Leave presenter mode" : "Presenter mode";
  };
  tell();
  window.addEventListener(PRESENTING, tell, { signal });
  button.addEventListener("click", () => show(!page.classList.contains(PRESENTING)));
  // At the window, behind the document, where viewers let go of parts.
  window.addEventListener(
    "keydown",
    (event) => {
      // An Escape that let go of a part has done its work.
      if (event.key === "Escape" && !event.defaultPrevented) show(false);
    },
    { signal },
  );
  signal.addEventListener("abort", () => button.ariaPressed === "true" && show(false));
}
