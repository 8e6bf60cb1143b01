// Step, of a transformer: where the network looked, in one block, through all, and truncated.

import { blockAttention, cellsOf, partRollout, rolloutThrough, startingTokens } from "../../../engine/explain.js";
import { make, percent } from "../../dom.js";
import { SIDES, sumOf } from "../../pair.js";
import { paintGrid } from "../../stage.js";
import { text } from "../../texts.js";
import { id, line, op, row, sub, term, words, frac, num } from "../mathml.js";

/** @import { Attention, Model } from "../../../engine/types.js" */
/** @import { Grid, Side } from "../../pair.js" */
/** @import { Step, Term, View } from "../types.js" */

const BRIGHTEST = 0.02; // share of the patches that all have the brightest colour
const STEPS_TO_SHOW = 16; // of the numbers that attention is sent in, for the brightest colour

/** @typedef {Grid & {least: number}} Seen with the least value that may have the last colour */

/** The three readings, from left to right. */
const READINGS = /** @type {const} */ (["one", "all", "cut"]);
/** @typedef {typeof READINGS[number]} Reading */

/** @type {Step} */
export const attention = {
  id: "attention",
  kind: "maps",
  // An explanation from a file knows its rollout, and no blocks.
  available: ({ a, b, model }) => Boolean(a.rollout && b.rollout && model.blocks),
  by: "plan",
  build({ photos, sizes, on, letters }) {
    const slider = /** @type {HTMLInputElement} */ (make("input", { type: "range", step: 1, ariaLabel: text("steps.attention.slider") }));
    const output = make("output");
    let block = NaN;
    slider.addEventListener("input", () => {
      block = slider.valueAsNumber;
      on.repaint();
    });
    const maps = SIDES.flatMap((side) =>
      READINGS.map((reading) => {
        const image = /** @type {HTMLImageElement} */ (make("img", { alt: "" }));
        const canvas = /** @type {HTMLCanvasElement} */ (make("canvas", { "aria-hidden": "true" }));
        const frame = make("div", { className: "diml-frame diml-coloured" }, image, canvas);
        const name = make("figcaption");
        const node = make("figure", { className: "diml-how-photo" }, frame, name);
        node.dataset.picture = side + reading;
        sizes.watch(frame);
        return { side, reading, image, canvas, frame, name, node };
      }),
    );
    const choose = make("label", { className: "diml-slider diml-how-wide" }, text("steps.attention.block"), slider, output);
    const missing = make("p", { className: "diml-hint diml-how-wide" });
    /** @type {Map<string, Seen>} what has been computed for this pair */
    let kept = new Map();
    /** @type {unknown} */
    let keptFor = null;

    /**
     * @param {View} view
     * @param {Side} side
     * @param {Reading} reading
     * @returns {Seen | string}
     */
    function grid(view, side, reading) {
      const { pair, pointed } = view;
      const own = pointed?.side === side ? pointed : null;
      if (reading === "cut" && !own) return { .../** @type {Grid} */ (pair[side].rollout), least: 0 };
      const found = on.attention(side);
      const shape = side === "a" ? pair.explanation.mapA : pair.explanation.mapB;
      if (typeof found === "string" || !shape) return typeof found === "string" ? found : "none";
      const key = `${side} ${reading} ${own?.parts ?? ""} ${reading === "one" ? block : ""}`;
      const known = kept.get(key);
      if (known) return known;
      const grids = { a: pair.explanation.gridA, b: pair.explanation.gridB };
      const cells = own && cellsOf(own.parts, grids[side], shape);
      const made = { rows: shape[0], columns: shape[1], ...read(found, cells, pair, reading, block) };
      kept.set(key, made);
      return made;
    }

    return {
      show: [photos.a.node, ...maps.slice(0, 3).map(({ node }) => node), photos.b.node, ...maps.slice(3).map(({ node }) => node), choose, missing],
      say: ({ pair, pointed }) => {
        const last = pair.model.blocks - 1;
        const start = pair.options.start_block ?? 0;
        return [
          ["steps.attention.text"],
          [start === last ? "steps.attention.last" : "steps.attention.from", { start, last }],
          pointed ? ["steps.attention.part", { side: letters[pointed.side] }] : ["steps.attention.photo"],
        ];
      },
      terms: terms(),
      lines: ({ pair }) => formula(pair.model, pair.options.start_block ?? 0),
      paint(view) {
        const { pair, loaded } = view;
        const { model } = pair;
        if (keptFor !== pair.explanation) [keptFor, kept] = [pair.explanation, new Map()];
        // The last of those that are left out.
        if (!(block >= model.firstBlock && block < model.blocks)) {
          block = Math.max(model.firstBlock, (pair.options.start_block ?? 0) - 1);
        }
        Object.assign(slider, { min: String(model.firstBlock), max: String(model.blocks - 1), value: String(block) });
        output.textContent = String(block);
        slider.setAttribute("aria-valuetext", output.textContent);
        for (const side of SIDES) photos[side].paint(view, sizes.of(photos[side].frame), { plain: view.pointed?.side !== side });
        let why = "";
        for (const { side, reading, image, canvas, frame, name, node } of maps) {
          const { src } = loaded.photos[side];
          if (image.src !== src) image.src = src;
          const [width, height] = loaded.payload[side].size;
          frame.style.aspectRatio = `${width} / ${height}`;
          frame.style.setProperty("--aspect", String(width / height));
          const found = grid(view, side, reading);
          if (typeof found === "string") why = found;
          const shown = typeof found === "string" ? null : found;
          const onPhoto = shown ? percent(sumOf(shown.values)) : "";
          name.textContent = text(/** @type {"steps.attention.one"} */ (`steps.attention.${reading}`), { block, share: onPhoto });
          const lit = view.term?.lights[reading];
          node.classList.toggle("diml-how-dim", Boolean(view.term) && !lit);
          const size = sizes.of(frame);
          if (size) paintGrid(canvas, size, shown, [0, shown ? topOfMost(shown) : 1], "inferno", 0.8);
        }
        missing.textContent = why ? text(/** @type {"steps.attention.waiting"} */ (`steps.attention.${why}`)) : "";
        missing.hidden = !why;
      },
    };
  },
};

