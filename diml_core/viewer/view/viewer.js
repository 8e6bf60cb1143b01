// The viewer: one pair of photos, linked. Everything it shows is computed here from one payload.

import { cellsOf, explain, fromFixed, partRollout } from "../engine/explain.js";
import { ITERATION_STOPS, planAfter } from "../engine/settling.js";
import { questionOf } from "./asking.js";
import { optionControls } from "./controls.js";
import { coverPanel } from "./cover.js";
import { renderFormula } from "./formula.js";
import { LAYERS, layerOf, layerRow } from "./layers.js";
import { BESIDE_EVENT, linkViewers } from "./linking.js";
import { attentionOf, pairLoader } from "./loading.js";
import { paintPair, renderLegends } from "./paint.js";
import { SIDES, boxOf, buildPair, flowFrom, letterOf, partsIn, withPlan } from "./pair.js";
import { listenToFrame } from "./pointing.js";
import { connectPresenter } from "./presenter.js";
import { renderReadout, spoken } from "./readout.js";
import { renderReproduce } from "./reproduce.js";
import { layerIdOf, rivalLayers, rivalList } from "./rivals.js";
import { scaleOf } from "./scale.js";
import { scoreOf } from "./score.js";
import { addressQuery, canBeLinked, copyText, leftOut, viewFromQuery } from "./share.js";
import { measureStage } from "./stage.js";
import { stepsDrawer } from "./steps/drawer.js";
import { term } from "./terms.js";
import { text } from "./texts.js";
import { placeTip } from "./tip.js";
import { trialPanel } from "./trial.js";

/** @import { Attention, Explanation, Options, Payload } from "../engine/types.js" */
/** @import { Ask } from "./asking.js" */
/** @import { Layer } from "./layers.js" */
/** @import { Kind } from "./linking.js" */
/** @import { Loaded } from "./loading.js" */
/** @import { Grid, Pair, Pointed, Selection, Side } from "./pair.js" */
/** @import { Boxes } from "./stage.js" */

const SETTLED = ITERATION_STOPS.length - 1;
const NO_PART_ATTENTION = {
  waiting: text("attention.waiting"),
  gone: text("attention.gone"),
  none: text("attention.none"),
};

/**
 * @typedef {object} State
 * @property {Loaded | null} loaded the pair's photos and features
 * @property {Pair | null} settled the pair at the live options
 * @property {Pair | null} pair as shown: with the plan of the chosen number of iterations
 * @property {Record<Side, Attention | keyof typeof NO_PART_ATTENTION | null>} attention fetched when first needed
 * @property {Layer} layer
 * @property {number} lines
 * @property {number} opacity
 * @property {number} stop index into ITERATION_STOPS
 * @property {Pointed | null} hover
 * @property {Pointed | null} pinned
 * @property {Side} barSide whose parts the score's bar shows
 * @property {string | null} step of "How it works" that is open
 */

/**
 * What to tell of an error: plain ones are sentences for the visitor, others are mistakes in the code.
 *
 * @param {unknown} error
 */
function sentenceOf(error) {
  if (error instanceof Error && error.name === "Error") return error.message;
  console.error(error);
  return text("viewer.broken");
}

/**
 * @param {HTMLElement} host holds the template
 * @param {object} [to]
 * @param {boolean} [to.address] whether it keeps its view in the address bar
 * @param {Ask | null} [to.ask] the way to the network for the counterfactual; null in a saved report
 * @param {(key: "options" | "selected", value: unknown) => void} [to.tell] is told what the visitor has set
 * @returns {{
 *   update: (payload: Payload | {error?: string}) => Promise<void>,
 *   select: (selection: Selection | null) => void,
 *   destroy: () => void,
 *   state: State,
 * }}
 */
