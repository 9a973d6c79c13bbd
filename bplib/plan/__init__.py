"""Plans: a function traced once and replayed as a flat list of NumPy calls into kept buffers.

`compile(f)` runs f once on symbols. Derivatives inside f are traced with it, so the gradient is
part of the program: symbol to symbol. Dead and repeated steps go, arrays share memory by the times
they are needed, and what is left is written out as straight-line Python that allocates nothing but
what it returns. A replay makes the NumPy calls that f would make and gives the same bits.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any

import numpy as np

from bplib.graph import Node, state
from bplib.ops import base
from bplib.plan import functions as _functions  # enters what it knows into the table of symbols
from bplib.plan.emit import Emitter
from bplib.plan.errors import PlanError
from bplib.plan.explain import explain
from bplib.plan.program import Program, build
from bplib.plan.symbols import Symbol
from bplib.plan.trace import Trace
from bplib.plan.values import Value

__all__ = ["Compiled", "Plan", "PlanError", "compile", "plan_of"]
KEPT = 16  # plans a compiled function keeps, one per signature


class Plan:
    """One program for one signature, ready to be replayed: `plan(*leaves)` returns the outputs."""

    def __init__(self, program: Program, mutates: bool) -> None:
        self.program, self.mutates = program, mutates
        # A program that writes to its arguments cannot be run twice, so it takes the arithmetic
        # that never raises from the start.
        self._emitter = Emitter(program, ieee=mutates)
        self.run = self._emitter.write()
        self._ieee: Callable[..., Any] | None = None
        self._lock = threading.Lock()  # the buffers are the plan's own: one replay at a time

    def __call__(self, *leaves: Any) -> tuple[Any, ...]:
        """Replay: leaves in, outputs out. Python floats that raise are done again in IEEE."""
        with self._lock:
            if self.mutates:
                return self.run(*leaves)
            try:
                return self.run(*leaves)
            except (ZeroDivisionError, OverflowError, ValueError):
                if self._ieee is None:
                    self._ieee = Emitter(self.program, ieee=True).write()
                return self._ieee(*leaves)

    @property
    def source(self) -> str:
        """The Python that a replay runs."""
        return self._emitter.source

    @property
    def nbytes(self) -> int:
        """Bytes of the buffers that the plan keeps."""
        return self.program.arena

    def explain(self) -> str:
        """Return the steps, their buffers and their bytes as text."""
        return explain(self.program)


def plan_of(build_outputs: Callable[[Trace], Iterable[Any]]) -> Plan:
    """Return the plan of what `build_outputs(trace)` does with symbols it makes itself.

    It calls `trace.input(x)` for an argument and `trace.bind(array)` for an array that replays
    read and write where it is, and returns the symbols to be returned.
    """
    trace = Trace()
    outputs = [trace.operand(y) for y in build_outputs(trace)]
    outputs = [trace.constant_value(y) if isinstance(y, np.ndarray) else y for y in outputs]
    effects = [
        (p, s.value) for p, s in zip(trace.inputs, trace.symbols, strict=True) if s.value is not p
    ]
    return Plan(build(trace, outputs, effects), bool(effects))


# Arguments: what is an array is traced, everything else is part of the signature.


def _split(tree: Any, flat: list[Any], nodes: list[bool]) -> Any:
    kind = type(tree)
    if kind is np.ndarray:
        flat.append(tree)
        return (tree.shape, tree.dtype.char)
    if kind is float:
        flat.append(tree)
        return float
    if kind is tuple or kind is list:
        return (kind, *[_split(t, flat, nodes) for t in tree])
    if kind is dict:
        return (dict, *[(k, _split(t, flat, nodes)) for k, t in tree.items()])
    if isinstance(tree, np.generic) and tree.dtype.kind in "fiub":
        flat.append(tree)
        return ((), tree.dtype.char)
    if isinstance(tree, tuple):  # a named tuple
        return (kind, *[_split(t, flat, nodes) for t in tree])
    if kind is Node or kind is Symbol:
        nodes.append(True)
        return None
    if isinstance(tree, np.ndarray) or kind in base.FOREIGN:
        raise TypeError(f"plan: arrays are plain NumPy arrays, got {kind.__name__}")
    return ("static", tree if kind.__hash__ is not None else id(tree), kind)


def _join(tree: Any, values: Any) -> Any:
    kind = type(tree)
    if (
        kind is np.ndarray
        or kind is float
        or isinstance(tree, np.generic)
        or kind in (Node, Symbol)
    ):
        return next(values)
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        return kind(*[_join(t, values) for t in tree])
    if isinstance(tree, tuple | list):
        return kind([_join(t, values) for t in tree])
    if kind is dict:
        return {k: _join(t, values) for k, t in tree.items()}
    return tree


class _Entry:
    __slots__ = ("outputs", "plan", "tree")

    def __init__(self, plan: Plan, tree: Any) -> None:
        self.plan, self.tree = plan, tree
        n = len(plan.program.outputs)
        self.outputs = 0 if type(tree) is Symbol else n


class Compiled:
    """A function that is traced once per signature and replayed after that."""

    def __init__(self, f: Callable[..., Any], retrace: bool) -> None:
        self.f, self.retrace = f, retrace
        self.entries: dict[Any, _Entry] = {}
        self.latest: _Entry | None = None
        self.traces = 0
        wraps(f)(self)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function: the same result as without a plan."""
        flat: list[Any] = []
        nodes: list[bool] = []
        key = _split(args, flat, nodes)
        if kwargs:
            key = (key, _split(kwargs, flat, nodes))
        if nodes or state.depth:  # inside a transformation or another plan: part of that
            return self.f(*args, **kwargs)
        entry = self.entries.get(key)
        if entry is None:
            entry = self._trace(key, flat, args, kwargs)
        self.latest = entry
        if entry.plan.mutates:
            _no_overlap(entry.plan.program, flat)
        out = entry.plan(*flat)
        return out[0] if not entry.outputs else _join(entry.tree, iter(out))

    def _trace(self, key: Any, flat: list[Any], args: Any, kwargs: Any) -> _Entry:
        if self.entries and not self.retrace:
            known = "; ".join(map(str, self.entries))
            raise PlanError(
                f"plan: {getattr(self.f, '__name__', 'the function')} is planned for the signature "
                f"{known}, and was called with {key}. Give arguments of the same shapes and "
                "dtypes, or compile it with retrace=True."
            )
        tree: Any = None

        def run(trace: Trace) -> Iterable[Any]:
            nonlocal tree
            symbols = iter([trace.input(x) for x in flat])
            a = _join(args, symbols)
            tree = self.f(*a, **_join(kwargs, symbols))
            results: list[Any] = []
            _results(tree, results)
            return results

        plan = plan_of(run)
        self.traces += 1
        if len(self.entries) >= KEPT:
            self.entries.pop(next(iter(self.entries)))
        entry = self.entries[key] = _Entry(plan, tree)
        return entry

    def plan(self) -> Plan:
        """Return the plan used last. Raises PlanError before the first call."""
        if self.latest is None:
            raise PlanError("plan: nothing is traced before the first call")
        return self.latest.plan

    def explain(self) -> str:
        """Return the steps, buffers and bytes of the plan used last, as text."""
        return self.plan().explain()


