// The example pairs and triples in words, and the buttons that offer them.

import { make } from "../../../diml_core/viewer/view/dom.js";
import { text } from "../../../diml_core/viewer/view/texts.js";

/** @import { Key } from "../../../diml_core/viewer/view/texts.js" */

/** @typedef {{id: string, a: string, b: string, kind: string}} Example */
/** @typedef {{id: string, a: string, b: string, c: string}} Triple `a` is like `b` and unlike `c` */

/** @param {string} key */
const words = (key) => text(/** @type {Key} */ (`examples.${key}`));

/**
 * Title of an example pair, whichever photo is A, and where to look in it; nothing for two other photos.
 *
 * @param {Example[]} examples
 * @param {string} a file name
 * @param {string} b
 */
export function captionOf(examples, a, b) {
  const pair = examples.find((each) => [each.a, each.b].sort().join() === [a, b].sort().join());
  return pair && { title: words(`${pair.id}.title`), text: words(`${pair.id}.look`) };
}

/**
 * Where to look in each triple, by the names of its photos.
 *
 * @param {Triple[]} triples
 * @returns {Record<string, string>}
 */
export const tripleCaptions = (triples) => Object.fromEntries(triples.map(({ id, a, b, c }) => [`${a} ${b} ${c}`, words(`${id}.look`)]));

/**
 * @param {Example} example
 * @param {URL} base the site's own place
 * @param {(names: string[]) => void} choose
 */
export function exampleButton({ id, a, b, kind }, base, choose) {
  const card = cardOf(id, [a, b], base, choose);
  card.append(make("small", {}, words(`kind.${kind}`)));
  return card;
}

/**
 * @param {Triple} triple
 * @param {URL} base
 * @param {(names: string[]) => void} choose
 */
export const tripleButton = ({ id, a, b, c }, base, choose) => cardOf(id, [a, b, c], base, choose);

/**
 * @param {string} id
 * @param {string[]} names of its photos
 * @param {URL} base
 * @param {(names: string[]) => void} choose
 */
function cardOf(id, names, base, choose) {
  const thumbs = names.map((name) => make("img", { src: new URL(`examples/small/${name}`, base).href, alt: "", loading: "lazy" }));
  const card = make(
    "button",
    { type: "button", title: words(`${id}.look`), "data-photos": [...names].sort().join(" ") },
    make("span", { className: "thumbs" }, ...thumbs),
    make("b", {}, words(`${id}.title`)),
  );
  card.addEventListener("click", () => choose(names));
  return card;
}
