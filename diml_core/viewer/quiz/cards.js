// Which of two? Two pairs, or two drawings of one: one click on a card.

import { hand, make, percent } from "../view/dom.js";
import { named } from "../view/marginals.js";
import { text } from "../view/texts.js";
import { drawingOf, pictureOf } from "./picture.js";
import { concentration, marksFor } from "./scoring.js";

/** @import { Told, View } from "./game.js" */
/** @import { Round, RoundPair } from "./round.js" */

const points = (/** @type {number} */ similarity) => (100 * similarity).toFixed(1);

/**
 * @param {Round} round of the kind "pair"
 * @param {(told: Told) => void} guessed
 * @returns {View}
 */
export function pairView(round, guessed) {
  const [first, second] = round.pairs.map(({ pair }) => pair.similarity);
  const right = first > second ? 0 : 1;
  const bodies = round.pairs.map((each) =>
    make("div", { className: "quiz-pair" }, pictureOf(each, "a").node, pictureOf(each, "b").node),
  );
  const gap = points(Math.abs(first - second));
  const words = { model: titleOf(round.pairs[0]), first: points(first), second: points(second), gap };
  const { node, cards } = twoCards((number) => text("quiz.pair.card", { number }), bodies, right, (guess) => {
    const said = round.pairs.map(({ pair }) =>
      text("quiz.pair.score", { points: points(pair.similarity), whole: points(pair.global / 2), parts: points(pair.structural / 2) }),
    );
    said.forEach((sentence, index) => cards[index].append(make("span", { className: "quiz-said" }, sentence)));
    guessed({
      marks: marksFor(guess === right),
      sentences: [text("quiz.pair.numbers", words)],
      looks: looksAt(round.pairs, (index) => text("quiz.look.pair", { number: index + 1 })),
    });
  });
  return { heading: text("quiz.pair.question", words), hint: text(`quiz.pair.hint.${hand()}`), node, paint: () => {}, focus: cards[0], cards };
}

/**
 * @param {Round} round of the kind "model"
 * @param {(told: Told) => void} guessed
 * @returns {View}
 */
export function modelView(round, guessed) {
  const wanted = round.wanted ?? 0;
  const drawings = round.pairs.map(drawingOf);
  const bodies = drawings.map(({ node }) => node);
  // In the order of their names: that of the drawings would tell.
  const habits = round.pairs.map(habitOf).sort();
  const { node, cards } = twoCards((number) => text("quiz.model.card", { number }), bodies, wanted, (guess) => {
    round.pairs.forEach((each, index) => cards[index].append(make("span", { className: "quiz-said" }, titleOf(each))));
    guessed({
      marks: marksFor(guess === wanted),
      sentences: [
        ...round.pairs.map((each, index) => {
          const share = percent(importanceOfTenth(each));
          return text("quiz.model.numbers", { number: index + 1, habit: habitOf(each), share });
        }),
        text("quiz.model.apart", { share: percent(round.apart ?? 0) }),
      ],
      looks: looksAt(round.pairs, (index) => text("quiz.look.model", { model: titleOf(round.pairs[index]) })),
    });
  });
  return {
    heading: text("quiz.model.question", { model: titleOf(round.pairs[wanted]) }),
    hint: [text(`quiz.model.hint.${hand()}`), ...habits].join(" "),
    node,
    paint: () => drawings.forEach(({ paint }) => paint()),
    focus: cards[0],
    cards,
  };
}

/** @param {RoundPair} round */
const titleOf = ({ payload: { model } }) => model.title || model.name;

/** @type {(round: RoundPair) => string} how a model weighs parts, in a sentence; true whatever the photos */
function habitOf(round) {
  const { marginals, mass } = round.pair.options;
  const own = named(marginals);
  const counts = own ? text(`quiz.model.habit.${own}`, { model: titleOf(round) }) : "";
  return mass < 1 ? `${counts} ${text("quiz.model.leaves", { share: percent(1 - mass) })}` : counts;
}

/** @param {RoundPair} round */
const importanceOfTenth = ({ pair }) => (concentration(pair.a.marginals) + concentration(pair.b.marginals)) / 2;

/** @type {(pairs: RoundPair[], label: (index: number) => string) => Told["looks"]} */
const looksAt = (pairs, label) => pairs.map(({ payload }, index) => ({ label: label(index), payload }));

/**
 * @param {(number: number) => string} titled from 1
 * @param {HTMLElement[]} bodies
 * @param {number} right
 * @param {(guess: number) => void} chosen once
 */
function twoCards(titled, bodies, right, chosen) {
  const cards = bodies.map((body, index) => {
    const title = make("b", { className: "quiz-card-title" }, titled(index + 1));
    return /** @type {HTMLButtonElement} */ (make("button", { type: "button", className: "quiz-card" }, title, body));
  });
  cards.forEach((card, guess) =>
    card.addEventListener("click", () => {
      if (card.ariaDisabled) return;
      cards.forEach((each, index) => {
        each.ariaDisabled = "true"; // not disabled: the focus would be lost
        each.classList.add(index === right ? "quiz-right" : "quiz-wrong");
        each.classList.toggle("quiz-chosen", index === guess);
        if (index !== guess) return;
        each.append(make("span", { className: "quiz-yours" }, text(guess === right ? "quiz.yours.right" : "quiz.yours.wrong")));
      });
      chosen(guess);
    }),
  );
  return { node: make("div", { className: "quiz-cards" }, ...cards), cards };
}
