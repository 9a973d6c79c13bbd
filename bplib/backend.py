"""Arrays of another library in place of NumPy's, for the whole process.

    import torch
    from bplib import backend, grad

    backend.use(torch)
    grad(lambda w: (w @ w).sum())(backend.array([[1.0, 2.0], [3.0, 4.0]]))

bplib calls NumPy's functions, and NumPy hands a call that meets an `Array` to it. An `Array` holds
an array of the library chosen by `use` and calls the function that the Python array API standard
(2023.12) has for it: elementwise functions, matrix products, reductions, rearrangements. So the
primitives, their derivatives of any order, `dense`, `layers`, `losses`, `MLP.backprop` and the
optimizers run on it as they are. Whoever does not call `use` pays nothing; whoever does pays one
Python call for each operation, and no look-up of the library.

Not supported, and refused by name: plans (they write out NumPy calls), `store` (save
`to_numpy(...)`), functions that the standard does not have or has otherwise (einsum, cumsum,
roll, patches of images, adding at an index of arrays), and complex numbers. A device can be named
in `array(..., device=...)`; nothing else looks after devices.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import numpy as np

from bplib import ops
from bplib.graph import Node
from bplib.ops import base

__all__ = ["Array", "array", "to_numpy", "use"]

# What the standard calls NumPy's ufuncs, where the names differ.
STANDARD = {
    "absolute": "abs", "arccos": "acos", "arccosh": "acosh", "arcsin": "asin", "arcsinh": "asinh",
    "arctan": "atan", "arctan2": "atan2", "arctanh": "atanh", "power": "pow", "fabs": "abs",
    "true_divide": "divide", "float_power": "pow", "invert": "bitwise_invert",
}  # fmt: skip
# Names that PyTorch has otherwise, though it takes the standard's arguments. Its max over an axis
# returns positions too, its equal gives one answer for all entries.
ALIASES = {
    "permute_dims": "permute", "max": "amax", "min": "amin", "equal": "eq",
    "bitwise_invert": "bitwise_not",
}  # fmt: skip
_library: Any = None
_found: dict[str, Callable[..., Any]] = {}
_dtypes: dict[str, Any] = {}  # name -> the library's dtype
_names: dict[Any, np.dtype] = {}  # the library's dtype -> NumPy's of the same name


def use(library: Any) -> None:
    """Let `array` make arrays of `library`: a namespace such as `torch`, or None for none.

    Raises TypeError when the library lacks what everything needs. Arrays made before keep to the
    library they came from only as long as it is the one in use.
    """
    global _library
    _found.clear()
    _dtypes.clear()
    _names.clear()
    _library = library
    if library is None:
        base.FOREIGN.discard(Array)
        return
    missing = [n for n in ("asarray", "matmul", "reshape", "float32", "float64", "bool", "int64")
               if not hasattr(library, n)]  # fmt: skip
    if missing:
        _library = None
        raise TypeError(
            f"backend: {getattr(library, '__name__', library)} is no array API namespace: it has "
            f"no {', '.join(missing)}"
        )
    for name in ("float32", "float64", "int32", "int64", "bool", "uint8"):
        _dtypes[name] = getattr(library, name)
        one = library.asarray([1], dtype=_dtypes[name])
        _names[one.dtype] = np.dtype(name)
    base.FOREIGN.add(Array)


def array(x: Any, dtype: Any = None, **options: Any) -> Array:
    """Return an `Array` of the library in use from numbers, lists, or a NumPy array.

    `dtype` is NumPy's; `options` go to the library's `asarray`. Raises RuntimeError before `use`,
    TypeError for a dtype that is not real.
    """
    if _library is None:
        raise RuntimeError("backend: no library is in use; call bplib.backend.use(library) first")
    if type(x) is Array:
        return x if dtype is None else x.astype(dtype)
    x = np.asarray(x, dtype)
    if x.dtype.name not in _dtypes:
        raise TypeError(f"backend: arrays of dtype {x.dtype} are not supported")
    # A copy: some libraries would share the memory, others not.
    return Array(_library.asarray(np.ascontiguousarray(x).copy().reshape(x.shape), **options))


def to_numpy(x: Any) -> np.ndarray:
    """Return the entries as a NumPy array of its own."""
    data = x.data if type(x) is Array else x
    if not isinstance(data, np.ndarray) and hasattr(data, "__dlpack__"):
        data = np.from_dlpack(data)
    return np.array(data)


def _standard(name: str) -> Callable[..., Any]:
    """Return the library's function of a name of the standard; looked up once."""
    found = _found.get(name)
    if found is None:
        for own in (ALIASES.get(name, name), name):
            found = found or getattr(_library, own, None)
        if found is None:
            known = getattr(_library, "__name__", _library)
            raise NotImplementedError(f"backend: {known} has no function {name}")
        _found[name] = found
    return found


