"""Tracing at the level of NumPy calls: a `Symbol` stands for an array and notes what is done to it.

The engine needs no second implementation to be compiled. Run on symbols, `bplib.grad` and its
relatives make the same NumPy calls as on numbers, and the list of these calls *is* the derived
program: symbol to symbol. A symbol has a shape and a dtype but no entries, so anything that would
need an entry (an `if`, `float()`, writing into a plain array) is found and named.

Calls are noted in single-assignment form: every call has a new `Value`. A write in place gives the
symbol a new value, and a write to an argument is an effect that a replay repeats.
"""

from __future__ import annotations

import linecache
import operator
import sys
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from bplib.graph import Node, state
from bplib.ops import base

HERE = str(Path(__file__).resolve().parents[1])
NUMPY = str(Path(np.__file__).resolve().parent)
ORDINARY = (bool, int, float)
NUMBERS = (*ORDINARY, np.float64, np.float32)


class PlanError(TypeError):
    """Something asked of a traced value cannot be part of a plan; the message says where."""

    trace: Trace | None = None

    def retry(self, op: Any, xs: Any, params: Any) -> Any:
        """Note a primitive whose code needs entries as one opaque step."""
        if self.trace is None:
            raise self
        return self.trace.opaque(op.forward, tuple(xs), params, op.name, False)


class Value:
    """One result of the program: its shape and dtype, and the call that makes it.

    role   "input" (an argument), "bound" (an array of the caller's, read and written in place),
           "constant" or "computed"
    weak   a Python float or bool, which takes the dtype of what it meets
    base   the value this one is a view of, or None
    """

    __slots__ = (
        "base",
        "call",
        "constant",
        "contiguous",
        "dtype",
        "number",
        "role",
        "shape",
        "weak",
    )

    def __init__(
        self, number: int, shape: tuple[int, ...], dtype: np.dtype, role: str, weak: bool = False
    ) -> None:
        self.number, self.shape, self.dtype = number, shape, dtype
        self.role, self.weak = role, weak
        self.call: Call | None = None
        self.base: Value | None = None
        self.constant: Any = None
        self.contiguous = True

    @property
    def nbytes(self) -> int:
        """Bytes of memory, were it stored densely."""
        return int(np.prod(self.shape, dtype=np.int64)) * self.dtype.itemsize

    @property
    def root(self) -> Value:
        """The value that owns the memory."""
        v = self
        while v.base is not None:
            v = v.base
        return v

    def __repr__(self) -> str:
        return f"%{self.number}:{self.dtype}{list(self.shape)}"


class Call:
    """One step of the program: `function` applied to `args`, values and constants.

    kind    "ufunc", "masked" (a ufunc with where=), "reduce", "matmul", "view", "where", "copy",
            "store" (into an argument), "pack" (into one vector), or "call" (anything else, opaque)
    params  what else distinguishes it: axis, keepdims, the structure of an opaque call
    errors  the `np.errstate` it was made under, or None for the ordinary one
    """

    __slots__ = ("args", "errors", "function", "kind", "name", "out", "params")

    def __init__(
        self, kind: str, function: Any, args: tuple[Any, ...], params: dict[str, Any], name: str
    ) -> None:
        self.kind, self.function, self.args, self.params = kind, function, args, params
        self.name = name
        self.errors: dict[str, Any] | None = None
        self.out: Any = None

    def reads(self) -> list[Value]:
        """The values among the arguments."""
        return [a for a in self.args if type(a) is Value]

    def __repr__(self) -> str:
        return f"{self.out} = {self.name}({', '.join(map(str, self.args))})"


