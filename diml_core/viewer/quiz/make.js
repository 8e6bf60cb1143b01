// From a pair that is open to a question for others: a link, or a question in this browser.

import { button, make, percent } from "../view/dom.js";
import { pairLoader } from "../view/loading.js";
import { copyText } from "../view/share.js";
import { text } from "../view/texts.js";
import { canBeAsked, questionLink } from "./link.js";
import { CLEAR_SHARE } from "./parts.js";
import { answerOf, prepare } from "./round.js";
import { bestPlace } from "./scoring.js";

/** @import { Options, Payload } from "../engine/types.js" */
/** @import { Selection } from "../view/pair.js" */
/** @import { Question } from "./round.js" */

/**
 * Says in a place what can be asked of the pair, and offers it.
 *
 * @param {HTMLElement} place
 * @param {object} shown
 * @param {Payload} shown.payload
 * @param {Options | null} shown.options that it stands at
 * @param {Selection | null} shown.selected what is kept: the question is where it goes
 * @param {(question: Question) => void} open asks it on this page
 */
export async function offerQuestion(place, { payload, options, selected }, open) {
  const say = (/** @type {(Node | string)[]} */ ...content) => place.replaceChildren(...content);
  if (!selected) return say(text("quiz.make.pin"));
  const at = { ...payload, options: { ...payload.options, ...options } };
  const question = /** @type {Question} */ ({ kind: "part", pairs: [at], asked: { ...selected, name: null, marked: null } });
  const round = await prepare(question, pairLoader());
  const { pair } = round.pairs[0];
  const { side, mass } = answerOf(pair, selected);
  if (!mass.some((each) => each > 0)) return say(text("quiz.make.nothing"));
  const { share } = bestPlace(pair[side], mass);
  const clear = text(share < CLEAR_SHARE ? "quiz.make.spread" : "quiz.make.clear", { share: percent(share) });
  const here = button(text("quiz.make.here"), () => open(question));
  if (!canBeAsked(payload)) return say(text("quiz.make.upload"), " ", clear, " ", here);
  const link = questionLink(location, payload, at.options, selected);
  const copy = button(text("quiz.make.copy"), (event) => copyText(link, event));
  copy.dataset.link = link;
  say(make("span", {}, text("quiz.make.link"), " ", clear), " ", copy, " ", here);
}
