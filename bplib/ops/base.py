"""How a primitive is stated: one call gives its forward function, its VJP and its JVP.

The Jacobian of an elementwise function is diagonal, so one rule is both its VJP and its JVP. A
linear function is its own JVP and needs its transpose. A bilinear one is its own JVP with one
argument replaced. A reduction is a weighted sum as far as derivatives go, so its weights are
enough. Everything else names its vjps and jvps. `PRIMITIVES` lists them all.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from bplib.graph import PICK, Node, Op, arrays, new_serial

__all__ = [
    "FUNCTIONS", "PRIMITIVES", "UFUNCS", "Binary", "Unary", "UnaryWithOptions", "bilinear",
    "check_dtype", "elementwise", "linear", "outputs_of", "primitive", "register",
    "shape", "symmetric", "value",
]  # fmt: skip

Array = Any  # a float, a NumPy array or, while a transformation runs, a Node of one
Rule = Callable[..., Any]

PRIMITIVES: dict[str, Op] = {}
UFUNCS: dict[Any, Callable[..., Any]] = {}  # NumPy ufunc -> what runs when it meets a Node
FUNCTIONS: dict[Any, Callable[..., Any]] = {}  # NumPy function -> the same
FOREIGN: set[type] = set()  # array types of other makers that the primitives take as constants
WEAK = frozenset({float, int, bool})  # Python numbers: they take the dtype of what they meet


def shape(x: Array) -> tuple[int, ...]:
    """Return the shape of a number, an array or a Node."""
    return getattr(x, "shape", ())


def value(x: Array) -> Any:
    """Return the value alone, detached from the graph."""
    return x.data if type(x) is Node else x


def weak(ufunc: Any) -> Callable[[Any, Any], Any]:
    """Return a NumPy function of two arguments that gives a Python float for two of them."""

    def forward(a: Any, b: Any) -> Any:
        y = ufunc(a, b)
        return float(y) if type(a) in WEAK and type(b) in WEAK else y

    return forward


def register(op: Op, *numpy: Any) -> Op:
    """Enter `op` in the table, and let NumPy's ufunc of that name and `numpy` call it on Nodes."""
    if op.name in PRIMITIVES:
        raise ValueError(
            f"a primitive named {op.name!r} is registered already; choose another name"
        )
    PRIMITIVES[op.name] = op
    for function in (op.forward, getattr(np, op.name, None), *numpy):
        if isinstance(function, np.ufunc):
            UFUNCS[function] = op
        elif function in numpy:
            FUNCTIONS[function] = op
    return op


# Where speed matters a Node is made this way and its fields set in line: half the time of a call.
_new = object.__new__


class Unary(Op):
    """An elementwise primitive of one argument; `rule(t, y, x)` is t phi'(x), given y = phi(x)."""

    __slots__ = ("rule", "scalar")
    rule: Rule
    scalar: Callable[[float], float]

    def __call__(self, x: Array) -> Any:
        """Apply to a number or an array (nothing is recorded) or to a Node."""
        if type(x) is not Node:
            return self.value((x,), {})
        u = x.data
        try:
            y = self.scalar(u) if type(u) is float else self.forward(u)
        except (ArithmeticError, ValueError, TypeError) as error:
            y = recover(self, (u,), {}, error)
        node = _new(Node)
        node.data = y
        node.op = self
        node.inputs = (x,)
        node.params = node.name = None
        node.serial = new_serial()
        return node

    def value(self, xs: Sequence[Any], params: dict[str, Any]) -> Any:
        """Return the value alone; Python floats take the fast function."""
        if type(xs[0]) is float and not params:
            try:
                return self.scalar(xs[0])
            except (ArithmeticError, ValueError) as error:
                return recover(self, xs, params, error)
        return Op.value(self, xs, params)


class UnaryWithOptions(Unary):
    """The same with keyword options, which every call has to look for."""

    __slots__ = ()

    def __call__(self, x: Array, **params: Any) -> Any:
        """Apply to a number, an array or a Node."""
        return Op.__call__(self, x, **params)


class Binary(Op):
    """An elementwise primitive of two arguments that broadcast."""

    __slots__ = ("call",)
    call: Callable[[Any, Any], Any]

    def __call__(self, *xs: Array, **params: Any) -> Any:
        """Apply to two numbers or arrays (nothing is recorded), one of them a Node or both."""
        if len(xs) != 2 or params:
            return Op.__call__(self, *xs, **params)
        return self.call(*xs)