class Trace:
    """The program as it grows."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.count = 0
        self.known: dict[Any, Value] = {}  # what was computed already, to be computed once
        self.repeated = 0
        self.inputs: list[Value] = []
        self.symbols: list[Symbol] = []
        self.errors = np.geterr()

    def new(self, shape: Any, dtype: Any, role: str = "computed", weak: bool = False) -> Value:
        """Return a new value."""
        self.count += 1
        return Value(self.count - 1, tuple(shape), np.dtype(dtype), role, weak)

    def input(self, x: Any) -> Symbol:
        """Return the symbol of an argument, a Python float or an array."""
        weak = type(x) is float
        dtype = np.dtype(float) if weak else x.dtype
        base.check_dtype("plan", dtype)
        symbol = Symbol(self, self.new(np.shape(x), dtype, "input", weak))
        self.inputs.append(symbol.value)
        self.symbols.append(symbol)
        return symbol

    def bind(self, x: np.ndarray) -> Symbol:
        """Return the symbol of an array that every replay reads and writes where it is."""
        symbol = self.input(x)
        symbol.value.role = "bound"
        symbol.value.constant = x
        return symbol

    def operand(self, x: Any) -> Any:
        """Return what a call keeps of an argument: a value, a number, or an array as a constant."""
        if type(x) is Symbol:
            if x.trace is not self:
                raise PlanError("plan: a value of another trace; it is not valid any more")
            return x.value
        if type(x) in ORDINARY or isinstance(x, np.generic):
            return x
        x = np.asarray(x)
        if x.ndim and x.size and (not any(x.strides) or (x.size <= 4096 and _uniform(x))):
            x = np.broadcast_to(x.flat[0], x.shape)  # stored as one number
        return x

    def known_key(self, kind: str, function: Any, args: Any, params: Any) -> Any:
        parts = tuple([a.number if type(a) is Value else _constant_key(a) for a in args])
        key = (kind, function, parts, tuple(sorted(params.items())), state_region())
        try:
            hash(key)
        except TypeError:
            return None
        return key

    def call(
        self,
        kind: str,
        function: Any,
        args: Any,
        shape: Any,
        dtype: Any,
        params: dict[str, Any] | None = None,
        *,
        weak: bool = False,
        name: str = "",
        base_of: Value | None = None,
    ) -> Value:
        """Note a call, unless the same one was made before, and return its value."""
        params = params or {}
        key = self.known_key(kind, function, args, params)
        if key is not None and key in self.known:
            self.repeated += 1
            return self.known[key]
        name = name or getattr(function, "__name__", str(function))
        call = Call(kind, function, tuple(args), params, name)
        errors = np.geterr()
        call.errors = None if errors == self.errors else dict(errors)
        out = call.out = self.new(shape, dtype, weak=weak)
        out.call, out.base = call, base_of
        self.calls.append(call)
        if key is not None:
            self.known[key] = out
        return out

    def constant_value(self, x: Any) -> Value:
        """Return a plain array as a value."""
        x = np.asarray(x)
        v = self.new(x.shape, x.dtype, "constant")
        v.constant = x
        return v

    def operand_value(self, x: Any, like: Value) -> Value:
        """Return an operand as a value, a constant in the dtype and shape of another."""
        v = self.operand(x)
        if type(v) is Value:
            return v
        return self.constant_value(np.broadcast_to(np.asarray(v, like.dtype), like.shape))

    # The kinds of call

    def ufunc(self, function: np.ufunc, args: list[Any]) -> Any:
        """Note an elementwise call."""
        shapes = [np.shape(a) for a in args]
        try:
            shape = np.broadcast_shapes(*shapes)
        except ValueError as error:
            raise ValueError(f"{function.__name__}: {error}") from None
        dtype = _ufunc_dtype(function, args)
        if shape:
            args = [_scalar_of(a, shape, dtype, args) for a in args]
        same = self.simpler(function, args, shape, dtype)
        if same is not None:
            return same
        weak = not shape and all(a.weak if type(a) is Value else type(a) in ORDINARY for a in args)
        return self.call("ufunc", function, args, shape, dtype, weak=weak)

    def simpler(self, f: Any, args: list[Any], shape: Any, dtype: Any) -> Any:
        """Return a value with the same bits that is there already, or None."""
        x = args[0]
        unchanged = type(x) is Value and x.shape == shape and x.dtype == dtype
        if f is np.positive and unchanged:
            return x
        if f is np.negative and unchanged and x.call is not None and x.call.function is f:
            return x.call.args[0]
        if len(args) != 2:
            return None
        y = args[1]
        if unchanged and type(y) in NUMBERS:
            if (f is np.multiply or f is np.true_divide or f is np.power) and y == 1:
                return x
            if f is np.subtract and y == 0 and not np.signbit(y):
                return x
        kept = type(y) is Value and y.shape == shape and y.dtype == dtype
        if f is np.multiply and type(x) in NUMBERS and x == 1 and kept:
            return y
        if f is np.greater and type(x) is Value and type(y) in ORDINARY and y == 0:
            # max(x, 0) > 0 where x > 0: asking the output lets the input go.
            rectified = self.known.get(self.known_key("ufunc", np.maximum, (x, y), {}))
            if rectified is not None:
                return self.call("ufunc", f, (rectified, y), shape, dtype)
        return None

    def view(
        self, function: Any, x: Value, params: dict[str, Any], shape: Any, contiguous: bool
    ) -> Any:
        """Note a rearrangement that shares the memory of `x`."""
        if function is _transpose and x.call is not None and x.call.function is _transpose:
            axes = [x.call.params["axes"][i] for i in params["axes"]]
            if axes == list(range(len(axes))):
                return x.call.args[0]
        name = function.__name__.strip("_")
        v = self.call("view", function, (x,), shape, x.dtype, params, name=name, base_of=x)
        v.contiguous = contiguous
        return v

    def pack(self, parts: list[Symbol]) -> Symbol:
        """Return the entries of all parts as one vector; they are computed where it lies."""
        values = [s.value for s in parts]
        size = sum(s.size for s in parts)
        v = self.call("pack", None, values, (size,), values[0].dtype, name="pack")
        return Symbol(self, v)

    def opaque(self, function: Any, args: Any, kwargs: Any, name: str, fresh: bool) -> Any:
        """Note any other call, run as it is at every replay; it may allocate."""
        flat: list[Any] = []
        template = (_flatten(list(args), flat), _flatten(kwargs, flat))
        shadow = [_stand_in(a) if type(a) is Value else a for a in flat]
        with np.errstate(all="ignore"):
            sample = _apply(function, template, shadow)
        packed = _Packed(function, template)
        several = isinstance(sample, tuple | list)
        samples = list(sample) if several else [sample]
        params = {"fresh": fresh}
        if several:
            whole = self.call("call", packed, flat, (), object, params, name=name)
            outs = [
                self.call("item", _item(i), (whole,), np.shape(s), np.asarray(s).dtype, params)
                for i, s in enumerate(samples)
            ]
            for o in outs:
                o.base = whole
                o.contiguous = False
            return tuple([Symbol(self, o) for o in outs])
        weak = type(sample) in ORDINARY
        out = self.call(
            "call", packed, flat, np.shape(sample), np.asarray(sample).dtype, params,
            weak=weak, name=name,
        )  # fmt: skip
        out.contiguous = False
        return Symbol(self, out)


def state_region() -> int:
    """A number that `checkpoint` changes: what is recomputed on purpose is not a repetition."""
    return getattr(state, "region", 0)


def _uniform(x: np.ndarray) -> bool:
    first = x.flat[0]
    return bool((x == first).all()) and not (first == 0 and np.signbit(x).any())


def _constant_key(a: Any) -> Any:
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


def _scalar_of(a: Any, shape: Any, dtype: np.dtype, args: list[Any]) -> Any:
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


def _sample(a: Any) -> Any:
    if type(a) is Value:
        if a.weak:
            return a.dtype.type(1).item()
        return np.ones((1,) * len(a.shape), a.dtype) if a.shape else a.dtype.type(1)
    if isinstance(a, np.ndarray):
        return np.ones((1,) * a.ndim, a.dtype) if a.ndim else a.dtype.type(1)
    return a


def _ufunc_dtype(function: np.ufunc, args: list[Any]) -> np.dtype:
    samples = [_sample(a) for a in args]
    key = (function, *[
        (type(s), getattr(s, "dtype", None), bool(np.ndim(s)), s if type(s) in ORDINARY else None)
        for s in samples
    ])  # fmt: skip
    if key not in _dtypes:
        with np.errstate(all="ignore"):
            _dtypes[key] = np.asarray(function(*samples)).dtype
    return _dtypes[key]


def _stand_in(v: Value) -> Any:
    """Return an array of ones that takes no memory; on matrices the identity, to be invertible."""
    if v.weak:
        return v.dtype.type(1).item()
    if len(v.shape) >= 2 and v.shape[-1] == v.shape[-2] and v.dtype.kind == "f":
        return np.broadcast_to(np.eye(v.shape[-1], dtype=v.dtype), v.shape)
    return np.broadcast_to(np.ones((), v.dtype), v.shape) if v.shape else v.dtype.type(1)


class _Slot:
    """A place in an opaque call where an operand goes."""

    __slots__ = ("i",)

    def __init__(self, i: int) -> None:
        self.i = i


def _flatten(tree: Any, flat: list[Any]) -> Any:
    if type(tree) is Symbol:
        flat.append(tree.value)
        return _Slot(len(flat) - 1)
    if isinstance(tree, tuple | list):
        return type(tree)([_flatten(t, flat) for t in tree])
    if isinstance(tree, dict):
        return {k: _flatten(t, flat) for k, t in tree.items()}
    return tree


def _fill(template: Any, flat: Any) -> Any:
    if type(template) is _Slot:
        return flat[template.i]
    if isinstance(template, tuple | list):
        return type(template)([_fill(t, flat) for t in template])
    if isinstance(template, dict):
        return {k: _fill(t, flat) for k, t in template.items()}
    return template


def _apply(function: Any, template: Any, flat: Any) -> Any:
    args, kwargs = template
    return function(*_fill(args, flat), **_fill(kwargs, flat))


class _Packed:
    """A function with its constant arguments in place, called with the operands alone."""

    __slots__ = ("function", "template")

    def __init__(self, function: Any, template: Any) -> None:
        self.function, self.template = function, template

    def __call__(self, *flat: Any) -> Any:
        return _apply(self.function, self.template, flat)


def _item(i: int) -> Callable[[Any], Any]:
    pick = operator.itemgetter(i)
    return pick


# Views, each a function of one array and options


def _reshape(x: Any, shape: Any) -> Any:
    return x.reshape(shape)


def _transpose(x: Any, axes: Any) -> Any:
    return x.transpose(axes)


def _broadcast(x: Any, shape: Any) -> Any:
    return np.broadcast_to(x, shape)


def _index(x: Any, index: Any) -> Any:
    return x[index]


def _is_basic(index: Any) -> bool:
    parts = index if isinstance(index, tuple) else (index,)
    return all(
        i is None or i is Ellipsis or isinstance(i, slice)
        or (isinstance(i, int | np.integer) and not isinstance(i, bool))
        for i in parts
    )  # fmt: skip


def place() -> str:
    """Return the line being traced that belongs to the caller, as file:line and its text."""
    frame: Any = sys._getframe(1)
    best = None
    while frame is not None:
        name = frame.f_code.co_filename
        if not name.startswith((HERE, NUMPY)):
            best = frame
            break
        frame = frame.f_back
    if best is None:
        return "an unknown line"
    line = linecache.getline(best.f_code.co_filename, best.f_lineno).strip()
    where = f"{Path(best.f_code.co_filename).name}:{best.f_lineno}"
    return f"{where}: {line}" if line else where


def _needs_entry(what: str, remedy: str) -> Callable[..., Any]:
    def method(self: Symbol, *args: Any, **kwargs: Any) -> Any:
        made = f" (made by {self.value.call.name})" if self.value.call else ""
        error = PlanError(
            f"plan: {what} needs the entries of a traced value{made}, which a plan has only when "
            f"it is replayed: {place()}. {remedy}"
        )
        error.trace = self.trace
        raise error

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

    def __init__(self, trace: Trace, value: Value, memory: Any = None) -> None:
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
                value = _broadcast_value(self.trace, value, mine.shape)
            if value.dtype != mine.dtype:
                if not np.can_cast(value.dtype, mine.dtype, "same_kind"):
                    raise TypeError(
                        f"plan: cannot write {value.dtype} into {mine.dtype}: {place()}"
                    )
                value = self.trace.call("copy", None, (value,), mine.shape, mine.dtype, name="cast")
        self.value = value

    def __setitem__(self, index: Any, x: Any) -> None:
        whole = index is Ellipsis or index == slice(None) if not _has_array(index) else False
        if whole:
            self.write(self.trace.operand_value(x, self.value))
            return
        if type(index) is Symbol and index.dtype == bool and index.shape == self.shape:
            v = self.trace.operand_value(x, self.value)
            self.write(_where(self.trace, index.value, v, self.value))
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
            result = _matmul(trace, [trace.operand(x) for x in inputs])
        elif method == "__call__" and ufunc.nout == 1 and not kwargs and ufunc.signature is None:
            result = trace.ufunc(ufunc, [trace.operand(x) for x in inputs])
            if where is not True:
                return _masked(trace, ufunc, inputs, where, out)
        elif method == "reduce" and where is True and set(kwargs) <= {"axis", "keepdims"}:
            axis = kwargs.get("axis", 0)
            result = _reduce(trace, ufunc, inputs[0], axis, kwargs.get("keepdims", False))
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
                error = PlanError(
                    f"plan: a traced value cannot be written into a plain array (out= or an "
                    f"in-place operator): {place()}. Make that array an argument, or compute a "
                    "new one."
                )
                error.trace = trace
                raise error
            target.write(_as_value(trace, result))
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
        if _is_basic(index):
            if self.ndim == 0:
                return self
            shape = _indexed_shape(self.shape, index)
            params = {"index": _Index(index)}
            first = index[0] if isinstance(index, tuple) and len(index) == 1 else index
            block = isinstance(first, slice) and first.step in (None, 1)
            dense = block and self.value.contiguous
            v = self.trace.view(_index, self.value, params, shape, dense)
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
            return Symbol(self.trace, self.trace.view(_reshape, v, {"shape": new}, new, True))
        return Symbol(
            self.trace, self.trace.view(_reshape, v, {"shape": new}, new, True), self.memory
        )

    def transpose(self, *axes: Any) -> Symbol:
        """As NumPy's."""
        if len(axes) == 1 and (axes[0] is None or isinstance(axes[0], tuple | list)):
            axes = () if axes[0] is None else tuple(axes[0])
        order = tuple(int(i) % self.ndim for i in axes) or tuple(range(self.ndim))[::-1]
        if order == tuple(range(self.ndim)):
            return self
        shape = tuple(self.shape[i] for i in order)
        v = self.trace.view(_transpose, self.value, {"axes": order}, shape, False)
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


