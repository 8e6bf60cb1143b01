// Step: two photos go in, one number comes out.

import { make } from "../../dom.js";
import { shownSum } from "../../points.js";
import { text } from "../../texts.js";

/** @import { Step } from "../types.js" */

/** @type {Step} */
export const photos = {
  id: "photos",
  kind: "large",
  by: "plan",
  build({ photos: { a, b }, sizes }) {
    const score = make("p", { className: "diml-how-score diml-how-wide" });
    return {
      show: [a.node, b.node, score],
      say: ({ pair }) => [["steps.photos.text", { model: pair.model.title }]],
      paint(view) {
        for (const photo of [a, b]) photo.paint(view, sizes.of(photo.frame), { plain: true });
        score.replaceChildren(make("b", {}, shownSum(view.pair).words.total), ` ${text("steps.photos.score")}`);
      },
    };
  },
};
