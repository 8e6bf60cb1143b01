// "Test it": the network scores the pair while a photo is covered part by part, in the order of DIML and of two other
// methods that the visitor chooses.

import { answerTo } from "./asking.js";
import { COVERS, paintCovered } from "./covers.js";
import { curveChart, rangeOf, sample } from "./curves.js";
import { button, make, uniqueId } from "./dom.js";
import { SIDES, letterOf } from "./pair.js";
import { written } from "./points.js";
import { rich } from "./terms.js";
import { text } from "./texts.js";
import { verdict } from "./verdict.js";

/** @import { Ask, QuestionBase } from "./asking.js" */
/** @import { Pair, Side } from "./pair.js" */
/** @import { Curve, Method } from "./verdict.js" */

const OURS = { key: "diml", name: text("trial.ours") };
const PHOTO_WIDTH = 320; // px
const PACE = 600; // ms between two points when it plays
const KINDS = /** @type {const} */ (["deletion", "insertion"]);
/** @type {(kind: Curve["kind"], what: "title" | "across" | "better") => string} */
const wordsOf = (kind, what) => text(`trial.${kind}.${what}`);

/**
 * @typedef {object} Trial what the drawer is about
 * @property {QuestionBase} question
 * @property {Pair} pair
 * @property {Record<Side, HTMLImageElement>} photos
 */

/**
 * The drawer's inside. What it shows belongs to one pair at its options: another one clears it, and whatever the
 * network was still asked is called off.
 *
 * @param {HTMLElement} root
 * @param {Ask} ask
 * @param {AbortSignal} gone
 * @returns {(trial: Trial | null) => void}
 */
export function trialPanel(root, ask, gone) {
  let shown = "";
  /** @type {AbortController | null} */
  let current = null;
  gone.addEventListener("abort", () => current?.abort());
  return (trial) => {
    const key = JSON.stringify(trial?.question ?? null);
    if (key === shown) return;
    shown = key;
    current?.abort();
    current = new AbortController();
    if (trial?.pair.model.rivals?.length) renderTrial(root, trial, ask, current.signal);
    else root.replaceChildren();
  };
}

/**
 * @param {string} label
 * @param {readonly {id: string, label: string}[]} choices
 * @param {string} chosen
 */
function choice(label, choices, chosen) {
  const id = uniqueId("trial");
  const select = /** @type {HTMLSelectElement} */ (
    make("select", { id }, ...choices.map((each) => make("option", { value: each.id }, each.label)))
  );
  select.value = chosen;
  return { select, node: make("div", { className: "diml-option" }, make("label", { htmlFor: id }, label), select) };
}

/**
 * @param {HTMLElement} root
 * @param {Trial} trial
 * @param {Ask} ask
 * @param {AbortSignal} over ends it
 */
