// The page's texts, by key. In a text, [[id]] is the name of a term of the glossary and [[id|words]] stands for it in
// other words: view/terms.js makes nodes of them, and here they are plain words.

import TEXTS from "../texts/en.js";

/** @typedef {keyof typeof TEXTS} Key */

const TERM = /\[\[(\w+)(?:\|([^\]]+))?\]\]/g;
const plurals = new Intl.PluralRules(TEXTS.language);

/**
 * One text, filled in. Its values arrive as they are: whoever shows it uses text nodes.
 *
 * @param {Key} key as in texts/en.js
 * @param {Record<string, string | number>} [values] what stands for each `{name}`
 * @returns {string}
 * @throws {Error} a value that the text needs is missing
 */
export function text(key, values = {}) {
  const words = TEXTS[key].replace(TERM, (_, id, shown) => shown ?? TEXTS[/** @type {Key} */ (`terms.${id}.name`)]);
  return words.replace(/\{(\w+)\}/g, (_, name) => {
    if (!(name in values)) throw new Error(`The text ${key} needs ${name}.`);
    return String(values[name]);
  });
}

/**
 * The form that the language has for so many; what it does not tell apart is `other`.
 *
 * @param {number} count
 */
export const formOf = (count) => (plurals.select(count) === "one" ? "one" : "other");

/**
 * So many of something: the text `count.<noun>.<form>` for the form that the language has for that number.
 *
 * @param {string} noun
 * @param {number} count
 * @returns {string}
 */
export function counted(noun, count) {
  return text(/** @type {Key} */ (`count.${noun}.${plurals.select(count)}`), { count });
}

/**
 * A number of many digits, as the language groups them.
 *
 * @param {number} value
 */
export const grouped = (value) => value.toLocaleString(TEXTS.language);

/**
 * A text in pieces: terms, **what stands out**, and what lies between, of which some is filled in.
 *
 * @param {Key} key
 * @returns {({term: string, words: string} | {strong: string} | {value: string} | string)[]}
 */
export function piecesOf(key) {
  return TEXTS[key].split(/(\[\[[^\]]+\]\]|\*\*[^*]+\*\*|\{\w+\})/).flatMap((piece) => {
    const found = [...piece.matchAll(TERM)][0];
    if (found) return { term: found[1], words: found[2] ?? TEXTS[/** @type {Key} */ (`terms.${found[1]}.name`)] };
    if (piece.startsWith("**")) return { strong: piece.slice(2, -2) };
    if (piece.startsWith("{")) return { value: piece.slice(1, -1) };
    return piece || [];
  });
}
