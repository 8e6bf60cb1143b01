// What the marginals are called where a visitor chooses one, or reads which was chosen.

import { text } from "./texts.js";

const NAMED = /** @type {const} */ (["cross-correlation", "rollout", "product", "uniform"]);

/**
 * @param {string} marginals
 * @returns {string} of one that somebody has added, its own name
 */
export function marginalsInWords(marginals) {
  const known = NAMED.find((each) => each === marginals);
  return known ? text(`options.marginals.${known}`) : marginals;
}
