"""What PyTorch says of losses, optimizers and normalization, kept as numbers.

    python -m tests.peers

asks it and writes `tests/peers.json`. The tests compare with the file, so that they need no PyTorch
and nothing is skipped; where it is installed they also compare the file with it. Inputs come from
fixed seeds.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

FILE = Path(__file__).with_suffix(".json")
LOSSES = ("squared_error", "huber", "binary_cross_entropy", "softmax_cross_entropy")
OPTIMIZERS = ("SGD", "Momentum", "Nesterov", "RMSProp", "Adam", "AdamW")
NORMS = ("layer_norm", "batch_norm")
STEPS, LR = 20, 0.05


def loss_case(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return outputs (7, 4) and targets for a loss."""
    rng = np.random.default_rng(LOSSES.index(name))
    Y, T = rng.normal(scale=1.5, size=(2, 7, 4))
    if name == "binary_cross_entropy":
        T = rng.uniform(size=T.shape)
    if name == "softmax_cross_entropy":
        T = np.exp(T) / np.exp(T).sum(axis=1, keepdims=True)
    return Y, T


def start() -> np.ndarray:
    """Return the parameters that every optimizer starts from; the gradient at p is sin(p)."""
    return np.random.default_rng(1).normal(size=(4, 3))


def norm_case() -> tuple[np.ndarray, ...]:
    """Return Z (5, 4), gain and shift (4,), and the cotangent G (5, 4)."""
    rng = np.random.default_rng(7)
    Z, G = rng.normal(1, 2, size=(2, 5, 4))
    gain, shift = rng.normal(1, 0.5, size=(2, 4))
    return Z, gain, shift, G


def torch_loss(name: str) -> list[Any]:
    import torch
    import torch.nn.functional as F

    theirs: dict[str, Callable[..., Any]] = {
        "squared_error": lambda y, t: 0.5 * F.mse_loss(y, t, reduction="sum"),
        "huber": partial(F.huber_loss, reduction="sum"),
        "binary_cross_entropy": partial(F.binary_cross_entropy_with_logits, reduction="sum"),
        "softmax_cross_entropy": partial(F.cross_entropy, reduction="sum"),
    }
    Y, T = loss_case(name)
    y = torch.tensor(Y, requires_grad=True)
    value = theirs[name](y, torch.tensor(T)) / len(Y)
    value.backward()
    return [value.item(), y.grad.tolist()]


def torch_optimizer(name: str) -> list[Any]:
    import torch

    make = {
        "SGD": torch.optim.SGD,
        "Momentum": partial(torch.optim.SGD, momentum=0.9),
        "Nesterov": partial(torch.optim.SGD, momentum=0.9, nesterov=True),
        "RMSProp": partial(torch.optim.RMSprop, alpha=0.9),
        "Adam": torch.optim.Adam,
        "AdamW": partial(torch.optim.AdamW, weight_decay=0.01),
    }[name]
    q = torch.tensor(start(), requires_grad=True)
    optimizer = make([q], lr=LR)
    for _ in range(STEPS):
        q.grad = torch.tensor(np.sin(q.detach().numpy()))
        optimizer.step()
    return q.detach().tolist()


def torch_norm(name: str) -> list[Any]:
    import torch
    import torch.nn.functional as F

    Z, gain, shift, G = norm_case()
    z, g, s = (torch.tensor(a, requires_grad=True) for a in (Z, gain, shift))
    if name == "layer_norm":
        y = F.layer_norm(z, (Z.shape[1],), g, s)
    else:
        y = F.batch_norm(z, None, None, g, s, training=True)
    y.backward(torch.tensor(G))
    return [y.tolist(), z.grad.tolist(), g.grad.tolist(), s.grad.tolist()]


def ask() -> Iterator[tuple[str, Any]]:
    """Yield every name and what PyTorch says."""
    for names, answer in (
        (LOSSES, torch_loss), (OPTIMIZERS, torch_optimizer), (NORMS, torch_norm)
    ):  # fmt: skip
        for name in names:
            yield name, answer(name)


def stored(name: str) -> Any:
    """Return what the file says."""
    return json.loads(FILE.read_text(encoding="utf-8"))[name]


if __name__ == "__main__":
    import torch

    found = {"torch": torch.__version__.split("+")[0], **dict(ask())}
    FILE.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(f"Wrote {FILE.name} by PyTorch {found['torch']}.")
