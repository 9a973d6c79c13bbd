"""Reductions: as far as derivatives go, each is a weighted sum, so its weights say it all.

For y = r(x), dy = sum_i w_i dx_i with w_i = dy/dx_i. The JVP is sum(w * t), the VJP w * g with g
repeated over the reduced axes, and one statement of the weights gives both.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from bplib.graph import Op
from bplib.ops.base import FOREIGN, Array, linear, primitive, register, shape, symmetric, value
from bplib.ops.pointwise import exp, where
from bplib.ops.shaping import broadcast_to, flip, moveaxis, ravel, reshape

__all__ = [
    "cumsum", "log_softmax", "logsumexp", "max", "mean", "min", "norm", "prod", "softmax",
    "std", "sum", "var",
]  # fmt: skip


Axis = int | tuple[int, ...] | None


class Reduction(Op):
    """A primitive that reduces axes: `op(x, axis=None, keepdims=False)`."""

    __slots__ = ("options",)
    options: tuple[str, ...]

    def __call__(self, x: Array, axis: Axis = None, keepdims: bool = False, **options: Any) -> Any:
        """Reduce over `axis`: one axis, a tuple of them, or None for all."""
        if isinstance(axis, list):
            raise TypeError(f"{self.name}: axis must be an int, a tuple or None, got a list {axis}")
        if options.keys() - set(self.options):
            known = ", ".join(("axis", "keepdims", *self.options))
            raise TypeError(f"{self.name}: the options are {known}, got {', '.join(options)}")
        return Op.__call__(self, x, axis=axis, keepdims=bool(keepdims), **options)

    def value(self, xs: Sequence[Any], params: dict[str, Any]) -> Any:
        """Return the value alone: of a Python float it is one again."""
        y = Op.value(self, xs, params)
        return float(y) if type(xs[0]) is float else y


def _axes(x: Array, axis: Axis) -> tuple[int, ...]:
    n = len(shape(x))
    if axis is None:
        return tuple(range(n))
    return tuple([a % n for a in (axis if isinstance(axis, tuple) else (axis,))])


def expand(y: Array, x: Array, axis: Axis, keepdims: bool) -> Array:
    """Return `y`, reduced from `x`, with the reduced axes kept at length 1."""
    reduced = _axes(x, axis)
    kept = tuple([1 if i in reduced else n for i, n in enumerate(shape(x))])
    if keepdims or kept == ():
        return y
    return np.full(kept, y) if type(y) is float else y.reshape(kept)


def count(x: Array, axis: Axis) -> int:
    """Return how many entries of `x` a reduction over `axis` combines."""
    return math.prod([shape(x)[a] for a in _axes(x, axis)])


def spread(w: Array, g: Array) -> Array:
    """Return w * g, where a boolean `w` has few entries set."""
    if type(w) is not np.ndarray or w.dtype != bool or type(g) is not np.ndarray:
        return w * g
    out = np.zeros(w.shape, g.dtype)
    np.copyto(out, g, where=w)
    return out


def reduction(
    name: str,
    forward: Callable[..., Any],
    weights: Callable[..., Any],
    numpy: Sequence[Any] = (),
    doc: str | None = None,
) -> Any:
    """Register a reduction by its weights dy/dx_i = `weights(y, x, axis, **options)`.

    `y` comes with the reduced axes kept; the weights have the shape of `x`.
    """

    def vjp(g: Array, y: Array, x: Array, axis: Axis, keepdims: bool, **options: Any) -> Array:
        w = weights(expand(y, x, axis, keepdims), x, axis, **options)
        return spread(w, expand(g, x, axis, keepdims))

    def jvp(t: Array, y: Array, x: Array, axis: Axis, keepdims: bool, **options: Any) -> Array:
        w = weights(expand(y, x, axis, keepdims), x, axis, **options)
        return sum(w * t, axis=axis, keepdims=keepdims)

    op = Reduction(name, forward, (vjp,), (jvp,), kind="reduction", doc=doc)
    op.options = weights.__code__.co_varnames[3 : weights.__code__.co_argcount]
    return register(op, *numpy)


def _linear_reduction(name: str, forward: Any, scale: Callable[[Array, Axis], int]) -> Any:
    def vjp(g: Array, y: Array, x: Array, axis: Axis, keepdims: bool) -> Array:
        n = scale(x, axis)
        g = expand(g if n == 1 else g / n, x, axis, keepdims)
        return broadcast_to(g, shape(x)) if shape(x) else g

    def jvp(t: Array, y: Array, x: Array, axis: Axis, keepdims: bool) -> Array:
        return op(t, axis=axis, keepdims=keepdims)

    op = Reduction(name, forward, (vjp,), (jvp,), kind="linear", reads=False)
    op.options = ()
    return register(op, forward)


sum = _linear_reduction("sum", np.sum, lambda x, axis: 1)
mean = _linear_reduction("mean", np.mean, count)


def _variance(y: Array, x: Array, axis: Axis, ddof: int = 0) -> Array:
    return (x - mean(x, axis=axis, keepdims=True)) * (2 / (count(x, axis) - ddof))


def _deviation(y: Array, x: Array, axis: Axis, ddof: int = 0) -> Array:
    centered = x - mean(x, axis=axis, keepdims=True)
    return centered / (where(value(y) == 0, 1.0, y) * (count(x, axis) - ddof))


def _ties(y: Array, x: Array, axis: Axis) -> Array:
    hit = value(x) == value(y)
    if type(hit) is bool:  # of a Python float
        return 1.0
    if type(hit) not in FOREIGN and np.count_nonzero(hit) == np.size(value(y)):
        return hit  # no ties
    return (hit / hit.sum(axis=axis, keepdims=True)).astype(getattr(x, "dtype", float))


def _others(y: Array, x: Array, axis: Axis) -> Array:
    """The product of all other entries: y / x unless a zero is among them."""
    if type(value(x)) not in FOREIGN and np.all(value(x) != 0):
        return y / x
    last = tuple(range(-len(_axes(x, axis)), 0))
    moved = moveaxis(x, _axes(x, axis), last)
    n, lengths = count(x, axis), shape(moved)
    flat = reshape(moved, (*lengths[: len(lengths) - len(last)], 1, n))
    products = prod(where(np.eye(n, dtype=bool), 1.0, flat), axis=-1)
    return moveaxis(reshape(products, lengths), last, _axes(x, axis))


def _norm(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    return np.sqrt(np.sum(x * x, axis=axis, keepdims=keepdims))


def _logsumexp(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    top = np.max(np.real(x), axis=axis, keepdims=True)
    top = np.where(np.isfinite(top), top, 0)
    with np.errstate(divide="ignore"):  # log(0) is the right answer for a row of -inf
        y = np.log(np.sum(np.exp(x - top), axis=axis, keepdims=True)) + top
    return y if keepdims else np.squeeze(y, axis=_axes(x, axis))[()]


def _shares(y: Array, x: Array, axis: Axis) -> Array:
    return exp(x - where(np.isfinite(value(y)), y, 0.0))


var = reduction("var", np.var, _variance)
std = reduction("std", np.std, _deviation)
max = reduction("max", np.max, _ties)
min = reduction("min", np.min, _ties)
prod = reduction("prod", np.prod, _others)
logsumexp = reduction("logsumexp", _logsumexp, _shares, doc="log of the sum of exponentials")
norm = reduction(
    "norm", _norm, lambda y, x, axis: x / where(value(y) == 0, 1.0, y),
    doc="Euclidean (Frobenius) norm over the given axes",
)  # fmt: skip


# Along one axis, keeping it
def _softmax(x: Any, axis: int = -1) -> Any:
    return np.exp(x - _logsumexp(x, axis, keepdims=True))


# fmt: off
softmax = symmetric(
    "softmax", _softmax, lambda t, y, x, axis=-1: y * (t - sum(y * t, axis=axis, keepdims=True)))
log_softmax = primitive(
    "log_softmax", lambda x, axis=-1: x - _logsumexp(x, axis, keepdims=True),
    [lambda g, y, x, axis=-1: g - exp(y) * sum(g, axis=axis, keepdims=True)],
    [lambda t, y, x, axis=-1: t - sum(exp(y) * t, axis=axis, keepdims=True)])
_cumsum: Op = linear(
    "cumsum", np.cumsum, lambda g, x, axis: flip(_cumsum(flip(g, axis), axis=axis), axis))
# fmt: on


def cumsum(x: Array, axis: int | None = None) -> Array:
    """Return the running sums along `axis`, of the flattened array if it is None."""
    return _cumsum(ravel(x) if axis is None else x, axis=0 if axis is None else axis)
