// From the payload to numbers: decoded matrices and everything that is derived from them once per pair.

const MOST_LINES = 100; // what the slider of flow lines goes up to

function decodeBytes(base64) {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let k = 0; k < text.length; k++) bytes[k] = text.charCodeAt(k); // much faster than a callback per byte
  return bytes;
}

function decodeFloats(base64) {
  return base64 ? new Float32Array(decodeBytes(base64).buffer) : null;
}

function buildPair(payload) {
  const side = (raw) => ({
    name: raw.name,
    size: raw.size,
    photo: raw.photo,
    rows: raw.grid[0],
    columns: raw.grid[1],
    count: raw.grid[0] * raw.grid[1],
    marginals: decodeFloats(raw.marginals),
    rollout: decodeFloats(raw.rollout),
    rolloutGrid: raw.rolloutGrid,
    looked: raw.looked && { steps: decodeBytes(raw.looked.steps), top: decodeFloats(raw.looked.top) },
    digest: raw.digest,
    example: raw.example,
  });
  return withPlan(
    {
      a: side(payload.a),
      b: side(payload.b),
      cosine: decodeFloats(payload.cosine),
      global: payload.global,
      model: payload.model,
      options: payload.options,
      iterations: payload.iterations,
      converged: payload.converged,
      marginalError: payload.marginalError,
      reproduce: payload.reproduce,
    },
    decodeFloats(payload.plan),
    payload, // the scores in full precision
  );
}

// The pair with a plan, and everything that follows from it. Without exact scores they are summed here.
function withPlan(base, plan, exact = null) {
  const pair = { ...base, a: { ...base.a }, b: { ...base.b }, plan, settled: Boolean(exact) };
  const { a, b, cosine } = pair;
  pair.mass = exact?.mass ?? sumOf(plan);
  pair.contribution = new Float64Array(plan.length);
  for (let k = 0; k < plan.length; k++) pair.contribution[k] = (plan[k] * cosine[k]) / pair.mass;
  pair.structural = exact?.structural ?? sumOf(pair.contribution);
  pair.similarity = exact?.similarity ?? (pair.global + pair.structural) / 2;
  for (const each of [a, b]) {
    each.contribution = new Float64Array(each.count);
    each.best = new Float64Array(each.count).fill(-1);
  }
  for (let i = 0, k = 0; i < a.count; i++) {
    for (let j = 0; j < b.count; j++, k++) {
      a.contribution[i] += pair.contribution[k];
      b.contribution[j] += pair.contribution[k];
      if (cosine[k] > a.best[i]) a.best[i] = cosine[k];
      if (cosine[k] > b.best[j]) b.best[j] = cosine[k];
    }
  }
  pair.order = indicesOfLargest(pair.contribution, MOST_LINES);
  return pair;
}

// Indices of the `count` largest values, largest first. One pass: sorting all 65,536 pairs of two 16 x 16 grids
// would cost more than everything else in a slider move.
function indicesOfLargest(values, count) {
  const best = [];
  for (let k = 0; k < values.length; k++) {
    if (best.length === count && values[k] <= values[best[count - 1]]) continue;
    let at = best.length;
    while (at > 0 && values[best[at - 1]] < values[k]) at--;
    best.splice(at, 0, k);
    if (best.length > count) best.pop();
  }
  return best;
}

function otherSide(side) {
  return side === "a" ? "b" : "a";
}

// What the selected parts of one side send to every part of the other: mass and contribution.
function flowFrom(pair, side, parts) {
  const other = pair[otherSide(side)];
  const mass = new Float64Array(other.count);
  const contribution = new Float64Array(other.count);
  for (const part of parts) {
    for (let to = 0; to < other.count; to++) {
      const k = side === "a" ? part * pair.b.count + to : to * pair.b.count + part;
      mass[to] += pair.plan[k];
      contribution[to] += pair.contribution[k];
    }
  }
  return { mass, contribution };
}

function strongestOf(values, count) {
  return Array.from(values.keys())
    .sort((x, y) => values[y] - values[x])
    .slice(0, count)
    .filter((index) => values[index] > 0);
}

function sumOf(values, indices) {
  let total = 0;
  if (indices) for (const index of indices) total += values[index];
  else for (const value of values) total += value;
  return total;
}

function cellName(side, part) {
  return `row ${Math.floor(part / side.columns) + 1}, column ${(part % side.columns) + 1}`;
}

// Where the tokens of some parts looked, as a grid of the map's resolution; null without attention.
function lookedAt(side, parts) {
  if (!side.looked) return null;
  const [rows, columns] = side.rolloutGrid;
  const values = new Float64Array(rows * columns);
  for (const part of parts) {
    const scale = side.looked.top[part] / 255 / parts.length;
    for (let k = 0; k < values.length; k++) values[k] += side.looked.steps[part * values.length + k] * scale;
  }
  return { rows, columns, values };
}

// The place of some parts in their photo, as fractions of its width and height.
function boxOf(side, parts) {
  const rows = parts.map((part) => Math.floor(part / side.columns));
  const columns = parts.map((part) => part % side.columns);
  return {
    left: Math.min(...columns) / side.columns,
    top: Math.min(...rows) / side.rows,
    right: (Math.max(...columns) + 1) / side.columns,
    bottom: (Math.max(...rows) + 1) / side.rows,
  };
}

// The parts of another grid in the same place: those whose centre lies in the box, or the one under its centre.
function partsIn(side, box) {
  const inside = [];
  for (let part = 0; part < side.count; part++) {
    const x = ((part % side.columns) + 0.5) / side.columns;
    const y = (Math.floor(part / side.columns) + 0.5) / side.rows;
    if (x > box.left && x < box.right && y > box.top && y < box.bottom) inside.push(part);
  }
  if (inside.length) return inside;
  const column = Math.floor(((box.left + box.right) / 2) * side.columns);
  const row = Math.floor(((box.top + box.bottom) / 2) * side.rows);
  return [row * side.columns + column];
}
