"""The benchmarks of the book.

    python -m tests.bench [--quick] [--no-peers] [--publish] [section ...]

Sections: training, chains, hvp, digits, memory, leak. Tables go to the screen; everything measured
goes to `_build/bench/bench.json`, and the training table as a picture next to it. With `--publish`
it also becomes the stored measurement of the book, and page and README are written from that
(`tests.bench.report`); sections that were not run keep what they had. BLAS reads its
number of threads when it starts, so each number has a process of its own. All contenders of a row
take turns in one run: compare ratios, not microseconds. OPENBLAS_CORETYPE is removed from the
environment, because a pinned kernel would slow NumPy's matrix products and lift every ratio.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import re
import subprocess
import sys
import time
from importlib import metadata
from pathlib import Path
from typing import Any

from tests.bench.report import BARS, RESULT, draw, write

SECTIONS = ("training", "chains", "hvp", "digits", "memory", "leak")
OUT = Path("_build/bench")
PACKAGES = ("numpy", "torch", "jax", "autograd", "mygrad", "dezero")


class Bar:
    """A line on the terminal that says what is being measured; nothing where there is none."""

    def __init__(self, total: int) -> None:
        self.total, self.done = total, 0
        self.shown = sys.stderr.isatty()

    def __call__(self, what: str) -> None:
        self.done += 1
        if self.shown:
            full = 30 * self.done // max(self.total, 1)
            sys.stderr.write(f"\r\033[K{'█' * full}{'·' * (30 - full)} {what}")
            sys.stderr.flush()

    def close(self) -> None:
        if self.shown:
            sys.stderr.write("\r\033[K")


# What runs in a process with its own number of BLAS threads


def training(threads: int, quick: bool, peers: bool, bar: Any) -> list[dict[str, Any]]:
    import numpy as np

    from tests.bench import bench_training as b
    from tests.bench.timing import interleave, ratio

    b.set_threads(threads)
    rows = []
    for size in b.SIZES:
        for dtype in (np.float64, np.float32):
            p = b.Problem(size, dtype)
            names = None if peers else [*b.OURS, "floor"]
            steps, absent = b.contenders(p, names)
            bar(f"training step, {size} {np.dtype(dtype)}, {threads} thread(s)")
            seconds = (2 if quick else 8) * (2.5 if size == "large" else 1)
            times = interleave(steps, seconds, 9 if quick else 31)
            row = {
                "size": size, "dtype": np.dtype(dtype).name, "threads": threads,
                "seconds": {k: float(np.median(t)) for k, t in times.items()},
                "over floor": {k: ratio(t, times["floor"]) for k, t in times.items()},
                "over hand": {k: ratio(t, times["by hand"]) for k, t in times.items()},
                "over own floor": {
                    k: ratio(times[k], times[own])
                    for k, own in b.OWN.items() if k in times and own in times
                },
                "absent": absent,
            }  # fmt: skip
            rows.append(row)
    return rows


def hvp(threads: int, quick: bool, bar: Any) -> list[dict[str, Any]]:
    import numpy as np

    from tests.bench import bench_training as b
    from tests.bench.timing import interleave, ratio

    rows = []
    for size in ("small", "medium", "large"):
        bar(f"Hessian-vector product, {size}")
        times = interleave(b.hvp_ratio(np.float64, size), 3 if quick else 8, 9 if quick else 21)
        rows.append({
            "size": size,
            "plan": ratio(times["plan hvp"], times["plan gradient"]),
            "eager": ratio(times["eager hvp"], times["eager gradient"]),
            "matrix products": b.products(size),
        })  # fmt: skip
    return rows


def chains(quick: bool, peers: bool, bar: Any) -> list[dict[str, Any]]:
    from tests.bench import bench_chains

    return bench_chains.run(quick, peers, bar)


def digits(quick: bool, peers: bool, bar: Any) -> dict[str, Any]:
    from tests.bench import bench_digits

    return bench_digits.run(quick, peers, bar)


def leak(quick: bool, bar: Any) -> dict[str, Any]:
    """Peak resident memory while 10,000 planned steps and 2,000 eager ones run."""
    import resource

    import numpy as np

    from tests.bench import bench_training as b

    bar("10,000 steps")
    p = b.Problem("small", np.float64)
    found: dict[str, Any] = {}
    for name, make, n in (("plan", b.bplib_plan, 10_000), ("eager", b.bplib_graph, 2_000)):
        step = make(p)
        for _ in range(n // 10):
            step()
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for _ in range(n):
            step()
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        found[name] = {"steps": n, "kilobytes grown": grown}
    return found


def work(section: str, threads: int, quick: bool, peers: bool) -> Any:
    """Run one section in this process."""
    bar = Bar(16)
    try:
        if section == "training":
            return training(threads, quick, peers, bar)
        if section == "hvp":
            return hvp(threads, quick, bar)
        if section == "chains":
            return chains(quick, peers, bar)
        if section == "digits":
            return digits(quick, peers, bar)
        if section == "leak":
            return leak(quick, bar)
        from tests.bench import bench_memory

        return bench_memory.run(bar)
    finally:
        bar.close()


# What starts the processes and prints


def spawn(section: str, threads: int, arguments: argparse.Namespace) -> Any:
    """Run a section with a number of BLAS threads and return what it measured."""
    environment = {k: v for k, v in os.environ.items() if k != "OPENBLAS_CORETYPE"}
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        environment[name] = str(threads)
    one = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    environment["XLA_FLAGS"] = one if threads == 1 else ""
    environment["TF_CPP_MIN_LOG_LEVEL"] = "3"
    result = OUT / f"{section}-{threads}.json"
    command = [sys.executable, "-m", "tests.bench", "--worker", section, str(threads), str(result)]
    command += ["--quick"] * arguments.quick + ["--no-peers"] * (not arguments.peers)
    if subprocess.run(command, env=environment, check=False).returncode:
        raise SystemExit(f"bench: section {section} failed")
    return json.loads(result.read_text())


def print_training(rows: list[dict[str, Any]]) -> None:
    """Print the table: time over the bare matrix products."""
    names = [n for n in rows[0]["over floor"] if "floor" not in n]
    print("\nTraining step: time over the bare matrix products (NumPy's BLAS), ratio of medians.")
    print("In round brackets over the contender's own floor; in square ones the plan's target, or")
    print("at tiny and small its ratio to the hand-written step, which should be at most 1.")
    print(f"{'':<22}" + "".join(f"{n:>15}" for n in names))
    for row in rows:
        cells = []
        for n in names:
            if n not in row["over floor"]:
                cells.append(f"{'-':>15}")
                continue
            text = f"{row['over floor'][n]['ratio']:.2f}"
            if n in row["over own floor"]:
                text += f" ({row['over own floor'][n]['ratio']:.2f})"
            goal = BARS.get((row["size"], row["dtype"]))
            if n == "plan":
                text += f" [{goal:.2f}]" if goal else f" [{row['over hand']['plan']['ratio']:.2f}]"
            cells.append(f"{text:>15}")
        print(f"{row['size']:<7}{row['dtype']:<9}{row['threads']}T   " + "".join(cells))
    for row in rows:
        for name, why in row["absent"].items():
            print(f"  absent: {name} at {row['size']} {row['dtype']} {row['threads']}T: {why}")


def print_rest(found: dict[str, Any]) -> None:
    """Print the other sections."""
    for row in found.get("hvp", []):
        print(
            f"Hessian-vector product over gradient, {row['size']}: "
            f"plan {row['plan']['ratio']:.2f}, "
            f"eager {row['eager']['ratio']:.2f} (matrix products {row['matrix products']:.2f})"
        )
    for row in found.get("chains", []):
        cells = ", ".join(f"{k} {v:.3g}" for k, v in row["microseconds"].items())
        print(f"Chain of {row['n']} operations, {row['what']}: microseconds a node: {cells}")
    if "digits" in found:
        print("Digits, seconds until 97 % of the held-out images are right:")
        for name, r in found["digits"].items():
            print(f"  {name:<14}{r if isinstance(r, str) else format_digits(r)}")
    if "memory" in found:
        m = found["memory"]
        print(f"100 layers of 512, batch 256: floor {m['floor'] / 1e6:.1f} MB, "
              f"with sqrt(n) segments {m['floor segmented'] / 1e6:.1f} MB")  # fmt: skip
        for name, r in m.items():
            if isinstance(r, dict):
                floor = m["floor segmented" if name == "segmented" else "floor"]
                text = (
                    r.get("absent")
                    or f"{r['bytes'] / 1e6:8.1f} MB, {r['bytes'] / floor:.2f} of its floor"
                )
                print(f"  {name:<18}{text}")
    for name, r in found.get("leak", {}).items():
        print(f"{name}: {r['steps']:,} steps, peak memory grew by {r['kilobytes grown']} kB")


def format_digits(r: dict[str, float]) -> str:
    """Return one line of the digits table."""
    return f"{r['seconds']:.3f} s, {r['epochs']} epochs, {100 * r['accuracy']:.1f} %"


def setting() -> dict[str, Any]:
    """Return what the figures depend on, in general words: cores, kind of machine, versions."""
    versions = {}
    for name in PACKAGES:
        with contextlib.suppress(metadata.PackageNotFoundError):
            versions[name] = metadata.version(name).split("+")[0]
    return {
        "machine": platform.machine(), "cores": os.cpu_count(),
        "python": platform.python_version(), "versions": versions,
    }  # fmt: skip


def publish(found: dict[str, Any]) -> None:
    """Make what was measured the book's measurement; sections that were not run stay."""
    before = json.loads(RESULT.read_text()) if RESULT.exists() else {}
    RESULT.parent.mkdir(exist_ok=True)
    kept = {k: v for k, v in before.items() if k in SECTIONS}
    RESULT.write_text(json.dumps(rounded({**kept, **found}), indent=1) + "\n")
    write()


