// A matrix of all pairs of parts as a picture: a pixel each, however many there are.

import { gradient, pixelsOf } from "../colour.js";
import { make } from "../dom.js";
import { listenToFrame } from "../pointing.js";
import { clearedCanvas } from "../stage.js";
import { text } from "../texts.js";
import { fillBars } from "./bars.js";
import { cellAt } from "./numbers.js";

/** @import { ColourMap } from "../colour.js" */
/** @import { Tools, View } from "./types.js" */
/** @import { Size } from "./sizes.js" */

const EDGE = 40; // px, of the bars at an edge
// Lines, dark below light, so that they show on any colour.
const MEANT = /** @type {const} */ ([["#000", 4.5], ["#fff", 2.2]]);
const BESIDE = /** @type {const} */ ([["rgba(0,0,0,.75)", 2.4], ["rgba(255,255,255,.9)", 1.1]]);

/**
 * @typedef {object} Matrix
 * @property {string} id by which terms light it: one letter
 * @property {string} what its cells are
 * @property {ColourMap} map
 * @property {number} [power] of the fraction that is coloured: below 1, small values stand out
 * @property {(value: number) => string} format
 * @property {boolean} [edges] whether its sums stand at its edges, as bars
 */

/** @type {Map<ColourMap, Uint32Array>} */
const palettes = new Map();

/**
 * @param {Matrix} matrix
 * @param {Tools} tools
 */
export function matrixPicture({ id, what, map, power = 1, format, edges = false }, { on, sizes, signal, letters, speakOf }) {
  const cells = /** @type {HTMLCanvasElement} */ (make("canvas", { className: "diml-how-cells", "aria-hidden": "true" }));
  const marks = /** @type {HTMLCanvasElement} */ (make("canvas", { "aria-hidden": "true" }));
  const field = make("div", { className: "diml-how-field", tabIndex: 0, role: "application", ariaLabel: text("steps.matrix.label", { what, B: letters.b }) }, cells, marks);
  const bars = edges ? [make("canvas", { className: "diml-how-top" }), make("canvas", { className: "diml-how-left" })] : [];
  for (const bar of bars) bar.ariaHidden = "true";
  const low = make("span");
  const high = make("span");
  const legend = make("div", { className: "diml-how-legend" }, low, make("span", { className: "diml-ramp", style: `background:${gradient(map)}` }), high);
  legend.append(make("small", {}, text("steps.matrix.axes", { B: letters.b })));
  const node = make(
    "figure",
    { className: edges ? "diml-how-matrix diml-how-edged" : "diml-how-matrix" },
    make("figcaption", {}, what),
    ...bars,
    field,
    legend,
  );
  node.dataset.picture = id;
  sizes.watch(field);
  /** @type {View | null} */
  let shown = null;
  /** @type {ArrayLike<number> | null} */
  let drawn = null;
  let drawnTop = NaN;

  /** @param {number} k */
  const selectionOf = (k) => {
    const { i, j } = cellAt(/** @type {View} */ (shown).pair, k);
    return { side: /** @type {const} */ ("a"), parts: [i], to: j };
  };
  listenToFrame(
    field,
    () => shown && { rows: shown.pair.a.count, columns: shown.pair.b.count },
    {
      hover: (k, speak) => {
        const now = shown?.pointed;
        if (k === null || !shown) return now && on.hover(null);
        if (now?.to !== undefined && shown.cell.k === k) return;
        on.hover(selectionOf(k));
        if (speak) on.speak(speakOf(shown.pair, k));
      },
      select: (all, cursor) => shown && on.select(selectionOf(cursor ?? all[all.length - 1])),
      isKept: (k) => {
        const kept = on.kept();
        return Boolean(shown && kept?.to !== undefined && String(kept.parts) === String(selectionOf(k).parts) && kept.to === selectionOf(k).to);
      },
      letGo: on.letGo,
      keyboardCell: () => shown?.cell.k ?? null,
    },
    signal,
  );
  field.addEventListener("blur", () => on.hover(null));

  return {
    node,
    /**
     * @param {View} view
     * @param {ArrayLike<number>} values [Ra * Rb]
     * @param {number} top the value that has the map's last colour; 0 has its first
     */
    paint(view, values, top) {
      shown = view;
      const [rows, columns] = [view.pair.a.count, view.pair.b.count];
      if (drawn !== values || drawnTop !== top) {
        [drawn, drawnTop] = [values, top];
        fillCells(cells, rows, columns, values, top, map, power);
        field.style.setProperty("--aspect", String(columns / rows));
        low.textContent = format(0);
        high.textContent = format(top);
      }
      const lights = view.term ? view.term.lights[id] : "cell";
      node.classList.toggle("diml-how-dim", Boolean(view.term) && !lights);
      const size = sizes.of(field);
      if (!size) return;
      drawMarks(marks, size, view, lights);
      if (!edges) return;
      const { a, b } = view.fillings();
      const [above, left] = /** @type {HTMLCanvasElement[]} */ (bars);
      fillBars(above, { width: size.width, height: EDGE }, b.sums, view.pair.b.marginals, "up", view);
      fillBars(left, { width: EDGE, height: size.height }, a.sums, view.pair.a.marginals, "left", view);
    },
  };
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {number} rows
 * @param {number} columns
 * @param {ArrayLike<number>} values
 * @param {number} top
 * @param {ColourMap} map
 * @param {number} power
 */
function fillCells(canvas, rows, columns, values, top, map, power) {
  const palette = palettes.get(map) ?? pixelsOf(map);
  palettes.set(map, palette);
  canvas.width = columns;
  canvas.height = rows;
  const image = new ImageData(columns, rows);
  const pixels = new Uint32Array(image.data.buffer);
  const scale = 1 / (top || 1);
  for (let k = 0; k < pixels.length; k++) {
    const fraction = Math.min(1, Math.max(0, values[k] * scale));
    pixels[k] = palette[Math.round(255 * (power === 1 ? fraction : Math.sqrt(fraction)))];
  }
  /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d")).putImageData(image, 0, 0);
}

/**
 * The rows and columns of the marked parts, and the cell where they cross.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {Size} size
 * @param {View} view
 * @param {string | undefined} lights
 */
function drawMarks(canvas, size, { pair, parts, cell }, lights) {
  const context = clearedCanvas(canvas, size);
  const high = size.height / pair.a.count;
  const wide = size.width / pair.b.count;
  /** @type {[number, number, number, number, boolean][]} left, top, width, height, and whether it is the one meant */
  const boxes = [];
  if (lights === "all") boxes.push([1, 1, size.width - 2, size.height - 2, true]);
  if (lights === "row" || lights === "cell") {
    for (const i of parts.a) boxes.push([0, i * high, size.width, high, lights === "row"]);
  }
  if (lights === "column" || lights === "cell") {
    for (const j of parts.b) boxes.push([j * wide, 0, wide, size.height, lights === "column"]);
  }
  if (lights === "cell") {
    const [w, h] = [Math.max(wide, 7), Math.max(high, 7)]; // that it is seen in the finest grid, too
    boxes.push([(cell.j + 0.5) * wide - w / 2, (cell.i + 0.5) * high - h / 2, w, h, true]);
  }
  for (const [left, top, width, height, meant] of boxes) {
    for (const [style, lineWidth] of meant ? MEANT : BESIDE) {
      context.strokeStyle = style;
      context.lineWidth = lineWidth;
      context.strokeRect(left - 0.5, top - 0.5, width + 1, height + 1);
    }
  }
}
