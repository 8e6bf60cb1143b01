// Glue to gr.HTML: `element`, `props`, `server` and `watch` are given by Gradio to js_on_load.

const viewer = createViewer(element, {
  address: Boolean(props.address),
  ask: (question) => server.cover(question),
});
viewer.update(props.value);
watch("value", () => viewer.update(props.value));
if (props.address && new URLSearchParams(location.search).has("a")) {
  // The address asks for a pair. Once the page has put its listeners up, let the server restore it.
  setTimeout(() => trigger("restore", { query: location.search.slice(1) }), 0);
}
