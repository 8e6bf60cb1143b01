// The example pairs in words, and the buttons that offer them.

import { make } from "../../../diml_core/viewer/view/dom.js";
import { text } from "../../../diml_core/viewer/view/texts.js";

/** @import { Key } from "../../../diml_core/viewer/view/texts.js" */

/** @typedef {{id: string, a: string, b: string, kind: string}} Example */

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
 * @param {Example} example
 * @param {URL} base the site's own place
 * @param {() => void} choose
 */
export function exampleButton({ id, a, b, kind }, base, choose) {
  const thumbs = [a, b].map((name) => make("img", { src: new URL(`examples/small/${name}`, base).href, alt: "", loading: "lazy" }));
  const button = make(
    "button",
    { type: "button", title: words(`${id}.look`), "data-photos": [a, b].sort().join(" ") },
    make("span", { className: "thumbs" }, ...thumbs),
    make("b", {}, words(`${id}.title`)),
    make("small", {}, words(`kind.${kind}`)),
  );
  button.addEventListener("click", choose);
  return button;
}
