// The look of every figure, written inside the figure's own element so that it also holds in a shadow root.
import { TOKENS } from "./data.mjs";

const vars = (mode) => {
  let out = "";
  for (const r of Object.values(TOKENS.roles)) {
    out += `--${r.css}:${mode === "dark" ? r.dark : r.light};--${r.css}t:${mode === "dark" ? r.darktint : r.tint};`;
  }
  for (const r of Object.values(TOKENS.neutral)) out += `--${r.css}:${r[mode]};`;
  return out;
};

export const css = () => `
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
