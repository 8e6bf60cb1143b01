// What re-ranking by parts fixes and breaks in the built-in gallery. `trigger`, `props` and `watch` are Gradio's, dimlPlaced the page's, text() stands
// above it (app/component.py).

const root = element.querySelector(".mistakes");
const part = (selector) => root.querySelector(selector);

function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  Object.assign(node, attributes);
  node.append(...children);
  return node;
}

function photo(item, role, mark) {
  const image = make("img", { src: dimlPlaced(item.thumbnail), alt: "", loading: "lazy" });
  return make("span", { className: "mistakes-photo" }, image, make("span", { className: "mistakes-words" }, make("small", {}, role), make("span", {}, mark && `${mark} `, item.label)));
}

function row({ query, before, after }, fixed) {
  const [was, is] = fixed ? ["✗", "✓"] : ["✓", "✗"];
  const open = make("button", { type: "button" }, photo(query, text("mistakes.query"), ""), photo(before, text("mistakes.before"), was), photo(after, text("mistakes.after"), is));
  open.addEventListener("click", () => {
    (window.dimlChosen ??= {}).mistake = query.photo; // see app/choices.py
    window.dimlOpener = { button: open, top: open.getBoundingClientRect().top }; // see app/tabs/retrieve.py
    trigger("open");
  });
  return make("li", {}, open);
}

function list(title, changes, fixed) {
  return make("div", {}, make("h3", {}, title), make("ul", {}, ...changes.map((change) => row(change, fixed))));
}

let askingAgain = 0;

function show(value) {
  const said = value?.counting ?? value?.error ?? "";
  root.dataset.state = value?.summary ? "ready" : said ? "waiting" : "empty";
  part(".mistakes-waiting").textContent = said;
  clearInterval(askingAgain);
  // Until there is another value: one that is equal to this is not told to `watch`.
  if (value?.counting) askingAgain = setInterval(() => trigger("again", {}), 3000);
  if (!value?.summary) return;
  part(".mistakes-summary").textContent = value.summary;
  const lists = [
    list(text("mistakes.fixed", { count: value.fixed.length }), value.fixed, true),
    list(text("mistakes.broken", { count: value.broken.length }), value.broken, false),
  ];
  const none = !value.fixed.length && !value.broken.length; // of which the summary says enough
  part(".mistakes-lists").replaceChildren(...(none ? [] : lists));
}

show(props.value);
watch("value", () => show(props.value));
