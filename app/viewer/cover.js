// The counterfactual: cover what is pinned, let the network score again, compare with what the parts promised.

const COVER_CHOICES = [
  ["grey", "grey", "Cover with mid-grey"],
  ["blur", "blur", "Cover with a strong blur"],
  ["mean", "mean colour", "Cover with the photo's mean colour"],
];

// `ask(side, parts, cover)` resolves to the server's answer; null where there is no server (a saved report).
function renderCover(root, pair, pinned, ask) {
  if (!pinned || !ask || !pair.settled) {
    root.replaceChildren();
    return;
  }
  const result = make("div", { role: "status", "aria-live": "polite" });
  const what = `${plural(pinned.parts.length, "part")} of ${pinned.side.toUpperCase()}`;
  const buttons = choiceButtons(COVER_CHOICES, async (cover) => {
    for (const button of buttons) button.disabled = true;
    result.replaceChildren(make("p", { className: "diml-hint" }, "The network is looking again…"));
    const answer = await ask(pinned.side, pinned.parts, cover);
    for (const button of buttons) button.disabled = false;
    result.replaceChildren(...(answer.error ? [make("p", {}, answer.error)] : coverResult(answer)));
  });
  root.replaceChildren(
    make("p", {}, make("b", {}, `Test it: cover the pinned ${what} and score again with `), ...buttons),
    result,
  );
}

function coverResult(answer) {
  const { before, after, promised, controls, photo } = answer;
  const fall = before.similarity - after.similarity;
  const average = controls.length ? sumOf(controls) / controls.length : null;
  const largest = Math.max(...[promised, fall, average ?? 0].map(Math.abs), 1e-9);
  const scale = (label, value, className) =>
    make(
      "div",
      { className: "diml-fall" },
      make("span", {}, label),
      make("span", { className: `diml-fall-bar ${className}`, style: `width:${(46 * Math.max(value, 0)) / largest}%` }),
      make("b", {}, signed(-value)),
    );
  return [
    make(
      "div",
      { className: "diml-cover-result" },
      make("img", { src: photo, alt: "The photo as the network saw it, covered" }),
      make(
        "div",
        {},
        make(
          "p",
          {},
          `Score ${before.similarity.toFixed(4)} → `,
          make("b", {}, after.similarity.toFixed(4)),
          ` (global ${before.global.toFixed(4)} → ${after.global.toFixed(4)}, ` +
            `structural ${before.structural.toFixed(4)} → ${after.structural.toFixed(4)}).`,
        ),
        scale("promised by the parts", promised, "diml-promised"),
        scale("measured by the network", fall, "diml-measured"),
        average === null ? "" : scale(`${plural(controls.length, "other place")}, average`, average, "diml-control"),
        make("p", {}, make("b", {}, verdict(answer, fall, average))),
        make(
          "p",
          { className: "diml-hint" },
          "A fall smaller than promised is normal: other parts take over the freed mass.",
        ),
      ),
    ),
  ];
}

// Whether the network minds this region as much as the explanation says: more than other regions, or less.
function verdict({ promised, expected, controls }, fall, average) {
  if (average === null) return "The region leaves no room for another of its shape to compare with: pin a smaller one.";
  const matters = promised > expected;
  if (matters && fall > Math.max(...controls)) return "Agrees: no other place that was covered mattered as much.";
  if (matters && fall > average) return "Agrees in part: it matters more than other places on average, but not most.";
  if (matters) return "Disagrees: covering other places cost the score as much or more.";
  return fall <= average
    ? "Agrees: the parts promised little, and the network hardly minds."
    : "Disagrees: the parts promised little, yet the network minds.";
}

const signed = (value) => (value < 0 ? "−" : "+") + Math.abs(value).toFixed(4);
