// What our hosts of viewer modules share: the way to the server and back, and where a pair's files lie. `element` and
// `trigger` are Gradio's, dimlPlaced the page's. Whoever includes this has EVENTS: what can be asked, and the event that
// it is asked by. Gradio looks for their names in the script, in quotes.

const questions = new Map(); // what the network is asked: by id, whom to tell

const pairOf = (value) => {
  if (!value?.a) return value ?? {};
  const side = (raw) => ({ ...raw, photo: dimlPlaced(raw.photo), features: dimlPlaced(raw.features), attention: dimlPlaced(raw.attention) });
  return { ...value, a: side(value.a), b: side(value.b) };
};

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
