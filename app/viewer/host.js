// Glue between gr.HTML, which gives `element`, `props`, `trigger` and `watch`, and the viewer's mount().
// MODULES, where the viewer's modules lie, text() and network.js stand above it; dimlPlaced is the page's.

const listeners = new Set();
const kept = {};
const asked = document.createElement("div"); // what can be asked of the pair, once somebody wants to know
Object.assign(asked, { className: "quiz-made", role: "status" });

const model = {
  get: (key) => (key === "pair" ? pairOf(props.value) : kept[key]),
  set: (key, value) => {
    kept[key] = value;
    asked.replaceChildren(); // it was about another part, or other options
  },
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

// A teacher's question from the pair that is open: made by the quiz's modules, asked in its tab.
function offerToAsk(label) {
  const make = document.createElement("button");
  Object.assign(make, { type: "button", textContent: label });
  make.dataset.role = "make-question"; // presenter mode has no room for it
  make.addEventListener("click", async () => {
    const place = document.createElement("div"); // what is told too late is told nobody
    asked.replaceChildren(place);
    const open = (question) => {
      window.dimlQuestion = question;
      window.dispatchEvent(new Event("diml-question"));
      document.getElementById("guess-tab-button")?.click();
    };
    const shown = { payload: pairOf(props.value), options: kept.options ?? null, selected: kept.selected ?? null };
    try {
      const { offerQuestion } = await import(`${dimlPlaced(MODULES)}/quiz/make.js`);
      await offerQuestion(place, shown, open);
    } catch (error) {
      place.textContent = error.message;
    }
  });
  element.querySelector("[data-role=cover]").after(make, asked); // a part has to be kept for it
}

watch("value", () => listeners.forEach((listener) => listener()));

Promise.all([import(`${dimlPlaced(MODULES)}/mount.js`), import(`${dimlPlaced(MODULES)}/view/texts.js`)]).then(
  ([{ mount }, { text }]) => {
    if (gone.signal.aborted) return;
    const unmount = mount({ model, el: element.querySelector(".diml-host"), ask, address: Boolean(props.address) });
    gone.signal.addEventListener("abort", unmount);
    offerToAsk(text("quiz.make"));
    // The address asks for a pair, and the page has put its listeners up: let the server restore it.
    if (!props.address || !new URLSearchParams(location.search).has("a")) return;
    (window.dimlChosen ??= {}).link = location.search.slice(1); // see app/choices.py
    trigger("restore");
  },
  () => (element.querySelector(".diml-host").textContent = text("viewer.failed")),
);
