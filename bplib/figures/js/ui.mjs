// Small parts every figure is made of. Text only ever enters through text nodes and attributes.
import { css } from "./style.mjs";
import { fmt } from "./fmt.mjs";

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
export const h = (tag, props, ...kids) => fillIn(document.createElement(tag), props, kids);
export const s = (tag, props, ...kids) => fillIn(document.createElementNS(SVG, tag), props, kids);

// JupyterLab runs its shortcuts on the focused element; this attribute keeps X, Space and the arrows ours.
export const KEEP = { "data-lm-suppress-shortcuts": "true" };

let serial = 0;
export const uid = () => "bp-e" + ++serial;

// Parts of a sentence: a string, or [classes, text]; "bar" draws the overbar of an adjoint.
export const rich = (parts) => parts.map((q) => (typeof q === "string" ? q : h("span", { class: q[0] }, q[1])));
export const plain = (parts) => parts.map((q) => (typeof q === "string" ? q : (q[0].includes("bar") ? q[1] + "-bar" : q[1]))).join("");

// What was written last is remembered: asking the document costs more than writing to it. A text is
// changed inside its node, so that nothing is taken out of the tree and put back.
export const setText = (el, text) => {
  if (el.bpText === text) return;
  el.bpText = text;
  const t = el.firstChild;
  if (t && t.nodeType === 3 && !t.nextSibling) t.data = text; else el.textContent = text;
};
export const attr = (el, k, v) => {
  const t = String(v), seen = el.bpAttr || (el.bpAttr = {});
  if (seen[k] === t) return;
  seen[k] = t;
  el.setAttribute(k, t);
};

export const ICON = {
  first: "M2 2h2.5v12H2zM14 2v12L5.5 8z", prev: "M12 2v12L3.5 8z", next: "M4 2v12l8.5-6z", play: "M4 2v12l8.5-6z",
  pause: "M3 2h3.5v12H3zM9.5 2H13v12H9.5z", last: "M11.5 2H14v12h-2.5zM2 2v12l8.5-6z",
};
export const icon = (name) => s("svg", { width: 16, height: 16, viewBox: "0 0 16 16", "aria-hidden": "true" }, s("path", { d: ICON[name], fill: "currentColor" }));

export function button(text, on, props = {}) {
  const b = h("button", { type: "button", ...KEEP, ...props, onclick: () => b.getAttribute("aria-disabled") !== "true" && on(b) }, text);
  return b;
}
// aria-disabled and not disabled: a button that vanishes from under the focus strands the keyboard.
export const enable = (b, yes) => attr(b, "aria-disabled", yes ? "false" : "true");

const LEGEND = {
  value: ["value", () => s("path", { d: "M2 3v10l9-5z", style: "fill:var(--v)" })],
  gradient: ["gradient of the loss", () => s("path", { d: "M11 3v10L2 8z", style: "fill:var(--g)" })],
  local: ["local derivative", null],
  parameter: ["parameter", () => [s("rect", { x: 1, y: 1.5, width: 13, height: 13, fill: "none", "stroke-width": 1.5, style: "stroke:var(--p)" }), s("rect", { x: 1, y: 1.5, width: 4, height: 13, style: "fill:var(--p)" })]],
  data: ["data", () => s("rect", { x: 1, y: 1.500, width: 13, height: 13, rx: 4, fill: "none", "stroke-width": 1.5, style: "stroke:var(--m)" })],
};
export const legend = (names) => h("p", { class: "lgd" }, names.map((k) => h("span", {}, k === "local" ? h("span", { class: "chip", "aria-hidden": "true" }, "×k")
  : s("svg", { width: 16, height: 16, "aria-hidden": "true" }, LEGEND[k][1]()), LEGEND[k][0])));

function dark(el) {
  const t = document.documentElement.dataset.theme;
  if (t === "dark" || t === "light") return t === "dark";
  const lab = document.body && document.body.dataset.jpThemeLight;
  if (lab) return lab === "false";
  return typeof matchMedia === "function" && matchMedia("(prefers-color-scheme: dark)").matches;
}
export const calm = () => typeof matchMedia === "function" && matchMedia("(prefers-reduced-motion: reduce)").matches;

