// Embeddings as strips of colour, one above the other: alike strips are alike parts.

import { colour } from "../colour.js";
import { make } from "../dom.js";

/** @import { Side } from "../pair.js" */

/**
 * @param {Record<Side, string>} labels of the two strips
 */
export function stripsPicture(labels) {
  /** @type {Record<Side, HTMLCanvasElement>} */
  const canvases = { a: strip(), b: strip() };
  const rows = /** @type {Side[]} */ (["a", "b"]).map((side) => {
    const row = make("div", { className: "diml-how-strip" }, make("span", {}, labels[side]), canvases[side]);
    row.dataset.picture = `strip-${side}`;
    return row;
  });
  const node = make("div", { className: "diml-how-strips diml-how-wide" }, ...rows);
  return {
    node,
    /**
     * @param {Record<Side, Float64Array> | null} vectors null where the file has none
     */
    paint(vectors) {
      node.hidden = !vectors;
      if (!vectors) return;
      // One scale for both, or they could not be compared.
      const top = Math.max(...vectors.a.map(Math.abs), ...vectors.b.map(Math.abs)) || 1;
      for (const side of /** @type {const} */ (["a", "b"])) draw(canvases[side], vectors[side], top);
    },
  };
}

function strip() {
  return /** @type {HTMLCanvasElement} */ (make("canvas", { height: 1, "aria-hidden": "true" }));
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {Float64Array} vector
 * @param {number} top
 */
function draw(canvas, vector, top) {
  canvas.width = vector.length;
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  vector.forEach((value, at) => {
    context.fillStyle = colour("viridis", (value / top + 1) / 2);
    context.fillRect(at, 0, 1, 1);
  });
}
