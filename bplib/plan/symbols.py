"""A `Symbol` stands for an array in a trace, and notes what is done to it.

It has a shape and a dtype but no entries, so anything that would need an entry (an `if`,
`float()`, writing into a plain array) is found and named.
"""

from __future__ import annotations

import operator
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from bplib.graph import Node
from bplib.ops import base
from bplib.plan import views
from bplib.plan.constants import ORDINARY
from bplib.plan.errors import PlanError, place
from bplib.plan.values import Value

# NumPy functions that are traced as something simpler than a call (`functions` fills it in), and
# those whose result shares no memory with their arguments.
FUNCTIONS: dict[Any, Callable[..., Any]] = {}
FRESH = {
    np.concatenate, np.einsum, np.cumsum, np.sort, np.argsort, np.argmax, np.argmin, np.pad,
    np.triu, np.tril, np.roll, np.linalg.inv, np.linalg.solve, np.linalg.det, np.linalg.cholesky,
    np.take, np.repeat, np.tile, np.var, np.std, np.stack, np.linalg.slogdet, np.tensordot,
}  # fmt: skip


def _needs_entry(what: str, remedy: str) -> Callable[..., Any]:
    def method(self: Symbol, *args: Any, **kwargs: Any) -> Any:
        made = f" (made by {self.value.call.name})" if self.value.call else ""
        # No local name for the error: with one, the frames that it holds would outlive it.
        raise PlanError(
            f"plan: {what} needs the entries of a traced value{made}, which a plan has only when "
            f"it is replayed: {place()}. {remedy}",
            self.trace,
        )

    return method


BRANCH = (
    "A plan is one straight line of steps, so which way to go may not depend on values: use "
    "bplib.ops.where(condition, a, b), or compile the two ways apart and choose outside."
)
ENTRY = "Keep the value as an array inside the function, or return it and convert it outside."


