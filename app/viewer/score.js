// The score as a running sum: the global term, then the parts of A from strongest to weakest.

function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "style") node.style.cssText = value;
    else if (key in node && key !== "role") node[key] = value;
    else node.setAttribute(key, value);
  }
  // Text always arrives as text nodes: nothing a user wrote can become markup.
  node.append(...children);
  return node;
}

const percent = (fraction, digits = 0) => `${(100 * fraction).toFixed(digits)}%`;

// Numbers that are shown as a sum must add up as they are shown.
function shownSum(pair, digits = 4) {
  const total = Number(pair.similarity.toFixed(digits));
  const global = Number((pair.global / 2).toFixed(digits));
  return { total, global, structural: Number((total - global).toFixed(digits)), digits };
}

function renderScore(root, pair, lineCount, onHover) {
  const { total, global, structural, digits } = shownSum(pair);
  const carried = sumOf(pair.contribution, pair.order.subarray(0, lineCount));
  const share = pair.structural ? carried / pair.structural : 0;
  const sum = make(
    "div",
    { className: "diml-sum" },
    make("strong", { className: "diml-total", title: "Overall similarity" }, total.toFixed(digits)),
    make("span", { className: "diml-op" }, "="),
    term("global part", global.toFixed(digits), `½ × ${pair.global.toFixed(4)}`, "diml-global"),
    make("span", { className: "diml-op" }, "+"),
    term(
      "structural part",
      structural.toFixed(digits),
      `½ × ${pair.structural.toFixed(4)}, the sum over all pairs of parts`,
      "diml-structural",
    ),
  );
  const note = make(
    "p",
    { className: "diml-note" },
    lineCount
      ? `The ${lineCount} lines shown carry ${percent(share)} of the structural part.`
      : "No lines are shown: move the slider to see what matches what.",
    pair.mass < 0.9995
      ? ` Only ${percent(pair.mass)} of the mass is transported: the worst-matching rest stays unmatched.`
      : "",
  );
  root.replaceChildren(sum, bar(pair, onHover), note);
}

function term(name, value, detail, className) {
  return make(
    "span",
    { className: `diml-term ${className}`, title: detail },
    make("b", {}, value),
    make("small", {}, name),
  );
}

function bar(pair, onHover) {
  const order = strongestOf(pair.a.contribution, pair.a.count);
  const positive = Math.max(pair.global, 0) / 2 + sumOf(pair.a.contribution, order) / 2 || 1;
  const top = pair.a.contribution[order[0]] || 1;
  const track = make("div", {
    className: "diml-bar",
    role: "img",
    ariaLabel: "The score as a bar: the global part, then the parts of A from strongest to weakest",
  });
  const width = (value) => `width:${(100 * value) / positive}%;`;
  track.append(
    make("span", {
      className: "diml-bar-global",
      style: width(Math.max(pair.global, 0) / 2),
      title: `global part: ½ × ${pair.global.toFixed(4)}`,
    }),
  );
  for (const part of order) {
    const value = pair.a.contribution[part];
    const segment = make("span", {
      className: "diml-bar-part",
      style: `${width(value / 2)}background:${colour("magma", value / top)}`,
      title: `${cellName(pair.a, part)} of A: ½ × ${value.toFixed(4)}`,
    });
    segment.dataset.part = part;
    segment.addEventListener("pointerenter", () => onHover(part));
    segment.addEventListener("pointerleave", () => onHover(null));
    track.append(segment);
  }
  return track;
}
