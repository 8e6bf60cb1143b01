// What parts of a photo are covered with, and how that looks: near enough to what the network is shown to see which
// parts are gone.

import { text } from "./texts.js";

/** @type {readonly {id: string, label: string, title: string}[]} */
export const COVERS = /** @type {const} */ (["grey", "blur", "mean"]).map((id) => ({
  id,
  label: text(`cover.${id}.label`),
  title: text(`cover.${id}.title`),
}));

const BLUR_SIDE = 12; // px; magnified, so few blur about as much as the library's Gaussian of 1/16 of the longer side

/**
 * The photo with some of its parts covered.
 *
 * @param {HTMLCanvasElement} canvas takes the shape of the photo
 * @param {HTMLImageElement} photo decoded
 * @param {{rows: number, columns: number}} grid
 * @param {number[]} parts
 * @param {string} cover one of COVERS
 * @param {number} width px of the canvas
 */
export function paintCovered(canvas, photo, { rows, columns }, parts, cover, width) {
  const height = Math.round((width * photo.naturalHeight) / photo.naturalWidth);
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const context = contextOf(canvas);
  context.drawImage(photo, 0, 0, width, height);
  const hidden = coverOf(photo, cover);
  for (const part of parts) {
    // Edges are rounded to whole pixels so that neighbours neither overlap nor leave seams.
    const left = Math.round(((part % columns) * width) / columns);
    const top = Math.round((Math.floor(part / columns) * height) / rows);
    const right = Math.round((((part % columns) + 1) * width) / columns);
    const bottom = Math.round(((Math.floor(part / columns) + 1) * height) / rows);
    context.save();
    context.beginPath();
    context.rect(left, top, right - left, bottom - top);
    context.clip();
    context.drawImage(hidden, 0, 0, width, height);
    context.restore();
  }
}

/**
 * A few pixels that, drawn as large as the photo, are its cover.
 *
 * @param {HTMLImageElement} photo
 * @param {string} cover
 */
function coverOf(photo, cover) {
  const scale = BLUR_SIDE / Math.max(photo.naturalWidth, photo.naturalHeight);
  const small = document.createElement("canvas");
  small.width = Math.max(1, Math.round(photo.naturalWidth * scale));
  small.height = Math.max(1, Math.round(photo.naturalHeight * scale));
  const context = contextOf(small);
  context.imageSmoothingQuality = "high"; // averages, where low picks single pixels
  context.drawImage(photo, 0, 0, small.width, small.height);
  if (cover === "blur") return small;
  context.fillStyle = cover === "grey" ? "rgb(128 128 128)" : meanColour(context.getImageData(0, 0, small.width, small.height).data);
  context.fillRect(0, 0, small.width, small.height);
  return small;
}

/** @param {Uint8ClampedArray} pixels RGBA */
function meanColour(pixels) {
  const sums = [0, 0, 0];
  for (let k = 0; k < pixels.length; k++) if (k % 4 < 3) sums[k % 4] += pixels[k];
  return `rgb(${sums.map((sum) => Math.round((4 * sum) / pixels.length)).join(" ")})`;
}

/** @param {HTMLCanvasElement} canvas */
const contextOf = (canvas) => /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
