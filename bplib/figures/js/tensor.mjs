// Dense float64 arrays with NumPy's rules of shape: {s: shape, d: Float64Array}, row-major.
export const size = (s) => { let n = 1; for (const k of s) n *= k; return n; };
export const T = (s, d) => ({ s, d });
export const full = (s, x) => T(s, new Float64Array(size(s)).fill(x));
export const zeros = (s) => T(s, new Float64Array(size(s)));
export const scalar = (x) => T([], Float64Array.of(x));
export const same = (a, b) => a.length === b.length && a.every((k, i) => k === b[i]);

export function broadcastShape(a, b) {
  const n = Math.max(a.length, b.length), out = new Array(n);
  for (let i = 0; i < n; i++) {
    const p = i < n - a.length ? 1 : a[i - n + a.length], q = i < n - b.length ? 1 : b[i - n + b.length];
    if (p !== q && p !== 1 && q !== 1) throw new Error(`shapes (${a}) and (${b}) do not broadcast`);
    out[i] = p === 1 ? q : p;
  }
  return out;
}

function strides(s) {
  const st = new Array(s.length);
  for (let i = s.length - 1, n = 1; i >= 0; i--) { st[i] = n; n *= s[i]; }
  return st;
}

// For every flat position of `out`, the flat position in an operand of shape `s` (0 steps where broadcast).
function walk(out, s, each) {
  const n = size(out), r = out.length, off = r - s.length, st = strides(s);
  const step = out.map((_, i) => (i < off || s[i - off] === 1 ? 0 : st[i - off]));
  const idx = new Array(r).fill(0);
  for (let p = 0, q = 0; p < n; p++) {
    each(p, q);
    for (let i = r - 1; i >= 0; i--) {
      q += step[i];
      if (++idx[i] < out[i]) break;
      q -= step[i] * out[i];
      idx[i] = 0;
    }
  }
}

export function broadcastTo(x, s) {
  if (same(x.s, s)) return x;
  const y = zeros(s);
  walk(s, x.s, (p, q) => { y.d[p] = x.d[q]; });
  return y;
}

// The dual of broadcasting: what was copied is summed.
export function unbroadcast(g, s) {
  if (same(g.s, s)) return g;
  const y = zeros(s);
  walk(g.s, s, (p, q) => { y.d[q] += g.d[p]; });
  return y;
}

export function map(f, ...xs) {
  let s = xs[0].s;
  for (let i = 1; i < xs.length; i++) if (!same(s, xs[i].s)) s = broadcastShape(s, xs[i].s);
  const n = size(s), d = new Float64Array(n);
  const [a, b, c] = xs.map((x) => broadcastTo(x, s).d);
  if (c) for (let i = 0; i < n; i++) d[i] = f(a[i], b[i], c[i]);
  else if (b) for (let i = 0; i < n; i++) d[i] = f(a[i], b[i]);
  else for (let i = 0; i < n; i++) d[i] = f(a[i]);
  return T(s, d);
}

export const add = (a, b) => map((x, y) => x + y, a, b);
export const mul = (a, b) => map((x, y) => x * y, a, b);

export function normAxes(axis, r) {
  if (axis === null || axis === undefined) return Array.from({ length: r }, (_, i) => i);
  return (Array.isArray(axis) ? axis : [axis]).map((a) => (a < 0 ? a + r : a));
}
export const keptShape = (s, axes) => s.map((k, i) => (axes.includes(i) ? 1 : k));
const dropShape = (s, axes) => s.filter((_, i) => !axes.includes(i));

