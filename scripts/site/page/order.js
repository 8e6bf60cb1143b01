// Parts by what they count, heaviest first: `order_of` of diml_core/evaluation/faithfulness/ranking.py. Parts of one
// weight come in a random, fixed order, which is NumPy's, so that the library covers the same parts.

/**
 * @param {ArrayLike<number>} weights of the parts
 * @returns {number[]} parts
 */
export function orderOf(weights) {
  return permutation(weights.length).sort((one, other) => weights[other] - weights[one]);
}

/**
 * `np.random.default_rng(0).permutation(count)`.
 *
 * @param {number} count
 */
function permutation(count) {
  const draw = generator();
  const shuffled = Array.from({ length: count }, (_, k) => k);
  for (let k = count - 1; k > 0; k--) {
    const other = upTo(k, draw);
    [shuffled[k], shuffled[other]] = [shuffled[other], shuffled[k]];
  }
  return shuffled;
}

/**
 * As few bits as can tell, drawn again until they do.
 *
 * @param {number} most
 * @param {() => number} draw 32 random bits
 * @returns {number} 0 to most, each as likely
 */
function upTo(most, draw) {
  const mask = 2 ** (32 - Math.clz32(most)) - 1;
  for (;;) {
    const value = (draw() & mask) >>> 0;
    if (value <= most) return value;
  }
}

const MULTIPLIER = 47026247687942121848144207491837523525n;
// What NumPy makes of the seed 0.
const STATE = 35399562948360463058890781895381311971n;
const INCREMENT = 87136372517582989555478159403783844777n;

/** O'Neill 2014, "PCG": PCG64 (XSL RR 128/64), the lower half of each number first. */
function generator() {
  let state = STATE;
  /** @type {number | null} */
  let kept = null;
  return () => {
    if (kept !== null) {
      const half = kept;
      kept = null;
      return half;
    }
    state = BigInt.asUintN(128, state * MULTIPLIER + INCREMENT);
    const mixed = (state >> 64n) ^ BigInt.asUintN(64, state);
    const turn = state >> 122n;
    const bits = BigInt.asUintN(64, (mixed >> turn) | (mixed << (64n - turn)));
    kept = Number(bits >> 32n);
    return Number(BigInt.asUintN(32, bits));
  };
}
