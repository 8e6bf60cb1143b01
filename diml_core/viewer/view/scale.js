// Is that high? The score on the scale of its own model: two histograms, a mark, and a sentence.

import { FALSE_MATCHES, serves, standing, threshold } from "../engine/scale.js";
import { make, percent } from "./dom.js";
import { sumOf } from "./pair.js";
import { written } from "./points.js";
import { rich } from "./terms.js";
import { grouped, text } from "./texts.js";

/** @import { Scale } from "../engine/types.js" */
/** @import { Pair } from "./pair.js" */

const SIZE = { width: 220, height: 34 }; // px
const SVG = "http://www.w3.org/2000/svg";
const JOINED = 4; // bins of the file in one that is drawn

/**
 * @param {HTMLElement} root
 * @returns {(pair: Pair) => void}
 */
export function scaleOf(root) {
  const drawing = document.createElementNS(SVG, "svg");
  drawing.setAttribute("viewBox", `0 0 ${SIZE.width} ${SIZE.height}`);
  drawing.setAttribute("aria-hidden", "true");
  drawing.classList.add("diml-scale-drawing");
  const sentence = make("p", { className: "diml-note" });
  // Folded away: there is one line for it above the photos, and a lecture hall has no room for small print.
  const small = make("p", { className: "diml-note" });
  const note = make("details", { className: "diml-scale-note" }, make("summary", {}, text("scale.note")), small);
  root.replaceChildren(drawing, sentence, note);
  let drawn = "";

  return (pair) => {
    const scale = pair.model.scale;
    root.hidden = !scale;
    if (!scale) return;
    if (drawn !== pair.model.name) {
      drawn = pair.model.name;
      drawing.replaceChildren(...["different", "same"].map((which) => hill(which, scale[/** @type {"same"} */ (which)])), mark());
      small.textContent = measurementOf(scale);
    }
    const usable = serves(scale, pair.options) && pair.settled;
    root.classList.toggle("diml-scale-off", !usable);
    const place = /** @type {SVGLineElement} */ (drawing.lastElementChild);
    place.style.display = usable ? "" : "none";
    note.hidden = !usable;
    if (!usable) {
      sentence.textContent = text(pair.settled ? "scale.elsewhere" : "scale.early");
      return;
    }
    const { differentBelow, sameAbove } = standing(scale, pair.similarity);
    place.setAttribute("transform", `translate(${xOf(pair.similarity)} 0)`);
    const sentences = rich("scale.sentence", {
      below: make("b", {}, shareOfPairs(differentBelow)),
      different: make("span", { className: "diml-different" }, text("scale.different")),
      above: make("b", {}, shareOfPairs(sameAbove)),
      same: make("span", { className: "diml-same" }, text("scale.same")),
    });
    sentence.replaceChildren(...sentences);
  };
}

/**
 * The threshold, and what was measured: whatever the pair.
 *
 * @param {Scale} scale
 */
function measurementOf(scale) {
  const least = threshold(scale, FALSE_MATCHES);
  const told = text("scale.threshold", {
    few: percent(FALSE_MATCHES),
    points: written(100 * least, 1),
    found: shareOfPairs(standing(scale, least).sameAbove),
  });
  const measured = text("scale.measured", {
    photographs: scale.photographs,
    kinds: scale.kinds,
    pairsDifferent: grouped(sumOf(scale.different)),
    pairsSame: grouped(sumOf(scale.same)),
  });
  return `${told} ${measured}`;
}

/**
 * In words; near either end to a tenth of a per cent, towards the middle, so that nearly all is not told as all.
 *
 * @param {number} share of pairs, 0 to 1
 */
export function shareOfPairs(share) {
  if (share >= 1) return text("scale.all");
  if (share <= 0) return text("scale.none");
  if (share > 0.99) return of(percent(Math.floor(1000 * share) / 1000, 1));
  if (share < 0.01) return of(percent(Math.ceil(1000 * share) / 1000, 1));
  return of(percent(share));
}

/** @param {string} share */
const of = (share) => text("scale.share", { share });

/** @param {number} score shown from 0 to 1: hardly a pair of photographs lies below */
function xOf(score) {
  return Math.min(Math.max(score, 0), 1) * SIZE.width;
}

/**
 * @param {string} which
 * @param {number[]} counts
 */
function hill(which, counts) {
  const half = counts.length / 2; // bins from -1 to 0 are left out
  const heights = [];
  for (let k = half; k < counts.length; k += JOINED) heights.push(sumOf(counts.slice(k, k + JOINED)));
  const top = Math.max(...heights, 1);
  const step = SIZE.width / heights.length;
  const points = heights.flatMap((height, k) => {
    const y = SIZE.height - (height / top) * (SIZE.height - 4);
    return [`${k * step},${y}`, `${(k + 1) * step},${y}`];
  });
  const shape = document.createElementNS(SVG, "polygon");
  shape.setAttribute("points", `0,${SIZE.height} ${points.join(" ")} ${SIZE.width},${SIZE.height}`);
  shape.classList.add(`diml-hill-${which}`);
  return shape;
}

function mark() {
  const line = document.createElementNS(SVG, "line");
  line.setAttribute("y1", "0");
  line.setAttribute("y2", String(SIZE.height));
  line.classList.add("diml-scale-mark");
  return line;
}
