// One picture of the state: which colours, outlines, lines and legends belong to what is pointed at.

import { gradient } from "./colour.js";
import { make } from "./dom.js";
import { gridOf, inPoints } from "./layers.js";
import { SIDES, flowFrom, otherSide, planIndex, strongestOf } from "./pair.js";
import { pointsOf } from "./points.js";
import { outlineParts, paintGrid, paintLines } from "./stage.js";
import { term } from "./terms.js";
import { text } from "./texts.js";

/** @import { Layer } from "./layers.js" */
/** @import { Grid, Pair, Pointed, Side } from "./pair.js" */

const TARGETS_PER_PART = 6;
const RIBBONS = 40;

/**
 * @typedef {object} Canvases
 * @property {Record<Side, HTMLCanvasElement>} overlays
 * @property {Record<Side, HTMLElement>} frames
 * @property {HTMLCanvasElement} flow
 */

/**
 * @typedef {object} Legend
 * @property {string} name
 * @property {string} [term] of the glossary
 * @property {import("./colour.js").ColourMap} map
 * @property {string} low
 * @property {string} high
 * @property {string} help
 */

/**
 * @typedef {object} View what the visitor has set
 * @property {Layer} layer
 * @property {number} lines how many at most
 * @property {number} opacity per cent
 */

/**
 * @param {Canvases} canvases
 * @param {import("./stage.js").Boxes} boxes
 * @param {Pair} pair
 * @param {View} view
 * @param {Pointed | null} pointed
 * @param {Grid | string | null} looked where the pointed parts looked, or a sentence why that is not shown
 * @returns {Legend[]}
 */
export function paintPair({ overlays, frames, flow }, boxes, pair, view, pointed, looked) {
  const { layer } = view;
  const opacity = view.opacity / 100;
  const lines = pointed ? ribbonsOf(pair, pointed) : strongestLines(pair, view.lines);
  /** @type {Legend[]} */
  const legends = [];
  const flowTop = Math.max(pair.contribution[pair.order[0]], 1e-9);
  const receivedTop = pointed ? Math.max(flowTop, ...pointed.flow.contribution) : 0;
  const lookedGrid = typeof looked === "object" ? looked : null;
  for (const side of SIDES) {
    const canvas = overlays[side];
    let coloured = Boolean(layer.colouring);
    if (pointed && pointed.side !== side) {
      const received = gridOf(pair[side], pointed.flow.contribution);
      paintGrid(canvas, boxes[side], received, [0, receivedTop], "magma", opacity);
      outlineParts(canvas, pair[side], pointed.to === undefined ? strongestOf(pointed.flow.mass, 1) : [pointed.to]);
      coloured = true;
    } else if (layer.colouring) {
      const { map, grid, range, format } = layer.colouring;
      const own = pointed ? lookedGrid : null;
      const shown = own ? { grid: own, range: ownRange(own) } : { grid: grid(pair, side), range: range(pair) };
      paintGrid(canvas, boxes[side], shown.grid, shown.range, map, opacity);
      // Without a selection both photos share one legend.
      if (pointed || side === "a") {
        const what = own ? text("legend.own", { layer: layer.label }) : layer.label;
        const name = pointed ? text("legend.of", { what, photo: side.toUpperCase() }) : what;
        const help = pointed && typeof looked === "string" ? looked : (layer.note?.(pair) ?? layer.help);
        legends.push({ ...legend(name, map, shown.range, format, help), term: layer.term });
      }
    } else {
      paintGrid(canvas, boxes[side], null, [0, 1], "magma", opacity);
    }
    if (pointed?.side === side) outlineParts(canvas, pair[side], pointed.parts);
    frames[side].classList.toggle("diml-coloured", coloured && opacity > 0);
  }
  /** @type {(value: number) => string} */
  const number = (value) => inPoints(pointsOf(value));
  if (pointed) {
    const where = text("legend.received", { photo: otherSide(pointed.side).toUpperCase() });
    legends.push(legend(where, "magma", [0, receivedTop], number, text("legend.received.help")));
  } else if (lines.length) {
    legends.push({ ...legend(text("legend.lines"), "magma", [0, flowTop], number, text("legend.lines.help")), term: "flow_line" });
  }
  paintLines(flow, boxes, pair, lines, "magma", flowTop);
  return legends;
}

/**
 * @param {Grid} grid
 * @returns {[number, number]}
 */
function ownRange({ values }) {
  return [0, Math.max(...values, 1e-9)];
}

/**
 * @param {Pair} pair
 * @param {number} count
 */
function strongestLines(pair, count) {
  return pair.order.slice(0, count).filter((k) => pair.contribution[k] > 0);
}

/**
 * @param {Pair} pair
 * @param {Pointed} pointed
 */
function ribbonsOf(pair, { side, parts }) {
  const lines = [];
  for (const part of parts) {
    for (const to of strongestOf(flowFrom(pair, side, [part]).mass, TARGETS_PER_PART)) {
      lines.push(planIndex(pair, side, part, to));
    }
  }
  return lines.sort((x, y) => pair.plan[y] - pair.plan[x]).slice(0, RIBBONS);
}

/**
 * @param {string} name
 * @param {import("./colour.js").ColourMap} map
 * @param {[number, number]} range
 * @param {(value: number) => string} format
 * @param {string} help
 * @returns {Legend}
 */
function legend(name, map, range, format, help) {
  return { name, map, low: format(range[0]), high: format(range[1]), help };
}

/**
 * @param {HTMLElement} root
 * @param {Legend[]} legends
 */
export function renderLegends(root, legends) {
  // While the pointer moves, legends mostly stay the same: leave the page alone then.
  const key = JSON.stringify(legends);
  if (root.dataset.shown === key) return;
  root.dataset.shown = key;
  root.replaceChildren(
    ...legends.map(({ name, term: id, map, low, high, help }) =>
      make(
        "div",
        { className: "diml-legend" },
        make("span", { className: "diml-legend-name" }, id ? term(id, name) : name),
        make("span", {}, low),
        make("span", { className: "diml-ramp", style: `background:${gradient(map)}` }),
        make("span", {}, high),
        make("small", {}, help),
      ),
    ),
  );
}
