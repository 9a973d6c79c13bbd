// The layout of bplib/draw.py, line by line: same arithmetic, same order, so both place alike.
import { WORDS } from "./data.mjs";

const r2 = (v) => Math.floor(v * 100 + 0.5) / 100;
const len = (t) => [...t].length;
export const words = (op) => (Object.hasOwn(WORDS, op) ? WORDS[op] : { sym: op, fwd: op + "(…)", local: [], say: "" });

export function fill(template, node, byId, bar = "G") {
  node.inputs.forEach((s, i) => { template = template.replaceAll(`{${i}}`, () => byId.get(s).label); });
  return template.replaceAll("{y}", () => node.label).replaceAll("{g}", () => bar);
}

export function grid(shape) {
  if (shape.length === 0) return [1, 1, 0];
  const n = shape.reduce((a, k) => a * k, 1);
  const cols = shape.length === 1 ? Math.min(n, 16) : shape.at(-1);
  const rows = n === 0 ? 0 : Math.ceil(n / cols);
  const most = Math.max(rows, cols, 1);
  return [rows, cols, Math.max(4, Math.min(11, Math.floor(88 / most)))];
}

export const isCurve = (node) => !!words(node.op).curve && node.shape.length === 0 && node.inputs.length > 0;

export function pillText(node, arg, byId) {
  const source = byId.get(node.inputs[arg]);
  if (!node.shape.length && !source.shape.length) return null;
  const w = words(node.op);
  if (w.pill) return arg < w.pill.length ? fill(w.pill[arg], node, byId, "·") : "·";
  if (arg >= w.local.length) return w.sym + "′";
  let text = "× " + fill(w.local[arg], node, byId);
  if (String(source.shape) !== String(node.shape)) text += ", Σ";
  return len(text) <= 14 ? text : w.sym + "′";
}

export function measure(node, vertical) {
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

export function layout(doc, vertical = false) {
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
        // Leaves stay packed against the spine: were they to chase their consumers, both would drift.
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

export function bezier(p, q, t, vertical) {
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
