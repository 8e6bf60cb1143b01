// Glue to gr.HTML: `element`, `props` and `watch` are given by Gradio to js_on_load.

const viewer = createViewer(element);
viewer.update(props.value);
watch("value", () => viewer.update(props.value));
