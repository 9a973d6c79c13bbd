// Re-evaluates an exported graph in the page: forward, then backward, contribution by contribution.
import { OPS } from "./ops.mjs";
import { T, scalar, full, add, size, same } from "./tensor.mjs";
import { num, shapeText } from "./fmt.mjs";
import { words } from "./layout.mjs";

export const MAX_ELEMENTS = 400, MAX_NODES = 60;

const flat = (v, out = []) => { if (Array.isArray(v)) for (const k of v) flat(k, out); else out.push(num(v)); return out; };
export const tensorOf = (shape, value) => T(shape, Float64Array.from(flat(value)));

// Refuse a document that this page cannot evaluate, and say which node is at fault.
export function checkDoc(doc) {
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

export const elements = (doc) => doc.nodes.reduce((n, v) => n + size(v.shape), 0);

export class Graph {
  constructor(doc) {
    this.doc = checkDoc(doc);
    this.nodes = doc.nodes;
    const at = new Map(doc.nodes.map((v, i) => [v.id, i]));
    this.at = at;
    this.ins = doc.nodes.map((v) => v.inputs.map((s) => at.get(s)));
    this.out = at.get(doc.outputs[0]);
    this.vals = doc.nodes.map((v) => (v.op === "leaf" ? tensorOf(v.shape, v.value) : null));
    // An adjoint is wanted wherever a leaf that is not a constant can be reached backwards.
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
    // What the output does not depend on has a gradient, and it is zero.
    this.grads = g.map((t, i) => t || full(this.vals[i].s, 0));
    return this.grads;
  }
  run() { this.forward(); this.backward(); return this; }
  // The number on a scalar edge: d(node)/d(input), from the same rule with seed 1.
  local(i, arg) {
    const v = this.nodes[i], xs = this.ins[i].map((s) => this.vals[s]);
    return OPS[v.op].b(scalar(1), xs, this.vals[i], v.params || {})[arg].d[0];
  }
  // The first node, in the order of computation, whose value or adjoint is not a finite number, and why.
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

// Multiplications, counted as the matrix products and elementwise products make them.
export function cost(graph, st) {
  const v = graph.nodes[st.node], n = size(v.shape);
  if (v.op === "matmul") return n * (graph.vals[graph.ins[st.node][0]].s.at(-1) ?? 1);
  if (["add", "subtract", "negative", "sum", "reshape", "transpose", "broadcast_to"].includes(v.op)) return 0;
  return st.kind === "b" || v.op === "multiply" ? n : 0;
}
export { same };
