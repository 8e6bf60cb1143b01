// The page's texts, by key.

import TEXTS from "../texts/en.js";

/**
 * One text, filled in. Its values arrive as they are: whoever shows it uses text nodes.
 *
 * @param {keyof typeof TEXTS} key as in texts/en.js
 * @param {Record<string, string | number>} [values] what stands for each `{name}`
 * @returns {string}
 * @throws {Error} a value that the text needs is missing
 */
export function text(key, values = {}) {
  return TEXTS[key].replace(/\{(\w+)\}/g, (_, name) => {
    if (!(name in values)) throw new Error(`The text ${key} needs ${name}.`);
    return String(values[name]);
  });
}
