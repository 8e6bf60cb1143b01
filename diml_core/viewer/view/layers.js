// The quantities a photo can be coloured by. Adding a layer touches LAYERS only.

import { make, percent } from "./dom.js";
import { pointsOf, written } from "./points.js";
import { text } from "./texts.js";

/** @import { Grid, Pair, PairSide, Side } from "./pair.js" */

/**
 * @typedef {object} Colouring
 * @property {import("./colour.js").ColourMap} map
 * @property {(pair: Pair, side: Side) => Grid | null} grid one number per cell; null while it is not known
 * @property {(pair: Pair) => [number, number]} range shared by both photos
 * @property {(value: number) => string} format with its unit
 */

/**
 * @typedef {object} Layer
 * @property {string} id
 * @property {string} label
 * @property {string} help
 * @property {string} [term] of the glossary, which its name is
 * @property {Colouring} [colouring] none: the photo as it is
 * @property {(pair: Pair) => boolean} [available] always, without
 * @property {string} [missing] why it is not available
 * @property {(pair: Pair) => string | null} [note] what to say in place of the help, if anything
 * @property {boolean} [attention] whether a part that is pointed at has a map of its own: where it looked
 */

/** @param {number} points */
export const inPoints = (points) => text("points", { points: points ? written(points) : "0" });

/** @param {"similarity" | "contribution" | "marginals" | "against" | "rollout" | "none"} id */
const words = (id) => ({ label: text(`layer.${id}.label`), help: text(`layer.${id}.help`) });

/** @type {readonly Layer[]} */
export const LAYERS = [
  {
    id: "similarity",
    ...words("similarity"),
    term: "cosine",
    colouring: {
      map: "viridis",
      grid: (pair, side) => gridOf(pair[side], pair[side].best),
      range: () => [0, 1],
      format: (value) => value.toFixed(2),
    },
  },
  {
    id: "contribution",
    ...words("contribution"),
    term: "contribution",
    colouring: {
      map: "magma",
      grid: (pair, side) => gridOf(pair[side], pair[side].contribution),
      range: (pair) => [0, largest(pair, (side) => side.contribution)],
      format: (value) => inPoints(pointsOf(value)),
    },
  },
  {
    id: "marginals",
    ...words("marginals"),
    term: "importance",
    colouring: {
      map: "cividis",
      grid: (pair, side) => gridOf(pair[side], pair[side].marginals),
      range: (pair) => [0, largest(pair, (side) => side.marginals)],
      format: (value) => percent(value, 1),
    },
  },
  {
    id: "against",
    ...words("against"),
    term: "against",
    colouring: {
      map: "viridis",
      grid: (pair, side) => gridOf(pair[side], pair[side].against),
      range: (pair) => [0, largest(pair, (side) => side.against)],
      format: (value) => inPoints(100 * value),
    },
  },
  {
    id: "rollout",
    ...words("rollout"),
    term: "rollout",
    available: (pair) => Boolean(pair.a.rollout && pair.b.rollout),
    missing: text("layer.rollout.missing"),
    attention: true,
    colouring: {
      map: "inferno",
      grid: (pair, side) => pair[side].rollout ?? { rows: 1, columns: 1, values: [0] },
      range: (pair) => [0, largest(pair, (side) => side.rollout?.values ?? [])],
      format: (value) => percent(value, 1),
    },
  },
  { id: "none", ...words("none") },
];

/**
 * @param {string} id
 * @returns {Layer}
 */
export function layerOf(id) {
  return LAYERS.find((layer) => layer.id === id) ?? LAYERS[0];
}

/**
 * @param {PairSide} side
 * @param {Float64Array} values
 * @returns {Grid}
 */
export function gridOf(side, values) {
  return { rows: side.rows, columns: side.columns, values };
}

/**
 * @param {Pair} pair
 * @param {(side: PairSide) => Iterable<number>} pick
 */
function largest(pair, pick) {
  let top = 0;
  for (const side of [pair.a, pair.b]) for (const value of pick(side)) if (value > top) top = value;
  return top || 1;
}

/**
 * The row of layers: a radio group, so one stop for Tab, in which the arrow keys move and choose.
 *
 * @param {HTMLElement} root
 * @param {(id: string) => void} choose
 * @returns {(pair: Pair, id: string) => void} shows what can be chosen and what is
 */
export function layerRow(root, choose) {
  const radios = LAYERS.map((layer) => {
    const radio = /** @type {HTMLButtonElement} */ (make("button", { type: "button", role: "radio" }, layer.label));
    radio.dataset.layer = layer.id;
    radio.addEventListener("click", () => choose(layer.id));
    return radio;
  });
  root.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!step) return;
    const usable = radios.filter((radio) => !radio.disabled);
    const at = usable.findIndex((radio) => radio === event.target);
    const next = usable[(at + step + usable.length) % usable.length];
    next.focus();
    choose(next.dataset.layer ?? "");
    event.preventDefault();
  });
  root.replaceChildren(...radios);
  return (pair, id) => {
    LAYERS.forEach((layer, index) => {
      const usable = !layer.available || layer.available(pair);
      const radio = radios[index];
      radio.disabled = !usable;
      radio.title = (usable ? layer.help : layer.missing) ?? "";
      radio.ariaChecked = String(layer.id === id);
      radio.tabIndex = layer.id === id ? 0 : -1;
    });
    // With another method's layer none is chosen, and Tab must still come here.
    if (!LAYERS.some((layer) => layer.id === id)) radios[0].tabIndex = 0;
  };
}
