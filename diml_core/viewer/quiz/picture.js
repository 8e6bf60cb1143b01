// The photos of a round, and what is painted over them.

import { make } from "../view/dom.js";
import { SIDES, indicesOfLargest } from "../view/pair.js";
import { outlineParts, paintGrid, paintLines } from "../view/stage.js";
import { text } from "../view/texts.js";

/** @import { Pair, PairSide, Side } from "../view/pair.js" */
/** @import { RoundPair } from "./round.js" */

const LINES = 14; // strongest ones of a drawing
const OWN_DASH = [7, 7]; // px

/**
 * @typedef {object} Painted what lies over one photo
 * @property {ArrayLike<number> & Iterable<number>} [values] of its parts
 * @property {import("../view/colour.js").ColourMap} [map] of the values
 * @property {number} [veil] how opaque the lowest value is, against the highest
 * @property {number[]} [parts] with a solid outline
 * @property {number[]} [own] with a dashed one: the visitor's
 * @property {boolean} [spotlit] whether all but `parts` is dimmed
 * @property {[number, number] | null} [point] ringed, as fractions of width and height
 */

/**
 * One photo, as a figure.
 *
 * @param {RoundPair} pair
 * @param {Side} side
 * @returns {{node: HTMLElement, frame: HTMLElement, canvas: HTMLCanvasElement}}
 */
export function pictureOf({ payload, photos }, side) {
  const [width, height] = payload[side].size;
  const image = make("img", { src: photos[side].src, alt: "", draggable: false });
  const canvas = /** @type {HTMLCanvasElement} */ (make("canvas", { "aria-hidden": "true" }));
  const frame = make("div", { className: "quiz-frame" }, image, canvas);
  frame.style.aspectRatio = `${width} / ${height}`;
  frame.style.setProperty("--aspect", String(width / height));
  const caption = make("figcaption", {}, make("b", {}, side.toUpperCase()));
  return { node: make("figure", { className: "quiz-photo" }, frame, caption), frame, canvas };
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {PairSide} side
 * @param {Painted} painted
 */
export function paintOver(canvas, side, { values, map = "magma", veil = 0, parts = [], own = [], spotlit = false, point }) {
  const box = canvas.getBoundingClientRect();
  const { rows, columns } = side;
  if (spotlit) {
    paintGrid(canvas, box, null, [0, 1], map, 0); // cleared
    shadeOthers(canvas, box, side, parts);
  } else {
    const grid = values ? { rows, columns, values } : null;
    const most = values ? Math.max(...values, 1e-12) : 1;
    paintGrid(canvas, box, grid, [0, most], map, 0.75, veil);
  }
  if (parts.length) outlineParts(canvas, side, parts);
  if (own.length) outlineParts(canvas, side, own, OWN_DASH);
  if (point) ring(canvas, box, point);
}

/**
 * Dims a photo, so that some parts of it stand out.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {DOMRect} box
 * @param {PairSide} side
 * @param {number[]} parts
 */
function shadeOthers(canvas, box, { rows, columns }, parts) {
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.fillStyle = "rgba(8, 12, 24, .45)";
  for (let part = 0; part < rows * columns; part++) {
    if (parts.includes(part)) continue;
    const [row, column] = [Math.floor(part / columns), part % columns];
    // In whole pixels, so that neighbours neither overlap nor leave seams.
    const [left, right] = [column, column + 1].map((at) => Math.round((at * box.width) / columns));
    const [top, bottom] = [row, row + 1].map((at) => Math.round((at * box.height) / rows));
    context.fillRect(left, top, right - left, bottom - top);
  }
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {DOMRect} box
 * @param {[number, number]} point
 */
function ring(canvas, box, [x, y]) {
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  for (const [style, width] of /** @type {const} */ ([["#000", 5], ["#fff", 2.5]])) {
    context.beginPath();
    context.arc(x * box.width, y * box.height, 9, 0, 2 * Math.PI);
    context.strokeStyle = style;
    context.lineWidth = width;
    context.stroke();
  }
}

/**
 * A pair as one model sees it: importance in colour, and the strongest lines.
 *
 * @param {RoundPair} round
 * @returns {{node: HTMLElement, paint: () => void}}
 */
export function drawingOf(round) {
  const { pair } = round;
  const pictures = { a: pictureOf(round, "a"), b: pictureOf(round, "b") };
  const flow = /** @type {HTMLCanvasElement} */ (make("canvas", { className: "quiz-lines", "aria-hidden": "true" }));
  const node = make("div", { className: "quiz-pair" }, pictures.a.node, pictures.b.node, flow);
  const lines = indicesOfLargest(pair.contribution, LINES);
  const paint = () => {
    for (const side of SIDES)
      paintOver(pictures[side].canvas, pair[side], { values: pair[side].marginals, map: "cividis", veil: 0.4 });
    const boxes = { stage: node.getBoundingClientRect(), a: boxOf(pictures.a), b: boxOf(pictures.b) };
    paintLines(flow, boxes, pair, lines, "magma", Math.max(pair.contribution[lines[0]], 1e-9));
  };
  return { node, paint };
}

/** @param {{frame: HTMLElement}} picture */
const boxOf = ({ frame }) => frame.getBoundingClientRect();

/**
 * What an outline or a ring over a photo means.
 *
 * @param {("best" | "own" | "marked")[]} kinds
 * @returns {HTMLElement}
 */
export function legendOf(kinds) {
  const item = (/** @type {"best" | "own" | "marked"} */ kind) =>
    make("li", {}, make("span", { className: `quiz-sample quiz-sample-${kind}` }), text(`quiz.legend.${kind}`));
  return make("ul", { className: "quiz-legend" }, ...kinds.map(item));
}
