// Where will this part go? One click on the other photo.

import { hand, make, percent } from "../view/dom.js";
import { cellName } from "../view/pair.js";
import { listenToFrame } from "../view/pointing.js";
import { text } from "../view/texts.js";
import { legendOf, paintOver, pictureOf } from "./picture.js";
import { answerOf } from "./round.js";
import { judgePlace, placeAt } from "./scoring.js";

/** @import { Pair } from "../view/pair.js" */
/** @import { Told, View } from "./game.js" */
/** @import { Round } from "./round.js" */

export const CLEAR_SHARE = 0.6; // as in app/fairness.py: below, no place is clearly the best

/**
 * @param {Round} round of the kind "part"
 * @param {(told: Told) => void} guessed
 * @param {(words: string) => void} speak
 * @param {AbortSignal} signal ends the round
 * @returns {View}
 */
export function partView(round, guessed, speak, signal) {
  const [shown] = round.pairs;
  const { asked } = round;
  if (!asked) throw new Error("This question does not say which part it is about.");
  const { pair } = shown;
  const { side, mass } = answerOf(pair, asked);
  const named = { to: side.toUpperCase(), from: asked.side.toUpperCase(), name: asked.name ?? "" };
  const words = { ...named, what: text(asked.name ? "quiz.part.what.named" : "quiz.part.what.marked", named) };
  const pictures = { a: pictureOf(shown, "a"), b: pictureOf(shown, "b") };
  const target = pictures[side];
  pictures[asked.side].node.classList.add("quiz-from");
  /** @type {number | null} where the pointer or the keyboard is */
  let at = null;
  /** @type {ReturnType<typeof judgePlace> | null} */
  let judged = null;
  let guess = -1;

  const paint = () => {
    paintOver(pictures[asked.side].canvas, pair[asked.side], { parts: asked.parts, spotlit: true });
    const own = judged ? guess : at;
    paintOver(target.canvas, pair[side], {
      values: judged ? mass : undefined,
      parts: judged ? placeAt(pair[side], judged.best.part) : [],
      own: own === null ? [] : placeAt(pair[side], own),
      point: judged ? asked.marked : null,
    });
  };

  Object.assign(target.frame, { tabIndex: 0, role: "application", ariaLabel: text("quiz.part.target", words) });
  target.frame.classList.add("quiz-target");
  listenToFrame(
    target.frame,
    () => (judged ? null : pair[side]),
    {
      hover: (part, aloud) => {
        at = part;
        paint();
        if (aloud && part !== null) speak(cellName(pair[side], part));
      },
      select: ([part], cursor) => {
        if (judged) return;
        guess = cursor ?? part;
        judged = judgePlace(pair[side], mass, guess);
        target.frame.classList.remove("quiz-target");
        paint();
        guessed(told(judged));
      },
      isKept: () => false,
      letGo: () => {},
      keyboardCell: () => at,
    },
    signal,
  );

  /** @type {(judged: ReturnType<typeof judgePlace>) => Told} */
  const told = ({ share, best, marks }) => {
    const numbers = { ...words, share: percent(share), best: percent(best.share) };
    const sentences = [text(guess === best.part || share >= best.share - 1e-9 ? "quiz.part.best" : "quiz.part.numbers", numbers)];
    if (best.share < CLEAR_SHARE) sentences.push(text("quiz.part.spread", numbers));
    if (asked.marked) sentences.push(text(agrees(pair, best.part) ? "quiz.part.agrees" : "quiz.part.differs", words));
    return {
      marks,
      sentences,
      legend: legendOf(asked.marked ? ["best", "own", "marked"] : ["best", "own"]),
      looks: [{ label: text("quiz.look.part", words), payload: shown.payload, selected: asked }],
    };
  };

  /** @type {(pair: Pair, best: number) => boolean} whether the place that people marked is in the best one */
  const agrees = (pair, best) => {
    const [x, y] = asked.marked ?? [0, 0];
    const { rows, columns } = pair[side];
    const row = Math.min(rows - 1, Math.floor(y * rows));
    const column = Math.min(columns - 1, Math.floor(x * columns));
    return placeAt(pair[side], best).includes(row * columns + column);
  };

  return {
    heading: text("quiz.part.question", words),
    hint: text(`quiz.part.hint.${hand()}`, words),
    node: make("div", { className: "quiz-pair" }, pictures.a.node, pictures.b.node),
    paint,
    focus: target.frame,
  };
}
