/* Figures of 'Every Gradient Checked'. MIT licence. Built by bplib.figures.bundle. */
const TOKENS = {"roles":{"value":{"light":"#1A61EB","tint":"#E9F0FE","dark":"#67B0F9","darktint":"#17293F","macro":"val","css":"v"},"gradient":{"light":"#B84A00","tint":"#FDEFE4","dark":"#F8B478","darktint":"#38260F","macro":"cot","css":"g"},"local":{"light":"#046850","tint":"#E1F2EC","dark":"#A6FAD0","darktint":"#12322A","macro":"loc","css":"l"},"parameter":{"light":"#7E2D72","tint":"#F6EAF4","dark":"#E36EBC","darktint":"#37192F","macro":"prm","css":"p"}},"neutral":{"text":{"light":"#1D2430","dark":"#E6E9EE","css":"t"},"muted":{"light":"#5B6472","dark":"#A4ADBA","css":"m"},"outline":{"light":"#868F9D","dark":"#7A8494","css":"o"},"page":{"light":"#FFFFFF","dark":"#14171C","css":"bg"},"panel":{"light":"#F5F6F8","dark":"#1C2129","css":"pn"},"hair":{"light":"#DDE1E7","dark":"#333A46","css":"hr"},"box":{"light":"#C3C9D2","dark":"#4A5361","css":"bx"}},"dash":[5,3.5],"sans":"system-ui, -apple-system, \"Segoe UI\", \"Noto Sans\", \"DejaVu Sans\", sans-serif","serif":"\"STIX Two Text\", \"STIX Two Math\", \"Liberation Serif\", Georgia, \"Times New Roman\", serif"};
const WORDS = {"abs":{"sym":"|x|","fwd":"|{0}|","local":["sign {0}"],"say":"The absolute value keeps or flips the cotangent by the sign of its input.","curve":true},"add":{"sym":"+","fwd":"{0} + {1}","local":["1","1"],"say":"Addition copies the cotangent to both inputs."},"arccos":{"sym":"arccos","fwd":"arccos({0})","local":["−1/√(1−{0}²)"],"say":"The arccosine is vertical at the ends of its domain."},"arcsin":{"sym":"arcsin","fwd":"arcsin({0})","local":["1/√(1−{0}²)"],"say":"The arcsine is vertical at the ends of its domain."},"arctan":{"sym":"arctan","fwd":"arctan({0})","local":["1/(1+{0}²)"],"say":"The arctangent saturates, more slowly than tanh.","curve":true},"broadcast_to":{"sym":"copy","fwd":"copies of {0}","local":["1"],"pill":["Σ copies"],"expr":["Σ {g} over the copies"],"say":"What was copied is summed on the way back."},"clip":{"sym":"clip","fwd":"clip({0})","local":["[inside]"],"say":"Clipping stops the cotangent where the bound was reached.","curve":true},"concatenate":{"sym":"join","fwd":"join(…)","local":[],"say":"The cotangent is cut where the inputs were joined."},"cos":{"sym":"cos","fwd":"cos({0})","local":["−sin {0}"],"say":"The slope of the cosine is minus the sine.","curve":true},"cosh":{"sym":"cosh","fwd":"cosh({0})","local":["sinh {0}"],"say":"The slope of cosh is sinh.","curve":true},"cumsum":{"sym":"Σ running","fwd":"running sum {0}","local":["1"],"pill":["Σ from the end"],"expr":["running sum of {g} from the end"],"say":"An early entry is part of every later sum."},"divide":{"sym":"÷","fwd":"{0} / {1}","local":["1/{1}","−{y}/{1}"],"say":"A quotient falls when its denominator grows, hence the minus."},"einsum":{"sym":"einsum","fwd":"einsum(…)","local":[],"say":"Each operand receives the cotangent contracted with the others."},"exp":{"sym":"exp","fwd":"exp({0})","local":["{y}"],"say":"The exponential is its own slope.","curve":true},"expm1":{"sym":"eˣ−1","fwd":"exp({0}) − 1","local":["{y}+1"],"say":"The exponential, moved one down; its slope is unchanged.","curve":true},"flip":{"sym":"flip","fwd":"flip {0}","local":["1"],"pill":["back in place"],"expr":["{g}, every entry back in its place"],"say":"A rearrangement is undone by the inverse rearrangement; entries cut off receive zero."},"gelu":{"sym":"gelu","fwd":"gelu({0})","local":["slope"],"say":"GELU is a smooth relative of ReLU.","curve":true},"getitem":{"sym":"[ ]","fwd":"{0}[…]","local":["1"],"pill":["scatter"],"expr":["{g} put back where it was read"],"say":"Entries that were read get their cotangent, twice if read twice; the rest get zero."},"identity":{"sym":"id","fwd":"{0}","local":["1"],"say":"The identity passes everything."},"im2col":{"sym":"im2col","fwd":"im2col {0}","local":["1"],"pill":["back in place"],"expr":["{g}, every entry back in its place"],"say":"A rearrangement is undone by the inverse rearrangement; entries cut off receive zero."},"leaky_relu":{"sym":"leaky","fwd":"leaky relu({0})","local":["slope"],"say":"Leaky ReLU passes all of the cotangent on one side and a little on the other.","curve":true},"log":{"sym":"ln","fwd":"ln({0})","local":["1/{0}"],"say":"The logarithm is steep near zero and flat far away.","curve":true},"log10":{"sym":"log₁₀","fwd":"log₁₀({0})","local":["1/({0} ln 10)"],"say":"The logarithm is steep near zero and flat far away.","curve":true},"log1p":{"sym":"ln(1+x)","fwd":"ln(1 + {0})","local":["1/(1+{0})"],"say":"The logarithm, moved one to the left.","curve":true},"log2":{"sym":"log₂","fwd":"log₂({0})","local":["1/({0} ln 2)"],"say":"The logarithm is steep near zero and flat far away.","curve":true},"log_softmax":{"sym":"log softmax","fwd":"log softmax {0}","local":["0"],"pill":["· − P Σ·"],"expr":["{g} − softmax({0}) Σ {g}"],"say":"What one entry gains, all the others pay in proportion to their probability."},"logaddexp":{"sym":"ln(eˣ+eʸ)","fwd":"logaddexp({0}, {1})","local":["σ({0}−{1})","σ({1}−{0})"],"say":"A smooth maximum shares the cotangent by how far each input leads."},"logsumexp":{"sym":"lse","fwd":"logsumexp {0}","local":["1"],"pill":["· softmax"],"expr":["{g} ⊙ softmax({0})"],"say":"The slope of log-sum-exp is the softmax."},"matmul":{"sym":"@","fwd":"{0} {1}","local":["{1}","{0}"],"pill":["· {1}ᵀ","{0}ᵀ ·"],"expr":["{g} {1}ᵀ","{0}ᵀ {g}"],"say":"Each factor receives the cotangent times the transpose of the other, which stays on its side."},"max":{"sym":"max","fwd":"max {0}","local":["1"],"pill":["to the largest"],"expr":["{g} to the largest entry"],"say":"Only the largest entry moves the result; ties share."},"maximum":{"sym":"max","fwd":"max({0}, {1})","local":["[{0} wins]","[{1} wins]"],"say":"The larger input gets the cotangent; a tie shares it."},"mean":{"sym":"mean","fwd":"mean {0}","local":["1"],"pill":["1/n · copy"],"expr":["copy {g} / n"],"say":"Every entry counts one n-th, so each receives one n-th of the cotangent."},"min":{"sym":"min","fwd":"min {0}","local":["1"],"pill":["to the least"],"expr":["{g} to the least entry"],"say":"Only the least entry moves the result; ties share."},"minimum":{"sym":"min","fwd":"min({0}, {1})","local":["[{0} wins]","[{1} wins]"],"say":"The smaller input gets the cotangent; a tie shares it."},"multiply":{"sym":"×","fwd":"{0} × {1}","local":["{1}","{0}"],"say":"A product hands each factor the value of the other factor."},"negative":{"sym":"−","fwd":"−{0}","local":["−1"],"say":"A minus sign turns the cotangent around."},"norm":{"sym":"‖·‖","fwd":"‖{0}‖","local":["1"],"pill":["· x/‖x‖"],"expr":["{g} × {0}/‖{0}‖"],"say":"The norm grows fastest along the vector itself."},"pad":{"sym":"pad","fwd":"pad {0}","local":["1"],"pill":["back in place"],"expr":["{g}, every entry back in its place"],"say":"A rearrangement is undone by the inverse rearrangement; entries cut off receive zero."},"power":{"sym":"x^y","fwd":"{0} ^ {1}","local":["{1}·{0}^({1}−1)","{y}·ln {0}"],"say":"A power hands down its exponent times one power less.","curve":true},"prod":{"sym":"Π","fwd":"Π {0}","local":["1"],"pill":["· the others"],"expr":["{g} × the product of the others"],"say":"Each factor receives the product of all the others."},"reciprocal":{"sym":"1/x","fwd":"1/{0}","local":["−{y}²"],"say":"A reciprocal falls as its input grows.","curve":true},"relu":{"sym":"relu","fwd":"relu({0})","local":["[{0} > 0]"],"say":"ReLU passes the cotangent where its input was positive and stops it elsewhere.","curve":true},"reshape":{"sym":"reshape","fwd":"reshape {0}","local":["1"],"pill":["reshape"],"expr":["reshape {g}"],"say":"The numbers keep their order; only the shape goes back."},"roll":{"sym":"roll","fwd":"roll {0}","local":["1"],"pill":["back in place"],"expr":["{g}, every entry back in its place"],"say":"A rearrangement is undone by the inverse rearrangement; entries cut off receive zero."},"scatter":{"sym":"scatter","fwd":"scatter {0}","local":["1"],"pill":["[ ]"],"expr":["{g} read where it was written"],"say":"What was added in is read out again."},"sigmoid":{"sym":"σ","fwd":"σ({0})","local":["{y}(1−{y})"],"say":"The sigmoid passes back a quarter at most.","curve":true},"sign":{"sym":"sign","fwd":"sign({0})","local":["0"],"say":"A step is flat almost everywhere, so nothing comes back."},"silu":{"sym":"silu","fwd":"silu({0})","local":["slope"],"say":"SiLU multiplies its input by the sigmoid of the input.","curve":true},"sin":{"sym":"sin","fwd":"sin({0})","local":["cos {0}"],"say":"The slope of the sine is the cosine.","curve":true},"sinh":{"sym":"sinh","fwd":"sinh({0})","local":["cosh {0}"],"say":"The slope of sinh is cosh.","curve":true},"softmax":{"sym":"softmax","fwd":"softmax {0}","local":["0"],"pill":["P ⊙ (· − ⟨·,P⟩)"],"expr":["{y} ⊙ ({g} − ⟨{g}, {y}⟩)"],"say":"Softmax couples its entries: raising one lowers the others."},"softmax_cross_entropy":{"sym":"softmax CE","fwd":"cross-entropy({0})","local":["0"],"pill":["P − T"],"expr":["{g} (P − T)"],"say":"Predicted probabilities minus targets: the whole softmax folds into one difference."},"softplus":{"sym":"softplus","fwd":"softplus({0})","local":["σ({0})"],"say":"The slope of softplus is the sigmoid.","curve":true},"split":{"sym":"split","fwd":"part of {0}","local":["1"],"pill":["join"],"expr":["{g} put back in its part"],"say":"One of several outputs; parts that are not used receive zero."},"sqrt":{"sym":"√","fwd":"√{0}","local":["1/(2{y})"],"say":"The root is steep near zero.","curve":true},"square":{"sym":"x²","fwd":"{0}²","local":["2{0}"],"say":"The parabola is steeper the farther from zero: its slope is 2x.","curve":true},"std":{"sym":"std","fwd":"std {0}","local":["0"],"pill":["· (x−m)/ns"],"expr":["{g} × ({0} − mean)/(n std)"],"say":"Entries far from the mean move the deviation most."},"subtract":{"sym":"−","fwd":"{0} − {1}","local":["1","−1"],"say":"Subtraction copies the cotangent, with a minus for what is taken away."},"sum":{"sym":"Σ","fwd":"Σ {0}","local":["1"],"pill":["copy"],"expr":["copy {g} to every summand"],"say":"Every summand counts once, so each receives the whole cotangent."},"tan":{"sym":"tan","fwd":"tan({0})","local":["1+{y}²"],"say":"The tangent is steep near its poles."},"tanh":{"sym":"tanh","fwd":"tanh({0})","local":["1−{y}²"],"say":"Where tanh is flat, it lets almost nothing back.","curve":true},"transpose":{"sym":"ᵀ","fwd":"{0}ᵀ","local":["1"],"pill":["ᵀ"],"expr":["{g}ᵀ"],"say":"A transpose is undone by a transpose."},"tril":{"sym":"tril","fwd":"tril {0}","local":["1"],"pill":["back in place"],"expr":["{g}, every entry back in its place"],"say":"A rearrangement is undone by the inverse rearrangement; entries cut off receive zero."},"triu":{"sym":"triu","fwd":"triu {0}","local":["1"],"pill":["back in place"],"expr":["{g}, every entry back in its place"],"say":"A rearrangement is undone by the inverse rearrangement; entries cut off receive zero."},"var":{"sym":"var","fwd":"var {0}","local":["0"],"pill":["· 2(x−m)/n"],"expr":["{g} × 2({0} − mean)/n"],"say":"Entries far from the mean move the variance most."},"where":{"sym":"where","fwd":"where(…)","local":["chosen","chosen","chosen"],"say":"Each entry goes back to the branch it came from."}};
const SUP = "⁰¹²³⁴⁵⁶⁷⁸⁹";
const sup = (n) => (n < 0 ? "⁻" : "") + [...String(Math.abs(n))].map((c) => SUP[+c]).join("");
function fmt(x, digits = 3) {
if (x !== x) return "NaN";
const sign = x < 0 ? "−" : "";
const a = Math.abs(x);
if (a === Infinity) return sign + "∞";
if (a === 0) return "0";
const [m, e] = a.toExponential(digits - 1).split("e");
const k = +e;
if (k < -3 || k > 4) return sign + m + "×10" + sup(k);
if (k >= digits) return sign + Math.floor(a + 0.5);
return sign + a.toFixed(digits - 1 - k);
}
function fmtShort(x) {
if (Number.isInteger(x) && Math.abs(x) < 1000) return String(x).replace("-", "−");
const a = Math.abs(x);
if (a >= 0.0995 && a < 9.995) return (x < 0 ? "−" : "") + a.toFixed(2);
return fmt(x, a < 0.0995 ? 2 : 3);
}
const shapeText = (s) => (s.length === 0 ? "scalar" : s.join(" × "));
const num = (x) => (typeof x === "number" ? x : Number(x));
const OVER = [["k", "M", "G", "T"]];
function fmtCount(n) {
if (n < 1e5) return String(Math.round(n)).replace(/\B(?=(\d{3})+$)/g, "\u202f");
let i = -1;
while (n >= 1000 && i < 3) { n /= 1000; i++; }
return n.toPrecision(3) + " " + OVER[0][i];
}
const size = (s) => { let n = 1; for (const k of s) n *= k; return n; };
const T = (s, d) => ({ s, d });
const full = (s, x) => T(s, new Float64Array(size(s)).fill(x));
const zeros = (s) => T(s, new Float64Array(size(s)));
const scalar = (x) => T([], Float64Array.of(x));
const same = (a, b) => a.length === b.length && a.every((k, i) => k === b[i]);
function broadcastShape(a, b) {
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
function broadcastTo(x, s) {
if (same(x.s, s)) return x;
const y = zeros(s);
walk(s, x.s, (p, q) => { y.d[p] = x.d[q]; });
return y;
}
function unbroadcast(g, s) {
if (same(g.s, s)) return g;
const y = zeros(s);
walk(g.s, s, (p, q) => { y.d[q] += g.d[p]; });
return y;
}
function map(f, ...xs) {
let s = xs[0].s;
for (let i = 1; i < xs.length; i++) if (!same(s, xs[i].s)) s = broadcastShape(s, xs[i].s);
const n = size(s), d = new Float64Array(n);
const [a, b, c] = xs.map((x) => broadcastTo(x, s).d);
if (c) for (let i = 0; i < n; i++) d[i] = f(a[i], b[i], c[i]);
else if (b) for (let i = 0; i < n; i++) d[i] = f(a[i], b[i]);
else for (let i = 0; i < n; i++) d[i] = f(a[i]);
return T(s, d);
}
const add = (a, b) => map((x, y) => x + y, a, b);
const mul = (a, b) => map((x, y) => x * y, a, b);
function normAxes(axis, r) {
if (axis === null || axis === undefined) return Array.from({ length: r }, (_, i) => i);
return (Array.isArray(axis) ? axis : [axis]).map((a) => (a < 0 ? a + r : a));
}
const keptShape = (s, axes) => s.map((k, i) => (axes.includes(i) ? 1 : k));
const dropShape = (s, axes) => s.filter((_, i) => !axes.includes(i));
function reduce(x, axis, keep, init, f) {
const axes = normAxes(axis, x.s.length), kept = keptShape(x.s, axes);
const y = full(kept, init === undefined ? NaN : init);
const seen = init === undefined ? new Uint8Array(y.d.length) : null;
walk(x.s, kept, (p, q) => {
if (seen && !seen[q]) { seen[q] = 1; y.d[q] = x.d[p]; } else y.d[q] = f(y.d[q], x.d[p]);
});
return keep ? y : T(dropShape(x.s, axes), y.d);
}
const sum = (x, axis = null, keep = false) => reduce(x, axis, keep, 0, (a, b) => a + b);
const max = (x, axis = null, keep = false) =>
reduce(x, axis, keep, undefined, (a, b) => (a > b || a !== a ? a : b));
function permute(x, axes) {
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
const reshape = (x, s) => {
const known = s.reduce((a, k) => (k < 0 ? a : a * k), 1);
return T(s.map((k) => (k < 0 ? (known ? x.d.length / known : 0) : k)), x.d);
};
const swap = (x) => {
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
function matmul(a, b) {
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
function matmulVjp(g, a, b) {
const va = a.s.length === 1, vb = b.s.length === 1;
const A = va ? T([1, ...a.s], a.d) : a, B = vb ? T([...b.s, 1], b.d) : b;
const lead = broadcastShape(A.s.slice(0, -2), B.s.slice(0, -2));
const G = T([...lead, A.s.at(-2), B.s.at(-1)], g.d);
return [reshape(unbroadcast(matmul(G, swap(B)), A.s), a.s), reshape(unbroadcast(matmul(swap(A), G), B.s), b.s)];
}
function gather(x, take, s) {
const y = zeros(s);
for (let i = 0; i < take.length; i++) if (take[i] >= 0) y.d[i] = x.d[take[i]];
return y;
}
function scatterAdd(g, take, s) {
const y = zeros(s);
for (let i = 0; i < take.length; i++) if (take[i] >= 0) y.d[take[i]] += g.d[i];
return y;
}
const unary = (f, rule) => ({ f: ([x], p) => map((u) => f(u, p), x), b: (g, [x], y, p) => [map((t, w, u) => rule(t, w, u, p), g, y, x)] });
const binary = (f, ra, rb) => ({
f: ([a, b], p) => map((u, v) => f(u, v, p), a, b),
b: (g, [a, b], y, p) => {
const s = y.s, A = broadcastTo(a, s).d, B = broadcastTo(b, s).d, ga = zeros(s), gb = zeros(s);
for (let i = 0; i < y.d.length; i++) { ga.d[i] = ra(g.d[i], y.d[i], A[i], B[i], p); gb.d[i] = rb(g.d[i], y.d[i], A[i], B[i], p); }
return [unbroadcast(ga, a.s), unbroadcast(gb, b.s)];
},
});
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
const OPS = {
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
const r2 = (v) => Math.floor(v * 100 + 0.5) / 100;
const len = (t) => [...t].length;
const words = (op) => (Object.hasOwn(WORDS, op) ? WORDS[op] : { sym: op, fwd: op + "(…)", local: [], say: "" });
function fill(template, node, byId, bar = "G") {
node.inputs.forEach((s, i) => { template = template.replaceAll(`{${i}}`, () => byId.get(s).label); });
return template.replaceAll("{y}", () => node.label).replaceAll("{g}", () => bar);
}
function grid(shape) {
if (shape.length === 0) return [1, 1, 0];
const n = shape.reduce((a, k) => a * k, 1);
const cols = shape.length === 1 ? Math.min(n, 16) : shape.at(-1);
const rows = n === 0 ? 0 : Math.ceil(n / cols);
const most = Math.max(rows, cols, 1);
return [rows, cols, Math.max(4, Math.min(11, Math.floor(88 / most)))];
}
const isCurve = (node) => !!words(node.op).curve && node.shape.length === 0 && node.inputs.length > 0;
function pillText(node, arg, byId) {
const source = byId.get(node.inputs[arg]);
if (!node.shape.length && !source.shape.length) return null;
const w = words(node.op);
if (w.pill) return arg < w.pill.length ? fill(w.pill[arg], node, byId, "·") : "·";
if (arg >= w.local.length) return w.sym + "′";
let text = "× " + fill(w.local[arg], node, byId);
if (String(source.shape) !== String(node.shape)) text += ", Σ";
return len(text) <= 14 ? text : w.sym + "′";
}
function measure(node, vertical) {
if (node.role === "const") {
return { w: Math.max(34, 14 + 7 * len(node.text)), h: 24, head: 0, row: 24, vy: 12, gy: 12 };
}
const [rows, cols, cell] = grid(node.shape), base = vertical ? 64 : 68;
const sym = node.op === "leaf" ? "" : words(node.op).sym, curve = isCurve(node);
const title = 16 + (curve ? 26 : 7 * len(sym)) + 9 * len(node.label);
let head, row, w;
if (node.shape.length) { head = 42; row = rows * cell + 10; w = Math.max(base, cols * cell + 34, title); }
else { head = curve ? 34 : 26; row = 18; w = Math.max(base, title); }
return { w, h: head + 2 * row, head, row, vy: head + row / 2, gy: head + row + row / 2 };
}
const anchor = (b) => (b.head ? b.head + b.row : b.h / 2);
const range = (a, b, step = 1) => { const o = []; for (let i = a; step > 0 ? i < b : i > b; i += step) o.push(i); return o; };
function layout(doc, vertical = false) {
const nodes = doc.nodes, n = nodes.length;
const index = new Map(nodes.map((v, i) => [v.id, i])), byId = new Map(nodes.map((v) => [v.id, v]));
const ins = nodes.map((v) => v.inputs.map((s) => index.get(s))), outs = nodes.map(() => []);
ins.forEach((ss, i) => ss.forEach((s) => outs[s].push(i)));
const rank = new Array(n).fill(0);
for (let i = 0; i < n; i++) for (const s of ins[i]) rank[i] = Math.max(rank[i], rank[s] + 1);
for (let i = 0; i < n; i++) if (!ins[i].length && outs[i].length) rank[i] = Math.min(...outs[i].map((t) => rank[t])) - 1;
const depth = Math.max(0, ...rank) + 1;
const cellRank = [...rank], near = nodes.map(() => []), next = nodes.map(() => []), edges = [];
for (let i = 0; i < n; i++) ins[i].forEach((s, arg) => {
const via = [];
let prev = s;
for (let r = rank[s] + 1; r < rank[i]; r++) {
const c = cellRank.length;
cellRank.push(r); near.push([prev]); next.push([]); next[prev].push(c); via.push(c);
prev = c;
}
near[i].push(prev); next[prev].push(i);
edges.push({ from: s, to: i, arg, via });
});
const layers = range(0, depth).map(() => []);
cellRank.forEach((r, c) => layers[r].push(c));
const place = new Array(cellRank.length).fill(0);
const settle = (layer) => layer.forEach((c, k) => { place[c] = k - (layer.length - 1) / 2; });
layers.forEach(settle);
for (let sweep = 0; sweep < 8; sweep++) {
const down = sweep % 2 === 0;
for (const r of down ? range(0, depth) : range(depth - 1, -1, -1)) {
const key = new Map();
for (const c of layers[r]) {
const side = down ? near[c] : next[c];
let total = 0;
for (const m of side) total += place[m];
key.set(c, side.length ? total / side.length : place[c]);
}
layers[r].sort((a, b) => key.get(a) - key.get(b));
settle(layers[r]);
}
}
const spine = new Array(depth).fill(-1);
if (n) {
let at = doc.outputs.length ? index.get(doc.outputs[0]) : n - 1;
for (;;) {
spine[rank[at]] = at;
let best = -1;
for (const s of ins[at]) {
if (rank[s] !== rank[at] - 1) continue;
if (best < 0 || (ins[s].length && !ins[best].length)) best = s;
else if (!ins[s].length && !ins[best].length && nodes[s].role === "param") best = s;
}
if (best < 0) break;
at = best;
}
}
const box = nodes.map((v) => measure(v, vertical)), gap = vertical ? 12 : 24;
const up = (c) => (c >= n ? 16 : vertical ? box[c].w / 2 : anchor(box[c]));
const low = (c) => (c >= n ? 16 : vertical ? box[c].w / 2 : box[c].h - anchor(box[c]));
const cross = new Array(cellRank.length).fill(0);
const pivot = (r) => (spine[r] >= 0 ? layers[r].indexOf(spine[r]) : Math.floor((layers[r].length - 1) / 2));
for (let r = 0; r < depth; r++) {
const layer = layers[r], p = pivot(r);
for (let k = p - 1; k >= 0; k--) { const c = layer[k], d = layer[k + 1]; cross[c] = cross[d] - up(d) - gap - low(c); }
for (let k = p + 1; k < layer.length; k++) { const c = layer[k], d = layer[k - 1]; cross[c] = cross[d] + low(d) + gap + up(c); }
}
for (let sweep = 0; sweep < 4; sweep++) {
for (const r of sweep % 2 === 0 ? range(0, depth) : range(depth - 1, -1, -1)) {
const layer = layers[r], p = pivot(r);
for (const k of [...range(p - 1, -1, -1), ...range(p + 1, layer.length)]) {
const c = layer[k], side = [...near[c], ...next[c]];
if (!side.length || (c < n && !ins[c].length)) continue;
let total = 0;
for (const m of side) total += cross[m];
const want = total / side.length;
if (k < p) { const d = layer[k + 1]; cross[c] = Math.min(want, cross[d] - up(d) - gap - low(c)); }
else { const d = layer[k - 1]; cross[c] = Math.max(want, cross[d] + low(d) + gap + up(c)); }
}
}
}
const texts = edges.map((e) => pillText(nodes[e.to], e.arg, byId));
const room = new Array(depth).fill(vertical ? 34 : 46);
if (!vertical) edges.forEach((e, k) => {
if (texts[k] !== null) { const r = cellRank[e.from]; room[r] = Math.max(room[r], 34 + 6.5 * len(texts[k])); }
});
const start = new Array(depth).fill(0), thick = new Array(depth).fill(0);
for (let r = 0; r < depth; r++) {
for (const c of layers[r]) if (c < n) thick[r] = Math.max(thick[r], vertical ? box[c].h : box[c].w);
if (r + 1 < depth) start[r + 1] = start[r] + thick[r] + room[r];
}
const placed = nodes.map((_, i) => {
const b = box[i], mid = start[rank[i]] + thick[rank[i]] / 2;
const x = vertical ? cross[i] - b.w / 2 : mid - b.w / 2, y = vertical ? mid - b.h / 2 : cross[i] - anchor(b);
return { x, y, ...b, rank: rank[i] };
});
for (const e of edges) {
const s = placed[e.from], t = placed[e.to];
const double = edges.filter((k) => k.from === e.from && k.to === e.to);
const shift = double.length === 1 ? 0 : (e.arg - (double.length - 1) / 2) * 10;
const fwd = [], bwd = [];
for (const c of e.via) {
const a = start[cellRank[c]], z = start[cellRank[c]] + thick[cellRank[c]], l = cross[c] - 8, h = cross[c] + 8;
if (vertical) { fwd.push([l, a], [l, z]); bwd.push([h, a], [h, z]); } else { fwd.push([a, l], [z, l]); bwd.push([a, h], [z, h]); }
}
let f0, f1, b0, b1;
if (vertical) {
const q = 0.25;
f0 = [s.x + s.w * q, s.y + s.h]; f1 = [t.x + t.w * q + shift, t.y];
b0 = [s.x + s.w * (1 - q), s.y + s.h]; b1 = [t.x + t.w * (1 - q) + shift, t.y];
} else {
f0 = [s.x + s.w, s.y + s.vy]; f1 = [t.x, t.y + t.vy + shift / 2];
b0 = [s.x + s.w, s.y + s.gy]; b1 = [t.x, t.y + t.gy + shift / 2];
}
e.f = [f0, ...fwd, f1];
e.b = [b0, ...bwd, b1];
}
placePills(edges, texts, placed, nodes, vertical);
return shifted(placed, edges, vertical);
}
function bezier(p, q, t, vertical) {
const m = vertical ? (p[1] + q[1]) / 2 : (p[0] + q[0]) / 2;
const c1 = vertical ? [p[0], m] : [m, p[1]], c2 = vertical ? [q[0], m] : [m, q[1]];
const u = 1 - t, k0 = u * u * u, k1 = 3 * u * u * t, k2 = 3 * u * t * t, k3 = t * t * t;
return [k0 * p[0] + k1 * c1[0] + k2 * c2[0] + k3 * q[0], k0 * p[1] + k1 * c1[1] + k2 * c2[1] + k3 * q[1]];
}
const TRY = [0.5, 0.42, 0.58, 0.34, 0.66, 0.26, 0.74, 0.18, 0.82];
function placePills(edges, texts, placed, nodes, vertical) {
const taken = [];
edges.forEach((e, i) => {
const text = texts[i];
e.text = text;
if (nodes[e.from].role === "const") { e.px = e.py = e.pw = 0; return; }
const pw = text === null ? 46 : 14 + 6.5 * len(text), pts = e.b, segments = [];
for (let k = 0; k < pts.length; k += 2) segments.push([pts[k], pts[k + 1]]);
const middle = (segments.length - 1) / 2;
const order = segments.map((_, k) => k).sort((a, b) => Math.abs(a - middle) - Math.abs(b - middle));
let best = null, least = Infinity;
for (const k of order) {
for (const t of TRY) {
const [x, y] = bezier(segments[k][0], segments[k][1], t, vertical);
let cost = 0;
for (const [tx, ty, tw, th] of taken) cost += overlap(x, y, pw + 4, 20, tx, ty, tw, th);
for (const b of placed) cost += overlap(x, y, pw, 18, b.x + b.w / 2, b.y + b.h / 2, b.w, b.h);
if (cost < least) { best = [x, y]; least = cost; }
if (cost === 0) break;
}
if (least === 0) break;
}
e.px = best[0]; e.py = best[1]; e.pw = pw;
taken.push([best[0], best[1], pw, 18]);
});
}
function overlap(x, y, w, h, x2, y2, w2, h2) {
const dx = (w + w2) / 2 - Math.abs(x - x2), dy = (h + h2) / 2 - Math.abs(y - y2);
return dx > 0 && dy > 0 ? dx * dy : 0;
}
function shifted(placed, edges, vertical) {
let xs = Infinity, ys = Infinity, xe = -Infinity, ye = -Infinity;
const see = (x, y, X, Y) => { xs = Math.min(xs, x); ys = Math.min(ys, y); xe = Math.max(xe, X); ye = Math.max(ye, Y); };
for (const b of placed) see(b.x, b.y, b.x + b.w, b.y + b.h);
for (const e of edges) {
for (const [x, y] of [...e.f, ...e.b]) see(x, y, x, y);
if (e.pw) see(e.px - e.pw / 2, e.py - 9, e.px + e.pw / 2, e.py + 9);
}
if (xs === Infinity) xs = ys = xe = ye = 0;
const x0 = xs - 8, y0 = ys - 8, move = ([x, y]) => [r2(x - x0), r2(y - y0)];
for (const b of placed) { b.x = r2(b.x - x0); b.y = r2(b.y - y0); }
for (const e of edges) {
e.f = e.f.map(move); e.b = e.b.map(move);
[e.px, e.py] = move([e.px, e.py]);
delete e.via;
}
return { w: r2(xe - x0 + 8), h: r2(ye - y0 + 8), vertical, nodes: placed, edges };
}
const vars = (mode) => {
let out = "";
for (const r of Object.values(TOKENS.roles)) {
out += `--${r.css}:${mode === "dark" ? r.dark : r.light};--${r.css}t:${mode === "dark" ? r.darktint : r.tint};`;
}
for (const r of Object.values(TOKENS.neutral)) out += `--${r.css}:${r[mode]};`;
return out;
};
const css = () => `
div.bp{${vars("light")}font:16px/1.45 ${TOKENS.sans};color:var(--t);background:var(--bg);box-sizing:border-box;
max-width:860px;margin:0 auto;padding:8px;text-align:left;overflow-wrap:anywhere;color-scheme:light;
font-variant-numeric:tabular-nums}
div.bp[data-dark]{${vars("dark")}color-scheme:dark}
div.bp *{box-sizing:border-box}
div.bp p{margin:0;color:inherit;font-size:inherit}
div.bp .ttl{font-size:19px;font-weight:700;line-height:1.3;margin:0 0 6px}
div.bp .sub{color:var(--m);margin:0 0 8px}
div.bp .lgd{display:flex;flex-wrap:wrap;gap:2px 18px;color:var(--m);font-size:14px;margin:0 0 6px;padding:0;list-style:none}
div.bp .lgd span{display:inline-flex;align-items:center;gap:6px}
div.bp .lgd svg{flex:none}
div.bp .stage,div.bp .line,div.bp .ctl,div.bp .tr{contain:layout style}
div.bp .stage{overflow-x:auto;overflow-y:hidden;outline-offset:2px}
div.bp svg{display:block;max-width:none;margin:0}
div.bp svg text{font-family:inherit;fill:var(--t)}
div.bp .i,div.bp svg .i{font-family:${TOKENS.serif};font-style:italic;font-size:1.08em}
div.bp .v{color:var(--v);font-weight:600}div.bp .g{color:var(--g);font-weight:600}
div.bp .l{color:var(--l);font-weight:600}div.bp .p{color:var(--p);font-weight:600}div.bp .m{color:var(--m)}
div.bp .v.i,div.bp .g.i,div.bp .l.i,div.bp .p.i{font-weight:400}
div.bp .bar{text-decoration:overline;text-decoration-thickness:1.5px}
div.bp svg .v{fill:var(--v);font-weight:600}div.bp svg .g{fill:var(--g);font-weight:600}
div.bp svg .l{fill:var(--l);font-weight:600}div.bp svg .p{fill:var(--p)}div.bp svg .m{fill:var(--m)}
div.bp .line{border-left:4px solid var(--ln,var(--g));background:var(--pn);border-radius:0 6px 6px 0;padding:8px 14px;margin:10px 0;min-height:68px}
div.bp .line p:first-child{font-size:18px}
div.bp .line p+p{color:var(--m);font-size:15px}
div.bp .dock{background:var(--bg)}
div.bp .row{display:flex;flex-wrap:wrap;gap:8px;align-items:center;margin:8px 0}
div.bp button,div.bp select,div.bp input[type=number]{font:inherit;font-size:15px;color:var(--t);background:var(--bg);border:1.5px solid var(--o);
border-radius:6px;min-height:36px;padding:4px 12px;margin:0;box-shadow:none;max-width:100%;line-height:1.3;text-transform:none;letter-spacing:0;overflow-wrap:normal}
div.bp button svg{flex:none}div.bp .tr button{white-space:nowrap}
div.bp select{padding-right:26px}
div.bp button{cursor:pointer;display:inline-flex;align-items:center;justify-content:center;gap:6px}
div.bp button:hover{background:var(--pn)}
div.bp button[aria-disabled=true]{color:var(--m);border-style:dotted;cursor:default}
div.bp button[aria-pressed=true]{border-color:var(--t);box-shadow:0 0 0 1.5px var(--t)}
div.bp button.go{background:var(--ln);border-color:var(--ln);color:var(--bg)}
div.bp button.go[aria-disabled=true]{background:var(--bg);color:var(--m);border-color:var(--o)}
div.bp :focus-visible{outline:3px solid var(--t);outline-offset:2px}
div.bp svg:focus-visible,div.bp svg g:focus-visible{outline:none}
div.bp .n{cursor:pointer}div.bp .n.drag{cursor:ew-resize}div.bp .n.now .box{stroke-width:2.6;stroke:var(--t)!important}div.bp .n:focus-visible .box{stroke-width:3.6;stroke:var(--t)!important}
div.bp input[type=number]{width:92px;text-align:right;color:var(--v);padding:4px 6px}
div.bp input[type=range]{-webkit-appearance:none;appearance:none;background:transparent;height:36px;margin:0;min-width:60px;flex:1;width:100%;padding:0;border:0;--f:50%}
div.bp input[type=range]::-webkit-slider-runnable-track{height:6px;border-radius:3px;background:linear-gradient(to right,var(--tk,var(--v)) var(--f),var(--hr) var(--f))}
div.bp input[type=range]::-moz-range-track{height:6px;border-radius:3px;background:linear-gradient(to right,var(--tk,var(--v)) var(--f),var(--hr) var(--f))}
div.bp input.scrub::-webkit-slider-runnable-track{background:linear-gradient(to right,var(--v) calc(var(--s) - 3px),transparent calc(var(--s) - 3px) calc(var(--s) + 3px),var(--g) calc(var(--s) + 3px))}
div.bp input.scrub::-moz-range-track{background:linear-gradient(to right,var(--v) calc(var(--s) - 3px),transparent calc(var(--s) - 3px) calc(var(--s) + 3px),var(--g) calc(var(--s) + 3px))}
div.bp input[type=range]::-webkit-slider-thumb{-webkit-appearance:none;width:22px;height:22px;border-radius:50%;background:var(--bg);border:2.5px solid var(--t);margin-top:-8px;cursor:grab}
div.bp input[type=range]::-moz-range-thumb{width:18px;height:18px;border-radius:50%;background:var(--bg);border:2.5px solid var(--t);cursor:grab}
div.bp .ctls{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,240px),1fr));gap:2px 24px;margin:6px 0}
div.bp .ctl{display:flex;align-items:center;gap:10px;min-width:0}
div.bp .ctl>label,div.bp .ctl>.lab{flex:none;min-width:1.6em;margin:0;font-size:15px;font-weight:400;color:var(--t)}
div.bp .ctl select{flex:1;min-width:0}
div.bp .tr{display:flex;flex-wrap:wrap;gap:8px;align-items:center;margin:8px 0}
div.bp .tr .sc{flex:1 1 220px;min-width:0}
div.bp .tr .sc .ends{display:flex;justify-content:space-between;font-size:14px;color:var(--m);gap:8px}
div.bp .pred{border-top:1px solid var(--hr);padding-top:10px;margin-top:10px}
div.bp .pred .ans{min-height:1.5em;margin-top:6px}
div.bp .note{color:var(--m);font-size:14px;margin:6px 0}
div.bp .err{border-left:4px solid var(--g);background:var(--pn);padding:10px 14px;margin:8px 0}
div.bp details{margin:10px 0 4px;border:0;padding:0;background:none;box-shadow:none}
div.bp summary{cursor:pointer;color:var(--m);padding:8px 0;font-weight:400;background:none;border:0}
div.bp .tbl{overflow-x:auto;max-height:420px;overflow-y:auto}
div.bp table{border-collapse:collapse;font-size:14px;margin:4px 0 12px;background:var(--bg);color:var(--t);width:auto;display:table;border:0;table-layout:auto}
div.bp th,div.bp td{padding:3px 12px 3px 0;text-align:right;border:0;border-bottom:1px solid var(--hr);background:var(--bg);color:var(--t);white-space:nowrap;font-weight:400;vertical-align:baseline;max-width:none}
div.bp th:first-child,div.bp td:first-child{text-align:left}
div.bp thead th{color:var(--m)}
div.bp caption{text-align:left;color:var(--m);caption-side:top;padding:4px 0}
div.bp .vh{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
div.bp .wrap{position:relative}
div.bp .drag{cursor:ew-resize;touch-action:pan-y}
div.bp .cols{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,300px),1fr));gap:12px 20px;align-items:start}
div.bp canvas{display:block;max-width:100%;border:1px solid var(--hr)}
div.bp .fs{font-size:14px;color:var(--m)}
div.bp .chip{border:1.5px solid var(--l);background:var(--lt);color:var(--l);border-radius:12px;padding:0 8px;font-weight:600}
@media (pointer:coarse){div.bp button,div.bp select,div.bp input[type=number],div.bp input[type=range],div.bp summary{min-height:44px}div.bp button{min-width:44px}}
@media (max-width:480px) and (min-height:600px){div.bp .dock{position:sticky;bottom:0;z-index:2;padding-bottom:4px;border-top:1px solid var(--hr)}}
@media (max-width:480px){div.bp .tr button{flex:1 0 auto;padding:4px 6px}div.bp .tr .sc{flex-basis:100%}div.bp .ttl{font-size:18px}}
@media (forced-colors:active){div.bp{--v:CanvasText;--g:CanvasText;--l:CanvasText;--p:CanvasText;--t:CanvasText;--m:CanvasText;--o:CanvasText;--bx:CanvasText;--bg:Canvas;--pn:Canvas;--vt:Canvas;--gt:Canvas;--lt:Canvas;--pt:Canvas;--hr:CanvasText}div.bp svg{forced-color-adjust:none}}
@media print{div.bp,div.bp[data-dark]{${vars("light")}color-scheme:light;max-width:none}div.bp .noprint{display:none!important}div.bp .stage{overflow:visible}div.bp .dock{position:static!important;border:0!important}div.bp .wrap{break-inside:avoid}}
`;
const SVG = "http://www.w3.org/2000/svg";
const fillIn = (el, props, kids) => {
for (const [k, v] of Object.entries(props || {})) {
if (v === null || v === undefined || v === false) continue;
if (k.startsWith("on")) el.addEventListener(k.slice(2), v);
else el.setAttribute(k, v === true ? "" : v);
}
for (const kid of kids.flat(3)) if (kid !== null && kid !== undefined && kid !== false) el.append(kid.nodeType ? kid : document.createTextNode(kid));
return el;
};
const h = (tag, props, ...kids) => fillIn(document.createElement(tag), props, kids);
const s = (tag, props, ...kids) => fillIn(document.createElementNS(SVG, tag), props, kids);
const KEEP = { "data-lm-suppress-shortcuts": "true" };
let serial = 0;
const uid = () => "bp-e" + ++serial;
const rich = (parts) => parts.map((q) => (typeof q === "string" ? q : h("span", { class: q[0] }, q[1])));
const plain = (parts) => parts.map((q) => (typeof q === "string" ? q : (q[0].includes("bar") ? q[1] + "-bar" : q[1]))).join("");
const setText = (el, text) => {
if (el.bpText === text) return;
el.bpText = text;
const t = el.firstChild;
if (t && t.nodeType === 3 && !t.nextSibling) t.data = text; else el.textContent = text;
};
const attr = (el, k, v) => {
const t = String(v), seen = el.bpAttr || (el.bpAttr = {});
if (seen[k] === t) return;
seen[k] = t;
el.setAttribute(k, t);
};
const ICON = {
first: "M2 2h2.5v12H2zM14 2v12L5.5 8z", prev: "M12 2v12L3.5 8z", next: "M4 2v12l8.5-6z", play: "M4 2v12l8.5-6z",
pause: "M3 2h3.5v12H3zM9.5 2H13v12H9.5z", last: "M11.5 2H14v12h-2.5zM2 2v12l8.5-6z",
};
const icon = (name) => s("svg", { width: 16, height: 16, viewBox: "0 0 16 16", "aria-hidden": "true" }, s("path", { d: ICON[name], fill: "currentColor" }));
function button(text, on, props = {}) {
const b = h("button", { type: "button", ...KEEP, ...props, onclick: () => b.getAttribute("aria-disabled") !== "true" && on(b) }, text);
return b;
}
const enable = (b, yes) => attr(b, "aria-disabled", yes ? "false" : "true");
const LEGEND = {
value: ["value", () => s("path", { d: "M2 3v10l9-5z", style: "fill:var(--v)" })],
gradient: ["gradient of the loss", () => s("path", { d: "M11 3v10L2 8z", style: "fill:var(--g)" })],
local: ["local derivative", null],
parameter: ["parameter", () => [s("rect", { x: 1, y: 1.5, width: 13, height: 13, fill: "none", "stroke-width": 1.5, style: "stroke:var(--p)" }), s("rect", { x: 1, y: 1.5, width: 4, height: 13, style: "fill:var(--p)" })]],
data: ["data", () => s("rect", { x: 1, y: 1.500, width: 13, height: 13, rx: 4, fill: "none", "stroke-width": 1.5, style: "stroke:var(--m)" })],
};
const legend = (names) => h("p", { class: "lgd" }, names.map((k) => h("span", {}, k === "local" ? h("span", { class: "chip", "aria-hidden": "true" }, "×k")
: s("svg", { width: 16, height: 16, "aria-hidden": "true" }, LEGEND[k][1]()), LEGEND[k][0])));
function dark(el) {
const t = document.documentElement.dataset.theme;
if (t === "dark" || t === "light") return t === "dark";
const lab = document.body && document.body.dataset.jpThemeLight;
if (lab) return lab === "false";
return typeof matchMedia === "function" && matchMedia("(prefers-color-scheme: dark)").matches;
}
const calm = () => typeof matchMedia === "function" && matchMedia("(prefers-reduced-motion: reduce)").matches;
function frame(ctx, { title, sub, legend: names }) {
const id = uid();
const live = h("div", { class: "vh", "aria-live": "polite", role: "status" });
const main = h("div", { class: "wrap" });
const root = h("div", { class: "bp", role: "group", "aria-labelledby": id }, h("style", {}, css()),
main, live);
main.append(h("p", { class: "ttl", id }, title));
if (sub) main.append(h("p", { class: "sub" }, sub));
if (names) main.append(legend(names));
const theme = () => { root.toggleAttribute("data-dark", dark(root)); ctx.onTheme?.(); };
theme();
const see = new MutationObserver(theme);
see.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
if (document.body) see.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light"] });
const mq = matchMedia("(prefers-color-scheme: dark)");
mq.addEventListener("change", theme);
ctx.cleanup.push(() => { see.disconnect(); mq.removeEventListener("change", theme); });
ctx.el.append(root);
ctx.say = (t) => say(t);
let timer = 0;
const say = (text) => { clearTimeout(timer); timer = setTimeout(() => setText(live, text), 150); };
ctx.cleanup.push(() => clearTimeout(timer));
return { root, main, say, add: (...k) => { main.append(...k); return k[0]; } };
}
function line(kind = "g") {
const a = h("p"), b = h("p"), el = h("div", { class: "line", style: `--ln:var(--${kind})` }, a, b);
return {
el,
set(parts, sentence = "", color = null) {
a.replaceChildren(...rich(parts));
if (Array.isArray(sentence)) { b.replaceChildren(...rich(sentence)); b.bpText = null; } else setText(b, sentence);
if (color && color !== kind) el.style.setProperty("--ln", `var(--${(kind = color)})`);
return plain(parts) + ". " + (Array.isArray(sentence) ? plain(sentence) : sentence);
},
};
}
const span = (x, lo, hi) => Math.max(0, Math.min(100, (100 * (x - lo)) / (hi - lo || 1))) + "%";
function slider({ label, cls = "i", aria, min, max, step, value, on, log = false, box = true, show, kind }) {
const to = log ? Math.log10 : (x) => x, from = log ? (x) => 10 ** x : (x) => x;
const id = uid(), name = aria || label;
const r = h("input", { type: "range", id, min: to(min), max: to(max), step: log ? 0.05 : step, "aria-label": name, ...KEEP, style: kind ? `--tk:var(--${kind})` : null });
const n = box ? h("input", { type: "number", step: "any", "aria-label": name + ", exact value", ...KEEP }) : h("span", { class: "v", style: "min-width:56px;text-align:right" });
let last = value;
const put = (x, from2) => {
if (from2 !== r) r.value = to(Math.max(min, Math.min(max, x)));
r.style.setProperty("--f", span(to(x), to(min), to(max)));
r.setAttribute("aria-valuetext", show ? show(x) : fmt(x));
if (!box) setText(n, show ? show(x) : fmt(x));
else if (from2 !== n) n.value = log ? Number(x.toPrecision(3)) : Number(x.toPrecision(5));
};
r.addEventListener("input", () => { const x = from(+r.value), y = log ? Number(x.toPrecision(3)) : x; last = y; put(y, r); on(y); });
if (box) {
const typed = () => { const x = Number(n.value), ok = n.value !== "" && Number.isFinite(x) && (!log || x > 0); if (ok && x !== last) { last = x; put(x, n); on(x); } return ok; };
n.addEventListener("input", typed);
n.addEventListener("change", () => { if (!typed()) put(last); });
}
const set = (x) => { last = x; put(x); };
set(value);
return { el: h("div", { class: "ctl" }, h("label", { for: id, class: cls }, label), r, n), set, input: r, box: n };
}
function choice({ label, options, value, on }) {
const id = uid();
const el = h("select", { id, ...KEEP, onchange: () => on(el.value) }, options.map((o) => { const [v, t] = Array.isArray(o) ? o : [o, o]; return h("option", { value: v }, t); }));
el.value = value;
return { el: h("div", { class: "ctl" }, h("label", { for: id }, label), el), set: (v) => { el.value = v; }, input: el };
}
function transport(ctx, { total, split, get, set, ends }) {
let timer = 0;
const stop = () => { clearInterval(timer); timer = 0; play.replaceChildren(icon("play"), "Play"); };
const go = (k, anim) => set(Math.max(0, Math.min(total, k)), anim);
const first = button(icon("first"), () => { stop(); go(0); }, { "aria-label": "To the start" });
const prev = button(icon("prev"), () => { stop(); go(get() - 1); }, { "aria-label": "One step back" });
const next = button([icon("next"), "Step"], () => { stop(); go(get() + 1, true); }, { class: "go" });
const toggle = () => {
if (timer) return stop();
if (get() >= total) go(0);
play.replaceChildren(icon("pause"), "Pause");
timer = setInterval(() => { if (!play.isConnected || get() >= total) stop(); else go(get() + 1, true); }, 800);
};
const play = button([icon("play"), "Play"], toggle);
const last = button(icon("last"), () => { stop(); go(total); }, { "aria-label": "To the end" });
const scrub = h("input", { type: "range", min: 0, max: total, step: 1, class: "scrub", "aria-label": "Step", ...KEEP, oninput: () => { stop(); go(+scrub.value); } });
scrub.style.setProperty("--s", span(split, 0, total));
const a = h("span"), b = h("span");
ctx.cleanup.push(() => clearInterval(timer));
return {
el: h("div", { class: "tr noprint" }, first, prev, next, play, last, h("div", { class: "sc" }, scrub, h("div", { class: "ends" }, a, b))),
toggle, stop, go,
paint() {
const k = get();
if (+scrub.value !== k) scrub.value = k;
enable(first, k > 0); enable(prev, k > 0); enable(next, k < total); enable(last, k < total);
attr(next, "style", `--ln:var(--${k < split ? "v" : "g"})`);
const [ta, tb] = ends(k);
setText(a, ta); setText(b, tb);
scrub.setAttribute("aria-valuetext", k <= split && k < total ? ta : tb);
},
};
}
function predict(ctx, { ask, more = true, act = "Try it" }) {
const q = h("p"), opts = h("div", { class: "row" }), ans = h("p", { class: "ans" });
const el = h("div", { class: "pred noprint" }, q, opts, ans);
let round = 0;
function show() {
const cur = ask(round);
if (!cur) { el.hidden = true; return; }
el.hidden = false;
q.replaceChildren(h("b", {}, "Predict. "), ...rich(cur.parts));
ans.replaceChildren();
let mine = -1, done = false;
const bs = cur.options.map((t, i) => button(t, () => {
if (done) return;
mine = i;
bs.forEach((b, j) => attr(b, "aria-pressed", j === i));
enable(go, true);
}, { "aria-pressed": "false" }));
const go = button(act, () => {
if (done || mine < 0) return;
done = true;
const r = cur.commit();
ans.replaceChildren(h("b", {}, r.right === mine ? "Yes. " : `No: ${cur.options[r.right].toLowerCase()}. `), ...rich(r.parts));
ctx.say(plain([r.right === mine ? "Yes. " : "No. ", ...r.parts]));
enable(go, false);
});
enable(go, false);
opts.replaceChildren(...bs, go, ...(more ? [button("Another", () => { round++; show(); })] : []));
}
show();
return { el, show };
}
function table(tables) {
const body = h("div", { class: "tbl", tabindex: 0, role: "region", "aria-label": "All numbers as a table", ...KEEP });
const el = h("details", { ontoggle: () => paint() }, h("summary", { ...KEEP }, "All numbers as a table"), body);
function paint() {
if (!el.open) return;
body.replaceChildren(...tables().map(({ caption, head, rows }) => h("table", {}, caption && h("caption", {}, caption),
h("thead", {}, h("tr", {}, head.map((c) => h("th", { scope: "col" }, c)))),
h("tbody", {}, rows.map((r) => h("tr", {}, r.map((c) => (c && c.exact !== undefined ? h("td", { "data-exact": c.exact, class: c.cls }, c.text) : h("td", {}, c)))))))));
}
return { el, paint };
}
function framed(ctx, f) {
let asked = 0;
ctx.cleanup.push(() => cancelAnimationFrame(asked));
return () => { if (!asked) asked = requestAnimationFrame(() => { asked = 0; f(); }); };
}
const widthOf = (el) => el.clientWidth || 720;
function onWidth(ctx, el, f) {
let w = -1;
const ro = new ResizeObserver(() => { const k = el.clientWidth; if (k && k !== w) { w = k; f(k); } });
ro.observe(el);
ctx.cleanup.push(() => ro.disconnect());
}
function axes({ w, h: H, x, y, logx, logy, xlabel, ylabel, pad = [12, 14, 40, 56], xticks, yticks, xfmt, yfmt }) {
const [pt, pr, pb, pl] = pad, g = s("g");
const fx = logx ? Math.log10 : (v) => v, fy = logy ? Math.log10 : (v) => v;
const X = (v) => pl + ((fx(v) - fx(x[0])) / (fx(x[1]) - fx(x[0]))) * (w - pl - pr);
const Y = (v) => H - pb - ((fy(v) - fy(y[0])) / (fy(y[1]) - fy(y[0]))) * (H - pt - pb);
const ticks = (lo, hi, log, n) => {
if (log) { const a = Math.ceil(Math.log10(lo) - 1e-9), b = Math.floor(Math.log10(hi) + 1e-9), k = Math.max(1, Math.ceil((b - a) / n)); const o = []; for (let e = a; e <= b; e += k) o.push(10 ** e); return o; }
const raw = (hi - lo) / n, mag = 10 ** Math.floor(Math.log10(raw)), st = [1, 2, 5, 10].find((m) => m * mag >= raw) * mag, o = [];
for (let v = Math.ceil(lo / st - 1e-9) * st; v <= hi + 1e-9 * st; v += st) o.push(Math.abs(v) < 1e-12 ? 0 : Number(v.toPrecision(12)));
return o;
};
const lab = (v, log) => (log ? "10" + sup10(Math.round(Math.log10(v))) : String(v).replace("-", "−"));
const xt = xticks || ticks(x[0], x[1], logx, Math.max(2, Math.floor(w / 90))), yt = yticks || ticks(y[0], y[1], logy, Math.max(2, Math.floor(H / 50)));
for (const v of xt) g.append(s("path", { d: `M${X(v)} ${pt}V${H - pb}`, style: "stroke:var(--hr)", fill: "none" }), s("text", { x: X(v), y: H - pb + 16, "text-anchor": "middle", class: "m", "font-size": 12 }, xfmt ? xfmt(v) : lab(v, logx)));
for (const v of yt) g.append(s("path", { d: `M${pl} ${Y(v)}H${w - pr}`, style: "stroke:var(--hr)", fill: "none" }), s("text", { x: pl - 6, y: Y(v) + 4, "text-anchor": "end", class: "m", "font-size": 12 }, yfmt ? yfmt(v) : lab(v, logy)));
g.append(s("path", { d: `M${pl} ${pt}V${H - pb}H${w - pr}`, style: "stroke:var(--m)", fill: "none" }));
if (xlabel) g.append(s("text", { x: (pl + w - pr) / 2, y: H - 6, "text-anchor": "middle", class: "m", "font-size": 13 }, xlabel));
if (ylabel) g.append(s("text", { x: 0, y: 0, transform: `translate(12 ${(pt + H - pb) / 2}) rotate(-90)`, "text-anchor": "middle", class: "m", "font-size": 13 }, ylabel));
return { g, X, Y, inner: [pl, pt, w - pr, H - pb] };
}
const SUPS = "⁰¹²³⁴⁵⁶⁷⁸⁹";
const sup10 = (n) => (n < 0 ? "⁻" : "") + [...String(Math.abs(n))].map((c) => SUPS[+c]).join("");
const path = (pts) => pts.map(([x, y], i) => `${i ? "L" : "M"}${x.toFixed(2)} ${y.toFixed(2)}`).join("");
function stateOf(ctx, defaults, changed) {
const st = { ...defaults }, copy = (v) => (Array.isArray(v) ? v.map(copy) : v);
const keys = Object.keys(defaults);
for (const k of keys) { const v = ctx.get(k); if (v !== undefined && v !== null) st[k] = copy(v); }
st.put = (k, v) => { st[k] = copy(v); ctx.set(k, copy(v)); changed(k); };
for (const k of keys) ctx.on(k, () => { const v = ctx.get(k); if (v !== undefined && v !== null && JSON.stringify(v) !== JSON.stringify(st[k])) { st[k] = copy(v); changed(k); } });
return st;
}
function stepKeys(F, { next, prev, first, last, play }) {
F.root.addEventListener("keydown", (ev) => {
if (ev.ctrlKey || ev.metaKey || ev.altKey || /^(INPUT|SELECT|SUMMARY)$/.test(ev.target.tagName)) return;
const f = { n: next, N: next, p: prev, P: prev, Home: first, End: last, " ": ev.target.tagName === "BUTTON" ? null : play }[ev.key];
if (f) { f(); ev.preventDefault(); ev.stopPropagation(); }
});
}
const chartOf = (w, H, label, ...kids) => s("svg", { viewBox: `0 0 ${w} ${H}`, width: w, height: H, role: "img", "aria-label": label }, kids);
const MAX_ELEMENTS = 400, MAX_NODES = 60;
const flat = (v, out = []) => { if (Array.isArray(v)) for (const k of v) flat(k, out); else out.push(num(v)); return out; };
const tensorOf = (shape, value) => T(shape, Float64Array.from(flat(value)));
function checkDoc(doc) {
if (!doc || !Array.isArray(doc.nodes) || !Array.isArray(doc.outputs)) throw new Error("the graph document has no list of nodes and outputs");
const seen = new Map();
for (const v of doc.nodes) {
if (!v || typeof v.id !== "number" || !Array.isArray(v.inputs) || !Array.isArray(v.shape)) throw new Error("a node of the graph document lacks id, inputs or shape");
if (seen.has(v.id)) throw new Error(`two nodes have the id ${v.id}`);
for (const s of v.inputs) if (!seen.has(s)) throw new Error(`node “${v.label}” uses node ${s}, which does not come before it`);
if (v.op !== "leaf" && !Object.hasOwn(OPS, v.op)) throw new Error(`this page does not know the operation “${v.op}” (node “${v.label}”)`);
if (v.op === "leaf") {
if (v.value === undefined) throw new Error(`leaf “${v.label}” has no value`);
const have = flat(v.value).length;
if (have !== size(v.shape)) throw new Error(`leaf “${v.label}” has ${have} numbers for shape ${shapeText(v.shape)}`);
}
seen.set(v.id, v);
}
for (const o of doc.outputs) if (!seen.has(o)) throw new Error(`output ${o} is not a node`);
return doc;
}
const elements = (doc) => doc.nodes.reduce((n, v) => n + size(v.shape), 0);
class Graph {
constructor(doc) {
this.doc = checkDoc(doc);
this.nodes = doc.nodes;
const at = new Map(doc.nodes.map((v, i) => [v.id, i]));
this.at = at;
this.ins = doc.nodes.map((v) => v.inputs.map((s) => at.get(s)));
this.out = at.get(doc.outputs[0]);
this.vals = doc.nodes.map((v) => (v.op === "leaf" ? tensorOf(v.shape, v.value) : null));
this.active = [];
doc.nodes.forEach((v, i) => { this.active[i] = v.op === "leaf" ? v.role !== "const" && v.role !== "aux" : this.ins[i].some((s) => this.active[s]); });
this.steps = [];
doc.nodes.forEach((v, i) => { if (v.op !== "leaf") this.steps.push({ kind: "f", node: i }); });
this.split = this.steps.length;
const reach = new Set([this.out]);
this.order = [];
for (let i = doc.nodes.length - 1; i >= 0; i--) {
if (!reach.has(i) || doc.nodes[i].op === "leaf") continue;
this.order.push(i);
this.ins[i].forEach((s, arg) => { if (this.active[s]) { reach.add(s); this.steps.push({ kind: "b", node: i, arg, to: s }); } });
}
this.reach = reach;
this.parts = doc.nodes.map(() => []);
this.steps.forEach((st, k) => { if (st.kind === "b") this.parts[st.to].push(k); });
this.firstUse = doc.nodes.map((_, i) => this.steps.findIndex((st) => st.kind === "f" && st.node === i) + 1);
}
set(i, tensor) { this.vals[i] = tensor; }
forward() {
for (let i = 0; i < this.nodes.length; i++) {
const v = this.nodes[i];
if (v.op !== "leaf") this.vals[i] = OPS[v.op].f(this.ins[i].map((s) => this.vals[s]), v.params || {});
}
return this.vals[this.out];
}
backward() {
const g = this.nodes.map(() => null);
g[this.out] = full(this.vals[this.out].s, 1);
this.contrib = new Array(this.steps.length).fill(null);
let k = this.split;
for (const i of this.order) {
const v = this.nodes[i], xs = this.ins[i].map((s) => this.vals[s]);
const cts = OPS[v.op].b(g[i], xs, this.vals[i], v.params || {});
this.ins[i].forEach((s, arg) => {
if (!this.active[s]) return;
const c = cts[arg];
this.contrib[k++] = c;
g[s] = g[s] ? add(g[s], c) : c;
});
}
this.grads = g.map((t, i) => t || full(this.vals[i].s, 0));
return this.grads;
}
run() { this.forward(); this.backward(); return this; }
local(i, arg) {
const v = this.nodes[i], xs = this.ins[i].map((s) => this.vals[s]);
return OPS[v.op].b(scalar(1), xs, this.vals[i], v.params || {})[arg].d[0];
}
problem() {
const bad = (t) => t.d.some((x) => !Number.isFinite(x));
const nan = (t) => t.d.some((x) => x !== x);
for (let i = 0; i < this.nodes.length; i++) {
const t = this.vals[i];
if (!bad(t)) continue;
const v = this.nodes[i], what = nan(t) ? "NaN (not a number)" : "infinite";
if (v.op === "leaf") return { node: i, back: false, text: `${v.label} is ${what}, and everything computed from it inherits that. Give ${v.label} a finite value.` };
const w = words(v.op).sym, names = v.inputs.map((s) => this.nodes[this.at.get(s)].label).join(", ");
return { node: i, back: false, text: `${v.label} is ${what}: ${w} of ${names} left the range of floating point numbers (largest: about 1.8×10³⁰⁸), or has no value there.` };
}
for (let k = this.split; k < this.steps.length; k++) {
if (!bad(this.contrib[k])) continue;
const st = this.steps[k], v = this.nodes[st.node], to = this.nodes[st.to];
const what = nan(this.contrib[k]) ? "NaN (not a number)" : "infinite";
return { node: st.to, back: true, text: `The values are finite, but the gradient that ${v.label} hands to ${to.label} is ${what}: the local derivative of ${words(v.op).sym} has no finite value there, or ∞ met 0.` };
}
return null;
}
}
function cost(graph, st) {
const v = graph.nodes[st.node], n = size(v.shape);
if (v.op === "matmul") return n * (graph.vals[graph.ins[st.node][0]].s.at(-1) ?? 1);
if (["add", "subtract", "negative", "sum", "reshape", "transpose", "broadcast_to"].includes(v.op)) return 0;
return st.kind === "b" || v.op === "multiply" ? n : 0;
}
const rms = (t) => { let q = 0; for (const x of t.d) q += x * x; return t.d.length ? Math.sqrt(q / t.d.length) : 0; };
const thickness = (m) => (m > 0 && Number.isFinite(m) ? Math.max(0.8, Math.min(4.8, 2.6 + 0.75 * Math.log10(m))) : m === 0 ? 0.8 : 4.8);
function pathOf(pts, vertical) {
let d = `M${pts[0][0]} ${pts[0][1]}`;
for (let k = 0; k + 1 < pts.length; k++) {
const [p, q] = [pts[k], pts[k + 1]];
if (k % 2) d += `L${q[0]} ${q[1]}`;
else if (vertical) { const m = (p[1] + q[1]) / 2; d += `C${p[0]} ${m} ${q[0]} ${m} ${q[0]} ${q[1]}`; }
else { const m = (p[0] + q[0]) / 2; d += `C${m} ${p[1]} ${m} ${q[1]} ${q[0]} ${q[1]}`; }
}
return d;
}
function hinton(t, x, y) {
const [rows, cols, cell] = grid(t.s);
let most = 0;
for (const v of t.d) if (Number.isFinite(v)) most = Math.max(most, Math.abs(v));
let pos = "", neg = "", bad = "";
for (let k = 0; k < t.d.length; k++) {
const v = t.d[k], cx = x + ((k % cols) + 0.5) * cell, cy = y + (Math.floor(k / cols) + 0.5) * cell;
if (!Number.isFinite(v)) { const q = cell / 2 - 1; bad += `M${cx - q} ${cy - q}l${2 * q} ${2 * q}m0 ${-2 * q}l${-2 * q} ${2 * q}`; continue; }
const q = Math.max(0.8, (cell - 1.5) * Math.sqrt(most ? Math.abs(v) / most : 0)) / 2;
if (v < 0) { const k2 = Math.max(0.6, q - 0.6); neg += `M${cx - k2} ${cy - k2}h${2 * k2}v${2 * k2}h${-2 * k2}z`; } else pos += `M${cx - q} ${cy - q}h${2 * q}v${2 * q}h${-2 * q}z`;
}
return { pos, neg, bad, w: cols * cell, h: rows * cell };
}
function summary(doc) {
const ops = new Map();
for (const v of doc.nodes) if (v.op !== "leaf") ops.set(v.op, (ops.get(v.op) || 0) + 1);
return [...ops].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, 8).map(([k, n]) => `${n} × ${k}`).join(", ");
}
function graphFigure(ctx) {
const spec = ctx.spec, doc = checkDoc(spec.doc);
const F = frame(ctx, { title: spec.title, sub: spec.sub, legend: ["value", "gradient", "local", "parameter", "data"] });
const big = elements(doc);
if (big > MAX_ELEMENTS || doc.nodes.length > MAX_NODES) {
F.add(h("div", { class: "err" }, h("p", {}, h("b", {}, "This graph is too large to draw. "), `It has ${doc.nodes.length} nodes holding ${fmtCount(big)} numbers; a picture stays readable up to ${MAX_NODES} nodes and ${MAX_ELEMENTS} numbers.`),
h("p", {}, "Operations: " + summary(doc) + ".")));
const g0 = new Graph(doc).run();
const tb = table(() => [{ head: ["name", "operation", "shape", "value (RMS)", "gradient (RMS)"], rows: doc.nodes.map((v, i) => [v.label, v.op, shapeText(v.shape), fmt(rms(g0.vals[i])), fmt(rms(g0.grads[i]))]) }]);
F.add(tb.el);
return;
}
const G = new Graph(doc), N = doc.nodes, total = G.steps.length, byId = new Map(N.map((v) => [v.id, v]));
const scalarOnly = N.every((v) => !v.shape.length);
const leaves = (spec.leaves || []).map((lf) => ({ ...lf, i: G.at.get(lf.id), node: byId.get(lf.id) }));
const start = leaves.map((lf) => G.vals[lf.i]);
for (const lf of leaves) { const v = ctx.get(lf.trait); if (v !== undefined && v !== null) G.set(lf.i, tensorOf(lf.node.shape, v)); }
const clampStep = (k) => (typeof k === "number" && k >= 0 ? Math.min(total, k) : total);
let step = clampStep(ctx.get("step")), chosen = -1, L = null, view = null, focus = G.out;
const locals = new Array(total).fill(0), partial = new Array(total).fill(null);
const stage = h("div", { class: "stage" }), say = line();
F.add(stage);
const tr = transport(ctx, {
total, split: G.split, get: () => step, set: (k, anim) => go(k, anim),
ends: (k) => {
const f = Math.min(k, G.split), b = Math.max(0, k - G.split), n = total - G.split;
if (scalarOnly) return [`forward ${f}/${G.split}`, `backward ${b}/${n}`];
const c = (from, to) => fmtCount(G.steps.slice(from, to).reduce((a, st) => a + cost(G, st), 0));
return [`forward ${f}/${G.split}, ${c(0, f)} mult.`, `backward ${b}/${n}, ${c(G.split, G.split + b)} mult.`];
},
});
F.add(h("div", { class: "dock" }, say.el, tr.el));
const setLeaf = (lf, t, push = true) => { G.set(lf.i, t); if (push) ctx.set(lf.trait, lf.node.shape.length ? Array.from(t.d) : t.d[0]); dirty(); };
const ctl = h("div", { class: "ctls noprint" });
for (const lf of leaves) {
const [lo, hi, st] = lf.range, kind = lf.node.role === "param" ? "p i" : "i", name = lf.node.label;
if (!lf.node.shape.length) {
lf.ui = slider({ label: name, cls: kind, aria: name, min: lo, max: hi, step: st, value: G.vals[lf.i].d[0], on: (x) => setLeaf(lf, scalar(x)) });
ctl.append(lf.ui.el);
} else if (size(lf.node.shape) && size(lf.node.shape) <= 100) {
lf.at = 0;
const names = Array.from({ length: size(lf.node.shape) }, (_, k) => { const ix = []; let q = k; for (let a = lf.node.shape.length - 1; a >= 0; a--) { ix.unshift(q % lf.node.shape[a]); q = Math.floor(q / lf.node.shape[a]); } return `${name}[${ix.join(", ")}]`; });
const pick = h("select", { "aria-label": `Which entry of ${name}`, ...KEEP, style: "flex:0 0 auto", onchange: () => { lf.at = +pick.value; lf.ui.set(G.vals[lf.i].d[lf.at]); dirty(); } }, names.map((t, k) => h("option", { value: k }, t)));
lf.ui = slider({ label: "", aria: `entry of ${name}`, min: lo, max: hi, step: st, value: G.vals[lf.i].d[0], on: (x) => { const t = T(G.vals[lf.i].s, G.vals[lf.i].d.slice()); t.d[lf.at] = x; setLeaf(lf, t); } });
lf.ui.el.firstChild.replaceWith(pick);
ctl.append(lf.ui.el);
}
ctx.on(lf.trait, () => { const v = ctx.get(lf.trait); if (v === undefined || v === null) return; G.set(lf.i, tensorOf(lf.node.shape, v)); lf.ui?.set(G.vals[lf.i].d[lf.at || 0]); dirty(); });
}
if (leaves.length) F.add(ctl, h("div", { class: "row noprint" }, button("Reset", () => { leaves.forEach((lf, k) => { setLeaf(lf, start[k]); lf.ui?.set(start[k].d[lf.at || 0]); }); go(total); }),
h("span", { class: "fs" }, "Drag a leaf sideways. Keys: arrows move, + and − nudge, N and P step, Space plays.")));
ctx.on("step", () => { step = clampStep(ctx.get("step")); dirty(); });
const ask = predict(ctx, { ask: question });
F.add(ask.el);
const tab = table(rowsOf);
F.add(tab.el);
function build(vertical) {
L = vertical ? tall : flat;
const mark = uid(), parts = [], edges = L.edges.map((e, k) => {
const back = N[e.from].role !== "const" && G.active[e.from] && G.reach.has(e.to) && G.reach.has(e.from);
const f = s("path", { d: pathOf(e.f, vertical), fill: "none", "stroke-width": 1.75, style: "stroke:var(--v)" });
const [fx, fy] = e.f.at(-1), [bx, by] = e.b[0];
const fa = s("path", { d: vertical ? `M${fx - 5} ${fy - 8}L${fx} ${fy}L${fx + 5} ${fy - 8}z` : `M${fx - 8} ${fy - 5}L${fx} ${fy}L${fx - 8} ${fy + 5}z`, style: "fill:var(--v)" });
const out = { e, k, f, fa, back };
parts.push(f, fa);
if (back) {
out.b = s("path", { d: pathOf([...e.b].reverse(), vertical), fill: "none", "stroke-dasharray": "5 3.5", style: "stroke:var(--g)" });
out.ba = s("path", { d: vertical ? `M${bx - 5} ${by + 9}L${bx} ${by + 1}L${bx + 5} ${by + 9}z` : `M${bx + 9} ${by - 5}L${bx + 1} ${by}L${bx + 9} ${by + 5}z`, style: "fill:var(--g)" });
out.pt = s("text", { x: e.px, y: e.py + 4, "text-anchor": "middle", "font-size": 12, class: "l" }, e.text || "");
out.pr = s("rect", { x: e.px - e.pw / 2, y: e.py - 9, width: e.pw, height: 18, rx: 9, "stroke-width": 1.25, style: "fill:var(--lt);stroke:var(--l)" });
out.pill = s("g", {}, out.pr, out.pt);
out.step = G.steps.findIndex((st) => st.kind === "b" && st.node === e.to && st.arg === e.arg);
parts.push(out.b, out.ba);
}
return out;
});
const boxes = L.nodes.map((b, i) => drawNode(i, b, mark));
const dot = s("circle", { r: 5, style: "fill:var(--t)", visibility: "hidden" });
const svg = s("svg", { viewBox: `0 0 ${L.w} ${L.h}`, role: "group", "aria-label": "Computation graph. " + (spec.desc || "Arrow keys move between nodes."), onkeydown: keys },
parts, edges.map((o) => o.pill), boxes.map((b) => b.g), dot);
view = { svg, edges, boxes, dot };
stage.replaceChildren(svg);
}
function drawNode(i, b, mark) {
const v = N[i], con = v.role === "const", leaf = v.op === "leaf", clip = `${mark}-${i}`;
const o = { leaf, con };
const round = con ? 12 : leaf ? (v.role === "param" ? 2 : 14) : 7;
o.box = s("rect", { class: "box", x: b.x, y: b.y, width: b.w, height: b.h, rx: round, style: `fill:var(--bg);stroke:var(--${leaf ? (v.role === "param" ? "p" : "m") : "bx"})`, "stroke-width": 1.5 });
const g = o.g = s("g", { class: "n", "data-node": v.label });
g.append(o.box);
if (con) { g.append(s("text", { x: b.x + b.w / 2, y: b.y + 16.5, "text-anchor": "middle", "font-size": 12.5, class: "m" }, v.text)); return o; }
const row = (y, kind) => s("rect", { x: b.x + 1, y, width: b.w - 2, height: b.row - (kind === "g" ? 1 : 0), "clip-path": `url(#${clip})`, style: `fill:var(--${kind}t)` });
const gy = b.y + b.head + b.row, mid = b.x + b.w / 2;
o.vr = row(b.y + b.head, "v"); o.gr = row(gy, "g");
g.append(s("clipPath", { id: clip }, s("rect", { x: b.x + 1, y: b.y + 1, width: b.w - 2, height: b.h - 2, rx: Math.max(0, round - 1) })), o.vr, o.gr);
if (v.role === "param") g.append(s("rect", { x: b.x, y: b.y, width: 5, height: b.h, style: "fill:var(--p)" }));
const V = L.vertical, ry = b.y + b.head + b.row / 2, qy = gy + b.row / 2;
o.vt = s("path", { d: V ? `M${b.x + b.w - 14} ${ry - 3}h8l-4 6z` : `M${b.x + b.w - 9} ${ry - 4}v8l6-4z`, style: "fill:var(--v)" });
o.gt = s("path", { d: V ? `M${b.x + 8} ${qy + 3}h8l-4-6z` : `M${b.x + (v.role === "param" ? 13 : 9)} ${qy - 4}v8l-6-4z`, style: "fill:var(--g)" });
g.append(o.vt, o.gt);
const w = words(v.op), kind = v.role === "param" ? "i p" : "i";
if (leaf) g.append(s("text", { x: mid + (v.role === "param" ? 2 : 0), y: b.y + 19, "text-anchor": "middle", "font-size": 17, class: kind }, v.label));
else {
if (isCurve(v)) { o.curve = s("path", { fill: "none", "stroke-width": 1.4, style: "stroke:var(--m)" }); o.tan = s("path", { fill: "none", "stroke-width": 2.5, style: "stroke:var(--l)" }); o.pt = s("circle", { r: 3.2, style: "fill:var(--v)" }); g.append(s("title", {}, w.sym), o.curve, o.tan, o.pt); }
else g.append(s("text", { x: b.x + 8, y: b.y + 19, "font-size": 13 }, w.sym));
g.append(s("text", { x: b.x + b.w - 8, y: b.y + 19, "text-anchor": "end", "font-size": 17, class: "i" }, v.label));
}
if (v.shape.length) {
g.append(s("text", { x: mid, y: b.y + 36, "text-anchor": "middle", "font-size": 12, class: "m" }, shapeText(v.shape)));
for (const k of ["v", "g"]) { o[k + "pos"] = s("path", { style: `fill:var(--${k})` }); o[k + "neg"] = s("path", { fill: "none", "stroke-width": 1.2, style: `stroke:var(--${k})` }); o[k + "bad"] = s("path", { fill: "none", "stroke-width": 1.2, style: "stroke:var(--t)" }); g.append(o[k + "pos"], o[k + "neg"], o[k + "bad"]); }
const [r, c, cell] = grid(v.shape);
o.hx = mid - (c * cell) / 2 + (v.role === "param" ? 2 : 0); o.hv = b.y + b.head + 5; o.hg = gy + 5;
} else {
const tx = mid + (v.role === "param" ? 3 : 0);
o.vx = s("text", { x: tx - (V ? 6 : 3), y: b.y + b.head + 13.5, "text-anchor": "middle", "font-size": 12, class: "v" });
o.gx = s("text", { x: tx + (V ? 6 : 3), y: gy + 13.5, "text-anchor": "middle", "font-size": 12, class: "g" });
g.append(o.vx, o.gx);
}
o.wait = s("rect", { x: b.x + 3, y: gy + 1, width: b.w - 6, height: b.row - 3, rx: 3, fill: "none", "stroke-dasharray": "3 2.5", "stroke-width": 1.2, style: "stroke:var(--g)", visibility: "hidden" });
g.append(o.wait);
const lf = leaves.find((q) => q.i === i);
for (const [k, val] of Object.entries({ role: "button", tabindex: i === focus ? 0 : -1, ...KEEP })) g.setAttribute(k, val);
g.addEventListener("focus", () => { if (focus !== i) { view.boxes[focus]?.g.setAttribute("tabindex", -1); focus = i; g.setAttribute("tabindex", 0); } });
g.addEventListener("click", () => { if (!o.moved) select(i); o.moved = false; });
if (lf && lf.ui) { g.classList.add("drag"); draggable(g, lf, o); }
return o;
}
function draggable(g, lf, o) {
let from = null;
g.addEventListener("pointerdown", (ev) => { if (ev.button) return; from = { x: ev.clientX, v: G.vals[lf.i].d[lf.at || 0] }; o.moved = false; try { g.setPointerCapture(ev.pointerId); } catch { /* a synthetic pointer cannot be captured */ } });
g.addEventListener("pointermove", (ev) => {
if (!from) return;
const dx = ev.clientX - from.x;
if (!o.moved && Math.abs(dx) < 3) return;
o.moved = true;
const [lo, hi, st] = lf.range;
put(lf, Math.max(lo, Math.min(hi, Math.round((from.v + (dx * (hi - lo)) / 240) / st) * st)));
});
for (const k of ["pointerup", "pointercancel"]) g.addEventListener(k, () => { from = null; });
}
function put(lf, x) {
x = Number(x.toPrecision(12));
const t = T(G.vals[lf.i].s, G.vals[lf.i].d.slice());
t.d[lf.at || 0] = x;
lf.ui.set(x);
setLeaf(lf, t);
}
function paint() {
if (!view) return;
const k0 = ctx.perf ? performance.now() : 0;
const k = step, cur = k > 0 ? G.steps[k - 1] : null;
const edgeNow = cur && cur.kind === "b" ? cur : null;
for (const o of view.edges) {
const e = o.e, on = N[e.to].op === "leaf" || G.firstUse[e.to] <= k;
attr(o.f, "visibility", on ? "visible" : "hidden"); attr(o.fa, "visibility", on ? "visible" : "hidden");
if (!o.back) continue;
const shown = o.step >= 0 && o.step < k;
for (const q of [o.b, o.ba, o.pill]) attr(q, "visibility", shown ? "visible" : "hidden");
if (!shown) continue;
attr(o.b, "stroke-width", thickness(rms(G.contrib[o.step])).toFixed(2));
if (e.text === null) {
const t = "×" + fmtShort(locals[o.step]);
setText(o.pt, t);
const w = Math.max(28, 12 + 6.9 * [...t].length);
attr(o.pr, "width", w.toFixed(1)); attr(o.pr, "x", (e.px - w / 2).toFixed(2));
}
}
view.boxes.forEach((o, i) => {
if (o.con) return;
const v = N[i], val = G.vals[i], know = o.leaf || G.firstUse[i] <= k;
const got = G.parts[i].filter((q) => q < k), need = G.parts[i].length;
const isOut = i === G.out, gsum = isOut ? (k > G.split ? G.grads[i] : null) : got.length ? partial[got.at(-1)] : need === 0 && k >= total ? G.grads[i] : null;
attr(o.vr, "style", `fill:var(--${know ? "vt" : "pn"})`); attr(o.gr, "style", `fill:var(--${gsum ? "gt" : "pn"})`);
attr(o.vt, "visibility", know ? "visible" : "hidden");
attr(o.gt, "style", `fill:var(--${gsum ? "g" : "bx"})`);
attr(o.wait, "visibility", got.length && got.length < need ? "visible" : "hidden");
const isNow = cur && (cur.kind === "f" ? cur.node === i : cur.to === i);
attr(o.g, "class", "n" + (o.leaf && leaves.some((q) => q.i === i && q.ui) ? " drag" : "") + (isNow || i === chosen ? " now" : ""));
if (v.shape.length) {
for (const [q, t, y] of [["v", know ? val : null, o.hv], ["g", gsum, o.hg]]) {
const p = t ? hinton(t, o.hx, y) : { pos: "", neg: "", bad: "" };
attr(o[q + "pos"], "d", p.pos); attr(o[q + "neg"], "d", p.neg); attr(o[q + "bad"], "d", p.bad);
}
attr(o.g, "aria-label", `${v.label}, ${role(v)}, shape ${shapeText(v.shape)}` + (know ? `, size ${fmt(rms(val))}` : "") + (gsum ? `, gradient size ${fmt(rms(gsum))}` : ""));
} else {
setText(o.vx, know ? fmt(val.d[0]) : ""); setText(o.gx, gsum ? fmt(gsum.d[0]) : "");
attr(o.g, "aria-label", `${v.label}, ${role(v)}` + (know ? `, value ${fmt(val.d[0])}` : "") + (gsum ? `, gradient ${fmt(gsum.d[0])}` : ""));
}
if (o.curve) attr(o.g, "data-known", know), curve(i, o, know);
});
tr.paint();
tell(edgeNow);
tab.paint();
if (ctx.perf) ctx.perf.push(performance.now() - k0 + ctx.evalTime);
}
const role = (v) => (v.op === "leaf" ? (v.role === "param" ? "parameter" : v.role === "data" ? "data" : "constant") : words(v.op).sym);
function curve(i, o, know) {
const xs = G.ins[i].map((q) => G.vals[q]), x = xs[0].d[0], b = L.nodes[i], ok = Number.isFinite(x);
const r = Math.max(2.5, ok ? Math.abs(x) * 1.25 : 0), at = (u) => OPS[N[i].op].f([scalar(u), ...xs.slice(1)], N[i].params || {}).d[0];
if (o.r !== r) {
o.r = r;
const pts = [];
for (let q = 0; q <= 24; q++) { const u = -r + (2 * r * q) / 24, y = at(u); if (Number.isFinite(y)) pts.push([u, y]); }
const ys = pts.map((p) => p[1]), lo = Math.min(...ys), hi = Math.max(...ys), sc = hi - lo || 1;
o.X = (u) => b.x + 6 + ((u + r) / (2 * r)) * 26; o.Y = (y) => b.y + 30 - ((y - lo) / sc) * 24; o.ky = (24 / sc) * ((2 * r) / 26);
attr(o.curve, "d", pts.map((p, q) => `${q ? "L" : "M"}${o.X(p[0]).toFixed(1)} ${o.Y(p[1]).toFixed(1)}`).join(""));
}
const y = at(x), vis = know && ok && Number.isFinite(y), q = G.steps.findIndex((st) => st.kind === "b" && st.node === i && st.arg === 0);
const m = q >= 0 ? locals[q] * o.ky : NaN;
attr(o.pt, "visibility", vis ? "visible" : "hidden");
attr(o.tan, "visibility", vis && Number.isFinite(m) ? "visible" : "hidden");
if (!vis) return;
attr(o.pt, "cx", o.X(x).toFixed(2)); attr(o.pt, "cy", o.Y(y).toFixed(2));
if (Number.isFinite(m)) { const c = 8 / Math.hypot(1, m); attr(o.tan, "d", `M${(o.X(x) - c).toFixed(2)} ${(o.Y(y) + c * m).toFixed(2)}l${(2 * c).toFixed(2)} ${(-2 * c * m).toFixed(2)}`); }
}
const bar = (v) => ["g i bar", v.label];
const num1 = (t) => (t.s.length ? null : fmt(t.d[0]));
function withBars(text, v) { const out = []; text.split("{g}").forEach((p, q) => { if (q) out.push(bar(v)); if (p) out.push(["l i", fill(p, v, byId)]); }); return out; }
function worked(k) {
const st = G.steps[k], v = N[st.node], w = words(v.op), xs = v.inputs.map((q) => byId.get(q));
if (st.kind === "f") {
const out = [["v i", v.label], " = ", ["i", fill(w.fwd, v, byId)]];
if (!v.shape.length) {
if (xs.every((q) => !q.shape.length) && w.fwd !== "{0}") { const nums = xs.map((_, a) => { const t = fmt(G.vals[G.ins[st.node][a]].d[0]); return t.startsWith("−") && (a || /\^|²/.test(w.fwd)) ? `(${t})` : t; }); out.push(" = ", ["v", nums.reduce((t, q, a) => t.replaceAll(`{${a}}`, q), w.fwd)]); }
out.push(" = ", ["v", fmt(G.vals[st.node].d[0])]);
} else out.push(["m", `   shape ${shapeText(v.shape)}`]);
return [out, "", "v"];
}
const to = N[st.to], mine = G.parts[st.to], nth = mine.indexOf(k), c = G.contrib[k], sign = mine.length > 1 ? " += " : " = ";
const out = [bar(to), sign];
if (!v.shape.length && !to.shape.length) {
const f = st.arg < w.local.length ? fill(w.local[st.arg], v, byId) : w.sym + "′", l = locals[k], neg = (t) => (t.startsWith("−") ? `(${t})` : t);
out.push(bar(v), " × ", ["l i", f], " = ", ["g", fmt(G.grads[st.node].d[0])], " × ", ["l", neg(fmt(l))], " = ", ["g", fmt(c.d[0])]);
if (nth > 0) out.push(", total ", ["g", fmt(partial[mine[nth - 1]].d[0])], " + ", ["g", neg(fmt(c.d[0]))], " = ", ["g", fmt(partial[k].d[0])]);
else if (mine.length > 1) out.push(["m", `  (1 of ${mine.length} contributions)`]);
} else {
const ex = w.expr && st.arg < w.expr.length ? withBars(w.expr[st.arg], v) : [bar(v), " ⊙ ", ["l i", st.arg < w.local.length ? fill(w.local[st.arg], v, byId) : w.sym + "′"]];
out.push(...ex);
if (!w.expr && String(to.shape) !== String(v.shape)) out.push(", summed over what was copied");
const m = cost(G, st);
out.push(["m", `   shape ${shapeText(to.shape)}, like ${to.label}; ${fmtCount(m)} multiplication${m === 1 ? "" : "s"}`]);
if (mine.length > 1) out.push(["m", `, contribution ${nth + 1} of ${mine.length}`]);
}
return [out, w.say, "g"];
}
function tell() {
const bad = G.problem();
if (bad && (chosen < 0 || chosen === bad.node)) { say.set([["g", bad.back ? "No finite gradient. " : "No finite value. "], bad.text], "Change a leaf, or press Reset.", "g"); return; }
if (chosen >= 0) return tellNode(chosen);
if (step === 0) { say.set(["Only the leaves have values."], `${G.split} steps forward compute the loss, ${total - G.split} steps back hand its gradient to every leaf.`, "v"); return; }
const [a, b, c] = worked(step - 1);
spoken = say.set(a, b, c);
}
let spoken = "";
function tellNode(i) {
const v = N[i], mine = G.parts[i];
const a = [["v i", v.label], v.shape.length ? `: shape ${shapeText(v.shape)}, RMS ` : " = ", ["v", v.shape.length ? fmt(rms(G.vals[i])) : num1(G.vals[i])], ";  ", bar(v), v.shape.length ? " RMS " : " = "];
if (!v.shape.length && mine.length > 1) mine.forEach((k, q) => a.push(q ? " + " : "", ["g", fmt(G.contrib[k].d[0])]), a.push(" = "));
a.push(["g", v.shape.length ? fmt(rms(G.grads[i])) : num1(G.grads[i])]);
const users = mine.map((k) => N[G.steps[k].node].label);
const b = i === G.out ? "The loss moves one for one with itself, so the backward sweep starts at 1."
: !users.length ? "The loss does not depend on it: its gradient is zero."
: v.shape.length ? `Used by ${users.join(" and ")}.`
: `Raise ${v.label} by a little ε and the loss changes by about ${fmt(G.grads[i].d[0])} ε. Used by ${users.join(" and ")}.`;
spoken = say.set(a, b, "g");
}
function select(i) { chosen = chosen === i ? -1 : i; if (step < total && chosen >= 0) chosen = -1; paint(); F.say(spoken); }
function go(k, anim = false) {
const prev = step;
step = Math.max(0, Math.min(total, k)); chosen = -1;
ctx.set("step", step === total ? -1 : step);
paint();
F.say(spoken);
follow();
if (anim && step === prev + 1 && !calm()) travel(step - 1);
}
function follow() {
const st = step > 0 ? G.steps[step - 1] : null, over = stage.scrollWidth - stage.clientWidth;
if (!st || over <= 0) return;
const b = L.nodes[st.kind === "f" ? st.node : st.to];
stage.scrollLeft = ((b.x + b.w / 2) / L.w) * stage.scrollWidth - stage.clientWidth / 2;
}
let flight = 0;
ctx.cleanup.push(() => cancelAnimationFrame(flight));
function travel(k) {
const st = G.steps[k];
const paths = view.edges.filter((o) => (st.kind === "b" ? o.step === k && o.back : o.e.to === st.node)).map((o) => (st.kind === "b" ? o.b : o.f));
if (!paths.length || !paths[0].getTotalLength) return;
const p = paths[0], n = p.getTotalLength(), t0 = performance.now();
cancelAnimationFrame(flight);
attr(view.dot, "style", `fill:var(--${st.kind === "b" ? "g" : "v"});stroke:var(--bg);stroke-width:1.5`);
const tick = (now) => {
const u = Math.min(1, (now - t0) / 420), q = p.getPointAtLength(n * u);
attr(view.dot, "cx", q.x); attr(view.dot, "cy", q.y); attr(view.dot, "visibility", u < 1 ? "visible" : "hidden");
if (u < 1) flight = requestAnimationFrame(tick);
};
flight = requestAnimationFrame(tick);
}
function recompute() {
const t0 = performance.now();
G.run();
for (let k = G.split; k < total; k++) {
const st = G.steps[k], v = N[st.node], mine = G.parts[st.to], q = mine.indexOf(k);
partial[k] = q === 0 ? G.contrib[k] : add(partial[mine[q - 1]], G.contrib[k]);
locals[k] = !v.shape.length && !N[st.to].shape.length ? G.local(st.node, st.arg) : NaN;
}
ctx.evalTime = performance.now() - t0;
}
const dirty = framed(ctx, () => { recompute(); paint(); });
function near(i, dx, dy) {
const c = (b) => [b.x + b.w / 2, b.y + b.h / 2], [x, y] = c(L.nodes[i]);
let best = -1, least = Infinity;
L.nodes.forEach((b, j) => {
if (j === i || view.boxes[j].con) return;
const [u, w] = c(b), along = (u - x) * dx + (w - y) * dy, off = Math.abs((u - x) * dy) + Math.abs((w - y) * dx);
if (along < 8) return;
const d = along + 2.2 * off;
if (d < least) { least = d; best = j; }
});
return best;
}
function keys(ev) {
if (ev.ctrlKey || ev.metaKey || ev.altKey) return;
const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[ev.key];
let done = true;
if (move) { const j = near(focus, ...move); if (j >= 0) view.boxes[j].g.focus(); }
else if (ev.key === "Enter") select(focus);
else if (ev.key === "n" || ev.key === "N") { tr.stop(); go(step + 1, true); }
else if (ev.key === "p" || ev.key === "P") { tr.stop(); go(step - 1); }
else if (ev.key === " ") tr.toggle();
else if (ev.key === "Home") { tr.stop(); go(0); }
else if (ev.key === "End") { tr.stop(); go(total); }
else if (ev.key === "Escape" && chosen >= 0) { chosen = -1; paint(); }
else if (["+", "=", "-", "−"].includes(ev.key)) {
const lf = leaves.find((q) => q.i === focus && q.ui);
if (lf) { const up = ev.key === "+" || ev.key === "="; put(lf, G.vals[lf.i].d[lf.at || 0] + (up ? 1 : -1) * lf.range[2] * 5); F.say(`${lf.node.label} ${fmt(G.vals[lf.i].d[lf.at || 0])}`); }
} else done = false;
if (done) { ev.preventDefault(); ev.stopPropagation(); }
}
function question(round) {
const list = spec.predict && spec.predict.length ? spec.predict : invent();
if (!list.length) return null;
const q = list[round % list.length], lf = leaves.find((f) => f.name === q.leaf), to = N.findIndex((v) => v.name === q.of);
if (!lf || to < 0) return null;
const v = N[to], one = !v.shape.length;
const what = q.set !== undefined ? [`Set `, ["i", lf.node.label], ` to ${fmt(q.set)}`] : [`Multiply `, ["i", lf.node.label], ` by ${fmt(q.times)}`];
return {
parts: [...what, (q.why ? ", " + q.why : "") + ". What happens to the gradient of the loss for ", ["i", v.label], one ? "?" : " (its root mean square)?"],
options: one ? ["Grows", "Shrinks", "Changes sign", "Stays the same"] : ["Grows", "Shrinks", "Stays the same"],
commit() {
const m = (t) => (one ? t.d[0] : rms(t)), before = m(G.grads[to]);
const t = T(G.vals[lf.i].s, G.vals[lf.i].d.map((x) => (q.set !== undefined ? q.set : x * q.times)));
setLeaf(lf, t); lf.ui?.set(t.d[lf.at || 0]);
recompute(); go(total);
const after = m(G.grads[to]), close = Math.abs(after - before) <= 1e-9 * Math.max(Math.abs(before), Math.abs(after));
const right = close ? (one ? 3 : 2) : one && before * after < 0 ? 2 : Math.abs(after) > Math.abs(before) ? 0 : 1;
const verb = ["it grows", "it shrinks", one ? "it changes sign" : "it stays the same", "it stays the same"][right];
return { right, parts: [bar(v), " went from ", ["g", fmt(before)], " to ", ["g", fmt(after)], `: ${verb}.`] };
},
};
}
function invent() {
const out = [], ok = leaves.filter((f) => f.ui);
ok.forEach((f, a) => {
const to = ok[(a + 1) % ok.length] || f, x = G.vals[f.i].d[0];
if (!f.node.shape.length) out.push({ leaf: f.name, set: Number((x === 0 ? 1 : 2 * x).toPrecision(6)), of: to.name }, { leaf: f.name, set: x === 0 ? -1 : -x, of: to.name });
else out.push({ leaf: f.name, times: 2, of: to.name });
});
return out;
}
function rowsOf() {
const cellOf = (t) => (t.s.length ? (t.d.length <= 16 ? `[${[...t.d].map((x) => fmt(x)).join(", ")}]` : `RMS ${fmt(rms(t))}`) : fmt(t.d[0]));
const ex = (t) => (t.s.length ? JSON.stringify([...t.d].map((x) => (Number.isFinite(x) ? x : String(x)))) : String(t.d[0]));
const out = [{ caption: "Values and gradients after the whole sweep", head: ["name", "operation", "shape", "value", "gradient"],
rows: N.map((v, i) => (v.role === "const" ? null : [v.label, v.op === "leaf" ? role(v) : v.op, shapeText(v.shape), { text: cellOf(G.vals[i]), exact: ex(G.vals[i]), cls: "v" }, { text: cellOf(G.grads[i]), exact: ex(G.grads[i]), cls: "g" }])).filter(Boolean) }];
if (scalarOnly) out.push({ caption: "Contributions, in the order of the backward sweep", head: ["from", "to", "cotangent", "local derivative", "contribution"],
rows: G.steps.slice(G.split).map((st, q) => { const k = q + G.split; return [N[st.node].label, N[st.to].label, fmt(G.grads[st.node].d[0]), fmt(locals[k]), fmt(G.contrib[k].d[0])]; }) });
return out;
}
let flat = null, tall = null;
function fit(w) {
flat = flat || layout(doc, false);
tall = tall || (w < flat.w * 0.84 ? layout(doc, true) : null);
const vertical = w < flat.w * 0.84 && tall.w < flat.w && (w < 600 || tall.h < 700);
if (!L || L.vertical !== vertical) build(vertical);
const k = Math.max(0.84, Math.min(vertical ? 1.1 : 1.3, w / L.w));
const px = L.w * k;
attr(view.svg, "width", px.toFixed(1)); attr(view.svg, "height", (L.h * k).toFixed(1));
const scrolls = px > w + 1;
if (scrolls) for (const [k, v] of [["tabindex", 0], ["role", "region"], ["aria-label", "Computation graph, scrolls sideways"]]) stage.setAttribute(k, v);
else for (const a of ["tabindex", "role", "aria-label"]) stage.removeAttribute(a);
view.svg.style.margin = scrolls ? "0" : "0 auto";
paint();
}
recompute();
fit(stage.clientWidth || 720);
onWidth(ctx, stage, fit);
const now = (name, x) => { const lf = leaves.find((q) => q.name === name); G.set(lf.i, scalar(x)); lf.ui.set(x); recompute(); paint(); };
return { G, go, now };
}
function generator(seed) {
let a = seed >>> 0;
const uniform = () => {
a = (a + 0x6d2b79f5) >>> 0;
let t = Math.imul(a ^ (a >>> 15), a | 1);
t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
};
let spare = null;
const normal = () => {
if (spare !== null) { const z = spare; spare = null; return z; }
const r = Math.sqrt(-2 * Math.log(1 - uniform())), q = 2 * Math.PI * uniform();
spare = r * Math.sin(q);
return r * Math.cos(q);
};
return { uniform, normal };
}
const INITS = {
glorot: (n, m, r) => { const c = Math.sqrt(6 / (n + m)); return () => c * (2 * r.uniform() - 1); },
he: (n, m, r) => { const c = Math.sqrt(2 / n); return () => c * r.normal(); },
lecun: (n, m, r) => { const c = Math.sqrt(1 / n); return () => c * r.normal(); },
zeros: () => () => 0,
};
const gelu = (x) => 0.5 * x * (1 + Math.tanh(0.7978845608028654 * (x + 0.044715 * x * x * x)));
const geluSlope = (x) => { const u = Math.tanh(0.7978845608028654 * (x + 0.044715 * x * x * x)); return 0.5 * (1 + u) + 0.5 * x * (1 - u * u) * (0.7978845608028654 * (1 + 0.134145 * x * x)); };
const ACTS = {
tanh: [Math.tanh, (z, a) => 1 - a * a],
sigmoid: [sigmoid, (z, a) => a * (1 - a)],
relu: [(z) => (z > 0 || z !== z ? z : 0), (z) => (z > 0 ? 1 : 0)],
leaky_relu: [(z) => (z > 0 ? z : 0.01 * z), (z) => (z > 0 ? 1 : 0.01)],
gelu: [gelu, geluSlope],
softplus: [softplus, (z) => sigmoid(z)],
identity: [(z) => z, () => 1],
};
function makeNet(sizes, activation, init, gain, seed) {
const W = [null], b = [null];
for (let l = 1; l < sizes.length; l++) {
const n = sizes[l - 1], m = sizes[l], r = generator(seed * 1000003 + l * 7919), draw = INITS[init](n, m, r), w = new Float64Array(n * m);
for (let i = 0; i < w.length; i++) w[i] = gain * draw();
W.push(w); b.push(new Float64Array(m));
}
return { sizes, activation, W, b };
}
function forward(net, X, B) {
const { sizes, W, b } = net, L = sizes.length - 1, A = [X], Z = [null], phi = ACTS[net.activation][0];
for (let l = 1; l <= L; l++) {
const n = sizes[l - 1], m = sizes[l], z = new Float64Array(B * m), w = W[l], bias = b[l], a = A[l - 1];
for (let q = 0; q < B; q++) {
const o = q * m;
for (let k = 0; k < m; k++) z[o + k] = bias[k];
for (let j = 0; j < n; j++) { const u = a[q * n + j], r = j * m; if (u !== 0) for (let k = 0; k < m; k++) z[o + k] += u * w[r + k]; }
}
Z.push(z);
A.push(l < L ? z.map(phi) : z);
}
return { A, Z };
}
function softmaxRows(Z, B, K) {
const P = new Float64Array(Z.length);
for (let q = 0; q < B; q++) {
let top = -Infinity, sum = 0;
for (let k = 0; k < K; k++) top = Math.max(top, Z[q * K + k]);
for (let k = 0; k < K; k++) sum += P[q * K + k] = Math.exp(Z[q * K + k] - top);
for (let k = 0; k < K; k++) P[q * K + k] /= sum;
}
return P;
}
function backward(net, { A, Z }, labels, B, loss) {
const { sizes, W } = net, L = sizes.length - 1, K = sizes[L], slope = ACTS[net.activation][1];
let J = 0, D;
if (loss === "cross-entropy") {
D = softmaxRows(Z[L], B, K);
for (let q = 0; q < B; q++) {
let top = -Infinity, sum = 0;
for (let k = 0; k < K; k++) top = Math.max(top, Z[L][q * K + k]);
for (let k = 0; k < K; k++) sum += Math.exp(Z[L][q * K + k] - top);
J += (top - Z[L][q * K + labels[q]] + Math.log(sum)) / B;
D[q * K + labels[q]] -= 1;
}
} else {
D = Z[L].slice();
for (let q = 0; q < B; q++) D[q * K + labels[q]] -= 1;
for (const d of D) J += (d * d) / (2 * B);
}
for (let i = 0; i < D.length; i++) D[i] /= B;
const Delta = new Array(L + 1).fill(null), dW = [null], db = [null];
for (let l = L; l >= 1; l--) {
Delta[l] = D;
const n = sizes[l - 1], m = sizes[l], a = A[l - 1], gw = new Float64Array(n * m), gb = new Float64Array(m);
for (let q = 0; q < B; q++) for (let k = 0; k < m; k++) gb[k] += D[q * m + k];
for (let q = 0; q < B; q++) for (let j = 0; j < n; j++) { const u = a[q * n + j]; if (u !== 0) for (let k = 0; k < m; k++) gw[j * m + k] += u * D[q * m + k]; }
dW[l] = gw; db[l] = gb;
if (l === 1) break;
const next = new Float64Array(B * n), w = W[l], z = Z[l - 1];
for (let q = 0; q < B; q++) for (let j = 0; j < n; j++) { let t = 0; for (let k = 0; k < m; k++) t += D[q * m + k] * w[j * m + k]; next[q * n + j] = t * slope(z[q * n + j], a[q * n + j]); }
D = next;
}
return { J, Delta, dW, db };
}
const rmsOf = (x) => { let q = 0; for (const v of x) q += v * v; return x.length ? Math.sqrt(q / x.length) : 0; };
function signals(net, X, labels, B, loss) {
const f = forward(net, X, B), g = backward(net, f, labels, B, loss), slope = ACTS[net.activation][1];
return { J: g.J, f, g, rows: net.sizes.map((n, l) => {
let flat = null;
if (l > 0 && l < net.sizes.length - 1) { let c = 0; f.Z[l].forEach((z, i) => { if (Math.abs(slope(z, f.A[l][i])) < 0.01) c++; }); flat = c / f.Z[l].length; }
return { layer: l, width: n, value: rmsOf(f.A[l]), gradient: l ? rmsOf(g.Delta[l]) : null, weight: l ? rmsOf(g.dW[l]) : null, flat };
}) };
}
const hits = (Z, labels, B, K) => { let n = 0; for (let q = 0; q < B; q++) { let best = 0; for (let k = 1; k < K; k++) if (Z[q * K + k] > Z[q * K + best]) best = k; if (best === labels[q]) n++; } return n / B; };
function dataset(d) {
const n = d.labels.length;
const X = d.pixels ? Float64Array.from(d.pixels, (c) => (c.charCodeAt(0) - 97) / 16) : Float64Array.from(d.points.flat());
const t = typeof d.labels === "string" ? Int32Array.from(d.labels, Number) : Int32Array.from(d.labels), k = X.length / n;
const cut = d.train ?? n;
return { X: X.slice(0, cut * k), t: t.slice(0, cut), B: cut, k, K: d.classes, Xt: X.slice(cut * k), tt: t.slice(cut), Bt: n - cut, picture: !!d.pixels };
}
const NAMES = { moons: "two moons", digits: "handwritten digits", tanh: "tanh", sigmoid: "sigmoid", relu: "ReLU", leaky_relu: "leaky ReLU", gelu: "GELU", softplus: "softplus", identity: "none (linear)", glorot: "Glorot", he: "He", lecun: "LeCun", zeros: "zeros" };
const pair = (k) => [k, NAMES[k] || k];
function benchFigure(ctx) {
const spec = ctx.spec, F = frame(ctx, { title: spec.title, sub: spec.sub });
const MAX_L = spec.maxLayers || 12, MAX_W = spec.maxWidth || 64;
const st = {};
const keys = ["layers", "activation", "init", "gain", "learning_rate", "loss", "data", "seed"];
const pull = () => keys.forEach((k) => { const v = ctx.get(k); if (v !== undefined && v !== null) st[k] = Array.isArray(v) ? [...v] : v; });
pull();
let D = null, net = null, probe = null, steps = 0, losses = [], timer = 0, message = "", rng = null, order = null, at = 0;
const sets = {};
function rebuild() {
if (!Object.hasOwn(spec.datasets, st.data)) throw new Error(`there is no data set called “${st.data}”`);
if (!Object.hasOwn(ACTS, st.activation)) throw new Error(`there is no activation called “${st.activation}”`);
if (!Object.hasOwn(INITS, st.init)) throw new Error(`there is no initialization called “${st.init}”`);
D = sets[st.data] = sets[st.data] || dataset(spec.datasets[st.data]);
net = makeNet([D.k, ...st.layers, D.K], st.activation, st.init, st.gain, st.seed);
steps = 0; losses = []; message = "";
rng = generator(st.seed + 12345); order = Int32Array.from({ length: D.B }, (_, i) => i); at = D.B;
const n = Math.min(D.B, 200);
probe = { X: D.X.slice(0, n * D.k), t: D.t.slice(0, n), B: n };
}
function trainStep() {
const B = Math.min(32, D.B);
if (at + B > D.B) { for (let i = D.B - 1; i > 0; i--) { const j = Math.floor(rng.uniform() * (i + 1)); [order[i], order[j]] = [order[j], order[i]]; } at = 0; }
const X = new Float64Array(B * D.k), t = new Int32Array(B);
for (let q = 0; q < B; q++) { const r = order[at + q]; X.set(D.X.subarray(r * D.k, (r + 1) * D.k), q * D.k); t[q] = D.t[r]; }
at += B;
const f = forward(net, X, B), g = backward(net, f, t, B, st.loss);
if (!Number.isFinite(g.J)) {
const bad = f.A.findIndex((a) => a.some((x) => !Number.isFinite(x)));
stop();
message = `The loss became ${fmt(g.J)} at step ${steps + 1}${bad > 0 ? `: layer ${bad} overflowed first` : ""}. The learning rate ${fmt(st.learning_rate)} is too large for these weights; try a tenth of it, or press Restart.`;
return false;
}
for (let l = 1; l < net.sizes.length; l++) {
const w = net.W[l], b = net.b[l], gw = g.dW[l], gb = g.db[l];
for (let i = 0; i < w.length; i++) w[i] -= st.learning_rate * gw[i];
for (let i = 0; i < b.length; i++) b[i] -= st.learning_rate * gb[i];
}
steps++;
losses.push(g.J);
return true;
}
function stop() { if (timer) cancelAnimationFrame(timer); timer = 0; run.replaceChildren(icon("play"), "Train"); }
function start() {
run.replaceChildren(icon("pause"), "Pause");
const tick = () => {
if (!run.isConnected) { stop(); return; }
const t0 = performance.now();
let ok = true;
do ok = trainStep(); while (ok && performance.now() - t0 < 7);
paint();
if (ok && timer) timer = requestAnimationFrame(tick);
};
timer = requestAnimationFrame(tick);
}
ctx.cleanup.push(() => cancelAnimationFrame(timer));
const rack = h("div", { class: "rack", role: "group", "aria-label": "Layers" });
const put = (k, v, keepWeights = false) => { st[k] = v; ctx.set(k, Array.isArray(v) ? [...v] : v); if (!keepWeights) { stop(); rebuild(); } dirty(); };
function setWidth(i, n) { const w = [...st.layers]; w[i] = Math.max(1, Math.min(MAX_W, n)); put("layers", w); F.say(`Layer ${i + 1} has ${w[i]} units`); }
function drawRack() {
const was = document.activeElement && rack.contains(document.activeElement) ? document.activeElement.dataset.key : null;
const part = (name, n, more) => h("div", { class: "lay" }, h("div", { class: "fs" }, name), h("div", { class: "n" }, String(n)), more);
rack.replaceChildren(part("data", D.k), ...st.layers.map((n, i) => part(`layer ${i + 1}`, n, h("div", { class: "pm" },
button("−", () => setWidth(i, n - (n > 8 ? 4 : 1)), { "aria-label": `Layer ${i + 1}: fewer units`, "data-key": `m${i}` }),
button("+", () => setWidth(i, n + (n >= 8 ? 4 : 1)), { "aria-label": `Layer ${i + 1}: more units`, "data-key": `p${i}` }),
button("×", () => { const w = [...st.layers]; w.splice(i, 1); put("layers", w); F.say(`${w.length} hidden layers`); rack.querySelector("button")?.focus(); }, { "aria-label": `Remove layer ${i + 1}`, "data-key": `x${i}` })))), part("output", D.K),
h("div", { class: "lay add" }, button("+ layer", () => { if (st.layers.length < MAX_L) { put("layers", [...st.layers, st.layers.at(-1) ?? 8]); F.say(`${st.layers.length} hidden layers`); } }, { "data-key": "add", "aria-disabled": st.layers.length >= MAX_L })));
if (was) rack.querySelector(`[data-key="${was}"]`)?.focus();
}
const cs = {
data: choice({ label: "data", options: Object.keys(spec.datasets).map(pair), value: st.data, on: (v) => put("data", v) }),
activation: choice({ label: "activation", options: Object.keys(ACTS).map(pair), value: st.activation, on: (v) => put("activation", v) }),
init: choice({ label: "initialization", options: Object.keys(INITS).map(pair), value: st.init, on: (v) => put("init", v) }),
loss: choice({ label: "loss", options: ["cross-entropy", "squared error"], value: st.loss, on: (v) => put("loss", v) }),
gain: slider({ label: "gain", cls: "", min: 0.1, max: 3, step: 0.05, value: st.gain, on: (v) => put("gain", v) }),
learning_rate: slider({ label: "learning rate", cls: "", min: 0.001, max: 10, log: true, value: st.learning_rate, on: (v) => put("learning_rate", v, true) }),
};
for (const k of keys) ctx.on(k, () => {
const v = ctx.get(k);
if (v === undefined || v === null || String(v) === String(st[k])) return;
st[k] = Array.isArray(v) ? [...v] : v;
cs[k]?.set(st[k]);
if (k !== "learning_rate") { stop(); rebuild(); }
dirty();
});
const run = button([icon("play"), "Train"], () => (timer ? (stop(), paint()) : start()), { class: "go", style: "--ln:var(--v)" });
const one = button([icon("next"), "Step"], () => { stop(); trainStep(); paint(); F.say(`step ${steps}, loss ${fmt(losses.at(-1))}`); });
const again = button("Restart", () => { stop(); rebuild(); dirty(); });
const fresh = button("New weights", () => put("seed", st.seed + 1));
rebuild();
F.add(h("style", {}, `div.bp .rack{display:flex;flex-wrap:wrap;gap:8px;margin:8px 0;align-items:stretch}div.bp .lay{border:1.5px solid var(--bx);border-radius:6px;padding:4px 8px;min-width:84px;text-align:center}
div.bp .lay .n{font-weight:600;font-size:18px}div.bp .lay .pm{display:flex;gap:3px;justify-content:center}div.bp .lay .pm button{padding:0;min-width:30px;min-height:30px}div.bp .lay.add{border:0;display:flex;align-items:center;padding:0}
@media (pointer:coarse){div.bp .lay .pm button{min-width:44px;min-height:44px}}`));
const ctl = h("div", { class: "ctls noprint" }, Object.values(cs).map((c) => c.el));
F.add(h("div", { class: "noprint" }, rack), ctl, h("div", { class: "row noprint" }, run, one, again, fresh));
const say = line("v"), chartBox = h("div"), lossBox = h("div"), view = h("canvas", { role: "img", width: 300, height: 220 }), viewText = h("p", { class: "fs" });
F.add(say.el, chartBox, h("div", { class: "cols" }, h("div", {}, view, viewText), lossBox));
const ask = predict(ctx, { ask: question });
F.add(ask.el);
let last = null;
const tab = table(() => [{ caption: "Root mean squares on the same rows of the data, layer by layer", head: ["layer", "units", "RMS of values", "RMS of gradients ∂J/∂Z", "RMS of ∂J/∂W", "flat units"],
rows: last.rows.map((r) => [r.layer === 0 ? "data" : r.layer === last.rows.length - 1 ? `${r.layer} (output)` : String(r.layer), String(r.width), { text: fmt(r.value), exact: String(r.value), cls: "v" }, r.gradient === null ? "" : { text: fmt(r.gradient), exact: String(r.gradient), cls: "g" }, r.weight === null ? "" : fmt(r.weight), r.flat === null ? "" : Math.round(100 * r.flat) + " %"]) }]);
F.add(tab.el);
let width = chartBox.clientWidth || 700;
const positive = (v) => v !== null && v > 0 && Number.isFinite(v);
function drawChart() {
const rows = last.rows, all = rows.flatMap((r) => [r.value, r.gradient]).filter(positive);
const lo = 10 ** Math.floor(Math.log10(Math.max(1e-30, Math.min(...all, 1))) - 0.001), hi = 10 ** Math.ceil(Math.log10(Math.min(1e30, Math.max(...all, 1))) + 0.001);
const w = Math.max(280, width), H = 230;
const ax = axes({ w, h: H, x: [0, rows.length - 1], y: [lo, hi], logy: true, xlabel: "layer", ylabel: "root mean square", pad: [12, 88, 40, 60], xticks: rows.map((r) => r.layer), xfmt: (v) => (v === 0 ? "data" : String(v)) });
const make = (k, color, dash, mark) => {
const pts = rows.filter((r) => positive(r[k])).map((r) => [ax.X(r.layer), ax.Y(Math.max(lo, Math.min(hi, r[k])))]);
const g = s("g", {}, s("path", { d: path(pts), fill: "none", "stroke-width": 2.2, "stroke-dasharray": dash, style: `stroke:var(--${color})` }));
for (const [x, y] of pts) g.append(mark === "o" ? s("circle", { cx: x, cy: y, r: 4, style: `fill:var(--${color})` }) : s("rect", { x: x - 4, y: y - 4, width: 8, height: 8, style: `fill:var(--${color})` }));
return [g, pts.at(-1)];
};
const [gv, ev] = make("value", "v", null, "o"), [gg, eg] = make("gradient", "g", "5 3.5", "s");
ax.g.append(gv, gg);
let yv = ev ? ev[1] : 0, yg = eg ? eg[1] : 0;
if (ev && eg && Math.abs(yv - yg) < 16) { if (yv <= yg) { yv -= 8 - (yg - yv) / 2; yg = yv + 16; } else { yg -= 8 - (yv - yg) / 2; yv = yg + 16; } }
if (ev) ax.g.append(s("text", { x: ev[0] + 9, y: yv + 4, "font-size": 13, class: "v" }, "values"));
if (eg) ax.g.append(s("text", { x: eg[0] + 9, y: yg + 4, "font-size": 13, class: "g" }, "gradients"));
chartBox.replaceChildren(s("svg", { viewBox: `0 0 ${w} ${H}`, width: w, height: H, role: "img", "aria-label": "Root mean square of values and gradients, layer by layer: " + rows.map((r) => `${r.layer}: ${fmt(r.value)}${r.gradient === null ? "" : " and " + fmt(r.gradient)}`).join("; ") }, ax.g));
}
function drawLoss() {
const w = Math.max(260, Math.min(420, lossBox.clientWidth || 320)), H = 200, n = losses.length;
if (!n) { lossBox.replaceChildren(h("p", { class: "fs" }, `Loss before training: ${fmt(last.J)}. Press Train.`)); return; }
const k = Math.max(1, Math.ceil(n / 200)), pts = [];
for (let i = 0; i < n; i += k) { let q = 0, c = 0; for (let j = i; j < Math.min(n, i + k); j++) { q += losses[j]; c++; } pts.push([i + c / 2, q / c]); }
const top = Math.max(...pts.map((p) => p[1]), 1e-9);
const ax = axes({ w, h: H, x: [0, Math.max(1, n)], y: [0, top], xlabel: "training step", ylabel: "loss", pad: [8, 14, 40, 56] });
ax.g.append(s("path", { d: path(pts.map(([x, y]) => [ax.X(x), ax.Y(y)])), fill: "none", "stroke-width": 2, style: "stroke:var(--t)" }));
lossBox.replaceChildren(s("svg", { viewBox: `0 0 ${w} ${H}`, width: w, height: H, role: "img", "aria-label": `Loss over ${n} steps, now ${fmt(pts.at(-1)[1])}` }, ax.g), h("p", { class: "fs" }, `Step ${fmtCount(n)}, loss ${fmt(losses.at(-1))} (probe ${fmt(last.J)})`));
}
const color = (v) => getComputedStyle(F.root).getPropertyValue("--" + v).trim() || "#888";
function drawView() {
const k = Math.min(3, globalThis.devicePixelRatio || 1), c = view.getContext("2d");
if (view.width !== 300 * k) { view.width = 300 * k; view.height = 220 * k; view.style.width = "300px"; }
c.setTransform(k, 0, 0, k, 0, 0);
const t = color("t"), bg = color("bg"), m = color("bx");
const full = forward(net, D.Bt ? D.Xt : D.X, D.Bt || D.B), acc = hits(full.Z.at(-1), D.Bt ? D.tt : D.t, D.Bt || D.B, D.K);
if (!D.picture) {
const W = 300, H = 220, nx = 50, ny = 36, grid = new Float64Array(nx * ny * 2), X = (x) => ((x + 1.7) / 4.4) * W, Y = (y) => H - ((y + 1.3) / 3.1) * H;
for (let j = 0; j < ny; j++) for (let i = 0; i < nx; i++) { grid[(j * nx + i) * 2] = ((i + 0.5) / nx) * 4.4 - 1.7; grid[(j * nx + i) * 2 + 1] = (1 - (j + 0.5) / ny) * 3.1 - 1.3; }
const P = softmaxRows(forward(net, grid, nx * ny).Z.at(-1), nx * ny, 2);
c.fillStyle = bg; c.fillRect(0, 0, W, H); c.fillStyle = m;
for (let q = 0; q < nx * ny; q++) { const p = P[2 * q + 1]; if (p === p) { c.globalAlpha = Math.max(0, Math.min(1, p)) * 0.8; c.fillRect((q % nx) * (W / nx), Math.floor(q / nx) * (H / ny), W / nx + 0.5, H / ny + 0.5); } }
c.globalAlpha = 1; c.strokeStyle = t; c.lineWidth = 2; c.beginPath();
for (let j = 0; j + 1 < ny; j++) for (let i = 0; i + 1 < nx; i++) {
const q = j * nx + i, a = P[2 * q + 1] > 0.5;
if (a !== P[2 * (q + 1) + 1] > 0.5) { c.moveTo((i + 1) * (W / nx), j * (H / ny)); c.lineTo((i + 1) * (W / nx), (j + 1) * (H / ny)); }
if (a !== P[2 * (q + nx) + 1] > 0.5) { c.moveTo(i * (W / nx), (j + 1) * (H / ny)); c.lineTo((i + 1) * (W / nx), (j + 1) * (H / ny)); }
}
c.stroke(); c.lineWidth = 1.4;
for (let q = 0; q < D.B; q++) { c.beginPath(); c.fillStyle = D.t[q] ? t : bg; c.strokeStyle = t; if (D.t[q]) c.rect(X(D.X[2 * q]) - 2.5, Y(D.X[2 * q + 1]) - 2.5, 5, 5); else c.arc(X(D.X[2 * q]), Y(D.X[2 * q + 1]), 3, 0, 7); c.fill(); c.stroke(); }
} else {
const K = D.K, n = 40, Z = full.Z.at(-1);
c.fillStyle = bg; c.fillRect(0, 0, 300, 220);
const ink = [parseInt(t.slice(1, 3), 16), parseInt(t.slice(3, 5), 16), parseInt(t.slice(5, 7), 16)];
for (let q = 0; q < Math.min(n, D.Bt); q++) {
const x0 = (q % 8) * 37 + 4, y0 = Math.floor(q / 8) * 43 + 3;
for (let p = 0; p < 64; p++) { c.fillStyle = `rgba(${ink},${D.Xt[q * 64 + p]})`; c.fillRect(x0 + (p % 8) * 3.2, y0 + Math.floor(p / 8) * 3.2, 3.3, 3.3); }
let best = 0;
for (let k = 1; k < K; k++) if (Z[q * K + k] > Z[q * K + best]) best = k;
const bad = best !== D.tt[q];
c.fillStyle = t; c.font = (bad ? "bold " : "") + "12px sans-serif"; c.fillText(bad ? `${best} ✗` : `${best}`, x0 + 8, y0 + 37);
if (bad) { c.strokeStyle = t; c.lineWidth = 1.5; c.strokeRect(x0 - 1.5, y0 - 1.5, 29, 41); }
}
}
const what = D.picture ? `right on ${Math.round(100 * acc)} % of ${D.Bt} held-out digits (mistakes are boxed)` : `right on ${Math.round(100 * acc)} % of ${D.B} points (circles and squares are the two classes, the line is where p = ½)`;
attr(view, "aria-label", "Decision of the network: " + what);
setText(viewText, what[0].toUpperCase() + what.slice(1) + ".");
}
function tell() {
if (message) { say.set([["g", "Training stopped. "]], message, "g"); F.say(message); return; }
const rows = last.rows, a = rows.at(-1).gradient, b = rows[1].gradient, L = rows.length - 2;
if (!(a > 0) || !(b > 0) || !Number.isFinite(a) || !Number.isFinite(b)) {
const dead = rows.findIndex((r) => r.layer && (r.gradient === 0 || !Number.isFinite(r.gradient)));
say.set([["g", `Layer ${Math.max(1, dead)} receives ${dead > 0 && rows[dead].gradient === 0 ? "no gradient at all" : "no finite gradient"}.`]], st.init === "zeros" ? "With zero weights nothing flows in either direction: this start is never left." : "Change gain, initialization or activation.", "g");
return;
}
if (L < 1) { say.set(["One affine layer: its gradient has RMS ", ["g", fmt(a)], "."], "Add a layer to see a signal travel.", "g"); return; }
const per = (b / a) ** (1 / L);
say.set(["Gradient: ", ["g", fmt(a)], ` at the output, `, ["g", fmt(b)], ` at layer 1: ×`, ["l", fmt(per)], " a layer"],
`Values: RMS ${fmt(rows[0].value)} in the data, ${fmt(rows.at(-2).value)} in the last hidden layer. ` + (per < 0.6 ? "The early layers hardly learn." : per > 1.7 ? "The early layers are shaken hardest." : "Both directions keep their size."), "g");
}
function paint() {
last = signals(net, probe.X, probe.t, probe.B, st.loss);
ctx.bench = last;
drawChart(); drawLoss(); drawSoon(); tell(); tab.paint();
}
const drawSoon = framed(ctx, () => drawView());
const dirty = framed(ctx, () => { drawRack(); paint(); });
ctx.onTheme = () => { if (last) drawView(); };
function question(round) {
const cases = [
{ layers: Array(8).fill(16), activation: "tanh", init: "lecun", gain: 0.5 }, { layers: Array(8).fill(16), activation: "relu", init: "he", gain: 1 },
{ layers: Array(6).fill(12), activation: "sigmoid", init: "glorot", gain: 1 }, { layers: Array(8).fill(16), activation: "relu", init: "he", gain: 2 },
];
const c = cases[round % cases.length];
return {
parts: [`${c.layers.length} ${NAMES[c.activation]} layers of ${c.layers[0]}, ${NAMES[c.init]} start, gain ${c.gain}. How large is the gradient at layer 1, against the output's?`],
options: ["Far smaller (under a tenth)", "Much the same", "Far larger (over ten times)"],
commit() {
stop();
for (const [k, v] of Object.entries(c)) { st[k] = v; ctx.set(k, Array.isArray(v) ? [...v] : v); cs[k]?.set(v); }
rebuild(); drawRack(); paint();
const r = last.rows[1].gradient / last.rows.at(-1).gradient;
return { right: r < 0.1 ? 0 : r > 10 ? 2 : 1, parts: [["g", fmt(last.rows.at(-1).gradient)], " at the output, ", ["g", fmt(last.rows[1].gradient)], ` at layer 1: ${fmt(r)} times as large.`] };
},
};
}
F.root.addEventListener("keydown", (ev) => {
if (ev.ctrlKey || ev.metaKey || ev.altKey || /^(INPUT|SELECT|SUMMARY)$/.test(ev.target.tagName)) return;
if (ev.key === "n" || ev.key === "N") one.click();
else if (ev.key === " " && ev.target.tagName !== "BUTTON") run.click();
else if (ev.key === "Home") again.click();
else return;
ev.preventDefault(); ev.stopPropagation();
});
drawRack(); paint();
onWidth(ctx, chartBox, (w) => { width = w; drawChart(); drawLoss(); });
return { get last() { return last; }, st, train: (n) => { for (let i = 0; i < n; i++) if (!trainStep()) break; paint(); return losses; } };
}
function ledger(w, xs, ys) {
let total = 0, J = 0;
const rows = xs.map((x, k) => { const z = w * x, zbar = z - ys[k], c = zbar * x; J += (zbar * zbar) / 2; total += c; return { k, x, y: ys[k], z, zbar, c, total }; });
return { rows, total, J };
}
function ledgerFigure(ctx) {
const X = ctx.spec.x, Y = ctx.spec.y, F = frame(ctx, { title: ctx.spec.title, legend: ["value", "gradient", "local", "parameter"] });
let R = null;
const dirty = framed(ctx, () => paint());
const st = stateOf(ctx, { w: 0.8, uses: 4, step: -1 }, (k) => { if (k === "w") sw.set(st.w); if (k === "uses") su.set(st.uses); dirty(); });
const done = () => (st.step < 0 ? st.uses : Math.min(st.step, st.uses));
const go = (k) => { st.put("step", k >= st.uses ? -1 : Math.max(0, k)); paint(); F.say(spoken); };
const stage = h("div", { class: "stage" }), say = line(), book = h("div", { class: "tbl", tabindex: 0, role: "region", "aria-label": "The ledger", ...KEEP });
let tr = null, trBox = h("div");
const sw = slider({ label: "w", cls: "p i", aria: "w, the shared weight", min: -2, max: 2, step: 0.01, value: st.w, on: (v) => st.put("w", v) });
const su = slider({ label: "uses of w", cls: "", min: 1, max: X.length, step: 1, value: st.uses, on: (v) => { st.put("uses", Math.max(1, Math.min(X.length, Math.round(v)))); st.put("step", -1); } });
F.add(stage, say.el, trBox, h("div", { class: "ctls noprint" }, sw.el, su.el), book);
let spoken = "", made = 0, width = 700;
function paint() {
R = ledger(st.w, X.slice(0, st.uses), Y.slice(0, st.uses));
const n = st.uses, k = done();
if (made !== n) {
made = n;
tr = transport(ctx, { total: n, split: 0, get: done, set: go, ends: (q) => [`${q} of ${n} contributions`, ""] });
trBox.replaceChildren(tr.el);
}
draw(n, k);
tr.paint();
const cur = k ? R.rows[k - 1] : null, neg = (t) => (t.startsWith("−") ? `(${t})` : t);
if (!cur) spoken = say.set([["g i bar", "w"], " = ", ["g", "0"]], "Before the backward sweep arrives, nothing has been added.", "g");
else spoken = say.set([["g i bar", "w"], " += ", ["g i bar", `z${"₀₁₂₃₄₅₆₇₈₉"[k]}`], " × ", ["l i", `x${"₀₁₂₃₄₅₆₇₈₉"[k]}`], " = ", ["g", fmt(cur.zbar)], " × ", ["l", neg(fmt(cur.x))], " = ", ["g", fmt(cur.c)], ", total ", ["g", fmt(cur.total - cur.c)], " + ", ["g", neg(fmt(cur.c))], " = ", ["g", fmt(cur.total)]],
k < n ? `A nudge of w moves the loss through every use; ${n - k} of them ${n - k === 1 ? "is" : "are"} still to come.` : `Every use moved the loss a little, and the loss felt the sum: nudging w by ±10⁻⁶ gives ${fmt((ledger(st.w + 1e-6, X.slice(0, n), Y.slice(0, n)).J - ledger(st.w - 1e-6, X.slice(0, n), Y.slice(0, n)).J) / 2e-6)}.`, "g");
const row = (r, show) => h("tr", {}, h("td", {}, String(r.k + 1)), h("td", {}, fmt(r.x)), h("td", {}, h("span", { class: "v" }, fmt(r.z))), h("td", {}, fmt(r.y)), ...[r.zbar, r.c, r.total].map((v) => h("td", {}, h("span", { class: "g" }, show ? fmt(v) : "…"))));
book.replaceChildren(h("table", {}, h("thead", {}, h("tr", {}, ["use", "x", "z = w x", "y", "z̄ = z − y", "z̄ × x", "w̄ so far"].map((t) => h("th", { scope: "col" }, t)))), h("tbody", {}, R.rows.map((r) => row(r, r.k < k)))));
tab.paint();
}
function draw(n, k) {
const w = Math.max(280, width), H = 220, all = [0, ...R.rows.map((r) => r.total)];
let lo = Math.min(...all), hi = Math.max(...all);
const m = (hi - lo || 1) * 0.12; lo -= m; hi += m;
const ax = axes({ w, h: H, x: [0.4, n + 1.6], y: [lo, hi], ylabel: "sum so far", pad: [12, 14, 30, 60], xticks: Array.from({ length: n }, (_, i) => i + 1).concat(n + 1), xfmt: (v) => (v === n + 1 ? "w̄" : `use ${v}`) });
const bw = Math.min(46, (ax.X(2) - ax.X(1)) * 0.62);
R.rows.slice(0, k).forEach((r) => {
const a = ax.Y(r.total - r.c), b = ax.Y(r.total), x = ax.X(r.k + 1);
ax.g.append(s("rect", { x: x - bw / 2, y: Math.min(a, b), width: bw, height: Math.max(1.5, Math.abs(a - b)), "stroke-width": 1.5, "stroke-dasharray": r.c < 0 ? "none" : "none", style: `fill:var(--${r.c < 0 ? "bg" : "gt"});stroke:var(--g)` }),
s("text", { x, y: (b < a ? b - 5 : b + 14), "text-anchor": "middle", "font-size": 12, class: "g" }, (r.c >= 0 ? "+" : "") + fmt(r.c)));
ax.g.append(s("path", { d: `M${x + bw / 2} ${b}H${ax.X(r.k + 2) - bw / 2}`, "stroke-dasharray": "5 3.5", fill: "none", style: "stroke:var(--g)" }));
});
const t = k ? R.rows[k - 1].total : 0, y0 = ax.Y(0), y1 = ax.Y(t), x = ax.X(n + 1);
ax.g.append(s("path", { d: `M${ax.X(0.4)} ${y0}H${ax.X(n + 1.6)}`, style: "stroke:var(--m)", fill: "none" }));
ax.g.append(s("rect", { x: x - bw / 2, y: Math.min(y0, y1), width: bw, height: Math.max(1.5, Math.abs(y0 - y1)), "stroke-width": 2, "stroke-dasharray": k < n ? "3 2.5" : "none", style: "fill:var(--gt);stroke:var(--g)" }),
s("text", { x, y: y1 < y0 ? y1 - 5 : y1 + 14, "text-anchor": "middle", "font-size": 13, class: "g" }, fmt(t)));
stage.replaceChildren(chartOf(w, H, `Contributions to the gradient of w: ${R.rows.slice(0, k).map((r) => fmt(r.c)).join(", ") || "none yet"}; sum ${fmt(t)}`, ax.g));
}
const ask = predict(ctx, { ask: (round) => {
const n = 2 + (round % (X.length - 1)), before = ledger(st.w, X.slice(0, n - 1), Y.slice(0, n - 1)).total;
return { parts: [`With ${n - 1} use${n > 2 ? "s" : ""} the gradient of `, ["i", "w"], " is ", ["g", fmt(before)], `. Use ${n} reads x = ${fmt(X[n - 1])} and wants y = ${fmt(Y[n - 1])}. What does it do to the sum?`], options: ["Raises it", "Lowers it", "Leaves it"],
commit() {
st.put("uses", n); st.put("step", -1); paint();
const c = R.rows.at(-1).c;
return { right: c > 0 ? 0 : c < 0 ? 1 : 2, parts: ["It contributes ", ["g", fmt(R.rows.at(-1).zbar)], " × ", ["l", fmt(R.rows.at(-1).x)], " = ", ["g", fmt(c)], ", and the sum becomes ", ["g", fmt(R.total)], "."] };
} };
} });
const tab = table(() => [{ head: ["use", "x", "y", "z", "cotangent of z", "contribution", "sum"], rows: R.rows.map((r) => [String(r.k + 1), fmt(r.x), fmt(r.y), fmt(r.z), fmt(r.zbar), { text: fmt(r.c), exact: String(r.c), cls: "g" }, { text: fmt(r.total), exact: String(r.total), cls: "g" }]) }]);
F.add(ask.el, tab.el);
stepKeys(F, { next: () => go(done() + 1), prev: () => go(done() - 1), first: () => go(0), last: () => go(st.uses), play: () => tr.toggle() });
paint();
onWidth(ctx, stage, (w) => { width = w; paint(); });
return { get result() { return R; }, st };
}
function bestOrder(d) {
const n = d.length - 1, cost = [], cut = [];
for (let i = 0; i < n; i++) { cost.push(new Array(n).fill(0)); cut.push(new Array(n).fill(0)); }
for (let len = 2; len <= n; len++) for (let i = 0; i + len <= n; i++) {
const j = i + len - 1;
cost[i][j] = Infinity;
for (let k = i; k < j; k++) { const c = cost[i][k] + cost[k + 1][j] + d[i] * d[k + 1] * d[j + 1]; if (c < cost[i][j]) { cost[i][j] = c; cut[i][j] = k; } }
}
const say = (i, j) => (i === j ? `J${sub(i + 1)}` : `(${say(cut[i][j] + 1, j)} ${say(i, cut[i][j])})`);
return { cost: n ? cost[0][n - 1] : 0, text: n ? say(0, n - 1).replace(/^\((.*)\)$/, "$1") : "" };
}
const sub = (n) => [...String(n)].map((c) => "₀₁₂₃₄₅₆₇₈₉"[+c]).join("");
const forwardCost = (d) => { let c = 0; for (let l = 2; l < d.length; l++) c += d[0] * d[l - 1] * d[l]; return c; };
const reverseCost = (d) => { let c = 0, L = d.length - 1; for (let l = L - 1; l >= 1; l--) c += d[L] * d[l] * d[l - 1]; return c; };
function bracketFigure(ctx) {
const F = frame(ctx, { title: ctx.spec.title, sub: ctx.spec.sub });
let parts = [], spent = 0, log = [];
const dirty = framed(ctx, () => { restart(); });
const st = stateOf(ctx, { widths: [2, 50, 50, 50, 1] }, () => dirty());
const chain = h("div", { class: "chain", role: "group", "aria-label": "The product of Jacobians" }), say = line("l"), sizes = h("div", { class: "row noprint" }), bars = h("div");
F.add(h("style", {}, "div.bp .chain{display:flex;flex-wrap:wrap;align-items:center;gap:6px;margin:10px 0}div.bp .mat{text-align:center;display:inline-flex;flex-direction:column;align-items:center;gap:3px}div.bp .mat .r{border:1.5px solid var(--l);background:var(--lt)}div.bp .chain button{border-radius:50%;width:44px;padding:0;min-height:44px}div.bp .dim{display:inline-flex;flex-direction:column;font-size:14px;color:var(--m)}div.bp .dim input{width:72px!important}"));
const undo = button("Undo", () => back()), again = button("Start over", () => restart());
F.add(chain, say.el, h("div", { class: "row noprint" }, undo, again, button("Backward order", () => auto("reverse")), button("Forward order", () => auto("forward"))), bars, h("p", { class: "fs noprint" }, "Widths, from the input to the output:"), sizes);
const hide = () => parts.length > 1;
function restart() { parts = []; for (let l = st.widths.length - 1; l >= 1; l--) parts.push({ name: `J${sub(l)}`, r: st.widths[l], c: st.widths[l - 1] }); spent = 0; log = []; drawSizes(); paint(); }
function join(i) {
const a = parts[i], b = parts[i + 1], c = a.r * a.c * b.c;
log.push({ parts, spent, text: `${a.r} × ${a.c} times ${b.r} × ${b.c}: ${a.r} · ${a.c} · ${b.c} = ${fmtCount(c)} multiplications`, cost: c });
parts = [...parts.slice(0, i), { name: `(${a.name} ${b.name})`, r: a.r, c: b.c }, ...parts.slice(i + 2)];
spent += c;
paint(true);
(chain.querySelectorAll("button")[Math.min(i, parts.length - 2)] || again).focus();
}
function back() { const q = log.pop(); if (!q) return; parts = q.parts; spent = q.spent; paint(); }
function auto(kind) { restart(); while (parts.length > 1) { const i = kind === "reverse" ? 0 : parts.length - 2, a = parts[i], b = parts[i + 1], c = a.r * a.c * b.c; log.push({ parts, spent, cost: c, text: `${a.r} · ${a.c} · ${b.c} = ${fmtCount(c)} multiplications` }); parts = [...parts.slice(0, i), { name: `(${a.name} ${b.name})`, r: a.r, c: b.c }, ...parts.slice(i + 2)]; spent += c; } paint(true); }
function paint(spoken = false) {
const big = Math.max(...st.widths), px = (n) => Math.max(5, Math.round(58 * Math.sqrt(n / big)));
chain.replaceChildren(...parts.flatMap((p, i) => [h("span", { class: "mat" }, h("span", { class: "r", style: `width:${px(p.c)}px;height:${px(p.r)}px`, "aria-hidden": "true" }), h("span", { class: "i" }, p.name.replace(/^\((.*)\)$/, "$1")), h("span", { class: "fs" }, `${p.r} × ${p.c}`)),
i + 1 < parts.length ? button("·", () => join(i), { "aria-label": `Multiply ${p.name} by ${parts[i + 1].name}` }) : null].filter(Boolean)));
enable(undo, log.length > 0);
const best = bestOrder(st.widths), done = parts.length <= 1, lastMove = log.at(-1);
const text = say.set(done ? [["l", fmtCount(spent)], " multiplications", spent === best.cost ? ": the cheapest order there is." : `; the cheapest order, ${best.text}, takes `, spent === best.cost ? "" : ["l", fmtCount(best.cost)]] : [["l", fmtCount(spent)], ` multiplications so far, ${parts.length - 1} product${parts.length > 2 ? "s" : ""} to go`],
lastMove ? lastMove.text + "." : "Press a dot to multiply its two neighbors. The product is the same in every order, the price is not.", "l");
if (spoken) F.say(text);
drawBars(done, best);
tab.paint();
}
function drawBars(done, best) {
const rows = [["yours" + (done ? "" : ", so far"), spent], ...(done ? [["backward", reverseCost(st.widths)], ["forward", forwardCost(st.widths)], ["cheapest", best.cost]] : [])], top = Math.max(1, ...rows.map((r) => r[1]));
const w = Math.max(240, Math.min(420, widthOf(bars))), bar = w - 210;  // the words keep their size
bars.replaceChildren(s("svg", { viewBox: `0 0 ${w} ${rows.length * 26 + 4}`, style: "max-width:100%;height:auto", width: w, height: rows.length * 26 + 4, role: "img", "aria-label": rows.map((r) => `${r[0]}: ${fmtCount(r[1])}`).join("; ") },
rows.map(([t, v], i) => s("g", {}, s("text", { x: 0, y: i * 26 + 18, "font-size": 14 }, t), s("rect", { x: 112, y: i * 26 + 5, width: Math.max(1, (v / top) * bar), height: 16, style: `fill:var(--${i ? "hr" : "lt"});stroke:var(--${i ? "o" : "l"})` }), s("text", { x: 120 + (v / top) * bar, y: i * 26 + 18, "font-size": 13, class: i ? "m" : "l" }, fmtCount(v))))));
}
function drawSizes() {
const act = document.activeElement, was = sizes.contains(act) ? act.dataset.k : null;
sizes.replaceChildren(...st.widths.map((n, i) => h("label", { class: "dim" }, i === 0 ? "input" : i === st.widths.length - 1 ? "output" : `layer ${i}`, h("input", { type: "number", min: 1, max: 10000, step: 1, value: n, "data-k": i, ...KEEP, onchange: (ev) => { const v = Math.round(Number(ev.target.value)); if (v >= 1 && v <= 10000) { const d = [...st.widths]; d[i] = v; st.put("widths", d); } else ev.target.value = n; } }))),
button("+ layer", () => st.widths.length < 9 && st.put("widths", [...st.widths.slice(0, -1), st.widths.at(-2), st.widths.at(-1)])), button("− layer", () => st.widths.length > 3 && st.put("widths", [...st.widths.slice(0, -2), st.widths.at(-1)])));
if (was !== null) sizes.querySelector(`[data-k="${was}"]`)?.focus();
}
const ask = predict(ctx, { act: "Show", ask: (round) => {
const cases = [[100, 50, 50, 1], [1, 50, 50, 100], [40, 2, 60, 2, 40], [1000, 200, 200, 10]], d = cases[round % cases.length];
return { parts: [`Widths ${d.join(", ")} from input to output. Which order is cheapest?`], options: ["Backward, from the output", "Forward, from the input", "Some other order"],
commit() {
st.put("widths", d); restart();
const f = forwardCost(d), r = reverseCost(d), b = bestOrder(d);
return { right: r === b.cost ? 0 : f === b.cost ? 1 : 2, parts: [`Backward ${fmtCount(r)}, forward ${fmtCount(f)}, cheapest ${fmtCount(b.cost)}: ${b.text}.`] };
} };
} });
const tab = table(() => [{ head: ["order", "multiplications"], rows: parts.length <= 1 ? [["yours", String(spent)], ["backward", String(reverseCost(st.widths))], ["forward", String(forwardCost(st.widths))], ["cheapest", String(bestOrder(st.widths).cost)]] : [["yours, so far", String(spent)]] }]);
F.add(ask.el, tab.el);
stepKeys(F, { next: () => parts.length > 1 && join(0), prev: back, first: restart, last: () => auto("reverse"), play: null });
restart();
onWidth(ctx, bars, () => paint());
return { st, get spent() { return spent; }, join };
}
const CURVES = {
exp: [(x, R) => R(Math.exp(x)), (x) => Math.exp(x), (x, h) => (Math.exp(x) * Math.sin(h)) / h],
sin: [(x, R) => R(Math.sin(x)), (x) => Math.cos(x), (x, h) => (Math.cos(x) * Math.sinh(h)) / h],
tanh: [(x, R) => R(Math.tanh(x)), (x) => 1 - Math.tanh(x) ** 2, (x, h) => Math.sin(2 * h) / (Math.cosh(2 * x) + Math.cos(2 * h)) / h],
"x³": [(x, R) => R(R(x * x) * x), (x) => 3 * x * x, (x, h) => 3 * x * x - h * h],
};
const ROUND = { float64: (x) => x, float32: Math.fround };
const EPS = { float64: 2 ** -52, float32: 2 ** -23 };
function checkError(name, scheme, dtype, x, step) {
const [f, exact, imag] = CURVES[name], R = ROUND[dtype], X = R(x), H = R(step), want = exact(X);
let got;
if (scheme === "forward") { const b = R(X + H); got = R(R(f(b, R) - f(X, R)) / H); }
else if (scheme === "central") { const b = R(X + H), a = R(X - H); got = R(R(f(b, R) - f(a, R)) / R(2 * H)); }
else got = R(imag(X, H));
return Math.abs(got - want) / Math.abs(want);
}
const bestStep = (scheme, dtype) => (scheme === "forward" ? EPS[dtype] ** (1 / 2) : scheme === "central" ? EPS[dtype] ** (1 / 3) : 1e-20);
function checkFigure(ctx) {
const F = frame(ctx, { title: ctx.spec.title });
const dirty = framed(ctx, () => paint());
const ui = {};
const st = stateOf(ctx, { function: "exp", x: 1, h: 0.001, scheme: "central", dtype: "float64" }, (k) => { ui[k]?.set(st[k]); dirty(); });
ui.function = choice({ label: "f", options: Object.keys(CURVES), value: st.function, on: (v) => st.put("function", v) });
ui.scheme = choice({ label: "difference", options: [["forward", "forward, +h"], ["central", "central, ±h"], ["complex", "complex step, ih"]], value: st.scheme, on: (v) => st.put("scheme", v) });
ui.dtype = choice({ label: "data type", options: ["float64", "float32"], value: st.dtype, on: (v) => st.put("dtype", v) });
ui.h = slider({ label: "h", min: 1e-20, max: 1, log: true, value: st.h, on: (v) => st.put("h", v) });
ui.x = slider({ label: "x", min: -3, max: 3, step: 0.01, value: st.x, on: (v) => st.put("x", v) });
const stage = h("div", { class: "stage" }), say = line("l");
F.add(stage, say.el, h("div", { class: "ctls noprint" }, Object.values(ui).map((c) => c.el)));
let width = 700, pts = [];
function sweep() { const out = []; for (let e = -20; e <= 0.0001; e += 0.125) { const step = 10 ** e, v = checkError(st.function, st.scheme, st.dtype, st.x, step); out.push([step, v]); } return out; }
function paint() {
pts = sweep();
const w = Math.max(280, width), H = 300, floor = EPS[st.dtype] / 8, ceil = 10, clamp = (v) => Math.max(floor, Math.min(ceil, v));
const ax = axes({ w, h: H, x: [1e-20, 1], y: [floor, ceil], logx: true, logy: true, xlabel: "step h", ylabel: "relative error" });
const good = pts.filter((p) => Number.isFinite(p[1]));
ax.g.append(s("path", { d: path(good.map(([a, b]) => [ax.X(a), ax.Y(clamp(b))])), fill: "none", "stroke-width": 2, style: "stroke:var(--t)" }));
const [, exact] = CURVES[st.function], eps = EPS[st.dtype];
if (st.scheme !== "complex") {
const p = st.scheme === "forward" ? 1 : 2, tr = good.filter((q) => q[0] >= bestStep(st.scheme, st.dtype) * 30), c = tr.length ? tr[Math.floor(tr.length / 2)] : null;
const seg = (f, a, b, cls, t, at) => { const q = []; for (let e = Math.log10(a); e <= Math.log10(b) + 1e-9; e += 0.1) { const v = f(10 ** e); if (v >= floor && v <= ceil) q.push([ax.X(10 ** e), ax.Y(v)]); } if (q.length < 2) return; const m = q[Math.floor(q.length * at)]; ax.g.append(s("path", { d: path(q), fill: "none", "stroke-width": 1.6, "stroke-dasharray": cls === "l" ? "1.5 3" : "7 3", style: `stroke:var(--${cls})` }), s("text", { x: m[0] + (cls === "l" ? -8 : 10), y: m[1] - 6, "font-size": 12, "text-anchor": cls === "l" ? "end" : "start", class: cls }, t)); };
seg((q) => eps / q, 1e-20, 1, "m", "rounding, ε / h", 0.3);
if (c) seg((q) => c[1] * (q / c[0]) ** p, 1e-12, 1, "l", p === 1 ? "truncation, ~ h" : "truncation, ~ h²", 0.62);
}
const here = checkError(st.function, st.scheme, st.dtype, st.x, st.h);
if (Number.isFinite(here)) ax.g.append(s("path", { d: `M${ax.X(Math.max(1e-20, Math.min(1, st.h)))} ${ax.Y(floor)}V${ax.Y(ceil)}`, "stroke-dasharray": "3 3", style: "stroke:var(--t)" }), s("circle", { cx: ax.X(Math.max(1e-20, Math.min(1, st.h))), cy: ax.Y(clamp(here)), r: 6, style: "fill:var(--bg);stroke:var(--t);stroke-width:2.5" }));
stage.replaceChildren(chartOf(w, H, `Relative error of the ${st.scheme} difference of ${st.function} against the step h: at h = ${fmt(st.h)} it is ${fmt(here)}`, ax.g));
const best = good.reduce((a, b) => (b[1] < a[1] && b[1] > 0 ? b : a), good[0] || [NaN, NaN]);
const digits = here > 0 ? Math.max(0, Math.floor(-Math.log10(here))) : 15;
const why = !Number.isFinite(here) ? `The quotient is ${fmt(here)}: h = ${fmt(st.h)} is rounded to nothing in ${st.dtype}, or f′ is zero there.`
: st.scheme === "complex" ? "Nothing is subtracted, so nothing cancels: h can be as small as you like."
: st.h < bestStep(st.scheme, st.dtype) / 3 ? `Too small: f(x+h) and f(x) agree in almost all their digits, and the subtraction throws those away.`
: st.h > bestStep(st.scheme, st.dtype) * 30 ? "Too large: the curve bends within h." : "Near the bottom of the V: the two errors balance.";
const text = say.set(["error ", ["l", fmt(here)], ` at h = ${fmt(st.h)}: ${digits} digit${digits === 1 ? "" : "s"} right`], why, "l");
tab.paint();
return text;
}
const ask = predict(ctx, { act: "Show", ask: (round) => {
const cases = [
{ set: { scheme: "central", dtype: "float32" }, text: "From float64 to float32: where does the best step of the central difference go?", options: ["To a larger h", "To a smaller h", "It stays"], from: { scheme: "central", dtype: "float64" } },
{ set: { scheme: "forward", dtype: "float64" }, text: "From the central to the forward difference: where does the best step go?", options: ["To a larger h", "To a smaller h", "It stays"], from: { scheme: "central", dtype: "float64" } },
];
const c = cases[round % cases.length];
const least = (scheme, dtype) => { let b = [1, Infinity]; for (let e = -16; e <= 0; e += 0.125) { let q = 0; for (const x of [0.7, 0.9, 1.1, 1.3]) q += checkError("exp", scheme, dtype, x, 10 ** e) ** 2; if (q < b[1]) b = [10 ** e, q]; } return b[0]; };
return { parts: [c.text], options: c.options, commit() {
for (const [k, v] of Object.entries(c.set)) st.put(k, v);
const a = least(c.from.scheme, c.from.dtype), b = least(c.set.scheme, c.set.dtype);
paint();
return { right: b > 1.5 * a ? 0 : b < a / 1.5 ? 1 : 2, parts: [`For exp near 1 the best h goes from ${fmt(a)} to ${fmt(b)}.`] };
} };
} });
const tab = table(() => [{ caption: "Relative error", head: ["h", "error"], rows: pts.filter((_, i) => i % 8 === 0).map(([a, b]) => [fmt(a), { text: fmt(b), exact: String(b) }]) }]);
F.add(ask.el, tab.el);
const move = (k) => { const v = Math.max(1e-20, Math.min(1, st.h * 10 ** k)); st.put("h", Number(v.toPrecision(3))); F.say(paint()); };
stepKeys(F, { next: () => move(-0.5), prev: () => move(0.5), first: () => move(40), last: () => move(-40), play: null });
paint();
onWidth(ctx, stage, (w) => { width = w; paint(); });
return { st, get points() { return pts; } };
}
function schedule(n, keep) {
const marks = [0, ...[...new Set(keep)].filter((k) => k > 0 && k < n).sort((a, b) => a - b)], alive = [], kinds = [];
const held = new Set([0]);
let again = 0, last = marks.at(-1);
const tick = (kind) => { alive.push(held.size); kinds.push(kind); };
tick("f");
for (let i = 1; i <= n; i++) {
held.add(i);
tick("f");
if (i - 1 < last && !marks.includes(i - 1)) held.delete(i - 1);
}
for (let m = marks.length - 1; m >= 0; m--) {
const a = marks[m], b = m + 1 < marks.length ? marks[m + 1] : n;
if (m + 1 < marks.length) for (let i = a + 1; i < b; i++) { held.add(i); again++; tick("r"); }
for (let i = b; i > a; i--) { held.delete(i); tick("b"); }
}
return { alive, kinds, again, peak: Math.max(...alive), marks };
}
function bestEven(n) {
let best = null;
for (let q = 1; q <= n; q++) { const keep = []; for (let k = q; k < n; k += q) keep.push(k); const r = schedule(n, keep); if (!best || r.peak < best.peak || (r.peak === best.peak && r.again < best.again)) best = { ...r, every: q, keep }; }
return best;
}
function checkpointFigure(ctx) {
const F = frame(ctx, { title: ctx.spec.title });
const dirty = framed(ctx, () => paint());
const ui = {};
const st = stateOf(ctx, { n: 16, keep: [4, 8, 12], budget: 9 }, (k) => { ui[k]?.set(st[k]); if (k === "n") { const keep = st.keep.filter((q) => q < st.n); if (keep.length !== st.keep.length) { st.put("keep", keep); return; } } dirty(); });
const stage = h("div", { class: "stage" }), say = line("v"), strip = h("div", { class: "strip", role: "group", "aria-label": "Which activations the forward pass keeps" });
F.add(h("style", {}, "div.bp .strip{display:flex;flex-wrap:wrap;gap:4px;margin:8px 0}div.bp .strip button{min-width:38px;padding:2px 0;flex:0 0 auto}div.bp .strip button[aria-pressed=true]{background:var(--vt);border-color:var(--v);color:var(--v);font-weight:700}@media (pointer:coarse){div.bp .strip button{min-width:44px}}"));
ui.n = slider({ label: "layers", cls: "", min: 2, max: 36, step: 1, value: st.n, on: (v) => st.put("n", Math.max(2, Math.min(36, Math.round(v)))) });
ui.budget = slider({ label: "budget", cls: "", min: 2, max: 37, step: 1, value: st.budget, on: (v) => st.put("budget", Math.max(2, Math.min(37, Math.round(v)))) });
const evenly = (q) => { const keep = []; for (let k = q; k < st.n; k += q) keep.push(k); st.put("keep", keep); };
F.add(h("p", { class: "fs" }, "Press a number to keep or drop that layer's activation in the forward pass."), strip, say.el, stage, h("div", { class: "ctls noprint" }, ui.n.el, ui.budget.el),
h("div", { class: "row noprint" }, button("Keep all", () => evenly(1)), button("Keep none", () => st.put("keep", [])), button("Every √n", () => evenly(Math.max(1, Math.round(Math.sqrt(st.n)))))));
let width = 700, R = null, shown = -1;
function paint() {
R = schedule(st.n, st.keep);
if (strip.children.length !== st.n - 1) strip.replaceChildren(...Array.from({ length: st.n - 1 }, (_, i) => button(String(i + 1), () => { const k = i + 1; st.put("keep", st.keep.includes(k) ? st.keep.filter((q) => q !== k) : [...st.keep, k].sort((a, b) => a - b)); }, { "aria-label": `Activation ${i + 1}` })));
[...strip.children].forEach((b, i) => attr(b, "aria-pressed", st.keep.includes(i + 1)));
const w = Math.max(280, width), H = 220, top = Math.max(R.peak, st.budget, 3) + 1, T = R.alive.length;
const ax = axes({ w, h: H, x: [0, T], y: [0, top], xlabel: "time, in layer evaluations", ylabel: "activations alive" });
const y0 = ax.Y(0);
const color = { f: ["vt", "v"], r: ["lt", "l"], b: ["gt", "g"] };
R.alive.forEach((v, i) => { const [f, c] = color[R.kinds[i]], x = ax.X(i), bw = ax.X(i + 1) - x; ax.g.append(s("rect", { x, y: ax.Y(v), width: bw, height: y0 - ax.Y(v), style: `fill:var(--${f})` }), s("path", { d: `M${x} ${ax.Y(v)}h${bw}`, "stroke-width": 2, "stroke-dasharray": R.kinds[i] === "b" ? "2.5 1.5" : "none", style: `stroke:var(--${c})` })); });
const by = ax.Y(st.budget);
ax.g.append(s("path", { d: `M${ax.X(0)} ${by}H${ax.X(T)}`, "stroke-dasharray": "8 4", "stroke-width": 1.5, style: "stroke:var(--t)" }), s("text", { x: ax.X(T) - 4, y: by - 5, "text-anchor": "end", "font-size": 12 }, `budget ${st.budget}`));
const key = [["v", "forward"], ["l", "recomputed"], ["g", "backward"]];
stage.replaceChildren(chartOf(w, H, `Activations alive over time: peak ${R.peak} of a budget of ${st.budget}, ${R.again} layer evaluations repeated`, ax.g), h("p", { class: "fs" }, key.map(([c, t], i) => [i ? " · " : "", h("span", { class: c }, t)])));
const fits = R.peak <= st.budget, extra = Math.round((100 * R.again) / st.n);
const text = say.set(["peak ", ["v", String(R.peak)], ` of ${st.budget}: `, fits ? "fits" : ["g", "does not fit"], "; ", ["l", String(R.again)], ` of ${st.n} layers computed twice`],
`${R.marks.length - 1} checkpoint${R.marks.length === 2 ? "" : "s"} beside the input. ` + (R.again ? `The forward work grows by ${extra} %. ` : "Nothing is recomputed. ") + (st.keep.length ? "" : "With no checkpoint the whole chain is one segment: it is kept as it is computed."), fits ? "v" : "g");
tab.paint();
if (shown >= 0 && shown !== R.peak * 1000 + R.again) F.say(text);
shown = R.peak * 1000 + R.again;
}
const ask = predict(ctx, { act: "Show", ask: (round) => {
const [n, q] = [[16, 4], [36, 6], [25, 5], [36, 12]][round % 4], keep = [];
for (let k = q; k < n; k += q) keep.push(k);
const right = schedule(n, keep).peak, wrong = [n + 1, keep.length + 1].filter((v) => v !== right), opts = [...wrong, right].sort((a, b) => a - b);
return { parts: [`${n} layers, a checkpoint every ${q}. How many activations are alive at the worst moment?`], options: opts.map(String), commit() { st.put("n", n); st.put("keep", keep); paint(); return { right: opts.indexOf(R.peak), parts: [`The input and ${keep.length} checkpoints, and one segment of ${q} on top: peak `, ["v", String(R.peak)], `, for ${R.again} layers computed twice.`] }; } };
} });
const tab = table(() => [{ head: ["tick", "what", "alive"], rows: R.alive.map((v, i) => [String(i), { f: "forward", r: "recompute", b: "backward" }[R.kinds[i]], { text: String(v), exact: String(v) }]) }]);
F.add(ask.el, tab.el);
stepKeys(F, { next: () => ui.budget.input.stepUp && st.put("budget", Math.min(37, st.budget + 1)), prev: () => st.put("budget", Math.max(2, st.budget - 1)), first: () => st.put("keep", []), last: () => evenly(1), play: null });
paint();
onWidth(ctx, stage, (w) => { width = w; paint(); });
return { st, get result() { return R; } };
}
function simple(ctx, { names, defaults, controls, draw, tell, ask, rows, nudge }) {
const F = frame(ctx, { title: ctx.spec.title, legend: names });
let width = 700, ready = false, spoken = "";
const ui = {}, dirty = framed(ctx, () => paint());
const st = stateOf(ctx, defaults, (k) => { ui[k]?.set(st[k]); dirty(); });
const stage = h("div", { class: "stage" }), say = line();
for (const [k, c] of Object.entries(controls)) ui[k] = c.options ? choice({ ...c, value: st[k], on: (v) => st.put(k, v) }) : slider({ ...c, value: st[k], on: (v) => st.put(k, c.whole ? Math.max(c.min, Math.min(c.max, Math.round(v))) : v) });
F.add(stage, say.el, h("div", { class: "ctls noprint" }, Object.values(ui).map((u) => u.el)));
const tab = table(() => rows(st));
function paint() {
const d = draw(st, Math.max(280, width));
stage.replaceChildren(chartOf(d.w || Math.max(280, width), d.h, d.label, d.kids));
spoken = say.set(...tell(st));
tab.paint();
ready = true;
}
const q = predict(ctx, { act: "Show", ask: (round) => ask(st, round, (changes) => { for (const [k, v] of Object.entries(changes)) st.put(k, v); paint(); }) });
F.add(q.el, tab.el);
const first = { ...defaults };
for (const k of Object.keys(defaults)) first[k] = st[k];
const move = (d) => { if (nudge) { st.put(nudge.key, nudge.step(st[nudge.key], d)); paint(); F.say(spoken); } };
stepKeys(F, { next: () => move(1), prev: () => move(-1), first: () => { for (const k of Object.keys(first)) st.put(k, first[k]); }, last: null, play: null });
paint();
onWidth(ctx, stage, (w) => { width = w; paint(); });
return { st };
}
const short = (v) => String(Number(v.toPrecision(6))).replace("-", "−");
const within = (lo, hi) => (v) => Math.max(lo, Math.min(hi, v));
const LENS = { exp: [Math.exp, Math.exp], sin: [Math.sin, Math.cos], tanh: [Math.tanh, (x) => 1 - Math.tanh(x) ** 2], "x²": [(x) => x * x, (x) => 2 * x], "x³": [(x) => x * x * x, (x) => 3 * x * x] };
function lensGap(name, x, zoom) {
const [f, d] = LENS[name], r = 2 / zoom;
let worst = 0;
for (let i = -50; i <= 50; i++) { const u = (r * i) / 50; worst = Math.max(worst, Math.abs(f(x + u) - f(x) - d(x) * u)); }
return worst / r;
}
const lensFigure = (ctx) => simple(ctx, {
names: ["value", "local"], defaults: { function: "sin", x: 1, zoom: 1 },
controls: { function: { label: "f", options: Object.keys(LENS) }, x: { label: "x", min: -3, max: 3, step: 0.01 }, zoom: { label: "zoom", cls: "", min: 1, max: 1000, log: true } },
nudge: { key: "zoom", step: (v, d) => within(1, 1000)(v * 10 ** (d / 4)) },
draw(st, w) {
const [f, d] = LENS[st.function], r = 2 / st.zoom, H = 300, y0 = f(st.x), m = d(st.x), half = r * Math.max(0.8, Math.abs(m) * 1.1);
const ax = axes({ w, h: H, x: [st.x - r, st.x + r], y: [y0 - half, y0 + half], xlabel: "x", ylabel: "f(x)", xfmt: short, yfmt: short, pad: [12, 20, 40, 66] });
const inside = (v) => within(ax.inner[1], ax.inner[3])(ax.Y(v)), pts = [];
for (let i = -60; i <= 60; i++) { const u = st.x + (r * i) / 60; pts.push([ax.X(u), inside(f(u))]); }
ax.g.append(s("path", { d: path(pts), fill: "none", "stroke-width": 2.2, style: "stroke:var(--v)" }),
s("path", { d: path([[ax.X(st.x - r), inside(y0 - m * r)], [ax.X(st.x + r), inside(y0 + m * r)]]), "stroke-width": 2.2, "stroke-dasharray": "7 4", style: "stroke:var(--l)" }),
s("circle", { cx: ax.X(st.x), cy: ax.Y(y0), r: 5, style: "fill:var(--v)" }));
return { h: H, kids: ax.g, label: `${st.function} near ${fmt(st.x)} with its tangent of slope ${fmt(m)}, zoom ${fmt(st.zoom)}` };
},
tell(st) {
const [f, d] = LENS[st.function], dx = 1 / st.zoom, real = f(st.x + dx) - f(st.x), lin = d(st.x) * dx;
return [["dx = ", ["v", fmt(dx)], ": predicted ", ["l", fmt(d(st.x))], " × ", ["v", fmt(dx)], " = ", ["l", fmt(lin)], ", real ", ["v", fmt(real)]], `Largest gap between curve and tangent, as a share of the window: ${fmt(lensGap(st.function, st.x, st.zoom))}. Close up, the function is its derivative times the change.`, "l"];
},
ask(st, round, set) {
const k = [10, 100][round % 2], a = lensGap(st.function, st.x, 1);
return { parts: [`Zoom in ${k} times. What happens to the gap between curve and tangent, as a share of the window?`], options: ["Stays about the same", `Falls to about 1/${k}`, "Falls to nothing at once"],
commit() { const from = st.zoom >= 1000 / k ? 1 : st.zoom, g0 = lensGap(st.function, st.x, from); set({ zoom: from * k }); const g1 = lensGap(st.function, st.x, from * k), q = g0 / g1; return { right: q < 2 ? 0 : q < k * 30 ? 1 : 2, parts: ["The share went from ", ["l", fmt(g0)], " to ", ["l", fmt(g1)], ", ", `a factor of ${fmt(q)}.`] }; } };
},
rows(st) { return [{ head: ["zoom", "gap / window"], rows: [1, 3, 10, 30, 100, 300, 1000].map((z) => [String(z), { text: fmt(lensGap(st.function, st.x, z)), exact: String(lensGap(st.function, st.x, z)) }]) }]; },
});
const pathCount = (width, depth) => width ** depth;
const edgeCount = (width, depth) => 2 * width + width * width * (depth - 1);
const pathsFigure = (ctx) => simple(ctx, {
names: ["value", "gradient"], defaults: { width: 3, depth: 4 },
controls: { width: { label: "width", cls: "", min: 1, max: 8, step: 1, whole: true }, depth: { label: "hidden layers", cls: "", min: 1, max: 20, step: 1, whole: true } },
nudge: { key: "depth", step: (v, d) => within(1, 20)(v + d) },
draw(st, w) {
const H = 250, cols = Math.min(st.depth, 8), g = [], X = (i) => 20 + (i * (w - 40)) / (cols + 1), Y = (k) => 30 + ((k + 0.5) * 190) / st.width, layer = (i) => (i === 0 || i === cols + 1 ? [125] : Array.from({ length: st.width }, (_, k) => Y(k)));
let d = "";
for (let i = 0; i <= cols; i++) for (const a of layer(i)) for (const b of layer(i + 1)) d += `M${X(i).toFixed(1)} ${a.toFixed(1)}L${X(i + 1).toFixed(1)} ${b.toFixed(1)}`;
g.push(s("path", { d, fill: "none", "stroke-width": 1.2, style: "stroke:var(--v)" }));
for (let i = 0; i <= cols + 1; i++) for (const y of layer(i)) g.push(s("circle", { cx: X(i), cy: y, r: 7, "stroke-width": 1.5, style: "fill:var(--bg);stroke:var(--t)" }));
g.push(s("text", { x: X(0), y: 100, "text-anchor": "middle", "font-size": 17, class: "i" }, "x"), s("text", { x: X(cols + 1), y: 100, "text-anchor": "middle", "font-size": 17, class: "i" }, "J"));
if (cols < st.depth) g.push(s("text", { x: w / 2, y: 16, "text-anchor": "middle", "font-size": 13, class: "m" }, `${cols} of ${st.depth} layers drawn`));
return { h: H, kids: g, label: `A network of ${st.depth} layers of width ${st.width} from one input to one loss` };
},
tell(st) { const p = pathCount(st.width, st.depth), e = edgeCount(st.width, st.depth); return [[["v", fmtCount(p)], " paths, ", ["g", fmtCount(e)], " edges"], `Summing over paths multiplies along every one of ${st.width}^${st.depth} routes. The backward sweep crosses each edge once: it adds at the nodes, so what the routes share is computed once.`, "g"]; },
ask(st, round, set) {
const [width, depth] = [[4, 10], [2, 20], [8, 3], [1, 20]][round % 4];
return { parts: [`Width ${width}, ${depth} hidden layers. How many paths for each edge?`], options: ["Less than one", "1 to 1,000", "More than 1,000"], commit() { set({ width, depth }); const q = pathCount(width, depth) / edgeCount(width, depth); return { right: q < 1 ? 0 : q <= 1000 ? 1 : 2, parts: [["v", fmtCount(pathCount(width, depth))], " paths over ", ["g", fmtCount(edgeCount(width, depth))], ` edges: ${fmt(q)} for each.`] }; } };
},
rows(st) { return [{ caption: `Width ${st.width}`, head: ["hidden layers", "paths", "edges"], rows: Array.from({ length: st.depth }, (_, i) => [String(i + 1), { text: fmtCount(pathCount(st.width, i + 1)), exact: String(pathCount(st.width, i + 1)) }, fmtCount(edgeCount(st.width, i + 1))]) }]; },
});
function tailorData(B, n, m) {
const r = generator(5), fill = (a, b) => T([a, b], Float64Array.from({ length: a * b }, () => r.normal()));
return { X: fill(B, n), G: fill(B, m) };
}
function tailor({ square, left, right }) {
const [B, n, m] = square === "square" ? [3, 3, 3] : [4, 2, 3], { X, G } = tailorData(B, n, m);
const take = (k) => { const t = k[0] === "X" ? X : G; return k.endsWith("ᵀ") ? swap(t) : t; };
const a = take(left), b = take(right), truth = matmul(swap(X), G), fits = a.s[1] === b.s[0], out = fits ? matmul(a, b) : null;
const shape = fits && out.s[0] === n && out.s[1] === m;
let gap = NaN;
if (shape) { gap = 0; out.d.forEach((v, i) => { gap = Math.max(gap, Math.abs(v - truth.d[i])); }); }
return { B, n, m, a, b, out, fits, shape, gap, truth, right: shape && gap < 1e-12 };
}
const TILES = ["X", "Xᵀ", "Z̄", "Z̄ᵀ"];
const tailorFigure = (ctx) => simple(ctx, {
names: ["value", "gradient"], defaults: { square: "distinct", left: "X", right: "Z̄" },
controls: { left: { label: "left", options: TILES }, right: { label: "right", options: TILES }, square: { label: "sizes", options: [["distinct", "B = 4, n = 2, m = 3"], ["square", "all 3: shapes cannot help"]] } },
draw(st, w) {
const q = tailor(st), g = [], put = (t, name, x, color) => { const k = hinton(t, 0, 0), z = w < 380 ? 1.5 : 2; k.w *= z; g.push(s("text", { x: x + k.w / 2, y: 28, "text-anchor": "middle", "font-size": 18, class: "i" }, name), s("text", { x: x + k.w / 2, y: 50, "text-anchor": "middle", "font-size": 12, class: "m" }, t.s.join(" × ")), s("g", { transform: `translate(${x} 62) scale(${z})` }, s("path", { d: k.pos, style: `fill:var(--${color})` }), s("path", { d: k.neg, fill: "none", "stroke-width": 1, style: `stroke:var(--${color})` }))); return x + Math.max(k.w, 44) + (w < 380 ? 12 : 26); };
const say = (t, x) => { g.push(s("text", { x, y: 90, "font-size": 18 }, t)); return x + 24; };
let x = 8;
x = put(q.a, st.left, x, st.left[0] === "X" ? "v" : "g"); x = put(q.b, st.right, x, st.right[0] === "X" ? "v" : "g");
if (q.out) { x = say("=", x - 10); x = put(q.out, "?", x, "g"); }
put(q.truth, "W̄", Math.max(x + 6, w < 380 ? 216 : 300), "g");
return { h: 158, kids: g, label: `${st.left} times ${st.right}` };
},
tell(st) {
const q = tailor(st), sh = (t) => t.s.join(" × ");
if (!q.fits) return [[["g", "No product: "], `${sh(q.a)} times ${sh(q.b)}`], `The inner lengths ${q.a.s[1]} and ${q.b.s[0]} differ.`, "g"];
if (!q.shape) return [[["g", "Wrong shape: "], `${sh(q.out)}, but W is ${q.n} × ${q.m}`], "A gradient has the shape of what it is the gradient of.", "g"];
if (!q.right) return [[["g", "Right shape, wrong numbers: "], `off by ${fmt(q.gap)}`], "With square matrices the shape accepts what only a numeric check rejects.", "g"];
return [[["l", "Yes: "], ["g i bar", "W"], " = ", ["v i", "Xᵀ"], " ", ["g i", "Z̄"]], `Shape ${q.n} × ${q.m}, and the numbers agree to ${fmt(q.gap, 1)}: sample by sample, every input meets every error.`, "l"];
},
ask(st, round, set) {
const c = [["Xᵀ", "Z̄", "distinct"], ["Z̄ᵀ", "X", "square"], ["X", "Z̄ᵀ", "distinct"], ["X", "Z̄", "square"]][round % 4];
return { parts: [`Try ${c[0]} ${c[1]} with ${c[2] === "square" ? "everything 3 × 3" : "distinct sizes"}. What will the checks say?`], options: ["Right", "Wrong shape", "Right shape, wrong numbers", "No product at all"], commit() { set({ left: c[0], right: c[1], square: c[2] }); const q = tailor({ left: c[0], right: c[1], square: c[2] }); return { right: q.right ? 0 : !q.fits ? 3 : !q.shape ? 1 : 2, parts: [q.out ? `The product is ${q.out.s.join(" × ")}.` : "The inner lengths differ."] }; } };
},
rows(st) { return [{ head: ["left", "right", "shape", "verdict"], rows: TILES.flatMap((a) => TILES.map((b) => { const q = tailor({ ...st, left: a, right: b }); return [a, b, q.out ? q.out.s.join(" × ") : "none", { text: q.right ? "right" : !q.fits ? "no product" : !q.shape ? "wrong shape" : "wrong numbers", exact: String(q.gap) }]; })) }]; },
});
function slopes({ activation, shift, scale }) {
const r = generator(11), n = 12, B = 16, w = Array.from({ length: n }, () => r.normal()), b = Array.from({ length: n }, () => 0.5 * r.normal()), x = Array.from({ length: B }, () => r.normal());
const [phi, slope] = ACTS[activation], D = new Float64Array(B * n);
x.forEach((u, q) => w.forEach((v, k) => { const z = scale * u * v + b[k] + shift; D[q * n + k] = slope(z, phi(z)); }));
let zeros = 0, dead = 0;
for (const d of D) if (Math.abs(d) < 0.01) zeros++;
for (let k = 0; k < n; k++) { let alive = false; for (let q = 0; q < B; q++) alive = alive || Math.abs(D[q * n + k]) >= 0.01; if (!alive) dead++; }
return { D, n, B, zeros, dead };
}
const deadFigure = (ctx) => simple(ctx, {
names: ["local"], defaults: { activation: "relu", shift: 0, scale: 1 },
controls: { activation: { label: "activation", options: ["relu", "leaky_relu", "tanh", "sigmoid", "gelu", "identity"] }, shift: { label: "all biases", cls: "", min: -6, max: 6, step: 0.1 }, scale: { label: "data ×", cls: "", min: 0.1, max: 10, step: 0.1 } },
nudge: { key: "shift", step: (v, d) => within(-6, 6)(v + d * 0.5) },
draw(st, w) {
const q = slopes(st), c = Math.min(24, (w - 90) / q.n), g = [], x0 = 80;
for (let r = 0; r < q.B; r++) for (let k = 0; k < q.n; k++) {
const v = q.D[r * q.n + k], flat = Math.abs(v) < 0.01, a = Math.max(2, (c - 3) * Math.sqrt(Math.min(1, Math.abs(v))));
g.push(flat ? s("path", { d: `M${x0 + k * c + c / 2 - 3} ${26 + r * 15 + 4}l6 6m0 -6l-6 6`, style: "stroke:var(--m)", fill: "none", "stroke-width": 1.2 }) : s("rect", { x: x0 + k * c + (c - a) / 2, y: 26 + r * 15 + 7 - Math.min(a, 13) / 2, width: a, height: Math.min(a, 13), style: "fill:var(--l)" }));
}
g.push(s("text", { x: x0 + (q.n * c) / 2, y: 16, "text-anchor": "middle", "font-size": 13, class: "m" }, `${q.n} units`), s("text", { x: 4, y: 26 + q.B * 7.5, "font-size": 13, class: "m" }, `${q.B} samples`));
return { h: 34 + q.B * 15, kids: g, label: `Slopes of ${q.n} units on ${q.B} samples: ${q.zeros} below 0.01, ${q.dead} units flat everywhere` };
},
tell(st) { const q = slopes(st); return [[["l", `${q.zeros} of ${q.D.length}`], " slopes below 0.01, ", ["g", `${q.dead} of ${q.n}`], " units get no gradient from any sample"], "A cross is a place where the cotangent is multiplied by almost nothing. A unit that is all crosses cannot learn from these data.", "l"]; },
ask(st, round, set) {
const c = [{ activation: "relu", shift: -4, scale: 1 }, { activation: "leaky_relu", shift: -4, scale: 1 }, { activation: "tanh", shift: 0, scale: 8 }, { activation: "sigmoid", shift: 6, scale: 1 }][round % 4];
return { parts: [`${c.activation}, all biases ${fmt(c.shift)}, data times ${c.scale}. How many of the 12 units are flat on every sample?`], options: ["None", "Some", "All"], commit() { set(c); const q = slopes(c); return { right: q.dead === 0 ? 0 : q.dead < q.n ? 1 : 2, parts: [["g", String(q.dead)], ` units; ${q.zeros} of ${q.D.length} slopes are below 0.01.`] }; } };
},
rows(st) { const q = slopes(st); return [{ head: ["unit", "samples with slope below 0.01"], rows: Array.from({ length: q.n }, (_, k) => { let c = 0; for (let r = 0; r < q.B; r++) if (Math.abs(q.D[r * q.n + k]) < 0.01) c++; return [String(k + 1), { text: String(c), exact: String(c) }]; }) }]; },
});
const half = (x) => { const a = Math.abs(x); if (!(a < 65520)) return x === x ? Math.sign(x) * Infinity : NaN; if (a < 2 ** -25) return 0; const e = Math.max(-14, Math.floor(Math.log2(a))), q = 2 ** (e - 10); return Math.sign(x) * Math.round(a / q) * q; };
const KIND = { float64: (x) => x, float32: Math.fround, float16: half };
function logits({ z, scale, target, form, dtype }) {
const R = KIND[dtype], v = z.map((x) => R(R(x) * R(scale))), top = Math.max(...v), nodes = [];
const ok = (name, xs) => { if (xs.some((x) => !Number.isFinite(x))) nodes.push(name); return xs; };
let p, J;
if (form === "fused") {
const e = v.map((x) => R(Math.exp(R(x - top)))), sum = e.reduce((a, b) => R(a + b), 0), lse = R(R(Math.log(sum)) + top);
p = e.map((x) => R(x / sum)); J = R(lse - v[target]);
} else {
const e = ok("exp", v.map((x) => R(Math.exp(x)))), sum = ok("sum", [e.reduce((a, b) => R(a + b), 0)])[0];
p = ok("division", e.map((x) => R(x / sum))); J = ok("logarithm", [R(-R(Math.log(p[target])))])[0];
}
return { v, p, J, g: p.map((x, k) => R(x - (k === target ? 1 : 0))), bad: nodes[0] || null };
}
const LZ = ["z₁", "z₂", "z₃", "z₄"];
const lz = (st) => logits({ z: [st.z1, st.z2, st.z3, st.z4], scale: st.scale, target: +st.target - 1, form: st.form, dtype: st.dtype });
const logitsFigure = (ctx) => simple(ctx, {
names: ["value", "gradient"], defaults: { z1: 2, z2: 0.5, z3: -1, z4: 0, target: "1", scale: 1, form: "fused", dtype: "float64" },
controls: { ...Object.fromEntries([1, 2, 3, 4].map((k) => ["z" + k, { label: LZ[k - 1], min: -10, max: 10, step: 0.1, kind: "v" }])), scale: { label: "logits ×", cls: "", min: 1, max: 1000, log: true }, target: { label: "target", options: ["1", "2", "3", "4"] }, form: { label: "softmax", options: [["fused", "fused, largest logit subtracted"], ["naive", "naive, exp then divide"]] }, dtype: { label: "data type", options: ["float64", "float32", "float16"] } },
nudge: { key: "scale", step: (v, d) => within(1, 1000)(v * 10 ** (d / 4)) },
draw(st, w) {
const q = lz(st), H = 230, ax = axes({ w, h: H, x: [0.4, 4.6], y: [-1.1, 1.1], ylabel: "p and p − t", xticks: [1, 2, 3, 4], xfmt: (v) => LZ[v - 1] + (v === +st.target ? " (target)" : "") }), y0 = ax.Y(0), bw = Math.min(34, w / 18);
for (let k = 0; k < 4; k++) for (const [v, c, dx] of [[q.p[k], "v", -bw - 2], [q.g[k], "g", 2]]) {
const x = ax.X(k + 1) + dx;
if (!Number.isFinite(v)) { ax.g.append(s("text", { x: x + bw / 2, y: y0 - 6, "text-anchor": "middle", "font-size": 12, class: c }, fmt(v))); continue; }
const y = ax.Y(v);
ax.g.append(s("rect", { x, y: Math.min(y, y0), width: bw, height: Math.max(1, Math.abs(y - y0)), "stroke-width": 1.5, "stroke-dasharray": c === "g" ? "5 3.5" : "none", style: `fill:var(--${c}t);stroke:var(--${c})` }), s("text", { x: x + bw / 2, y: c === "g" && v >= 0 ? y0 + 14 : v >= 0 ? y - 5 : y + 14, "text-anchor": "middle", "font-size": 12, class: c }, fmt(v, 2)));
}
ax.g.append(s("path", { d: `M${ax.inner[0]} ${y0}H${ax.inner[2]}`, style: "stroke:var(--m)" }));
return { h: H, kids: ax.g, label: `Probabilities ${q.p.map((x) => fmt(x)).join(", ")}; gradients ${q.g.map((x) => fmt(x)).join(", ")}` };
},
tell(st) {
const q = lz(st), t = +st.target - 1;
if (q.bad) return [[["g", `The ${q.bad} overflowed`], `: J = ${fmt(q.J)}`], `exp of ${fmt(Math.max(...q.v))} is beyond ${st.dtype}, and ∞ / ∞ is NaN. Subtracting the largest logit first leaves p as it is, and keeps every exponential at most 1.`, "g"];
return [["∂J/∂", ["i", LZ[t]], " = ", ["v", fmt(q.p[t])], " − 1 = ", ["g", fmt(q.g[t])], ",  J = ", ["v", fmt(q.J)]], "For every other class the gradient is its probability. The gradients sum to zero: what is taken from one is given to the others.", "g"];
},
ask(st, round, set) {
const c = [{ scale: 100, form: "naive", dtype: "float32", z1: 2 }, { scale: 100, form: "fused", dtype: "float32", z1: 2 }, { scale: 10, form: "naive", dtype: "float16", z1: 2 }, { scale: 10, form: "naive", dtype: "float64", z1: 2 }][round % 4];
return { parts: [`Logits times ${c.scale}, ${c.form} softmax, ${c.dtype}. What becomes of the loss?`], options: ["A finite number", "NaN or infinite"], commit() { set(c); const q = lz(st); return { right: Number.isFinite(q.J) ? 0 : 1, parts: [`The largest logit is ${fmt(Math.max(...q.v))}; J = `, ["v", fmt(q.J)], q.bad ? `, after the ${q.bad} overflowed.` : "."] }; } };
},
rows(st) { const q = lz(st); return [{ head: ["class", "logit", "p", "p − t"], rows: q.p.map((p, k) => [String(k + 1), fmt(q.v[k]), { text: fmt(p), exact: String(p), cls: "v" }, { text: fmt(q.g[k]), exact: String(q.g[k]), cls: "g" }]) }]; },
});
function descend({ rate, curvature, x, y, steps = 30 }) {
const out = [];
for (let k = 0; k <= steps; k++) { out.push([x, y, (x * x + curvature * y * y) / 2]); x -= rate * x; y -= rate * curvature * y; }
return out;
}
const descentFigure = (ctx) => simple(ctx, {
names: ["value", "gradient"], defaults: { rate: 0.15, curvature: 10, x: 4, y: 1 },
controls: { rate: { label: "rate η", cls: "", min: 0.001, max: 3, log: true }, curvature: { label: "curvature", cls: "", min: 1, max: 30, step: 0.5 }, x: { label: "start x", cls: "", min: -5, max: 5, step: 0.1 }, y: { label: "start y", cls: "", min: -2, max: 2, step: 0.1 } },
nudge: { key: "rate", step: (v, d) => within(0.001, 3)(v * 10 ** (d / 10)) },
draw(st, w) {
const pts = descend(st), two = w > 560, W = two ? w * 0.56 : w, H = 250, ax = axes({ w: W, h: H, x: [-5.5, 5.5], y: [-2.4, 2.4], xlabel: "x", ylabel: "y", pad: [10, 10, 40, 50] });
const [l, t, r, b] = ax.inner, cx = within(l, r), cy = within(t, b);
for (const level of [0.5, 2, 5, 10, 18]) { const q = []; for (let i = 0; i <= 72; i++) { const a = (i * Math.PI) / 36; q.push([cx(ax.X(Math.sqrt(2 * level) * Math.cos(a))), cy(ax.Y(Math.sqrt((2 * level) / st.curvature) * Math.sin(a)))]); } ax.g.append(s("path", { d: path(q), fill: "none", style: "stroke:var(--bx)" })); }
const seen = pts.filter((p) => Math.abs(p[0]) < 1e6 && Math.abs(p[1]) < 1e6).map((p) => [cx(ax.X(p[0])), cy(ax.Y(p[1]))]);
ax.g.append(s("path", { d: path(seen), fill: "none", "stroke-width": 1.8, "stroke-dasharray": "5 3.5", style: "stroke:var(--g)" }), seen.slice(0, 12).map(([x, y]) => s("circle", { cx: x, cy: y, r: 3.2, style: "fill:var(--g)" })).reduce((f, n) => { f.append(n); return f; }, s("g")));
const ok = pts.filter((p) => p[2] > 0 && Number.isFinite(p[2])), lo = Math.max(1e-12, Math.min(...ok.map((p) => p[2]), 1)), hi = Math.min(1e12, Math.max(...ok.map((p) => p[2]), 10)), bx = axes({ w: two ? w - W : w, h: H, x: [0, pts.length - 1], y: [lo * 0.5, hi * 2], logy: true, xlabel: "step", ylabel: "loss", pad: [10, 12, 40, 56] });
bx.g.append(s("path", { d: path(pts.map((p, k) => [bx.X(k), p[2] > 0 ? within(10, H - 40)(bx.Y(Math.max(lo * 0.5, Math.min(hi * 2, p[2])))) : H - 40])), fill: "none", "stroke-width": 2, style: "stroke:var(--v)" }));
bx.g.setAttribute("transform", two ? `translate(${W} 0)` : `translate(0 ${H})`);
return { h: two ? H : 2 * H, kids: [ax.g, bx.g], label: `Descent from (${fmt(st.x)}, ${fmt(st.y)}), loss ${fmt(pts[0][2])} to ${fmt(pts.at(-1)[2])} in 30 steps` };
},
tell(st) {
const big = Math.max(1, st.curvature), m = 1 - st.rate * big, pts = descend(st);
return [["steep direction: × (1 − ", ["l", fmt(st.rate)], " × ", ["l", fmt(big)], ") = × ", ["l", fmt(m)], " a step"], `${Math.abs(m) > 1 ? "Farther out with every step: it diverges" : m < 0 ? "It overshoots and comes back, closer each time" : "It creeps in without overshooting"}. The border is η = 2 / Λ = ${fmt(2 / big)}. Loss ${fmt(pts[0][2])} → ${fmt(pts.at(-1)[2])} in 30 steps.`, Math.abs(m) > 1 ? "g" : "v"];
},
ask(st, round, set) {
const k = [2.1, 1.9, 1, 0.2][round % 4], curvature = [10, 10, 20, 5][round % 4], rate = Number((k / curvature).toPrecision(3));
return { parts: [`Curvature ${curvature}, learning rate ${fmt(rate)}. Where is the loss after 30 steps?`], options: ["Above where it began", "Lower"], commit() { set({ curvature, rate }); const p = descend(st); return { right: p.at(-1)[2] > p[0][2] ? 0 : 1, parts: [["v", fmt(p[0][2])], " became ", ["v", fmt(p.at(-1)[2])], `; η Λ = ${fmt(rate * curvature)}, and 2 is the border.`] }; } };
},
rows(st) { return [{ head: ["step", "x", "y", "loss"], rows: descend(st).map((p, k) => [String(k), fmt(p[0]), fmt(p[1]), { text: fmt(p[2]), exact: String(p[2]) }]) }]; },
});
const FIGURES = { graph: graphFigure, bench: benchFigure, ledger: ledgerFigure, bracket: bracketFigure, check: checkFigure, checkpoint: checkpointFigure, lens: lensFigure, paths: pathsFigure, tailor: tailorFigure, dead: deadFigure, logits: logitsFigure, descent: descentFigure };
function guard(model) {
const pending = new Map();
let asked = 0;
const flush = () => { asked = 0; try { for (const [k, v] of pending) model.set(k, v); pending.clear(); model.save_changes?.(); } catch { /* a host without a kernel */ } };
return {
get: (k) => { if (pending.has(k)) return pending.get(k); try { return model.get(k); } catch { return undefined; } },
set: (k, v) => { pending.set(k, v); if (!asked) asked = requestAnimationFrame(flush); },
on: (k, f) => { try { model.on?.("change:" + k, f); } catch { /* as above */ } return () => { try { model.off?.("change:" + k, f); } catch { /* as above */ } }; },
stop: () => cancelAnimationFrame(asked),
};
}
function explain(el, error) {
const dark = el.ownerDocument.documentElement.dataset.theme === "dark";
el.append(h("div", { class: "bp", role: "group", "aria-label": "A figure that could not be drawn", "data-dark": dark }, h("style", {}, css()),
h("div", { class: "err", role: "alert" }, h("p", {}, h("b", {}, "This figure cannot be drawn. "), String((error && error.message) || error)))));
}
function render({ model, el, signal }) {
const m = guard(model), ctx = { el, cleanup: [], spec: null };
const quit = () => { m.stop(); for (const f of ctx.cleanup.splice(0)) { try { f(); } catch { /* keep tearing down */ } } };
try {
ctx.spec = m.get("spec");
if (!ctx.spec || typeof ctx.spec !== "object") throw new Error("its description is missing");
if (!Object.hasOwn(FIGURES, ctx.spec.kind)) throw new Error(`there is no kind of figure called “${ctx.spec.kind}”`);
ctx.get = m.get; ctx.set = m.set;
ctx.on = (k, f) => ctx.cleanup.push(m.on(k, f));
if (globalThis.__bpPerf) { ctx.perf = globalThis.__bpPerf; ctx.evalTime = 0; }
ctx.api = FIGURES[ctx.spec.kind](ctx) || {};
el.bpFigure = ctx.api;
} catch (error) {
quit();
el.replaceChildren();
explain(el, error);
}
signal?.addEventListener?.("abort", quit);
return quit;
}
function pageModel(state) {
const data = { ...state }, heard = new Map();
return {
get: (k) => data[k],
set: (k, v) => { data[k] = v; },
save_changes() {},
on: (k, f) => { if (!heard.has(k)) heard.set(k, new Set()); heard.get(k).add(f); },
off: (k, f) => heard.get(k)?.delete(f),
push: (k, v) => { data[k] = v; heard.get("change:" + k)?.forEach((f) => f()); },
};
}
function wake(box) {
if (box.dataset.bpLive) return;
box.dataset.bpLive = "1";
const host = document.createElement("div");
let spec;
try { spec = JSON.parse(box.querySelector('script[type="application/json"]').textContent); } catch { spec = null; }
const model = pageModel({ spec, ...(spec && spec.state) });
box.append(host);
render({ model, el: host });
box.bpModel = model;
const still = box.querySelector(".bp-static");
if (still && !host.querySelector(".err[role=alert]")) still.remove();
}
function mountAll(root = document) {
const boxes = [...root.querySelectorAll(".bp-figure")];
if (typeof IntersectionObserver !== "function") { boxes.forEach(wake); return; }
const io = new IntersectionObserver((seen) => seen.forEach((e) => { if (e.isIntersecting) { io.unobserve(e.target); wake(e.target); } }), { rootMargin: "600px" });
boxes.forEach((b) => io.observe(b));
addEventListener("beforeprint", () => boxes.forEach(wake));
}
const mountNow = (root = document) => [...root.querySelectorAll(".bp-figure")].forEach(wake);
export default { render };
