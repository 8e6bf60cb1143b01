// The plan after a few Sinkhorn iterations, so that a class sees the transport settle. The settled plan is
// never computed here: it comes with the payload. Log domain (Peyre & Cuturi 2019, section 4.4), so that a
// small epsilon cannot underflow; the cap at 0 is partial transport (diml_core/transport.py, _Partial).

const ITERATION_STOPS = [0, 1, 2, 5, 20, Infinity];

function planAfter(pair, iterations) {
  const { a, b, cosine } = pair;
  const { epsilon, mass } = pair.options;
  const partial = mass < 1;
  const rows = a.count;
  const columns = b.count;
  const logU = Float64Array.from(a.marginals, Math.log); // log 0 = -Infinity: such a part sends nothing
  const logV = Float64Array.from(b.marginals, Math.log);
  const logKernel = Float64Array.from(cosine, (s) => (s - 1) / epsilon);
  const f = new Float64Array(rows);
  const g = new Float64Array(columns);
  let h = 0;
  const cap = (value) => (partial ? Math.min(value, 0) : value);

  const rowSum = (i) => logSumExp(columns, (j) => logKernel[i * columns + j] + g[j] + h);
  const columnSum = (j) => logSumExp(rows, (i) => logKernel[i * columns + j] + f[i] + h);
  const total = () => logSumExp(rows, (i) => f[i] + rowSum(i));
  for (let step = 0; step < iterations; step++) {
    for (let i = 0; i < rows; i++) f[i] = cap(logU[i] - rowSum(i));
    for (let j = 0; j < columns; j++) g[j] = cap(logV[j] - columnSum(j));
    if (partial) h += Math.log(mass) - total();
  }
  // Before the first iteration the kernel alone is shown, scaled to the mass that is to be moved.
  if (iterations === 0) h = Math.log(mass) - total();
  return Float32Array.from(logKernel, (value, k) =>
    Math.exp(value + f[Math.floor(k / columns)] + g[k % columns] + h),
  );
}

function logSumExp(count, term) {
  let top = -Infinity;
  for (let k = 0; k < count; k++) top = Math.max(top, term(k));
  if (top === -Infinity) return top;
  let sum = 0;
  for (let k = 0; k < count; k++) sum += Math.exp(term(k) - top);
  return top + Math.log(sum);
}

// How far the plan's row and column sums are from the marginals (L1). In partial transport a part may send
// less than its marginal, so that only what exceeds it counts.
function marginalErrors(pair) {
  const off = (sent, allowed) => (pair.options.mass < 1 ? Math.max(sent - allowed, 0) : Math.abs(sent - allowed));
  const sums = { a: new Float64Array(pair.a.count), b: new Float64Array(pair.b.count) };
  pair.plan.forEach((mass, k) => {
    sums.a[Math.floor(k / pair.b.count)] += mass;
    sums.b[k % pair.b.count] += mass;
  });
  return ["a", "b"].map((side) => sumOf(sums[side].map((sent, k) => off(sent, pair[side].marginals[k]))));
}
