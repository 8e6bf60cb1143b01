// Taking the view along: the address.

import { LAYERS } from "./layers.js";
import { MOST_LINES } from "./pair.js";
import { layerIdOf } from "./rivals.js";
import { STEP_IDS } from "./steps/names.js";
import { text } from "./texts.js";

/** @import { Options } from "../engine/types.js" */
/** @import { Pair, Selection } from "./pair.js" */

/** @type {readonly (keyof Options)[]} */
export const OPTION_KEYS = ["grid", "marginals", "mass", "start_block", "epsilon"];
/** @typedef {"layer" | "lines" | "parts" | "step"} Unknown */

const KEYS = ["a", "b", "model", ...OPTION_KEYS, "layer", "lines", "parts", "step"];

/**
 * The query part of the address that shows a view again. What others keep there stays.
 *
 * @param {string} search of today's address
 * @param {Pick<Pair, "a" | "b" | "model" | "options"> | null} pair null for none, or one that cannot be linked
 * @param {{layer: {id: string}, lines: number, pinned: Selection | null, step?: string | null}} view
 * @returns {string} empty or with its question mark
 */
export function addressQuery(search, pair, view) {
  const query = new URLSearchParams(search);
  for (const key of KEYS) query.delete(key);
  if (pair) {
    query.set("a", pair.a.name);
    query.set("b", pair.b.name);
    query.set("model", pair.model.name);
    for (const key of OPTION_KEYS) {
      if (pair.options[key] !== null) query.set(key, String(pair.options[key]));
    }
    query.set("layer", view.layer.id);
    query.set("lines", String(view.lines));
    if (view.pinned) query.set("parts", view.pinned.side + view.pinned.parts.join("."));
    if (view.step) query.set("step", view.step);
  }
  const written = query.toString();
  return written && `?${written}`;
}

/**
 * Uploads are not kept, so that only example photos can be linked.
 *
 * @param {Pick<Pair, "a" | "b">} pair
 */
export const canBeLinked = ({ a, b }) => a.example && b.example;

/**
 * What an address says about the view, or null where it names another pair, or options that this one does not stand at:
 * its parts are those of its own grid. What it asks for that the pair has not is `unknown`, by its key.
 *
 * @param {URLSearchParams} query
 * @param {Pair} pair
 * @returns {{layer?: string, lines?: number, pinned?: Selection, step?: string, unknown: Unknown[]} | null}
 */
export function viewFromQuery(query, pair) {
  const named = [query.get("a"), query.get("b"), query.get("model") ?? pair.model.name];
  if (named.join("\n") !== [pair.a.name, pair.b.name, pair.model.name].join("\n")) return null;
  /** @param {keyof Options} key */
  const differs = (key) => {
    const asked = query.get(key);
    return asked !== null && asked !== pair.options[key] && Number(asked) !== pair.options[key];
  };
  if (OPTION_KEYS.some(differs)) return null;
  /** @type {NonNullable<ReturnType<typeof viewFromQuery>>} */
  const view = { unknown: [] };
  /** @type {(key: Unknown, read: (asked: string) => boolean) => void} */
  const take = (key, read) => {
    const asked = query.get(key);
    if (asked !== null && !read(asked)) view.unknown.push(key);
  };
  take("layer", (layer) => {
    // What two viewers differ by is here once both have their pair.
    const layers = LAYERS.filter(({ available, beside }) => !available || beside || available(pair));
    const known = [...layers.map(({ id }) => id), ...(pair.model.rivals ?? []).map(layerIdOf)].includes(layer);
    if (known) view.layer = layer;
    return known;
  });
  take("lines", (asked) => {
    const lines = Number(asked);
    const known = lines >= 0 && lines <= MOST_LINES;
    if (known) view.lines = Math.round(lines);
    return known;
  });
  take("parts", (asked) => {
    const [, side, list] = /^([ab])(\d+(?:\.\d+)*)$/.exec(asked) ?? [];
    if (side !== "a" && side !== "b") return false;
    const named = list.split(".").map(Number);
    const parts = named.filter((part) => part < pair[side].count);
    if (parts.length) view.pinned = { side, parts: [...new Set(parts)] };
    return parts.length === named.length;
  });
  take("step", (step) => {
    const known = STEP_IDS.includes(step);
    if (known) view.step = step;
    return known;
  });
  return view;
}

/**
 * What to say of a link of which not all can be shown.
 *
 * @param {Unknown[]} unknown
 * @returns {string | null} null for nothing
 */
export function leftOut(unknown) {
  return unknown.length ? text("viewer.link.unknown", { what: unknown.map((key) => text(`viewer.link.${key}`)).join(", ") }) : null;
}

/**
 * Copies, and says so on the button that was pressed.
 *
 * @param {string} words
 * @param {Event} event of the button
 */
export async function copyText(words, event) {
  const pressed = /** @type {HTMLElement} */ (event.currentTarget);
  const label = pressed.dataset.label ?? pressed.textContent ?? "";
  pressed.dataset.label = label; // a second press meets "Copied"
  try {
    await navigator.clipboard.writeText(words);
    pressed.textContent = text("viewer.link.copied");
  } catch {
    // Without permission, or on a page that is not https: the visitor copies by hand.
    window.prompt(text("viewer.link.prompt"), words);
  }
  setTimeout(() => (pressed.textContent = label), 1500);
}
