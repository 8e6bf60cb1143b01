// Words and numbers for the part that is pointed at: what it matches and what that adds to the score.

import { make, percent } from "./dom.js";
import { cellName, cosineTo, letterOf, otherSide, strongestOf, sumOf } from "./pair.js";
import { text } from "./texts.js";

const TARGETS_LISTED = 4;

/**
 * @param {HTMLElement} root
 * @param {import("./pair.js").Pair} pair
 * @param {import("./pair.js").Pointed | null} active
 */
export function renderReadout(root, pair, active) {
  if (!active) {
    const by = matchMedia("(hover: none)").matches ? "finger" : "mouse";
    root.replaceChildren(make("p", { className: "diml-hint" }, text(`readout.hint.${by}`)));
    return;
  }
  const { side, parts, flow } = active;
  const here = pair[side];
  const there = otherSide(side);
  const contribution = sumOf(here.contribution, parts);
  const mass = sumOf(flow.mass);
  const title = parts.length === 1 ? `Part at ${cellName(here, parts[0])}` : `${parts.length} parts`;
  const rows = strongestOf(flow.mass, TARGETS_LISTED).map((to) => {
    const cosine = cosineTo(pair, flow, to);
    return make(
      "tr",
      {},
      make("th", { scope: "row" }, cellName(pair[there], to)),
      make("td", {}, flow.mass[to].toFixed(4)),
      make("td", {}, cosine.toFixed(3)),
      make("td", {}, flow.contribution[to].toFixed(4)),
      make("td", {}, percent(flow.contribution[to] / (pair.structural || 1), 1)),
    );
  });
  root.replaceChildren(
    make(
      "p",
      {},
      make("b", {}, `${title} of ${letterOf(pair, side)}`),
      `: importance ${sumOf(here.marginals, parts).toFixed(4)}, sends ${mass.toFixed(4)} of the mass, adds ` +
        `${contribution.toFixed(4)} (${percent(contribution / (pair.structural || 1), 1)}) to the structural ` +
        `similarity of ${pair.structural.toFixed(4)}.`,
    ),
    rows.length
      ? make(
          "table",
          {},
          make(
            "thead",
            {},
            make(
              "tr",
              {},
              ...[`goes to ${letterOf(pair, there)}`, "mass", "cosine", "contribution", "share"].map((title) =>
                make("th", { scope: "col" }, title),
              ),
            ),
          ),
          make("tbody", {}, ...rows),
        )
      : make("p", { className: "diml-hint" }, "It stays unmatched: none of its mass is transported."),
  );
}

/**
 * The same in one sentence, for those who listen.
 *
 * @param {import("./pair.js").Pair} pair
 * @param {import("./pair.js").Pointed} active
 */
export function spoken(pair, active) {
  const { side, parts, flow } = active;
  const [to] = strongestOf(flow.mass, 1);
  const from = parts.length === 1 ? cellName(pair[side], parts[0]) : `${parts.length} parts`;
  const share = sumOf(pair[side].contribution, parts) / (pair.structural || 1);
  return to === undefined
    ? `${from} of ${letterOf(pair, side)}: unmatched.`
    : `${from} of ${letterOf(pair, side)}: goes to ${cellName(pair[otherSide(side)], to)}, ` +
        `${percent(share, 1)} of the structural similarity.`;
}
