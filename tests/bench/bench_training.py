"""One training step of a ReLU network, over the bare matrix products that it cannot do without.

Every contender gets the same weights, batch, labels and learning rate, and before anything is timed
its loss after three steps must agree with bplib's. The floor is the products alone into memory
that exists: forward, weight gradients, input gradients but for the data. A peer with a BLAS of its
own also has a floor of its own.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

from bplib import losses, nn, optim, plan, train
from bplib.calculus import hvp, value_and_grad
from bplib.dense import affine
from bplib.ops import log_softmax, relu

SIZES = {
    "tiny": ((2, 8, 8, 1), 4),
    "small": ((64, 32, 10), 32),
    "medium": ((784, 256, 128, 10), 128),
    "large": ((784, 1024, 1024, 10), 256),
}
LR = 1e-3
Step = Callable[[], Any]


class Problem:
    """Weights, a batch and labels of one size and dtype; the same for every contender."""

    def __init__(self, size: str, dtype: Any, seed: int = 0) -> None:
        self.widths, self.B = SIZES[size]
        self.dtype = np.dtype(dtype)
        rng = np.random.default_rng(seed)
        self.X = rng.standard_normal((self.B, self.widths[0])).astype(self.dtype)
        self.K = self.widths[-1]
        self.t = rng.integers(0, max(self.K, 2), self.B)
        self.loss = "softmax_cross_entropy" if self.K > 1 else "squared_error"
        if self.K > 1:
            self.T = losses.one_hot(self.t, self.K, self.dtype)
        else:
            self.T = self.t[:, None].astype(self.dtype)
        self.net = self.network()

    def network(self) -> nn.MLP:
        """Return a fresh network."""
        output = "softmax" if self.K > 1 else "identity"
        return nn.MLP(self.widths, "relu", output, dtype=self.dtype, seed=1)


# bplib


def bplib_plan(p: Problem) -> Step:
    """The plan."""
    step = train.PlannedStep(p.network(), p.loss, optim.SGD(LR))
    return lambda: step(p.X, p.T)


def bplib_eager(p: Problem) -> Step:
    """MLP.backprop and the optimizer."""
    net, optimizer = p.network(), optim.SGD(LR)
    params = net.parameters()

    def step() -> Any:
        g = net.backprop(p.X, p.T, p.loss, check=False)
        optimizer.step(params, g.flat())
        return g.J

    return step


def bplib_graph(p: Problem) -> Step:
    """The general way: value_and_grad of a loss written with ops, eager."""
    return descend(p, value_and_grad(graph_loss))


def descend(p: Problem, both: Callable[..., tuple[Any, Any]]) -> Step:
    """Return the descent by a function that gives the loss and its gradients."""
    params = p.network().parameters()

    def step() -> Any:
        J, grads = both(params, p.X, p.T)
        for q, g in zip(params, grads, strict=True):
            q -= LR * g
        return J

    return step


def graph_loss(params: Any, X: Any, T: Any) -> Any:
    """The loss as a function of its parameters, in the words of `bplib.ops`."""
    A = X
    for i in range(0, len(params), 2):
        Z = affine(A, params[i], params[i + 1])
        A = relu(Z)
    if T.shape[1] > 1:
        return -(T * log_softmax(Z)).sum() / T.shape[0]
    return ((Z - T) ** 2).sum() / (2 * T.shape[0])


# NumPy by hand


def by_hand(p: Problem) -> Step:
    """What an expert writes with NumPy alone: every array made beforehand, every call with out=."""
    net, X, T, B = p.network(), p.X, p.T, p.B
    L = len(p.widths) - 1
    W, b = net.W, net.b
    Wt = [None, *(w.T for w in W[1:])]
    Z = [None, *(np.empty((B, n), p.dtype) for n in p.widths[1:])]
    A = [X, *Z[1:]]
    At = [a.T for a in A]
    D = [None, *(np.empty_like(z) for z in Z[1:])]
    M = [None, *(np.empty(z.shape, bool) for z in Z[1:])]
    dW = [None, *(np.empty_like(w) for w in W[1:])]
    db = [None, *(np.empty_like(v) for v in b[1:])]
    row, E, S = np.empty((B, 1), p.dtype), np.empty_like(Z[L]), np.empty_like(Z[L])
    flat_T, flat_S, flat_D = T.reshape(-1), S.reshape(-1), D[L].reshape(-1)
    zero, lr, inv = (np.asarray(c, p.dtype) for c in (0.0, LR, 1 / B))
    dot, add, subtract, multiply = np.dot, np.add, np.subtract, np.multiply
    maximum, greater, exp, log, divide = np.maximum, np.greater, np.exp, np.log, np.divide
    sum_, max_ = np.add.reduce, np.maximum.reduce

    def step() -> Any:
        for k in range(1, L + 1):
            dot(A[k - 1], W[k], Z[k])
            add(Z[k], b[k], Z[k])
            if k < L:
                maximum(Z[k], zero, out=Z[k])
        if p.K > 1:
            max_(Z[L], 1, None, row, True)
            subtract(Z[L], row, S)
            exp(S, E)
            sum_(E, 1, None, row, True)
            divide(E, row, D[L])
            log(row, row)
            subtract(S, row, S)
            J = -dot(flat_T, flat_S) / B
            subtract(D[L], T, D[L])
        else:
            subtract(Z[L], T, D[L])
            J = dot(flat_D, flat_D) / (2 * B)
        multiply(D[L], inv, D[L])
        for k in range(L, 0, -1):
            dot(At[k - 1], D[k], dW[k])
            sum_(D[k], 0, None, db[k])
            if k > 1:
                dot(D[k], Wt[k], D[k - 1])
                greater(A[k - 1], zero, M[k - 1])
                multiply(D[k - 1], M[k - 1], D[k - 1])
            multiply(dW[k], lr, dW[k])
            subtract(W[k], dW[k], W[k])
            multiply(db[k], lr, db[k])
            subtract(b[k], db[k], b[k])
        return J

    return step


def floor(p: Problem) -> Step:
    """The bare matrix products, NumPy's BLAS."""
    net, L = p.network(), len(p.widths) - 1
    A = [p.X, *(np.ones((p.B, n), p.dtype) for n in p.widths[1:])]
    D = [np.ones_like(a) for a in A]
    Z = [np.empty_like(a) for a in A]
    dW = [None, *(np.empty_like(w) for w in net.W[1:])]
    work = [(A[k - 1], net.W[k], Z[k]) for k in range(1, L + 1)]
    work += [(A[k - 1].T, D[k], dW[k]) for k in range(L, 0, -1)]
    work += [(D[k], net.W[k].T, Z[k - 1]) for k in range(L, 1, -1)]
    dot = np.dot

    def step() -> None:
        for a, b, c in work:
            dot(a, b, c)

    return step


