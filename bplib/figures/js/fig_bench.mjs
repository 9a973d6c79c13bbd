// Figure 6, Layer Bench: what do layers do to signals?
import { fmt, fmtCount, sup } from "./fmt.mjs";
import { sigmoid, softplus } from "./ops.mjs";
import { h, s, frame, line, slider, choice, predict, table, framed, onWidth, attr, setText, button, enable, axes, path, icon, calm, KEEP } from "./ui.mjs";

// A generator small enough to be the same in Python: mulberry32, then Box and Muller's pairs.
export function generator(seed) {
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

export const INITS = {
  glorot: (n, m, r) => { const c = Math.sqrt(6 / (n + m)); return () => c * (2 * r.uniform() - 1); },
  he: (n, m, r) => { const c = Math.sqrt(2 / n); return () => c * r.normal(); },
  lecun: (n, m, r) => { const c = Math.sqrt(1 / n); return () => c * r.normal(); },
  zeros: () => () => 0,
};
const gelu = (x) => 0.5 * x * (1 + Math.tanh(0.7978845608028654 * (x + 0.044715 * x * x * x)));
const geluSlope = (x) => { const u = Math.tanh(0.7978845608028654 * (x + 0.044715 * x * x * x)); return 0.5 * (1 + u) + 0.5 * x * (1 - u * u) * (0.7978845608028654 * (1 + 0.134145 * x * x)); };
// [phi(z), phi'(z) given z and a]
export const ACTS = {
  tanh: [Math.tanh, (z, a) => 1 - a * a],
  sigmoid: [sigmoid, (z, a) => a * (1 - a)],
  relu: [(z) => (z > 0 || z !== z ? z : 0), (z) => (z > 0 ? 1 : 0)],
  leaky_relu: [(z) => (z > 0 ? z : 0.01 * z), (z) => (z > 0 ? 1 : 0.01)],
  gelu: [gelu, geluSlope],
  softplus: [softplus, (z) => sigmoid(z)],
  identity: [(z) => z, () => 1],
};

export function makeNet(sizes, activation, init, gain, seed) {
  const W = [null], b = [null];
  for (let l = 1; l < sizes.length; l++) {
    const n = sizes[l - 1], m = sizes[l], r = generator(seed * 1000003 + l * 7919), draw = INITS[init](n, m, r), w = new Float64Array(n * m);
    for (let i = 0; i < w.length; i++) w[i] = gain * draw();
    W.push(w); b.push(new Float64Array(m));
  }
  return { sizes, activation, W, b };
}

// Rows are samples: A[l] is B by n_l, flattened. The last layer is affine only.
export function forward(net, X, B) {
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

export function softmaxRows(Z, B, K) {
  const P = new Float64Array(Z.length);
  for (let q = 0; q < B; q++) {
    let top = -Infinity, sum = 0;
    for (let k = 0; k < K; k++) top = Math.max(top, Z[q * K + k]);
    for (let k = 0; k < K; k++) sum += P[q * K + k] = Math.exp(Z[q * K + k] - top);
    for (let k = 0; k < K; k++) P[q * K + k] /= sum;
  }
  return P;
}

// The delta rules. Returns J, the error signals and the gradients.
export function backward(net, { A, Z }, labels, B, loss) {
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

export const rmsOf = (x) => { let q = 0; for (const v of x) q += v * v; return x.length ? Math.sqrt(q / x.length) : 0; };

export function signals(net, X, labels, B, loss) {
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

export function benchFigure(ctx) {
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

  // ---- training: plain gradient descent in batches of 32 ------------------------------------
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

  // ---- controls -------------------------------------------------------------------------------
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

  // ---- pictures -------------------------------------------------------------------------------
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
