// Search results in two orders: by global similarity, and after re-ranking by parts. `trigger` and `props` are Gradio's, dimlPlaced the page's.

const ROW_HEIGHT = 64; // px, as in results.css
const root = element.querySelector(".found");
const part = (selector) => root.querySelector(selector);

function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  Object.assign(node, attributes);
  node.append(...children); // text stays text: file names are the visitor's
  return node;
}

const signed = (value) => (value < 0 ? "−" : "+") + Math.abs(value).toFixed(4);

function row(item, order, items) {
  const rise = item.globalRank - item.rank;
  const mark = order === "diml" && rise ? make("span", { className: rise > 0 ? "found-up" : "found-down" }, `${rise > 0 ? "▲" : "▼"} ${Math.abs(rise)}`) : "";
  const score = order === "diml" ? item.similarity : item.global;
  const open = make(
    "button",
    { type: "button", className: "found-open", title: "Open the pair: why is it here?" },
    make("span", { className: "found-rank" }, String(order === "diml" ? item.rank : item.globalRank)),
    make("img", { src: dimlPlaced(item.thumbnail), alt: "" }),
    make("span", { className: "found-text" }, make("b", {}, score.toFixed(4)), " ", mark, make("small", {}, item.label)),
  );
  open.addEventListener("click", () => {
    (window.dimlChosen ??= {}).result = item.photo; // see app/choices.py
    trigger("open");
  });
  const line = make("li", { className: item.same === true ? "found-same" : item.same === false ? "found-other" : "" }, open);
  const overtaken = order === "diml" ? overtakenBy(item, items) : null;
  if (overtaken) {
    const why = make("button", { type: "button", className: "found-ask", title: "Why did it overtake the one that was ahead?" }, "why?");
    why.addEventListener("click", () => explainOvertaking(item, overtaken));
    line.append(why);
  }
  return line;
}

// The best-placed photo that was ahead globally and is behind now.
function overtakenBy(item, items) {
  return items
    .filter((other) => other.globalRank < item.globalRank && other.rank > item.rank)
    .sort((x, y) => x.rank - y.rank)[0];
}

function explainOvertaking(winner, loser) {
  const widest = Math.max(winner.similarity, loser.similarity, 1e-9);
  const sum = (item) =>
    make(
      "div",
      { className: "found-sum" },
      make("img", { src: dimlPlaced(item.thumbnail), alt: "" }),
      make(
        "div",
        {},
        make("p", {}, make("b", {}, item.similarity.toFixed(4)), ` = ${(item.global / 2).toFixed(4)} global + ${(item.structural / 2).toFixed(4)} structural   `, make("small", {}, item.label)),
        make(
          "div",
          { className: "found-bar" },
          make("span", { className: "found-bar-global", style: `width:${(50 * Math.max(item.global, 0)) / widest}%` }),
          make("span", { className: "found-bar-structural", style: `width:${(50 * Math.max(item.structural, 0)) / widest}%` }),
        ),
      ),
    );
  part(".found-why").replaceChildren(
    make(
      "p",
      {},
      `Globally it was ${signed((winner.global - loser.global) / 2)} against the other; its parts bring `,
      make("b", {}, signed((winner.structural - loser.structural) / 2)),
      `, together ${signed(winner.similarity - loser.similarity)}. Open either to see which parts.`,
    ),
    sum(winner),
    sum(loser),
  );
}

function drawLines(items, shown) {
  const svg = part(".found-lines");
  const width = svg.clientWidth;
  svg.setAttribute("height", String(shown * ROW_HEIGHT));
  const middle = (rank) => (Math.min(rank, shown + 0.5) - 0.5) * ROW_HEIGHT;
  svg.replaceChildren(
    ...items.map((item) => {
      const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
      const [from, to] = [middle(item.globalRank), middle(item.rank)];
      path.setAttribute("d", `M0 ${from} C${width / 2} ${from} ${width / 2} ${to} ${width} ${to}`);
      path.setAttribute("class", item.rank < item.globalRank ? "found-rose" : item.rank > item.globalRank ? "found-fell" : "found-stayed");
      return path;
    }),
  );
}

let askingAgain = 0;

function show(value) {
  const items = value?.items ?? null;
  root.dataset.state = items ? "ready" : value?.error ? "error" : value?.preparing ? "preparing" : "empty";
  part(".found-preparing").textContent = value?.preparing ?? "";
  clearInterval(askingAgain);
  // Until there is another value: one that is equal to this is not told to `watch`.
  if (value?.preparing) askingAgain = setInterval(() => trigger("again", {}), 1500);
  part(".found-error").textContent = value?.error ?? "";
  part(".found-why").replaceChildren();
  if (!items) return;
  part(".found-summary").textContent = value.summary;
  const orders = { global: (item) => item.globalRank, diml: (item) => item.rank };
  for (const [order, rank] of Object.entries(orders)) {
    const list = items.filter((item) => rank(item) <= value.shown).sort((x, y) => rank(x) - rank(y));
    const title = order === "global" ? "Global similarity" : "Re-ranked by parts (DIML)";
    const note = value.recall ? make("small", {}, value.recall[order]) : "";
    part(`[data-order=${order}]`).replaceChildren(make("li", { className: "found-title" }, make("b", {}, title), note), ...list.map((item) => row(item, order, items)));
  }
  drawLines(items, value.shown);
}

show(props.value);
watch("value", () => show(props.value));
new ResizeObserver(() => root.dataset.state === "ready" && drawLines(props.value.items, props.value.shown)).observe(root);
