// The controls of the comparison's options: whatever they say is computed here, at once.

import { button, make, uniqueId } from "./dom.js";
import { marginalsInWords } from "./marginals.js";
import { rich } from "./terms.js";
import { text } from "./texts.js";

/** @import { Model, Options } from "../engine/types.js" */

const LOWEST_EPSILON = 0.005;
// Of the slider, from the lowest epsilon to 1, each the same factor: one above 1.1, so that in two digits every step
// is another number.
export const EPSILON_STEPS = 55;

/**
 * The epsilon at a place of its slider, in two digits.
 *
 * @param {number} step 0 to EPSILON_STEPS
 */
export function epsilonAt(step) {
  return Number((LOWEST_EPSILON ** (1 - step / EPSILON_STEPS)).toPrecision(2));
}

/**
 * The place nearest to an epsilon.
 *
 * @param {number} epsilon
 */
export function stepOf(epsilon) {
  return Math.round(EPSILON_STEPS * (1 - Math.log(epsilon) / Math.log(LOWEST_EPSILON)));
}

/**
 * @typedef {object} Setting one option with a number
 * @property {"grid" | "mass" | "epsilon" | "start_block"} name
 * @property {number} low
 * @property {number} high
 * @property {number} step of the number; 1 allows whole numbers only
 * @property {boolean} [logarithmic] whether equal ways on the slider are equal factors
 */

/**
 * @param {Model} model
 * @returns {Setting[]}
 */
function settingsOf(model) {
  /** @type {Setting[]} */
  const settings = [
    {
      name: "grid",
      low: 1,
      high: model.maxGrid,
      step: 1,
    },
    {
      name: "mass",
      low: 0.05,
      high: 1,
      step: 0.05,
    },
    {
      name: "epsilon",
      low: LOWEST_EPSILON,
      high: 1,
      step: 0.005,
      logarithmic: true,
    },
  ];
  if (model.blocks) {
    settings.push({
      name: "start_block",
      low: model.firstBlock,
      high: model.blocks - 1,
      step: 1,
    });
  }
  return settings;
}

/**
 * @param {HTMLElement} root
 * @param {(options: Partial<Options>) => void} change is told what the visitor moved, and where to
 * @returns {(model: Model, options: Options) => void} shows the options of a pair, with the ranges of its model
 */
export function optionControls(root, change) {
  let built = "";
  /** @type {((options: Options) => void)[]} */
  let shows = [];
  return (model, options) => {
    const key = JSON.stringify(model);
    if (key !== built) {
      built = key;
      const numbers = settingsOf(model).map((setting) => numberControl(setting, change));
      const [grid, ...others] = numbers;
      const all = [grid, marginalControl(model, change), ...others];
      const reset = button(text("options.reset"), () => change(model.defaults));
      reset.dataset.role = "reset";
      root.replaceChildren(...all.map(({ node }) => node), reset);
      shows = all.map(({ show }) => show);
    }
    for (const show of shows) show(options);
  };
}

/**
 * A slider with a field for its number.
 *
 * @param {Setting} setting
 * @param {(options: Partial<Options>) => void} change
 */
function numberControl({ name, low, high, step, logarithmic }, change) {
  const label = text(`options.${name}.label`);
  const role = name.replace("_", "-");
  const ids = { slider: uniqueId(role), help: uniqueId(role) };
  const range = logarithmic ? { min: 0, max: EPSILON_STEPS, step: 1 } : { min: low, max: high, step };
  const slider = /** @type {HTMLInputElement} */ (
    make("input", { type: "range", id: ids.slider, ...range, "aria-describedby": ids.help })
  );
  const field = /** @type {HTMLInputElement} */ (
    make("input", { type: "number", min: low, max: high, step, ariaLabel: text("options.number", { label }), "aria-describedby": ids.help })
  );
  slider.dataset.role = `${role}-slider`;
  field.dataset.role = role;
  /** @param {number} at */
  const valueAt = (at) => (logarithmic ? epsilonAt(at) : at);
  let value = NaN;
  /** @param {number} to */
  const tell = (to) => change({ [name]: to });
  slider.addEventListener("input", () => tell(valueAt(slider.valueAsNumber)));
  field.addEventListener("input", () => {
    const typed = field.valueAsNumber;
    // What is not yet a value that can be served waits for more digits.
    if (typed >= low && typed <= high && (step !== 1 || Number.isInteger(typed))) tell(typed);
  });
  field.addEventListener("change", () => {
    const typed = Math.min(high, Math.max(low, field.valueAsNumber));
    if (Number.isFinite(typed)) tell(step === 1 ? Math.round(typed) : typed);
    else field.value = String(value);
  });
  const node = make(
    "div",
    { className: "diml-option" },
    make("label", { htmlFor: ids.slider }, label),
    field,
    slider,
    make("small", { id: ids.help }, ...rich(`options.${name}.help`)),
  );
  return {
    node,
    /** @param {Options} options */
    show(options) {
      value = options[name] ?? low;
      // Neither a slider under the pointer nor a number being typed must jump.
      if (valueAt(slider.valueAsNumber) !== value) slider.value = String(logarithmic ? stepOf(value) : value);
      if (field.valueAsNumber !== value) field.value = String(value);
      slider.setAttribute("aria-valuetext", String(value));
    },
  };
}

/**
 * @param {Model} model
 * @param {(options: Partial<Options>) => void} change
 */
function marginalControl(model, change) {
  const ids = { select: uniqueId("marginals"), help: uniqueId("marginals") };
  const choices = model.marginals.map((name) => make("option", { value: name }, marginalsInWords(name)));
  const select = /** @type {HTMLSelectElement} */ (
    make("select", { id: ids.select, "aria-describedby": ids.help }, ...choices)
  );
  select.dataset.role = "marginals";
  select.addEventListener("input", () => change({ marginals: select.value }));
  const node = make(
    "div",
    { className: "diml-option" },
    make("label", { htmlFor: ids.select }, text("options.marginals.label")),
    select,
    make("small", { id: ids.help }, ...rich("options.marginals.help")),
  );
  return {
    node,
    /** @param {Options} options */
    show(options) {
      select.value = options.marginals;
    },
  };
}