def _common(xs: tuple[Any, ...], least: type = bool) -> list[Any]:
    """Return the library's arrays of the operands, in the dtype that NumPy would compute in."""
    dtype = np.result_type(*[x if type(x) in base.WEAK else x.dtype for x in xs])
    if least is float and dtype.kind != "f":
        dtype = np.dtype(float)
    return [_as(x, dtype) for x in xs]


def _as(x: Any, dtype: np.dtype) -> Any:
    if type(x) is Array:
        return x.data if x.dtype == dtype else _cast(x.data, dtype)
    return _library.asarray(np.asarray(x).tolist() if np.ndim(x) == 0 else np.ascontiguousarray(x),
                            dtype=_dtypes[dtype.name])  # fmt: skip


def _cast(data: Any, dtype: Any) -> Any:
    wanted = _dtypes[np.dtype(dtype).name]
    return _library.astype(data, wanted) if hasattr(_library, "astype") else data.to(wanted)


class Array(np.lib.mixins.NDArrayOperatorsMixin):
    """An array of the library in use, as `data`; behaves as the NumPy array of the same entries."""

    __slots__ = ("__weakref__", "data")
    __array_priority__ = 500
    __hash__ = object.__hash__
    base = None

    def __init__(self, data: Any) -> None:
        self.data = np.asarray(data) if isinstance(data, np.generic) else data

    shape = property(lambda self: tuple(self.data.shape))
    dtype = property(lambda self: _names[self.data.dtype])
    ndim = property(lambda self: len(self.data.shape))
    size = property(lambda self: math.prod(self.data.shape))
    nbytes = property(lambda self: self.size * self.dtype.itemsize)
    T = property(lambda self: self.transpose())
    real = property(lambda self: self)

    def __repr__(self) -> str:
        return f"Array({self.data!r})"

    def __len__(self) -> int:
        return self.shape[0]

    def __iter__(self) -> Iterator[Array]:
        return (self[i] for i in range(len(self)))

    def __bool__(self) -> bool:
        return bool(self.data)

    def __float__(self) -> float:
        return float(self.data)

    def __int__(self) -> int:
        return int(self.data)

    item = __float__

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise TypeError(
            "backend: an Array is not turned into a NumPy array without being asked, because what "
            "happens to that would go by its library; use bplib.backend.to_numpy(x)"
        )

    def __array_ufunc__(self, ufunc: Any, method: str, *xs: Any, **kwargs: Any) -> Any:
        if any(type(x) is Node for x in xs):
            return NotImplemented  # the Node notes the operation, and then comes here with values
        out, mask = kwargs.pop("out", None), kwargs.pop("where", True)
        if method != "__call__" or kwargs or ufunc.nout != 1:
            raise NotImplementedError(f"backend: numpy.{ufunc.__name__}.{method} {sorted(kwargs)}")
        name = STANDARD.get(ufunc.__name__, ufunc.__name__)
        y = Array(_standard(name)(*_common(xs, float if name == "divide" else bool)))
        if out is None:
            if mask is not True:
                raise NotImplementedError(f"backend: numpy.{ufunc.__name__}(where=) without out=")
            return y
        (target,) = out
        if type(target) is not Array:
            raise TypeError("backend: an Array cannot be written into a NumPy array; use to_numpy")
        target[...] = y if mask is True else np.where(mask, y, target)
        return target

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if Node in types:
            return NotImplemented
        if function not in FUNCTIONS:
            raise NotImplementedError(
                f"backend: numpy.{function.__name__} is not in the array API standard or not "
                "supported here; convert with bplib.backend.to_numpy where that is meant"
            )
        return FUNCTIONS[function](*args, **kwargs)

    def __getitem__(self, index: Any) -> Array:
        return Array(self.data[self._index(index)])

    def __setitem__(self, index: Any, x: Any) -> None:
        self.data[self._index(index)] = _as(x, self.dtype)

    def _index(self, index: Any) -> Any:
        """Return an index as the standard wants it, one entry for every axis or an ellipsis."""
        parts = index if isinstance(index, tuple) else (index,)
        parts = tuple([_entry_of(i) for i in parts])
        if not any(i is Ellipsis for i in parts) and not any(hasattr(i, "shape") for i in parts):
            parts += (Ellipsis,)
        return parts if len(parts) > 1 else parts[0]

    def astype(self, dtype: Any, **_: Any) -> Array:
        """As NumPy's; always a copy."""
        return self.copy() if np.dtype(dtype) == self.dtype else Array(_cast(self.data, dtype))

    def copy(self) -> Array:
        """Return an Array with memory of its own."""
        return Array(_standard("asarray")(self.data, copy=True))

    def reshape(self, *shape: Any) -> Array:
        """As NumPy's."""
        new = shape[0] if len(shape) == 1 and isinstance(shape[0], tuple | list) else shape
        return Array(_standard("reshape")(self.data, tuple(new)))

    def transpose(self, *axes: Any) -> Array:
        """As NumPy's."""
        if len(axes) == 1 and (axes[0] is None or isinstance(axes[0], tuple | list)):
            axes = () if axes[0] is None else tuple(axes[0])
        order = tuple([int(a) % self.ndim for a in axes]) or tuple(range(self.ndim))[::-1]
        return Array(_standard("permute_dims")(self.data, order))

    def filled(self, number: float) -> Array:
        """Return an Array of the same shape and dtype with this number everywhere."""
        return array(np.full(self.shape, number, self.dtype))

    def ravel(self) -> Array:
        """As NumPy's."""
        return self.reshape(-1)

    def __getattr__(self, name: str) -> Any:
        """Any other array method: the NumPy function of that name, if it is supported."""
        function = getattr(np, name, None)
        if name.startswith("_") or function not in FUNCTIONS or not hasattr(np.ndarray, name):
            raise AttributeError(f"an Array has no attribute {name!r}")
        return lambda *args, **kwargs: FUNCTIONS[function](self, *args, **kwargs)


