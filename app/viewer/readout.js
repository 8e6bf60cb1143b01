// Words and numbers for the part that is pointed at: what it matches and what that adds to the score.

const TARGETS_LISTED = 4;

function renderReadout(root, pair, active) {
  if (!active) {
    root.replaceChildren(
      make(
        "p",
        { className: "diml-hint" },
        "Point at a part of either photo to see where it goes. Click to keep it, drag to select a " +
          "region, Escape to let go. Keyboard: Tab, arrows, Shift with arrows, Enter, Escape.",
      ),
    );
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
      make("b", {}, `${title} of ${side.toUpperCase()}`),
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
              ...[`goes to ${there.toUpperCase()}`, "mass", "cosine", "contribution", "share"].map((text) =>
                make("th", { scope: "col" }, text),
              ),
            ),
          ),
          make("tbody", {}, ...rows),
        )
      : make("p", { className: "diml-hint" }, "It stays unmatched: none of its mass is transported."),
  );
}

// For several parts, the cosine that explains the numbers: contribution x transported mass / mass.
function cosineTo(pair, { mass, contribution }, to) {
  return mass[to] > 0 ? (contribution[to] * pair.mass) / mass[to] : 0;
}

function spoken(pair, active) {
  const { side, parts, flow } = active;
  const [to] = strongestOf(flow.mass, 1);
  const from = parts.length === 1 ? cellName(pair[side], parts[0]) : `${parts.length} parts`;
  const share = sumOf(pair[side].contribution, parts) / (pair.structural || 1);
  return to === undefined
    ? `${from} of ${side.toUpperCase()}: unmatched.`
    : `${from} of ${side.toUpperCase()}: goes to ${cellName(pair[otherSide(side)], to)}, ` +
        `${percent(share, 1)} of the structural similarity.`;
}
