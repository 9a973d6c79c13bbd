"""NumPy functions that are traced as something simpler than a call of their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from bplib.plan.errors import PlanError, place
from bplib.plan.symbols import FUNCTIONS, Symbol, _reduced
from bplib.plan.trace import Trace
from bplib.plan.views import as_tuple


def _trace_of(*xs: Any) -> Trace:
    return next(x.trace for x in xs if type(x) is Symbol)


def _numpy(*functions: Any) -> Callable[[Any], Any]:
    def enter(function: Any) -> Any:
        for f in functions:
            FUNCTIONS[f] = function
        return function

    return enter


FUNCTIONS[np.shape] = lambda x: x.shape
FUNCTIONS[np.ndim] = lambda x: x.ndim
FUNCTIONS[np.size] = lambda x, axis=None: x.size if axis is None else x.shape[axis]
FUNCTIONS[np.real] = lambda x: x
FUNCTIONS[np.reshape] = lambda x, shape, **_: x.reshape(*as_tuple(shape))
FUNCTIONS[np.ravel] = lambda x, **_: x.reshape(-1)
FUNCTIONS[np.transpose] = lambda x, axes=None: x.transpose(axes)
FUNCTIONS[np.copy] = lambda x, **_: x.copy()
FUNCTIONS[np.iscomplexobj] = lambda x: x.dtype.kind == "c"
FUNCTIONS[np.result_type] = lambda *xs: np.result_type(
    *[1.0 if type(x) is Symbol and x.value.weak else getattr(x, "dtype", x) for x in xs]
)
for _name in ("sum", "max", "min", "mean", "all", "any"):
    FUNCTIONS[getattr(np, _name)] = lambda x, axis=None, dtype=None, out=None, _name=_name, **kw: (
        getattr(x, _name)(axis=axis, **{k: v for k, v in kw.items() if k == "keepdims"})
    )
FUNCTIONS[np.amax], FUNCTIONS[np.amin] = FUNCTIONS[np.max], FUNCTIONS[np.min]


@_numpy(np.where)
def _np_where(cond: Any, *branches: Any) -> Any:
    trace = _trace_of(cond, *branches)
    if len(branches) != 2:
        raise PlanError(
            f"plan: where(condition) alone gives as many positions as it finds: {place()}"
        )
    return Symbol(trace, trace.where(*[trace.operand(x) for x in (cond, *branches)]))


@_numpy(np.clip)
def _np_clip(x: Any, a_min: Any = None, a_max: Any = None, out: Any = None, **kw: Any) -> Any:
    lo, hi = kw.get("min", a_min), kw.get("max", a_max)
    y = x.copy() if lo is None else np.maximum(x, lo)
    y = y if hi is None else np.minimum(y, hi)
    if out is None:
        return y
    out.write(y.value)
    return out


@_numpy(np.broadcast_to)
def _np_broadcast_to(x: Any, shape: Any, **_: Any) -> Any:
    shape = as_tuple(shape)
    if np.broadcast_shapes(x.shape, shape) != shape:
        raise ValueError(f"broadcast_to: {x.shape} does not stretch to {shape}")
    if shape == x.shape:
        return x
    return Symbol(x.trace, x.trace.stretch(x.value, shape), x.memory)


for _name, _fill_with in (("zeros_like", 0), ("ones_like", 1), ("empty_like", 0)):
    FUNCTIONS[getattr(np, _name)] = lambda x, dtype=None, _fill_with=_fill_with, **_: Symbol(
        x.trace,
        x.trace.constant_value(np.broadcast_to(np.asarray(_fill_with, dtype or x.dtype), x.shape)),
    )


@_numpy(np.full_like)
def _np_full_like(x: Any, fill_value: Any, dtype: Any = None, **_: Any) -> Any:
    y = np.full(x.shape, fill_value, dtype or x.dtype)
    return Symbol(x.trace, x.trace.constant_value(y))


@_numpy(np.swapaxes)
def _np_swapaxes(x: Any, a: int, b: int) -> Any:
    axes = list(range(x.ndim))
    axes[a], axes[b] = axes[b], axes[a]
    return x.transpose(tuple(axes))


@_numpy(np.expand_dims)
def _np_expand_dims(x: Any, axis: Any) -> Any:
    return x.reshape(np.expand_dims(np.broadcast_to(np.zeros((), bool), x.shape), axis).shape)


@_numpy(np.squeeze)
def _np_squeeze(x: Any, axis: Any = None) -> Any:
    return x.reshape(np.squeeze(np.broadcast_to(np.zeros((), bool), x.shape), axis=axis).shape)


@_numpy(np.flip)
def _np_flip(x: Any, axis: Any = None) -> Any:
    axes = range(x.ndim) if axis is None else [a % x.ndim for a in np.atleast_1d(axis)]
    return x[tuple([slice(None, None, -1) if i in axes else slice(None) for i in range(x.ndim)])]


@_numpy(np.copyto)
def _np_copyto(dst: Any, src: Any, casting: str = "same_kind", where: Any = True) -> None:
    if type(dst) is not Symbol:
        raise PlanError(f"plan: a traced value cannot be written into a plain array: {place()}")
    dst[... if where is True else where] = src


@_numpy(np.prod)
def _np_prod(x: Any, axis: Any = None, keepdims: bool = False, **_: Any) -> Any:
    return _reduced(np.multiply, x, axis, keepdims)


@_numpy(np.dot)
def _np_dot(a: Any, b: Any, out: Any = None) -> Any:
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return a * b
    if np.ndim(b) <= 2:
        return np.matmul(a, b)
    return _trace_of(a, b).opaque(np.dot, (a, b), {}, "dot", True)