def _tuple(index: Any) -> tuple[Any, ...]:
    return index if isinstance(index, tuple) else (index,)


def _has_array(index: Any) -> bool:
    return any(hasattr(i, "shape") or isinstance(i, list) for i in _tuple(index))


class _Index(tuple):
    """A basic index that can be compared and hashed: slices cannot be before Python 3.12."""

    __slots__ = ()

    def __new__(cls, index: Any) -> Any:
        return super().__new__(
            cls,
            [("slice", i.start, i.stop, i.step) if isinstance(i, slice) else i
             for i in _tuple(index)],
        )  # fmt: skip

    def real(self) -> tuple[Any, ...]:
        return tuple([slice(*i[1:]) if isinstance(i, tuple) else i for i in self])

    def __lt__(self, other: Any) -> bool:
        return str(self) < str(other)


def _indexed_shape(shape: tuple[int, ...], index: Any) -> tuple[int, ...]:
    return np.broadcast_to(np.zeros((), bool), shape)[index].shape


def _put(x: Any, index: Any, v: Any) -> Any:
    out = np.array(x)
    out[index] = v
    return out


def _as_value(trace: Trace, x: Any) -> Value:
    return x if type(x) is Value else trace.constant_value(x)


def _trace_of(*xs: Any) -> Trace:
    return next(x.trace for x in xs if type(x) is Symbol)


