// The viewer's door. A host (a Gradio component, a notebook widget, a report's page) brings a model of anywidget's
// kind and an element; nothing here knows which host it is.

import { TEMPLATE } from "./view/template.js";
import { createViewer } from "./view/viewer.js";

/** @import { Payload } from "./engine/types.js" */
/** @import { Ask } from "./view/asking.js" */

/**
 * @typedef {object} Model the host's state. Keys: `pair`, which the viewer shows (a payload, `{}` for none,
 *   `{error: sentence}`), `selected`, which both write, and `options`, with the `model` that they are of, which the
 *   viewer writes.
 * @property {(key: string) => any} get
 * @property {(key: string, value: unknown) => void} set
 * @property {() => void} save_changes
 * @property {(event: string, listener: () => void) => void} on
 * @property {(event: string, listener: () => void) => void} off
 */

/**
 * Puts a viewer into an element.
 *
 * @param {object} host
 * @param {Model} host.model
 * @param {HTMLElement} host.el
 * @param {Ask | null} [host.ask] the way to the network for the counterfactual; null where there is none
 * @param {boolean} [host.address] whether the viewer keeps its view in the address bar
 * @returns {() => void} takes the viewer away again, with all it listens to
 */
export function mount({ model, el, ask = null, address = false }) {
  el.innerHTML = TEMPLATE;
  const viewer = createViewer(el, {
    ask,
    address,
    tell: (key, value) => {
      model.set(key, value);
      model.save_changes();
    },
  });
  const show = () => viewer.update(/** @type {Payload | {error?: string}} */ (model.get("pair")));
  const select = () => viewer.select(model.get("selected") ?? null);
  model.on("change:pair", show);
  model.on("change:selected", select);
  select();
  show();
  return () => {
    model.off("change:pair", show);
    model.off("change:selected", select);
    viewer.destroy();
    el.replaceChildren();
  };
}
