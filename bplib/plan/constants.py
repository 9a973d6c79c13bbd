"""Constants in a trace, and the dtype and shape that NumPy would give, asked of samples."""

from __future__ import annotations

from typing import Any

import numpy as np

from bplib.plan.values import Value

ORDINARY = (bool, int, float)
NUMBERS = (*ORDINARY, np.float64, np.float32)


def uniform(x: np.ndarray) -> bool:
    """Whether all entries are one number, the sign of a zero included."""
    first = x.flat[0]
    return bool((x == first).all()) and not (first == 0 and np.signbit(x).any())


def constant_key(a: Any) -> Any:
    """Return what two constants share only if a call cannot tell them apart."""
    if isinstance(a, np.ndarray):
        if not any(a.strides) and a.size:
            return ("uniform", a.flat[0].tobytes(), a.dtype.str, a.shape)
        return ("array", id(a))
    if isinstance(a, np.generic):
        return ("scalar", a.dtype.str, a.tobytes())
    try:
        return (type(a).__name__, a, str(a))  # the text tells 0.0 from -0.0
    except Exception:
        return ("object", id(a))


def scalar_of(a: Any, shape: Any, dtype: np.dtype, args: list[Any]) -> Any:
    """Return a uniform constant array as one number where nothing else depends on its shape."""
    if not isinstance(a, np.ndarray) or a.size == 0 or any(a.strides):
        return a
    others = [b for b in args if b is not a]
    if np.broadcast_shapes((), *[np.shape(b) for b in others]) != shape:
        return a
    number = a.flat[0]
    trial = [number if b is a else b for b in args]
    if all(getattr(b, "dtype", None) == number.dtype for b in others):
        return number
    return number if _ufunc_dtype_of(trial, others) == dtype else a


def _ufunc_dtype_of(trial: list[Any], others: list[Any]) -> Any:
    return np.result_type(*[b.dtype if hasattr(b, "dtype") else b for b in trial])


_dtypes: dict[Any, np.dtype] = {}


def sample_of(a: Any) -> Any:
    """Return a one-entry array or number of the kind of `a`, to ask NumPy what it would give."""
    if type(a) is Value:
        if a.weak:
            return a.dtype.type(1).item()
        return np.ones((1,) * len(a.shape), a.dtype) if a.shape else a.dtype.type(1)
    if isinstance(a, np.ndarray):
        return np.ones((1,) * a.ndim, a.dtype) if a.ndim else a.dtype.type(1)
    return a


def ufunc_dtype(function: np.ufunc, args: list[Any]) -> np.dtype:
    """Return the dtype of the result of an elementwise call."""
    samples = [sample_of(a) for a in args]
    key = (function, *[
        (type(s), getattr(s, "dtype", None), bool(np.ndim(s)), s if type(s) in ORDINARY else None)
        for s in samples
    ])  # fmt: skip
    if key not in _dtypes:
        with np.errstate(all="ignore"):
            _dtypes[key] = np.asarray(function(*samples)).dtype
    return _dtypes[key]


def stand_in(v: Value) -> Any:
    """Return an array of ones that takes no memory; on matrices the identity, to be invertible."""
    if v.weak:
        return v.dtype.type(1).item()
    if len(v.shape) >= 2 and v.shape[-1] == v.shape[-2] and v.dtype.kind == "f":
        return np.broadcast_to(np.eye(v.shape[-1], dtype=v.dtype), v.shape)
    return np.broadcast_to(np.ones((), v.dtype), v.shape) if v.shape else v.dtype.type(1)
