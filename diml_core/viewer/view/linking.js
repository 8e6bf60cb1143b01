// Several viewers on one page: pointing in one shows the same place of the same photo in the others.

import { boxOf } from "./pair.js";

/** @import { Pair, Selection } from "./pair.js" */
/** @typedef {"hover" | "pinned"} Kind */

/**
 * @typedef {object} Word from another viewer
 * @property {Kind} kind
 * @property {import("./pair.js").Side} [side] none where nothing is pointed at any more
 * @property {string} [digest] of the photo
 * @property {import("./pair.js").Box} [box]
 */

export const POINT_EVENT = "diml-point";
export const BESIDE_EVENT = "diml-beside"; // on a viewer's root: other options or another layer, or only to look anew
export const PAIR_EVENT = "diml-pair"; // what a viewer shows now: its detail has the viewer and the pair, or null for none
export const ASK_EVENT = "diml-ask"; // who comes, or a viewer that has just got a pair, asks what the others show and have pinned

/**
 * @param {HTMLElement} self
 * @param {(word: Word) => void} receive is told of the others
 * @param {() => void} repeat tells what is shown and pinned here
 * @param {AbortSignal} signal ends the listening
 * @returns {{
 *   announce: (pair: Pair, kind: Kind, pointed: Selection | null) => void,
 *   tell: (pair: Pair | null) => void,
 *   ask: () => void,
 * }}
 */
export function linkViewers(self, receive, repeat, signal) {
  /** @type {(name: string, detail?: object) => void} */
  const send = (name, detail) => window.dispatchEvent(new CustomEvent(name, { detail: { from: self, ...detail } }));
  /** @type {(name: string, hear: (detail: Word) => void) => void} */
  const listen = (name, hear) =>
    window.addEventListener(
      name,
      (event) => {
        const { detail } = /** @type {CustomEvent} */ (event);
        if (detail.from !== self) hear(detail);
      },
      { signal },
    );
  listen(POINT_EVENT, receive);
  listen(ASK_EVENT, repeat);
  return {
    announce: (pair, kind, pointed) =>
      send(POINT_EVENT, {
        kind,
        side: pointed?.side,
        digest: pointed && pair[pointed.side].digest,
        box: pointed && boxOf(pair[pointed.side], pointed.parts),
      }),
    tell: (pair) => send(PAIR_EVENT, { pair }),
    ask: () => send(ASK_EVENT),
  };
}