function renderTrial(root, { question, pair, photos }, ask, over) {
  const rivals = pair.model.rivals ?? [];
  const names = rivals.map(({ key, name }) => ({ id: key, label: name }));
  const first = choice(text("trial.first"), names, preferred(rivals, ["grad-cam"], ""));
  const second = choice(text("trial.second"), names, preferred(rivals, ["marginals", "random"], first.select.value));
  const side = choice(text("trial.side"), SIDES.map((id) => ({ id, label: text("trial.side.photo", { photo: letterOf(pair, id) }) })), "a");
  const cover = choice(text("trial.cover"), COVERS, "blur");
  const titles = make("p", { className: "diml-hint" });
  const status = make("p", { className: "diml-hint", role: "status" });
  const result = make("div", {});
  /** @type {AbortController | null} */
  let running = null;

  const explainChoice = () => {
    const chosen = [first, second].map(({ select }) => rivals.find((each) => each.key === select.value));
    titles.replaceChildren(
      ...chosen.flatMap((rival) => (rival ? [make("b", {}, `${capital(rival.name)}: `), `${rival.title} `] : [])),
    );
    start.disabled = first.select.value === second.select.value;
    start.title = start.disabled ? text("trial.twice") : "";
  };

  const stop = () => {
    running?.abort();
    running = null;
    start.textContent = text("trial.start");
  };
  over.addEventListener("abort", stop);

  const start = button(text("trial.start"), async () => {
    if (running) {
      stop();
      status.textContent = text("trial.stopped");
      return;
    }
    const mine = (running = new AbortController());
    const where = /** @type {Side} */ (side.select.value);
    const methods = [OURS, ...rivals.filter(({ key }) => key === first.select.value), ...rivals.filter(({ key }) => key === second.select.value)];
    const asked = { about: "curves", ...question, rivals: methods.slice(1).map(({ key }) => key), side: where, cover: cover.select.value };
    start.textContent = text("trial.stop");
    status.textContent = text("network.looking");
    const drawing = resultOf(methods, photos[where], pair[where], cover.select.value, over);
    result.replaceChildren();
    const answer = await answerTo(
      ask,
      asked,
      ({ done, total, curves }) => {
        if (mine.signal.aborted) return;
        status.textContent = text("network.progress", { done, total });
        if (!curves.length) return;
        if (!result.hasChildNodes()) result.replaceChildren(drawing.node);
        drawing.show(curves, false);
      },
      { stopped: mine.signal },
    );
    if (mine.signal.aborted) return;
    running = null;
    start.textContent = text("trial.start");
    if (answer.error) {
      status.textContent = answer.error;
      return;
    }
    status.replaceChildren(make("b", {}, verdict(answer.curves, methods)));
    result.replaceChildren(drawing.node);
    drawing.show(answer.curves, true);
  });

  for (const { select } of [first, second]) select.addEventListener("change", explainChoice);
  explainChoice();
  const inside = [
    make("p", {}, ...rich("trial.intro")),
    make("div", { className: "diml-choices" }, first.node, second.node, side.node, cover.node),
    titles,
    make("p", {}, start),
    status,
    result,
  ];
  root.replaceChildren(make("div", { className: "diml-trial" }, ...inside));
}

/**
 * Charts, numbers and photos of one answer, as far as it has come.
 *
 * @param {Method[]} methods
 * @param {HTMLImageElement} photo
 * @param {{rows: number, columns: number, count: number}} grid
 * @param {string} cover
 * @param {AbortSignal} over
 * @returns {{node: HTMLElement, show: (curves: Curve[], whole: boolean) => void}}
 */
