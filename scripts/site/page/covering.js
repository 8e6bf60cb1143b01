// Photos with parts of them covered: diml_core/counterfactual.py.

import { roundEven } from "./half.js";

/** @import { Grid } from "../../../diml_core/viewer/engine/types.js" */
/** @import { Pixels } from "./resampling.js" */

const BLUR_SIDE = 256; // px; a blur this strong looks the same when made small

/** @type {Record<string, (pixels: Pixels) => (channel: number, x: number, y: number) => number>} */
const COVERS = {
  grey: () => () => 128,
  mean: (pixels) => {
    const means = meansOf(pixels);
    return (channel) => means[channel];
  },
  blur: blurred,
};

/**
 * What covers is made once, for as many sets of parts as there are.
 *
 * @param {Pixels} pixels
 * @param {Grid} grid rows, columns
 * @param {string} cover `grey`, `blur` or `mean`
 * @returns {(parts: readonly number[]) => Pixels} the photo with these parts covered
 */
export function coverer(pixels, [rows, columns], cover) {
  const { width, height } = pixels;
  const hidden = wholly(pixels, COVERS[cover](pixels));
  return (parts) => {
    const values = pixels.values.slice();
    for (const part of parts) {
      const [row, column] = [Math.floor(part / columns), part % columns];
      const [left, right] = [column, column + 1].map((edge) => roundEven(edge * (width / columns)));
      const [top, bottom] = [row, row + 1].map((edge) => roundEven(edge * (height / rows)));
      for (let y = top; y < bottom; y++) {
        const line = 3 * y * width;
        values.set(hidden.subarray(line + 3 * left, line + 3 * right), line + 3 * left);
      }
    }
    return { width, height, values };
  };
}

/**
 * @param {Pixels} pixels
 * @param {(channel: number, x: number, y: number) => number} hidden
 */
function wholly({ width, height }, hidden) {
  const values = new Uint8ClampedArray(3 * width * height);
  let at = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) for (let channel = 0; channel < 3; channel++) values[at++] = hidden(channel, x, y);
  }
  return values;
}

/**
 * Shifted copies of a set of parts that fit the grid and do not touch it, spread evenly over all such places.
 *
 * @param {readonly number[]} parts
 * @param {Grid} grid
 * @param {number} count at most
 * @returns {number[][]}
 */
export function sameShapeElsewhere(parts, [rows, columns], count) {
  const cells = parts.map((part) => [Math.floor(part / columns), part % columns]);
  const [ys, xs] = [0, 1].map((axis) => cells.map((cell) => cell[axis]));
  /** @type {number[][]} */
  const places = [];
  for (let down = -Math.min(...ys); down < rows - Math.max(...ys); down++) {
    for (let right = -Math.min(...xs); right < columns - Math.max(...xs); right++) {
      const moved = cells.map(([y, x]) => (y + down) * columns + x + right);
      if (!moved.some((part) => parts.includes(part))) places.push(moved);
    }
  }
  if (places.length <= count) return places;
  return Array.from({ length: count }, (_, k) => places[roundEven((k * (places.length - 1)) / Math.max(count - 1, 1))]);
}

/** @param {Pixels} pixels */
function meansOf({ values }) {
  const sums = [0, 0, 0];
  for (let k = 0; k < values.length; k++) sums[k % 3] += values[k];
  return sums.map((sum) => roundEven((3 * sum) / values.length));
}

/**
 * A Gaussian of a sixteenth of the longer side, made on a small copy; rounded to bytes where OpenCV rounds.
 *
 * @param {Pixels} pixels
 */
