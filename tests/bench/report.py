"""What the stored measurement says: the page of the book, the lines of the README, the picture.

    python -m tests.bench.report

writes them from `tests/bench/results/bench.json`; a test fails when they say something else.
`python -m tests.bench --publish` measures, stores the measurement there and calls this.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[2]
RESULT = ROOT / "tests/bench/results/bench.json"
PAGE = ROOT / "chapters/e-benchmarks.md"
PICTURE = ROOT / "chapters/_static/benchmarks.svg"
README = ROOT / "README.md"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
SIZES = {
    "tiny": "2-8-8-1, batch 4", "small": "64-32-10, batch 32",
    "medium": "784-256-128-10, batch 128", "large": "784-1024-1024-10, batch 256",
}  # fmt: skip
BARS = {  # plan over the floor
    ("medium", "float64"): 1.10, ("large", "float64"): 1.05,
    ("medium", "float32"): 1.15, ("large", "float32"): 1.08,
}  # fmt: skip
EAGER_BAR, HVP_BAR, HVP_EAGER_BAR, MEMORY_BAR = 1.2, 2.0, 3.5, 1.25
CHAIN_BARS = {"scalars": 0.05, "16 entries": 0.6}
OURS = ("plan", "eager", "graph", "by hand")
NAMES = {
    "plan": "bplib, plan", "eager": "bplib, delta rules", "graph": "bplib, graph",
    "by hand": "NumPy by hand", "torch": "PyTorch", "torch.compile": "torch.compile",
    "jax.jit": "jax.jit", "autograd": "HIPS autograd", "mygrad": "MyGrad", "dezero": "DeZero",
    "segmented": "bplib, plan, checkpoint every √n layers",
    "revolve": "bplib, revolve with √n states", "torch checkpoint": "PyTorch, checkpoint",
}  # fmt: skip


class Bar(NamedTuple):
    """One thing that was asked for: in words, what was measured, and whether it was met."""

    asked: str
    measured: str
    met: bool
    section: str


def load(path: Path = RESULT) -> dict[str, Any]:
    """Return the stored measurement."""
    return json.loads(path.read_text(encoding="utf-8"))


# The bars


def bars(m: dict[str, Any]) -> Iterator[Bar]:
    """Yield every bar of which the measurement has the figures."""
    rows = m.get("training", [])
    for (size, dtype), goal in BARS.items():
        found = [r for r in rows if (r["size"], r["dtype"]) == (size, dtype)]
        if found:
            values = [r["over floor"]["plan"]["ratio"] for r in found]
            yield Bar(
                f"training step, plan over the bare matrix products, {size}, {dtype}: "
                f"at most {goal:.2f}",
                _threads(values, found), max(values) <= goal, "training",
            )  # fmt: skip
    for size in ("tiny", "small"):
        found = [r for r in rows if r["size"] == size]
        if found:
            values = [r["over hand"]["plan"]["ratio"] for r in found]
            yield Bar(
                f"training step, plan over NumPy by hand, {size}: at most 1.00",
                f"{min(values):.2f} to {max(values):.2f}", max(values) <= 1.0, "training",
            )  # fmt: skip
    found = [r for r in rows if r["size"] in ("medium", "large")]
    if found:
        values = [r["over floor"]["eager"]["ratio"] for r in found]
        yield Bar(
            f"training step, delta rules without a plan, medium and large: at most {EAGER_BAR}",
            f"{min(values):.2f} to {max(values):.2f}", max(values) <= EAGER_BAR, "training",
        )  # fmt: skip
    peers = _lead(rows)
    if peers:
        behind = [p for p in peers if p[0] <= 1]
        worst = min(peers)
        yield Bar(
            "training step: ahead of every peer at every size and dtype",
            f"ahead in {len(peers) - len(behind)} of {len(peers)} comparisons; the closest is "
            f"{NAMES[worst[1]]} at {worst[2]}, {worst[0]:.2f} times the plan's time",
            not behind, "training",
        )  # fmt: skip
    for row in m.get("chains", []):
        goal = CHAIN_BARS.get(row["what"])
        if goal:
            value = row["microseconds"]["plan"]
            yield Bar(
                f"replay of a chain, {row['what']}: at most {goal} µs a node",
                f"{value:.3f} µs", value <= goal, "chains",
            )  # fmt: skip
    digits = {k: v for k, v in m.get("digits", {}).items() if isinstance(v, dict)}
    if "plan" in digits:
        others = {k: v["seconds"] for k, v in digits.items() if k not in OURS}
        mine = digits["plan"]["seconds"]
        nearest = min(others, key=others.get) if others else ""
        yield Bar(
            "digits to 97 %: ahead of every eager peer",
            f"{mine:.3f} s" + (f"; {NAMES[nearest]} {others[nearest]:.3f} s" if nearest else ""),
            all(mine < s for s in others.values()), "digits",
        )  # fmt: skip
    memory = m.get("memory", {})
    for name in ("plan", "segmented"):
        if "bytes" in memory.get(name, {}):
            floor = memory["floor segmented" if name == "segmented" else "floor"]
            value = memory[name]["bytes"] / floor
            yield Bar(
                f"100 layers, peak memory, {NAMES[name]}: at most {MEMORY_BAR} of the counted "
                "floor",
                f"{value:.2f}", value <= MEMORY_BAR, "memory",
            )  # fmt: skip
    for row in m.get("hvp", []):
        for kind, goal in (("plan", HVP_BAR), ("eager", HVP_EAGER_BAR)):
            value = row[kind]["ratio"]
            yield Bar(
                f"Hessian-vector product over gradient, {kind}, {row['size']}: at most {goal}",
                f"{value:.2f}", value <= goal, "hvp",
            )  # fmt: skip
    leak = m.get("leak")
    if leak:
        grown = leak["plan"]["kilobytes grown"]
        yield Bar(
            f"{leak['plan']['steps']:,} steps leak nothing: peak memory grows by less than 1 MB",
            f"{grown} kB", grown < 1024, "leak",
        )  # fmt: skip


def _threads(values: list[float], rows: list[dict[str, Any]]) -> str:
    parts = [
        f"{v:.2f} ({r['threads']} thread{'s' * (r['threads'] > 1)})"
        for v, r in zip(values, rows, strict=True)
    ]
    return ", ".join(parts)


def _lead(rows: list[dict[str, Any]]) -> list[tuple[float, str, str]]:
    """Return (peer's time over the plan's, peer, where) for every comparison there is."""
    found = []
    for r in rows:
        for name, t in r["seconds"].items():
            if name not in OURS and "floor" not in name:
                where = (
                    f"{r['size']}, {r['dtype']}, {r['threads']} thread{'s' * (r['threads'] > 1)}"
                )
                found.append((t / r["seconds"]["plan"], name, where))
    return found


# The page


def page(m: dict[str, Any]) -> str:
    """Return the page of the book."""
    parts = [_head(m), _verdicts(m)]
    for section, write in (
        ("training", _training), ("chains", _chains), ("hvp", _hvp), ("digits", _digits),
        ("memory", _memory), ("leak", _leak),
    ):  # fmt: skip
        if m.get(section):
            parts.append(write(m[section]))
    return "\n\n".join(parts) + "\n"


HEAD = """<!-- Written by `python -m tests.bench.report` from tests/bench/results/bench.json. -->
# Benchmarks

