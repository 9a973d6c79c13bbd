"""Replay of a long chain, forward and backward, per node: what a step costs beside its arithmetic.

The chain is h <- relu(h w + b): a third each multiply, add and relu, on a number, 16 and 1,000
entries. Compilers of loops (XLA, inductor) fuse the whole chain into one loop over memory, which
NumPy cannot; a plan pays one call of NumPy for every step.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from bplib import grad, ops, plan
from tests.bench.timing import interleave

N = 999
INPUTS: dict[str, Any] = {
    "scalars": 0.5,
    "16 entries": np.full(16, 0.5),
    "1,000 entries": np.full(1000, 0.5),
}


def chain(h: Any, relu: Callable[[Any], Any]) -> Any:
    """The chain, in any library's operators."""
    for _ in range(N // 3):
        h = relu(h * 0.999 + 0.01)
    return h


def _ours(x: Any) -> Any:
    last = (lambda h: h) if type(x) is float else ops.sum
    return grad(lambda v: last(chain(v, ops.relu)))


def with_plan(x: Any) -> Callable[[], Any]:
    f = plan.compile(_ours(x))
    return lambda: f(x)


def eager(x: Any) -> Callable[[], Any]:
    f = _ours(x)
    return lambda: f(x)


def by_hand(x: Any) -> Callable[[], Any]:
    """The same NumPy calls in a loop, into arrays made beforehand; Python's floats for numbers."""
    n = N // 3
    if type(x) is float:

        def run() -> Any:
            h, mask = x, []
            for _ in range(n):
                h = h * 0.999 + 0.01
                mask.append(h > 0)
                h = h if h > 0 else 0.0
            g = 1.0
            for m in reversed(mask):
                g = g * m * 0.999
            return g

        return run
    w, b, zero = np.asarray(0.999), np.asarray(0.01), np.asarray(0.0)
    hs = [np.empty_like(x) for _ in range(n)]
    mask, g = np.empty(x.shape, bool), np.empty_like(x)
    multiply, add, maximum, greater = np.multiply, np.add, np.maximum, np.greater

    def run() -> Any:
        h = x
        for y in hs:
            multiply(h, w, y)
            add(y, b, y)
            maximum(y, zero, out=y)
            h = y
        g.fill(1.0)
        for y in reversed(hs):
            greater(y, zero, mask)
            multiply(g, mask, g)
            multiply(g, w, g)
        return g.copy()

    return run


def torch_eager(x: Any) -> Callable[[], Any]:
    import torch

    torch.set_num_threads(1)
    t = torch.tensor(x, dtype=torch.float64, requires_grad=True)

    def run() -> Any:
        t.grad = None
        chain(t, torch.relu).sum().backward()
        return t.grad

    return run


def torch_compile(x: Any) -> Callable[[], Any]:
    import torch

    torch.set_num_threads(1)
    t = torch.tensor(x, dtype=torch.float64, requires_grad=True)
    f = torch.compile(lambda v: chain(v, torch.relu).sum())

    def run() -> Any:
        t.grad = None
        f(t).backward()
        return t.grad

    return run


def jax_jit(x: Any) -> Callable[[], Any]:
    import jax

    jax.config.update("jax_enable_x64", True)
    f = jax.jit(jax.grad(lambda v: chain(v, jax.nn.relu).sum()))
    return lambda: jax.block_until_ready(f(x))


OURS = {"plan": with_plan, "by hand": by_hand, "eager": eager}
PEERS = {"jax.jit": jax_jit, "torch": torch_eager, "torch.compile": torch_compile}


def run(quick: bool, peers: bool, progress: Any) -> list[dict[str, Any]]:
    """Return microseconds per node of the chain, forward and backward, medians."""
    rows = []
    for what, x in INPUTS.items():
        steps: dict[str, Any] = {}
        absent = {}
        for name, make in {**OURS, **(PEERS if peers else {})}.items():
            if name == "torch.compile" and quick:
                continue
            progress(f"chain, {what}, {name}")
            try:
                step = make(x)
                np.testing.assert_allclose(
                    np.asarray(step()), np.asarray(steps["plan"]()) if steps else step()
                )
            except Exception as error:
                absent[name] = f"{type(error).__name__}: {error}"[:150]
            else:
                steps[name] = step
        times = interleave(steps, 2 if quick else 6, 11 if quick else 31)
        rows.append({
            "what": what, "n": N, "absent": absent,
            "microseconds": {k: float(np.median(t)) / N * 1e6 for k, t in times.items()},
        })  # fmt: skip
    return rows