class Symbol(np.lib.mixins.NDArrayOperatorsMixin):
    """An array without entries, inside a trace. Behaves as the NumPy array it stands for."""

    __slots__ = ("__weakref__", "memory", "trace", "value")
    __array_priority__ = 1000
    __hash__ = object.__hash__

    def __init__(self, trace: Any, value: Value, memory: Any = None) -> None:
        self.trace, self.value = trace, value
        self.memory = weakref.WeakSet() if memory is None else memory
        self.memory.add(self)

    shape = property(lambda self: self.value.shape)
    dtype = property(lambda self: self.value.dtype)
    ndim = property(lambda self: len(self.value.shape))
    size = property(lambda self: int(np.prod(self.value.shape, dtype=np.int64)))
    nbytes = property(lambda self: self.value.nbytes)
    T = property(lambda self: self.transpose())
    real = property(lambda self: self)
    weak = property(lambda self: self.value.weak)
    base = None
    __bool__ = _needs_entry("bool() of a condition, an `if`, `while`, `and` or `or`", BRANCH)
    __float__ = _needs_entry("float()", ENTRY)
    __int__ = _needs_entry("int()", ENTRY)
    __index__ = _needs_entry("an index or a count", ENTRY)
    __complex__ = _needs_entry("complex()", ENTRY)
    item = _needs_entry(".item()", ENTRY)
    tolist = _needs_entry(".tolist()", ENTRY)
    __array__ = _needs_entry("a conversion to a plain array", ENTRY)

    def __repr__(self) -> str:
        return f"Symbol({self.dtype}, shape {self.shape})"

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of unsized object")
        return self.shape[0]

    def __iter__(self) -> Iterator[Any]:
        if not self.shape:
            raise TypeError("iteration over a 0-d array")
        return (self[i] for i in range(len(self)))

    # Writing

    def write(self, value: Value) -> None:
        """Take another value: what a write in place does to the memory."""
        others = [s for s in self.memory if s is not self]
        if others or self.value.base is not None:
            raise PlanError(
                f"plan: a write in place to an array that shares its memory with a view: {place()}."
                " Compute a new array instead."
            )
        mine = self.value
        if (value.shape, value.dtype) != (mine.shape, mine.dtype):
            fits = np.broadcast_shapes(value.shape, mine.shape) == mine.shape
            if not fits:
                raise ValueError(
                    f"plan: a result of shape {value.shape} does not fit {mine.shape}: {place()}"
                )
            if value.shape != mine.shape:
                value = self.trace.stretch(value, mine.shape)
            if value.dtype != mine.dtype:
                if not np.can_cast(value.dtype, mine.dtype, "same_kind"):
                    raise TypeError(
                        f"plan: cannot write {value.dtype} into {mine.dtype}: {place()}"
                    )
                value = self.trace.call("copy", None, (value,), mine.shape, mine.dtype, name="cast")
        self.value = value

    def __setitem__(self, index: Any, x: Any) -> None:
        whole = index is Ellipsis or index == slice(None) if not views.has_array(index) else False
        if whole:
            self.write(self.trace.operand_value(x, self.value))
            return
        if type(index) is Symbol and index.dtype == bool and index.shape == self.shape:
            v = self.trace.operand_value(x, self.value)
            self.write(self.trace.where(index.value, v, self.value))
            return
        put = self.trace.opaque(_put, (self, index, x), {}, "setitem", True)
        self.write(put.value)

    # NumPy's protocols

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if any(type(x) is Node for x in inputs):
            return NotImplemented  # the Node notes the operation, and then calls NumPy on symbols
        trace = self.trace
        out = kwargs.pop("out", None)
        where = kwargs.pop("where", True)
        if method == "__call__" and ufunc is np.matmul and not kwargs and where is True:
            result = trace.matmul([trace.operand(x) for x in inputs])
        elif method == "__call__" and ufunc.nout == 1 and not kwargs and ufunc.signature is None:
            result = trace.ufunc(ufunc, [trace.operand(x) for x in inputs])
            if where is not True:
                return trace.masked(ufunc, inputs, where, out)
        elif method == "reduce" and where is True and set(kwargs) <= {"axis", "keepdims"}:
            axis = kwargs.get("axis", 0)
            result = trace.reduce(ufunc, inputs[0], axis, kwargs.get("keepdims", False))
        elif method == "at":
            raise PlanError(
                f"plan: numpy.{ufunc.__name__}.at writes in place: {place()}; "
                "use bplib.ops.scatter(v, index, shape)"
            )
        else:
            function = ufunc if method == "__call__" else getattr(ufunc, method)
            if where is not True:
                kwargs["where"] = where
            done = trace.opaque(function, inputs, kwargs, f"{ufunc.__name__}", True)
            if out is None:
                return done
            result = done.value
        if out is not None:
            (target,) = out
            if type(target) is not Symbol:
                raise PlanError(
                    f"plan: a traced value cannot be written into a plain array (out= or an "
                    f"in-place operator): {place()}. Make that array an argument, or compute a "
                    "new one.",
                    trace,
                )
            target.write(trace.as_value(result))
            return target
        return Symbol(trace, result) if type(result) is Value else result

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if Node in types:
            return NotImplemented
        special = FUNCTIONS.get(func)
        if special is not None:
            return special(*args, **kwargs)
        if kwargs.get("out") is not None:
            raise PlanError(f"plan: numpy.{func.__name__}(out=...) is not traced: {place()}")
        return self.trace.opaque(func, args, kwargs, func.__name__, func in FRESH)

    # Methods

    def __getitem__(self, index: Any) -> Any:
        if views.is_basic(index):
            if self.ndim == 0:
                return self
            shape = views.indexed_shape(self.shape, index)
            params = {"index": views.Index(index)}
            first = index[0] if isinstance(index, tuple) and len(index) == 1 else index
            block = isinstance(first, slice) and first.step in (None, 1)
            dense = block and self.value.contiguous
            v = self.trace.view(views.index, self.value, params, shape, dense)
            return Symbol(self.trace, v, self.memory)
        return self.trace.opaque(operator.getitem, (self, index), {}, "getitem", True)

    def reshape(self, *shape: Any, **_: Any) -> Symbol:
        """As NumPy's."""
        new = shape[0] if len(shape) == 1 and isinstance(shape[0], tuple | list) else shape
        new = np.broadcast_to(np.zeros((), bool), self.shape).reshape(tuple(new)).shape
        if new == self.shape:
            return self
        v = self.value
        if not v.contiguous and v.role == "computed":
            v = self.trace.call("copy", None, (v,), v.shape, v.dtype, name="copy")
            return Symbol(self.trace, self.trace.view(views.reshape, v, {"shape": new}, new, True))
        return Symbol(
            self.trace, self.trace.view(views.reshape, v, {"shape": new}, new, True), self.memory
        )

    def transpose(self, *axes: Any) -> Symbol:
        """As NumPy's."""
        if len(axes) == 1 and (axes[0] is None or isinstance(axes[0], tuple | list)):
            axes = () if axes[0] is None else tuple(axes[0])
        order = tuple(int(i) % self.ndim for i in axes) or tuple(range(self.ndim))[::-1]
        if order == tuple(range(self.ndim)):
            return self
        shape = tuple(self.shape[i] for i in order)
        v = self.trace.view(views.transpose, self.value, {"axes": order}, shape, False)
        return Symbol(self.trace, v, self.memory)

    def astype(self, dtype: Any, **_: Any) -> Symbol:
        """As NumPy's; the same symbol where nothing changes."""
        dtype = np.dtype(dtype)
        if dtype == self.dtype and not self.value.weak:
            return Symbol(self.trace, self.value)
        v = self.trace.call("copy", None, (self.value,), self.shape, dtype, name="cast")
        return Symbol(self.trace, v)

    def copy(self) -> Symbol:
        """A symbol with memory of its own; values are never changed, so nothing is copied."""
        return Symbol(self.trace, self.value)

    def sum(self, axis: Any = None, keepdims: bool = False, **_: Any) -> Any:
        """As NumPy's."""
        return _reduced(np.add, self, axis, keepdims)

    def max(self, axis: Any = None, keepdims: bool = False) -> Any:
        """As NumPy's."""
        return _reduced(np.maximum, self, axis, keepdims)

    def min(self, axis: Any = None, keepdims: bool = False) -> Any:
        """As NumPy's."""
        return _reduced(np.minimum, self, axis, keepdims)

    def all(self, axis: Any = None, keepdims: bool = False) -> Any:
        """As NumPy's."""
        return _reduced(np.logical_and, self, axis, keepdims)

    def any(self, axis: Any = None, keepdims: bool = False) -> Any:
        """As NumPy's."""
        return _reduced(np.logical_or, self, axis, keepdims)

    def mean(self, axis: Any = None, keepdims: bool = False, **_: Any) -> Any:
        """As NumPy's: the sum over the count."""
        if self.dtype.kind != "f" or self.dtype.itemsize < 4:
            return self.trace.opaque(
                np.mean, (self,), {"axis": axis, "keepdims": keepdims}, "mean", True
            )
        axes = range(self.ndim) if axis is None else np.atleast_1d(axis)
        count = int(np.prod([self.shape[a] for a in axes], dtype=np.int64))
        return self.sum(axis=axis, keepdims=keepdims) / count

    def __pow__(self, other: Any) -> Any:
        # As ndarray does it: the common exponents have functions of their own.
        if not self.value.weak and self.shape and type(other) in ORDINARY:
            fast = {2: np.square, 1: np.positive, 0.5: np.sqrt, -1: np.reciprocal}.get(other)
            if fast is not None and self.dtype.kind == "f":
                return fast(self)
        return np.power(self, other)

    def __getattr__(self, name: str) -> Any:
        """Any other array method: the NumPy function of that name."""
        function = getattr(np, name, None)
        if name.startswith("_") or not callable(function) or not hasattr(np.ndarray, name):
            raise AttributeError(f"a traced array has no attribute {name!r}")
        return lambda *args, **kwargs: function(self, *args, **kwargs)


def _put(x: Any, index: Any, v: Any) -> Any:
    out = np.array(x)
    out[index] = v
    return out


def _reduced(ufunc: Any, x: Any, axis: Any, keepdims: Any) -> Any:
    return ufunc.reduce(x, axis=axis, keepdims=keepdims is True)


base.FOREIGN.add(Symbol)
