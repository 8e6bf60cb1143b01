// From the payload to numbers: decoded matrices and everything that is derived from them once per pair.

function decodeFloats(base64) {
  if (!base64) return null;
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return new Float32Array(bytes.buffer);
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
  });
  const pair = {
    a: side(payload.a),
    b: side(payload.b),
    plan: decodeFloats(payload.plan),
    cosine: decodeFloats(payload.cosine),
    mass: payload.mass,
    similarity: payload.similarity,
    global: payload.global,
    structural: payload.structural,
    model: payload.model,
    marginalsName: payload.marginals,
    startBlock: payload.startBlock,
    iterations: payload.iterations,
    marginalError: payload.marginalError,
  };
  const { a, b, plan, cosine } = pair;
  pair.contribution = Float64Array.from(plan, (mass, k) => (mass * cosine[k]) / pair.mass);
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
  // Strongest first. Sorting indices of a typed array keeps 65,536 pairs within a frame or two.
  pair.order = Uint32Array.from(pair.contribution.keys()).sort(
    (x, y) => pair.contribution[y] - pair.contribution[x],
  );
  return pair;
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
