// What two curves per method amount to, in one sentence.

/**
 * @typedef {object} Curve the score while parts are covered, or shown, in the order of a method
 * @property {string} key of the method
 * @property {"deletion" | "insertion"} kind
 * @property {number[]} fractions of the parts, covered or shown, from 0 to 1
 * @property {number[]} scores overall similarity there
 * @property {number} area under the curve: the mean score on the way
 * @property {number[]} order of the parts, what counts most first
 */

/**
 * @typedef {object} Method
 * @property {string} key
 * @property {string} name
 */

const SAME = 0.005; // of a mean score: what is shown in two digits as the same, or as its neighbour

/**
 * @param {Curve[]} curves whole ones
 * @param {Method[]} methods ours first
 */
export function verdict(curves, [ours, ...rivals]) {
  /** @type {(kind: Curve["kind"], method: Method) => number} */
  const area = (kind, { key }) => curves.find((each) => each.kind === kind && each.key === key)?.area ?? NaN;
  /** @type {(kind: Curve["kind"], sign: 1 | -1) => string} */
  const clause = (kind, sign) => {
    const own = area(kind, ours);
    const words = rivals.map((rival) => {
      const ahead = sign * (area(kind, rival) - own);
      const how = Math.abs(ahead) < SAME ? "about as fast as" : ahead > 0 ? "faster than" : "more slowly than";
      return `${how} ${rival.name}`;
    });
    const others = rivals.map((rival) => area(kind, rival).toFixed(3));
    return `${words.join(" and ")} (${own.toFixed(3)} against ${others.join(" and ")})`;
  };
  return (
    `Covering first what DIML names lowers the score ${clause("deletion", 1)}; ` +
    `showing it first raises it ${clause("insertion", -1)}. On this pair only.`
  );
}
