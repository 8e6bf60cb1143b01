// The page's way to the worker that looks at photos.

import { text } from "../../../diml_core/viewer/view/texts.js";

/** @typedef {(about: string, question: any, tell?: (told: any) => void, givenUp?: AbortSignal) => Promise<any>} AskWorker rejects with
 *   a sentence; who gives up gets no answer */

/**
 * @param {URL} script the worker's module
 * @returns {AskWorker}
 */
export function startWorker(script) {
  // From a blob: address it inherits this page's policy; from its own it would have none, and could reach any address.
  const start = URL.createObjectURL(new Blob([`import ${JSON.stringify(script.href)};`], { type: "text/javascript" }));
  const worker = new Worker(start, { type: "module" });
  /** @type {Map<number, {resolve: (answer: any) => void, reject: (error: Error) => void, tell: (told: any) => void}>} */
  const waiting = new Map();
  let ids = 0;
  let isBroken = false;
  worker.onmessage = ({ data: { id, told, answer, error } }) => {
    const asked = waiting.get(id);
    if (!asked) return;
    if (told !== undefined) return asked.tell(told);
    waiting.delete(id);
    if (error) asked.reject(new Error(error));
    else asked.resolve(answer);
  };
  worker.onerror = (event) => {
    console.error(event.message ?? event);
    isBroken = true;
    for (const { reject } of waiting.values()) reject(new Error(text("site.failed")));
    waiting.clear();
  };
  return (about, question, tell = () => {}, givenUp) =>
    new Promise((resolve, reject) => {
      if (isBroken) return reject(new Error(text("site.failed")));
      const id = ++ids;
      waiting.set(id, { resolve, reject, tell });
      worker.postMessage({ id, about, question });
      givenUp?.addEventListener("abort", () => {
        if (waiting.delete(id)) worker.postMessage({ id, about: "stop" });
      });
    });
}
