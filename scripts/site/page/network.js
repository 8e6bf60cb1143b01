// The network of a model, in ONNX Runtime.

import { text } from "../../../diml_core/viewer/view/texts.js";
import { bytesOf } from "./keeping.js";

/** @import { File } from "./keeping.js" */
/** @import { Pixels } from "./resampling.js" */
/** @import { Attention } from "./features.js" */

const MOST_THREADS = 4; // more gain little on a photo of this size
const TOLERANCE = 1e-3; // of the largest number: what another processor may make of a glance

/**
 * @typedef {object} ModelFile what models.json says of a model
 * @property {string} name
 * @property {string} title
 * @property {File} file
 * @property {{input: {size: number, mean: number[], std: number[], interpolation: string}, pooling: "mean" | "grid" | "rollout",
 *   grid_pooling: "area" | "resampled"}} config
 * @property {import("../../../diml_core/viewer/engine/types.js").Scale | null} scale
 * @property {import("../../../diml_core/viewer/engine/types.js").Options} defaults
 * @property {import("../../../diml_core/viewer/engine/types.js").Rival[]} rivals methods that the library asks of it
 * @property {number} dim
 * @property {number} unit pixels per cell of the coarsest map
 * @property {number} map_side
 * @property {boolean} flexible
 * @property {number} prefix_tokens
 * @property {boolean} class_token whether the first of them stands for the whole photo
 * @property {number} attention_blocks
 * @property {number} attention_heads
 * @property {number[]} glance the first numbers of the map of GLANCE, as torch has them
 */

/**
 * @typedef {object} Runtime a build of ONNX Runtime
 * @property {string} script
 * @property {string} glue
 * @property {File} wasm
 */

/**
 * @typedef {object} Seen
 * @property {Float32Array} map [rows * columns * D]
 * @property {[number, number, number]} shape
 * @property {Attention[]} attentions of all blocks
 */

/** @typedef {"wasm" | "webgpu"} Engine */

/**
 * @typedef {object} Site
 * @property {string} base address of its folder
 * @property {Record<Engine, Runtime>} runtimes
 * @property {Engine | null} wanted null for what there is
 */

/**
 * @param {Site} site
 * @returns {(model: ModelFile, tell: (loaded: number, all: number) => void) => Promise<Network>} opens a model
 */
export function opener(site) {
  /** @type {Promise<Engine> | null} */
  let chosen = null;
  /** @type {Map<string, Promise<any>>} runtimes by engine */
  const started = new Map();

  /** @type {(engine: Engine, model: ModelFile, tell: (loaded: number, all: number) => void) => Promise<[any, ArrayBuffer]>} */
  const load = (engine, model, tell) => {
    const { wasm } = site.runtimes[engine];
    const known = started.get(engine);
    const all = model.file.bytes + (known ? 0 : wasm.bytes);
    const loaded = { runtime: 0, model: 0 };
    /** @param {Partial<typeof loaded>} news */
    const add = (news) => {
      Object.assign(loaded, news);
      tell(loaded.runtime + loaded.model, all);
    };
    const runtime = known ?? start(site, engine, (bytes) => add({ runtime: bytes }));
    started.set(engine, runtime);
    runtime.catch(() => started.delete(engine)); // the next try may reach it
    return Promise.all([runtime, bytesOf(model.file, site.base, (bytes) => add({ model: bytes }))]);
  };

  return async (model, tell) => {
    const engine = await (chosen ??= site.wanted ? Promise.resolve(site.wanted) : bestEngine());
    const [ort, graph] = await load(engine, model, tell);
    try {
      return await checked(ort, graph, model, engine);
    } catch (error) {
      if (engine === "wasm") throw error;
      // A graphics driver that cannot, or that computes something else. The page says what it runs on.
      console.warn(error);
      chosen = Promise.resolve("wasm");
      const [other, same] = await load("wasm", model, tell);
      return checked(other, same, model, "wasm");
    }
  };
}

/**
 * @param {any} ort
 * @param {ArrayBuffer} graph
 * @param {ModelFile} model
 * @param {Engine} engine
 * @returns {Promise<Network>} rejects where this machine cannot run it, or gives other numbers than torch
 */
