// Bars of numbers per part: one a part, in the order of the rows and columns of the matrices.

import { make } from "../dom.js";
import { listenToFrame } from "../pointing.js";
import { clearedCanvas } from "../stage.js";
import { text } from "../texts.js";

/** @import { Side } from "../pair.js" */
/** @import { Tools, View } from "./types.js" */
/** @import { Size } from "./sizes.js" */

/**
 * The marginals of one photo, a bar a part.
 *
 * @param {Side} side
 * @param {Tools} tools
 */
export function barsPicture(side, { on, sizes, signal, letters }) {
  const canvas = /** @type {HTMLCanvasElement} */ (make("canvas", { "aria-hidden": "true" }));
  const label = text("steps.importance.bars", { side: letters[side] });
  const field = make("div", { className: "diml-how-bars", tabIndex: 0, role: "application", ariaLabel: label }, canvas);
  const node = make("figure", { className: "diml-how-wide" }, field, make("figcaption", {}, label));
  node.dataset.picture = side === "a" ? "u" : "v";
  sizes.watch(field);
  /** @type {View | null} */
  let shown = null;
  listenToFrame(
    field,
    () => shown && { rows: 1, columns: shown.pair[side].count },
    {
      hover: (part, speak) => {
        const now = shown?.pointed;
        if (part === null ? !now : now?.side === side && String(now.parts) === String(part)) return;
        on.hover(part === null ? null : { side, parts: [part] }, speak);
      },
      select: (parts, cursor) => on.select({ side, parts, cursor }),
      isKept: (part) => on.kept()?.side === side && String(on.kept()?.parts) === String(part),
      letGo: on.letGo,
      keyboardCell: () => shown?.parts[side][0] ?? null,
    },
    signal,
  );
  field.addEventListener("blur", () => on.hover(null));
  return {
    node,
    /** @param {View} view */
    paint(view) {
      shown = view;
      const size = sizes.of(field);
      const lights = view.term ? view.term.lights[side === "a" ? "u" : "v"] : "part";
      node.classList.toggle("diml-how-dim", Boolean(view.term) && !lights);
      if (!size) return;
      const { marginals } = view.pair[side];
      const context = clearedCanvas(canvas, size);
      const wide = size.width / marginals.length;
      const top = Math.max(...view.pair.a.marginals, ...view.pair.b.marginals);
      const marked = new Set(view.parts[side]);
      marginals.forEach((share, part) => {
        const height = (share / top) * (size.height - 4);
        const isMarked = marked.has(part);
        context.fillStyle = isMarked ? view.inks.mark : view.inks.structural;
        context.globalAlpha = isMarked ? 1 : 0.65;
        // A marked part without importance still shows where it is.
        const shownHeight = isMarked ? Math.max(height, 3) : height;
        const least = isMarked ? Math.max(wide, 4) : wide;
        context.fillRect((part + 0.5) * wide - least / 2, size.height - shownHeight, Math.max(least - (wide > 4 ? 1 : 0), 0.5), shownHeight);
      });
      context.globalAlpha = 1;
      const average = size.height - (size.height - 4) / marginals.length / top;
      context.strokeStyle = view.inks.ink;
      context.setLineDash([4, 4]);
      context.beginPath();
      context.moveTo(0, average);
      context.lineTo(size.width, average);
      context.stroke();
      context.setLineDash([]);
    },
  };
}

/**
 * How full the heaps are: pale what each part is to send or get, on it what it does, and what is too much.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {Size} size
 * @param {Float64Array} sums
 * @param {Float64Array} marginals
 * @param {"up" | "left"} towards where a bar grows
 * @param {View} view
 */
export function fillBars(canvas, size, sums, marginals, towards, { inks, pair, term }) {
  const context = clearedCanvas(canvas, size);
  canvas.style.width = `${size.width}px`;
  canvas.style.height = `${size.height}px`;
  canvas.classList.toggle("diml-how-dim", Boolean(term) && !term?.lights[towards === "up" ? "v" : "u"]);
  // Of what must be placed alone: before the first iteration one part may have many times too much.
  const top = 1.25 * Math.max(...pair.a.marginals, ...pair.b.marginals);
  const up = towards === "up";
  const long = up ? size.height : size.width;
  const wide = (up ? size.width : size.height) / sums.length;
  /** @type {(part: number, from: number, to: number) => void} */
  const bar = (part, from, to) => {
    const [start, length] = [(Math.min(from, top) / top) * long, ((Math.min(to, top) - Math.min(from, top)) / top) * long];
    const across = Math.max(wide - (wide > 4 ? 1 : 0), 0.5);
    if (up) context.fillRect(part * wide, long - start - length, across, length);
    else context.fillRect(long - start - length, part * wide, length, across);
  };
  context.fillStyle = inks.structural;
  context.globalAlpha = 0.3;
  marginals.forEach((share, part) => bar(part, 0, share));
  context.globalAlpha = 1;
  sums.forEach((sum, part) => bar(part, 0, Math.min(sum, marginals[part])));
  context.fillStyle = inks.warn;
  sums.forEach((sum, part) => sum > marginals[part] && bar(part, marginals[part], sum));
}
