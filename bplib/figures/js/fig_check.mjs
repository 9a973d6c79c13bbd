// Figures 10 and 11: how good is a finite difference, and what does memory cost in time?
import { fmt, sup } from "./fmt.mjs";
import { h, s, frame, line, slider, choice, predict, table, framed, onWidth, attr, setText, button, axes, path, stateOf, chartOf, stepKeys, KEEP } from "./ui.mjs";

// ---- 10, Gradient Check: what h? ---------------------------------------------------------------
// [f, exact f', Im f(x + ih) / h], with R the rounding of the data type.
export const CURVES = {
  exp: [(x, R) => R(Math.exp(x)), (x) => Math.exp(x), (x, h) => (Math.exp(x) * Math.sin(h)) / h],
  sin: [(x, R) => R(Math.sin(x)), (x) => Math.cos(x), (x, h) => (Math.cos(x) * Math.sinh(h)) / h],
  tanh: [(x, R) => R(Math.tanh(x)), (x) => 1 - Math.tanh(x) ** 2, (x, h) => Math.sin(2 * h) / (Math.cosh(2 * x) + Math.cos(2 * h)) / h],
  "x³": [(x, R) => R(R(x * x) * x), (x) => 3 * x * x, (x, h) => 3 * x * x - h * h],
};
const ROUND = { float64: (x) => x, float32: Math.fround };
export const EPS = { float64: 2 ** -52, float32: 2 ** -23 };
export function checkError(name, scheme, dtype, x, step) {
  const [f, exact, imag] = CURVES[name], R = ROUND[dtype], X = R(x), H = R(step), want = exact(X);
  let got;
  if (scheme === "forward") { const b = R(X + H); got = R(R(f(b, R) - f(X, R)) / H); }
  else if (scheme === "central") { const b = R(X + H), a = R(X - H); got = R(R(f(b, R) - f(a, R)) / R(2 * H)); }
  else got = R(imag(X, H));
  return Math.abs(got - want) / Math.abs(want);
}
export const bestStep = (scheme, dtype) => (scheme === "forward" ? EPS[dtype] ** (1 / 2) : scheme === "central" ? EPS[dtype] ** (1 / 3) : 1e-20);

export function checkFigure(ctx) {
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

// ---- 11, Checkpoint Budget: memory or time? ----------------------------------------------------
// n equal layers; `keep` holds the activations kept by the forward pass, beside the input a_0.
// Returns what is alive after every tick, and how many layer evaluations were repeated.
export function schedule(n, keep) {
  const marks = [0, ...[...new Set(keep)].filter((k) => k > 0 && k < n).sort((a, b) => a - b)], alive = [], kinds = [];
  const held = new Set([0]);
  let again = 0, last = marks.at(-1);
  const tick = (kind) => { alive.push(held.size); kinds.push(kind); };
  tick("f");
  for (let i = 1; i <= n; i++) {
    held.add(i);
    tick("f");
    // Beyond the last checkpoint everything is kept: it is needed at once.
    if (i - 1 < last && !marks.includes(i - 1)) held.delete(i - 1);
  }
  for (let m = marks.length - 1; m >= 0; m--) {
    const a = marks[m], b = m + 1 < marks.length ? marks[m + 1] : n;
    if (m + 1 < marks.length) for (let i = a + 1; i < b; i++) { held.add(i); again++; tick("r"); }
    for (let i = b; i > a; i--) { held.delete(i); tick("b"); }
  }
  return { alive, kinds, again, peak: Math.max(...alive), marks };
}
// The best evenly spaced choice, by trying every spacing.
export function bestEven(n) {
  let best = null;
  for (let q = 1; q <= n; q++) { const keep = []; for (let k = q; k < n; k += q) keep.push(k); const r = schedule(n, keep); if (!best || r.peak < best.peak || (r.peak === best.peak && r.again < best.again)) best = { ...r, every: q, keep }; }
  return best;
}

export function checkpointFigure(ctx) {
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