def _binary_call(op: Op) -> Callable[[Any, Any], Any]:
    """Return the function behind `op(a, b)` and its operator: a closure has no look-ups to do."""
    forward = op.forward

    def call(a: Any, b: Any) -> Any:
        if type(a) is Node:
            u = a.data
            if type(b) is float:
                v = b
            elif type(b) is Node:
                v = b.data
            else:
                v = b = constant(op, b)
        elif type(b) is Node:
            v = b.data
            u = a = a if type(a) is float else constant(op, a)
        else:
            return op.value((a, b), {})
        try:
            y = forward(u, v)
        except (ArithmeticError, ValueError, TypeError) as error:
            y = recover(op, (u, v), {}, error)
        node = _new(Node)
        node.data = y
        node.op = op
        node.inputs = (a, b)
        node.params = node.name = None
        node.serial = new_serial()
        return node

    return call


def elementwise(
    name: str,
    forward: Callable[..., Any],
    *rules: Rule,
    scalar: Callable[..., Any] | None = None,
    numpy: Sequence[Any] = (),
    reads: bool = True,
    doc: str | None = None,
) -> Any:
    """Register an elementwise primitive: `rules[i](t, y, *xs)` is t times dy/dx_i, entry by entry.

    `scalar` is a function of one argument on Python floats, several times faster than NumPy's and
    found in `math` where that has one; where it raises (log of 0), `forward` gives the IEEE answer.
    Say `reads=False` when no rule reads the values of the arguments.
    """
    if len(rules) == 1:
        cls = UnaryWithOptions if rules[0].__code__.co_argcount > 3 else Unary
        unary = cls(name, forward, rules, rules, kind="elementwise", reads=reads, doc=doc)
        unary.rule = rules[0]
        known = isinstance(forward, np.ufunc) and getattr(math, name.replace("arc", "a"), None)
        unary.scalar = scalar or known or (lambda x: float(forward(x)))
        return register(unary, *numpy)
    op = Binary(name, forward, rules, rules, kind="elementwise", fits=True, reads=reads, doc=doc)
    op.call = _binary_call(op)
    return register(op, *numpy)


def linear(
    name: str,
    forward: Callable[..., Any],
    transpose: Rule,
    numpy: Sequence[Any] = (),
    doc: str | None = None,
) -> Op:
    """Register a linear primitive of one argument, with `transpose(g, x, **params)` its adjoint.

    Its JVP is the primitive itself applied to the tangent. `transpose` may read the shape and the
    dtype of `x`, not its values.
    """
    vjp = lambda g, y, x, **params: transpose(g, x, **params)  # noqa: E731
    jvp = lambda t, y, x, **params: op(t, **params)  # noqa: E731
    op: Op = Op(name, forward, (vjp,), (jvp,), kind="linear", reads=False, doc=doc)
    return register(op, *numpy)


def bilinear(
    name: str,
    forward: Callable[..., Any],
    vjp_a: Rule,
    vjp_b: Rule,
    numpy: Sequence[Any] = (),
    doc: str | None = None,
) -> Op:
    """Register a primitive linear in each of two arguments; its JVP replaces one by its tangent.

    `vjp_a(g, a, b)` and `vjp_b(g, a, b)` are the cotangents. Dimensions in front that broadcast
    are summed by the sweep.
    """
    vjps = (lambda g, y, a, b: vjp_a(g, a, b), lambda g, y, a, b: vjp_b(g, a, b))
    jvps = (lambda t, y, a, b: op(t, b), lambda t, y, a, b: op(a, t))
    op: Op = Op(name, forward, vjps, jvps, kind="bilinear", fits=True, doc=doc)
    return register(op, *numpy)


def symmetric(name: str, forward: Callable[..., Any], rule: Rule, doc: str | None = None) -> Op:
    """Register a primitive whose Jacobian is symmetric: `rule(t, y, x, **params)` serves both."""
    return register(Op(name, forward, (rule,), (rule,), kind="symmetric", doc=doc))


def primitive(
    name: str,
    forward: Callable[..., Any],
    vjps: Iterable[Rule],
    jvps: Iterable[Rule],
    *,
    numpy: Sequence[Any] = (),
    **options: Any,
) -> Op:
    """Register any other primitive: `vjps[i](g, y, *xs)` and `jvps[i](t, y, *xs)` per argument.

    `options` are `fits`, `reads`, `outputs` and `doc` of `Op`. With `outputs` the forward returns
    a tuple, and so are `g`, `y` and what a jvp returns.
    """
    return register(Op(name, forward, vjps, jvps, **options), *numpy)


def outputs_of(node: Any) -> tuple[Any, ...]:
    """Return the outputs of a primitive that has several, as Nodes if it was recorded."""
    if type(node) is not Node:
        return tuple(node)
    return tuple([PICK(node, i=i) for i in range(len(node.data))])


