// From a file to upright RGB pixels of at most WORKING_SIDE: diml_core/photo/images.py, as far as a browser decodes as
// Pillow does. Transparency is laid on white, colours are converted to sRGB, and of an animation the first picture is
// taken.

import { text } from "../../../diml_core/viewer/view/texts.js";
import { headerOf } from "./headers.js";
import { resized } from "./resampling.js";

/** @import { Pixels } from "./resampling.js" */

export const MAX_BYTES = 64 * 2 ** 20;
const MAX_PIXELS = 64_000_000;
const WORKING_SIDE = 2048; // px of the longer side
const CANVAS_PIXELS = 2 ** 24; // more than this, a phone's canvas stays empty
const PILLOW_PLACES = 22;

/**
 * @typedef {object} Photo
 * @property {Pixels} pixels
 * @property {[number, number]} size width, height of the upright original
 * @property {string} digest equal where the pixels are
 */

/**
 * @param {Blob} file
 * @param {string} name for messages
 * @returns {Promise<Photo>} rejects with a sentence that says what is wrong, and what to do
 */
export async function decode(file, name) {
  if (file.size === 0) throw new Error(text("site.photo.empty", { name }));
  if (file.size > MAX_BYTES) throw new Error(text("site.photo.bytes", { name, most: MAX_BYTES / 2 ** 20 }));
  const header = judged(await file.arrayBuffer(), name);
  try {
    const bitmap = await createImageBitmap(file, { imageOrientation: "from-image", ...scaledDown(header) });
    const isTurned = bitmap.width > bitmap.height !== header.width > header.height;
    const pixels = pixelsOf(bitmap);
    const size = isTurned ? [header.height, header.width] : [header.width, header.height];
    const scale = Math.min(1, WORKING_SIDE / Math.max(pixels.width, pixels.height));
    const [width, height] = [pixels.width, pixels.height].map((side) => Math.max(1, Math.round(side * scale)));
    const kept = resized(pixels, width, height, "lanczos", PILLOW_PLACES);
    return { pixels: kept, size: /** @type {[number, number]} */ (size), digest: digestOf(kept) };
  } catch {
    throw new Error(text("site.photo.damaged", { name }));
  }
}

/**
 * @param {ArrayBuffer} bytes
 * @param {string} name
 */
function judged(bytes, name) {
  let header;
  try {
    header = headerOf(bytes);
  } catch {
    throw new Error(text("site.photo.damaged", { name }));
  }
  if (!header) throw new Error(text("site.photo.kind", { name }));
  const { width, height } = header;
  if (width * height > MAX_PIXELS) {
    throw new Error(text("site.photo.pixels", { name, width, height, most: MAX_PIXELS.toLocaleString("en") }));
  }
  if (width * height < 1) throw new Error(text("site.photo.damaged", { name }));
  return header;
}

/**
 * What a canvas cannot hold the browser scales down while it decodes.
 *
 * @param {{width: number, height: number}} header
 * @returns {ImageBitmapOptions}
 */
function scaledDown({ width, height }) {
  if (width * height <= CANVAS_PIXELS) return {};
  // By one side: which one is the width, once EXIF has turned the photo, nobody knows yet.
  const scale = Math.sqrt(CANVAS_PIXELS / (width * height));
  return { resizeWidth: Math.floor(Math.min(width, height) * scale), resizeQuality: "high" };
}

/**
 * @param {ImageBitmap} bitmap closed here
 * @returns {Pixels}
 */
function pixelsOf(bitmap) {
  const { width, height } = bitmap;
  const context = /** @type {OffscreenCanvasRenderingContext2D} */ (
    new OffscreenCanvas(width, height).getContext("2d", { alpha: false, willReadFrequently: true })
  );
  context.fillStyle = "#fff";
  context.fillRect(0, 0, width, height);
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  const { data } = context.getImageData(0, 0, width, height);
  const values = new Uint8ClampedArray(3 * width * height);
  for (let from = 0, to = 0; from < data.length; from += 4, to += 3) {
    values[to] = data[from];
    values[to + 1] = data[from + 1];
    values[to + 2] = data[from + 2];
  }
  return { width, height, values };
}

/**
 * Not SHA-256, as the library has it: a browser offers that on https only, and a class may meet on http.
 *
 * @param {Pixels} pixels
 */
function digestOf({ width, height, values }) {
  let [one, two] = [width, height];
  for (const value of values) {
    one = Math.imul(one ^ value, 0x01000193); // FNV-1a, twice
    two = Math.imul(two ^ value, 0x5bd1e995) ^ (two >>> 15);
  }
  return [one, two].map((half) => (half >>> 0).toString(16).padStart(8, "0")).join("");
}

/**
 * @param {Pixels} pixels
 * @param {number} side px, at most, of the longer one
 * @returns {Promise<Blob>} a JPEG
 */
export async function jpegOf({ width, height, values }, side) {
  const whole = new OffscreenCanvas(width, height);
  const image = new ImageData(width, height);
  for (let from = 0, to = 0; from < values.length; from += 3, to += 4) {
    image.data.set([values[from], values[from + 1], values[from + 2], 255], to);
  }
  contextOf(whole).putImageData(image, 0, 0);
  const scale = Math.min(1, side / Math.max(width, height));
  const small = new OffscreenCanvas(Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale)));
  const context = contextOf(small);
  context.imageSmoothingQuality = "high";
  context.drawImage(whole, 0, 0, small.width, small.height);
  return small.convertToBlob({ type: "image/jpeg", quality: 0.85 });
}

/** @param {OffscreenCanvas} canvas */
const contextOf = (canvas) => /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext("2d"));