def _entry_of(i: Any) -> Any:
    if type(i) is Array:
        return i.data
    return _library.asarray(i) if isinstance(i, np.ndarray) else i


FUNCTIONS: dict[Any, Callable[..., Any]] = {
    np.shape: lambda x: x.shape,
    np.ndim: lambda x: x.ndim,
    np.size: lambda x, axis=None: x.size if axis is None else x.shape[axis],
    np.real: lambda x: x,
    np.iscomplexobj: lambda x: False,
    np.copy: lambda x, **_: x.copy(),
    np.reshape: lambda x, shape, **_: x.reshape(shape if isinstance(shape, tuple) else (shape,)),
    np.ravel: lambda x, **_: x.ravel(),
    np.transpose: lambda x, axes=None: x.transpose(axes),
    np.vdot: lambda a, b: a.ravel() @ b.ravel(),
    np.dot: lambda a, b: a @ b if np.ndim(a) and np.ndim(b) else a * b,
    np.result_type: lambda *xs: np.result_type(*[getattr(x, "dtype", x) for x in xs]),
}


def _supports(*functions: Any) -> Callable[[Any], Any]:
    def enter(function: Any) -> Any:
        for f in functions:
            FUNCTIONS[f] = function
        return function

    return enter


def _reduction(name: str) -> Callable[..., Any]:
    def reduce(x: Array, axis: Any = None, keepdims: Any = False, **options: Any) -> Array:
        data, given = x.data, options.pop("ddof", None)
        if options:
            raise NotImplementedError(f"backend: {name}({', '.join(options)}) is not supported")
        if x.dtype == bool and name not in ("all", "any"):
            data = _cast(data, np.int64)
        axes = range(x.ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
        axes = tuple([int(a) % x.ndim for a in axes])
        if not axes:
            return Array(data) if name not in ("var", "std") else x * 0.0
        if name in ("prod", "all", "any"):  # not over several axes everywhere
            for a in sorted(axes, reverse=True):
                data = _standard(name)(data, axis=a, keepdims=bool(keepdims))
            return Array(data)
        more = {} if given is None else {"correction": float(given)}
        if name in ("var", "std") and given is None:
            more = {"correction": 0.0}
        return Array(_standard(name)(data, axis=axes, keepdims=bool(keepdims), **more))

    return reduce


for _name in ("sum", "mean", "max", "min", "prod", "var", "std", "all", "any"):
    FUNCTIONS[getattr(np, _name)] = _reduction(_name)
FUNCTIONS[np.amax], FUNCTIONS[np.amin] = FUNCTIONS[np.max], FUNCTIONS[np.min]
for _name, _entry in (("zeros_like", 0), ("ones_like", 1), ("empty_like", 0)):
    FUNCTIONS[getattr(np, _name)] = lambda x, dtype=None, _entry=_entry, **_: array(
        np.full(x.shape, _entry, dtype or x.dtype)
    )
for _name in ("argmax", "argmin"):
    FUNCTIONS[getattr(np, _name)] = lambda x, axis=None, _name=_name: Array(
        _standard(_name)(x.data, axis=axis)
    )
for _make in (np.triu, np.tril):
    FUNCTIONS[_make] = lambda x, k=0, _make=_make: np.where(
        _make(np.ones(x.shape[-2:], bool), k), x, 0.0
    )


@_supports(np.where)
def _where(cond: Any, a: Any, b: Any) -> Array:
    return Array(_standard("where")(_as(cond, np.dtype(bool)), *_common((a, b))))


@_supports(np.clip)
def _clip(x: Array, a_min: Any = None, a_max: Any = None, **named: Any) -> Array:
    low, high = named.get("min", a_min), named.get("max", a_max)
    y = x if low is None else np.maximum(x, low)
    return y if high is None else np.minimum(y, high)


@_supports(np.broadcast_to)
def _broadcast_to(x: Array, shape: Any, **_: Any) -> Array:
    return Array(_standard("broadcast_to")(x.data, shape if isinstance(shape, tuple) else (shape,)))


@_supports(np.squeeze)
def _squeeze(x: Array, axis: Any = None) -> Array:
    return x.reshape(np.squeeze(np.broadcast_to(np.zeros((), bool), x.shape), axis=axis).shape)


@_supports(np.expand_dims)
def _expand_dims(x: Array, axis: Any) -> Array:
    return x.reshape(np.expand_dims(np.broadcast_to(np.zeros((), bool), x.shape), axis).shape)


@_supports(np.concatenate)
def _concatenate(xs: Any, axis: int = 0) -> Array:
    return Array(_standard("concat")(_common(tuple(xs)), axis=axis))


@_supports(np.flip)
def _flip(x: Array, axis: Any = None) -> Array:
    axes = range(x.ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    axes = tuple([a % x.ndim for a in axes])
    named = {"dims" if hasattr(_library, "permute") else "axis": axes}  # PyTorch's own name
    return Array(_standard("flip")(x.data, **named))


@_supports(np.swapaxes)
def _swapaxes(x: Array, a: int, b: int) -> Array:
    axes = list(range(x.ndim))
    axes[a], axes[b] = axes[b], axes[a]
    return x.transpose(axes)


@_supports(np.split)
def _split(x: Array, sections: Any, axis: int = 0) -> list[Array]:
    rows = np.split(np.arange(x.shape[axis]), sections)
    lead = (slice(None),) * (axis % x.ndim)
    starts = np.cumsum([0, *map(len, rows)]).tolist()
    return [x[(*lead, slice(i, j))] for i, j in pairwise(starts)]


@_supports(np.pad)
def _pad(x: Array, widths: Any) -> Array:
    out = array(np.zeros([b + n + a for n, (b, a) in zip(x.shape, widths, strict=True)], x.dtype))
    out[tuple([slice(b, b + n) for n, (b, _) in zip(x.shape, widths, strict=True)])] = x
    return out


@_supports(np.linalg.slogdet)
def _slogdet(x: Array) -> tuple[Array, ...]:
    return tuple([Array(part) for part in _library.linalg.slogdet(x.data)])


def _linalg(name: str) -> Callable[..., Array]:
    def call(*xs: Any) -> Array:
        return Array(getattr(_library.linalg, name)(*_common(xs)))

    return call


for _name in ("inv", "solve", "det", "cholesky"):
    FUNCTIONS[getattr(np.linalg, _name)] = _linalg(_name)


# Two primitives make NumPy arrays of their own and write into them.

_scatter, _astype = ops.PRIMITIVES["scatter"].forward, ops.PRIMITIVES["astype"].forward


def _scatter_any(g: Any, index: Any, shape: tuple[int, ...]) -> Any:
    if type(g) is not Array:
        return _scatter(g, index, shape)
    parts = index if isinstance(index, tuple) else (index,)
    if not all(
        isinstance(i, int | np.integer | slice | type(None) | type(Ellipsis)) for i in parts
    ):
        raise NotImplementedError(
            "backend: adding at an index of arrays, which may repeat, is not in the standard; "
            "index with numbers and slices, or use a product with one-hot rows"
        )
    out = array(np.zeros(shape, g.dtype))
    out[index] = g
    return out


def _astype_any(x: Any, dtype: Any) -> Any:
    return x.astype(dtype) if type(x) is Array else _astype(x, dtype)


ops.PRIMITIVES["scatter"].forward = _scatter_any
ops.PRIMITIVES["astype"].forward = _astype_any
