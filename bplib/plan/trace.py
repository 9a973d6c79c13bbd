"""Tracing at the level of NumPy calls: the program as it grows.

The engine needs no second implementation to be compiled. Run on symbols, `bplib.grad` and its
relatives make the same NumPy calls as on numbers, and the list of these calls *is* the derived
program: symbol to symbol.

Calls are noted in single-assignment form: every call has a new `Value`. A write in place gives the
symbol a new value, and a write to an argument is an effect that a replay repeats.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from bplib.graph import state
from bplib.ops import base
from bplib.plan import views
from bplib.plan.constants import (
    NUMBERS,
    ORDINARY,
    constant_key,
    sample_of,
    scalar_of,
    stand_in,
    ufunc_dtype,
    uniform,
)
from bplib.plan.errors import PlanError, place
from bplib.plan.opaque import Packed, apply, flatten, is_plain, item
from bplib.plan.symbols import Symbol
from bplib.plan.values import Call, Value


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
        if x.ndim and x.size and (not any(x.strides) or (x.size <= 4096 and uniform(x))):
            x = np.broadcast_to(x.flat[0], x.shape)  # stored as one number
        return x

    def known_key(self, kind: str, function: Any, args: Any, params: Any) -> Any:
        """Return what a repetition of this call would have in common with it, or None."""
        parts = tuple([a.number if type(a) is Value else constant_key(a) for a in args])
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
        dtype = ufunc_dtype(function, args)
        if shape:
            args = [scalar_of(a, shape, dtype, args) for a in args]
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
        turn = views.transpose
        if function is turn and x.call is not None and x.call.function is turn:
            axes = [x.call.params["axes"][i] for i in params["axes"]]
            if axes == list(range(len(axes))):
                return x.call.args[0]
        name = function.__name__
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
        template = (flatten(list(args), flat), flatten(kwargs, flat))
        shadow = [stand_in(a) if type(a) is Value else a for a in flat]
        with np.errstate(all="ignore"):
            sample = apply(function, template, shadow)
        packed = function if is_plain(template) else Packed(function, template)
        several = isinstance(sample, tuple | list)
        samples = list(sample) if several else [sample]
        params = {"fresh": fresh}
        if several:
            whole = self.call("call", packed, flat, (), object, params, name=name)
            outs = [
                self.call("item", item(i), (whole,), np.shape(s), np.asarray(s).dtype, params)
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

    def as_value(self, x: Any) -> Value:
        """Return a value as it is, a plain array as a constant."""
        return x if type(x) is Value else self.constant_value(x)

    def stretch(self, v: Value, shape: Any) -> Value:
        """Note a broadcast to a shape."""
        return self.view(views.broadcast, v, {"shape": tuple(shape)}, shape, False)

    def masked(self, ufunc: Any, inputs: Any, where: Any, out: Any) -> Any:
        """Note an elementwise call that leaves its output alone where the mask is False."""
        if out is None or type(out[0]) is not Symbol:
            raise PlanError(f"plan: {ufunc.__name__}(where=) needs a traced out=: {place()}")
        target = out[0]
        args = [self.operand(x) for x in (*inputs, where)] + [target.value]
        v = self.call(
            "masked", ufunc, args, target.shape, target.dtype, name=f"{ufunc.__name__} where"
        )
        target.write(v)
        return target

    def matmul(self, args: list[Any]) -> Any:
        """Note a matrix product."""
        a, b = args
        sa, sb = np.shape(a), np.shape(b)
        if not sa or not sb:
            raise ValueError("matmul: a number has no matrix product, use *")
        ka, kb = sa[-1], sb[-2] if len(sb) > 1 else sb[0]
        if ka != kb:
            raise ValueError(f"matmul: shapes {sa} and {sb} do not chain, {ka} differs from {kb}")
        lead = np.broadcast_shapes(sa[:-2], sb[:-2])
        shape = lead + (sa[-2:-1] if len(sa) > 1 else ()) + (sb[-1:] if len(sb) > 1 else ())
        return self.call("matmul", np.matmul, args, shape, np.result_type(a.dtype, b.dtype))

    def reduce(self, ufunc: Any, x: Any, axis: Any, keepdims: Any) -> Any:
        """Note a sum, a largest entry or another reduction over axes."""
        v = self.operand(x)
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
        return self.call(
            "reduce", ufunc, (v,), shape, dtype, params, name=f"{ufunc.__name__}.reduce"
        )

    def where(self, cond: Any, a: Any, b: Any) -> Value:
        """Note a choice between two values, entry by entry."""
        shape = np.broadcast_shapes(np.shape(cond), np.shape(a), np.shape(b))
        dtype = np.asarray(np.where(True, sample_of(a), sample_of(b))).dtype
        weak = not shape and all(
            x.weak if type(x) is Value else type(x) in ORDINARY for x in (a, b)
        )
        return self.call("where", np.where, (cond, a, b), shape, dtype, weak=weak, name="where")


def state_region() -> int:
    """A number that `checkpoint` changes: what is recomputed on purpose is not a repetition."""
    return getattr(state, "region", 0)
