// The table of operations: forward `f(xs, params)` and cotangents `b(g, xs, y, params)`.
// Each rule keeps the order of multiplication of bplib.ops, so that 0 × ∞ and ties agree as well.
import { T, full, map, mul, size, same, unbroadcast, broadcastTo, reduce, sum, max, normAxes, keptShape, permute, reshape, matmul, matmulVjp, gather, scatterAdd, zeros } from "./tensor.mjs";

const unary = (f, rule) => ({ f: ([x], p) => map((u) => f(u, p), x), b: (g, [x], y, p) => [map((t, w, u) => rule(t, w, u, p), g, y, x)] });
// Elementwise in two arguments; what broadcasting copied is summed again.
const binary = (f, ra, rb) => ({
  f: ([a, b], p) => map((u, v) => f(u, v, p), a, b),
  b: (g, [a, b], y, p) => {
    const s = y.s, A = broadcastTo(a, s).d, B = broadcastTo(b, s).d, ga = zeros(s), gb = zeros(s);
    for (let i = 0; i < y.d.length; i++) { ga.d[i] = ra(g.d[i], y.d[i], A[i], B[i], p); gb.d[i] = rb(g.d[i], y.d[i], A[i], B[i], p); }
    return [unbroadcast(ga, a.s), unbroadcast(gb, b.s)];
  },
});

// A reduction is a weighted sum as far as derivatives go: `weight(y, x, n, p)` entry by entry.
const expand = (t, x, p) => broadcastTo(T(keptShape(x.s, normAxes(p.axis, x.s.length)), t.d), x.s);
const count = (x, p) => normAxes(p.axis, x.s.length).reduce((n, a) => n * x.s[a], 1);
const reduction = (f, weights) => ({
  f: ([x], p) => f(x, p.axis, !!p.keepdims, p),
  b: (g, [x], y, p) => [mul(weights(expand(y, x, p), x, p), expand(g, x, p))],
});
const linearly = (g, x, p, n) => expand(n === 1 ? g : map((t) => t / n, g), x, p);
const average = (x, axis, keep) => { const t = sum(x, axis, keep), n = count(x, { axis }); return map((u) => u / n, t); };
const variance = (x, axis, keep, ddof = 0) => {
  const m = average(x, axis, true), q = sum(map((u, v) => (u - v) * (u - v), x, m), axis, keep), n = count(x, { axis }) - ddof;
  return map((u) => u / n, q);
};
const centered = (x, p) => map((u, v) => u - v, x, average(x, p.axis, true));
const ties = (y, x, p) => { const hit = map((u, v) => (u === v ? 1 : 0), x, y); return map((u, n) => u / n, hit, sum(hit, p.axis, true)); };
const minOf = (x, axis, keep) => reduce(x, axis, keep, undefined, (a, b) => (a < b || a !== a ? a : b));
function others(y, x, p) {
  if (x.d.every((u) => u !== 0)) return map((a, b) => a / b, y, x);
  const axes = normAxes(p.axis, x.s.length), keep = x.s.map((_, i) => i).filter((i) => !axes.includes(i));
  const order = [...keep, ...axes], t = permute(x, order), n = count(x, p), out = zeros(t.s);
  for (let r = 0; r < t.d.length; r += n) for (let i = 0; i < n; i++) {
    let q = 1;
    for (let j = 0; j < n; j++) if (j !== i) q *= t.d[r + j];
    out.d[r + i] = q;
  }
  const back = order.map((_, i) => order.indexOf(i));
  return permute(out, back);
}
const lse = (x, axis, keep) => {
  const top = map((m) => (Number.isFinite(m) ? m : 0), max(x, axis, true));
  const y = map((q, m) => Math.log(q) + m, sum(map((u, m) => Math.exp(u - m), x, top), axis, true), top);
  if (keep) return y;
  const axes = normAxes(axis, x.s.length);
  return T(x.s.filter((_, i) => !axes.includes(i)), y.d);
};
const minus = (a, b) => map((u, v) => u - v, a, b);
const last = (p) => p.axis ?? -1;

