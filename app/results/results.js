// Search results in two orders: by global similarity, and after re-ranking by parts. `trigger` and `props` are Gradio's, dimlPlaced the page's,
// TEXTS and text() stand above it (app/component.py).

const root = element.querySelector(".found");
const part = (selector) => root.querySelector(selector);
const ORDERS = { global: (item) => item.globalRank, diml: (item) => item.rank };

function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  Object.assign(node, attributes);
  node.append(...children); // text stays text: file names are the visitor's
  return node;
}

const picture = (item, alt) => make("img", { src: dimlPlaced(item.thumbnail), alt });

/** Opens the pair of the query and a photo, and beside it that of the query and the one it overtook. */
function opens(button, ...items) {
  button.addEventListener("click", () => {
    (window.dimlChosen ??= {}).result = items.map((item) => item.photo).join(" "); // see app/choices.py
    window.dimlOpener = { button, top: button.getBoundingClientRect().top }; // see app/tabs/retrieve.py
    trigger("open");
  });
  return button;
}

const rules = new Intl.PluralRules(TEXTS.language, { type: "ordinal" });
const ordinal = (place) => text(`results.ordinal.${rules.select(place)}`, { place });

// Both columns show both scores of a photo, in one order, in points of the overall one; that by which the column ranks
// stands out.
function scores(item, order) {
  const score = (name, value, own) => make("span", {}, `${name} `, own ? make("b", { className: "found-score" }, value.toFixed(1)) : value.toFixed(1));
  return make("span", { className: "found-scores" }, score(text("results.global"), 50 * item.global, order === "global"), " ", score(text("results.overall"), 100 * item.similarity, order === "diml"));
}

// Where the photo stands in the other column; a rise is one towards place 1.
function move(item, order, shown) {
  const rise = item.globalRank - item.rank;
  if (!rise) return make("span", { className: "found-move" }, text("results.same"));
  const [from, to] = [item.globalRank, item.rank];
  const where = order === "diml" ? text("results.from", { place: ordinal(from) }) : text("results.to", { place: ordinal(to) });
  const words = text(rise > 0 ? "results.up" : "results.down", { places: Math.abs(rise), where });
  const crossing = order === "diml" ? (from > shown ? text("results.new") : "") : to > shown ? text("results.leaves", { shown }) : "";
  return make("span", { className: `found-move ${rise > 0 ? "found-up" : "found-down"}` }, words, crossing && " ", crossing && make("span", { className: "found-crossing" }, crossing));
}

// The first of the photos that were ahead globally and are behind now. Whoever rose has one, and it is among those shown:
// of the places down to the riser's own at least one was held by a photo that is behind it now.
function overtakenBy(item, items) {
  return items
    .filter((other) => other.globalRank < item.globalRank && other.rank > item.rank)
    .sort((x, y) => x.globalRank - y.globalRank)[0];
}

function row(item, order, { items, shown }) {
  const words = make("span", { className: "found-text" }, make("span", { className: "found-name" }, item.same ? "✓ " : "", item.label), scores(item, order), move(item, order, shown));
  const open = opens(make("button", { type: "button", className: "found-open" }, make("span", { className: "found-rank" }, String(ORDERS[order](item))), picture(item, ""), words), item);
  const line = make("li", {}, open);
  line.dataset.photo = item.photo;
  line.classList.toggle("found-same", item.same === true);
  if (order === "diml" && item.rank < item.globalRank) {
    const overtaken = overtakenBy(item, items);
    line.append(opens(make("button", { type: "button", className: "found-ask" }, text("results.why"), picture(item, item.label), text("results.over"), picture(overtaken, overtaken.label), text("results.end")), item, overtaken));
  }
  return line;
}

function drawLines(items, shown) {
  const svg = part(".found-lines");
  const box = svg.getBoundingClientRect();
  const middle = (order, item) => {
    const line = part(`[data-order=${order}]`).children[ORDERS[order](item) - 1];
    if (ORDERS[order](item) > shown) return box.height; // from below, or away
    const { top, height } = line.getBoundingClientRect();
    return top + height / 2 - box.top;
  };
  svg.replaceChildren(
    ...items.map((item) => {
      const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
      const [from, to] = [middle("global", item), middle("diml", item)];
      path.setAttribute("d", `M0 ${from} C${box.width / 2} ${from} ${box.width / 2} ${to} ${box.width} ${to}`);
      path.setAttribute("class", item.rank < item.globalRank ? "found-rose" : item.rank > item.globalRank ? "found-fell" : "found-stayed");
      path.dataset.photo = item.photo;
      return path;
    }),
  );
}

// A photo that is pointed at, or has the focus, is lit in both columns, and so is the line between.
function light({ type, target }) {
  const leaves = type === "pointerout" || type === "focusout";
  const photo = leaves ? undefined : target.closest("[data-photo]")?.dataset.photo;
  for (const each of root.querySelectorAll("[data-photo]")) each.classList.toggle("found-lit", each.dataset.photo === photo);
}
for (const name of ["pointerover", "pointerout", "focusin", "focusout"]) root.addEventListener(name, light);

let askingAgain = 0;
let last = null; // the results that are shown, also below an error that came after them

function show(value) {
  const items = value?.items ?? null;
  root.dataset.state = items ? "ready" : value?.error ? "error" : value?.preparing ? "preparing" : "empty";
  part(".found-preparing").textContent = value?.preparing ?? "";
  clearInterval(askingAgain);
  // Until there is another value: one that is equal to this is not told to `watch`.
  if (value?.preparing) askingAgain = setInterval(() => trigger("again", {}), 1500);
  part(".found-error").textContent = value?.error ?? "";
  if (!value?.error) last = items && value;
  root.toggleAttribute("data-found", last !== null);
  if (!items) return;
  part(".found-summary").textContent = value.summary;
  for (const [order, rank] of Object.entries(ORDERS)) {
    const list = items.filter((item) => rank(item) <= value.shown).sort((x, y) => rank(x) - rank(y));
    part(`[data-recall=${order}]`).textContent = value.recall?.[order] ?? "";
    part(`[data-order=${order}]`).replaceChildren(...list.map((item) => row(item, order, value)));
  }
  drawLines(items, value.shown);
}

show(props.value);
watch("value", () => show(props.value));
new ResizeObserver(() => last && drawLines(last.items, last.shown)).observe(root);
