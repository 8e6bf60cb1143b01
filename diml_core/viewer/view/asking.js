// The way to the network: questions about the pair that is shown, and what becomes of them.

import { text } from "./texts.js";

/** @import { Options } from "../engine/types.js" */

const SILENCE = 180_000; // ms without a word after which an answer is lost; a class that covers at once has to wait

/**
 * @typedef {object} QuestionBase what every question says
 * @property {string} model
 * @property {[string, string]} digests of both photos
 * @property {Options} options
 */

/**
 * @callback Ask the way to the network. What is told of progress, and what answers, is as the question is.
 * @param {QuestionBase & {about: "cover" | "rival" | "curves"}} question
 * @param {(told: any) => void} onProgress
 * @param {AbortSignal} givenUp nobody waits for the answer any more
 * @returns {Promise<any>} an object, with an `error` if there is no answer
 */

/**
 * What a question about a pair begins with.
 *
 * @param {import("./pair.js").Pair} pair
 * @returns {QuestionBase}
 */
export const questionOf = ({ a, b, model, options }) => ({ model: model.name, digests: [a.digest, b.digest], options });

/**
 * The answer, or a sentence why there is none; never nothing.
 *
 * @param {Ask} ask
 * @param {any} question
 * @param {(told: any) => void} onProgress
 * @param {object} [how]
 * @param {number} [how.silence] ms without a word after which the answer is given up
 * @param {AbortSignal} [how.stopped] wants no more of the answer, which then never comes
 * @returns {Promise<any>} what answers, or an object with an `error`
 */
export function answerTo(ask, question, onProgress, { silence = SILENCE, stopped } = {}) {
  return new Promise((resolve) => {
    /** @type {ReturnType<typeof setTimeout>} */
    let timer;
    const patience = new AbortController();
    const restart = () => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        patience.abort();
        resolve({ error: text("network.lost") });
      }, silence);
    };
    restart();
    stopped?.addEventListener("abort", () => {
      clearTimeout(timer);
      patience.abort();
    });
    Promise.resolve()
      .then(() =>
        ask(
          question,
          (told) => {
            restart();
            onProgress(told);
          },
          patience.signal,
        ),
      )
      .then(
        (answer) => resolve(answer ?? { error: text("network.failed") }),
        () => resolve({ error: text("network.failed") }),
      )
      .finally(() => clearTimeout(timer));
  });
}
