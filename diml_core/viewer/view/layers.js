// The quantities a photo can be coloured by. Adding a layer touches LAYERS only.

import { DIFFERENCE } from "./difference.js";
import { make } from "./dom.js";

/** @import { Grid, Pair, PairSide, Side } from "./pair.js" */

/**
 * @typedef {object} Colouring
 * @property {import("./colour.js").ColourMap} map
 * @property {(pair: Pair, side: Side) => Grid | null} grid one number per cell; null while it is not known
 * @property {(pair: Pair) => [number, number]} range shared by both photos
 * @property {(value: number) => string} format
 */

/**
 * @typedef {object} Layer
 * @property {string} id
 * @property {string} label
 * @property {string} help
 * @property {Colouring} [colouring] none: the photo as it is
 * @property {(pair: Pair) => boolean} [available] always, without
 * @property {string} [missing] why it is not available
 * @property {(pair: Pair) => string | null} [note] what to say in place of the help, if anything
 * @property {boolean} [beside] whether it is of two viewers side by side: not offered where there is one
 * @property {boolean} [attention] whether a part that is pointed at has a map of its own: where it looked
 */

/** @type {readonly Layer[]} */
export const LAYERS = [
  {
    id: "similarity",
    label: "Part similarity",
    help: "How much each part resembles the most similar part of the other photo (cosine).",
    colouring: {
      map: "viridis",
      grid: (pair, side) => gridOf(pair[side], pair[side].best),
      range: () => [0, 1],
      format: (value) => value.toFixed(2),
    },
  },
  {
    id: "contribution",
    label: "Contribution",
    help: "What each part adds to the structural similarity: transported mass times similarity.",
    colouring: {
      map: "magma",
      grid: (pair, side) => gridOf(pair[side], pair[side].contribution),
      range: (pair) => [0, largest(pair, (side) => side.contribution)],
      format: (value) => value.toFixed(4),
    },
  },
  {
    id: "marginals",
    label: "Importance",
    help: "The marginals: how much each part counts in the transport. They sum to 1.",
    colouring: {
      map: "cividis",
      grid: (pair, side) => gridOf(pair[side], pair[side].marginals),
      range: (pair) => [0, largest(pair, (side) => side.marginals)],
      format: (value) => value.toFixed(4),
    },
  },
  {
    id: "against",
    label: "Against",
    help:
      "What speaks against the pair: parts whose best match is below the average of all mass that is moved, in points " +
      "of the overall score by which they keep it down.",
    colouring: {
      map: "viridis",
      grid: (pair, side) => gridOf(pair[side], pair[side].against),
      range: (pair) => [0, largest(pair, (side) => side.against)],
      format: (value) => value.toFixed(4),
    },
  },
  {
    id: "rollout",
    label: "Attention",
    help:
      "Truncated attention rollout: from which patches the class token got its information. Point at a part " +
      "to see where that part looked.",
    available: (pair) => Boolean(pair.a.rollout && pair.b.rollout),
    missing: "Only vision transformers have attention to roll out.",
    attention: true,
    colouring: {
      map: "inferno",
      grid: (pair, side) => pair[side].rollout ?? { rows: 1, columns: 1, values: [0] },
      range: (pair) => [0, largest(pair, (side) => side.rollout?.values ?? [])],
      format: (value) => value.toFixed(4),
    },
  },
  DIFFERENCE,
  { id: "none", label: "Photo only", help: "No colours: the photos and the flow lines." },
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
      radio.hidden = !usable && Boolean(layer.beside);
      radio.title = (usable ? layer.help : layer.missing) ?? "";
      radio.ariaChecked = String(layer.id === id);
      radio.tabIndex = layer.id === id ? 0 : -1;
    });
    // With another method's layer none is chosen, and Tab must still come here.
    if (!LAYERS.some((layer) => layer.id === id)) radios[0].tabIndex = 0;
  };
}