def _broadcast_value(trace: Trace, v: Value, shape: Any) -> Value:
    return trace.view(_broadcast, v, {"shape": tuple(shape)}, shape, False)


def _masked(trace: Trace, ufunc: Any, inputs: Any, where: Any, out: Any) -> Any:
    if out is None or type(out[0]) is not Symbol:
        raise PlanError(f"plan: {ufunc.__name__}(where=) needs a traced out=: {place()}")
    target = out[0]
    args = [trace.operand(x) for x in (*inputs, where)] + [target.value]
    v = trace.call(
        "masked", ufunc, args, target.shape, target.dtype, name=f"{ufunc.__name__} where"
    )
    target.write(v)
    return target


def _matmul(trace: Trace, args: list[Any]) -> Any:
    a, b = args
    sa, sb = np.shape(a), np.shape(b)
    if not sa or not sb:
        raise ValueError("matmul: a number has no matrix product, use *")
    ka, kb = sa[-1], sb[-2] if len(sb) > 1 else sb[0]
    if ka != kb:
        raise ValueError(f"matmul: shapes {sa} and {sb} do not chain, {ka} differs from {kb}")
    lead = np.broadcast_shapes(sa[:-2], sb[:-2])
    shape = lead + (sa[-2:-1] if len(sa) > 1 else ()) + (sb[-1:] if len(sb) > 1 else ())
    return trace.call("matmul", np.matmul, args, shape, np.result_type(a.dtype, b.dtype))