/**
 * @param {Attention} attention
 * @param {Float64Array | null} cells of the parts that are pointed at; null for the whole photo
 * @param {View["pair"]} pair
 * @param {Reading} reading
 * @param {number} block of the first
 */
function read(attention, cells, { model, options }, reading, block) {
  if (reading === "cut" && cells) {
    return { values: partRollout(attention, cells, model, options.start_block ?? 0, options.kept_mass), least: 0 };
  }
  const start = startingTokens(attention, cells, model);
  if (reading === "all") return { values: rolloutThrough(attention, start, model, model.firstBlock), least: 0 };
  const { shares, step } = blockAttention(attention, start, model, block);
  // A token that hardly looks at the photo must not look busy.
  return { values: shares, least: STEPS_TO_SHOW * step };
}

/**
 * The value that has the last colour: all but the brightest few are below it, or one patch would leave the rest black.
 *
 * @param {Seen} map
 */
function topOfMost({ values, least }) {
  const sorted = Float64Array.from(values).sort();
  return Math.max(sorted[Math.floor((1 - BRIGHTEST) * sorted.length)], least, 1e-9);
}

/** @returns {Term[]} */
function terms() {
  return [
    {
      id: "one",
      symbol: () => sub(id("A"), "b"),
      words: text("steps.attention.term.one"),
      value: () => "",
      lights: { one: "all" },
    },
    {
      id: "all",
      symbol: () => row(sub(id("A′"), "L"), op("⋯"), sub(id("A′"), "0")),
      words: text("steps.attention.term.all"),
      value: () => "",
      lights: { all: "all" },
    },
    {
      id: "cut",
      symbol: () => id("ρ"),
      words: text("steps.attention.term.cut"),
      value: ({ pair }) => text("steps.attention.kept", { kept: percent(pair.options.kept_mass) }),
      lights: { cut: "all" },
    },
  ];
}

/**
 * @param {Model} model
 * @param {number} start
 */
function formula(model, start) {
  const last = model.blocks - 1;
  /** @type {(from: number) => Node} */
  const product = (from) =>
    from === last
      ? sub(id("A′"), String(last))
      : row(sub(id("A′"), String(last)), ...(from < last - 1 ? [op("⋯")] : []), sub(id("A′"), String(from)));
  return [
    line(
      term("cut", id("ρ"), op("="), product(start)),
      words(`\u00a0${text("steps.attention.instead")}\u00a0`),
      term("all", product(model.firstBlock)),
      op(","),
      row(sub(id("A′"), "b"), op("="), frac(num("1"), num("2")), op("("), term("one", sub(id("A"), "b")), op("+"), id("I"), op(")")),
    ),
  ];
}