def _results(tree: Any, results: list[Any]) -> None:
    if type(tree) is Node:
        raise PlanError("plan: a traced node left its transformation; return plain values")
    if isinstance(tree, tuple | list):
        for t in tree:
            _results(t, results)
    elif isinstance(tree, dict):
        for t in tree.values():
            _results(t, results)
    elif type(tree) is Symbol or type(tree) is float or isinstance(tree, np.ndarray | np.generic):
        results.append(tree)


def _no_overlap(program: Program, flat: list[Any]) -> None:
    written = {p.number for p in program.target.values()}
    for v, x in zip(program.inputs, flat, strict=True):
        if v.number in written:
            for w, y in zip(program.inputs, flat, strict=True):
                if v is not w and w.shape and np.may_share_memory(x, y):
                    raise PlanError(
                        f"plan: the function writes to argument {v.number}, which shares memory "
                        f"with argument {w.number}; pass a copy"
                    )


def compile(f: Callable[..., Any], *, retrace: bool = True) -> Compiled:
    """Return `f` as a function that traces itself once per signature and is replayed after that.

    Arguments and results are floats and arrays, or tuples, lists and dicts of them; everything
    else (strings, ints, functions) is part of the signature, and so are shapes, dtypes and
    structure. Another signature is traced again, or with `retrace=False` refused. f may use
    `bplib.grad` and its relatives, and may write to its arguments in place: replays do so too.
    Arrays that f takes from outside are constants.

    Raises PlanError, a TypeError, where f needs the entries of an array: to branch, to convert.
    """
    if not callable(f):
        raise TypeError(f"plan: compile takes a function, got {type(f).__name__}")
    return Compiled(f, retrace)
