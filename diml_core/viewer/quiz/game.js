// The quiz: ten rounds of guessing, then looking. An answer belongs to its round; of what was asked for, the newest wins.

import { answerTo } from "../view/asking.js";
import { button, make } from "../view/dom.js";
import { pairLoader } from "../view/loading.js";
import { text } from "../view/texts.js";
import { modelView, pairView } from "./cards.js";
import { offerLooks } from "./look.js";
import { partView } from "./parts.js";
import { prepare } from "./round.js";
import { GAME, MOST_MARKS, totals } from "./scoring.js";
import { settingsIn } from "./settings.js";
import { TEMPLATE } from "./template.js";

/** @import { Ask } from "../view/asking.js" */
/** @import { Look } from "./look.js" */
/** @import { Question, Round } from "./round.js" */
/** @import { Kind } from "./scoring.js" */
/** @import { Settings } from "./settings.js" */

/**
 * @typedef {object} Told what a guess has come to
 * @property {number} marks
 * @property {string[]} sentences that explain it
 * @property {HTMLElement} [legend]
 * @property {Look[]} looks
 */

/**
 * @typedef {object} View a round as it is shown
 * @property {string} heading
 * @property {string} hint
 * @property {HTMLElement} node
 * @property {() => void} paint after every change of size
 * @property {HTMLElement} focus what the keyboard answers with
 * @property {HTMLElement[]} [cards] that the keys 1 and 2 choose
 */

/** @typedef {{kind: Kind, marks: number}} Answered */

/**
 * @param {HTMLElement} host
 * @param {object} from
 * @param {Ask} from.ask the way to who chooses rounds: `{about: "round", source, model, kind, seen}` or `{about: "round",
 *   link}`, answered by a question (round.js)
 * @param {{name: string, title: string}[]} from.models
 * @param {() => void} from.answered is told when a linked question has been, or was left
 * @returns {{start: () => void, link: (link: string) => void, put: (question: Question) => void, destroy: () => void}}
 *   starts a game, asks the question of a link, or one that is here
 */
