// Words and numbers for the part that is pointed at: what it matches and what that adds to the score.

import { hand, make, percent } from "./dom.js";
import { cellName, cosineTo, letterOf, otherSide, strongestOf, sumOf } from "./pair.js";
import { pointsOf, shareOf, shownSum, written } from "./points.js";
import { rich, term } from "./terms.js";
import { counted, formOf, text } from "./texts.js";

/** @import { Pair, Pointed, Side } from "./pair.js" */

const TARGETS_LISTED = 4;

/**
 * @param {HTMLElement} root
 * @param {Pair} pair
 * @param {Pointed | null} active
 */
export function renderReadout(root, pair, active) {
  if (!active) {
    root.replaceChildren(make("p", { className: "diml-hint" }, ...rich(`readout.hint.${hand()}`)));
    return;
  }
  const { side, parts, flow } = active;
  const here = pair[side];
  const there = otherSide(side);
  const rows = strongestOf(flow.mass, TARGETS_LISTED).map((to) => {
    const points = pointsOf(flow.contribution[to]);
    return make(
      "tr",
      {},
      make("th", { scope: "row" }, cellName(pair[there], to)),
      make("td", {}, percent(flow.mass[to], 2)),
      make("td", {}, cosineTo(pair, flow, to).toFixed(3)),
      make("td", {}, written(points, 2)),
      make("td", {}, shareOf(pair, points)),
    );
  });
  const columns = [
    text("readout.column.target", { photo: letterOf(pair, there) }),
    term("mass", text("readout.column.mass")),
    term("cosine", text("readout.column.cosine")),
    term("points", text("readout.column.points")),
    text("readout.column.share"),
  ];
  const sentence = rich(`readout.sentence.${formOf(parts.length)}`, {
    what: make("b", {}, whatOf(pair, active)),
    ...addedBy(pair, side, parts),
    importance: percent(sumOf(here.marginals, parts), 2),
    mass: percent(sumOf(flow.mass), 2),
    other: letterOf(pair, there),
  });
  root.replaceChildren(
    make("p", {}, ...sentence),
    rows.length
      ? make(
          "table",
          {},
          make("thead", {}, make("tr", {}, ...columns.map((title) => make("th", { scope: "col" }, title)))),
          make("tbody", {}, ...rows),
        )
      : make("p", { className: "diml-hint" }, ...rich("readout.unmatched")),
  );
}

/**
 * What some parts add, in the words of all that tell it: points, their share, and of how many.
 *
 * @param {Pair} pair
 * @param {Side} side
 * @param {number[]} parts
 */
export function addedBy(pair, side, parts) {
  const points = pointsOf(sumOf(pair[side].contribution, parts));
  return { points: written(points), share: shareOf(pair, points), score: shownSum(pair).words.total };
}

/**
 * @param {Pair} pair
 * @param {Pointed} active
 */
function whatOf(pair, { side, parts }) {
  const photo = letterOf(pair, side);
  return parts.length === 1
    ? text("readout.part", { cell: cellName(pair[side], parts[0]), photo })
    : text("readout.parts", { parts: counted("part", parts.length), photo });
}

/**
 * The same in one sentence, for those who listen.
 *
 * @param {Pair} pair
 * @param {Pointed} active
 */
export function spoken(pair, active) {
  const { side, parts, flow } = active;
  const [to] = strongestOf(flow.mass, 1);
  const from = parts.length === 1 ? cellName(pair[side], parts[0]) : counted("part", parts.length);
  const values = { from, photo: letterOf(pair, side) };
  const matched = /** @type {const} */ (`spoken.matched.${formOf(parts.length)}`);
  return to === undefined
    ? text("spoken.unmatched", values)
    : text(matched, { ...values, to: cellName(pair[otherSide(side)], to), ...addedBy(pair, side, parts) });
}
