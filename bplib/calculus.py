"""Derivatives as transformations of functions: grad, vjp, jvp, jacobian, hessian, hvp.

Each runs the function once on Nodes and then sweeps the recorded graph. Arguments and results may
be tuples, lists and dicts of arrays, nested as one likes. While one transformation runs its
function, the sweeps of those inside it are recorded as well, so any nesting gives the higher
derivative and a variable of one is a constant of the other.
"""

from __future__ import annotations

import gc
import warnings
from collections.abc import Callable, Iterator, Sequence
from functools import wraps
from typing import Any

import numpy as np

from bplib import ops
from bplib.graph import Node, Op, arrays, collect, pullback, pushforward, state

Tree = Any  # a float or an array, or a tuple, list or dict of trees
Argnums = int | str | tuple[int | str, ...]


# Trees


def leaves(tree: Tree) -> list[Any]:
    """Return the numbers and arrays of a tree in order, dicts in the order of their keys."""
    if isinstance(tree, tuple | list):
        return [leaf for part in tree for leaf in leaves(part)]
    if isinstance(tree, dict):
        return [leaf for part in tree.values() for leaf in leaves(part)]
    return [] if tree is None else [tree]


def rebuild(tree: Tree, values: Iterator[Any]) -> Tree:
    """Return a tree of the same structure whose leaves are the next `values`."""
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        return type(tree)(*[rebuild(part, values) for part in tree])
    if isinstance(tree, tuple | list):
        return type(tree)([rebuild(part, values) for part in tree])
    if isinstance(tree, dict):
        return {key: rebuild(part, values) for key, part in tree.items()}
    return None if tree is None else next(values)


# From arguments to Nodes and back


def _enter(x: Any, where: str) -> Node:
    """Return a fresh Node for an input; of a Node, one more that depends on it."""
    if type(x) is Node:
        return Node(x.data, ops.identity, (x,))
    if type(x) is float:
        return Node(x)
    if type(x) in ops.base.FOREIGN:
        return Node(x.copy())
    if type(x) not in (int, bool, np.ndarray) and not isinstance(x, np.generic):
        raise TypeError(
            f"{where}: differentiable inputs are floats and plain NumPy arrays, got "
            f"{type(x).__module__}.{type(x).__qualname__}; convert with np.asarray(x, dtype=float)"
        )
    dtype = getattr(x, "dtype", None)
    if dtype is not None:
        ops.check_dtype(where, dtype)
    if dtype is None or dtype.kind != "f":
        raise TypeError(
            f"{where}: differentiable inputs must be floating, got {dtype or type(x).__name__}; a "
            "derivative needs a neighborhood, which integers do not have: pass x.astype(float) or "
            "float(x)"
        )
    return Node(x.copy())  # ours: the caller may write to x before the sweep


def _pack(x: Tree) -> tuple[Tree, ...]:
    return x if isinstance(x, tuple) else (x,)