function blurred(pixels) {
  const { width, height } = pixels;
  const scale = Math.min(1, BLUR_SIDE / Math.max(width, height));
  const [w, h] = [width, height].map((side) => Math.max(1, roundEven(side * scale)));
  const across = gaussian(w, Math.max(w, h) / 16);
  const down = gaussian(h, Math.max(w, h) / 16);
  const planes = [0, 1, 2].map((channel) => {
    const small = averaged(pixels, channel, w, h).map(roundEven);
    return transformed(transformed(small, w, h, across, true), w, h, down, false).map(Math.round);
  });
  /** @type {(place: number, from: number, to: number) => [number, number, number]} the two nearest, and the second's share */
  const between = (place, from, to) => {
    const exact = Math.min(Math.max(((place + 0.5) * from) / to - 0.5, 0), from - 1);
    const first = Math.min(Math.floor(exact), Math.max(from - 2, 0));
    return [first, Math.min(first + 1, from - 1), exact - first];
  };
  return /** @type {(channel: number, x: number, y: number) => number} */ (channel, x, y) => {
    const plane = planes[channel];
    const [left, right, over] = between(x, w, width);
    const [top, bottom, below] = between(y, h, height);
    // In whole 2048ths, cut off where OpenCV cuts them off: that darkens a photo by a tenth of a step.
    const [first, second, upper, lower] = [1 - over, over, 1 - below, below].map((share) => roundEven(2048 * share));
    const [above, under] = [top, bottom].map((y) => (plane[y * w + left] * first + plane[y * w + right] * second) >> 4);
    return (((above * upper) >> 16) + ((under * lower) >> 16) + 2) >> 2;
  };
}

/**
 * Every pixel the mean of the area that it covers.
 *
 * @param {Pixels} pixels
 * @param {number} channel
 * @param {number} w
 * @param {number} h
 */
function averaged({ width, height, values }, channel, w, h) {
  const rows = new Float64Array(w * height);
  const columns = areas(width, w);
  for (let y = 0; y < height; y++) {
    columns.forEach((shares, x) => {
      for (const [from, share] of shares) rows[y * w + x] += share * values[3 * (y * width + from) + channel];
    });
  }
  const result = new Float64Array(w * h);
  areas(height, h).forEach((shares, y) => {
    for (const [from, share] of shares) for (let x = 0; x < w; x++) result[y * w + x] += share * rows[from * w + x];
  });
  return result;
}

/**
 * @param {number} from
 * @param {number} to at most as many
 * @returns {[number, number][][]} per new pixel the old ones, each with its share
 */
function areas(from, to) {
  const scale = from / to;
  return Array.from({ length: to }, (_, k) => {
    /** @type {[number, number][]} */
    const shares = [];
    for (let j = Math.floor(k * scale); j < Math.min(from, Math.ceil((k + 1) * scale)); j++) {
      shares.push([j, (Math.min(j + 1, (k + 1) * scale) - Math.max(j, k * scale)) / scale]);
    }
    return shares;
  });
}

/**
 * As many weights to either side as OpenCV takes for bytes, in 256ths as there: what rounding takes from one weight the
 * next gets, and the middle what is left. The picture is mirrored at its edge without repeating it.
 *
 * @param {number} length
 * @param {number} sigma
 * @returns {[number, number][]} for every offset its weight
 */
function gaussian(length, sigma) {
  const reach = (roundEven(6 * sigma + 1) | 1) >> 1;
  const exact = Array.from({ length: 2 * reach + 1 }, (_, k) => Math.exp(-((k - reach) ** 2) / (2 * sigma * sigma)));
  const sum = exact.reduce((total, weight) => total + weight, 0);
  if (length === 1) return [[0, 1]];
  /** @type {[number, number][]} */
  const weights = [];
  let [rest, left] = [0, 256];
  for (let k = 0; k < reach; k++) {
    const wanted = (256 * exact[k]) / sum + rest;
    const whole = Math.round(wanted);
    rest = wanted - whole;
    left -= 2 * whole;
    weights.push([k - reach, whole / 256], [reach - k, whole / 256]);
  }
  return [...weights, [0, left / 256]];
}

/**
 * @param {Float64Array} plane
 * @param {number} w
 * @param {number} h
 * @param {[number, number][]} weights
 * @param {boolean} isAcross
 */
function transformed(plane, w, h, weights, isAcross) {
  const length = isAcross ? w : h;
  const period = 2 * (length - 1) || 1;
  /** @param {number} place */
  const mirrored = (place) => {
    const within = ((place % period) + period) % period;
    return within < length ? within : period - within;
  };
  const result = new Float64Array(w * h);
  for (let y = 0; y < h; y++) {
    for (let x = 0; x < w; x++) {
      for (const [offset, weight] of weights) {
        const from = isAcross ? y * w + mirrored(x + offset) : mirrored(y + offset) * w + x;
        result[y * w + x] += weight * plane[from];
      }
    }
  }
  return result;
}
