// What other methods say of the pair: a layer each, for which the host is asked once.

import { answerTo, questionOf } from "./asking.js";
import { make } from "./dom.js";
import { text } from "./texts.js";

/** @import { Ask } from "./asking.js" */
/** @import { Layer } from "./layers.js" */
/** @import { Pair, Side } from "./pair.js" */
/** @import { Rival } from "../engine/types.js" */

const REST = 300; // ms that the options must stay as they are before the host is asked
const KEPT = 20; // maps

/**
 * The id of the layer of a method: some are called as layers are.
 *
 * @param {{key: string}} rival
 */
export const layerIdOf = ({ key }) => `rival-${key}`;

/**
 * Layers of other methods.
 *
 * @param {Ask} ask
 * @param {() => void} changed is told when there is something else to paint
 * @returns {(rival: Rival) => Layer}
 */
export function rivalLayers(ask, changed) {
  /** @type {Map<string, Record<Side, number[]> | {error: string} | null>} null: on its way */
  const known = new Map();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  let next = ""; // what is asked when it has waited

  /**
   * @param {Pair} pair
   * @param {string} rival
   */
  const mapOf = (pair, rival) => {
    const question = { about: /** @type {const} */ ("rival"), ...questionOf(pair), rival };
    const key = JSON.stringify(question);
    const found = known.get(key);
    if (found !== undefined) return found;
    if (key === next) return null;
    // Of a slider that moves, only where it comes to rest.
    next = key;
    clearTimeout(timer);
    timer = setTimeout(async () => {
      known.set(key, null);
      known.set(key, await answerTo(ask, question, () => {}));
      if (next === key) next = "";
      for (const old of [...known.keys()].slice(0, -KEPT)) known.delete(old);
      changed();
    }, REST);
    return null;
  };

  return ({ key, name, title }) => {
    // Whoever chooses it again wants to try again.
    for (const [asked, found] of known) if (found && "error" in found) known.delete(asked);
    return {
      id: layerIdOf({ key }),
      label: name[0].toUpperCase() + name.slice(1),
      help: title,
      note: (pair) => {
        const found = mapOf(pair, key);
        return found === null ? text("network.looking") : "error" in found ? found.error : null;
      },
      colouring: {
        map: "viridis",
        grid: (pair, side) => {
          const found = mapOf(pair, key);
          return found && !("error" in found) ? { rows: pair[side].rows, columns: pair[side].columns, values: found[side] } : null;
        },
        range: () => [0, 1],
        format: (value) => text(value ? "rivals.most" : "rivals.least"),
      },
    };
  };
}

/**
 * The list of other methods beside the layers.
 *
 * @param {HTMLElement} root
 * @param {(rival: Rival) => void} choose
 * @returns {(pair: Pair, id: string) => void} shows what can be chosen and what is
 */
export function rivalList(root, choose) {
  const select = /** @type {HTMLSelectElement} */ (make("select", { ariaLabel: text("rivals.label") }));
  /** @type {Rival[]} */
  let rivals = [];
  select.addEventListener("change", () => {
    const chosen = rivals.find(({ key }) => key === select.value);
    if (chosen) choose(chosen);
  });
  root.replaceChildren(select);
  return ({ model }, id) => {
    root.hidden = !model.rivals?.length;
    if (rivals !== model.rivals) {
      rivals = model.rivals ?? [];
      select.replaceChildren(
        make("option", { value: "", disabled: true, hidden: true }, text("rivals.choose")),
        ...rivals.map(({ key, name, title }) => make("option", { value: key, title }, name)),
      );
    }
    select.value = rivals.find((rival) => layerIdOf(rival) === id)?.key ?? "";
  };
}
