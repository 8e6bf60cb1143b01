// The score as a running sum: the global term, then the parts from strongest to weakest.

const STRONGEST_NAMED = 5;

// Numbers that are shown as a sum must add up as they are shown.
function shownSum(pair, digits = 4) {
  const total = Number(pair.similarity.toFixed(digits));
  const global = Number((pair.global / 2).toFixed(digits));
  return { total, global, structural: Number((total - global).toFixed(digits)), digits };
}

function renderScore(root, pair, { side, lineCount, onHover }) {
  const { total, global, structural, digits } = shownSum(pair);
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
  const note = make("p", { className: "diml-note" });
  const order = strongestOf(pair[side].contribution, pair[side].count);
  const say = (reached) => {
    note.textContent = noteText(pair, side, order, reached ?? Math.min(STRONGEST_NAMED, order.length), lineCount);
  };
  say(null);
  root.replaceChildren(sum, ...unsettled(pair), bar(pair, side, order, say, onHover), note);
}

// A plan that has not settled still adds up, but to a score that is only near.
function unsettled(pair) {
  if (pair.converged) return [];
  const error = pair.marginalError.toExponential(0);
  const text = `The transport has not settled (marginal error ${error}): this score is near, not exact. Take a larger epsilon.`;
  return [make("p", { className: "diml-note diml-unsettled", role: "status" }, text)];
}

function noteText(pair, side, order, count, lineCount) {
  const share = (value) => percent(pair.structural ? value / pair.structural : 0);
  const parts = sumOf(pair[side].contribution, order.slice(0, count));
  const notes = [`The ${count} strongest of the ${pair[side].count} parts of ${side.toUpperCase()} carry ${share(parts)} of the structural part`];
  // The bar has no room below zero, so what a part takes away is said in words.
  const lowering = pair[side].contribution.filter((value) => value < 0);
  if (lowering.length) notes.push(`${plural(lowering.length, "part")} below zero: ${share(sumOf(lowering))}`);
  if (lineCount) {
    notes.push(`${plural(lineCount, "flow line")}: ${share(sumOf(pair.contribution, pair.order.slice(0, lineCount)))}`);
  }
  if (pair.options.mass < 1) notes.push(`mass transported: ${percent(pair.mass)}`);
  return notes.join("  ·  ");
}

function term(name, value, detail, className) {
  return make(
    "span",
    { className: `diml-term ${className}`, title: detail },
    make("b", {}, value),
    make("small", {}, name),
  );
}

function bar(pair, side, order, say, onHover) {
  const values = pair[side].contribution;
  const positive = Math.max(pair.global, 0) / 2 + sumOf(values, order) / 2 || 1;
  const top = values[order[0]] || 1;
  const track = make("div", {
    className: "diml-bar",
    role: "img",
    ariaLabel: `The score as a bar: the global part, then the parts of ${side.toUpperCase()} from strongest to weakest`,
  });
  const width = (value) => `width:${(100 * value) / positive}%;`;
  track.append(
    make("span", {
      className: "diml-bar-global",
      style: width(Math.max(pair.global, 0) / 2),
      title: `global part: ½ × ${pair.global.toFixed(4)}`,
    }),
  );
  order.forEach((part, rank) => {
    const segment = make("span", {
      className: "diml-bar-part",
      style: `${width(values[part] / 2)}background:${colour("magma", values[part] / top)}`,
      title: `${cellName(pair[side], part)} of ${side.toUpperCase()}: ½ × ${values[part].toFixed(4)}`,
    });
    segment.dataset.part = part;
    segment.addEventListener("pointerenter", () => {
      say(rank + 1);
      onHover(part);
    });
    segment.addEventListener("pointerleave", () => {
      say(null);
      onHover(null);
    });
    track.append(segment);
  });
  return track;
}
