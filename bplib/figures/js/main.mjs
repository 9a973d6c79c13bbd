// One front-end for every host: a notebook's widget manager, or a page with neither kernel nor network.
import { h } from "./ui.mjs";
import { css } from "./style.mjs";
import { graphFigure } from "./fig_graph.mjs";
import { benchFigure } from "./fig_bench.mjs";
import { ledgerFigure, bracketFigure } from "./fig_chain.mjs";
import { checkFigure, checkpointFigure } from "./fig_check.mjs";
import { lensFigure, pathsFigure, tailorFigure, deadFigure, logitsFigure, descentFigure } from "./fig_more.mjs";

export const FIGURES = { graph: graphFigure, bench: benchFigure, ledger: ledgerFigure, bracket: bracketFigure, check: checkFigure, checkpoint: checkpointFigure, lens: lensFigure, paths: pathsFigure, tailor: tailorFigure, dead: deadFigure, logits: logitsFigure, descent: descentFigure };

// Hosts differ in what their model can do; a call that is missing or that throws must not kill the figure.
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

export function explain(el, error) {
  const dark = el.ownerDocument.documentElement.dataset.theme === "dark";
  el.append(h("div", { class: "bp", role: "group", "aria-label": "A figure that could not be drawn", "data-dark": dark }, h("style", {}, css()),
    h("div", { class: "err", role: "alert" }, h("p", {}, h("b", {}, "This figure cannot be drawn. "), String((error && error.message) || error)))));
}

export function render({ model, el, signal }) {
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

// A model for pages: holds the state, tells listeners, knows no kernel.
export function pageModel(state) {
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

// Bring one printed figure to life. The picture goes only once the live figure stands.
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

// Bring every printed figure of a page to life when it comes near the screen.
export function mountAll(root = document) {
  const boxes = [...root.querySelectorAll(".bp-figure")];
  if (typeof IntersectionObserver !== "function") { boxes.forEach(wake); return; }
  const io = new IntersectionObserver((seen) => seen.forEach((e) => { if (e.isIntersecting) { io.unobserve(e.target); wake(e.target); } }), { rootMargin: "600px" });
  boxes.forEach((b) => io.observe(b));
  // Paper shows every figure, also those never scrolled to.
  addEventListener("beforeprint", () => boxes.forEach(wake));
}
// For pages that add figures later, and for tests.
export const mountNow = (root = document) => [...root.querySelectorAll(".bp-figure")].forEach(wake);
