// Antialiased resampling of bytes, number for number as the library has it: torch's `interpolate(..., antialias=True)`
// of uint8 for the network's input, and Pillow's `resize` for large photos. Both go over the rows first, then over the
// columns, in whole numbers, and round to bytes in between.

/**
 * @typedef {object} Pixels
 * @property {number} width
 * @property {number} height
 * @property {Uint8ClampedArray<ArrayBuffer>} values RGB, row by row
 */

/** @typedef {{reach: number, value: (distance: number) => number}} Kernel reach in pixels, where none are lost */

/** @type {Record<string, Kernel>} */
export const KERNELS = {
  bilinear: { reach: 1, value: (x) => Math.max(0, 1 - Math.abs(x)) },
  bicubic: { reach: 2, value: (x) => cubic(Math.abs(x)) },
  lanczos: { reach: 3, value: (x) => (Math.abs(x) < 3 ? sinc(x) * sinc(x / 3) : 0) },
};

/** Keys 1981, "Cubic convolution interpolation for digital image processing", a = -1/2. @param {number} x */
function cubic(x) {
  if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
  return x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0;
}

/** @param {number} x */
function sinc(x) {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

/**
 * @param {Pixels} pixels
 * @param {number} width
 * @param {number} height
 * @param {string} kernel a key of KERNELS
 * @param {number} [places] binary places of the weights; by default as many as 16 bits hold, as torch has it. Pillow
 *   has 22.
 * @returns {Pixels}
 */
export function resized(pixels, width, height, kernel, places) {
  let { values } = pixels;
  if (width !== pixels.width) {
    const weights = weightsOf(pixels.width, width, KERNELS[kernel], places);
    values = along(values, weights, { lines: pixels.height, line: 3 * pixels.width, step: 3, every: 3 * width, length: width });
  }
  if (height !== pixels.height) {
    const weights = weightsOf(pixels.height, height, KERNELS[kernel], places);
    values = downwards(values, weights, width, height);
  }
  return { width, height, values };
}

/**
 * What each of the old pixels counts for in each of the new ones.
 *
 * @param {number} from pixels
 * @param {number} to pixels
 * @param {Kernel} kernel
 * @param {number} [places]
 */
function weightsOf(from, to, kernel, places) {
  const scale = from / to;
  const wider = Math.max(scale, 1); // only where pixels are lost does the kernel widen
  const reach = kernel.reach * wider;
  const starts = new Int32Array(to);
  /** @type {number[][]} */
  const shares = [];
  let largest = 0;
  for (let k = 0; k < to; k++) {
    const centre = scale * (k + 0.5);
    const first = Math.max(0, Math.trunc(centre - reach + 0.5));
    const end = Math.min(from, Math.trunc(centre + reach + 0.5));
    const found = Array.from({ length: end - first }, (_, j) => kernel.value((j + first - centre + 0.5) / wider));
    const sum = found.reduce((total, each) => total + each, 0);
    starts[k] = first;
    shares.push(found.map((each) => each / sum));
    largest = Math.max(largest, ...shares[k]);
  }
  const bits = places ?? placesIn16(largest);
  const one = 2 ** bits;
  return {
    starts,
    bits,
    shares: shares.map((row) => Int32Array.from(row, (share) => Math.trunc(share * one + (share < 0 ? -0.5 : 0.5)))),
  };
}

/** @param {number} largest weight */
function placesIn16(largest) {
  let bits = 0;
  while (bits < 22 && Math.trunc(0.5 + largest * 2 ** (bits + 1)) < 2 ** 15) bits += 1;
  return bits;
}

/** @typedef {ReturnType<typeof weightsOf>} Weights */

/**
 * @param {Uint8ClampedArray} values
 * @param {Weights} weights
 * @param {{lines: number, line: number, step: number, every: number, length: number}} shape
 */
function along(values, { starts, shares, bits }, { lines, line, step, every, length }) {
  const half = 2 ** (bits - 1);
  const result = new Uint8ClampedArray(lines * every);
  for (let k = 0; k < length; k++) {
    const row = shares[k];
    for (let y = 0; y < lines; y++) {
      let at = y * line + starts[k] * step;
      let red = half;
      let green = half;
      let blue = half;
      for (const share of row) {
        red += share * values[at];
        green += share * values[at + 1];
        blue += share * values[at + 2];
        at += step;
      }
      const to = y * every + k * step;
      result[to] = red >> bits;
      result[to + 1] = green >> bits;
      result[to + 2] = blue >> bits;
    }
  }
  return result;
}

/**
 * @param {Uint8ClampedArray} values
 * @param {Weights} weights
 * @param {number} width
 * @param {number} height of the result
 */
function downwards(values, { starts, shares, bits }, width, height) {
  const line = 3 * width;
  const sums = new Int32Array(line);
  const result = new Uint8ClampedArray(line * height);
  for (let y = 0; y < height; y++) {
    sums.fill(2 ** (bits - 1));
    shares[y].forEach((share, j) => {
      const at = (starts[y] + j) * line;
      for (let x = 0; x < line; x++) sums[x] += share * values[at + x];
    });
    for (let x = 0; x < line; x++) result[y * line + x] = sums[x] >> bits;
  }
  return result;
}