How fast is the library, against the fastest there could be, and against its peers? All figures on
this page come from one run, stored in `tests/bench/results/bench.json` as it was measured. The
whole of it is one command:

```console
$ make bench ARGS=--publish
```

It measures, stores the result, and writes this page and the lines of the README anew. Without
`--publish` it only prints and saves under `_build/bench`.

All contenders of a row take turns within one process, and a figure is a ratio of medians, so what
disturbs one disturbs all. Every contender starts from the same weights and must reach the same loss
before it is timed. The *floor* is the time of the bare matrix products, without which no method can
do. A peer that brings its own linear algebra has a floor of its own, and the ratio to it stands in
brackets: a slow matrix product in a peer is not a merit of ours.
"""
QUICK = """
:::{warning}
This is a quick run on a busy machine: few rounds, a first look. Differences under a fifth mean
nothing.
:::
"""


def _head(m: dict[str, Any]) -> str:
    order = sorted(m["versions"].items(), key=lambda item: item[0].lower())
    versions = ", ".join(f"{name} {version}" for name, version in order)
    return (
        f"{HEAD}\nMeasured with {m['cores']} processor cores ({m['machine']}), "
        f"Python {m['python']}, {versions}.\n" + (QUICK if m["quick"] else "")
    ).rstrip()


def _verdicts(m: dict[str, Any]) -> str:
    lines = [
        "## What was asked, what was measured",
        "",
        "| asked | measured | verdict |",
        "|---|---|---|",
    ]
    for b in bars(m):
        verdict = "not judged" if m["quick"] else "met" if b.met else "**missed**"
        lines.append(f"| {b.asked} | {b.measured} | {verdict} |")
    more = [r["size"] for r in m.get("hvp", []) if r["matrix products"] > HVP_BAR]
    if more:
        lines += [
            "",
            f"At {' and '.join(more)} a Hessian-vector product needs more than {HVP_BAR:.0f} times "
            "the matrix products of a gradient (counted below): there the bar lies below the "
            "floor.",
        ]
    return "\n".join(lines)


def _training(rows: list[dict[str, Any]]) -> str:
    lines = [
        "## A training step",
        "",
        "```console\n$ make bench ARGS=training\n```",
        "",
        "Forward, backward and gradient-descent update of a ReLU network, as a multiple of its "
        "bare matrix products. In brackets: over the contender's own floor.",
        "",
        "![Time of a training step over the bare matrix products, for every contender, size and "
        "dtype; the table below has the numbers](_static/benchmarks.svg)",
    ]
    for size, what in SIZES.items():
        mine = [r for r in rows if r["size"] == size]
        if not mine:
            continue
        heads = [f"{r['dtype'].replace('float', 'f')}, {r['threads']} thr." for r in mine]
        lines += ["", f"### {size.capitalize()}: {what}", ""]
        lines += _head_of(["library", *heads])
        for name in NAMES:
            if any(name in r["over floor"] for r in mine):
                lines.append(
                    f"| {NAMES[name]} | " + " | ".join(_cell(r, name) for r in mine) + " |"
                )
        floors = " | ".join(_time(r["seconds"]["floor"]) for r in mine)
        lines.append(f"| *the floor itself* | {floors} |")
    absent = {name: why for r in rows for name, why in r["absent"].items()}
    if absent:
        lines += ["", "Absent: " + "; ".join(f"{NAMES[k]} ({v})" for k, v in absent.items()) + "."]
    return "\n".join(lines)


def _cell(row: dict[str, Any], name: str) -> str:
    if name not in row["over floor"]:
        return "–"
    text = f"{row['over floor'][name]['ratio']:.2f}"
    if name == "plan":
        text = f"**{text}**"
    if name in row["over own floor"]:
        text += f" ({row['over own floor'][name]['ratio']:.2f})"
    return text


def _time(seconds: float) -> str:
    return f"{seconds * 1e3:.2f} ms" if seconds >= 1e-3 else f"{seconds * 1e6:.1f} µs"


def _opening(title: str, section: str, text: str, columns: Sequence[str]) -> list[str]:
    """Return how a section begins: its command, what it measures, the head of its table."""
    return [
        f"## {title}",
        "",
        f"```console\n$ make bench ARGS={section}\n```",
        "",
        text,
        "",
        *_head_of(columns),
    ]


def _head_of(columns: Sequence[str]) -> list[str]:
    return [f"| {' | '.join(columns)} |", "|---|" + "---:|" * (len(columns) - 1)]


def _chains(rows: list[dict[str, Any]]) -> str:
    names = [n for n in NAMES if any(n in r["microseconds"] for r in rows)]
    lines = _opening(
        "A long chain of small steps",
        "chains",
        f"Forward and backward through {rows[0]['n']} operations, $h \\leftarrow "
        "\\max(0, 0.999 h + 0.01)$ a third each: microseconds a node.",
        ["library", *(r["what"] for r in rows)],
    )
    for n in names:
        cells = [f"{r['microseconds'][n]:.3g}" if n in r["microseconds"] else "–" for r in rows]
        lines.append(f"| {NAMES[n]} | " + " | ".join(cells) + " |")
    ahead = [
        f"{NAMES[n]} by {r['microseconds']['plan'] / r['microseconds'][n]:.1f} times "
        f"({r['what']})"
        for r in rows for n in ("jax.jit", "torch.compile")
        if r["microseconds"].get(n, 1e9) < r["microseconds"]["plan"]
    ]  # fmt: skip
    if ahead:
        lines += [
            "",
            f"Ahead of the plan: {', '.join(ahead)}. They compile the whole chain into one loop, "
            "which keeps an entry in a register from the first operation to the last. A plan calls "
            "NumPy once for every operation, and every call passes over memory again; for a "
            "chain of small arrays the calls are all there is.",
        ]
    return "\n".join(lines)


def _hvp(rows: list[dict[str, Any]]) -> str:
    lines = _opening(
        "A product with the Hessian",
        "hvp",
        "Time of a Hessian-vector product over the time of a gradient (float64, one thread). The "
        "last column counts the matrix products of one over those of the other. The first layer "
        "has three instead of two, every other eight instead of three: with the tangents of "
        "values and weights, each product of the gradient becomes two.",
        ["size", "plan", "graph, no plan", "matrix products"],
    )
    for r in rows:
        lines.append(
            f"| {r['size']} | {r['plan']['ratio']:.2f} | {r['eager']['ratio']:.2f} "
            f"| {r['matrix products']:.2f} |"
        )
    return "\n".join(lines)


def _digits(found: dict[str, Any]) -> str:
    lines = _opening(
        "Digits",
        "digits",
        "Seconds of training until 97 % of the held-out digits are read right: the same split, "
        "start and order of batches for all, the first steps' preparations included.",
        ["library", "seconds", "epochs", "read right"],
    )
    for name, r in found.items():
        if isinstance(r, dict):
            lines.append(
                f"| {NAMES[name]} | {r['seconds']:.3f} | {r['epochs']} "
                f"| {100 * r['accuracy']:.1f} % |"
            )
    return "\n".join(lines)


def _memory(found: dict[str, Any]) -> str:
    lines = _opening(
        "Memory",
        "memory",
        "Peak memory that a training step of 100 layers of width 512, batch 256, float32, adds to "
        "its weights and data, each in a process of its own. The floor is counted: the "
        f"activations that the backward sweep reads, {found['floor'] / 1e6:.0f} MB, or "
        f"{found['floor segmented'] / 1e6:.0f} MB where √n of them are kept and the others "
        "computed again.",
        ["way", "MB", "over its floor"],
    )
    for name, r in found.items():
        if isinstance(r, dict) and "bytes" in r:
            part = name in ("segmented", "revolve", "torch checkpoint")
            floor = found["floor segmented" if part else "floor"]
            lines.append(f"| {NAMES[name]} | {r['bytes'] / 1e6:.0f} | {r['bytes'] / floor:.2f} |")
    return "\n".join(lines)


def _leak(found: dict[str, Any]) -> str:
    parts = [
        f"{r['steps']:,} steps {'of a plan' if name == 'plan' else 'without a plan'} grew the peak "
        f"by {r['kilobytes grown']} kB"
        for name, r in found.items()
    ]
    return (
        "## Many steps\n\n```console\n$ make bench ARGS=leak\n```\n\n"
        "What is allocated in a step is let go by its end: "
        + ", ".join(parts) + "."
    )  # fmt: skip


# The README


def lines(m: dict[str, Any]) -> str:
    """Return the lines of the README: one for every claim, with the command that shows it."""
    out = ["| measured | command |", "|---|---|"]
    if m["quick"]:
        out.insert(
            0, "A quick run on a busy machine, for the form only: nothing is judged by it.\n"
        )
    for b in bars(m):
        note = "" if b.met or m["quick"] else " (missed)"
        out.append(f"| {b.asked}: {b.measured}{note} | `make bench ARGS={b.section}` |")
    out.append(
        "| kill -9 during a save, a full disk, truncated, flipped and hostile files, Ctrl-C at 200 "
        "random moments: the last good weights load, and nothing runs that was in a file "
        "| `pytest tests/test_store.py tests/test_train.py` |"
    )
    return "\n".join(out)


def readme(m: dict[str, Any], text: str) -> str:
    """Return the README with its measured lines in place.

    Raises ValueError when the marks between which they stand are missing.
    """
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        raise ValueError(f"README: {BEGIN} and {END} must stand in it once each")
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    return f"{before}{BEGIN}\n\n{lines(m)}\n\n{END}{after}"


# The picture


def digest(m: dict[str, Any]) -> str:
    """Return what tells one training table from another."""
    text = json.dumps(m["training"], sort_keys=True)
    return "measurement " + hashlib.sha256(text.encode()).hexdigest()[:16]


def draw(m: dict[str, Any], path: Path) -> None:
    """Draw the training table with one thread; the file is the same for the same measurement."""
    import matplotlib

    matplotlib.use("svg")
    import matplotlib.pyplot as plt

    rows = [r for r in m["training"] if r["threads"] == 1]
    names = [n for n in NAMES if any(n in r["over floor"] for r in rows) and n != "graph"]
    style = {"svg.hashsalt": "bench", "svg.fonttype": "none", "font.size": 9}
    with plt.rc_context(style):
        figure, axes = plt.subplots(figsize=(7.2, 4.2), layout="constrained")
        for k, name in enumerate(names):
            values = [r["over floor"].get(name, {}).get("ratio", float("nan")) for r in rows]
            at = [i + (k - (len(names) - 1) / 2) * 0.08 for i in range(len(rows))]
            mark = {"markerfacecolor": "none"} if name not in OURS else {}
            axes.plot(at, values, "osD^v<>Pph*"[k % 11], label=NAMES[name], **mark)
        axes.axhline(1.0, color="gray", linewidth=1)
        axes.set_yscale("log")
        axes.set_xticks(range(len(rows)), [f"{r['size']}\n{r['dtype']}" for r in rows], fontsize=8)
        axes.set_ylabel("time over the bare matrix products")
        axes.legend(ncols=2, fontsize=8)
        figure.savefig(path, metadata={"Date": None, "Creator": None})
        plt.close(figure)
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("<svg ", f"<!-- {digest(m)} -->\n<svg ", 1), encoding="utf-8")


def write() -> None:
    """Write page, lines and picture from the stored measurement."""
    m = load()
    PAGE.write_text(page(m), encoding="utf-8")
    README.write_text(readme(m, README.read_text(encoding="utf-8")), encoding="utf-8")
    if m.get("training"):
        draw(m, PICTURE)
    print(f"Wrote {PAGE.relative_to(ROOT)}, {README.name} and {PICTURE.relative_to(ROOT)}.")


if __name__ == "__main__":
    write()
