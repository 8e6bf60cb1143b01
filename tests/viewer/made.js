// A small pair of made-up photos, with the rollout of two blocks.

const SHAPE = [4, 3, 5];
export const payload = {
  a: { map: SHAPE },
  b: { map: SHAPE },
  model: { pooling: "mean", gridPooling: "area", blocks: 4, firstBlock: 2 },
};
export const OPTIONS = { grid: 3, marginals: "product", mass: 1, start_block: 3, epsilon: 0.1, tolerance: 1e-12 };

export function photo(phase) {
  const map = Float64Array.from({ length: 60 }, (_, k) => Math.cos(k * k + phase) + 0.5);
  const first = new Float32Array(12).fill(1 / 12);
  const second = Float32Array.from({ length: 12 }, (_, k) => (k + phase) / (66 + 12 * phase));
  return { map, rollouts: [first, second] };
}
export const features = { a: photo(0), b: photo(1) };
