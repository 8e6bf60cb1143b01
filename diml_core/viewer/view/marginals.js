// The marginals that the page has words for, and what they are called where a visitor chooses one, or reads which was chosen.

import { text } from "./texts.js";

const NAMED = /** @type {const} */ (["cross-correlation", "rollout", "product", "uniform"]);

/**
 * Those marginals, if there are words for them; nothing for what somebody has added.
 *
 * @param {string} marginals
 */
export const named = (marginals) => NAMED.find((each) => each === marginals);

/**
 * @param {string} marginals
 * @returns {string} of one that somebody has added, its own name
 */
export function marginalsInWords(marginals) {
  const known = named(marginals);
  return known ? text(`options.marginals.${known}`) : marginals;
}
