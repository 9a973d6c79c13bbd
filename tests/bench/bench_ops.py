"""Cost per operation, forward and backward, against the eager peers, all in one run.

    python -m tests.bench.bench_ops [--quick]

The chain is the plainest that every peer can run (micrograd has +, *, ** and relu): multiply by a
constant, add a constant, relu, again and again. Peers come with the `bench` extra; one that is not
installed is left out, and said so. In every round each contender has one turn, a run to warm up
and then timed runs, and the table holds medians over the rounds of CPU time: a load on the machine
falls on all of them. Compare ratios, not microseconds. The table is saved in _build/bench/ops.json.

All contenders run with one thread and with an allocator that keeps what is freed (`ENVIRONMENT`):
otherwise every run maps its memory anew, and the faults of the pages cost several times the
arithmetic and are all one measures.
"""

from __future__ import annotations

import importlib
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import bplib
from bplib import ops

Run = Callable[[Any, int], None]
ENVIRONMENT = {
    "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MALLOC_TRIM_THRESHOLD_": "1000000000",
    "MALLOC_MMAP_THRESHOLD_": "1000000000", "MALLOC_TOP_PAD_": "200000000",
}  # fmt: skip


def steps(h: Any, n: int, relu: Callable[[Any], Any]) -> Any:
    """The chain: n operations, a third each multiply, add and relu."""
    for _ in range(n // 3):
        h = relu(h * 0.999 + 0.01)
    return h


def with_bplib() -> Run:
    def run(x: Any, n: int) -> None:
        last = (lambda h: h) if type(x) is float else ops.sum
        bplib.grad(lambda v: last(steps(v, n, ops.relu)))(x)

    return run


def with_numpy() -> Run:
    """The floor: the same chain and its derivative written by hand, nothing recorded but signs."""

    def run(x: Any, n: int) -> None:
        if type(x) is float:
            raise NotImplementedError("for arrays, where NumPy's own calls are the floor")
        h, signs = x, []
        for _ in range(n // 3):
            h = h * 0.999 + 0.01
            signs.append(h > 0.0)
            h = np.maximum(h, 0.0)
        g = np.ones_like(h)
        for positive in reversed(signs):
            g = g * positive * 0.999

    return run


def with_torch() -> Run:
    import torch

    torch.set_num_threads(1)

    def run(x: Any, n: int) -> None:
        v = torch.tensor(x, dtype=torch.float64, requires_grad=True)
        steps(v, n, torch.relu).sum().backward()

    return run


def with_micrograd() -> Run:
    from micrograd.engine import Value

    sys.setrecursionlimit(10_000)  # its topological sort recurses

    def run(x: Any, n: int) -> None:
        if type(x) is not float or n > 3_000:
            raise NotImplementedError("scalars, and chains its recursion can hold")
        steps(Value(x), n, lambda h: h.relu()).backward()

    return run


def with_autograd() -> Run:
    import autograd
    import autograd.numpy as anp

    def run(x: Any, n: int) -> None:
        autograd.grad(lambda v: anp.sum(steps(v, n, lambda h: anp.maximum(h, 0.0))))(x)

    return run


def with_mygrad() -> Run:
    import mygrad

    mygrad.turn_memory_guarding_off()

    def run(x: Any, n: int) -> None:
        steps(mygrad.tensor(x), n, lambda h: mygrad.maximum(h, 0.0)).sum().backward()

    return run


def with_dezero() -> Run:
    np.int = int  # type: ignore[attr-defined]  # it names an alias that NumPy dropped
    import dezero

    relu = importlib.import_module("dezero.functions").relu

    def run(x: Any, n: int) -> None:
        v = dezero.Variable(np.array(x))
        y = steps(v, n, relu)
        importlib.import_module("dezero.functions").sum(y).backward()

    return run


def with_jax() -> Run:
    import jax

    jax.config.update("jax_enable_x64", True)

    def run(x: Any, n: int) -> None:
        if n > 1_000 or type(x) is not float:
            raise NotImplementedError("un-jitted, hundreds of microseconds an operation")
        jax.grad(lambda v: steps(v, n, lambda h: jax.numpy.maximum(h, 0.0)).sum())(
            jax.numpy.asarray(x)
        ).block_until_ready()

    return run


PEERS = {
    "bplib": with_bplib, "numpy": with_numpy, "torch": with_torch, "micrograd": with_micrograd,
    "autograd": with_autograd, "mygrad": with_mygrad, "dezero": with_dezero, "jax": with_jax,
}  # fmt: skip
# What the library asks of itself: peer -> how many times cheaper bplib must be
WANTED = {
    "scalar": {"torch": 10, "micrograd": 3, "autograd": 20, "mygrad": 20, "dezero": 20},
    "(16,)": {"torch": 4, "autograd": 8, "mygrad": 8, "dezero": 8},
    "(1000,)": {"torch": 4, "autograd": 8, "mygrad": 8, "dezero": 8},
}
INPUTS = {
    "scalar": 0.5,
    "(8,)": np.full(8, 0.5),
    "(16,)": np.full(16, 0.5),
    "(1000,)": np.full(1000, 0.5),
    "(32, 32)": np.full((32, 32), 0.5),
}


def contenders() -> dict[str, Run]:
    found = {}
    for name, make in PEERS.items():
        try:
            found[name] = make()
        except ImportError:
            print(f"{name}: not installed, left out")
    return found


def timed(run: Run, x: Any, n: int, repeat: int) -> float:
    """Return microseconds per operation, of all threads; other processes do not count."""
    run(x, n)  # the one before this turn left the caches full of its own
    start = time.process_time()
    for _ in range(repeat):
        run(x, n)
    return (time.process_time() - start) / (repeat * n) * 1e6


def measure(runs: dict[str, Run], x: Any, n: int, rounds: int) -> dict[str, float]:
    """Return the median microseconds per operation of each contender, rounds interleaved."""
    times: dict[str, list[float]] = {}
    skip: set[str] = set()
    for _ in range(rounds):
        for name, run in runs.items():
            if name in skip or (name == "jax" and "jax" in times):  # once: it takes seconds
                continue
            try:
                times.setdefault(name, []).append(timed(run, x, n, 1 + 3000 // n))
            except (NotImplementedError, RecursionError):
                skip.add(name)
    return {name: statistics.median(ts) for name, ts in times.items() if ts}


def chains(quick: bool, table: dict[str, Any]) -> bool:
    runs, met = contenders(), True
    print(f"{'chain':>10} {'ops':>7} " + " ".join(f"{name:>10}" for name in runs))
    for label, x in INPUTS.items():
        for n in (999, 9_999, 99_999):
            if quick and n > 1_000:
                continue
            some = (
                runs if n < 99_999 else {k: v for k, v in runs.items() if k in ("bplib", "torch")}
            )
            us = measure(some, x, n, rounds={999: 31, 9_999: 7, 99_999: 3}[n])
            table[f"{label} x {n}"] = us
            print(f"{label:>10} {n:>7} " + " ".join(f"{us.get(k, np.nan):>10.3f}" for k in runs))
            if n == 999:
                for peer, factor in WANTED.get(label, {}).items():
                    if peer in us:
                        ratio = us[peer] / us["bplib"]
                        met &= ratio >= factor
                        verdict = "met" if ratio >= factor else "MISSED"
                        print(f"{'':>18} {peer}/bplib = {ratio:.1f}, wanted {factor}: {verdict}")
    return met


def fan(table: dict[str, Any], n: int = 10_000) -> bool:
    """A node used n times, against a chain of n additions."""
    met = True

    def used(v: Any) -> Any:
        total = v
        for _ in range(n):
            total = total + v
        return total

    def added(v: Any) -> Any:
        for _ in range(n):
            v = v + 0.01
        return v

    for label in ("scalar", "(16,)"):
        last = (lambda h: h) if label == "scalar" else ops.sum
        runs: dict[str, Run] = {
            "fan": lambda x, n, last=last: bplib.grad(lambda v: last(used(v)))(x),  # type: ignore
            "additions": lambda x, n, last=last: bplib.grad(lambda v: last(added(v)))(x),  # type: ignore
            "chain": with_bplib(),
        }
        us = table[f"fan {label}"] = measure(runs, INPUTS[label], n, rounds=9)
        met &= us["fan"] <= us["chain"]
        each = ", ".join(f"{name} {t:.3f}" for name, t in us.items())
        print(f"a node used {n} times, {label}, us a use or an operation: {each}")
    return met


def orders(table: dict[str, Any], highest: int = 6) -> bool:
    """Derivatives of order 1 to 6 of a scalar function, and the same in un-jitted JAX."""
    f = lambda np, x: np.sin(x) * np.exp(x) / (1 + x * x)  # noqa: E731
    libraries: dict[str, tuple[Any, Any]] = {"bplib": (bplib.grad, lambda x: f(ops, x))}
    try:
        import jax

        jax.config.update("jax_enable_x64", True)
        libraries["jax"] = (jax.grad, lambda x: f(jax.numpy, x))
    except ImportError:
        print("jax: not installed, left out")
    steep = {}
    for name, (grad, g) in libraries.items():
        times = []
        for order in range(highest):
            g = grad(g)
            g(0.7)
            runs = []
            for _ in range(5 if order < 4 else 2):
                start = time.process_time()
                g(0.7)
                runs.append(time.process_time() - start)
            times.append(min(runs) * 1e3)
        table[f"orders {name}"] = times
        steep[name] = (times[-1] / times[0]) ** (1 / (highest - 1))
        print(f"orders 1..{highest} {name}: " + ", ".join(f"{t:.3g}" for t in times)
              + f" ms, x{steep[name]:.2f} an order")  # fmt: skip
    return steep["bplib"] <= steep.get("jax", np.inf)


def main() -> int:
    if any(os.environ.get(key) != value for key, value in ENVIRONMENT.items()):
        again = [sys.executable, "-m", "tests.bench.bench_ops", *sys.argv[1:]]
        return subprocess.run(again, env=os.environ | ENVIRONMENT, check=False).returncode
    table: dict[str, Any] = {}
    met = [chains("--quick" in sys.argv, table), fan(table), orders(table)]
    out = Path("_build/bench/ops.json")
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(table, indent=1), encoding="utf-8")
    print(f"saved in {out}")
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main())
