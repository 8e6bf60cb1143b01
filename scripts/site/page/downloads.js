// Files of the pair that is open: a report that stays interactive, and its numbers.

import { decodeFeatures } from "../../../diml_core/viewer/engine/decode.js";
import { explain } from "../../../diml_core/viewer/engine/explain.js";
import { make } from "../../../diml_core/viewer/view/dom.js";
import { csvOf, numbersOf } from "./numbers.js";
import { reportOf } from "./report.js";

/** @import { Explanation, Options, Payload, Side } from "../../../diml_core/viewer/engine/types.js" */

const KEPT = 60_000; // ms that the browser has to save a file

/** @type {Record<string, (pair: Payload, options: Options, base: URL) => Promise<Blob>>} by the ending of the file */
const FILES = {
  html: async (pair, options, base) => reportOf(await (await fetch(new URL("report.html", base))).text(), pair, options),
  csv: async (pair, options) => new Blob([csvOf(await explained(pair, options))], { type: "text/csv" }),
  json: async (pair, options) => new Blob([JSON.stringify(numbersOf(pair, await explained(pair, options)))], { type: "application/json" }),
};

/**
 * Connects the buttons, which name the ending of their file.
 *
 * @param {HTMLFieldSetElement} buttons
 * @param {() => Options} optionsNow what the viewer stands at
 * @param {URL} base the site's own place
 * @returns {(pair: Payload | null) => void} is told what is open, or that nothing is
 */
export function offerDownloads(buttons, optionsNow, base) {
  /** @type {Payload | null} */
  let open = null;
  for (const button of buttons.querySelectorAll("button")) {
    const ending = button.value;
    button.addEventListener("click", async () => {
      if (!open) return;
      const [a, b] = [open.a, open.b].map(({ name }) => plain(name));
      save(await FILES[ending](open, optionsNow(), base), `${a}--${b}.${ending}`);
    });
  }
  return (pair) => {
    open = pair;
    buttons.disabled = !pair;
  };
}

/**
 * @param {Payload} pair whose files have addresses of this page
 * @param {Options} options
 * @returns {Promise<Explanation>}
 */
async function explained(pair, options) {
  /** @param {Side} side */
  const featuresOf = async (side) => decodeFeatures(await (await fetch(side.features)).arrayBuffer(), side, pair.model);
  const [a, b] = await Promise.all([pair.a, pair.b].map(featuresOf));
  return explain(pair, { a, b }, options);
}

/**
 * @param {Blob} file
 * @param {string} name
 */
function save(file, name) {
  const url = URL.createObjectURL(file);
  make("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), KEPT);
}

/** A photo's name in that of a file. @param {string} name */
const plain = (name) => name.replace(/\.\w+$/, "").replace(/[^\w.-]+/g, "-").slice(0, 40) || "photo";
