"""The cheap-gradient bound, counted on random programs and timed on every primitive."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

import bplib
from bplib import calculus, ops
from bplib.graph import Node, collect
from tests.test_graph import programs, run

FREE = {"transpose", "reshape", "broadcast_to", "getitem", "split", "pick", "concatenate", "where",
        "identity", "scatter"}  # fmt: skip
# Multiplications and additions that one evaluation stands for (a table look-up and a polynomial).
SERIES = 8


def counted(node: Node) -> float:
    """Return the arithmetic operations behind one node."""
    name = node.op.name if node.op else ""
    size = np.size(node.data) if type(node.data) is not tuple else 0
    inner = np.size(ops.value(node.inputs[0])) if node.inputs else 0
    if name in FREE:
        return 0
    if name in ("matmul", "einsum"):
        return 2.0 * size * np.shape(ops.value(node.inputs[0]))[-1]
    if name in ("sum", "mean"):
        return inner
    if name in ("softmax", "logsumexp"):
        return (SERIES + 3) * inner
    cheap = name in ("add", "subtract", "multiply", "divide", "negative")
    return size * (1 if cheap else SERIES)


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(programs)
def test_counted_operations_of_random_programs(program: Any) -> None:
    rng = np.random.default_rng(0)
    xs = [rng.uniform(-1, 1, (2, 3)) for _ in range(2)]
    nodes = [Node(x) for x in xs]
    value = run(program, *nodes)
    forward = sum(counted(n) for n in collect([value], 0))
    bplib.graph.state.depth += 1  # so that the sweep is recorded and can be counted
    try:
        y, grads = calculus.value_and_grad(lambda *v: run(program, *v), (0, 1))(*nodes)
    finally:
        bplib.graph.state.depth -= 1
    everything = sum(
        counted(n)
        for n in collect([n for n in (y, *grads) if type(n) is Node], nodes[1].serial + 1)
    )
    assert everything <= 5 * forward


def large_inputs() -> dict[str, tuple[Any, list[np.ndarray]]]:
    rng = np.random.default_rng(0)
    flat, grid, square = rng.uniform(0.1, 0.9, 200_000), rng.uniform(0.1, 0.9, (400, 500)), None
    square = rng.uniform(0.1, 0.9, (250, 250)) + 30 * np.eye(250)
    image = rng.uniform(0, 1, (8, 32, 32, 8))
    rows = rng.integers(0, 400, 400)
    table: dict[str, tuple[Any, list[np.ndarray]]] = {}
    for name, op in ops.PRIMITIVES.items():
        if op.kind == "elementwise" and op.arity == 1:
            table[name] = (op, [flat + 1 if name == "arccosh" else flat])
        elif op.kind == "elementwise" and name != "where":
            table[name] = (op, [flat, flat[::-1].copy()])
        elif type(op).__name__ == "Reduction":
            table[name] = (lambda x, op=op: op(x, axis=1), [grid])
    mask = grid > 0.5
    return table | {
        "where": (lambda a, b: ops.where(mask, a, b), [grid, grid + 1]),
        "softmax": (ops.softmax, [grid]), "log_softmax": (ops.log_softmax, [grid]),
        "cumsum": (lambda x: ops.cumsum(x, axis=1), [grid]),
        "matmul": (ops.matmul, [square, square]),
        "einsum": (lambda a, b: ops.einsum("ij,j->i", a, b), [grid, grid[0]]),
        "solve": (ops.solve, [square, square]), "inv": (ops.inv, [square]),
        "det": (ops.det, [square / 30]), "slogdet": (lambda x: ops.slogdet(x)[1], [square]),
        "cholesky": (ops.cholesky, [square @ square.T]),
        "getitem": (lambda x: x[rows], [grid]),
        "scatter": (lambda x: ops.scatter(x, rows, (400, 500)), [grid]),
        "pad": (lambda x: ops.pad(x, 1), [grid]), "roll": (lambda x: ops.roll(x, 1), [grid]),
        "triu": (ops.triu, [square]), "tril": (ops.tril, [square]),
        "concatenate": (lambda a, b: ops.concatenate([a, b]), [grid, grid]),
        "im2col": (lambda x: ops.im2col(x, (3, 3)), [image]),
        "col2im": (lambda g: ops.col2im(g, (8, 32, 32, 8), (3, 3)), [ops.im2col(image, (3, 3))]),
    }  # fmt: skip


# Views cost nothing forward, so a ratio means nothing: their gradient must be a copy at most.
VIEWS = {"identity", "reshape", "broadcast_to", "transpose", "flip", "split", "pick", "astype"}


BOUND = 5
# The primitives that miss it: the figure measured, which may not grow by a third, and why.
EXCEPTIONS = {
    "cholesky": (12.5, "LAPACK in place; NumPy has no triangular solve, so the rule inverts L"),
    "max": (7.7, "forward only reads; the gradient copies x, looks for ties and writes an array"),
    "min": (7.7, "as max"),
    "maximum": (7.5, "one vectorized pass; two rules that each compare, look for ties, multiply"),
    "minimum": (7.5, "as maximum"),
    "clip": (7.2, "one vectorized pass; a product with booleans converts them in small buffers"),
    "getitem": (6.5, "forward copies rows; the transpose fills with zeros, sorts, and adds rows"),
}


def limit(name: str) -> float:
    return EXCEPTIONS[name][0] * 4 / 3 if name in EXCEPTIONS else BOUND


def best(f: Any, repeat: int) -> float:
    times = []
    for _ in range(repeat):
        start = time.thread_time()
        f()
        times.append(time.thread_time() - start)
    return min(times)


def ratio(f: Any, xs: list[np.ndarray], repeat: int = 9) -> float:
    """Return time(gradient of the summed f) / time(summed f) on arrays."""
    every = tuple(range(len(xs)))
    plain = lambda: np.sum(f(*xs))  # noqa: E731
    g = bplib.grad(lambda *v: ops.sum(f(*v)), every)
    return best(lambda: g(*xs), repeat) / best(plain, repeat)


def measured(name: str, f: Any, xs: list[np.ndarray]) -> float:
    """Return the smallest ratio of a few tries: a loaded machine can only add to it."""
    r = ratio(f, xs)
    for _ in range(6):
        if r > limit(name):
            r = min(r, ratio(f, xs))
    return r


def keep_freed_memory() -> None:
    """Run this file again in a process whose allocator keeps what is freed.

    By default every large temporary is mapped and unmapped anew, and the faults of its pages cost
    many times the arithmetic: the ratio would measure the operating system.
    """
    large = "1000000000"
    env = os.environ | {
        "MALLOC_MMAP_THRESHOLD_": large, "MALLOC_TRIM_THRESHOLD_": large,
        "MALLOC_TOP_PAD_": "200000000", "OPENBLAS_NUM_THREADS": "1",
        "PYTHONPATH": os.pathsep.join(sys.path),
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "tests.test_ops_cost"], env=env, capture_output=True, text=True
    )
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.timed
def test_timed_gradients_on_large_arrays() -> None:
    from tests.ops_samples import SAMPLES

    missing = set(SAMPLES) - VIEWS - set(large_inputs())
    assert not missing, f"give them a large input: {missing}"
    keep_freed_memory()


def mlp() -> tuple[Any, list[np.ndarray]]:
    rng = np.random.default_rng(0)
    sizes = [784, 256, 128, 10]
    weights = [rng.standard_normal((a, b)) / a**0.5 for a, b in pairwise(sizes)]
    data = rng.standard_normal((128, 784))

    def f(*W: Any) -> Any:
        a = data
        for w in W[:-1]:
            a = ops.tanh(a @ w)
        return ops.logsumexp(a @ W[-1], axis=1)

    return f, weights


if __name__ == "__main__":
    table = {n: c for n, c in large_inputs().items() if n not in VIEWS} | {"MLP": mlp()}
    found = {name: measured(name, f, xs) for name, (f, xs) in table.items()}
    order = sorted(found, key=lambda n: -found[n])
    print("time(grad)/time(f): " + ", ".join(f"{n} {found[n]:.1f}" for n in order))
    for name, (figure, why) in EXCEPTIONS.items():
        print(f"exception to {BOUND}: {name} {found[name]:.1f} (recorded {figure}): {why}")
    sys.exit(any(found[n] > limit(n) for n in found))
