"""The recorded computation: nodes, operations, and the two sweeps that differentiate it.

A `Node` is a value together with how it came about. Nodes are numbered as they are made, and a
node can only be made from nodes that exist already, so *sorting by number is a topological sort*:
the pullback visits the newest node first and the pushforward the oldest, neither ever recurses,
and nothing older than the inputs of interest can depend on them.

This module knows nothing of arrays. What the sweeps need from them is filled in by `bplib.ops`,
which also attaches the arithmetic operators to `Node`.
"""

from __future__ import annotations

import itertools
import operator
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any

Rule = Callable[..., Any]
new_serial = itertools.count().__next__
_by_serial = operator.attrgetter("serial")


class Node:
    """A value and its record: `op` applied to `inputs` with `params` gave `data`.

    data    float, array, or for an operation with several outputs a tuple of them
    op      the `Op` applied, or None for a leaf
    inputs  what it was applied to: Nodes, and constants as they are
    params  keyword arguments that are not differentiated, or None
    serial  the position in the order of creation
    name    a label for figures and messages, or None
    """

    __slots__ = ("__weakref__", "data", "inputs", "name", "op", "params", "serial")
    __hash__ = object.__hash__  # nodes are dictionary keys by identity, `==` compares values

    def __init__(
        self,
        data: Any,
        op: Op | None = None,
        inputs: tuple[Any, ...] = (),
        params: dict[str, Any] | None = None,
        serial: int | None = None,
        name: str | None = None,
    ) -> None:
        self.data = data
        self.op = op
        self.inputs = inputs
        self.params = params
        self.serial = new_serial() if serial is None else serial
        self.name = name


class Op:
    """A primitive: its forward function and its derivative rules, one of each per argument.

    forward  arrays -> array, called as `forward(*xs, **params)`
    vjps     `vjps[i](g, y, *xs, **params)`, the cotangent of argument i for the cotangent g of y
    jvps     `jvps[i](t, y, *xs, **params)`, the tangent of y for the tangent t of argument i
    kind     how it was stated: elementwise, linear, bilinear, reduction, symmetric or general
    fits     whether arguments broadcast, so that the sweep must undo it by shape
    reads    whether a rule reads the arguments' values (a linear rule reads only their shapes)
    outputs  whether the value is a tuple of several outputs
    lacking  the arguments without a rule, which must be constants
    arity    the number of arguments, 0 if it varies or there are several outputs
    doc      one line for the table of primitives, or None
    """

    __slots__ = (
        "arity",
        "doc",
        "fits",
        "forward",
        "jvps",
        "kind",
        "lacking",
        "name",
        "outputs",
        "reads",
        "vjps",
    )

    def __init__(
        self,
        name: str,
        forward: Callable[..., Any],
        vjps: Iterable[Rule],
        jvps: Iterable[Rule],
        kind: str = "general",
        fits: bool = False,
        reads: bool = True,
        outputs: bool = False,
        doc: str | None = None,
    ) -> None:
        self.name, self.forward, self.kind = name, forward, kind
        self.arity = 0 if outputs or not isinstance(vjps, tuple | list) else len(vjps)
        self.vjps, self.jvps = vjps, jvps
        self.fits, self.reads, self.outputs = fits, reads, outputs
        rules = [rules if isinstance(rules, tuple | list) else () for rules in (vjps, jvps)]
        self.lacking = {i for side in rules for i, rule in enumerate(side) if rule is None}
        self.doc = doc

    def __repr__(self) -> str:
        return f"<{self.kind} primitive {self.name}>"

    def __call__(self, *xs: Any, **params: Any) -> Any:
        """Apply to Nodes and constants; without a Node nothing is recorded."""
        for x in xs:
            if type(x) is Node:
                return self.record(xs, params or None)
        return self.value(xs, params)

    def record(self, xs: tuple[Any, ...], params: dict[str, Any] | None) -> Node:
        """Return the Node of this operation applied to `xs`, at least one of them a Node."""
        if self.lacking and any(type(xs[i]) is Node for i in self.lacking):
            raise NotImplementedError(
                f"{self.name}: argument {min(self.lacking)} has no derivative rule; pass it as a "
                "constant (bplib.stop_gradient), or state the rule when registering the operation"
            )
        xs = tuple([x if type(x) is Node else arrays.constant(self, x) for x in xs])
        data = self.value([x.data if type(x) is Node else x for x in xs], params or {})
        return Node(data, self, xs, params, new_serial())

    def value(self, xs: Sequence[Any], params: dict[str, Any]) -> Any:
        """Return the value alone; an error of the array library is retold naming the operation."""
        try:
            return self.forward(*xs, **params)
        except (ArithmeticError, ValueError, TypeError, IndexError) as error:
            return arrays.recover(self, xs, params, error)


