// The page without a server: photos in, the network beside it in a worker, and the viewer.

import { mount } from "../../../diml_core/viewer/mount.js";
import { besideQuery, mountBeside } from "../../../diml_core/viewer/view/beside.js";
import { make } from "../../../diml_core/viewer/view/dom.js";
import { text } from "../../../diml_core/viewer/view/texts.js";
import { NOTHING, besideOf, choicesBeside } from "./beside.js";
import { startWorker } from "./client.js";
import { offerDownloads } from "./downloads.js";
import { captionOf, exampleButton, tripleButton, tripleCaptions } from "./examples.js";
import { readLink } from "./links.js";
import { payloadOf } from "./payload.js";

/** @import { Options, Payload, Side } from "../../../diml_core/viewer/engine/types.js" */
/** @import { Ask } from "../../../diml_core/viewer/view/asking.js" */
/** @import { Asked } from "./beside.js" */
/** @import { Example, Triple } from "./examples.js" */
/** @import { Link } from "./links.js" */
/** @import { ModelFile } from "./network.js" */
/** @import { Looked, Opened } from "./worker.js" */

/** @typedef {{file: Blob, name: string, example: boolean}} Chosen */

const SIDES = /** @type {const} */ (["a", "b", "c"]);
const KEPT = 10; // photos whose addresses are kept: as many as the viewer may still want
const NAME_LENGTH = 80;

const base = new URL("../", import.meta.url);
/** @param {string} path */
const jsonAt = async (path) => (await fetch(new URL(path, base))).json();
/** @type {(selector: string) => any} */
const find = (selector) => document.querySelector(selector);

const dark = matchMedia("(prefers-color-scheme: dark)");
const theme = new URLSearchParams(location.search).get("__theme"); // as on the page with a server
const colour = () => document.documentElement.classList.toggle("dark", theme ? theme === "dark" : dark.matches);
dark.addEventListener("change", colour);
colour();

const ask = startWorker(new URL("worker.js", import.meta.url));
/** @type {[{models: ModelFile[], runtimes: any}, Example[], Triple[]]} */
const [{ models, runtimes }, examples, triples] = await Promise.all([
  jsonAt("models.json"),
  jsonAt("examples/pairs.json"),
  jsonAt("examples/triples.json"),
]);
const names = [...new Set(examples.flatMap(({ a, b }) => [a, b]))];
await ask("site", { base: base.href, ...withAddresses({ runtimes, models }), wanted: new URLSearchParams(location.search).get("engine") });

/** @type {{a: Chosen | null, b: Chosen | null, c: Chosen | null}} */
const photos = { a: null, b: null, c: null };
let model = models[0];
let beside = NOTHING; // the choice of what stands there
let turn = 0; // of the newest choice: only that one is answered

const viewer = viewerIn(find("#viewer"), true);
const secondViewer = viewerIn(find("#second-viewer"), false);
const offer = offerDownloads(find("#downloads"), () => viewer.optionsFor(model) ?? model.defaults, base);

/**
 * Files get their whole addresses: a worker that starts from a blob: address has none to begin at.
 *
 * @param {{runtimes: any, models: ModelFile[]}} site
 */
function withAddresses({ runtimes, models }) {
  /** @param {string} path */
  const whole = (path) => new URL(path, base).href;
  for (const { file } of models) file.url = whole(file.url);
  for (const runtime of Object.values(runtimes)) {
    Object.assign(runtime, { script: whole(runtime.script), glue: whole(runtime.glue) });
    runtime.wasm.url = whole(runtime.wasm.url);
  }
  return { runtimes };
}

/**
 * A viewer, and what it is given and tells.
 *
 * @param {HTMLElement} el
 * @param {boolean} address whether it keeps its view in the address bar
 */
function viewerIn(el, address) {
  /** @type {Record<string, any>} */
  const values = { pair: {} };
  const listeners = new Set();
  mount({
    el,
    address,
    ask: askNetwork,
    model: {
      get: (key) => values[key],
      set: (key, value) => (values[key] = value),
      save_changes() {},
      on: (event, listener) => event === "change:pair" && listeners.add(listener),
      off: (_, listener) => listeners.delete(listener),
    },
  });
  return {
    el,
    values,
    /** @type {unknown[]} model and photos of what it shows, as they were chosen; empty where it shows none, or an error */
    of: [],
    /** @param {Payload | {error: string} | {}} pair */
    show(pair) {
      this.of = [];
      values.pair = pair;
      listeners.forEach((listener) => listener());
    },
    /**
     * What the visitor has moved the options to.
     *
     * @param {ModelFile} model
     * @returns {Options | null} null where it has shown nothing yet, or another model
     */
    optionsFor(model) {
      const { model: name, ...moved } = values.options ?? {};
      return name === model.name ? { ...model.defaults, ...moved } : null;
    },
  };
}

