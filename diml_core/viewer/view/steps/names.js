// The steps of "How it works", in their order: what a link may name.

/** @type {readonly string[]} */
export const STEP_IDS = ["photos", "parts", "attention", "similarity", "importance", "transport", "contribution", "score"];
