// Figure 1, Graph Explorer: how does each number push on the loss?
import { Graph, checkDoc, elements, cost, tensorOf, MAX_ELEMENTS, MAX_NODES } from "./graph.mjs";
import { OPS } from "./ops.mjs";
import { layout, words, fill, grid, isCurve, bezier } from "./layout.mjs";
import { fmt, fmtShort, shapeText, fmtCount } from "./fmt.mjs";
import { T, scalar, size, add } from "./tensor.mjs";
import { h, s, frame, line, slider, choice, transport, predict, table, framed, onWidth, attr, setText, button, calm, KEEP, uid, plain } from "./ui.mjs";

const rms = (t) => { let q = 0; for (const x of t.d) q += x * x; return t.d.length ? Math.sqrt(q / t.d.length) : 0; };
// Logarithmic in size, so that a vanishing gradient visibly thins.
const thickness = (m) => (m > 0 && Number.isFinite(m) ? Math.max(0.8, Math.min(4.8, 2.6 + 0.75 * Math.log10(m))) : m === 0 ? 0.8 : 4.8);

export function pathOf(pts, vertical) {
  let d = `M${pts[0][0]} ${pts[0][1]}`;
  for (let k = 0; k + 1 < pts.length; k++) {
    const [p, q] = [pts[k], pts[k + 1]];
    if (k % 2) d += `L${q[0]} ${q[1]}`;
    else if (vertical) { const m = (p[1] + q[1]) / 2; d += `C${p[0]} ${m} ${q[0]} ${m} ${q[0]} ${q[1]}`; }
    else { const m = (p[0] + q[0]) / 2; d += `C${m} ${p[1]} ${m} ${q[1]} ${q[0]} ${q[1]}`; }
  }
  return d;
}

// Hinton diagram as two paths: filled squares are positive, hollow ones negative; area is size.
export function hinton(t, x, y) {
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

export function summary(doc) {
  const ops = new Map();
  for (const v of doc.nodes) if (v.op !== "leaf") ops.set(v.op, (ops.get(v.op) || 0) + 1);
  return [...ops].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, 8).map(([k, n]) => `${n} × ${k}`).join(", ");
}

export function graphFigure(ctx) {
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
  // On a phone the picture is longer than the screen: the line and the steps stay in sight.
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

  // ---- drawing ------------------------------------------------------------------------------
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
        // Drawn from consumer to producer, the way the cotangent travels.
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

  // A thumbnail of the function with its tangent at the present input.
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
      // Bars in the template stand for the cotangent of the node itself.
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
  // Keep the box of the present step in sight when the picture is wider than the screen.
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

  // ---- keyboard: arrows move in space -------------------------------------------------------
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

  // ---- prediction ---------------------------------------------------------------------------
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

  // ---- size: sideways while the text stays readable, downwards on narrow screens -------------
  let flat = null, tall = null;
  function fit(w) {
    flat = flat || layout(doc, false);
    tall = tall || (w < flat.w * 0.84 ? layout(doc, true) : null);
    // A page of scrolling down hides the controls: a wide screen scrolls a long graph sideways instead.
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
  // One change, computed and painted at once: what a frame of a drag costs.
  const now = (name, x) => { const lf = leaves.find((q) => q.name === name); G.set(lf.i, scalar(x)); lf.ui.set(x); recompute(); paint(); };
  return { G, go, now };
}