/** @type {Ask} */
async function askNetwork(question, tell, givenUp) {
  const asked = { ...question, model: models.find(({ name }) => name === question.model) };
  return ask(question.about, asked, tell, givenUp).catch((error) => ({ error: error.message }));
}

/** @type {Map<string, Side>} what was looked at, by model and photo, in the order of its last use */
const sides = new Map();

/**
 * @param {ModelFile} model
 * @param {Looked} looked
 * @param {Chosen} photo
 * @returns {Side}
 */
function sideOf(model, looked, { example }) {
  const key = `${model.name} ${looked.digest}`;
  const { photo, features, attention } = looked;
  /** @param {Blob | null} blob */
  const place = (blob) => blob && URL.createObjectURL(blob);
  const known = sides.get(key);
  const side = known ?? { ...looked, photo: place(photo), features: place(features), attention: place(attention), example };
  sides.delete(key);
  sides.set(key, /** @type {Side} */ (side));
  const [oldest] = sides;
  if (sides.size > KEPT) {
    sides.delete(oldest[0]);
    for (const url of [oldest[1].photo, oldest[1].features, oldest[1].attention]) if (url) URL.revokeObjectURL(url);
  }
  return /** @type {Side} */ ({ ...side, name: looked.name, example });
}

/**
 * Shows what is chosen.
 *
 * @param {Pick<Link, "options" | "besideOptions"> | null} [link] options of a link; otherwise those that the viewers stand at
 */
async function show(link = null) {
  const mine = ++turn;
  const { a, b, c } = photos;
  /** @type {Asked<Chosen> | null} */
  const pair = a && b && { model, photos: [a, b], options: link?.options ?? viewer.optionsFor(model) ?? model.defaults };
  const second = pair && besideOf(beside, pair, c, models, (its) => link?.besideOptions ?? secondViewer.optionsFor(its));
  if (!second) {
    secondViewer.show({});
    secondViewer.el.hidden = true;
  }
  if (!pair) {
    offer(null);
    viewer.show({});
    return say("");
  }
  if ((await pairIn(viewer, pair, mine)) && second) await pairIn(secondViewer, second, mine);
  if (mine === turn) say("");
}

/**
 * @param {ReturnType<typeof viewerIn>} shown
 * @param {Asked<Chosen>} asked
 * @param {number} mine
 * @returns {Promise<boolean>} whether it is shown, and nothing newer asked for
 */
async function pairIn(shown, { model, photos, options, letter }, mine) {
  const of = [model, ...photos];
  const stands = shown.of.length > 0 && of.every((each, k) => each === shown.of[k]);
  if (shown === viewer) offer(stands ? shown.values.pair : null);
  const tell = sayProgress(model, mine);
  tell(null);
  try {
    const looked = await ask("look", { model, photos }, tell); // again, too: so that they are not the first to be forgotten
    if (mine !== turn) return false;
    const [a, b] = photos.map((photo, k) => sideOf(model, looked[k], photo));
    const caption = a.example && b.example ? captionOf(examples, a.name, b.name) : undefined;
    if (stands) return true; // what is pinned in it stays
    shown.el.hidden = false; // before it measures itself
    const payload = payloadOf(model, a, letter ? { ...b, letter } : b, options);
    shown.show({ ...payload, caption });
    shown.of = of;
    if (shown === viewer) offer(payload);
    sayEngine(await ask("open", { model }));
  } catch (error) {
    if (mine !== turn) return false;
    shown.el.hidden = false;
    shown.show({ error: /** @type {Error} */ (error).message });
    return false;
  }
  return mine === turn;
}

/** @param {string} sentence */
function say(sentence) {
  find("#status p").textContent = sentence;
  find("#status progress").hidden = true;
}

/**
 * @param {ModelFile} model
 * @param {number} mine
 * @returns {(told: {loaded: number, all: number} | null) => void}
 */
function sayProgress(model, mine) {
  let isLoading = false;
  return (told) => {
    if (mine !== turn) return;
    if (!told || told.loaded >= told.all) return say(text("site.looking"));
    if (!isLoading) say(text("site.loading", { model: model.title, size: megabytes(told.all) }));
    isLoading = true;
    Object.assign(find("#status progress"), { hidden: false, max: told.all, value: told.loaded });
  };
}

/** @param {Opened} opened */
function sayEngine({ engine, threads }) {
  const key = engine === "webgpu" ? "site.engine.webgpu" : threads > 1 ? "site.engine.threads" : "site.engine.one";
  find("#engine").textContent = text(key, { threads });
}

/** @param {number} bytes */
const megabytes = (bytes) => `${Math.round(bytes / 1e6)} MB`;

/**
 * @param {"a" | "b" | "c"} side
 * @param {Chosen | null} chosen
 */