# Peers


def torch_eager(p: Problem) -> Step:
    """PyTorch, eager."""
    import torch

    params, X, t, loss = _torch(p)

    def step() -> Any:
        J = loss(params, X, t)
        J.backward()
        with torch.no_grad():
            for q in params:
                q.sub_(q.grad, alpha=LR)
                q.grad = None
        return J.item()

    return step


def torch_compile(p: Problem) -> Step:
    """PyTorch, compiled by inductor."""
    import torch

    params, X, t, loss = _torch(p)
    compiled = torch.compile(loss)

    def step() -> Any:
        J = compiled(params, X, t)
        J.backward()
        with torch.no_grad():
            torch._foreach_sub_(params, [q.grad for q in params], alpha=LR)
            for q in params:
                q.grad = None
        return J.item()

    return step


def _torch(p: Problem) -> Any:
    import torch
    import torch.nn.functional as F

    params = [torch.from_numpy(q.copy()).requires_grad_() for q in p.network().parameters()]
    X, T = torch.from_numpy(p.X.copy()), torch.from_numpy(p.T.copy())
    t = torch.from_numpy(p.t.copy())
    many = p.K > 1

    def loss(params: Any, X: Any, target: Any) -> Any:
        A = X
        for i in range(0, len(params), 2):
            Z = torch.addmm(params[i + 1], A, params[i])
            A = F.relu(Z)
        if many:
            return F.cross_entropy(Z, target)
        return ((Z - target) ** 2).sum() / (2 * Z.shape[0])

    return params, X, t if many else T, loss