class arrays:
    """What the sweeps need to know about arrays; `bplib.ops` fills it in."""

    constant: Callable[[Op, Any], Any]  # admit a constant argument of an operation
    recover: Callable[[Op, Sequence[Any], dict[str, Any], Exception], Any]
    rescue: Callable[..., Any]  # a rule that failed on Python floats, with IEEE arithmetic
    unbroadcast: Callable[[Any, Any], Any]  # (t, x): t summed to the shape of x
    broadcast: Callable[[Any, Any], Any]  # (t, y): t repeated to the shape of y
    zeros: Callable[[Any], Any]  # a cotangent 0 for this value
    add: Callable[[Any, Any], Any]  # a + b in the memory of a where that is possible


class Indexed:
    """The rules of an operation with any number of arguments: rule i is `rule(i, ...)`."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule

    def __iter__(self) -> Iterator[Rule]:
        return (partial(self.rule, i) for i in itertools.count())


# One output of an operation with several. The pullback gathers their cotangents in a list.
PICK = Op(
    "pick",
    lambda y, i: y[i],
    (lambda g, y, x, i: g,),
    (lambda t, y, x, i: t[i],),
    kind="linear",
    reads=False,
    doc="output i of an operation with several outputs",
)


class _State(threading.local):
    depth = 0  # how many transformations of this thread are running their function now


state = _State()
watch: Callable[[Node, int, Any, Any], None] | None = None  # set by `bplib.explain_nan`


def collect(roots: Iterable[Node], oldest: int) -> list[Node]:
    """Return the operations that `roots` come from, none older than `oldest`, oldest first.

    Leaves are not among them: nothing is swept through a leaf.
    """
    order = [node for node in dict.fromkeys(roots) if node.op is not None]
    seen = {node.serial for node in order}
    for node in order:  # the list grows while it is walked
        for x in node.inputs:
            if type(x) is Node and (serial := x.serial) not in seen and serial >= oldest:
                seen.add(serial)
                if x.op is not None:
                    order.append(x)
    order.sort(key=_by_serial)
    return order


def pullback(
    order: Sequence[Node], seeds: dict[Node, Any], wrt: Sequence[Node], record: bool = False
) -> list[Any]:
    """Return the cotangents of `wrt`, given those of the outputs: the reverse sweep.

    `order` comes from `collect`, `seeds` maps output nodes to their cotangents. The cotangent of
    a node is the sum over its consumers; they are all newer, so it is complete when the sweep
    arrives, and it is let go there. With `record` the rules are applied to Nodes and the result
    can be differentiated again; without, to arrays, and nothing is recorded. A node that nothing
    reached has None.
    """
    bar: dict[int, Any] = {node.serial: g for node, g in seeds.items()}
    kept: dict[int, Any] = {node.serial: None for node in wrt}
    if record or watch is not None:
        oldest, shared = min(kept), None if record else set[int]()
        for node in reversed(order):
            g = bar.pop(node.serial, None)
            if g is not None:
                if node.serial in kept:
                    kept[node.serial] = g
                _pull(node, g, bar, oldest, shared)
    else:
        _pull_values(order, bar, kept)
    return [bar.get(x.serial, kept[x.serial]) for x in wrt]


def _pull_values(order: Sequence[Node], bar: dict[int, Any], kept: dict[int, Any]) -> None:
    """Sweep without recording: `_pull` written out for one and two arguments, for speed."""
    oldest, newest, pop = min(kept), max(kept), bar.pop
    shared: set[int] = set()
    for node in reversed(order):
        serial = node.serial
        g = pop(serial, None)
        if g is None:
            continue
        if serial <= newest and serial in kept:
            kept[serial] = g
        op: Any = node.op
        try:
            if op.arity == 1 and node.params is None:
                (a,) = node.inputs
                if a.serial >= oldest:
                    s = a.serial
                    t = op.vjps[0](g, node.data, a.data)
                    bar[s] = _sum(bar[s], t, s, shared) if s in bar else t
            elif op.arity == 2 and node.params is None:
                a, b = node.inputs
                u = a.data if type(a) is Node else a
                v = b.data if type(b) is Node else b
                t = r = None
                if type(a) is Node and a.serial >= oldest:
                    t = op.vjps[0](g, node.data, u, v)
                if type(b) is Node and b.serial >= oldest:
                    r = op.vjps[1](g, node.data, u, v)
                    s = b.serial
                    if type(r) is not float:
                        r = arrays.unbroadcast(r, v)
                    bar[s] = _sum(bar[s], r, s, shared) if s in bar else r
                if t is not None:
                    s = a.serial
                    if type(t) is not float:
                        t = arrays.unbroadcast(t, u)
                    bar[s] = _sum(bar[s], t, s, shared) if s in bar else t
            else:
                _pull(node, g, bar, oldest, shared)
        except ArithmeticError:
            _pull(node, g, bar, oldest, shared)  # retells the error, or gives the IEEE answer


def _pull(
    node: Node,
    g: Any,
    bar: dict[int, Any],
    oldest: int,
    shared: set[int] | None,
) -> None:
    """Add to `bar` what the cotangent `g` of `node` contributes to each of its inputs."""
    op, inputs, params = node.op, node.inputs, node.params or {}
    assert op is not None
    if op is PICK:
        return _pull_pick(node, g, bar, oldest)
    if op.outputs:
        g = tuple([arrays.zeros(y) if t is None else t for t, y in zip(g, node.data, strict=True)])
    y: Any = node if shared is None else node.data
    xs = inputs if shared is None else [x.data if type(x) is Node else x for x in inputs]
    for i, (x, rule) in enumerate(zip(inputs, op.vjps, strict=False)):
        if type(x) is not Node or x.serial < oldest:
            continue
        t = _apply(op, rule, g, y, xs, params)
        if op.fits and type(t) is not float:
            t = arrays.unbroadcast(t, xs[i])
        if watch is not None:
            watch(node, i, g, t)
        s = x.serial
        bar[s] = _sum(bar[s], t, s, shared) if s in bar else t


def _apply(op: Op, rule: Rule, t: Any, y: Any, xs: Sequence[Any], params: dict[str, Any]) -> Any:
    try:
        try:
            return rule(t, y, *xs, **params)
        except (ZeroDivisionError, OverflowError):  # Python's floats raise, IEEE has an answer
            return arrays.rescue(rule, t, y, xs, params)
    except FloatingPointError as error:
        raise FloatingPointError(f"{op.name}: {error}, in its derivative rule") from error


def _sum(before: Any, t: Any, serial: int, shared: set[int] | None) -> Any:
    """Return before + t, where the first contribution may still belong to someone else.

    Their sum is new memory, so from the third on it is added to in place; never while recording.
    """
    if shared is None:
        return before + t
    if serial in shared:
        return arrays.add(before, t)
    shared.add(serial)
    return before + t


def _pull_pick(node: Node, g: Any, bar: dict[int, Any], oldest: int) -> None:
    x, i = node.inputs[0], (node.params or {})["i"]
    if x.serial >= oldest:
        outputs = bar.setdefault(x.serial, [None] * len(x.data))
        outputs[i] = g if outputs[i] is None else outputs[i] + g


def pushforward(
    order: Sequence[Node], seeds: dict[Node, Any], outputs: Sequence[Node], record: bool = False
) -> list[Any]:
    """Return the tangents of `outputs`, given those of the inputs: the forward sweep.

    `order` comes from `collect`, `seeds` maps input nodes to their tangents. The tangent of a
    node is the sum over its inputs. An output that no seed reaches has None.
    """
    dot: dict[int, Any] = {node.serial: t for node, t in seeds.items()}
    for node in order:
        if node.serial not in dot:
            t = _push(node, dot, record)
            if t is not None:
                dot[node.serial] = t
    return [dot.get(y.serial) for y in outputs]


def _push(node: Node, dot: dict[int, Any], record: bool) -> Any:
    """Return what the tangents of its inputs contribute to `node`, None if no input has one."""
    op, inputs = node.op, node.inputs
    assert op is not None
    y: Any = node if record else node.data
    xs = inputs if record else [x.data if type(x) is Node else x for x in inputs]
    total: Any = None
    for x, rule in zip(inputs, op.jvps, strict=False):
        seed = dot.get(x.serial) if type(x) is Node else None
        if seed is None:
            continue
        t = _apply(op, rule, seed, y, xs, node.params or {})
        if total is None:
            total = t
        elif op.outputs:
            total = tuple([a + b for a, b in zip(total, t, strict=True)])
        else:
            total = total + t
    return arrays.broadcast(total, y) if op.fits and total is not None else total