function put(side, chosen) {
  photos[side] = chosen;
  const [drop, image] = [find(`#photo-${side}`), find(`#photo-${side} img`)];
  if (image.src) URL.revokeObjectURL(image.src);
  image.hidden = !chosen;
  if (chosen) image.src = URL.createObjectURL(chosen.file);
  drop.querySelector("small").textContent = chosen?.name ?? text("site.drop");
}

/** @param {File} file */
const ownPhoto = (file) => ({ file, name: clean(file.name || text("site.pasted")), example: false });

/** One printable line. @param {string} name */
function clean(name) {
  const line = name.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, " ");
  const tail = NAME_LENGTH / 4; // has the ending
  return line.length <= NAME_LENGTH ? line : `${line.slice(0, NAME_LENGTH - tail - 1)}…${line.slice(-tail)}`;
}

/**
 * @param {string} name
 * @returns {Promise<Chosen>} rejects with a sentence
 */
async function example(name) {
  const response = await fetch(new URL(`examples/${name}`, base)).catch(() => null);
  if (!response?.ok) throw new Error(text("site.unreachable"));
  return { file: await response.blob(), name, example: true };
}

/**
 * @param {string[]} names of A, B and maybe C
 * @param {Link | null} [link] that asks for them
 */
async function showExamples(names, link = null) {
  const mine = ++turn;
  try {
    const chosen = await Promise.all(names.map(example));
    if (mine !== turn) return;
    chosen.forEach((each, k) => put(SIDES[k], each));
    await show(link);
  } catch (error) {
    viewer.show({ error: /** @type {Error} */ (error).message });
  }
}

for (const side of SIDES) {
  const drop = find(`#photo-${side}`);
  /** @param {File | undefined} file */
  const take = (file) => {
    if (!file) return;
    put(side, ownPhoto(file));
    show();
  };
  drop.querySelector("input").addEventListener("change", (/** @type {any} */ event) => {
    take(event.target.files[0]);
    event.target.value = ""; // so that the same file can be chosen again
  });
  for (const kind of ["dragenter", "dragover", "dragleave", "drop"]) {
    drop.addEventListener(kind, (/** @type {DragEvent} */ event) => {
      event.preventDefault();
      drop.classList.toggle("over", kind === "dragenter" || kind === "dragover");
      if (kind === "drop") take(event.dataTransfer?.files[0]);
    });
  }
}
document.addEventListener("paste", ({ clipboardData }) => {
  const file = [...(clipboardData?.files ?? [])].find(({ type }) => type.startsWith("image/"));
  if (!file) return;
  const meant = SIDES.find((side) => document.activeElement?.closest(`#photo-${side}`));
  put(meant ?? (photos.a && !photos.b ? "b" : "a"), ownPhoto(file));
  show();
});
find("#swap").addEventListener("click", () => {
  const { a, b } = photos;
  put("a", b);
  put("b", a);
  show();
});

find("#examples").append(...examples.map((each) => exampleButton(each, base, showExamples)));
find("#triples").append(...triples.map((each) => tripleButton(each, base, showExamples)));

find("#models").append(
  ...models.map((each) => {
    const radio = /** @type {HTMLInputElement} */ (make("input", { type: "radio", name: "model", value: each.name, checked: each === model }));
    radio.addEventListener("change", () => {
      model = each;
      show();
    });
    return make("label", {}, radio, make("span", {}, each.title, " ", make("small", {}, megabytes(each.file.bytes))));
  }),
);
find("#second select").append(...choicesBeside(models).map(([value, label]) => make("option", { value }, label)));
find("#second select").addEventListener("change", (/** @type {any} */ event) => {
  putBeside(event.target.value);
  show();
});

/** @param {string} choice */
function putBeside(choice) {
  beside = choice;
  find("#second select").value = choice;
  find("#layout").dataset.beside = choice;
}

// A site without https has no service worker, and works as long as its host does.
navigator.serviceWorker?.register(new URL("sw.js", base)).catch((error) => console.warn(error));

/** @type {Link | null} */
let link = null;
let trouble = "";
try {
  link = readLink(location.search, models, names);
} catch (error) {
  trouble = /** @type {Error} */ (error).message;
  // Nothing is to come that it names beside the pair: whoever copies the address of what is shown instead gets just that.
  history.replaceState(history.state, "", location.pathname + besideQuery(location.search, null, null) + location.hash);
}
mountBeside(find("#beside"), ["#viewer", "#second-viewer"], tripleCaptions(triples));
if (link) {
  model = link.model;
  find(`#models input[value="${model.name}"]`).checked = true;
  putBeside(link.beside);
}
await showExamples(link?.photos ?? [examples[0].a, examples[0].b], link);
if (trouble) viewer.show({ error: trouble });
