"""Digits until 97 % of the held-out images are right: same split, start and order of batches."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from bplib import data, losses, nn, optim, train

WIDTHS, BATCH, LR, GOAL, MOST = (64, 64, 10), 32, 0.2, 0.97, 60
Step = Callable[[np.ndarray, np.ndarray, np.ndarray], Any]  # X, one-hot T, labels


def network() -> nn.MLP:
    """The start that all share."""
    return nn.MLP(WIDTHS, "relu", "softmax", seed=0)


def plan(net: nn.MLP) -> tuple[Step, Any]:
    step = train.PlannedStep(net, "softmax_cross_entropy", optim.SGD(LR))
    return (lambda X, T, t: step(X, T)), net.parameters


def eager(net: nn.MLP) -> tuple[Step, Any]:
    optimizer, params = optim.SGD(LR), net.parameters()

    def step(X: Any, T: Any, t: Any) -> None:
        optimizer.step(params, net.backprop(X, T, "softmax_cross_entropy", check=False).flat())

    return step, net.parameters


def torch_eager(net: nn.MLP) -> tuple[Step, Any]:
    import torch
    import torch.nn.functional as F

    torch.set_num_threads(1)
    params = [torch.from_numpy(p).requires_grad_() for p in net.parameters()]  # the same memory

    def step(X: Any, T: Any, t: Any) -> None:
        W1, b1, W2, b2 = params
        Z = torch.addmm(b2, F.relu(torch.addmm(b1, torch.from_numpy(X), W1)), W2)
        F.cross_entropy(Z, torch.from_numpy(t)).backward()
        with torch.no_grad():
            for p in params:
                p.sub_(p.grad, alpha=LR)
                p.grad = None

    return step, net.parameters


def mygrad(net: nn.MLP) -> tuple[Step, Any]:
    import mygrad as mg
    from mygrad.nnet.activations import relu
    from mygrad.nnet.losses import softmax_crossentropy

    mg.turn_memory_guarding_off()
    params = [mg.tensor(p) for p in net.parameters()]

    def step(X: Any, T: Any, t: Any) -> None:
        W1, b1, W2, b2 = params
        Z = mg.matmul(relu(mg.matmul(X, W1) + b1), W2) + b2
        softmax_crossentropy(Z, t).backward()
        for p in params:
            p.data -= LR * p.grad

    return step, lambda: [p.data for p in params]


def autograd(net: nn.MLP) -> tuple[Step, Any]:
    import autograd as ag
    import autograd.numpy as anp
    from autograd.scipy.special import logsumexp

    params = net.parameters()

    def loss(params: Any, X: Any, T: Any) -> Any:
        W1, b1, W2, b2 = params
        Z = anp.dot(anp.maximum(anp.dot(X, W1) + b1, 0), W2) + b2
        return -anp.sum(T * (Z - logsumexp(Z, axis=1, keepdims=True))) / T.shape[0]

    gradient = ag.grad(loss)

    def step(X: Any, T: Any, t: Any) -> None:
        for p, g in zip(params, gradient(params, X, T), strict=True):
            p -= LR * g

    return step, lambda: params


def dezero(net: nn.MLP) -> tuple[Step, Any]:
    np.int = int  # type: ignore[attr-defined]  # it names an alias that NumPy dropped
    import dezero.functions as F
    from dezero import Parameter

    params = [Parameter(p) for p in net.parameters()]

    def step(X: Any, T: Any, t: Any) -> None:
        W1, b1, W2, b2 = params
        J = F.softmax_cross_entropy(F.linear(F.relu(F.linear(X, W1, b1)), W2, b2), t)
        for p in params:
            p.cleargrad()
        J.backward()
        for p in params:
            p.data -= LR * p.grad.data

    return step, lambda: [p.data for p in params]


OURS = {"plan": plan, "eager": eager}
PEERS = {"torch": torch_eager, "mygrad": mygrad, "autograd": autograd, "dezero": dezero}


def once(make: Any, d: data.Split) -> dict[str, float]:
    """Train until the goal; seconds count the steps and whatever the first of them prepares."""
    net = network()
    step, current = make(net)
    T = losses.one_hot(d.t, 10)
    seconds, share, epoch = 0.0, 0.0, 0
    probe = network()
    for epoch in range(1, MOST + 1):
        order = np.random.default_rng([0, epoch]).permutation(d.X.shape[0])
        X, Ts, t = d.X[order], T[order], d.t[order]
        start = time.perf_counter()
        for i in range(0, X.shape[0] - BATCH + 1, BATCH):
            step(X[i : i + BATCH], Ts[i : i + BATCH], t[i : i + BATCH])
        seconds += time.perf_counter() - start
        probe.load_parameters(current())
        share = train.accuracy(probe, d.X_test, d.t_test)
        if share >= GOAL:
            break
    return {"seconds": seconds, "epochs": epoch, "accuracy": share}


def run(quick: bool, peers: bool, progress: Any) -> dict[str, Any]:
    """Return for every contender the median of several runs, taken in turns."""
    d = data.digits()
    makers = {**OURS, **(PEERS if peers else {})}
    results: dict[str, list[dict[str, float]]] = {name: [] for name in makers}
    found: dict[str, Any] = {}
    for _ in range(3 if quick else 9):
        for name, make in makers.items():
            if name in found:
                continue
            progress(f"digits, {name}")
            try:
                results[name].append(once(make, d))
            except Exception as error:
                found[name] = f"absent: {type(error).__name__}: {error}"[:150]
    for name, runs in results.items():
        if runs:
            middle = sorted(runs, key=lambda r: r["seconds"])[len(runs) // 2]
            found[name] = middle
    return dict(
        sorted(found.items(), key=lambda kv: kv[1]["seconds"] if isinstance(kv[1], dict) else 1e9)
    )
