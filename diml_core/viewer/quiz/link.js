// A question as an address: everybody who opens it is asked the same.

import { OPTION_KEYS } from "../view/share.js";

/** @import { Options, Payload } from "../engine/types.js" */
/** @import { Selection } from "../view/pair.js" */

const KEY = "guess";

/**
 * Photos of visitors are not kept: only those that everybody's page has can be linked.
 *
 * @param {Payload} payload
 */
export const canBeAsked = ({ a, b }) => Boolean(a.shared && b.shared);

/**
 * @param {Location | URL} place of the page
 * @param {Payload} payload
 * @param {Options} options that the pair stands at
 * @param {Selection} asked whose place is to be found
 * @returns {string} an address
 */
export function questionLink(place, { a, b, model }, options, { side, parts }) {
  const question = new URLSearchParams({ a: a.name, b: b.name, model: model.name });
  for (const key of OPTION_KEYS) if (options[key] !== null) question.set(key, String(options[key]));
  question.set("parts", side + parts.join("."));
  // All in one value: what the viewer keeps in the address has the same names.
  return `${place.origin}${place.pathname}?${new URLSearchParams({ [KEY]: question.toString() })}`;
}

/**
 * @param {string} search of an address
 * @returns {string | null} the question that it asks, for the host
 */
export const questionIn = (search) => new URLSearchParams(search).get(KEY);

/**
 * @param {string} search
 * @returns {string} the same without the question
 */
export function withoutQuestion(search) {
  const query = new URLSearchParams(search);
  query.delete(KEY);
  const rest = query.toString();
  return rest && `?${rest}`;
}