export function createViewer(host, { address = false, ask = null, tell = () => {} } = {}) {
  /** @param {string} role */
  const find = (role) => /** @type {HTMLElement} */ (host.querySelector(`[data-role="${role}"]`));
  const input = /** @type {(role: string) => HTMLInputElement} */ (find);
  const canvas = /** @type {(role: string) => HTMLCanvasElement} */ (find);
  const root = /** @type {HTMLElement} */ (host.querySelector(".diml"));
  const frames = { a: find("frame-a"), b: find("frame-b") };
  const canvases = { frames, overlays: { a: canvas("overlay-a"), b: canvas("overlay-b") }, flow: canvas("flow") };
  const gone = new AbortController(); // everything that listens outside of the viewer ends with it
  const { signal } = gone;
  /** @type {State} */
  const state = {
    loaded: null,
    settled: null,
    pair: null,
    attention: { a: null, b: null },
    layer: layerOf("contribution"),
    lines: 16,
    opacity: 50,
    stop: SETTLED,
    hover: null,
    pinned: null,
    barSide: "a",
    step: null,
  };
  const loadPair = pairLoader();
  const query = new URLSearchParams(location.search);
  let awaited = address && query.has("a") ? query : null; // a view that the address asks for
  /** @type {Selection | null} what the host wants kept of a pair that is not here yet */
  let wanted = null;
  /** @type {Options | null} what the visitor has moved the options to; null where the payload's still stand */
  let live = null;
  let refused = false; // whether the last move asked for what these features cannot serve
  let turn = 0; // of the newest payload
  let awaitedTurn = 0; // of the newest payload that is no error: what is shown in the end
  /** @type {{key: string, grid: Grid} | null} the pair's last parts' map: the pointer rests longer than a frame */
  let lastLooked = null;
  let paintRequest = 0;
  let computeRequest = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let addressTimer;

  const link = linkViewers(
    root,
    ({ kind, side, digest, box }) => {
      if (!state.pair) return;
      const here = side && box && state.pair[side].digest === digest;
      set(kind, here ? { side, parts: partsIn(state.pair[side], box) } : null);
    },
    () => {
      if (state.pair) link.tell(state.pair);
      if (state.pair && state.pinned) link.announce(state.pair, "pinned", state.pinned);
    },
    signal,
  );
  const showLayers = layerRow(find("layers"), (id) => chooseLayer(layerOf(id)));
  const rivalLayer = ask && rivalLayers(ask, () => repaint());
  const showRivals = rivalLayer && rivalList(find("rivals"), (rival) => chooseLayer(rivalLayer(rival)));
  const score = scoreOf(find("score"), {
    hover: (part) => pointAndTell("hover", part === null ? null : { side: state.barSide, parts: [part] }),
    select: (part) => pointAndTell("pinned", { side: state.barSide, parts: [part] }),
  });
  const showScale = scaleOf(find("scale"));
  const showControls = optionControls(find("controls"), changeOptions);
  const showCover = ask && coverPanel(find("cover"), ask);
  const showTrial = ask && trialPanel(find("trial"), ask, signal);
  const steps = stepsDrawer(
    /** @type {HTMLDetailsElement} */ (find("steps-drawer")),
    find("steps"),
    {
      hover: (selection, speak) => {
        if (selection || state.hover) pointAndTell("hover", selection);
        if (speak && state.pair && state.hover) find("live").textContent = spoken(state.pair, state.hover);
      },
      select: (selection) => pointAndTell("pinned", selection),
      kept: () => state.pinned,
      letGo,
      attention: (side) => state.attention[side] ?? fetchAttention(side),
      settle,
      repaint,
      speak: (words) => (find("live").textContent = words),
    },
    (step) => {
      state.step = step;
      writeAddress();
      repaint();
    },
    signal,
  );

  const active = () => state.hover ?? state.pinned;

  /** @type {(pair: Pair, selection: Selection) => Pointed} */
  const pointAt = (pair, { side, parts, cursor, to }) => ({ side, parts, cursor, to, flow: flowFrom(pair, side, parts) });

  /** @param {Layer} layer */
  function chooseLayer(layer) {
    state.layer = layer;
    if (state.pair) showChosenLayer(state.pair);
    writeAddress();
    repaint();
  }

  /** @param {Pair} pair */
  function showChosenLayer(pair) {
    showLayers(pair, state.layer.id);
    showRivals?.(pair, state.layer.id);
  }

  function repaint() {
    // At most once per frame, however fast the pointer moves.
    paintRequest ||= requestAnimationFrame(() => {
      paintRequest = 0;
      paint();
    });
  }

  /** @param {Boxes} [measured] where everything lies, if somebody looked before writing */
  function paint(measured) {
    const { pair, settled } = state;
    if (!pair || !settled) return;
    const pointed = active();
    if (pointed && pointed.side !== state.barSide) {
      state.barSide = pointed.side;
      showScore();
    }
    const boxes = measured ?? measureStage(find("stage"), frames);
    const looked = pointed && state.layer.attention ? lookedAt(pair, pointed) : null;
    renderLegends(find("legends"), paintPair(canvases, boxes, pair, state, pointed, looked));
    renderReadout(find("readout"), pair, pointed);
    placeTip(find("tip"), boxes, pair, pointed);
    score.light(pointed?.parts ?? []);
    if (isOpen("formula-drawer")) renderFormula(find("formula"), pair, settled, pointed, ITERATION_STOPS[state.stop]);
    if (state.loaded) steps.paint({ pair, loaded: state.loaded, pointed, stop: state.stop });
  }

  /** @param {string} drawer */
  const isOpen = (drawer) => /** @type {HTMLDetailsElement} */ (find(drawer)).open;

  /**
   * Where some parts looked, or why the class token's attention stands in for it.
   *
   * @param {Pair} pair
   * @param {Pointed} pointed
   * @returns {Grid | string}
   */
  function lookedAt({ options, model, explanation }, { side, parts }) {
    const attention = state.attention[side] ?? fetchAttention(side);
    const map = side === "a" ? explanation.mapA : explanation.mapB;
    if (typeof attention === "string" || !map) return NO_PART_ATTENTION[typeof attention === "string" ? attention : "none"];
    const grid = side === "a" ? explanation.gridA : explanation.gridB;
    const key = JSON.stringify([side, parts, grid, options.start_block, options.kept_mass]);
    if (lastLooked?.key !== key) {
      const cells = cellsOf(parts, grid, map);
      const values = partRollout(attention, cells, model, options.start_block ?? 0, options.kept_mass);
      lastLooked = { key, grid: { rows: map[0], columns: map[1], values } };
    }
    return lastLooked.grid;
  }

  /** @param {Side} side */
  function fetchAttention(side) {
    const { loaded } = state;
    const photo = loaded?.payload[side];
    if (!loaded || !photo?.attention) return (state.attention[side] = "none");
    /** @param {Attention | "gone"} found */
    const keep = (found) => {
      if (state.loaded !== loaded) return; // another pair came meanwhile
      state.attention[side] = found;
      repaint();
    };
    attentionOf({ ...photo, attention: photo.attention }, loaded.payload.model).then(keep, () => keep("gone"));
    return (state.attention[side] = "waiting");
  }

  /**
   * The only way that what is pointed at changes.
   *
   * @param {Kind} kind
   * @param {Selection | null} selection
   */
  function set(kind, selection) {
    const { pair } = state;
    state[kind] = pair && selection && pointAt(pair, selection);
    if (kind === "pinned") {
      state.hover = null;
      afterPinning();
    }
    repaint();
  }

  function afterPinning() {
    tellPinned();
    offerCover();
    writeAddress();
  }

  function tellPinned() {
    const { pinned } = state;
    tell("selected", pinned && { side: pinned.side, parts: pinned.parts });
  }

  /**
   * @param {Kind} kind
   * @param {Selection | null} selection
   */
  function pointAndTell(kind, selection) {
    set(kind, selection);
    if (state.pair) link.announce(state.pair, kind, selection);
  }

  function letGo() {
    pointAndTell("pinned", null);
    find("live").textContent = text("viewer.nothing");
  }

  function offerCover() {
    if (!showCover) return;
    const { pair, pinned } = state;
    if (!pair?.settled || !pinned) return showCover(null);
    showCover({ ...questionOf(pair), side: pinned.side, letter: letterOf(pair, pinned.side), parts: pinned.parts });
  }

  function offerTrial() {
    const { loaded, settled } = state;
    const drawer = /** @type {HTMLDetailsElement} */ (find("trial-drawer"));
    if (!showTrial) return;
    drawer.hidden = !settled?.model.rivals?.length;
    // While it is closed nobody reads it, and a slider of the options may move.
    if (!drawer.open && settled) return;
    showTrial(loaded && settled && { question: questionOf(settled), pair: settled, photos: loaded.photos });
  }

  function showScore() {
    input("lines-out").value = String(state.lines);
    if (state.pair) score.update(state.pair, state.barSide, Math.min(state.lines, state.pair.order.length));
  }

  function writeAddress() {
    const linkable = Boolean(state.settled && canBeLinked(state.settled));
    const copy = /** @type {HTMLButtonElement} */ (find("link"));
    copy.hidden = !address;
    copy.disabled = !linkable;
    copy.title = text(linkable ? "viewer.link.help" : "viewer.link.none");
    if (!address || awaited) return;
    clearTimeout(addressTimer);
    // Browsers limit how often the address may change; a dragged region changes it many times.
    addressTimer = setTimeout(writeAddressNow, 200);
  }

  function writeAddressNow() {
    clearTimeout(addressTimer);
    const linked = state.settled && canBeLinked(state.settled) ? state.settled : null;
    const search = addressQuery(location.search, linked, state);
    history.replaceState(history.state, "", location.pathname + search + location.hash);
  }

  /** @param {number} stop index into ITERATION_STOPS */
  function settle(stop) {
    state.stop = stop;
    showPlan();
    repaint();
  }

  // From the live options to everything that follows from the plan.
  function showPlan() {
    const { settled } = state;
    if (!settled) return;
    const stop = ITERATION_STOPS[state.stop];
    const stopped = Number.isFinite(stop);
    input("iterations").value = String(state.stop);
    input("iterations-out").value = stopped ? String(stop) : text("viewer.iterations.settled", { iterations: settled.explanation.iterations });
    const pair = stopped ? withPlan(settled, planAfter(settled.explanation, stop)) : settled;
    state.pair = pair;
    root.classList.toggle("diml-early", stopped);
    state.hover &&= pointAt(pair, state.hover);
    state.pinned &&= pointAt(pair, state.pinned);
    offerCover();
    offerTrial();
    showScore();
    showScale(pair);
    link.tell(pair);
  }

  /**
   * The explanation at some options.
   *
   * @param {Loaded} loaded
   * @param {Options} options
   * @returns {Explanation}
   */
  function explanationOf({ payload, features }, options) {
    return features ? explain(payload, features, options) : fromFixed(payload);
  }

  /** @param {Partial<Options>} change */
  function changeOptions(change) {
    const { loaded } = state;
    if (!loaded?.features) return;
    const options = { ...(live ?? loaded.payload.options), ...change };
    live = options;
    showControls(loaded.payload.model, options);
    // At most once per frame, however fast the slider moves.
    computeRequest ||= requestAnimationFrame(() => {
      computeRequest = 0;
      if (live) showOptions(loaded, live);
    });
  }

  /**
   * @param {Loaded} loaded
   * @param {Options} options
   */
  function showOptions(loaded, options) {
    const before = state.settled;
    let moved = false;
    try {
      state.settled = buildPair(loaded.payload, explanationOf(loaded, options));
    } catch (error) {
      refused = true;
      return say(sentenceOf(error)); // above what the last options gave
    }
    if (refused) say(null);
    refused = false;
    for (const kind of /** @type {Kind[]} */ (["hover", "pinned"])) {
      const pointed = state[kind];
      if (!pointed || !before) continue;
      // What is pointed at stays where it is in the photo, in however many parts it is cut now.
      const [old, now] = [before[pointed.side], state.settled[pointed.side]];
      if (old.rows === now.rows && old.columns === now.columns) continue;
      pointed.parts = partsIn(now, boxOf(old, pointed.parts));
      pointed.cursor = pointed.to = undefined;
      moved ||= kind === "pinned";
    }
    const boxes = measureStage(find("stage"), frames); // before anything is written: after, it would be laid out twice
    nameParts(state.settled);
    if (isOpen("reproduce-drawer")) renderReproduce(find("reproduce"), state.settled);
    showPlan();
    paint(boxes);
    tell("options", { model: loaded.payload.model.name, ...options });
    if (moved) tellPinned();
    writeAddress();
  }

  /** @param {Pair} pair */
  function nameParts(pair) {
    for (const side of SIDES) {
      const { rows, columns, name } = pair[side];
      const letter = letterOf(pair, side);
      find(`letter-${side}`).textContent = letter;
      /** @type {HTMLElement} */ (frames[side].parentElement).dataset.letter = letter;
      frames[side].ariaLabel = text("viewer.frame", { photo: letter, rows, columns });
      find(`name-${side}`).replaceChildren(`${name} · `, term("grid", text("viewer.grid", { rows, columns })));
    }
  }

  for (const side of SIDES) {
    listenToFrame(
      frames[side],
      () => state.pair?.[side] ?? null,
      {
        hover: (part, speak) => {
          if (part === null ? !state.hover : state.hover?.side === side && state.hover.parts[0] === part) return;
          pointAndTell("hover", part === null ? null : { side, parts: [part] });
          if (speak && state.pair && state.hover) find("live").textContent = spoken(state.pair, state.hover);
        },
        select: (parts, cursor) => {
          pointAndTell("pinned", { side, parts, cursor });
          if (state.pair && state.pinned) find("live").textContent = text("viewer.kept", { what: spoken(state.pair, state.pinned) });
        },
        isKept: (part) => state.pinned?.side === side && String(state.pinned.parts) === String(part),
        letGo,
        keyboardCell: () => {
          const pointed = active();
          return pointed?.side === side ? (pointed.cursor ?? pointed.parts[0]) : null;
        },
      },
      signal,
    );
    frames[side].addEventListener("blur", () => state.hover && pointAndTell("hover", null));
  }
  // Escape works wherever the focus is: after a click on a button it is no longer on a photo.
  document.addEventListener(
    "keydown",
    (event) => {
      if (event.key !== "Escape" || !state.pair || !active()) return;
      letGo();
      event.preventDefault();
    },
    { signal },
  );
  for (const name of /** @type {const} */ (["lines", "opacity"])) {
    const slider = input(name);
    slider.value = String(state[name]);
    slider.addEventListener("input", () => {
      state[name] = slider.valueAsNumber;
      showScore();
      writeAddress();
      repaint();
    });
  }
  input("iterations").addEventListener("input", () => settle(input("iterations").valueAsNumber));
  find("open-steps").addEventListener("click", () => {
    steps.open();
    find("steps-drawer").querySelector("summary")?.focus({ preventScroll: true });
  });
  find("formula-drawer").addEventListener("toggle", repaint);
  find("trial-drawer").addEventListener("toggle", offerTrial);
  find("reproduce-drawer").addEventListener("toggle", () => state.settled && renderReproduce(find("reproduce"), state.settled));
  find("close-error").addEventListener("click", () => {
    say(null);
    // The button is gone, and with it the place of whoever used the keyboard.
    if (state.pair) frames.a.focus({ preventScroll: true });
  });
  find("link").addEventListener("click", (event) => {
    writeAddressNow();
    copyText(location.href, event);
  });
  // What two viewers side by side ask of one, see beside.js.
  root.addEventListener(
    BESIDE_EVENT,
    (event) => {
      const { options, layer } = /** @type {CustomEvent} */ (event).detail;
      if (options) changeOptions(options);
      if (layer) chooseLayer(layerOf(layer));
      if (!state.pair) return;
      showChosenLayer(state.pair);
      repaint();
    },
    { signal },
  );
  connectPresenter({ button: find("present"), fullscreen: find("fullscreen"), note: find("present-note") }, signal);
  const resizes = new ResizeObserver(repaint);
  resizes.observe(find("stage"));

  /** @param {string | null} sentence an error above the last good pair, which stays */
  function say(sentence) {
    find("error-box").hidden = !sentence;
    find("error").textContent = sentence ?? "";
    root.dataset.state = state.pair ? "ready" : sentence ? "error" : "empty";
  }

  /** @param {boolean} on */
  function busy(on) {
    root.toggleAttribute("data-busy", on);
    root.ariaBusy = String(on);
    find("busy").textContent = on ? text("viewer.loading") : "";
  }

  function forgetPair() {
    cancelAnimationFrame(computeRequest);
    computeRequest = 0;
    refused = false;
    state.hover = state.pinned = null;
    state.attention = { a: null, b: null };
    lastLooked = null;
    state.loaded = state.settled = state.pair = null;
  }

  /** @param {Loaded} loaded */
  function showPair(loaded) {
    const { payload, photos, features } = loaded;
    // First what may fail: until it is known, the last pair stays.
    const settled = buildPair(payload, explanationOf(loaded, payload.options));
    forgetPair();
    Object.assign(state, { loaded, settled, pair: settled, stop: SETTLED });
    live = null;
    const { layer } = state;
    // What two viewers differ by is known once both have their pair.
    if (layer.available && !layer.available(settled) && !layer.beside) state.layer = layerOf("similarity");
    const usable = [...LAYERS.map(({ id }) => id), ...(settled.model.rivals ?? []).map(layerIdOf)];
    if (!usable.includes(layer.id)) state.layer = layerOf("contribution"); // a method that this model has not
    const view = awaited && viewFromQuery(awaited, settled);
    if (view) {
      awaited = null;
      const rival = settled.model.rivals?.find((each) => layerIdOf(each) === view.layer);
      if (view.layer && !rival) state.layer = layerOf(view.layer);
      else if (rival && rivalLayer) state.layer = rivalLayer(rival);
      state.lines = view.lines ?? state.lines;
      input("lines").value = String(state.lines);
    }
    for (const side of SIDES) {
      const shown = /** @type {HTMLImageElement} */ (find(`img-${side}`));
      const photo = photos[side];
      photo.dataset.role = `img-${side}`;
      photo.alt = text("viewer.photo", { photo: letterOf(settled, side) });
      // The same source again would flash; a decoded one takes the other's place within a frame.
      if (shown.src !== photo.src) shown.replaceWith(photo);
      const [width, height] = payload[side].size;
      frames[side].style.aspectRatio = `${width} / ${height}`;
      // Of the figure: photos are equally high, so that it decides how wide each may be.
      frames[side].parentElement?.style.setProperty("--aspect", String(width / height));
    }
    nameParts(settled);
    find("caption").hidden = !payload.caption;
    find("caption-title").textContent = payload.caption ? `${payload.caption.title}.` : "";
    find("caption-text").textContent = payload.caption?.text ?? "";
    find("options-drawer").hidden = !features;
    if (features) showControls(payload.model, payload.options);
    showChosenLayer(settled);
    renderReproduce(find("reproduce"), settled);
    showPlan();
    say(view ? leftOut(view.unknown) : null);
    paint();
    tell("options", { model: payload.model.name, ...payload.options });
    set("pinned", view?.pinned ?? wanted);
    wanted = null;
    if (!state.pinned) link.ask();
    if (view?.step) steps.open(view.step);
  }

  /**
   * Shows what the host has. A pair appears when all of it is here; the newest wins, however long an older one takes.
   *
   * @param {Payload | {error?: string}} payload
   */
  async function update(payload) {
    const mine = ++turn;
    const isFirst = mine === 1; // the page's own pair, before the one that the address asks for
    if (payload && "a" in payload) {
      awaitedTurn = mine;
      busy(true);
      /** @type {string | null} */
      let trouble;
      try {
        const loaded = await loadPair(payload);
        if (mine !== awaitedTurn) return;
        const newer = mine === turn ? null : find("error").textContent; // an error came meanwhile, and stays above
        showPair(loaded);
        trouble = newer;
      } catch (error) {
        if (mine !== awaitedTurn) return;
        trouble = sentenceOf(error);
      }
      if (trouble) say(trouble);
      busy(false);
    } else if (payload?.error) {
      say(payload.error);
    } else {
      awaitedTurn = mine;
      forgetPair();
      link.tell(null);
      afterPinning();
      offerTrial();
      say(null);
      busy(false);
    }
    if (!isFirst) awaited = null;
    writeAddress();
  }

  /**
   * Keeps what the host selects. The host also hears what the visitor selects, and says that here again.
   *
   * @param {Selection | null} selection parts that the pair has
   */
  function select(selection) {
    const { pinned } = state;
    if (!state.pair) wanted = selection;
    else if (pinned?.side !== selection?.side || String(pinned?.parts) !== String(selection?.parts)) {
      pointAndTell("pinned", selection);
    }
  }

  function destroy() {
    awaitedTurn = ++turn;
    link.tell(null);
    forgetPair(); // a field that is taken away with the focus in it says so, and would move what is no longer there
    gone.abort();
    resizes.disconnect();
    cancelAnimationFrame(paintRequest);
    cancelAnimationFrame(computeRequest);
    clearTimeout(addressTimer);
  }

  return { update, select, destroy, state };
}
