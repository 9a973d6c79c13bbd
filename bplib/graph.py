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
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any

Rule = Callable[..., Any]
new_serial = itertools.count().__next__


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
    doc      one line for the table of primitives, or None
    """

    __slots__ = ("doc", "fits", "forward", "jvps", "kind", "name", "outputs", "reads", "vjps")

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
        self.vjps, self.jvps = vjps, jvps
        self.fits, self.reads, self.outputs = fits, reads, outputs
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
    """Return the nodes that `roots` were computed from, none older than `oldest`, oldest first."""
    found = {node.serial: node for node in roots if node.serial >= oldest}
    stack = list(found.values())
    while stack:
        for x in stack.pop().inputs:
            if type(x) is Node and x.serial not in found and x.serial >= oldest:
                found[x.serial] = x
                stack.append(x)
    return [found[serial] for serial in sorted(found)]


def pullback(
    order: Sequence[Node], seeds: dict[Node, Any], wrt: Sequence[Node], record: bool = False
) -> list[Any]:
    """Return the cotangents of `wrt`, given those of the outputs: the reverse sweep.

    `order` comes from `collect`, `seeds` maps output nodes to their cotangents. The cotangent of
    a node is the sum over its consumers; they are all newer, so it is complete when the sweep
    arrives. With `record` the rules are applied to Nodes and the result can be differentiated
    again; without, to arrays, and nothing is recorded. A node that nothing reached has None.
    """
    bar: dict[int, Any] = {node.serial: g for node, g in seeds.items()}
    keep = {node.serial for node in wrt}
    oldest = min(keep)
    shared: set[int] | None = None if record else set()
    node = None
    try:
        for node in reversed(order):
            serial = node.serial
            if serial in keep:
                g = bar.get(serial)
            else:
                g = bar.pop(serial, None)
            if g is not None and node.op is not None:
                _pull_node(node, g, bar, oldest, record, shared)
    except FloatingPointError as error:
        raise _blame(error, node) from error
    return [bar.get(x.serial) for x in wrt]


def _blame(error: Exception, node: Node | None) -> Exception:
    name = node.op.name if node is not None and node.op is not None else "a leaf"
    return FloatingPointError(f"{name}: {error} while its derivative rule ran")


def _pull_node(
    node: Node, g: Any, bar: dict[int, Any], oldest: int, record: bool, shared: set[int] | None
) -> None:
    """Add to `bar` what the cotangent `g` of `node` contributes to each of its inputs."""
    op, inputs, params = node.op, node.inputs, node.params
    assert op is not None
    if op is PICK:
        return _pull_pick(node, g, bar, oldest)
    if op.outputs:
        g = tuple([arrays.zeros(y) if t is None else t for t, y in zip(g, node.data, strict=True)])
    y: Any = node if record else node.data
    xs = inputs if record else [x.data if type(x) is Node else x for x in inputs]
    for i, (x, rule) in enumerate(zip(inputs, op.vjps, strict=False)):
        if type(x) is not Node or x.serial < oldest:
            continue
        try:
            t = rule(g, y, *xs) if params is None else rule(g, y, *xs, **params)
        except (ZeroDivisionError, OverflowError):
            t = arrays.rescue(rule, g, y, xs, params)
        if op.fits and type(t) is not float:
            t = arrays.unbroadcast(t, x)
        if watch is not None:
            watch(node, i, g, t)
        serial = x.serial
        before = bar.get(serial)
        if before is None:
            bar[serial] = t  # stored, not copied: it may still belong to someone else
        elif shared is None or serial not in shared:
            bar[serial] = before + t  # the sum is new memory, so later ones can go in place
            if shared is not None:
                shared.add(serial)
        else:
            bar[serial] = arrays.add(before, t)


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
    node = None
    try:
        for node in order:
            if node.op is not None and node.serial not in dot:
                t = _push_node(node, dot, record)
                if t is not None:
                    dot[node.serial] = t
    except FloatingPointError as error:
        raise _blame(error, node) from error
    return [dot.get(y.serial) for y in outputs]


def _push_node(node: Node, dot: dict[int, Any], record: bool) -> Any:
    op, inputs, params = node.op, node.inputs, node.params
    assert op is not None
    y: Any = node if record else node.data
    xs = inputs if record else [x.data if type(x) is Node else x for x in inputs]
    total: Any = None
    for x, rule in zip(inputs, op.jvps, strict=False):
        seed = dot.get(x.serial) if type(x) is Node else None
        if seed is None:
            continue
        try:
            t = rule(seed, y, *xs) if params is None else rule(seed, y, *xs, **params)
        except (ZeroDivisionError, OverflowError):
            t = arrays.rescue(rule, seed, y, xs, params)
        if total is None:
            total = t
        elif op.outputs:
            total = tuple([a + b for a, b in zip(total, t, strict=True)])
        else:
            total = total + t
    return arrays.broadcast(total, y) if op.fits and total is not None else total
