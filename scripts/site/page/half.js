// Numbers to half precision, the other way round of fromHalf of the engine.

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/**
 * The nearest IEEE 754 half-precision number, an even one where two are as near; what is too large is infinite.
 *
 * @param {number} value
 * @returns {number} its bits, 0 to 0xffff
 */
export function toHalf(value) {
  float[0] = value;
  const sign = (bits[0] >>> 16) & 0x8000;
  const size = Math.abs(float[0]);
  if (Number.isNaN(size)) return sign | 0x7e00;
  if (size >= 65520) return sign | 0x7c00;
  // In units of the last place, of which those below 2^-14 share one.
  const exponent = Math.max((bits[0] >>> 23) & 0xff, 113) - 127;
  const units = roundEven(size / 2 ** (exponent - 10));
  return sign | (units < 0x400 ? units : (exponent + 14) * 0x400 + units);
}

/** @param {number} value not negative */
export function roundEven(value) {
  const down = Math.floor(value);
  const rest = value - down;
  if (rest !== 0.5) return rest < 0.5 ? down : down + 1;
  return down % 2 ? down + 1 : down;
}
