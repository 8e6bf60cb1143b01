// What the quiz is played with: photos and model.

import { button, make, uniqueId } from "../view/dom.js";
import { text } from "../view/texts.js";

/** @typedef {{source: "examples" | "built-in" | "own", model: string}} Settings */

const SOURCES = /** @type {const} */ (["examples", "built-in", "own"]);

/**
 * @param {HTMLElement} root
 * @param {{name: string, title: string}[]} models the first is chosen
 * @param {(settings: Settings) => void} start a new game
 * @returns {() => Settings}
 */
export function settingsIn(root, models, start) {
  const chosen = () => ({
    source: /** @type {Settings["source"]} */ (source.value),
    model: model.value,
  });
  const begin = () => start(chosen());
  const source = choice(SOURCES.map((each) => [each, text(`quiz.source.${each}`)]), begin);
  const model = choice(models.map(({ name, title }) => [name, title]), begin);
  root.replaceChildren(
    labelled(text("quiz.source"), source),
    labelled(text("quiz.model"), model),
    button(text("quiz.again"), begin),
  );
  return chosen;
}

/**
 * @param {(readonly [string, string])[]} values and what they are called
 * @param {() => void} changed
 */
function choice(values, changed) {
  const options = values.map(([value, label]) => make("option", { value }, label));
  const select = /** @type {HTMLSelectElement} */ (make("select", { id: uniqueId("quiz") }, ...options));
  select.addEventListener("change", changed);
  return select;
}

/** @type {(words: string, control: HTMLElement) => HTMLElement} */
const labelled = (words, control) => make("label", { htmlFor: control.id }, `${words} `, control);