export function createQuiz(host, { ask, models, answered }) {
  host.innerHTML = TEMPLATE;
  /** @param {string} name */
  const find = (name) => /** @type {HTMLElement} */ (host.querySelector(`[data-quiz="${name}"]`));
  const root = /** @type {HTMLElement} */ (host.querySelector(".quiz"));
  const load = pairLoader();
  const gone = new AbortController();
  /** @type {Answered[]} */
  let results = [];
  /** @type {string[]} keys of the rounds of this visit, which should not come again */
  let seen = [];
  /** @type {View | null} */
  let view = null;
  /** @type {Promise<Round> | null} the next round, on its way while this one is being answered */
  let ahead = null;
  let game = new AbortController(); // what is asked for ends with it
  let round = new AbortController(); // what listens to a round ends with it
  let turn = 0;
  let isAnswered = false;
  let isGame = false; // or a single question
  let stopLooking = () => {};

  const settings = settingsIn(find("settings"), models, start);
  find("how-title").textContent = text("quiz.how");
  for (const key of /** @type {const} */ (["marks", "parts", "pairs", "models"]))
    find("how").append(make("p", {}, text(`quiz.how.${key}`)));

  /** @param {string} state */
  function enter(state) {
    root.dataset.state = state;
    root.dataset.source = settings().source;
    find("error-box").hidden = true;
    find("waiting").textContent = "";
    const number = Math.min(results.length + (isAnswered ? 0 : 1), GAME.length);
    find("count").textContent = isGame ? text("quiz.count", { number, rounds: GAME.length }) : text("quiz.single");
    const { marks, most } = totals(results);
    find("marks").textContent = most ? text("quiz.marks", { marks, most }) : text("quiz.marks.none");
    find("track").replaceChildren(...(isGame ? GAME : []).map((_, index) => step(results[index])));
  }

  /** @param {Answered | undefined} result */
  function step(result) {
    const level = !result ? "open" : result.marks === MOST_MARKS ? "full" : result.marks ? "some" : "none";
    return make("li", { className: `quiz-step quiz-step-${level}` }, result ? String(result.marks) : "");
  }

  function leave() {
    game.abort();
    round.abort();
    game = new AbortController();
    ahead = null;
    stopLooking();
  }

  function start() {
    leave();
    results = [];
    isGame = true;
    answered();
    next();
  }

  /** @param {string} link */
  function link(link) {
    leave();
    results = [];
    isGame = false;
    show(asked({ link }));
  }

  /** @param {Question} question */
  function put(question) {
    leave();
    results = [];
    isGame = false;
    show(prepare(question, load));
  }

  function next() {
    round.abort();
    stopLooking();
    if (results.length === GAME.length) return end();
    show((ahead ??= fetchRound(results.length)));
  }

  /** @param {number} number of the round, from 0 */
  function fetchRound(number) {
    const kind = GAME[number] === "model" && models.length < 2 ? "pair" : GAME[number];
    return asked({ ...settings(), kind, seen });
  }

  /**
   * @param {object} question
   * @returns {Promise<Round>} rejects with a sentence
   */
  async function asked(question) {
    const { signal } = game;
    /** @type {(told: unknown) => void} */
    const progress = (told) => {
      if (!signal.aborted && root.dataset.state === "waiting") find("waiting").textContent = String(told);
    };
    const answer = await answerTo(ask, { about: "round", ...question }, progress, { stopped: signal });
    if (answer.error) throw new Error(answer.error);
    if (answer.key) seen = [...seen, answer.key].slice(-100);
    return prepare(answer, load);
  }

  /** @param {Promise<Round>} coming */
  async function show(coming) {
    const mine = ++turn;
    isAnswered = false;
    enter("waiting");
    find("waiting").textContent = text("quiz.choosing");
    coming.catch(() => {});
    try {
      const here = await coming;
      if (mine !== turn || gone.signal.aborted) return;
      ahead = null;
      putUp(here);
    } catch (error) {
      if (mine !== turn || gone.signal.aborted) return;
      ahead = null;
      complain(error);
    }
  }

  /** @param {Round} here */
  function putUp(here) {
    round = new AbortController();
    const { signal } = round;
    /** @param {Told} told */
    const guessed = (told) => {
      if (!signal.aborted && !isAnswered) reveal(here.kind, told);
    };
    /** @param {string} words */
    const speak = (words) => (find("live").textContent = words);
    const views = {
      part: () => partView(here, guessed, speak, signal),
      pair: () => pairView(here, guessed),
      model: () => modelView(here, guessed),
    };
    const shown = views[here.kind]();
    view = shown;
    enter("asking");
    find("question").textContent = shown.heading;
    find("hint").textContent = shown.hint;
    find("board").replaceChildren(shown.node);
    find("result").replaceChildren();
    shown.paint();
    const resizes = new ResizeObserver(() => shown.paint());
    resizes.observe(shown.node);
    signal.addEventListener("abort", () => resizes.disconnect());
    // Whoever plays by the keyboard goes on where the question is; the first round takes the focus from nobody.
    const question = find("question");
    if (results.length || host.contains(document.activeElement)) question.focus({ preventScroll: true });
    if (question.getBoundingClientRect().top < 0) question.scrollIntoView();
    if (isGame && results.length + 1 < GAME.length) {
      ahead = fetchRound(results.length + 1);
      ahead.catch(() => {}); // said when it is wanted
    }
  }

  /**
   * @param {Kind} kind
   * @param {Told} told
   */
  function reveal(kind, told) {
    isAnswered = true;
    results = [...results, { kind, marks: told.marks }];
    enter("answered");
    const isLast = isGame && results.length === GAME.length;
    const onward = isGame
      ? button(text(isLast ? "quiz.finish" : "quiz.next"), next, { className: "quiz-next" })
      : button(text("quiz.play"), start, { className: "quiz-next" });
    const level = told.marks >= 0.9 * MOST_MARKS ? "right" : told.marks >= 0.4 * MOST_MARKS ? "near" : "wrong";
    const marks = make("b", {}, text("quiz.marks", { marks: told.marks, most: MOST_MARKS }));
    const verdict = make("p", { className: `quiz-verdict quiz-verdict-${level}` }, text(`quiz.verdict.${level}`), " ", marks);
    const words = make("div", { className: "quiz-words" }, verdict, ...told.sentences.map((sentence) => make("p", {}, sentence)));
    if (told.legend) words.append(told.legend);
    find("result").replaceChildren(words, onward);
    stopLooking = offerLooks(find("look"), told.looks);
    find("live").textContent = [verdict.textContent, ...told.sentences].join(" ");
    onward.focus({ preventScroll: true });
    find("result").scrollIntoView({ block: "nearest", behavior: "smooth" });
    if (!isGame) answered();
  }

  function end() {
    ++turn;
    isAnswered = true;
    enter("done");
    const { marks, most, kinds } = totals(results);
    const lines = kinds.map((each) => make("li", {}, text(`quiz.end.${each.kind}`, { marks: each.marks, most: each.most })));
    const title = make("h2", { tabIndex: -1 }, text("quiz.end", { marks, most }));
    find("end").replaceChildren(title, make("ul", {}, ...lines), button(text("quiz.again"), start, { className: "quiz-next" }));
    title.focus({ preventScroll: true });
  }

  /** @param {unknown} error */
  function complain(error) {
    enter("error");
    find("error-box").hidden = false;
    if (!(error instanceof Error && error.name === "Error")) console.error(error);
    const isSentence = error instanceof Error && error.name === "Error";
    find("error").textContent = isSentence ? error.message : text("quiz.broken");
    const again = button(isGame ? text("quiz.retry") : text("quiz.play"), isGame ? next : start);
    find("error-box").replaceChildren(find("error"), again);
  }

  document.addEventListener(
    "keydown",
    (event) => {
      const card = view?.cards?.[Number(event.key) - 1];
      const { target } = event;
      const isTyping = target instanceof HTMLElement && target.closest("input, select, textarea");
      if (!card || isAnswered || isTyping || event.ctrlKey || event.metaKey || event.altKey || !root.checkVisibility()) return;
      card.click();
    },
    { signal: gone.signal },
  );

  return {
    start,
    link,
    put,
    destroy: () => {
      ++turn;
      gone.abort();
      leave();
      host.replaceChildren();
    },
  };
}
