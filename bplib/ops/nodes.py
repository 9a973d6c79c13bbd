"""What a Node can do: Python's operators, array methods, and NumPy's own functions."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from typing import Any

import numpy as np

from bplib.graph import Node
from bplib.ops import pointwise as e
from bplib.ops import products, reductions, shaping
from bplib.ops.base import FUNCTIONS, PRIMITIVES, UFUNCS, outputs_of, value

ARITHMETIC = {
    "add": e.add, "sub": e.subtract, "mul": e.multiply, "truediv": e.divide, "pow": e.power,
}  # fmt: skip
COMPARISONS = ("lt", "le", "eq", "ne", "gt", "ge")
# Functions whose derivative is zero wherever it exists, or that return positions: on a Node they
# give a plain value, cut off from the graph.
PLAIN = (
    np.argmax, np.argmin, np.argsort, np.searchsorted, np.nonzero, np.count_nonzero,
    np.all, np.any, np.allclose, np.array_equal, np.isclose, np.shape, np.ndim, np.size,
    np.zeros_like, np.ones_like, np.empty_like, np.full_like, np.result_type, np.unique, np.round,
)  # fmt: skip
PLAIN_UFUNCS = (
    np.floor, np.ceil, np.rint, np.trunc, np.isnan, np.isinf, np.isfinite, np.signbit,
    np.equal, np.not_equal, np.less, np.less_equal, np.greater, np.greater_equal,
    np.logical_and, np.logical_or, np.logical_not, np.logical_xor, np.floor_divide,
)  # fmt: skip


def _refuse(what: str) -> Any:
    def method(self: Node, *args: Any, **kwargs: Any) -> Any:
        raise TypeError(
            f"{what} of a traced value would cut it off from the graph without a trace; "
            "use bplib.stop_gradient(x) if that is meant, and bplib or NumPy functions if not"
        )

    return method


def _no_write(self: Node, *args: Any) -> None:
    raise TypeError(
        "setitem: a traced value cannot be written to in place, its rule still needs it; build a "
        "new one: bplib.ops.where(mask, a, b), concatenate, or x + scatter(v, index, x.shape)"
    )


def _no_rule(what: str) -> TypeError:
    return TypeError(
        f"{what} has no derivative rule here; the primitives are listed in bplib.ops.PRIMITIVES, "
        "a new one is one call of bplib.ops.elementwise or .primitive"
    )


def _array_ufunc(self: Node, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
    name = f"numpy.{ufunc.__name__}"
    if kwargs.get("out") is not None:
        raise TypeError(f"{name}: a traced value cannot be written into an existing array (out=)")
    if method == "__call__" and not kwargs:
        op = UFUNCS.get(ufunc)
        if op is not None:
            return op(*inputs)
        if ufunc in PLAIN_UFUNCS:
            return ufunc(*[value(x) for x in inputs])
    how = name if method == "__call__" else f"{name}.{method}"
    raise _no_rule(f"{how}({', '.join(kwargs)})")


def _array_function(self: Node, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
    if func in FUNCTIONS:
        return FUNCTIONS[func](*args, **kwargs)
    if func in PLAIN:
        return func(*[value(x) for x in args], **{k: value(v) for k, v in kwargs.items()})
    raise _no_rule(f"numpy.{func.__name__}")


def _getitem(self: Node, index: Any) -> Any:
    if type(self.data) is tuple:
        return outputs_of(self)[index]
    return shaping.getitem(self, index)


def _iter(self: Node) -> Iterator[Any]:
    if not np.ndim(self.data):
        raise TypeError("iteration over a 0-d value")
    return (self[i] for i in range(len(self.data)))  # type: ignore[index]


def _repr(self: Node) -> str:
    label = f" {self.name}" if self.name else ""
    made = f" from {self.op.name}" if self.op else ""
    return f"Node({self.data!r}{label}{made})"


def _shape_args(args: tuple[Any, ...]) -> Any:
    return args[0] if len(args) == 1 else args


def _attach_operators() -> None:
    for symbol, op in ARITHMETIC.items():
        setattr(Node, f"__{symbol}__", op.call)
        setattr(Node, f"__r{symbol}__", lambda a, b, call=op.call: call(b, a))
    matmul = products.matmul
    for name, method in {
        "__matmul__": lambda a, b: matmul(a, b), "__rmatmul__": lambda a, b: matmul(b, a),
        "__neg__": lambda x: e.negative(x), "__pos__": lambda x: x, "__abs__": lambda x: e.abs(x),
        "__bool__": lambda x: bool(x.data),
    }.items():  # fmt: skip
        setattr(Node, name, method)
    for symbol in COMPARISONS:
        compare = getattr(operator, symbol)
        setattr(Node, f"__{symbol}__", lambda a, b, compare=compare: compare(a.data, value(b)))
    for name, what in [("__float__", "float()"), ("__int__", "int()"), ("item", ".item()"),
                       ("__array__", "a NumPy array"), ("__complex__", "complex()")]:  # fmt: skip
        setattr(Node, name, _refuse(what))


def _attach_methods() -> None:
    data = operator.attrgetter("data")
    for name, get in {
        "shape": lambda x: np.shape(data(x)),
        "ndim": lambda x: np.ndim(data(x)),
        "size": lambda x: np.size(data(x)),
        "dtype": lambda x: getattr(data(x), "dtype", np.dtype(float)),
        "T": shaping.transpose,
    }.items():
        setattr(Node, name, property(get))
    for name in ("sum", "mean", "var", "std", "max", "min", "prod"):
        op = PRIMITIVES[name]
        setattr(Node, name, lambda x, *args, op=op, **kwargs: op(x, *args, **kwargs))
    for name, method in {
        "cumsum": reductions.cumsum, "ravel": shaping.ravel, "flatten": shaping.ravel,
        "squeeze": shaping.squeeze, "swapaxes": shaping.swapaxes, "dot": products.dot,
        "take": shaping.take, "astype": shaping.astype,
        "repeat": shaping.repeat, "diagonal": shaping.diagonal,
        "trace": products.trace, "clip": e.clip, "copy": lambda x: e.identity(x),
        "reshape": lambda x, *shape: shaping.reshape(x, _shape_args(shape)),
        "transpose": lambda x, *axes: shaping.transpose(x, _shape_args(axes) if axes else None),
        "argmax": lambda x, axis=None: np.argmax(x.data, axis),
        "argmin": lambda x, axis=None: np.argmin(x.data, axis),
        "__len__": lambda x: len(x.data), "__iter__": _iter, "__getitem__": _getitem,
        "__setitem__": _no_write, "__repr__": _repr, "__array_ufunc__": _array_ufunc,
        "__array_function__": _array_function,
    }.items():  # fmt: skip
        setattr(Node, name, method)


def _attach_functions() -> None:
    """Let NumPy's functions call the ones that are named like them here, on Nodes."""
    for module in (e, reductions, shaping, products):
        for name in set(module.__all__) - {"identity", "norm"}:  # NumPy's mean something else
            function = getattr(np, name, None) or getattr(np.linalg, name, None)
            if function is not None and not isinstance(function, np.ufunc):
                FUNCTIONS[function] = getattr(module, name)
    FUNCTIONS[np.amax], FUNCTIONS[np.amin] = reductions.max, reductions.min


_attach_operators()
_attach_methods()
_attach_functions()
