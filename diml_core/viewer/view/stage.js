// Painting: the colours over each photo and the flow lines between them.

import { TWO_SIDED, colour } from "./colour.js";

/** @import { ColourMap } from "./colour.js" */
/** @import { Grid, Pair, Side } from "./pair.js" */
/** @typedef {Record<"stage" | Side, DOMRect>} Boxes in page pixels */

const BOW = 0.3; // sideways bend of a line, as a fraction of its length
const LINE_WIDTH = [1.2, 7]; // px, for no mass and for the most mass of any line

/**
 * Where everything lies. Read once per frame, before anything is written: each look at the layout after a change
 * would make the browser compute it again.
 *
 * @param {HTMLElement} stage
 * @param {Record<Side, HTMLElement>} frames
 * @returns {Boxes}
 */
export function measureStage(stage, frames) {
  return {
    stage: stage.getBoundingClientRect(),
    a: frames.a.getBoundingClientRect(),
    b: frames.b.getBoundingClientRect(),
  };
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {{width: number, height: number}} box in page pixels
 */
export function clearedCanvas(canvas, box) {
  const ratio = window.devicePixelRatio || 1;
  const width = Math.round(box.width * ratio);
  const height = Math.round(box.height * ratio);
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  }
  const context = contextOf(canvas);
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, box.width, box.height);
  return context;
}

/**
 * @param {HTMLCanvasElement} canvas
 * @returns {CanvasRenderingContext2D}
 */
function contextOf(canvas) {
  return /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {{width: number, height: number}} box of the photo
 * @param {Grid | null} grid null leaves the photo as it is
 * @param {[number, number]} range of the map
 * @param {ColourMap} map
 * @param {number} opacity
 * @param {number} [veil] how opaque the lowest value is, as a fraction of the opacity: below 1, the photo stays
 *   visible where there is little to see
 */
export function paintGrid(canvas, box, grid, range, map, opacity, veil = 0.4) {
  const context = clearedCanvas(canvas, box);
  if (!grid) return;
  const { width, height } = box;
  const cellWidth = width / grid.columns;
  const cellHeight = height / grid.rows;
  for (let row = 0; row < grid.rows; row++) {
    for (let column = 0; column < grid.columns; column++) {
      const value = grid.values[row * grid.columns + column];
      const fraction = Math.min(1, Math.max(0, (value - range[0]) / (range[1] - range[0])));
      const strength = TWO_SIDED.includes(map) ? Math.abs(2 * fraction - 1) : fraction;
      context.fillStyle = colour(map, fraction, opacity * (veil + (1 - veil) * strength));
      // Edges are rounded to whole pixels so that neighbours neither overlap nor leave seams.
      const left = Math.round(column * cellWidth);
      const top = Math.round(row * cellHeight);
      context.fillRect(
        left,
        top,
        Math.round((column + 1) * cellWidth) - left,
        Math.round((row + 1) * cellHeight) - top,
      );
    }
  }
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {{rows: number, columns: number}} side
 * @param {number[]} parts
 * @param {number[]} [dash] px of line and gap, for an outline that is told from the others
 */
export function outlineParts(canvas, side, parts, dash = []) {
  const ratio = window.devicePixelRatio || 1;
  const context = contextOf(canvas);
  const cellWidth = canvas.width / ratio / side.columns;
  const cellHeight = canvas.height / ratio / side.rows;
  const chosen = new Set(parts);
  const path = new Path2D();
  for (const part of parts) {
    const row = Math.floor(part / side.columns);
    const column = part % side.columns;
    /** @type {[boolean, number, number, number, number][]} */
    const edges = [
      // Only edges towards cells outside the selection, so that a region has one outline.
      [row === 0 || !chosen.has(part - side.columns), 0, 0, 1, 0],
      [row === side.rows - 1 || !chosen.has(part + side.columns), 0, 1, 1, 1],
      [column === 0 || !chosen.has(part - 1), 0, 0, 0, 1],
      [column === side.columns - 1 || !chosen.has(part + 1), 1, 0, 1, 1],
    ];
    for (const [outer, x0, y0, x1, y1] of edges) {
      if (!outer) continue;
      path.moveTo((column + x0) * cellWidth, (row + y0) * cellHeight);
      path.lineTo((column + x1) * cellWidth, (row + y1) * cellHeight);
    }
  }
  context.lineCap = "square";
  for (const [style, width] of /** @type {const} */ ([["#000", 5], ["#fff", 2.5]])) {
    context.strokeStyle = style;
    context.lineWidth = width;
    context.setLineDash(style === "#fff" ? dash : []);
    context.stroke(path);
  }
  context.setLineDash([]);
}

/**
 * Flow lines: width is by mass, colour by contribution.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {Boxes} boxes
 * @param {Pair} pair
 * @param {number[]} lines indices of pairs of parts, strongest first
 * @param {ColourMap} map
 * @param {number} top the contribution that has the map's last colour
 */
export function paintLines(canvas, boxes, pair, lines, map, top) {
  const context = clearedCanvas(canvas, boxes.stage);
  const origin = boxes.stage;
  /** @type {(side: Side, part: number) => [number, number]} */
  const centre = (side, part) => {
    const { rows, columns } = pair[side];
    const box = boxes[side];
    return [
      box.left - origin.left + ((part % columns) + 0.5) * (box.width / columns),
      box.top - origin.top + (Math.floor(part / columns) + 0.5) * (box.height / rows),
    ];
  };
  const stacked = boxes.b.top >= boxes.a.bottom;
  context.lineCap = "round";
  const mostMass = Math.max(...lines.map((k) => pair.plan[k]), 1e-12);
  // Weakest first, so that the strongest lie on top.
  for (const k of [...lines].reverse()) {
    const partA = Math.floor(k / pair.b.count);
    const partB = k % pair.b.count;
    const strength = pair.contribution[k] / top;
    const [x0, y0] = centre("a", partA);
    const [x1, y1] = centre("b", partB);
    const [reachX, reachY] = stacked ? [0, (y1 - y0) * 0.4] : [(x1 - x0) * 0.4, 0];
    // Lines between equal rows would lie on one another: each bows a little, by where it starts.
    const { rows, columns } = pair.a;
    const at = stacked ? Math.floor(partA / columns) / rows : (partA % columns) / columns;
    const bow = (at - 0.5) * Math.hypot(x1 - x0, y1 - y0) * BOW;
    const [bowX, bowY] = stacked ? [bow, 0] : [0, bow];
    const path = new Path2D();
    path.moveTo(x0, y0);
    path.bezierCurveTo(x0 + reachX + bowX, y0 + reachY + bowY, x1 - reachX + bowX, y1 - reachY + bowY, x1, y1);
    const width = LINE_WIDTH[0] + ((LINE_WIDTH[1] - LINE_WIDTH[0]) * pair.plan[k]) / mostMass;
    // A light casing keeps dark lines visible on dark photos, and the other way round.
    context.strokeStyle = "rgba(255,255,255,.7)";
    context.lineWidth = width + 1.6;
    context.stroke(path);
    context.strokeStyle = colour(map, strength);
    context.lineWidth = width;
    context.stroke(path);
    for (const [x, y] of [[x0, y0], [x1, y1]]) {
      context.beginPath();
      context.arc(x, y, Math.max(3, width / 2 + 1), 0, 2 * Math.PI);
      context.fillStyle = colour(map, strength);
      context.fill();
      context.strokeStyle = "rgba(255,255,255,.9)";
      context.lineWidth = 1.5;
      context.stroke();
    }
  }
}