def torch_floor(p: Problem) -> Step:
    """The bare matrix products, PyTorch's BLAS."""
    import torch

    net, L = p.network(), len(p.widths) - 1
    new = lambda a: torch.from_numpy(np.ones_like(a))  # noqa: E731
    A = [new(np.empty((p.B, n), p.dtype)) for n in p.widths]
    W = [None, *(new(w) for w in net.W[1:])]
    out = [torch.empty_like(a) for a in A]
    dW = [None, *(torch.empty_like(w) for w in W[1:])]
    work = [(A[k - 1], W[k], out[k]) for k in range(1, L + 1)]
    work += [(A[k - 1].T, A[k], dW[k]) for k in range(L, 0, -1)]
    work += [(A[k], W[k].T, out[k - 1]) for k in range(L, 1, -1)]

    def step() -> None:
        for a, b, c in work:
            torch.mm(a, b, out=c)

    return step


def jax_jit(p: Problem) -> Step:
    """JAX, the whole step compiled."""
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", p.dtype == np.float64)
    params = [jnp.asarray(q) for q in p.network().parameters()]
    X, T = jnp.asarray(p.X), jnp.asarray(p.T)

    def loss(params: Any, X: Any, T: Any) -> Any:
        A = X
        for i in range(0, len(params), 2):
            Z = A @ params[i] + params[i + 1]
            A = jax.nn.relu(Z)
        if p.K > 1:
            return -(T * jax.nn.log_softmax(Z)).sum() / T.shape[0]
        return ((Z - T) ** 2).sum() / (2 * T.shape[0])

    @jax.jit
    def update(params: Any, X: Any, T: Any) -> Any:
        J, grads = jax.value_and_grad(loss)(params, X, T)
        return J, [q - LR * g for q, g in zip(params, grads, strict=True)]

    def step() -> Any:
        nonlocal params
        J, params = update(params, X, T)
        return float(jax.block_until_ready(J))

    return step


def jax_floor(p: Problem) -> Step:
    """The bare matrix products, compiled by XLA."""
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", p.dtype == np.float64)
    L = len(p.widths) - 1
    A = [jnp.ones((p.B, n), p.dtype) for n in p.widths]
    W = [None, *(jnp.asarray(w) for w in p.network().W[1:])]

    @jax.jit
    def products(A: Any, W: Any) -> Any:
        out = [A[k - 1] @ W[k] for k in range(1, L + 1)]
        out += [A[k - 1].T @ A[k] for k in range(L, 0, -1)]
        return out + [A[k] @ W[k].T for k in range(L, 1, -1)]

    return lambda: jax.block_until_ready(products(A, W))


def hips_autograd(p: Problem) -> Step:
    """HIPS autograd."""
    import autograd
    import autograd.numpy as anp
    from autograd.scipy.special import logsumexp

    def loss(params: Any, X: Any, T: Any) -> Any:
        A = X
        for i in range(0, len(params), 2):
            Z = anp.dot(A, params[i]) + params[i + 1]
            A = anp.maximum(Z, 0)
        if p.K > 1:
            return -anp.sum(T * (Z - logsumexp(Z, axis=1, keepdims=True))) / T.shape[0]
        return anp.sum((Z - T) ** 2) / (2 * T.shape[0])

    return descend(p, autograd.value_and_grad(loss))


def mygrad(p: Problem) -> Step:
    """MyGrad, its memory guards off."""
    import mygrad as mg
    from mygrad.nnet.activations import relu as mg_relu
    from mygrad.nnet.losses import softmax_crossentropy

    mg.turn_memory_guarding_off()
    params = [mg.tensor(q) for q in p.network().parameters()]

    def loss(Z: Any) -> Any:
        if p.K > 1:
            return softmax_crossentropy(Z, p.t)
        return mg.sum((Z - p.T) ** 2) / (2 * p.B)

    def step() -> Any:
        A = p.X
        for i in range(0, len(params), 2):
            Z = mg.matmul(A, params[i]) + params[i + 1]
            A = mg_relu(Z)
        J = loss(Z)
        J.backward()
        for q in params:
            q.data -= LR * q.grad
        return J.item()

    return step


