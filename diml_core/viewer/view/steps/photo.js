// A photo of the pair as the steps show it: its parts, colours over them, and which are marked.

import { make } from "../dom.js";
import { letterOf } from "../pair.js";
import { listenToFrame } from "../pointing.js";
import { outlineParts, paintGrid } from "../stage.js";
import { text } from "../texts.js";

/** @import { ColourMap } from "../colour.js" */
/** @import { Grid, Side } from "../pair.js" */
/** @import { StepEvents, View } from "./types.js" */
/** @import { Size } from "./sizes.js" */

const OPACITY = 0.72; // of the colours over a photo

/**
 * @typedef {object} Look what is drawn over a photo
 * @property {Grid | null} [grid] colours
 * @property {[number, number]} [range] of the map
 * @property {ColourMap} [map]
 * @property {boolean} [cut] whether the edges of all parts are drawn
 * @property {boolean} [plain] whether no part is marked
 */

/**
 * @param {Side} side
 * @param {StepEvents} on
 * @param {AbortSignal} signal
 */
export function photoPicture(side, on, signal) {
  const image = /** @type {HTMLImageElement} */ (make("img", { alt: "", draggable: false }));
  const canvas = /** @type {HTMLCanvasElement} */ (make("canvas", { "aria-hidden": "true" }));
  const frame = make("div", { className: "diml-frame", tabIndex: 0, role: "application" }, image, canvas);
  const letter = make("b", {}, side.toUpperCase());
  const name = make("span");
  const node = make("figure", { className: "diml-how-photo" }, frame, make("figcaption", {}, letter, " ", name));
  node.dataset.picture = side;
  /** @type {View | null} */
  let shown = null;

  listenToFrame(
    frame,
    () => shown?.pair[side] ?? null,
    {
      hover: (part, speak) => {
        const now = shown?.pointed;
        if (part === null ? !now : now?.side === side && now.to === undefined && String(now.parts) === String(part)) return;
        on.hover(part === null ? null : { side, parts: [part] }, speak);
      },
      select: (parts, cursor) => on.select({ side, parts, cursor }),
      isKept: (part) => {
        const kept = on.kept();
        return kept?.side === side && kept.to === undefined && String(kept.parts) === String(part);
      },
      letGo: on.letGo,
      keyboardCell: () => shown?.parts[side][0] ?? null,
    },
    signal,
  );
  frame.addEventListener("blur", () => on.hover(null));

  return {
    node,
    frame,
    /**
     * @param {View} view
     * @param {Size | null} size of the frame
     * @param {Look} look
     */
    paint(view, size, { grid = null, range = [0, 1], map = "viridis", cut = false, plain = false }) {
      if (shown?.loaded !== view.loaded) {
        image.src = view.loaded.photos[side].src;
        const [width, height] = view.loaded.payload[side].size;
        frame.style.setProperty("--aspect", String(width / height));
        frame.style.aspectRatio = `${width} / ${height}`;
        letter.textContent = letterOf(view.pair, side);
        name.textContent = view.pair[side].name;
      }
      shown = view;
      const { rows, columns } = view.pair[side];
      const label = text("steps.photo", { side: letterOf(view.pair, side), rows, columns });
      if (frame.ariaLabel !== label) frame.ariaLabel = label;
      const lights = view.term ? view.term.lights[side] : plain ? undefined : "part";
      node.classList.toggle("diml-how-dim", Boolean(view.term) && !lights);
      frame.classList.toggle("diml-coloured", Boolean(grid));
      if (!size) return;
      paintGrid(canvas, size, grid, range, map, OPACITY);
      if (cut) drawCuts(canvas, size, rows, columns);
      if (lights === "all") outlineParts(canvas, { rows: 1, columns: 1 }, [0]);
      if (lights !== "part") return;
      if (view.term) veilAllBut(canvas, size, view.pair[side], view.parts[side]);
      outlineParts(canvas, view.pair[side], view.parts[side]);
    },
  };
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {Size} size
 * @param {number} rows
 * @param {number} columns
 */
function drawCuts(canvas, { width, height }, rows, columns) {
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const path = new Path2D();
  for (let column = 1; column < columns; column++) {
    path.moveTo((column / columns) * width, 0);
    path.lineTo((column / columns) * width, height);
  }
  for (let row = 1; row < rows; row++) {
    path.moveTo(0, (row / rows) * height);
    path.lineTo(width, (row / rows) * height);
  }
  // Dark beside light, so that the cuts show on any photo.
  for (const [style, lineWidth] of /** @type {const} */ ([["rgba(0,0,0,.45)", 2.4], ["rgba(255,255,255,.85)", 1]])) {
    context.strokeStyle = style;
    context.lineWidth = lineWidth;
    context.stroke(path);
  }
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {Size} size
 * @param {{rows: number, columns: number}} side
 * @param {number[]} parts
 */
function veilAllBut(canvas, { width, height }, { rows, columns }, parts) {
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const veil = new Path2D();
  veil.rect(0, 0, width, height);
  for (const part of parts) {
    const [x, y] = [((part % columns) / columns) * width, (Math.floor(part / columns) / rows) * height];
    veil.rect(x, y, width / columns, height / rows);
  }
  context.fillStyle = "rgba(10,14,24,.6)";
  context.fill(veil, "evenodd");
}
