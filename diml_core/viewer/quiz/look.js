// "Then look": the viewer itself, at what was asked about.

import { mount } from "../mount.js";
import { button, make } from "../view/dom.js";
import { text } from "../view/texts.js";

/** @import { Payload } from "../engine/types.js" */
/** @import { Selection } from "../view/pair.js" */

/**
 * @typedef {object} Look something that can be looked at
 * @property {string} label
 * @property {Payload} payload
 * @property {Selection} [selected] parts that are kept
 */

/**
 * Buttons for what can be looked at, and a viewer of what was chosen. With one thing to look at it is shown at once.
 *
 * @param {HTMLElement} root
 * @param {Look[]} looks
 * @returns {() => void} takes it away again
 */
export function offerLooks(root, looks) {
  const place = make("div", { className: "quiz-viewer" });
  let close = () => {};
  /** @param {Look} look */
  const show = (look) => {
    close();
    const { payload, selected } = look;
    const kept = { pair: payload, selected: selected && { side: selected.side, parts: selected.parts } };
    const model = {
      get: (/** @type {string} */ key) => Reflect.get(kept, key),
      set: () => {},
      save_changes: () => {},
      on: () => {},
      off: () => {},
    };
    close = mount({ model, el: place });
    buttons.forEach((each, index) => (each.ariaPressed = String(looks[index] === look)));
  };
  const buttons = looks.map((look) => button(look.label, () => show(look), { ariaPressed: "false" }));
  const [only] = looks;
  const title = make("h3", {}, looks.length > 1 ? text("quiz.look.choose") : only.label);
  root.replaceChildren(title, ...(looks.length > 1 ? [make("div", { className: "quiz-buttons" }, ...buttons)] : []), place);
  if (looks.length === 1) show(only);
  return () => {
    close();
    root.replaceChildren();
  };
}
