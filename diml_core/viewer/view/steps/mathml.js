// Formulas: MathML, which browsers set and screen readers read.

const MATHML = "http://www.w3.org/1998/Math/MathML";

/**
 * @param {string} tag
 * @param {...(Node | string)} children
 * @returns {MathMLElement}
 */
export function math(tag, ...children) {
  const node = document.createElementNS(MATHML, tag);
  node.append(...children);
  return /** @type {MathMLElement} */ (node);
}

/** @param {string} name a variable: one letter, or a word, which is set upright */
export const id = (name) => math("mi", name);

/** @param {string} sign */
export const op = (sign) => math("mo", sign);

/** @param {string} value */
export const num = (value) => math("mn", value);

/** @param {string} words in the middle of a formula */
export const words = (words) => math("mtext", words);

/**
 * @param {Node} base
 * @param {string} index
 */
export const sub = (base, index) => math("msub", base, math("mi", index));

/**
 * @param {Node} base
 * @param {Node} power
 */
export const sup = (base, power) => math("msup", base, power);

/**
 * @param {Node} above
 * @param {Node} below
 */
export const frac = (above, below) => math("mfrac", above, below);

/** @param {string} indices of the sum */
export const sum = (indices) => math("munder", op("∑"), math("mi", indices));

/** @param {string} letter a vector: with a bar where it stands for a whole photo */
export const whole = (letter) => math("mover", id(letter), op("¯"));

/** @param {...(Node | string)} children */
export const row = (...children) => math("mrow", ...children);

/**
 * A part of a formula that stands for something on the pictures.
 *
 * @param {string} name of the term
 * @param {...(Node | string)} children
 */
export function term(name, ...children) {
  const node = math("mrow", ...children);
  node.setAttribute("data-term", name);
  return node;
}

/**
 * A line of a formula.
 *
 * @param {...(Node | string)} children
 */
export function line(...children) {
  const node = math("math", ...children);
  node.setAttribute("display", "block");
  return node;
}