// Fold along axes with f(acc, x), starting from `init`, or from the first element when init is undefined.
export function reduce(x, axis, keep, init, f) {
  const axes = normAxes(axis, x.s.length), kept = keptShape(x.s, axes);
  const y = full(kept, init === undefined ? NaN : init);
  const seen = init === undefined ? new Uint8Array(y.d.length) : null;
  walk(x.s, kept, (p, q) => {
    if (seen && !seen[q]) { seen[q] = 1; y.d[q] = x.d[p]; } else y.d[q] = f(y.d[q], x.d[p]);
  });
  return keep ? y : T(dropShape(x.s, axes), y.d);
}
export const sum = (x, axis = null, keep = false) => reduce(x, axis, keep, 0, (a, b) => a + b);
export const max = (x, axis = null, keep = false) =>
  reduce(x, axis, keep, undefined, (a, b) => (a > b || a !== a ? a : b));

export function permute(x, axes) {
  const s = axes.map((a) => x.s[a]), st = strides(x.s), y = zeros(s), idx = s.map(() => 0);
  for (let p = 0, q = 0; p < y.d.length; p++) {
    y.d[p] = x.d[q];
    for (let i = s.length - 1; i >= 0; i--) {
      q += st[axes[i]];
      if (++idx[i] < s[i]) break;
      q -= st[axes[i]] * s[i];
      idx[i] = 0;
    }
  }
  return y;
}
export const reshape = (x, s) => {
  const known = s.reduce((a, k) => (k < 0 ? a : a * k), 1);
  return T(s.map((k) => (k < 0 ? (known ? x.d.length / known : 0) : k)), x.d);
};
export const swap = (x) => {
  const r = x.s.length, a = Array.from({ length: r }, (_, i) => i);
  if (r > 1) [a[r - 1], a[r - 2]] = [a[r - 2], a[r - 1]];
  return permute(x, a);
};

function mm(a, b, y, n, k, m, oa, ob, oy) {
  for (let i = 0; i < n; i++)
    for (let t = 0; t < k; t++) {
      const u = a[oa + i * k + t];
      for (let j = 0; j < m; j++) y[oy + i * m + j] += u * b[ob + t * m + j];
    }
}
// NumPy's matmul: vectors are promoted, leading axes broadcast.
export function matmul(a, b) {
  const va = a.s.length === 1, vb = b.s.length === 1;
  const A = va ? T([1, ...a.s], a.d) : a, B = vb ? T([...b.s, 1], b.d) : b;
  const [n, k] = A.s.slice(-2), [k2, m] = B.s.slice(-2);
  if (k !== k2) throw new Error(`matmul: shapes (${a.s}) and (${b.s}) do not fit`);
  const lead = broadcastShape(A.s.slice(0, -2), B.s.slice(0, -2));
  const Ab = broadcastTo(A, [...lead, n, k]), Bb = broadcastTo(B, [...lead, k, m]);
  const y = zeros([...lead, n, m]);
  for (let q = 0, N = size(lead); q < N; q++) mm(Ab.d, Bb.d, y.d, n, k, m, q * n * k, q * k * m, q * n * m);
  const s = [...lead];
  if (!va) s.push(n);
  if (!vb) s.push(m);
  return T(s, y.d);
}
// Both cotangents of matmul, summed over whatever was broadcast.
export function matmulVjp(g, a, b) {
  const va = a.s.length === 1, vb = b.s.length === 1;
  const A = va ? T([1, ...a.s], a.d) : a, B = vb ? T([...b.s, 1], b.d) : b;
  const lead = broadcastShape(A.s.slice(0, -2), B.s.slice(0, -2));
  const G = T([...lead, A.s.at(-2), B.s.at(-1)], g.d);
  return [reshape(unbroadcast(matmul(G, swap(B)), A.s), a.s), reshape(unbroadcast(matmul(swap(A), G), B.s), b.s)];
}

// Every rearrangement is a list of source positions, -1 where a zero stands; its adjoint adds back.
export function gather(x, take, s) {
  const y = zeros(s);
  for (let i = 0; i < take.length; i++) if (take[i] >= 0) y.d[i] = x.d[take[i]];
  return y;
}
export function scatterAdd(g, take, s) {
  const y = zeros(s);
  for (let i = 0; i < take.length; i++) if (take[i] >= 0) y.d[take[i]] += g.d[i];
  return y;
}
