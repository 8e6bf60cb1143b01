// Taking the view along: the address, and code that gives the same numbers.

const OPTION_KEYS = ["grid", "marginals", "mass", "start_block"];

// The query that shows this again, or null for uploads, which are not kept.
function queryOf(pair, view) {
  if (!pair.a.example || !pair.b.example) return null;
  const query = new URLSearchParams({ a: pair.a.name, b: pair.b.name, model: pair.model });
  for (const key of OPTION_KEYS) {
    if (pair.options[key] !== null) query.set(key, String(pair.options[key]));
  }
  query.set("layer", view.layer);
  query.set("lines", String(view.lines));
  if (view.pinned) query.set("parts", view.pinned.side + view.pinned.parts.join("."));
  return query;
}

// The layer, lines and pinned parts of an address, or null where it names another pair.
function viewFromQuery(query, pair) {
  if (query.get("a") !== pair.a.name || query.get("b") !== pair.b.name || query.get("model") !== pair.model) return null;
  const view = {};
  if (LAYERS.some((layer) => layer.id === query.get("layer"))) view.layer = query.get("layer");
  const lines = Number(query.get("lines"));
  if (query.has("lines") && lines >= 0 && lines <= 100) view.lines = Math.round(lines);
  const [, side, list] = /^([ab])([\d.]+)$/.exec(query.get("parts") ?? "") ?? [];
  const parts = list?.split(".").map(Number).filter((part) => part < pair[side].count);
  if (parts?.length) view.pinned = { side, parts };
  return view;
}

function renderReproduce(root, pair) {
  const block = (label, code) => {
    const button = make("button", { type: "button" }, "Copy");
    button.addEventListener("click", () => copyText(code, button));
    return make("div", {}, make("p", {}, make("b", {}, label), " ", button), make("pre", {}, make("code", {}, code)));
  };
  const files = pair.a.example && pair.b.example ? "" : " Put the photos into the folder where you run it.";
  root.replaceChildren(
    make("p", { className: "diml-hint" }, `The same numbers from a checkout of DIML Explorer.${files}`),
    block("Python", pair.reproduce.python),
    block("Command line", pair.reproduce.shell),
  );
}

async function copyText(text, button) {
  const label = button.textContent;
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  } catch {
    // Without permission, or on a page that is not https: the visitor copies by hand.
    window.prompt("Copy this:", text);
  }
  setTimeout(() => (button.textContent = label), 1500);
}
