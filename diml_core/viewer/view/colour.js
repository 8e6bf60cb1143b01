// One fixed, colour-blind-safe colour map per quantity, as stops taken evenly from matplotlib's maps.

/** @typedef {"viridis" | "magma" | "cividis" | "inferno" | "difference"} ColourMap */

/** @type {Record<ColourMap, string>} */
const COLOUR_STOPS = {
  viridis: "44015448186a472d7b4240863b528b33638d2c728e26828e21918c1fa08828ae803fbc735ec96284d44baddc30d8e219fde725",
  magma: "0000040a08221d114736106b51127c6a1c818326819c2e7fb73779d0416fe75263f56b5cfc8961fea772fec488fde2a3fcfdbf",
  cividis: "00224e002e6a1a386f32436d434e6c535a6d61656f6f70737d7c788c88789b9476aba072bcae6ccdbb63dec958f0d846fee838",
  inferno: "0000040b0724210c4a3d096557106e71196e8a226aa32c61bc3754d24644e45a31f1731df98e09fcac11f9cb35f2ea69fcffa4",
  difference: "2166ac4393c392c5ded1e5f0f7f7f7fddbc7f4a582d6604db2182b", // RdBu, the other way round
};

/** Maps whose middle is nothing: there they are the most transparent. @type {readonly ColourMap[]} */
export const TWO_SIDED = ["difference"];

/** @type {Record<string, number[][]>} 256 colours each, as [red, green, blue] */
const COLOUR_TABLES = Object.fromEntries(
  Object.entries(COLOUR_STOPS).map(([name, hex]) => {
    const stops = (hex.match(/.{6}/g) ?? []).map((s) => [0, 2, 4].map((i) => parseInt(s.slice(i, i + 2), 16)));
    const table = Array.from({ length: 256 }, (_, k) => {
      const at = (k / 255) * (stops.length - 1);
      const low = Math.min(Math.floor(at), stops.length - 2);
      return stops[low].map((c, i) => Math.round(c + (stops[low + 1][i] - c) * (at - low)));
    });
    return [name, table];
  }),
);

/**
 * @param {ColourMap} map
 * @param {number} fraction from the map's first colour, 0, to its last, 1; what lies outside is clamped
 * @param {number} [alpha] opacity, 0 to 1
 * @returns {string} for CSS and canvas
 */
export function colour(map, fraction, alpha = 1) {
  const index = Math.round(255 * Math.min(1, Math.max(0, fraction || 0)));
  const [r, g, b] = COLOUR_TABLES[map][index];
  return `rgba(${r},${g},${b},${alpha})`;
}

/**
 * @param {ColourMap} map
 * @returns {Uint32Array} its 256 colours, opaque, as the pixels of an ImageData are laid out
 */
export function pixelsOf(map) {
  const bytes = COLOUR_TABLES[map].flatMap((rgb) => [...rgb, 255]);
  return new Uint32Array(Uint8Array.from(bytes).buffer);
}

/**
 * @param {ColourMap} map
 * @returns {string} the whole map as a CSS image
 */
export function gradient(map) {
  const stops = Array.from({ length: 9 }, (_, i) => colour(map, i / 8));
  return `linear-gradient(to right, ${stops.join(", ")})`;
}