// Einstein's sum by its definition: over every letter, the product of the operands.
function einsum(subscripts, xs, y, g) {
  const [left, out] = subscripts.split("->"), terms = left.split(","), dim = {};
  terms.forEach((t, i) => [...t].forEach((c, a) => { dim[c] = xs[i].s[a]; }));
  const letters = Object.keys(dim), n = letters.map((c) => dim[c]), total = size(n), idx = letters.map(() => 0);
  const steps = (t, s) => { const w = letters.map(() => 0); let q = 1; for (let a = t.length - 1; a >= 0; a--) { w[letters.indexOf(t[a])] += q; q *= s[a]; } return w; };
  const outShape = [...out].map((c) => dim[c]), ws = terms.map((t, i) => steps(t, xs[i].s)), wo = steps(out, outShape);
  const res = g ? xs.map((x) => zeros(x.s)) : zeros(outShape);
  const at = (w) => { let q = 0; for (let a = 0; a < w.length; a++) q += w[a] * idx[a]; return q; };
  for (let k = 0; k < total; k++) {
    const pos = ws.map(at), o = at(wo);
    if (g) pos.forEach((q, i) => { let v = g.d[o]; pos.forEach((r, j) => { if (j !== i) v *= xs[j].d[r]; }); res[i].d[q] += v; });
    else { let v = 1; pos.forEach((r, j) => { v *= xs[j].d[r]; }); res.d[o] += v; }
    for (let a = idx.length - 1; a >= 0; a--) { if (++idx[a] < n[a]) break; idx[a] = 0; }
  }
  return res;
}
function concat(xs, axis) {
  const s = [...xs[0].s], a = axis < 0 ? axis + s.length : axis;
  s[a] = xs.reduce((n, x) => n + x.s[a], 0);
  const inner = size(s.slice(a + 1)), outer = size(s.slice(0, a)), y = zeros(s);
  let at = 0;
  for (const x of xs) { const n = x.s[a] * inner; for (let o = 0; o < outer; o++) for (let i = 0; i < n; i++) y.d[o * s[a] * inner + at + i] = x.d[o * n + i]; at += n; }
  return y;
}
const axesOf = (x, p) => (p.axes ? normAxes(p.axes, x.s.length) : x.s.map((_, i) => x.s.length - 1 - i));
function running(x, axis, back) {
  const a = axis < 0 ? axis + x.s.length : axis, n = x.s[a], inner = size(x.s.slice(a + 1)), outer = size(x.s.slice(0, a)), y = zeros(x.s);
  for (let o = 0; o < outer; o++) for (let i = 0; i < inner; i++) {
    let q = 0;
    for (let k = 0; k < n; k++) { const at = (o * n + (back ? n - 1 - k : k)) * inner + i; q += x.d[at]; y.d[at] = q; }
  }
  return y;
}
const taken = { f: ([x], p) => gather(x, p.take, p.shape), b: (g, [x], y, p) => [scatterAdd(g, p.take, x.s)] };

// C's pow, where JavaScript's differs: 1 to any power is 1, and so is −1 to an infinite one.
const pow = (a, b) => (a === 1 || (a === -1 && (b === Infinity || b === -Infinity)) ? 1 : Math.pow(a, b));
const sigmoid = (x) => { if (x >= 0) return 1 / (1 + Math.exp(-x)); const e = Math.exp(x); return e / (1 + e); };
const softplus = (x) => (x >= 0 ? x + Math.log1p(Math.exp(-x)) : Math.log1p(Math.exp(x)));
const LN2 = Math.LN2, LN10 = Math.LN10;
const sign = (x) => (x > 0 ? 1 : x < 0 ? -1 : x === 0 ? 0 : NaN);
const logaddexp = (a, b) => {
  if (a === b) return a + LN2;
  const d = a - b;
  if (d > 0) return a + Math.log1p(Math.exp(-d));
  if (d <= 0) return b + Math.log1p(Math.exp(d));
  return d;
};
const geluArg = (x) => 0.7978845608028654 * (x + 0.044715 * (x * x * x));

