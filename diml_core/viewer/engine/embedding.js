// From features to an embedding, everything decided about one photo before it meets another:
// diml_core/embedding/embedder.py.

import { gridOnMap } from "./grids.js";
import { poolingOf, poolParts, sumParts } from "./pooling.js";

/** @import { Embedding, Features, Grid, Model, Options, Side } from "./types.js" */

// The last embedding of each photo: most moves change what comes after it.
/** @type {WeakMap<Features, { key: string, embedding: Embedding }>} */
const latest = new WeakMap();

/**
 * The embedding of one photo: the same object again while only options of the pair change.
 *
 * @param {Side} side
 * @param {Features} features
 * @param {Model} model that the features came from
 * @param {Options} options
 * @returns {Embedding}
 * @throws {Error} a start block that was not sent, or from which no attention reaches any part
 */
export function embed(side, features, model, options) {
  const key = `${options.grid} ${options.start_block}`;
  const known = latest.get(features);
  if (known?.key === key) return known.embedding;
  const embedding = pool(side, features.map, rolloutWeights(features, model, options.start_block), model, options.grid);
  latest.set(features, { key, embedding });
  return embedding;
}

/**
 * @param {Features} features
 * @param {Model} model
 * @param {number | null} startBlock
 */
function rolloutWeights({ rollouts }, { blocks, firstBlock }, startBlock) {
  if (!blocks) return null;
  const weights = rollouts[(startBlock ?? 0) - firstBlock];
  if (!weights) {
    throw new Error(`The rollout can start at block ${firstBlock} to ${blocks - 1} here, not at ${startBlock}.`);
  }
  // So Python marks the start blocks that it refuses.
  if (Number.isNaN(weights[0])) {
    throw new Error(
      "No attention reaches any part of the photo: choose another head fusion than 'min', or an earlier start block.",
    );
  }
  return weights;
}

/**
 * @param {Side} side
 * @param {Float64Array} map
 * @param {Float32Array | null} rolloutMap
 * @param {Model} model
 * @param {number} partsPerSide
 * @returns {Embedding}
 */
function pool(side, map, rolloutMap, model, partsPerSide) {
  const dimension = side.map[2];
  /** @type {Grid} */
  const mapShape = [side.map[0], side.map[1]];
  const grid = gridOnMap(mapShape, partsPerSide);
  const pooling = poolingOf(mapShape, grid, model.gridPooling);
  const counted = model.pooling === "rollout" ? rolloutMap : null;
  const parts = poolParts(pooling, map, dimension, counted);
  const pooled = counted ? weightedSum(map, counted) : mean(model.pooling === "grid" ? parts : map, dimension);
  // By area, whatever pools the cells: mass is shared out, not resampled, and still sums to 1.
  const areas = model.gridPooling === "area" ? pooling : poolingOf(mapShape, grid, "area");
  return {
    grid,
    parts: normalised(parts, dimension),
    pooled: normalised(pooled, dimension),
    rollout: rolloutMap && sumParts(areas, rolloutMap),
    rolloutMap,
    mapShape,
  };
}

/**
 * @param {Float64Array} vectors [n * D]
 * @param {Float32Array} weights [n]
 */
function weightedSum(vectors, weights) {
  const dimension = vectors.length / weights.length;
  const sum = new Float64Array(dimension);
  for (let n = 0; n < weights.length; n++) {
    for (let d = 0; d < dimension; d++) sum[d] += weights[n] * vectors[n * dimension + d];
  }
  return sum;
}

/**
 * @param {Float64Array} vectors [n * D]
 * @param {number} dimension D
 */
function mean(vectors, dimension) {
  const count = vectors.length / dimension;
  return weightedSum(vectors, new Float32Array(count).fill(1)).map((sum) => sum / count);
}

/**
 * @param {Float64Array} vectors [n * D], scaled in place to length 1
 * @param {number} dimension D
 */
function normalised(vectors, dimension) {
  for (let start = 0; start < vectors.length; start += dimension) {
    const vector = vectors.subarray(start, start + dimension);
    let squares = 0;
    for (let d = 0; d < dimension; d++) squares += vector[d] * vector[d];
    const length = Math.max(Math.sqrt(squares), 1e-12); // as torch's normalize: nothing stays nothing
    for (let d = 0; d < dimension; d++) vector[d] /= length;
  }
  return vectors;
}
