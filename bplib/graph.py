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
from heapq import heappop, heappush
from types import SimpleNamespace
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
        self.op: Any = op
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
    arity    the number of arguments, 0 if it varies or there are several outputs
    lacking  the arguments without a rule, which must be constants
    """

    __slots__ = (
        "arity", "doc", "fits", "forward", "jvps", "kind", "lacking", "name", "outputs", "reads",
        "vjps",
    )  # fmt: skip

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
        self.name, self.forward, self.vjps, self.jvps = name, forward, vjps, jvps
        self.kind, self.fits, self.reads = kind, fits, reads
        self.outputs, self.doc = outputs, doc
        fixed = [() if isinstance(rules, Indexed) else tuple(rules) for rules in (vjps, jvps)]
        self.arity = 0 if outputs else len(fixed[0])
        self.lacking = {i for side in fixed for i, rule in enumerate(side) if rule is None}

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


class Indexed:
    """The rules of an operation with any number of arguments: rule i is `rule(i, ...)`."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule

    def __iter__(self) -> Iterator[Rule]:
        return (partial(self.rule, i) for i in itertools.count())


class _State(threading.local):
    depth = 0  # how many transformations of this thread are running their function now


state = _State()
watch: Callable[[Node, int, Any, Any], None] | None = None  # set by `bplib.explain_nan`

# What the sweeps need to know about arrays; `bplib.ops` fills it in.
#   constant(op, x)                    admit a constant argument of an operation
#   recover(op, xs, params, error)     the value where a forward function failed, or a better error
#   rescue(rule, t, y, xs, params)     a rule that failed on Python floats, with IEEE arithmetic
#   unbroadcast(t, x) broadcast(t, y)  t summed to the shape of x, t repeated to the shape of y
#   zeros(y)                           the cotangent 0 for this value
#   add(a, b)                          a + b, in the memory of a where that is possible
arrays: Any = SimpleNamespace()

_NOTHING: Any = None
_NUMBER: Any = 0.0  # what stretches nothing: no other argument to undo the broadcasting of

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


def pullback(seeds: dict[Node, Any], wrt: Sequence[Node], record: bool = False) -> list[Any]:
    """Return the cotangents of `wrt`, given those of the outputs `seeds`: the reverse sweep.

    The newest node that holds a cotangent is visited next. Its consumers are all newer, so the
    sum over them is complete by then, and it is let go there. With `record` the rules are applied
    to Nodes and the result can be differentiated again; without, to arrays, and nothing is
    recorded. A node that nothing reached has None.
    """
    kept: dict[int, Any] = {node.serial: None for node in wrt}
    oldest, bar, heap = min(kept), dict[int, Any](), list[tuple[int, Node]]()
    own = None if record else set[int]()

    def give(x: Node, t: Any) -> None:
        """Add `t` to the cotangent of `x`, and let `x` wait for its turn."""
        s = x.serial
        if s in bar:
            bar[s] = bar[s] + t if type(t) is float else _sum(bar[s], t, s, own)
        elif s >= oldest:
            bar[s] = t
            if x.op is not None:
                heappush(heap, (-s, x))

    for y, g in seeds.items():
        give(y, g)
    if record or watch is not None:
        while heap:
            node = heappop(heap)[1]
            g = bar.pop(node.serial)
            if node.serial in kept:
                kept[node.serial] = g
            _pull(node, g, bar, give, oldest, record)
    else:
        _pull_values(bar, heap, kept, oldest, give)
    return [bar.get(x.serial, kept[x.serial]) for x in wrt]


def _pull_values(bar: Any, heap: Any, kept: Any, oldest: int, give: Any) -> None:
    """Sweep without recording: `_pull` written out for one and two arguments, for speed."""
    newest, node, g = max(kept), _NOTHING, _NOTHING
    while heap or node is not None:
        if node is None:
            g = bar.pop((node := heappop(heap)[1]).serial)
        if node.serial <= newest and node.serial in kept:
            kept[node.serial] = g
            if node.serial == oldest:
                return
        op, x, other = node.op, _NOTHING, _NUMBER
        try:
            if op.arity == 1 and node.params is None:
                (x,) = node.inputs
                t = op.vjps[0](g, node.data, x.data)
            elif op.arity == 2 and node.params is None:
                a, b = node.inputs
                if type(b) is not Node:
                    x, other, t = a, b, op.vjps[0](g, node.data, a.data, b)
                elif type(a) is not Node:
                    x, other, t = b, a, op.vjps[1](g, node.data, a, b.data)
                else:
                    r = op.vjps[1](g, node.data, a.data, b.data) if b.serial >= oldest else None
                    if a.serial >= oldest:
                        x, other, t = a, b, op.vjps[0](g, node.data, a.data, b.data)
                    if r is not None:
                        fit = op.fits and type(r) is not float
                        give(b, arrays.unbroadcast(r, b.data) if fit else r)
                if type(other) is not float and type(t) is not float and op.fits:
                    t = arrays.unbroadcast(t, x.data)
            else:
                _pull(node, g, bar, give, oldest)
        except ArithmeticError:
            x = _pull(node, g, bar, give, oldest)  # retells the error, or gives the IEEE answer
        node = None
        if x is None:
            continue
        if x.op is None or (s := x.serial) in bar or s < oldest or (heap and -heap[0][0] > s):
            give(x, t)
        else:  # no other node comes before x: go on with it at once
            node, g = x, t


def _pull(
    node: Node, g: Any, bar: Any, give: Callable[[Node, Any], None], oldest: int,
    record: bool = False,
) -> Any:  # fmt: skip
    """Give each of the inputs of `node` what the cotangent `g` contributes to it."""
    op, inputs, params = node.op, node.inputs, node.params or {}
    if op is PICK:
        (x,) = inputs
        if x.serial not in bar:
            give(x, [None] * len(x.data))
        if x.serial in bar:
            outputs, i = bar[x.serial], params["i"]
            outputs[i] = g if outputs[i] is None else outputs[i] + g
        return None
    if op.outputs:
        g = tuple([arrays.zeros(y) if t is None else t for t, y in zip(g, node.data, strict=True)])
    y: Any = node if record else node.data
    xs = inputs if record else [x.data if type(x) is Node else x for x in inputs]
    for i, (x, rule) in enumerate(zip(inputs, op.vjps, strict=False)):
        if type(x) is not Node or x.serial < oldest:
            continue
        t = _apply(op, rule, g, y, xs, params)
        if op.fits and type(t) is not float:
            t = arrays.unbroadcast(t, xs[i])
        if watch is not None:
            watch(node, i, g, t)
        give(x, t)
    return None


def _apply(op: Op, rule: Rule, t: Any, y: Any, xs: Sequence[Any], params: dict[str, Any]) -> Any:
    try:
        try:
            return rule(t, y, *xs, **params)
        except (ZeroDivisionError, OverflowError):  # Python's floats raise, IEEE has an answer
            return arrays.rescue(rule, t, y, xs, params)
    except FloatingPointError as error:
        raise FloatingPointError(f"{op.name}: {error}, in its derivative rule") from error


def _sum(before: Any, t: Any, serial: int, own: set[int] | None) -> Any:
    """Return before + t, where the first contribution may still belong to someone else.

    Their sum is new memory, so from the third on it is added to in place; never while recording.
    """
    if own is None:
        return before + t
    if serial in own:
        return arrays.add(before, t)
    own.add(serial)
    return before + t


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
