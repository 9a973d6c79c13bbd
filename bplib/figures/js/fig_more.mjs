// Figures 2, 3, 7, 8, 9 and 12, on one common frame.
import { fmt, fmtCount } from "./fmt.mjs";
import { sigmoid, softplus } from "./ops.mjs";
import { T, matmul, swap } from "./tensor.mjs";
import { hinton } from "./fig_graph.mjs";
import { ACTS, generator } from "./fig_bench.mjs";
import { h, s, frame, line, slider, choice, predict, table, framed, onWidth, button, axes, path, stateOf, chartOf, stepKeys } from "./ui.mjs";

// A figure is: its state, its controls, a drawing of a given width, a worked line, questions, a table.
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

// ---- 2, Tangent Lens ---------------------------------------------------------------------------
const LENS = { exp: [Math.exp, Math.exp], sin: [Math.sin, Math.cos], tanh: [Math.tanh, (x) => 1 - Math.tanh(x) ** 2], "x²": [(x) => x * x, (x) => 2 * x], "x³": [(x) => x * x * x, (x) => 3 * x * x] };
export function lensGap(name, x, zoom) {
  const [f, d] = LENS[name], r = 2 / zoom;
  let worst = 0;
  for (let i = -50; i <= 50; i++) { const u = (r * i) / 50; worst = Math.max(worst, Math.abs(f(x + u) - f(x) - d(x) * u)); }
  return worst / r;
}
export const lensFigure = (ctx) => simple(ctx, {
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

// ---- 3, Paths vs Sweep -------------------------------------------------------------------------
export const pathCount = (width, depth) => width ** depth;
export const edgeCount = (width, depth) => 2 * width + width * width * (depth - 1);
export const pathsFigure = (ctx) => simple(ctx, {
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

// ---- 7, Shape Tailor ---------------------------------------------------------------------------
// J = sum of G * (X W): which product of X and Z-bar (here G) has the numbers of dJ/dW?
export function tailorData(B, n, m) {
  const r = generator(5), fill = (a, b) => T([a, b], Float64Array.from({ length: a * b }, () => r.normal()));
  return { X: fill(B, n), G: fill(B, m) };
}
export function tailor({ square, left, right }) {
  const [B, n, m] = square === "square" ? [3, 3, 3] : [4, 2, 3], { X, G } = tailorData(B, n, m);
  const take = (k) => { const t = k[0] === "X" ? X : G; return k.endsWith("ᵀ") ? swap(t) : t; };
  const a = take(left), b = take(right), truth = matmul(swap(X), G), fits = a.s[1] === b.s[0], out = fits ? matmul(a, b) : null;
  const shape = fits && out.s[0] === n && out.s[1] === m;
  let gap = NaN;
  if (shape) { gap = 0; out.d.forEach((v, i) => { gap = Math.max(gap, Math.abs(v - truth.d[i])); }); }
  return { B, n, m, a, b, out, fits, shape, gap, truth, right: shape && gap < 1e-12 };
}
const TILES = ["X", "Xᵀ", "Z̄", "Z̄ᵀ"];
export const tailorFigure = (ctx) => simple(ctx, {
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

// ---- 8, Dead or Saturated ----------------------------------------------------------------------
export function slopes({ activation, shift, scale }) {
  const r = generator(11), n = 12, B = 16, w = Array.from({ length: n }, () => r.normal()), b = Array.from({ length: n }, () => 0.5 * r.normal()), x = Array.from({ length: B }, () => r.normal());
  const [phi, slope] = ACTS[activation], D = new Float64Array(B * n);
  x.forEach((u, q) => w.forEach((v, k) => { const z = scale * u * v + b[k] + shift; D[q * n + k] = slope(z, phi(z)); }));
  let zeros = 0, dead = 0;
  for (const d of D) if (Math.abs(d) < 0.01) zeros++;
  for (let k = 0; k < n; k++) { let alive = false; for (let q = 0; q < B; q++) alive = alive || Math.abs(D[q * n + k]) >= 0.01; if (!alive) dead++; }
  return { D, n, B, zeros, dead };
}
export const deadFigure = (ctx) => simple(ctx, {
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

// ---- 9, Logits ---------------------------------------------------------------------------------
// Only the range of a float16 matters here, and its eleven bits.
const half = (x) => { const a = Math.abs(x); if (!(a < 65520)) return x === x ? Math.sign(x) * Infinity : NaN; if (a < 2 ** -25) return 0; const e = Math.max(-14, Math.floor(Math.log2(a))), q = 2 ** (e - 10); return Math.sign(x) * Math.round(a / q) * q; };
const KIND = { float64: (x) => x, float32: Math.fround, float16: half };
export function logits({ z, scale, target, form, dtype }) {
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
export const logitsFigure = (ctx) => simple(ctx, {
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

// ---- 12, Step Size -----------------------------------------------------------------------------
// J = (x^2 + c y^2) / 2, so the largest curvature is max(1, c).
export function descend({ rate, curvature, x, y, steps = 30 }) {
  const out = [];
  for (let k = 0; k <= steps; k++) { out.push([x, y, (x * x + curvature * y * y) / 2]); x -= rate * x; y -= rate * curvature * y; }
  return out;
}
export const descentFigure = (ctx) => simple(ctx, {
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