function resultOf(methods, photo, grid, cover, over) {
  /** @type {Curve[]} */
  let known = [];
  /** @type {Curve["kind"]} */
  let kind = "deletion";
  let point = 0; // index into the fractions of our curve of that kind
  /** @type {ReturnType<typeof setInterval> | undefined} */
  let timer;

  /** @type {(kind: Curve["kind"], key: string) => Curve | undefined} */
  const curveOf = (which, key) => known.find((curve) => curve.kind === which && curve.key === key);
  /** @param {Curve["kind"]} which */
  const ofKind = (which) => methods.flatMap(({ key }) => curveOf(which, key) ?? []);
  const fractions = () => curveOf(kind, OURS.key)?.fractions ?? [0];

  const charts = KINDS.map((which) => ({
    which,
    chart: curveChart(`${wordsOf(which, "title")} (${wordsOf(which, "better")})`, wordsOf(which, "across"), (fraction) => {
      halt();
      kind = which;
      look(nearest(fractions(), fraction));
    }),
  }));
  const body = make("tbody", {});
  const slider = /** @type {HTMLInputElement} */ (make("input", { type: "range", min: "0", step: "1", value: "0" }));
  const said = /** @type {HTMLOutputElement} */ (make("output", {}));
  const views = methods.map(({ name }, method) => {
    const canvas = /** @type {HTMLCanvasElement} */ (make("canvas", { role: "img" }));
    const words = make("figcaption", {});
    return { canvas, words, node: make("figure", {}, canvas, words), name, method };
  });
  const play = button(text("trial.play"), () => {
    if (timer !== undefined) return halt();
    play.textContent = text("trial.pause");
    if (point >= fractions().length - 1) look(0);
    timer = setInterval(() => (point < fractions().length - 1 ? look(point + 1) : halt()), PACE);
  });
  const turn = button("", () => {
    halt();
    kind = kind === "deletion" ? "insertion" : "deletion";
    look(0);
  });
  const halt = () => {
    clearInterval(timer);
    timer = undefined;
    play.textContent = text("trial.play");
  };
  over.addEventListener("abort", halt);
  slider.addEventListener("input", () => {
    halt();
    look(slider.valueAsNumber);
  });

  /** @param {number} index of a point */
  function look(index) {
    const places = fractions();
    point = Math.min(index, places.length - 1);
    const fraction = places[point];
    slider.max = String(places.length - 1);
    slider.value = String(point);
    slider.ariaLabel = text(`trial.${kind}.slider`);
    slider.ariaValueText = said.value = text(`trial.${kind}.at`, { share: Math.round(100 * fraction) });
    turn.textContent = text(`trial.${kind}.turn`);
    for (const { which, chart } of charts) chart.mark(which === kind ? fraction : null);
    for (const { canvas, words, name, method } of views) {
      const curve = curveOf(kind, methods[method].key);
      if (!curve) continue;
      const count = Math.round(fraction * grid.count);
      const parts = kind === "deletion" ? curve.order.slice(0, count) : curve.order.slice(count);
      paintCovered(canvas, photo, grid, parts, cover, PHOTO_WIDTH);
      const at = curve.fractions.indexOf(fraction);
      const score = at < 0 ? "" : text("trial.score", { score: written(100 * curve.scores[at], 1) });
      canvas.ariaLabel = text("trial.photo", { how: said.value, name, score });
      words.replaceChildren(sample(method), ` ${name}`, make("b", {}, score));
    }
  }

  const node = make(
    "div",
    { className: "diml-trial" },
    make(
      "div",
      { className: "diml-charts" },
      ...charts.map(({ which, chart }) =>
        make("figure", {}, make("figcaption", {}, make("b", {}, wordsOf(which, "title")), ` (${wordsOf(which, "better")})`), chart.node),
      ),
    ),
    make(
      "table",
      {},
      make(
        "thead",
        {},
        make("tr", {}, ...[text("trial.mean"), text("trial.deletion.first"), text("trial.insertion.first")].map((title) => make("th", { scope: "col" }, title))),
      ),
      body,
    ),
    make("div", { className: "diml-steps" }, make("label", { className: "diml-slider" }, slider, said), play, turn),
    make("div", { className: "diml-fading" }, ...views.map((view) => view.node)),
  );

  return {
    node,
    show(curves, whole) {
      known = curves;
      const range = rangeOf(known);
      for (const { which, chart } of charts) {
        const those = ofKind(which);
        chart.show(those, range, whole ? areasOf(those, methods) : text("trial.incomplete"));
      }
      body.replaceChildren(
        ...methods.map(({ key, name }, method) =>
          make(
            "tr",
            {},
            make("th", { scope: "row" }, sample(method), ` ${name}`),
            ...KINDS.map((which) => make("td", {}, whole ? meanOf(curveOf(which, key)) : "…")),
          ),
        ),
      );
      // In step with what is computed; then back to where the visitor can begin to look.
      if (whole) look(Math.min(2, fractions().length - 1));
      else look(Math.max(0, fractions().length - 2));
    },
  };
}

/**
 * @param {Curve[]} curves
 * @param {Method[]} methods
 */
function areasOf(curves, methods) {
  const named = curves.map(({ key, area }) => `${methods.find((method) => method.key === key)?.name} ${written(100 * area, 1)}`);
  return text("trial.means", { named: named.join(", ") });
}

/**
 * The first of some methods that there is, or the first that is not taken.
 *
 * @param {Method[]} rivals
 * @param {string[]} wanted
 * @param {string} taken
 */
function preferred(rivals, wanted, taken) {
  const free = rivals.filter(({ key }) => key !== taken).map(({ key }) => key);
  return wanted.find((key) => free.includes(key)) ?? free[0] ?? "";
}

/**
 * @param {number[]} values ascending
 * @param {number} value
 * @returns {number} index
 */
export function nearest(values, value) {
  return values.reduce((best, each, k) => (Math.abs(each - value) < Math.abs(values[best] - value) ? k : best), 0);
}

/** @param {string} words */
const capital = (words) => words[0].toUpperCase() + words.slice(1);

/** @param {Curve | undefined} curve */
const meanOf = (curve) => (curve ? written(100 * curve.area, 1) : "");
