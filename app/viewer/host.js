// Glue between gr.HTML, which gives `element`, `props`, `trigger` and `watch`, and the viewer's mount().
// MODULES, where the viewer's modules lie, stands above it; dimlPlaced is the page's.

const listeners = new Set();
const kept = {};
const questions = new Map(); // what the network is asked: by id, whom to tell

const pairOf = (value) => {
  if (!value?.a) return value ?? {};
  const side = (raw) => ({ ...raw, photo: dimlPlaced(raw.photo), features: dimlPlaced(raw.features), attention: dimlPlaced(raw.attention) });
  return { ...value, a: side(value.a), b: side(value.b) };
};

const model = {
  get: (key) => (key === "pair" ? pairOf(props.value) : kept[key]),
  set: (key, value) => (kept[key] = value),
  save_changes: () => {
    // What the page's own buttons send along: see LIVE_OPTIONS in __init__.py.
    if (props.address) window.dimlOptions = JSON.stringify(kept.options ?? {});
    // By the name of the component, which is around the element: one that is shown later knows no properties.
    (window.dimlOptionsOf ??= {})[element.parentElement?.closest("[id]")?.id] = JSON.stringify(kept.options ?? {});
  },
  on: (event, listener) => event === "change:pair" && listeners.add(listener),
  off: (event, listener) => listeners.delete(listener),
};

// What can be asked, and the event that it is asked by: Gradio looks for their names here, in quotes.
const EVENTS = { cover: "cover", rival: "rival", curves: "curves" };

function ask({ about, ...question }, onProgress, givenUp) {
  const id = Array.from(crypto.getRandomValues(new Uint32Array(4)), (word) => word.toString(36)).join("");
  return new Promise((resolve) => {
    questions.set(id, { resolve, onProgress });
    givenUp.addEventListener("abort", () => questions.delete(id) && trigger("stop", { id }));
    trigger(EVENTS[about], { id, ...question });
  });
}

const gone = new AbortController();
// Gradio takes a component that is hidden off the page without a word, and runs this anew when it is shown again.
new ResizeObserver((_, observer) => {
  if (element.isConnected) return;
  observer.disconnect();
  gone.abort();
}).observe(element);

window.addEventListener(
  "diml-answer",
  ({ detail }) => {
    // Without an id nobody has read the question: it goes to all that wait.
    for (const id of detail.id === null ? [...questions.keys()] : [detail.id]) {
      const asked = questions.get(id);
      if (!asked) continue;
      if (detail.progress) asked.onProgress?.(detail.progress);
      else {
        questions.delete(id);
        asked.resolve(detail.answer ?? { error: detail.error });
      }
    }
  },
  { signal: gone.signal },
);

watch("value", () => listeners.forEach((listener) => listener()));

import(`${dimlPlaced(MODULES)}/mount.js`).then(
  ({ mount }) => {
    if (gone.signal.aborted) return;
    const unmount = mount({ model, el: element.querySelector(".diml-host"), ask, address: Boolean(props.address) });
    gone.signal.addEventListener("abort", unmount);
    // The address asks for a pair, and the page has put its listeners up: let the server restore it.
    if (props.address && new URLSearchParams(location.search).has("a")) trigger("restore", { query: location.search.slice(1) });
  },
  () => (element.querySelector(".diml-host").textContent = "The viewer could not be loaded: reload the page."),
);
