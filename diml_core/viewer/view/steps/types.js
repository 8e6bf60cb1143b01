// The shapes that the steps share. They name others by import(), for those name these.

/** @typedef {import("../pair.js").Pair} Pair */
/** @typedef {import("../pair.js").Pointed} Pointed */
/** @typedef {import("../pair.js").Selection} Selection */
/** @typedef {import("../pair.js").Side} Side */
/** @typedef {import("../loading.js").Loaded} Loaded */
/** @typedef {import("../../engine/types.js").Attention} Attention */

/**
 * @typedef {object} Shown what the viewer shows
 * @property {Pair} pair as shown: with the plan of the chosen number of iterations
 * @property {Loaded} loaded
 * @property {Pointed | null} pointed
 * @property {number} stop of the iterations, as an index
 */

/**
 * @typedef {object} View what a step shows
 * @property {Pair} pair
 * @property {Loaded} loaded
 * @property {Pointed | null} pointed
 * @property {number} stop
 * @property {import("./numbers.js").Cell} cell the pair of parts that the step speaks of
 * @property {Record<Side, number[]>} parts that are marked
 * @property {Side} side from which the marked parts are looked at
 * @property {import("../pair.js").Flow} flow from there
 * @property {Term | null} term of the formula that is pointed at
 * @property {Record<"ink" | "mark" | "structural" | "warn", string>} inks of the page
 * @property {() => ReturnType<typeof import("./numbers.js").fillings>} fillings computed once a plan
 */

/**
 * @typedef {object} StepEvents the viewer's side
 * @property {(selection: Selection | null, speak?: boolean) => void} hover
 * @property {(selection: Selection) => void} select
 * @property {() => Selection | null} kept
 * @property {() => void} letGo
 * @property {(side: Side) => Attention | string} attention of a photo, or why it is not here
 * @property {(stop: number) => void} settle
 * @property {() => void} repaint
 * @property {(words: string) => void} speak
 */

/**
 * @typedef {object} Tools what a step is built with
 * @property {StepEvents} on
 * @property {ReturnType<typeof import("./sizes.js").sizesOf>} sizes
 * @property {AbortSignal} signal ends with the step
 * @property {Record<Side, ReturnType<typeof import("./photo.js").photoPicture>>} photos of the pair
 * @property {Record<Side, string>} letters what the photos are called in this viewer
 * @property {(pair: Pair, k: number) => string} speakOf a pair of parts, for those who listen
 */

/** @typedef {[key: import("../texts.js").Key, values?: Record<string, string | number>]} Phrase a text, and what fills it */

/**
 * @typedef {object} Built
 * @property {Node[]} show its pictures; the photos stand beside those of a few
 * @property {(view: View) => Phrase[]} say what it tells
 * @property {Term[]} [terms]
 * @property {(view: View) => Node[]} [lines] of its formula
 * @property {(view: View) => void} paint
 */

/**
 * @typedef {object} Step
 * @property {string} id
 * @property {"few" | "large" | "maps"} kind how its pictures are laid out
 * @property {(pair: Pair) => boolean} [available] always, without
 * @property {"cosine" | "plan"} by what a part's partner is found
 * @property {(tools: Tools) => Built} build
 */

/**
 * @typedef {"part" | "all" | "cell" | "row" | "column"} Light what of a picture a term stands for
 */

/**
 * @typedef {object} Term
 * @property {string} id
 * @property {() => Node} symbol
 * @property {string} words what it is
 * @property {(view: View) => string} value its number for what is marked
 * @property {Partial<Record<string, Light>>} lights by picture: `a` and `b` the photos, a letter a matrix or bars
 * @property {(view: View) => boolean} [when] whether the formula has it: always, without
 * @property {string} [of] sides whose part it belongs to: pointing at such a part lights the term
 */

export {};