// The frame: title, legend, a place for the picture, one line that says what happened, one live region.
export function frame(ctx, { title, sub, legend: names }) {
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

// The worked line under the picture.
export function line(kind = "g") {
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

// A slider with a number box: the same quantity twice, for fingers and for exactness.
// With log: true the slider runs over exponents of ten.
export function slider({ label, cls = "i", aria, min, max, step, value, on, log = false, box = true, show, kind }) {
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
  // The handle's own grid must not change a number that lies off the grid unless it is really moved.
  r.addEventListener("input", () => { const x = from(+r.value), y = log ? Number(x.toPrecision(3)) : x; last = y; put(y, r); on(y); });
  // Typing takes effect at once: in a notebook the host may keep Enter, and with it the change event.
  if (box) {
    const typed = () => { const x = Number(n.value), ok = n.value !== "" && Number.isFinite(x) && (!log || x > 0); if (ok && x !== last) { last = x; put(x, n); on(x); } return ok; };
    n.addEventListener("input", typed);
    n.addEventListener("change", () => { if (!typed()) put(last); });
  }
  const set = (x) => { last = x; put(x); };
  set(value);
  return { el: h("div", { class: "ctl" }, h("label", { for: id, class: cls }, label), r, n), set, input: r, box: n };
}

export function choice({ label, options, value, on }) {
  const id = uid();
  const el = h("select", { id, ...KEEP, onchange: () => on(el.value) }, options.map((o) => { const [v, t] = Array.isArray(o) ? o : [o, o]; return h("option", { value: v }, t); }));
  el.value = value;
  return { el: h("div", { class: "ctl" }, h("label", { for: id }, label), el), set: (v) => { el.value = v; }, input: el };
}

// First, back, step, play, last and a scrubbing slider over `total` steps, `split` of them forward.
export function transport(ctx, { total, split, get, set, ends }) {
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

// A question before its answer. `ask()` gives {parts, options, commit()}; commit computes and returns
// {right: index, parts}. Nothing about the answer exists before commit runs.
export function predict(ctx, { ask, more = true, act = "Try it" }) {
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

// "All numbers as a table": built when opened, refreshed while open.
export function table(tables) {
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

// One repaint a frame, however many events came.
export function framed(ctx, f) {
  let asked = 0;
  ctx.cleanup.push(() => cancelAnimationFrame(asked));
  return () => { if (!asked) asked = requestAnimationFrame(() => { asked = 0; f(); }); };
}

export const widthOf = (el) => el.clientWidth || 720;
export function onWidth(ctx, el, f) {
  let w = -1;
  const ro = new ResizeObserver(() => { const k = el.clientWidth; if (k && k !== w) { w = k; f(k); } });
  ro.observe(el);
  ctx.cleanup.push(() => ro.disconnect());
}

// A small set of axes. Returns functions from data to pixels and a group to draw in.
export function axes({ w, h: H, x, y, logx, logy, xlabel, ylabel, pad = [12, 14, 40, 56], xticks, yticks, xfmt, yfmt }) {
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
export const path = (pts) => pts.map(([x, y], i) => `${i ? "L" : "M"}${x.toFixed(2)} ${y.toFixed(2)}`).join("");

// The state of a figure as plain properties that follow the model and write back to it.
export function stateOf(ctx, defaults, changed) {
  const st = { ...defaults }, copy = (v) => (Array.isArray(v) ? v.map(copy) : v);
  const keys = Object.keys(defaults);
  for (const k of keys) { const v = ctx.get(k); if (v !== undefined && v !== null) st[k] = copy(v); }
  st.put = (k, v) => { st[k] = copy(v); ctx.set(k, copy(v)); changed(k); };
  for (const k of keys) ctx.on(k, () => { const v = ctx.get(k); if (v !== undefined && v !== null && JSON.stringify(v) !== JSON.stringify(st[k])) { st[k] = copy(v); changed(k); } });
  return st;
}
// Keys every stepped figure shares; inputs keep their own.
export function stepKeys(F, { next, prev, first, last, play }) {
  F.root.addEventListener("keydown", (ev) => {
    if (ev.ctrlKey || ev.metaKey || ev.altKey || /^(INPUT|SELECT|SUMMARY)$/.test(ev.target.tagName)) return;
    const f = { n: next, N: next, p: prev, P: prev, Home: first, End: last, " ": ev.target.tagName === "BUTTON" ? null : play }[ev.key];
    if (f) { f(); ev.preventDefault(); ev.stopPropagation(); }
  });
}
export const chartOf = (w, H, label, ...kids) => s("svg", { viewBox: `0 0 ${w} ${H}`, width: w, height: H, role: "img", "aria-label": label }, kids);
