"""Peak memory of a deep network's step, each contender in a process of its own.

    python -m tests.bench memory

100 layers of width 512 with tanh, batch 256, float32; one gradient-descent step in place. The
counted floor is what no method without recomputation can do without: the 100 activations that the
backward pass reads, two matrices of a batch that the sweep is at, and one weight gradient.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

DEPTH, WIDTH, BATCH = 100, 512, 256
STATE = BATCH * WIDTH * 4
WEIGHT = WIDTH * WIDTH * 4
FLOOR = DEPTH * STATE + 2 * STATE + WEIGHT
ROOT = int(DEPTH**0.5)
# With sqrt(n) segments: their starts, the states inside one of them, and the same ends as above.
FLOOR_SEGMENTED = 2 * ROOT * STATE + 2 * STATE + WEIGHT
METHODS = ("plan", "segmented", "revolve", "eager", "torch", "torch checkpoint")


def _data() -> tuple[list[np.ndarray], np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    W = [
        (rng.standard_normal((WIDTH, WIDTH)) / WIDTH**0.5).astype(np.float32) for _ in range(DEPTH)
    ]
    X, T = rng.standard_normal((2, BATCH, WIDTH)).astype(np.float32)
    return W, X, T


def _layer(x: Any, W: Any) -> Any:
    return np.tanh(x @ W)


def _chain(x: Any, *W: Any) -> Any:
    for V in W:
        x = _layer(x, V)
    return x


def _step(chain: Any) -> Any:
    from bplib import value_and_grad

    def step(W: Any, X: Any, T: Any) -> Any:
        J, grads = value_and_grad(lambda W: ((chain(X, *W) - T) ** 2).sum() / (2 * BATCH))(W)
        for p, g in zip(W, grads, strict=True):
            p -= 1e-3 * g
        return J

    return step


def _ours(method: str) -> Any:
    from bplib import checkpoint, plan

    W, X, T = _data()
    if method == "eager":
        step = _step(_chain)
        return lambda: step(W, X, T)
    if method == "revolve":

        def run() -> Any:
            loss = lambda y: ((y - T) ** 2).sum() / (2 * BATCH)  # noqa: E731
            found = checkpoint.chain_gradient([_layer] * DEPTH, W, X, loss, ROOT)
            for p, g in zip(W, found.params, strict=True):
                p -= 1e-3 * g
            return found.J

        return run
    chain = _chain if method == "plan" else checkpoint.segmented([_layer] * DEPTH)
    step = plan.compile(_step(chain))
    return lambda: step(W, X, T)


def _torch(method: str) -> Any:
    import torch
    from torch.utils.checkpoint import checkpoint_sequential

    torch.set_num_threads(1)
    W, X, T = _data()
    params = [torch.from_numpy(w).requires_grad_() for w in W]
    x, t = torch.from_numpy(X), torch.from_numpy(T)
    layers = [lambda a, p=p: torch.tanh(a @ p) for p in params]

    def step() -> Any:
        if method == "torch":
            y = x
            for f in layers:
                y = f(y)
        else:
            y = checkpoint_sequential(layers, ROOT, x, use_reentrant=False)
        J = ((y - t) ** 2).sum() / (2 * BATCH)
        J.backward()
        with torch.no_grad():
            for p in params:
                p.sub_(p.grad, alpha=1e-3)
                p.grad = None
        return J.item()

    return step


def _high_water(reset: bool = False) -> int:
    status = Path("/proc/self/status")
    if reset:
        Path("/proc/self/clear_refs").write_text("5")
    if status.exists():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM" if not reset else "VmRSS"):
                return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def worker(method: str) -> None:
    """Print the bytes that three steps add to the resident memory, and the losses."""
    rng = np.random.default_rng(1)
    warm = rng.standard_normal((BATCH, WIDTH)).astype(np.float32)
    (warm @ warm.T).sum()  # BLAS has its buffers
    if method.startswith("torch"):
        import torch

        (torch.from_numpy(warm) @ torch.from_numpy(warm).T).sum()
    step = _torch(method) if method.startswith("torch") else _ours(method)
    before = _high_water(reset=True)
    losses = [float(step()) for _ in range(3)]
    print(json.dumps({"bytes": _high_water() - before, "losses": losses}))


def run(progress: Any = None) -> dict[str, Any]:
    """Return the peak bytes and the losses of every method."""
    found: dict[str, Any] = {"floor": FLOOR, "floor segmented": FLOOR_SEGMENTED}
    for method in METHODS:
        if progress is not None:
            progress(f"memory, {method}")
        done = subprocess.run(
            [sys.executable, "-m", "tests.bench.bench_memory", method],
            capture_output=True, text=True, timeout=900, check=False,
        )  # fmt: skip
        if done.returncode:
            found[method] = {"absent": done.stderr.strip().splitlines()[-1][:120]}
        else:
            found[method] = json.loads(done.stdout)
    return found


if __name__ == "__main__":
    worker(sys.argv[1])
