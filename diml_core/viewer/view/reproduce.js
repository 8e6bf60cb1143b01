// How to get the numbers on the page again, with the library and with the command line.

import { button, make } from "./dom.js";
import { copyText } from "./share.js";
import { text } from "./texts.js";

/** @import { Options } from "../engine/types.js" */
/** @import { Pair } from "./pair.js" */

const ALWAYS = ["grid", "marginals", "mass", "start_block"];
/** @type {Record<string, unknown>} what the library takes without being told (diml_core/comparison/options.py) */
const DEFAULTS = { head_fusion: "mean", kept_mass: 1, epsilon: 0.05, tolerance: 1e-6 };
// In the order of the library's options, each with the way that Python writes its numbers.
const OPTIONS = ["grid", "marginals", "mass", "start_block", "head_fusion", "kept_mass", "epsilon", "tolerance"];
const FLOATS = new Set(["mass", "kept_mass", "epsilon", "tolerance"]);

/**
 * Code that computes an explanation from the files, to be run where the repository is. Uploaded photos are named as
 * their owner named them, and are expected in the working directory.
 *
 * @param {{a: {name: string, example: boolean}, b: {name: string, example: boolean}, model: {name: string},
 *   options: Options}} pair
 * @returns {{python: string, shell: string}}
 */
export function reproduce({ a, b, model, options }) {
  const files = [a, b].map(({ name, example }) => (example ? `assets/examples/${name}` : name));
  /** @type {Record<string, unknown>} */
  const given = { ...options };
  const told = OPTIONS.filter((name) => {
    const value = given[name];
    return value !== null && value !== undefined && (ALWAYS.includes(name) || value !== DEFAULTS[name]);
  });
  /** @param {string} name */
  const written = (name) => (FLOATS.has(name) ? float(Number(given[name])) : String(given[name]));
  const values = told.map((name) => `    ${name}=${typeof given[name] === "string" ? repr(String(given[name])) : written(name)},\n`);
  const words = [
    ...["python", "-m", "diml_core", "compare"],
    ...files.map((name) => (name.startsWith("-") ? `./${name}` : name)),
    `--model=${model.name}`,
    ...told.map((name) => `--${name.replaceAll("_", "-")}=${written(name)}`),
  ];
  return {
    python:
      "from diml_core import explain, load_model\n\n" +
      `model = load_model(${repr(model.name)})\n` +
      `explanation = explain(\n    model,\n    ${repr(files[0])},\n    ${repr(files[1])},\n${values.join("")})\n` +
      "print(explanation.similarity)",
    shell: words.map(quoted).join(" "),
  };
}

/** @param {number} value */
function float(value) {
  return Number.isInteger(value) ? value.toFixed(1) : String(value);
}

/**
 * A text as Python writes it, `repr(words)`.
 *
 * @param {string} words
 */
export function repr(words) {
  const quote = words.includes("'") && !words.includes('"') ? '"' : "'";
  /** @type {Record<string, string>} */
  const short = { "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", [quote]: `\\${quote}` };
  const body = Array.from(words, (character) => {
    if (character in short) return short[character];
    if (character === " " || !/[\p{C}\p{Z}]/u.test(character)) return character;
    const code = character.codePointAt(0) ?? 0;
    const hex = code.toString(16);
    if (code < 0x100) return `\\x${hex.padStart(2, "0")}`;
    return code < 0x10000 ? `\\u${hex.padStart(4, "0")}` : `\\U${hex.padStart(8, "0")}`;
  });
  return quote + body.join("") + quote;
}

/**
 * A word for a POSIX shell, as Python's `shlex.quote` writes it.
 *
 * @param {string} word
 */
export function quoted(word) {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'"'"'`)}'`;
}

/**
 * @param {HTMLElement} root
 * @param {Pair} pair
 */
export function renderReproduce(root, pair) {
  const { python, shell } = reproduce(pair);
  /** @type {(label: string, code: string) => HTMLElement} */
  const block = (label, code) =>
    make(
      "div",
      {},
      make("p", {}, make("b", {}, label), " ", button(text("reproduce.copy"), (event) => copyText(code, event), { ariaLabel: text("reproduce.copy.label", { what: label }) })),
      // Long lines scroll, and what scrolls must be reachable by keyboard.
      make("pre", { tabIndex: 0, role: "region", ariaLabel: label }, make("code", {}, code)),
    );
  const files = pair.a.example && pair.b.example ? "" : ` ${text("reproduce.files")}`;
  root.replaceChildren(
    make("p", { className: "diml-hint" }, `${text("reproduce.intro")}${files}`),
    block(text("reproduce.python"), python),
    block(text("reproduce.shell"), shell),
  );
}
