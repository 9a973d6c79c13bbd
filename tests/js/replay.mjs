// Reads graph documents (JSON on standard input), replays them, writes values, gradients and layouts.
import { pathToFileURL } from "node:url";

const root = pathToFileURL(process.argv[2] + "/");
const { Graph } = await import(new URL("graph.mjs", root));
const { OPS } = await import(new URL("ops.mjs", root));
const { layout } = await import(new URL("layout.mjs", root));
const { fmt, fmtShort } = await import(new URL("fmt.mjs", root));

let text = "";
for await (const chunk of process.stdin) text += chunk;
const job = JSON.parse(text);
const out = (x) => (Number.isFinite(x) ? x : String(x));
const answer = { ops: Object.keys(OPS).sort() };
if (job.numbers) {
  const xs = job.numbers.map(Number);
  answer.fmt = xs.map((x) => fmt(x));
  answer.short = xs.map((x) => fmtShort(x));
}
if (job.docs) answer.docs = job.docs.map((doc) => {
  try {
    const g = new Graph(doc).run();
    return { values: g.vals.map((t) => Array.from(t.d, out)), shapes: g.vals.map((t) => t.s), grads: g.grads.map((t) => Array.from(t.d, out)), problem: g.problem()?.text ?? null };
  } catch (error) { return { error: error.message }; }
});
if (job.layouts) answer.layouts = job.layouts.map((doc) => [layout(doc, false), layout(doc, true)]);
process.stdout.write(JSON.stringify(answer));