# What the sweeps need to know about arrays


def constant(op: Op, x: Any) -> Any:
    """Admit a constant argument of a recorded operation, or say why not.

    A rule that reads it will do so later, so the graph keeps its own copy: a write to the
    caller's array in between cannot reach the gradient. Making an array read-only avoids the copy.
    """
    kind = type(x)
    if kind in WEAK or x is None or kind in FOREIGN:
        return x
    if kind is np.ndarray:
        check_dtype(op.name, x.dtype)
        return x.copy() if op.reads and (x.flags.writeable or x.base is not None) else x
    if isinstance(x, np.generic):
        check_dtype(op.name, x.dtype)
        return x
    if isinstance(x, list | tuple):
        return constant(op, np.array(x))
    raise TypeError(
        f"{op.name}: cannot take an argument of type {kind.__module__}.{kind.__qualname__}; "
        "give a number or a plain NumPy array, np.asarray(...) of it"
    )


def check_dtype(where: str, dtype: np.dtype[Any]) -> None:
    """Raise TypeError unless `dtype` is real: float, integer or bool."""
    if dtype.kind == "c":
        raise TypeError(
            f"{where}: complex input ({dtype}) is not differentiated; a complex function of real "
            "parameters is two real functions: pass the real and the imaginary part as two arrays"
        )
    if dtype.kind not in "fiub":
        raise TypeError(f"{where}: an array of dtype {dtype} is not numeric; convert it to float")


def recover(op: Op, xs: Sequence[Any], params: dict[str, Any], error: Exception) -> Any:
    """Return the IEEE result where Python's floats raised, or retell the error naming `op`."""
    if hasattr(error, "retry"):  # a plan takes what it cannot trace as one step
        return error.retry(op, xs, params)
    plain = bool(xs) and all(type(x) in WEAK for x in xs)
    if plain and not isinstance(error, FloatingPointError | TypeError):
        try:
            return float(op.forward(*[np.float64(x) for x in xs], **params))
        except FloatingPointError as raised:
            error = raised
    shapes = ", ".join(str(shape(x)) for x in xs)
    what = str(error).removeprefix(f"{op.name}: ").strip()
    options = "".join(f", {key}={params[key]!r:.60}" for key in params)
    told = f"{op.name}: {what} (arguments of shape {shapes}{options})"
    if isinstance(error, ValueError) and "broadcast" in str(error):
        told += "; shapes are compared from the right, and an axis of length 1 stretches"
    try:
        retold = type(error)(told)
    except Exception:
        retold = ValueError(told)
    raise retold from error


def rescue(rule: Rule, g: Any, y: Any, xs: Sequence[Any], params: dict[str, Any] | None) -> Any:
    """Run again a rule that divided Python floats by zero, in NumPy's arithmetic: IEEE inf."""
    g, y, *xs = [np.float64(x) if type(x) is float else x for x in (g, y, *xs)]
    t = rule(g, y, *xs, **(params or {}))
    return float(t) if type(t) is np.float64 else t


def unbroadcast(t: Array, x: Array) -> Array:
    """Return `t` summed over the axes along which `x` was repeated: the dual of broadcasting."""
    have, want = t.shape, () if type(x) is float else x.shape
    if have == want:
        return t
    extra = len(have) - len(want)
    axes = (*range(extra), *(i + extra for i, n in enumerate(want) if n == 1 != have[i + extra]))
    return t.sum(axis=axes).reshape(want) if axes else t


def broadcast(t: Array, y: Array) -> Array:
    """Return `t` repeated to the shape of `y`: the dual of `unbroadcast`."""
    return t if shape(t) == shape(y) else PRIMITIVES["broadcast_to"](t, shape=shape(y))


def zeros(y: Any) -> Any:
    """Return the zero cotangent of a value."""
    return filled(y, 0.0)


def filled(y: Any, number: float) -> Any:
    """Return a cotangent of a value with all entries `number`."""
    if hasattr(y, "filled"):  # an array of another library
        return y.filled(number)
    if type(y) is float or getattr(y, "weak", False):  # weak: a float within a plan
        return number
    return np.full(shape(y), number, getattr(y, "dtype", None))[()]


def add(a: Any, b: Any) -> Any:
    """Return a + b, in the memory of `a` when it is an array of the same kind."""
    if type(a) is np.ndarray and type(b) is np.ndarray and a.dtype == b.dtype:
        a += b
        return a
    return a + b


for _service in (constant, recover, rescue, unbroadcast, broadcast, zeros, add):
    setattr(arrays, _service.__name__, _service)
