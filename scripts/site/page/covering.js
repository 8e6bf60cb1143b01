// Photos with parts of them covered: diml_core/counterfactual.py.

import { roundEven } from "./half.js";

/** @import { Grid } from "../../../diml_core/viewer/engine/types.js" */
/** @import { Pixels } from "./resampling.js" */

const BLUR_SIDE = 256; // px; a blur this strong looks the same when made small
const SLIVER = 1e-3; // of a pixel: less of one does not count

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
 * A Gaussian of a sixteenth of the longer side, made on a small copy; byte for byte what OpenCV makes of it, for a network
 * tells one step of brightness in a thousand pixels where nothing else is to be seen.
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
    const small = averaged(pixels, channel, w, h);
    return transformed(transformed(small, w, h, across, true), w, h, down, false).map(Math.round);
  });
  const [xs, ys] = [between(w, width), between(h, height)];
  return /** @type {(channel: number, x: number, y: number) => number} */ (channel, x, y) => {
    const plane = planes[channel];
    const [left, right, first, second] = xs[x];
    const [top, bottom, upper, lower] = ys[y];
    const above = (plane[top * w + left] * first + plane[top * w + right] * second) >> 4;
    const under = (plane[bottom * w + left] * first + plane[bottom * w + right] * second) >> 4;
    return (((above * upper) >> 16) + ((under * lower) >> 16) + 2) >> 2;
  };
}

/**
 * For every place of a longer line the two nearest of a shorter one, and their weights, in whole 2048ths as OpenCV has them.
 *
 * @param {number} from
 * @param {number} to
 * @returns {[number, number, number, number][]}
 */
function between(from, to) {
  const { fround } = Math;
  /** @param {number} place */
  const inside = (place) => Math.min(Math.max(place, 0), from - 1);
  return Array.from({ length: to }, (_, place) => {
    const exact = fround((place + 0.5) * (from / to) - 0.5);
    const first = Math.floor(exact);
    const share = fround(exact - first);
    return [inside(first), inside(first + 1), roundEven(2048 * fround(1 - share)), roundEven(2048 * share)];
  });
}

/**
 * Every pixel the mean of the area that it covers, in OpenCV's float32 and in the order of its sums.
 *
 * @param {Pixels} pixels
 * @param {number} channel
 * @param {number} w
 * @param {number} h
 */
function averaged({ width, height, values }, channel, w, h) {
  const { fround } = Math;
  const rows = new Float32Array(w * height);
  const columns = areas(width, w);
  for (let y = 0; y < height; y++) {
    columns.forEach((shares, x) => {
      for (const [from, share] of shares) rows[y * w + x] += fround(share * values[3 * (y * width + from) + channel]);
    });
  }
  const result = new Float32Array(w * h);
  areas(height, h).forEach((shares, y) => {
    for (const [from, share] of shares) for (let x = 0; x < w; x++) result[y * w + x] += fround(share * rows[from * w + x]);
  });
  // Four pixels to one it adds as whole numbers.
  const round = width === 2 * w && height === 2 * h ? Math.round : roundEven;
  return Float64Array.from(result, round);
}

/**
 * @param {number} from
 * @param {number} to at most as many
 * @returns {[number, number][][]} per new pixel the old ones, each with its share; slivers are left out
 */
function areas(from, to) {
  const scale = from / to;
  return Array.from({ length: to }, (_, k) => {
    const start = k * scale;
    const cell = Math.min(scale, from - start);
    const last = Math.min(Math.floor(start + scale), from - 1);
    const first = Math.min(Math.ceil(start), last);
    const after = Math.min(start + scale - last, 1, cell);
    /** @type {[number, number][]} */
    const shares = first - start > SLIVER ? [[first - 1, (first - start) / cell]] : [];
    for (let whole = first; whole < last; whole++) shares.push([whole, 1 / cell]);
    if (after > SLIVER) shares.push([last, after / cell]);
    return shares.map(([pixel, share]) => [pixel, Math.fround(share)]);
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
