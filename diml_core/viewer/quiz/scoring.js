// What a guess is worth: numbers only.

/** @typedef {{rows: number, columns: number}} Cells */

/** @typedef {"part" | "pair" | "model"} Kind what a round asks */

/** @type {readonly Kind[]} the rounds of one game */
export const GAME = ["part", "pair", "part", "model", "part", "pair", "part", "model", "pair", "part"];

export const MOST_MARKS = 10; // of a round

/**
 * How many parts in every direction a place takes in: about a quarter of the photo across, whatever the grid. The same as
 * `reach_of` in app/fairness.py.
 *
 * @param {Cells} side
 */
export const reachOf = ({ rows, columns }) => Math.min(2, Math.floor(Math.max(rows, columns) / 6));

/**
 * A place: a part and its neighbours.
 *
 * @param {Cells} side
 * @param {number} part
 * @returns {number[]}
 */
export function placeAt(side, part) {
  const reach = reachOf(side);
  const row = Math.floor(part / side.columns);
  const column = part % side.columns;
  const parts = [];
  for (let r = Math.max(0, row - reach); r <= Math.min(side.rows - 1, row + reach); r++)
    for (let c = Math.max(0, column - reach); c <= Math.min(side.columns - 1, column + reach); c++)
      parts.push(r * side.columns + c);
  return parts;
}

/**
 * The share of the mass that a place receives, 0..1.
 *
 * @param {Cells} side
 * @param {ArrayLike<number> & Iterable<number>} mass of every part, not all zero
 * @param {number} part
 */
export function shareAt(side, mass, part) {
  let total = 0;
  for (const value of mass) total += value;
  let here = 0;
  for (const each of placeAt(side, part)) here += mass[each];
  return here / total;
}

/**
 * The place that receives most; of several the one round the part that receives most.
 *
 * @param {Cells} side
 * @param {ArrayLike<number> & Iterable<number>} mass
 * @returns {{part: number, share: number}}
 */
export function bestPlace(side, mass) {
  let best = { part: 0, share: -1 };
  for (let part = 0; part < side.rows * side.columns; part++) {
    const share = shareAt(side, mass, part);
    const more = share - best.share;
    if (more > 1e-9 || (more > -1e-9 && mass[part] > mass[best.part])) best = { part, share };
  }
  return best;
}

/**
 * A guess where a part goes: what the place round it receives, beside what the best place does.
 *
 * @param {Cells} side
 * @param {ArrayLike<number> & Iterable<number>} mass
 * @param {number} guess a part
 * @returns {{share: number, best: {part: number, share: number}, marks: number}} shares of 0..1, marks in whole numbers
 */
export function judgePlace(side, mass, guess) {
  const best = bestPlace(side, mass);
  const share = shareAt(side, mass, guess);
  return { share, best, marks: Math.round((MOST_MARKS * share) / best.share) };
}

/**
 * @param {boolean} right
 */
export const marksFor = (right) => (right ? MOST_MARKS : 0);

/**
 * How much of the importance the most important tenth of a photo's parts has, 0..1: 0.1 where all count alike.
 *
 * @param {ArrayLike<number> & Iterable<number>} marginals summing to 1
 */
export function concentration(marginals) {
  const sorted = Array.from(marginals).sort((x, y) => y - x);
  const tenth = sorted.length / 10;
  let total = 0;
  sorted.forEach((value, index) => (total += value * Math.min(1, Math.max(0, tenth - index))));
  return total;
}

/**
 * What a game has come to.
 *
 * @param {{kind: Kind, marks: number}[]} rounds that have been answered
 * @returns {{marks: number, most: number, kinds: {kind: Kind, marks: number, most: number}[]}} kinds that were asked
 */
export function totals(rounds) {
  const sum = (/** @type {{marks: number}[]} */ some) => some.reduce((total, { marks }) => total + marks, 0);
  const kinds = /** @type {Kind[]} */ (["part", "pair", "model"])
    .map((kind) => ({ kind, some: rounds.filter((round) => round.kind === kind) }))
    .filter(({ some }) => some.length)
    .map(({ kind, some }) => ({ kind, marks: sum(some), most: MOST_MARKS * some.length }));
  return { marks: sum(rounds), most: MOST_MARKS * rounds.length, kinds };
}
