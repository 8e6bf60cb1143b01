// The few words beside what is pointed at, so that the eye need not leave the photo.

import { boxOf, cosineTo, strongestOf } from "./pair.js";
import { addedBy } from "./readout.js";
import { text } from "./texts.js";

/**
 * @param {HTMLElement} tip
 * @param {import("./stage.js").Boxes} boxes
 * @param {import("./pair.js").Pair} pair
 * @param {import("./pair.js").Pointed | null} pointed
 */
export function placeTip(tip, boxes, pair, pointed) {
  tip.hidden = !pointed;
  if (!pointed) return;
  tip.textContent = tipText(pair, pointed);
  const photo = boxes[pointed.side];
  const box = boxOf(pair[pointed.side], pointed.parts);
  const above = box.top * photo.height > 48;
  // The style sheet keeps it inside the stage: measuring its width here would cost a layout per frame.
  tip.style.setProperty("--x", `${photo.left - boxes.stage.left + ((box.left + box.right) / 2) * photo.width}px`);
  tip.style.top = `${photo.top - boxes.stage.top + (above ? box.top : box.bottom) * photo.height}px`;
  tip.classList.toggle("diml-tip-below", !above);
}

/**
 * @param {import("./pair.js").Pair} pair
 * @param {import("./pair.js").Pointed} pointed
 */
function tipText(pair, { side, parts, flow }) {
  const [to] = strongestOf(flow.mass, 1);
  if (to === undefined) return text("tip.unmatched");
  return text("tip.matched", { ...addedBy(pair, side, parts), cosine: cosineTo(pair, flow, to).toFixed(2) });
}
