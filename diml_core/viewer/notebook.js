// The notebook's door: what anywidget wants of a module.

import { mount } from "./mount.js";

/** @import { Model } from "./mount.js" */

// JupyterLab, VS Code, Colab: how each says that it is dark.
const DARK = 'body[data-jp-theme-light="false"], body.vscode-dark, html[theme="dark"]';

/** @param {any} options */
const withoutModel = (options) => Object.fromEntries(Object.entries(options).filter(([name]) => name !== "model"));

/**
 * @param {{model: Model, el: HTMLElement}} cell
 * @returns {() => void} takes the viewer away again
 */
function render({ model, el }) {
  el.classList.toggle("dark", document.querySelector(DARK) !== null);
  // A widget that is shown a second time starts where its controls stand, not where they once stood.
  const pair = () => ({ ...model.get("pair"), options: model.get("options") });
  return mount({
    model: {
      get: (key) => (key === "pair" ? pair() : model.get(key)),
      // The pair never changes: which model the options are of needs no saying.
      set: (key, value) => model.set(key, key === "options" ? withoutModel(value) : value),
      save_changes: () => model.save_changes(),
      on: (event, listener) => model.on(event, listener),
      off: (event, listener) => model.off(event, listener),
    },
    el,
  });
}

export default { render };