def _reduce(trace: Trace, ufunc: Any, x: Any, axis: Any, keepdims: Any) -> Any:
    v = trace.operand(x)
    n = len(np.shape(v))
    axes = range(n) if axis is None else [axis] if isinstance(axis, int | np.integer) else axis
    for a in axes:
        if not -n <= a < n:
            raise np.exceptions.AxisError(int(a), n)
    axes = [int(a) % n for a in axes]
    if len(set(axes)) != len(axes):
        raise ValueError("duplicate value in 'axis'")
    if not axes or n == 0:
        return v
    shape = tuple(
        [1 if i in axes else k for i, k in enumerate(v.shape) if keepdims or i not in axes]
    )
    dtype = np.asarray(ufunc.reduce(np.ones((1,) * n, v.dtype))).dtype
    whole: Any = axes[0] if len(axes) == 1 else None if len(axes) == n else tuple(sorted(axes))
    if n == 1:
        whole = None
    params = {"axis": whole, "keepdims": bool(keepdims)}
    return trace.call("reduce", ufunc, (v,), shape, dtype, params, name=f"{ufunc.__name__}.reduce")


def _reduced(ufunc: Any, x: Any, axis: Any, keepdims: Any) -> Any:
    return ufunc.reduce(x, axis=axis, keepdims=keepdims is True)