export const OPS = {
  identity: unary((x) => x, (t) => t),
  negative: unary((x) => -x, (t) => -t),
  add: binary((a, b) => a + b, (t) => t, (t) => t),
  subtract: binary((a, b) => a - b, (t) => t, (t) => -t),
  multiply: binary((a, b) => a * b, (t, y, a, b) => t * b, (t, y, a) => t * a),
  divide: binary((a, b) => a / b, (t, y, a, b) => t / b, (t, y, a, b) => (-t * y) / b),
  power: binary(
    (a, b) => pow(a, b),
    (t, y, a, b, p) => {
      if (p && p.weak) return b === 0 ? t * 0 : b === 1 ? t : b === 2 ? t * (2 * a) : t * (b * pow(a, b - 1));
      return t * (b * pow(a === 0 && b === 0 ? 1 : a, b - 1));
    },
    (t, y, a) => t * (y * Math.log(a === 0 ? 1 : a)),
  ),
  exp: unary(Math.exp, (t, y) => t * y),
  expm1: unary(Math.expm1, (t, y) => t * (y + 1)),
  log: unary(Math.log, (t, y, x) => t / x),
  log1p: unary(Math.log1p, (t, y, x) => t / (1 + x)),
  log2: unary(Math.log2, (t, y, x) => t / (x * LN2)),
  log10: unary(Math.log10, (t, y, x) => t / (x * LN10)),
  sqrt: unary(Math.sqrt, (t, y) => t / (2 * y)),
  square: unary((x) => x * x, (t, y, x) => t * (2 * x)),
  reciprocal: unary((x) => 1 / x, (t, y) => -t * (y * y)),
  sin: unary(Math.sin, (t, y, x) => t * Math.cos(x)),
  cos: unary(Math.cos, (t, y, x) => -t * Math.sin(x)),
  tan: unary(Math.tan, (t, y) => t * (1 + y * y)),
  arcsin: unary(Math.asin, (t, y, x) => t / Math.sqrt((1 - x) * (1 + x))),
  arccos: unary(Math.acos, (t, y, x) => -t / Math.sqrt((1 - x) * (1 + x))),
  arctan: unary(Math.atan, (t, y, x) => t / (1 + x * x)),
  sinh: unary(Math.sinh, (t, y, x) => t * Math.cosh(x)),
  cosh: unary(Math.cosh, (t, y, x) => t * Math.sinh(x)),
  tanh: unary(Math.tanh, (t, y) => t * (1 - y * y)),
  arcsinh: unary(Math.asinh, (t, y, x) => t / Math.sqrt(x * x + 1)),
  arccosh: unary(Math.acosh, (t, y, x) => t / Math.sqrt((x - 1) * (x + 1))),
  arctanh: unary(Math.atanh, (t, y, x) => t / ((1 - x) * (1 + x))),
  arctan2: binary(Math.atan2, (t, y, a, b) => t * (b / (a * a + b * b)), (t, y, a, b) => -t * (a / (a * a + b * b))),
  logaddexp: binary(logaddexp, (t, y, a, b) => t * sigmoid(a - b), (t, y, a, b) => t * sigmoid(b - a)),
  sigmoid: unary(sigmoid, (t, y) => t * (y * (1 - y))),
  softplus: unary(softplus, (t, y, x) => t * sigmoid(x)),
  gelu: unary((x) => 0.5 * x * (1 + Math.tanh(geluArg(x))), (t, y, x) => {
    const u = Math.tanh(geluArg(x));
    return t * (0.5 * (1 + u) + 0.5 * x * (1 - u * u) * (0.7978845608028654 * (1 + 0.134145 * (x * x))));
  }),
  silu: unary((x) => x * sigmoid(x), (t, y, x) => { const q = sigmoid(x); return t * (q + y * (1 - q)); }),
  leaky_relu: unary((x, p) => (x > 0 ? x : (p.slope ?? 0.01) * x), (t, y, x, p) => (x > 0 ? t : (p.slope ?? 0.01) * t)),
  sign: unary(sign, (t) => t * 0),
  abs: unary(Math.abs, (t, y, x) => t * sign(x)),
  clip: unary((x, p) => (p.lo != null && x < p.lo ? p.lo : p.hi != null && x > p.hi ? p.hi : x),
    (t, y, x, p) => t * ((p.lo == null || x >= p.lo) && (p.hi == null || x <= p.hi) ? 1 : 0)),
  maximum: binary((a, b) => (a > b || a !== a ? a : b), (t, y, a, b) => (a === b ? 0.5 * t : t * (a > b ? 1 : 0)), (t, y, a, b) => (a === b ? 0.5 * t : t * (b > a ? 1 : 0))),
  minimum: binary((a, b) => (a < b || a !== a ? a : b), (t, y, a, b) => (a === b ? 0.5 * t : t * (a < b ? 1 : 0)), (t, y, a, b) => (a === b ? 0.5 * t : t * (b < a ? 1 : 0))),
  where: {
    f: ([a, b], p) => map((c, u, v) => (c ? u : v), T(p.cond.shape, p.cond.data), a, b),
    b: (g, [a, b], y, p) => { const c = T(p.cond.shape, p.cond.data); return [unbroadcast(map((t, q) => (q ? t : 0), g, c), a.s), unbroadcast(map((t, q) => (q ? 0 : t), g, c), b.s)]; },
  },
  matmul: { f: ([a, b]) => matmul(a, b), b: (g, [a, b]) => matmulVjp(g, a, b) },
  einsum: { f: (xs, p) => einsum(p.subscripts, xs), b: (g, xs, y, p) => einsum(p.subscripts, xs, y, g) },
  sum: { f: ([x], p) => sum(x, p.axis, !!p.keepdims), b: (g, [x], y, p) => [linearly(g, x, p, 1)] },
  mean: { f: ([x], p) => average(x, p.axis, !!p.keepdims), b: (g, [x], y, p) => [linearly(g, x, p, count(x, p))] },
  var: reduction((x, a, k, p) => variance(x, a, k, p.ddof), (y, x, p) => map((u) => u * (2 / (count(x, p) - (p.ddof || 0))), centered(x, p))),
  std: reduction((x, a, k, p) => map(Math.sqrt, variance(x, a, k, p.ddof)), (y, x, p) => map((u, v) => u / ((v === 0 ? 1 : v) * (count(x, p) - (p.ddof || 0))), centered(x, p), y)),
  max: reduction(max, ties),
  min: reduction(minOf, ties),
  prod: reduction((x, a, k) => reduce(x, a, k, 1, (u, v) => u * v), others),
  norm: reduction((x, a, k) => map(Math.sqrt, sum(map((u) => u * u, x), a, k)), (y, x) => map((u, v) => u / (v === 0 ? 1 : v), x, y)),
  logsumexp: reduction(lse, (y, x) => map((u, v) => Math.exp(u - (Number.isFinite(v) ? v : 0)), x, y)),
  softmax: {
    f: ([x], p) => map((u, l) => Math.exp(u - l), x, lse(x, last(p), true)),
    b: (g, [x], y, p) => [mul(y, minus(g, sum(mul(y, g), last(p), true)))],
  },
  log_softmax: {
    f: ([x], p) => minus(x, lse(x, last(p), true)),
    b: (g, [x], y, p) => [minus(g, mul(map(Math.exp, y), sum(g, last(p), true)))],
  },
  cumsum: { f: ([x], p) => running(x, p.axis, false), b: (g, [x], y, p) => [running(g, p.axis, true)] },
  reshape: { f: ([x], p) => reshape(x, [p.shape].flat()), b: (g, [x]) => [T(x.s, g.d)] },
  broadcast_to: { f: ([x], p) => broadcastTo(x, [p.shape].flat()), b: (g, [x]) => [unbroadcast(g, x.s)] },
  transpose: {
    f: ([x], p) => permute(x, axesOf(x, p)),
    b: (g, [x], y, p) => { const a = axesOf(x, p); return [permute(g, a.map((_, i) => a.indexOf(i)))]; },
  },
  getitem: taken,
  flip: taken,
  roll: taken,
  pad: taken,
  triu: taken,
  tril: taken,
  split: taken,
  im2col: taken,
  scatter: { f: ([x], p) => scatterAdd(x, p.take, p.shape), b: (g, [x], y, p) => [gather(g, p.take, x.s)] },
  concatenate: {
    f: (xs, p) => concat(xs, p.axis),
    b: (g, xs, y, p) => {
      const a = p.axis < 0 ? p.axis + y.s.length : p.axis, inner = size(y.s.slice(a + 1)), outer = size(y.s.slice(0, a));
      let at = 0;
      return xs.map((x) => { const n = x.s[a] * inner, t = zeros(x.s); for (let o = 0; o < outer; o++) for (let i = 0; i < n; i++) t.d[o * n + i] = g.d[o * y.s[a] * inner + at + i]; at += n; return t; });
    },
  },
  relu: unary((x) => (x > 0 || x !== x ? x : 0), (t, y, x) => t * (x > 0 ? 1 : 0)),
};
export { sigmoid, softplus };
