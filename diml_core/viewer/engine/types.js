// The shapes that the engine takes and gives. Arrays are row-major; a part of an R-part grid and a cell of an
// h x w map are counted row by row.

/**
 * @typedef {[number, number]} Grid rows, columns
 */

/**
 * One photo of a pair, as Python sends it.
 * @typedef {object} Side
 * @property {string} name
 * @property {[number, number]} size width, height in pixels
 * @property {string} digest
 * @property {boolean} example
 * @property {string} [letter] what it is called, if not by its side
 * @property {boolean} [shared] whether everybody's page has a photo of this name, and it is this one
 * @property {string} photo address
 * @property {[number, number, number]} map rows, columns and dimension of the feature map
 * @property {string} features address
 * @property {string | null} attention address
 * @property {number} tokens of the transformer, prefix included; 0 without attention
 */

/**
 * @typedef {object} Model
 * @property {string} name
 * @property {string} title
 * @property {"mean" | "grid" | "rollout"} pooling where the global embedding comes from
 * @property {"area" | "resampled"} gridPooling how cells become parts
 * @property {number} maxGrid
 * @property {number} blocks with attention; 0 for none
 * @property {number} firstBlock whose rollout is there
 * @property {number} prefix leading tokens that are no patch
 * @property {boolean} classToken whether the first of them stands for the whole photo
 * @property {string[]} marginals
 * @property {Partial<Options>} defaults
 * @property {Scale | null} [scale] where its scores lie on photographs, if somebody has measured it
 * @property {Rival[]} [rivals] other methods that the host can ask what they say of a pair
 */

/**
 * @typedef {object} Rival another method that says how much the parts of a pair count
 * @property {string} key
 * @property {string} name
 * @property {string} title what it does, in a sentence
 */

/**
 * @typedef {object} Scale
 * @property {number} photographs that were compared, each with all others
 * @property {number} kinds of things on them
 * @property {number[]} same pairs of one kind, per bin of the score from -1 to 1
 * @property {number[]} different pairs of two kinds, likewise
 * @property {Record<string, unknown>} options how pairs were compared
 */

/**
 * @typedef {object} Options
 * @property {number} grid parts per side of a square picture
 * @property {string} marginals
 * @property {number} mass transported, in (0, 1]
 * @property {number | null} start_block first block of the rollout; null without attention
 * @property {string} head_fusion
 * @property {number} kept_mass
 * @property {number} epsilon
 * @property {number} tolerance L1 marginal error at which the transport stops
 */

/**
 * An explanation without features, as it was loaded from a file. Strings are base64 of little-endian float64.
 * @typedef {object} Fixed
 * @property {Grid} gridA
 * @property {Grid} gridB
 * @property {string} cosine
 * @property {string} plan
 * @property {string} marginalsA
 * @property {string} marginalsB
 * @property {string | null} rolloutA
 * @property {string | null} rolloutB
 * @property {string | null} rolloutMapA
 * @property {string | null} rolloutMapB
 * @property {Grid | null} mapA
 * @property {Grid | null} mapB
 * @property {number} global
 * @property {number} iterations
 * @property {number} marginalError
 * @property {boolean} converged
 * @property {boolean} haveRollout whether the marginals count attention
 */

/**
 * @typedef {object} Payload
 * @property {Side} a
 * @property {Side} b
 * @property {Model} model
 * @property {Options} options
 * @property {Fixed | null} fixed
 * @property {{ title: string, text: string }} [caption] what a host says about the pair
 */

/**
 * What the network saw in one photo.
 * @typedef {object} Features
 * @property {Float64Array} map [h * w * D], not normalised
 * @property {Float32Array[]} rollouts per start block, from the model's first: [h * w], summing to 1
 */

/**
 * @typedef {object} Attention
 * @property {number} tokens T
 * @property {Uint8Array[]} blocks from the model's first: [T * T], every row in units of its largest entry / 255
 */

/**
 * @typedef {object} Embedding
 * @property {Grid} grid
 * @property {Float64Array} parts [R * D] unit vectors
 * @property {Float64Array} pooled [D] unit vector
 * @property {Float64Array | null} rollout [R] mass per part, summing to 1
 * @property {Float32Array | null} rolloutMap [h * w] the same per cell of the map
 * @property {Grid} mapShape
 */

/**
 * @typedef {object} Explanation
 * @property {Options} options
 * @property {Grid} gridA
 * @property {Grid} gridB
 * @property {Float64Array} cosine [Ra * Rb] in -1..1
 * @property {Float64Array} plan [Ra * Rb] non-negative, summing to mass
 * @property {Float64Array} marginalsA [Ra] summing to 1
 * @property {Float64Array} marginalsB [Rb] summing to 1
 * @property {Float64Array} countedA [Ra] what parts count for before the other photo is looked at, summing to 1
 * @property {Float64Array} countedB [Rb]
 * @property {Float64Array | null} rolloutA [Ra]
 * @property {Float64Array | null} rolloutB [Rb]
 * @property {Float32Array | null} rolloutMapA [h * w]
 * @property {Float32Array | null} rolloutMapB [h * w]
 * @property {Grid | null} mapA
 * @property {Grid | null} mapB
 * @property {number} global
 * @property {number} structural
 * @property {number} similarity
 * @property {number} mass that the plan moves
 * @property {Float64Array} contribution [Ra * Rb], summing to structural
 * @property {number} iterations of the transport
 * @property {number} marginalError
 * @property {boolean} converged
 */

export {};
