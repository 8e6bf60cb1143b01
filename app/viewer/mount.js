// Glue to gr.HTML: `element`, `props`, `server` and `watch` are given by Gradio to js_on_load.

const viewer = createViewer(element, {
  address: Boolean(props.address),
  ask: (question) => server.cover(question),
});
viewer.update(props.value);
watch("value", () => viewer.update(props.value));
