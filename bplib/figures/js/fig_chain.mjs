// Figures 4 and 5: contributions that add up, and products that may be bracketed in any order.
import { fmt, fmtCount } from "./fmt.mjs";
import { h, s, frame, line, slider, transport, predict, table, framed, onWidth, widthOf, attr, setText, button, enable, axes, path, stateOf, stepKeys, chartOf, choice, KEEP } from "./ui.mjs";

// ---- 4, Fan-out Ledger: why do gradients add? --------------------------------------------------
// One weight, n uses: z_k = w x_k, and the loss is the sum of (z_k - y_k)^2 / 2.
export function ledger(w, xs, ys) {
  let total = 0, J = 0;
  const rows = xs.map((x, k) => { const z = w * x, zbar = z - ys[k], c = zbar * x; J += (zbar * zbar) / 2; total += c; return { k, x, y: ys[k], z, zbar, c, total }; });
  return { rows, total, J };
}

export function ledgerFigure(ctx) {
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
  // A waterfall: each contribution starts where the last one ended.
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

// ---- 5, Bracket Game: which order is cheapest? -------------------------------------------------
// Widths n_0 … n_L; the Jacobian of layer l is n_l by n_{l-1}, and the product is J_L … J_1.
export function bestOrder(d) {
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
export const forwardCost = (d) => { let c = 0; for (let l = 2; l < d.length; l++) c += d[0] * d[l - 1] * d[l]; return c; };
export const reverseCost = (d) => { let c = 0, L = d.length - 1; for (let l = L - 1; l >= 1; l--) c += d[L] * d[l] * d[l - 1]; return c; };

export function bracketFigure(ctx) {
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
