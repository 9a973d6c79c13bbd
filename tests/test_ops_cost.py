"""The cheap-gradient bound, counted on random programs; tests/bench/bench_cost.py times it."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, settings

import bplib
from bplib import calculus, ops
from bplib.graph import Node, collect
from tests.bench import bench_cost
from tests.ops_samples import SAMPLES
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


def test_the_benchmark_has_a_large_input_for_every_primitive() -> None:
    missing = set(SAMPLES) - bench_cost.VIEWS - set(bench_cost.large_inputs())
    assert not missing, f"give them one in tests/bench/bench_cost.py: {missing}"