def _where(trace: Trace, cond: Any, a: Any, b: Any) -> Value:
    shape = np.broadcast_shapes(np.shape(cond), np.shape(a), np.shape(b))
    dtype = np.asarray(np.where(True, _sample(a), _sample(b))).dtype
    weak = not shape and all(x.weak if type(x) is Value else type(x) in ORDINARY for x in (a, b))
    return trace.call("where", np.where, (cond, a, b), shape, dtype, weak=weak, name="where")


# NumPy functions that are traced as something simpler than a call

FUNCTIONS: dict[Any, Callable[..., Any]] = {}
FRESH = {
    np.concatenate, np.einsum, np.cumsum, np.sort, np.argsort, np.argmax, np.argmin, np.pad,
    np.triu, np.tril, np.roll, np.linalg.inv, np.linalg.solve, np.linalg.det, np.linalg.cholesky,
    np.take, np.repeat, np.tile, np.var, np.std, np.stack, np.linalg.slogdet, np.tensordot,
}  # fmt: skip


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
FUNCTIONS[np.reshape] = lambda x, shape, **_: x.reshape(*_tuple(shape))
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
    return Symbol(trace, _where(trace, *[trace.operand(x) for x in (cond, *branches)]))


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
    shape = _tuple(shape)
    if np.broadcast_shapes(x.shape, shape) != shape:
        raise ValueError(f"broadcast_to: {x.shape} does not stretch to {shape}")
    if shape == x.shape:
        return x
    return Symbol(x.trace, _broadcast_value(x.trace, x.value, shape), x.memory)


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


base.FOREIGN.add(Symbol)