async function checked(ort, graph, model, engine) {
  // Errors only: it warns of what it optimises away.
  const options = { executionProviders: [engine], logSeverityLevel: 3 };
  const session = await alone(() => ort.InferenceSession.create(new Uint8Array(graph), options));
  const network = new Network(ort, session, model, engine);
  await network.check();
  return network;
}

let last = Promise.resolve();

/**
 * The runtime does one thing at a time; loading goes on beside it.
 *
 * @template T
 * @param {() => Promise<T>} task
 * @returns {Promise<T>}
 */
function alone(task) {
  const result = last.then(task);
  last = result.then(
    () => {},
    () => {},
  );
  return result;
}

/** @returns {Promise<Engine>} */
async function bestEngine() {
  const gpu = /** @type {any} */ (navigator).gpu;
  const adapter = await gpu?.requestAdapter().catch(() => null);
  // One that a processor plays is slower than WebAssembly.
  return adapter && !(adapter.info?.isFallbackAdapter ?? adapter.isFallbackAdapter) ? "webgpu" : "wasm";
}

/**
 * @param {Site} site
 * @param {Engine} engine
 * @param {(loaded: number) => void} tell
 */
async function start({ base, runtimes }, engine, tell) {
  const { script, glue, wasm } = runtimes[engine];
  const [ort, binary] = await Promise.all([import(script), bytesOf(wasm, base, tell)]);
  ort.env.wasm.wasmBinary = binary;
  ort.env.wasm.wasmPaths = { mjs: glue };
  ort.env.wasm.numThreads = self.crossOriginIsolated ? Math.min(MOST_THREADS, navigator.hardwareConcurrency || 1) : 1;
  return ort;
}

export class Network {
  /**
   * @param {any} ort
   * @param {any} session
   * @param {ModelFile} model
   * @param {Engine} engine
   */
  constructor(ort, session, model, engine) {
    this.ort = ort;
    this.session = session;
    this.model = model;
    this.engine = engine;
  }

  /**
   * One photo through the network.
   *
   * @param {Pixels} pixels as large as the input is to be
   * @returns {Promise<Seen>}
   */
  look({ width, height, values }) {
    const { mean, std } = this.model.config.input;
    const input = new Float32Array(values.length);
    const area = width * height;
    for (let channel = 0; channel < 3; channel++) {
      // In the order of the library's sums, for the same rounding.
      const [shift, scale] = [mean, std].map((each) => Math.fround(255 * Math.fround(each[channel])));
      for (let k = 0; k < area; k++) input[channel * area + k] = (values[3 * k + channel] - shift) / scale;
    }
    return this.run(input, height, width);
  }

  /**
   * @param {Float32Array} input [3 * height * width]
   * @param {number} height
   * @param {number} width
   * @returns {Promise<Seen>}
   */
  async run(input, height, width) {
    const images = new this.ort.Tensor("float32", input, [1, 3, height, width]);
    const found = await alone(() => this.session.run({ images }));
    const { attention_blocks: blocks, attention_heads: heads } = this.model;
    const attentions = Array.from({ length: blocks }, (_, block) => {
      const tensor = found[`attention_${block}`];
      return { values: /** @type {Float32Array} */ (tensor.data), tokens: tensor.dims[2], heads };
    });
    return { map: found.map.data, shape: found.map.dims.slice(1), attentions };
  }

  /** Whether this machine computes what torch does: a smallest picture tells. */
  async check() {
    const { unit, glance } = this.model;
    const [height, width] = [2 * unit, 3 * unit];
    const { map } = await this.run(Float32Array.from({ length: 3 * height * width }, glanceAt), height, width);
    const largest = Math.max(...glance.map(Math.abs));
    const isSame = glance.every((value, k) => Math.abs(value - map[k]) <= TOLERANCE * largest);
    if (!isSame) throw new Error(text("site.other.numbers", { engine: this.engine }));
  }
}

/** Something that is no photo, and the same everywhere: whole numbers, then one division. @type {(_: unknown, k: number) => number} */
const glanceAt = (_, k) => (((k * 7919) % 1009) - 504) / 252;