def _select(
    name: str, argnums: Argnums, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> list[Any]:
    wanted = _pack(argnums)
    if len(set(wanted)) != len(wanted) or not wanted:
        raise ValueError(f"{name}: argnums {argnums} must name each argument once")
    for i in wanted:
        if isinstance(i, str):
            if i not in kwargs:
                raise ValueError(
                    f"{name}: argnums {i!r} is not among the keyword arguments {sorted(kwargs)}"
                )
        elif not isinstance(i, int) or isinstance(i, bool):
            raise TypeError(f"{name}: argnums must be an int, a keyword or a tuple, got {i!r}")
        elif not 0 <= i < len(args):
            raise IndexError(
                f"{name}: argnums {i} is out of range, the function was called with "
                f"{len(args)} positional argument{'s' * (len(args) != 1)} (count from 0)"
            )
    return [kwargs[i] if isinstance(i, str) else args[i] for i in wanted]


def _paused(function: Callable[..., Any]) -> Callable[..., Any]:
    """Run with the cyclic garbage collector paused.

    A graph has no cycles, and a collector that walks it again and again as it grows would make a
    node of a long computation cost more than one of a short computation.
    """

    def run(*args: Any, **kwargs: Any) -> Any:
        collecting = gc.isenabled()
        gc.disable()
        try:
            return function(*args, **kwargs)
        finally:
            if collecting:
                gc.enable()

    return run


class _Trace:
    """One run of a function on Nodes: its inputs, its output, and the nodes between them."""

    def __init__(self, name: str, f: Callable[..., Any], argnums: Argnums, args: Any, kwargs: Any):
        trees = _select(name, argnums, args, kwargs)
        self.inputs = tuple(trees) if isinstance(argnums, tuple) else trees[0]
        self.nodes: list[Node] = []
        args, kwargs = list(args), dict(kwargs)
        for i, tree in zip(_pack(argnums), trees, strict=True):
            where = f"{name}: argument {i!r}"
            nodes = [_enter(x, where) for x in leaves(tree)]
            self.nodes += nodes
            (kwargs if isinstance(i, str) else args)[i] = rebuild(tree, iter(nodes))
        if not self.nodes:
            raise TypeError(f"{name}: there is nothing to differentiate in argument {argnums!r}")
        self.output = self._run(f, args, kwargs)
        self.results = leaves(self.output)
        self.roots = [y for y in self.results if type(y) is Node]
        self.order: list[Node] | None = None  # collected when a pushforward asks for it

    @_paused
    def _run(self, f: Callable[..., Any], args: list[Any], kwargs: dict[str, Any]) -> Any:
        state.depth += 1
        try:
            return f(*args, **kwargs)
        finally:
            state.depth -= 1

    def value(self) -> Tree:
        """The output: as recorded while a transformation runs around this one, else plain."""
        return self.output if state.depth else rebuild(self.output, map(_own, self.results))

    def pull(self, cotangents: Sequence[Any]) -> list[Any]:
        """The cotangent of every input leaf, given one for every output leaf."""
        seeds: dict[Node, Any] = {}
        for y, g in zip(self.results, cotangents, strict=True):
            if type(y) is Node:
                seeds[y] = seeds[y] + g if y in seeds else g
        record = state.depth > 0 or any(type(g) is Node for g in cotangents)
        return pullback(seeds, self.nodes, record)

    def push(self, tangents: Sequence[Any]) -> list[Any]:
        """The tangent of every output leaf, given one for every input leaf."""
        record = state.depth > 0 or any(type(t) is Node for t in tangents)
        seeds = dict(zip(self.nodes, tangents, strict=True))
        if self.order is None:
            self.order = collect(self.roots, min(x.serial for x in self.nodes))
        found = iter(pushforward(self.order, seeds, self.roots, record))
        return [next(found) if type(y) is Node else None for y in self.results]


def _own(y: Any) -> Any:
    y = ops.value(y)
    return y.copy() if isinstance(y, np.ndarray) or type(y) in ops.base.FOREIGN else y


def _finish(derivatives: Sequence[Any], like: Sequence[Any]) -> list[Any]:
    """Return each derivative with the dtype of what it belongs to, sharing memory with nothing."""
    seen: set[int] = set()
    done = []
    for t, x in zip(derivatives, like, strict=True):
        x = ops.value(x)
        if t is None:
            t = arrays.zeros(x)
        elif type(t) is Node:
            if type(x) is not float and t.dtype != x.dtype:  # type: ignore[attr-defined]
                t = ops.astype(t, x.dtype)
        elif type(t) in ops.base.FOREIGN:
            t = t.astype(x.dtype)
        elif type(x) is float:
            t = float(t)
        elif isinstance(x, np.generic):
            t = x.dtype.type(t)
        else:
            t = np.asarray(t, dtype=x.dtype)
            if t.base is not None or id(t) in seen:
                t = t.copy()
            seen.add(id(t))
        done.append(t)
    return done


def _admit(name: str, what: str, tree: Tree, like: Tree, targets: Sequence[Any]) -> list[Any]:
    """Check tangents or cotangents against the values they belong to, before any rule runs."""
    parts = leaves(tree)
    if len(parts) != len(targets):
        raise ValueError(
            f"{name}: expected {len(targets)} {what}(s) in the structure of the "
            f"{'output' if what == 'cotangent' else 'input'}, got {len(parts)}"
        )
    admitted = []
    for t, x in zip(parts, targets, strict=True):
        x = ops.value(x)
        if np.shape(ops.value(t)) != np.shape(x):
            raise ValueError(
                f"{name}: a {what} has the shape of its value, expected {np.shape(x)}, "
                f"got {np.shape(ops.value(t))}"
            )
        if type(t) in ops.base.FOREIGN:
            t = t.astype(x.dtype)
        elif type(t) is not Node:
            ops.check_dtype(name, np.asarray(t).dtype)
            t = float(t) if type(x) is float else np.array(t, dtype=np.asarray(x).dtype)[()]
        admitted.append(t)
    return admitted


# Transformations


def value_and_grad(f: Callable[..., Any], argnums: Argnums = 0) -> Callable[..., Any]:
    """Return a function that gives (f(...), gradient) for a scalar `f`.

    `argnums` is the position of the argument to differentiate with respect to, the name of one
    passed by keyword, or a tuple of these; the gradient has its structure, shapes and dtypes.
    Raises TypeError when the output is not a scalar or an input is not floating.
    """

    @wraps(f)
    @_paused  # until the graph is gone, so that the collector never sees it
    def transformed(*args: Any, **kwargs: Any) -> Any:
        trace = _Trace("grad", f, argnums, args, kwargs)
        y = trace.output
        data = ops.value(y)
        if isinstance(y, tuple | list | dict) or y is None or np.ndim(data) != 0:
            got = f"shape {np.shape(data)}" if isinstance(data, np.ndarray) else type(y).__name__
            raise TypeError(
                f"grad: the function must return a scalar, got {got}; use bplib.jacobian for all "
                "derivatives of an array, bplib.vjp for one combination of them, or sum the output"
            )
        bars = trace.pull([ops.base.filled(data, 1.0)])
        if all(g is None for g in bars):
            warnings.warn(
                "grad: the output does not depend on the input, the gradient is zero; a value "
                "that left the graph (.data, stop_gradient) is a constant",
                stacklevel=3,
            )
        grads = rebuild(trace.inputs, iter(_finish(bars, trace.nodes)))
        return trace.value(), grads

    return transformed


def grad(f: Callable[..., Any], argnums: Argnums = 0) -> Callable[..., Any]:
    """Return the gradient function of a scalar `f`; see `value_and_grad`."""
    both = value_and_grad(f, argnums)

    @wraps(f)
    def transformed(*args: Any, **kwargs: Any) -> Any:
        return both(*args, **kwargs)[1]

    return transformed


def vjp(f: Callable[..., Any], *args: Tree, **kwargs: Any) -> tuple[Tree, Callable[[Tree], Tree]]:
    """Return f(*args) and its pullback: cotangent of the output -> cotangents of `args`.

    With one argument the pullback returns its cotangent, with several a tuple. It can be called
    any number of times. Raises ValueError for a cotangent of another shape than the output.
    """
    trace = _Trace("vjp", f, tuple(range(len(args))), args, kwargs)
    like = args if len(args) > 1 else args[0]

    def pull(cotangent: Tree) -> Tree:
        seeds = _admit("vjp", "cotangent", cotangent, trace.output, trace.results)
        return rebuild(like, iter(_finish(trace.pull(seeds), trace.nodes)))

    return trace.value(), pull


def linearize(
    f: Callable[..., Any], *args: Tree, **kwargs: Any
) -> tuple[Tree, Callable[..., Tree]]:
    """Return f(*args) and its pushforward: one tangent per argument -> tangent of the output.

    The function is run once, the pushforward can be called any number of times.
    """
    trace = _Trace("linearize", f, tuple(range(len(args))), args, kwargs)

    def push(*tangents: Tree) -> Tree:
        seeds = _admit("linearize", "tangent", tangents, args, trace.nodes)
        return rebuild(trace.output, iter(_finish(trace.push(seeds), trace.results)))

    return trace.value(), push


def jvp(f: Callable[..., Any], primals: Tree, tangents: Tree, **kwargs: Any) -> tuple[Tree, Tree]:
    """Return (f(*primals), its derivative in the direction `tangents`).

    A tuple holds one entry per argument; a single argument may be given bare.
    """
    value, push = linearize(f, *_pack(primals), **kwargs)
    return value, push(*_pack(tangents))


def _basis(x: Any) -> Iterator[Any]:
    x = ops.value(x)
    for i in range(np.size(x)):
        e = np.zeros(np.size(x), getattr(x, "dtype", float))
        e[i] = 1
        yield e.reshape(np.shape(x))[()] if type(x) is not float else 1.0


def _columns(trace: _Trace, reverse: bool) -> list[list[Any]]:
    """Return the blocks d result / d input, one sweep per entry of one side."""
    near, far = (trace.results, trace.nodes) if reverse else (trace.nodes, trace.results)
    sweep = trace.pull if reverse else trace.push
    zeros = [arrays.zeros(ops.value(x)) for x in near]
    blocks = []
    for k, side in enumerate(near):
        rows = [_finish(sweep([*zeros[:k], e, *zeros[k + 1 :]]), far) for e in _basis(side)]
        block = []
        for j, other in enumerate(far):
            out, inp = (side, other) if reverse else (other, side)
            whole: Any = np.zeros(0, getattr(ops.value(inp), "dtype", float))
            if rows:
                parts = [ops.reshape(row[j], ops.shape(other)) for row in rows]
                whole = ops.stack(parts, axis=0 if reverse else -1)
            block.append(ops.reshape(whole, ops.shape(out) + ops.shape(inp)))
        blocks.append(block)
    return blocks if reverse else [list(row) for row in zip(*blocks, strict=True)]


def jacobian(
    f: Callable[..., Any], argnums: Argnums = 0, mode: str = "auto"
) -> Callable[..., Tree]:
    """Return a function that gives the Jacobian, of shape output.shape + input.shape.

    `mode` is "reverse" (one sweep per output entry), "forward" (one per input entry) or "auto",
    the fewer. For trees the result is the output's tree of the input's trees.
    """
    if mode not in ("auto", "forward", "reverse"):
        raise ValueError(f"jacobian: mode must be 'auto', 'forward' or 'reverse', got {mode!r}")

    @wraps(f)
    def transformed(*args: Any, **kwargs: Any) -> Tree:
        trace = _Trace("jacobian", f, argnums, args, kwargs)
        rows, columns = (
            sum(np.size(ops.value(x)) for x in side) for side in (trace.results, trace.nodes)
        )
        reverse = mode == "reverse" or (mode == "auto" and rows < columns)
        blocks = [rebuild(trace.inputs, iter(b)) for b in _columns(trace, reverse)]
        return rebuild(trace.output, iter(blocks))

    return transformed


def hessian(f: Callable[..., Any], argnums: Argnums = 0) -> Callable[..., Tree]:
    """Return a function that gives the second derivatives of a scalar `f`, forward over reverse.

    For an array argument of shape s the result has shape s + s and is symmetric.
    """
    return jacobian(grad(f, argnums), argnums, mode="forward")


def hvp(f: Callable[..., Any], primals: Tree, tangents: Tree, **kwargs: Any) -> Tree:
    """Return the Hessian of a scalar `f` times `tangents` without forming it (Pearlmutter 1994).

    The cost is a small multiple of one gradient. A tuple holds one entry per argument.
    """
    one = not isinstance(primals, tuple)
    gradient = grad(f, 0 if one else tuple(range(len(primals))))
    return jvp(gradient, primals, tangents, **kwargs)[1]


def stop_gradient(tree: Tree) -> Tree:
    """Return the plain values of a tree, constants to every transformation; read-only views."""

    def plain(x: Any) -> Any:
        if type(x) is not Node or not isinstance(x.data, np.ndarray):
            return ops.value(x)
        view = x.data.view()
        view.flags.writeable = False
        return view

    return rebuild(tree, iter([plain(x) for x in leaves(tree)]))


# Rules of one's own


def _checked(name: str, i: int, rule: Callable[..., Any], reverse: bool) -> Any:
    """Return the rule with a check of its result: like argument i in reverse, else like y."""

    def run(t: Any, y: Any, *xs: Any, **params: Any) -> Any:
        result = rule(t, y, *xs, **params)
        want = np.shape(ops.value(xs[i] if reverse else y))
        if result is None or np.shape(ops.value(result)) != want:
            got = "None" if result is None else f"shape {np.shape(ops.value(result))}"
            raise ValueError(
                f"{name}: its rule for argument {i} must return an array of shape {want}, got {got}"
            )
        ops.check_dtype(f"{name}: its rule for argument {i}", np.asarray(ops.value(result)).dtype)
        return result

    return run


def _transposed(i: int, rule: Callable[..., Any], reverse: bool) -> Callable[..., Any]:
    """Return the transpose of a rule, which is linear in its first argument, by pulling back."""

    def run(g: Any, y: Any, *xs: Any, **params: Any) -> Any:
        t = Node(arrays.zeros(ops.value(y if reverse else xs[i])))
        out = rule(t, y, *xs, **params)
        if type(out) is not Node:
            return t.data
        record = any(type(v) is Node for v in (g, y, *xs))
        (found,) = pullback({out: g}, [t], record)
        return t.data if found is None else found

    return run


def _custom(rules: Sequence[Callable[..., Any] | None], reverse: bool) -> Callable[..., Op]:
    def decorate(f: Callable[..., Any]) -> Op:
        name = getattr(f, "__name__", "custom")
        stated: list[Any] = [
            rule and _checked(name, i, rule, reverse) for i, rule in enumerate(rules)
        ]
        derived: list[Any] = [
            rule and _transposed(i, rule, reverse) for i, rule in enumerate(stated)
        ]
        vjps, jvps = (stated, derived) if reverse else (derived, stated)
        return Op(name, f, tuple(vjps), tuple(jvps), kind="custom", doc=f.__doc__)

    return decorate


def custom_vjp(*rules: Callable[..., Any] | None) -> Callable[..., Op]:
    """Decorate a function of arrays with its own reverse rules, one per argument.

    `rules[i](g, y, *xs)` is the cotangent of argument i for the cotangent g of the output y. The
    forward mode uses its transpose. Options passed by keyword reach the rules as well. None for an
    argument that must be a constant.
    """
    return _custom(rules, reverse=True)


def custom_jvp(*rules: Callable[..., Any] | None) -> Callable[..., Op]:
    """Decorate a function of arrays with its own forward rules, one per argument.

    `rules[i](t, y, *xs)` is the tangent of the output for the tangent t of argument i. The reverse
    mode uses its transpose.
    """
    return _custom(rules, reverse=False)
