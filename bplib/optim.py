"""Optimizers: rules that turn gradients into steps, one short `update` each.

`step(params, grads)` changes the arrays of `params` in place. All gradients must come from the same
(old) weights, which is why a step takes them together. `lr` is a number or a schedule, a function
of the number of steps taken so far (0 for the first step).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

Array = np.ndarray
Schedule = Callable[[int], float]
PART = 1 << 17  # bytes


class Optimizer:
    """The common part: the step count `t`, the learning rate, and per-parameter state.

    `state` names the arrays kept per parameter; they start at zero, in the parameter's dtype.
    """

    state: tuple[str, ...] = ()
    flat = True  # whether an update treats every number alike, whatever array it belongs to
    # update(p, g, lr, *kept) changes one parameter and its kept arrays in place; t counts from 1.
    update: Callable[..., None]

    def __init__(self, lr: float | Schedule) -> None:
        if not callable(lr):
            _positive(type(self).__name__, "lr", lr)
        self.lr = lr
        self.t = 0
        self.slots: dict[str, list[Array]] = {}

    def learning_rate(self) -> float:
        """Return the rate of the next step. Raises ValueError if a schedule returns NaN or < 0."""
        if not callable(self.lr):
            return float(self.lr)
        rate = float(self.lr(self.t))
        if not (math.isfinite(rate) and rate >= 0):
            raise ValueError(f"{type(self).__name__}: the schedule gave lr = {rate} at {self.t}.")
        return rate

    def step(self, params: Sequence[Array], grads: Sequence[Array]) -> None:
        """Take one step: change every array of `params` in place, using `grads` of the same shapes.

        Raises ValueError, before anything is changed, when numbers or shapes differ.
        """
        shapes, given = [p.shape for p in params], [g.shape for g in grads]
        if shapes != given:
            raise ValueError(
                f"{type(self).__name__}.step: parameters have shapes {shapes}, gradients {given}."
            )
        self.prepare(params)
        for name, arrays in self.slots.items():
            if [a.shape for a in arrays] != shapes:
                raise ValueError(
                    f"{type(self).__name__}.step: its {name} belongs to parameters of shapes "
                    f"{[a.shape for a in arrays]}, got {shapes}; use a new optimizer."
                )
        lr = self.learning_rate()
        self.t += 1
        columns = [self.slots[name] for name in self.state]
        for arrays in zip(params, grads, *columns, strict=True):
            for p, g, *kept in _parts(arrays):
                self.update(p, g, lr, *kept)

    def prepare(self, params: Sequence[Array]) -> None:
        """Make the kept arrays, all zero, where there are none yet or no step was taken."""
        if self.t == 0 or not self.slots:
            whole = flat_of(params)
            if whole is None:
                self.slots = {name: [np.zeros_like(p) for p in params] for name in self.state}
            else:
                shapes = [p.shape for p in params]
                self.slots = {s: carve(np.zeros_like(whole), shapes) for s in self.state}

    def arrays(self) -> list[Array]:
        """Return the kept arrays themselves, name after name."""
        return [a for arrays in self.slots.values() for a in arrays]

    def copy_state(self) -> tuple[int, dict[str, list[Array]]]:
        """Return the step count and copies of the kept arrays, for `load_state`."""
        return self.t, {name: [a.copy() for a in arrays] for name, arrays in self.slots.items()}

    def load_state(self, state: tuple[int, dict[str, list[Array]]]) -> None:
        """Return to a state given by `copy_state`."""
        t, slots = state
        self.t = t
        self.slots = {name: [a.copy() for a in arrays] for name, arrays in slots.items()}


class SGD(Optimizer):
    """Gradient descent: p <- p - lr g."""

    def __init__(self, lr: float | Schedule = 0.1) -> None:
        super().__init__(lr)

    def update(self, p: Array, g: Array, lr: float) -> None:
        p -= lr * g


class Momentum(Optimizer):
    """Heavy ball: v <- mu v + g, p <- p - lr v (Polyak 1964)."""

    state = ("v",)

    def __init__(self, lr: float | Schedule = 0.1, momentum: float = 0.9) -> None:
        super().__init__(lr)
        self.momentum = _fraction(type(self).__name__, "momentum", momentum)

    def update(self, p: Array, g: Array, lr: float, v: Array) -> None:
        v *= self.momentum
        v += g
        p -= lr * v


class Nesterov(Momentum):
    """Momentum that looks ahead: v <- mu v + g, p <- p - lr (g + mu v) (Nesterov 1983).

    The form of Sutskever et al. 2013 written at the point where the gradient is taken.
    """

    def update(self, p: Array, g: Array, lr: float, v: Array) -> None:
        v *= self.momentum
        v += g
        p -= lr * (g + self.momentum * v)


class RMSProp(Optimizer):
    """Divide by a running root mean square (Tieleman and Hinton 2012).

    s <- rho s + (1 - rho) g^2, p <- p - lr g / (sqrt(s) + eps).
    """

    state = ("s",)

    def __init__(self, lr: float | Schedule = 0.001, rho: float = 0.9, eps: float = 1e-8) -> None:
        super().__init__(lr)
        self.rho = _fraction(type(self).__name__, "rho", rho)
        self.eps = _positive(type(self).__name__, "eps", eps)

    def update(self, p: Array, g: Array, lr: float, s: Array) -> None:
        s *= self.rho
        s += (1 - self.rho) * (g * g)
        p -= lr * g / (np.sqrt(s) + self.eps)


class Adam(Optimizer):
    """Momentum over root mean square, both corrected for their start at zero (Kingma and Ba 2015).

    m <- beta1 m + (1 - beta1) g, v <- beta2 v + (1 - beta2) g^2,
    p <- p - lr m^ / (sqrt(v^) + eps) with m^ = m / (1 - beta1^t), v^ = v / (1 - beta2^t).
    """

    state = ("m", "v")

    def __init__(
        self,
        lr: float | Schedule = 0.001,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
    ) -> None:
        super().__init__(lr)
        name = type(self).__name__
        try:
            beta1, beta2 = betas
        except (TypeError, ValueError):
            raise ValueError(f"{name}: betas must be two numbers, got {betas!r}.") from None
        self.betas = _fraction(name, "beta1", beta1), _fraction(name, "beta2", beta2)
        self.eps = _positive(name, "eps", eps)

    def update(self, p: Array, g: Array, lr: float, m: Array, v: Array) -> None:
        beta1, beta2 = self.betas
        m *= beta1
        m += (1 - beta1) * g
        v *= beta2
        v += (1 - beta2) * (g * g)
        m_hat = m / (1 - beta1**self.t)
        v_hat = v / (1 - beta2**self.t)
        p -= lr * m_hat / (np.sqrt(v_hat) + self.eps)


class AdamW(Adam):
    """Adam with decoupled weight decay: first p <- (1 - lr lambda) p (Loshchilov and Hutter 2019).

    Only arrays with two axes or more are decayed: weights, not biases.
    """

    flat = False

    def __init__(
        self,
        lr: float | Schedule = 0.001,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.01,
    ) -> None:
        super().__init__(lr, betas, eps)
        if not (_is_number(weight_decay) and weight_decay >= 0):
            raise ValueError(f"AdamW: weight_decay must be >= 0, got {weight_decay!r}.")
        self.weight_decay = weight_decay

    def update(self, p: Array, g: Array, lr: float, m: Array, v: Array) -> None:
        if p.ndim > 1:
            p *= 1 - lr * self.weight_decay
        super().update(p, g, lr, m, v)


def _parts(arrays: tuple[Array, ...]) -> Iterator[tuple[Array, ...]]:
    """Yield the arrays as they are, or large ones by rows: what an update needs on the side then
    stays in the cache, and is not fresh memory of the size of the weights at every step.
    """
    p = arrays[0]
    if p.nbytes <= 2 * PART:
        yield arrays
        return
    rows = max(1, PART * p.shape[0] // p.nbytes)
    for start in range(0, p.shape[0], rows):
        yield tuple([a[start : start + rows] for a in arrays])


def carve(whole: Array, shapes: Sequence[tuple[int, ...]]) -> list[Array]:
    """Return arrays of the given shapes that lie one after the other in a vector."""
    views, start = [], 0
    for shape in shapes:
        stop = start + math.prod(shape)
        views.append(whole[start:stop].reshape(shape))
        start = stop
    return views


def flat_of(arrays: Sequence[Array]) -> Array | None:
    """Return the vector that `arrays` were carved from, all of it and in order, or None."""
    whole = arrays[0].base if arrays else None
    if whole is None or whole.ndim != 1 or whole.size != sum(a.size for a in arrays):
        return None
    at = whole.ctypes.data
    for a in arrays:
        if a.base is not whole or a.ctypes.data != at or not a.flags.c_contiguous:
            return None
        at += a.nbytes
    return whole


def constant(lr: float) -> Schedule:
    """Return the schedule that is `lr` at every step."""
    _positive("constant", "lr", lr)
    return lambda t: lr


def step_decay(lr: float, factor: float, every: int) -> Schedule:
    """Return lr * factor**(t // every): a drop by `factor`, in (0, 1], every `every` steps."""
    _positive("step_decay", "lr", lr)
    if not (_is_number(factor) and 0 < factor <= 1):
        raise ValueError(f"step_decay: factor must lie in (0, 1], got {factor!r}.")
    _steps("step_decay", "every", every)
    return lambda t: lr * factor ** (t // every)


def cosine(lr: float, steps: int, warmup: int = 0, final: float = 0.0) -> Schedule:
    """Return a linear rise over `warmup` steps, then half a cosine from lr to `final` at `steps`.

    After `steps` the rate stays at `final` (Loshchilov and Hutter 2017, without restarts).
    """
    _positive("cosine", "lr", lr)
    _steps("cosine", "steps", steps)
    if not 0 <= warmup < steps:
        raise ValueError(f"cosine: warmup must lie in 0..steps - 1 = {steps - 1}, got {warmup}.")
    if not (_is_number(final) and 0 <= final <= lr):
        raise ValueError(f"cosine: final must lie in [0, lr], got {final!r}.")

    def rate(t: int) -> float:
        if t < warmup:
            return lr * (t + 1) / warmup
        x = min(1.0, (t - warmup) / (steps - warmup))
        return final + (lr - final) * 0.5 * (1 + math.cos(math.pi * x))

    return rate


def global_norm(grads: Sequence[Array]) -> float:
    """Return the Euclidean norm of all gradients taken together, without overflow in float32."""
    # np.max hands a NaN on; Python's max may lose it, depending on the order.
    largest = float(np.max([np.abs(g).max(initial=0.0) for g in grads], initial=0.0))
    if largest == 0.0 or not math.isfinite(largest):
        return largest
    return largest * math.sqrt(sum(float(np.square(g / largest).sum()) for g in grads))


def clip_by_norm(grads: Sequence[Array], limit: float) -> float:
    """Scale all gradients in place to a common norm of at most `limit`; return the old norm.

    The direction is kept (Pascanu et al. 2013). A NaN or infinite norm changes nothing, so that
    the caller can see it. Raises ValueError for limit <= 0.
    """
    _positive("clip_by_norm", "limit", limit)
    norm = global_norm(grads)
    if math.isfinite(norm) and norm > limit:
        for g in grads:
            g *= limit / norm
    return norm


def clip_by_value(grads: Sequence[Array], limit: float) -> None:
    """Clip every entry to [-limit, limit] in place; the direction may change."""
    _positive("clip_by_value", "limit", limit)
    for g in grads:
        np.clip(g, -limit, limit, out=g)


def _is_number(x: Any) -> bool:
    return isinstance(x, (int, float, np.floating, np.integer)) and not isinstance(x, bool)


def _positive(owner: str, name: str, x: Any) -> float:
    if not (_is_number(x) and math.isfinite(x) and x > 0):
        raise ValueError(f"{owner}: {name} must be a finite number > 0, got {x!r}.")
    return float(x)


def _fraction(owner: str, name: str, x: Any) -> float:
    if not (_is_number(x) and 0 <= x < 1):
        raise ValueError(f"{owner}: {name} must lie in [0, 1), got {x!r}.")
    return float(x)


def _steps(owner: str, name: str, n: Any) -> None:
    if not (isinstance(n, (int, np.integer)) and not isinstance(n, bool) and n >= 1):
        raise ValueError(f"{owner}: {name} must be a whole number >= 1, got {n!r}.")