def rounded(x: Any) -> Any:
    """Return the tree with its numbers to five digits, and no path in a reason of absence."""
    if isinstance(x, dict):
        return {k: rounded(v) for k, v in x.items()}
    if isinstance(x, list):
        return [rounded(v) for v in x]
    if isinstance(x, str):
        return re.sub(r"\S*/\S+", "…", x)
    return float(f"{x:.5g}") if isinstance(x, float) else x


def main() -> int:
    """Run the sections asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench")
    parser.add_argument("sections", nargs="*", default=list(SECTIONS))
    parser.add_argument("--quick", action="store_true", help="few rounds, for a first look")
    parser.add_argument(
        "--no-peers", dest="peers", action="store_false", help="bplib and NumPy only"
    )
    parser.add_argument(
        "--publish", action="store_true", help="store it for the book; write page and README"
    )
    parser.add_argument("--threads", type=int, nargs="*", default=[1, 2])
    parser.add_argument("--worker", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        section, threads, result = arguments.worker
        found = work(section, int(threads), arguments.quick, arguments.peers)
        Path(result).write_text(json.dumps(found))
        return 0
    unknown = set(arguments.sections) - set(SECTIONS)
    if unknown:
        parser.error(f"no section {sorted(unknown)}; there are {', '.join(SECTIONS)}")
    OUT.mkdir(parents=True, exist_ok=True)
    start = time.time()
    found: dict[str, Any] = {**setting(), "quick": arguments.quick}
    if "OPENBLAS_CORETYPE" in os.environ:
        print("OPENBLAS_CORETYPE was set; it is removed for the measurement.")
    for section in arguments.sections:
        if section == "training":
            found[section] = [r for t in arguments.threads for r in spawn(section, t, arguments)]
            print_training(found[section])
            draw(found, OUT / "training.svg")
        else:
            found[section] = spawn(section, 1, arguments)
            print_rest({section: found[section]})
        (OUT / "bench.json").write_text(json.dumps(found, indent=1))
    if arguments.publish:
        publish(found)
    print(f"\nSaved {OUT / 'bench.json'} in {time.time() - start:.0f} s.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