def dezero(p: Problem) -> Step:
    """DeZero."""
    np.int = int  # type: ignore[attr-defined]  # it names an alias that NumPy dropped
    import dezero.functions as F
    from dezero import Parameter

    params = [Parameter(q) for q in p.network().parameters()]

    def loss(Z: Any) -> Any:
        if p.K > 1:
            return F.softmax_cross_entropy(Z, p.t)
        return F.mean_squared_error(Z, p.T) * 0.5

    def step() -> Any:
        A: Any = p.X
        for i in range(0, len(params), 2):
            Z = F.linear(A, params[i], params[i + 1])
            A = F.relu(Z)
        J = loss(Z)
        for q in params:
            q.cleargrad()
        J.backward()
        for q in params:
            q.data -= LR * q.grad.data
        return float(J.data)

    return step


OURS = {"plan": bplib_plan, "eager": bplib_eager, "graph": bplib_graph, "by hand": by_hand}
PEERS = {
    "torch": torch_eager, "torch.compile": torch_compile, "jax.jit": jax_jit,
    "autograd": hips_autograd, "mygrad": mygrad, "dezero": dezero,
}  # fmt: skip
FLOORS = {"floor": floor, "torch floor": torch_floor, "jax floor": jax_floor}
OWN = {"torch": "torch floor", "torch.compile": "torch floor", "jax.jit": "jax floor"}


def contenders(
    p: Problem, names: list[str] | None = None
) -> tuple[dict[str, Step], dict[str, str]]:
    """Return the steps that are ready and agree with bplib's losses, and why others are not."""
    steps: dict[str, Step] = {}
    absent: dict[str, str] = {}
    reference = [float(J) for J in _losses(by_hand(p))]
    for name, make in {**OURS, **PEERS, **FLOORS}.items():
        if names is not None and name not in names:
            continue
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                step = make(p)
                if name not in FLOORS:
                    got = [float(J) for J in _losses(step)]
                    np.testing.assert_allclose(got, reference, rtol=2e-4)
                else:
                    step()
        except Exception as error:
            absent[name] = f"{type(error).__name__}: {str(error).strip().splitlines()[0][:100]}" \
                if str(error).strip() else type(error).__name__  # fmt: skip
        else:
            steps[name] = step
    return steps, absent


def _losses(step: Step) -> list[Any]:
    return [step() for _ in range(3)]


def hvp_ratio(dtype: Any, size: str = "medium") -> dict[str, Step]:
    """A gradient and a Hessian-vector product of the same network, planned and eager."""
    p = Problem(size, dtype)
    params = p.network().parameters()
    v = [np.ones_like(q) for q in params]

    def product(params: Any, v: Any) -> Any:
        return hvp(lambda q: graph_loss(q, p.X, p.T), params, v)

    gradient = value_and_grad(lambda q: graph_loss(q, p.X, p.T))
    fast_g, fast_h = plan.compile(gradient), plan.compile(product)
    return {
        "plan gradient": lambda: fast_g(params), "plan hvp": lambda: fast_h(params, v),
        "eager gradient": lambda: gradient(params), "eager hvp": lambda: product(params, v),
    }  # fmt: skip


def set_threads(n: int) -> None:
    """Tell PyTorch; NumPy's BLAS and XLA read the environment before they start."""
    os.environ.setdefault("OMP_NUM_THREADS", str(n))
    try:
        import torch
    except ImportError:
        return
    torch.set_num_threads(n)


def products(size: str) -> float:
    """Return the multiplications of a Hessian-vector product over those of a gradient.

    Per layer a gradient has three products of a batch and a matrix (two at the first layer), a
    Hessian-vector product eight (three at the first: values, tangents, and one of errors).
    """
    widths, _ = SIZES[size]
    pairs = [a * b for a, b in pairwise(widths)]
    return (3 * pairs[0] + 8 * sum(pairs[1:])) / (2 * pairs[0] + 3 * sum(pairs[1:]))
