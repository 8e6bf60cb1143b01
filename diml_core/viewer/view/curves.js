// The drawing of curves: one set of axes, a line and a kind of mark per method, and where one looks.

/** @import { Curve } from "./verdict.js" */

const SVG = "http://www.w3.org/2000/svg";
const SIZE = { width: 330, height: 210 };
const INSIDE = { left: 34, right: 312, top: 12, bottom: 168 };
const TICKS = [0, 0.25, 0.5, 0.75, 1];

/**
 * @param {string} name
 * @param {Record<string, string | number>} attributes
 * @param {...(Node | string)} children
 */
function draw(name, attributes, ...children) {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, String(value));
  node.append(...children);
  return node;
}

/** @param {number} fraction */
const xOf = (fraction) => INSIDE.left + fraction * (INSIDE.right - INSIDE.left);

/**
 * The mark of a method, so that colour is not all that tells them apart.
 *
 * @param {number} method its place in the list
 * @param {number} x
 * @param {number} y
 */
function markAt(method, x, y) {
  const className = `diml-mark-${method}`;
  if (method === 0) return draw("circle", { class: className, cx: x, cy: y, r: 4 });
  if (method === 1) return draw("rect", { class: className, x: x - 3.5, y: y - 3.5, width: 7, height: 7 });
  return draw("polygon", { class: className, points: `${x},${y - 4.5} ${x + 4.5},${y + 3.5} ${x - 4.5},${y + 3.5}` });
}

/**
 * A short piece of a method's line, for a legend.
 *
 * @param {number} method
 */
export function sample(method) {
  return draw(
    "svg",
    { class: "diml-sample", viewBox: "0 0 30 12", "aria-hidden": "true" },
    draw("line", { class: `diml-line-${method}`, x1: 0, x2: 30, y1: 6, y2: 6 }),
    markAt(method, 15, 6),
  );
}

/**
 * One set of axes.
 *
 * @param {string} title
 * @param {string} across what the horizontal axis counts
 * @param {(fraction: number) => void} look is told where the pointer is
 * @returns {{
 *   node: SVGElement,
 *   show: (curves: Curve[], range: [number, number], said: string) => void,
 *   mark: (fraction: number | null) => void,
 * }} `show` takes one curve per method, in their order, and the words for who cannot see it
 */
export function curveChart(title, across, look) {
  const lines = draw("g", {});
  const cursor = draw("line", { class: "diml-curve-cursor", y1: INSIDE.top, y2: INSIDE.bottom });
  const scale = draw("g", {});
  const node = draw(
    "svg",
    { class: "diml-curves", viewBox: `0 0 ${SIZE.width} ${SIZE.height}`, role: "img" },
    scale,
    ...TICKS.map((tick) =>
      draw("text", { x: xOf(tick), y: INSIDE.bottom + 16, "text-anchor": "middle" }, `${100 * tick}%`),
    ),
    draw("text", { x: (INSIDE.left + INSIDE.right) / 2, y: SIZE.height - 6, "text-anchor": "middle" }, across),
    cursor,
    lines,
  );
  node.addEventListener("pointermove", (event) => {
    const box = node.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * SIZE.width;
    look((x - INSIDE.left) / (INSIDE.right - INSIDE.left));
  });

  return {
    node,
    show(curves, [low, high], said) {
      /** @param {number} score */
      const yOf = (score) => INSIDE.bottom - ((score - low) / (high - low)) * (INSIDE.bottom - INSIDE.top);
      node.setAttribute("aria-label", `${title}. ${said}`);
      scale.replaceChildren(
        ...ticksBetween(low, high).flatMap((tick) => [
          draw("line", { class: "diml-curve-grid", x1: INSIDE.left, x2: INSIDE.right, y1: yOf(tick), y2: yOf(tick) }),
          draw("text", { x: INSIDE.left - 6, y: yOf(tick) + 4, "text-anchor": "end" }, String(Math.round(100 * tick))),
        ]),
      );
      lines.replaceChildren(
        // Ours last, so that it lies on top.
        ...curves
          .map((curve, method) => {
            const at = curve.fractions.map((fraction, k) => [xOf(fraction), yOf(curve.scores[k])]);
            return draw(
              "g",
              {},
              draw("polyline", { class: `diml-line-${method}`, points: at.map((point) => point.join(",")).join(" ") }),
              ...at.map(([x, y]) => markAt(method, x, y)),
            );
          })
          .reverse(),
      );
    },
    mark(fraction) {
      cursor.style.display = fraction === null ? "none" : "";
      if (fraction !== null) cursor.setAttribute("transform", `translate(${xOf(fraction)} 0)`);
    },
  };
}

/**
 * From 0, or from below where a score is, to the next tenth above all scores.
 *
 * @param {Curve[]} curves
 * @returns {[number, number]}
 */
export function rangeOf(curves) {
  const scores = curves.flatMap((curve) => curve.scores);
  const low = Math.floor(10 * Math.min(0, ...scores)) / 10;
  return [low, Math.max(Math.ceil(10 * Math.max(...scores, 0)) / 10, low + 0.1)];
}

/**
 * Round numbers, five at most.
 *
 * @param {number} low in tenths
 * @param {number} high likewise
 */
function ticksBetween(low, high) {
  const tenths = Math.round(10 * (high - low));
  const step = Math.max(1, Math.ceil(tenths / 5));
  const ticks = [];
  for (let k = 0; k <= tenths; k += step) ticks.push(low + k / 10);
  return ticks;
}
