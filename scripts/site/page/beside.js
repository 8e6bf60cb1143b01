// What stands beside the pair: nothing, a third photo, the same model at other settings, or a second model. As on the page
// with a server (app/beside.py).

import { text } from "../../../diml_core/viewer/view/texts.js";

/** @import { Options } from "../../../diml_core/viewer/engine/types.js" */
/** @import { ModelFile } from "./network.js" */

export const NOTHING = "";
export const PHOTO_C = "photo-c";
export const SETTINGS = "settings";

/**
 * @template Photo
 * @typedef {object} Asked what a viewer is to show
 * @property {ModelFile} model
 * @property {[Photo, Photo]} photos
 * @property {Options} options
 * @property {string} [letter] what the second photo is called, if not B
 */

/**
 * What to choose from: values and labels, the models' last.
 *
 * @param {ModelFile[]} models
 * @returns {[string, string][]}
 */
export const choicesBeside = (models) => [
  [NOTHING, text("present.beside.nothing")],
  [PHOTO_C, text("present.beside.photo")],
  [SETTINGS, text("present.beside.settings")],
  ...models.map(({ name, title }) => /** @type {[string, string]} */ ([name, title])),
];

/**
 * What the viewer beside the first is to show.
 *
 * @template Photo
 * @param {string} choice
 * @param {Asked<Photo>} first what the first shows
 * @param {Photo | null} photoC
 * @param {ModelFile[]} models
 * @param {(model: ModelFile) => Options | null} own at which options of that model it stands already, if it does
 * @returns {Asked<Photo> | null} null for nothing
 */
export function besideOf(choice, { model, photos, options }, photoC, models, own) {
  const [a, b] = photos;
  if (choice === PHOTO_C) return photoC && { model, photos: [a, photoC], options, letter: "C" };
  if (choice === SETTINGS) return { model, photos, options: own(model) ?? options };
  const second = models.find(({ name }) => name === choice);
  return second ? { model: second, photos: [a, b], options: own(second) ?? second.defaults } : null;
}
