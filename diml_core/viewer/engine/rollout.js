// Where parts looked: the truncated attention rollout of their tokens (diml_core/embedding/rollout.py).

/** @import { Attention, Model } from "./types.js" */

/**
 * The rollout rows of the tokens of some parts, averaged.
 *
 * @param {Attention} attention
 * @param {Float64Array} cells [h * w] how much each cell's token counts, summing to 1 (see `cellsOf`)
 * @param {Model} model
 * @param {number} startBlock first block of the rollout
 * @param {number} keptMass share of its mass that each row keeps, in (0, 1]
 * @returns {Float64Array} [h * w], summing to 1
 */
export function partRollout(attention, cells, model, startBlock, keptMass) {
  const { tokens } = attention;
  // From the last block down, so that a few rows stay a few rows.
  const blocks = attention.blocks.slice(startBlock - model.firstBlock).reverse();
  const scales = blocks.map((block) => residualScales(block, tokens));
  const average = new Float64Array(cells.length);
  let row = new Float64Array(tokens);
  let next = new Float64Array(tokens);
  cells.forEach((share, cell) => {
    if (share === 0) return;
    row.fill(0);
    row[model.prefix + cell] = 1;
    blocks.forEach((block, index) => {
      timesResidual(row, block, scales[index], next);
      [row, next] = [next, row];
    });
    const patches = row.slice(model.prefix);
    keepMass(patches, keptMass);
    for (let patch = 0; patch < average.length; patch++) average[patch] += share * patches[patch];
  });
  return average;
}

/**
 * The tokens that a look starts from: those of some parts, or of the photo as a whole.
 *
 * @param {Attention} attention
 * @param {Float64Array | null} cells [h * w] summing to 1 (see `cellsOf`); null for the whole photo: its class token, or
 *   all tokens alike in a model without one
 * @param {Model} model
 * @returns {Float64Array} [T] summing to 1
 */
export function startingTokens({ tokens }, cells, model) {
  const row = new Float64Array(tokens);
  if (cells) row.set(cells, model.prefix);
  else if (model.classToken) row[0] = 1;
  else row.fill(1 / tokens);
  return row;
}

/**
 * Where some tokens look in one block: its attention as it is.
 *
 * @param {Attention} attention
 * @param {Float64Array} start [T] see `startingTokens`
 * @param {Model} model
 * @param {number} block
 * @returns {{shares: Float64Array, step: number}} [h * w] of their attention, the rest of which goes to prefix tokens;
 *   and what the smallest step of one token's attention is worth, below which nothing can be told
 */
export function blockAttention({ tokens, blocks }, start, model, block) {
  const rows = blocks[block - model.firstBlock];
  const scales = residualScales(rows, tokens);
  const seen = new Float64Array(tokens);
  let step = 0;
  for (let token = 0; token < tokens; token++) {
    const weight = 2 * start[token] * scales[token];
    step += weight;
    for (let k = 0; weight > 0 && k < tokens; k++) seen[k] += weight * rows[token * tokens + k];
  }
  return { shares: seen.slice(model.prefix), step };
}

/**
 * Where some tokens got what they are from, through several blocks: the rollout before it is truncated.
 *
 * @param {Attention} attention
 * @param {Float64Array} start [T] see `startingTokens`
 * @param {Model} model
 * @param {number} startBlock first block of the product
 * @returns {Float64Array} [h * w] summing to 1, or all 0 where nothing comes from a patch
 */
export function rolloutThrough({ tokens, blocks }, start, model, startBlock) {
  let row = start.slice();
  let next = new Float64Array(tokens);
  for (const block of blocks.slice(startBlock - model.firstBlock).reverse()) {
    timesResidual(row, block, residualScales(block, tokens), next);
    [row, next] = [next, row];
  }
  const patches = row.slice(model.prefix);
  if (patches.some((share) => share > 0)) scaleTo1(patches);
  return patches;
}

/**
 * Half of one over each row's sum; 0 for a row of zeros (heads that never agree), which leaves the identity alone.
 *
 * @param {Uint8Array} block [T * T]
 * @param {number} tokens T
 */
function residualScales(block, tokens) {
  return Float64Array.from({ length: tokens }, (_, token) => {
    let sum = 0;
    for (let k = token * tokens; k < (token + 1) * tokens; k++) sum += block[k];
    return sum ? 0.5 / sum : 0;
  });
}

/**
 * `row @ A'` with A' the mean of the block's attention and the identity, both with rows that sum to 1.
 *
 * @param {Float64Array} row [T]
 * @param {Uint8Array} block [T * T]
 * @param {Float64Array} scales [T]
 * @param {Float64Array} out [T]
 */
function timesResidual(row, block, scales, out) {
  const tokens = row.length;
  for (let token = 0; token < tokens; token++) out[token] = scales[token] ? 0.5 * row[token] : row[token];
  for (let token = 0; token < tokens; token++) {
    const weight = row[token] * scales[token];
    if (weight === 0) continue;
    const from = token * tokens;
    for (let k = 0; k < tokens; k++) out[k] += weight * block[from + k];
  }
}

/**
 * Keep the smallest set of entries that holds a share of the sum, and scale them to sum to 1.
 *
 * @param {Float64Array} weights non-negative with a positive sum; changed in place
 * @param {number} keptMass
 */
function keepMass(weights, keptMass) {
  scaleTo1(weights);
  if (keptMass >= 1) return;
  const order = Array.from(weights.keys()).sort((i, j) => weights[j] - weights[i]);
  let before = 0; // mass of everything larger
  for (const entry of order) {
    const weight = weights[entry];
    if (before >= keptMass) weights[entry] = 0;
    before += weight;
  }
  scaleTo1(weights);
}

/** @param {Float64Array} weights */
function scaleTo1(weights) {
  const sum = weights.reduce((total, weight) => total + weight, 0);
  for (let k = 0; k < weights.length; k++) weights[k] /= sum;
}
