"""The value of a formula at one random draw.

Derivatives are never taken by a rule: they come from the oracle of letters.py (complex step where
the code is analytic, finite differences at two steps where it is not).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from . import meaning as m
from . import values as val
from .letters import (
    STEP,
    Derivative,
    Family,
    Function,
    Key,
    State,
    combine,
    entries,
    function_derivative,
    perturb,
)
from .values import Refusal, Value


class Misread(Exception):
    """The formula asks for something its binding cannot give; `node` says where."""

    def __init__(self, message: str, node: m.Node):
        super().__init__(message)
        self.node = node


class Unbounded(Misread):
    """An index stands at no axis, so nothing says how far it runs."""


@dataclass(frozen=True)
class Axis:
    """An index that runs over an axis of the arrays it stands at."""

    length: int


def free_indices(node: m.Node) -> dict[str, m.Idx]:
    """The index letters no sum inside `node` binds, with the first place of each."""
    found: dict[str, m.Idx] = {}

    def visit(node: m.Node, bound: frozenset[str]) -> None:
        if isinstance(node, m.Idx):
            if node.name not in bound:
                found.setdefault(node.name, node)
        elif isinstance(node, m.Big):
            for outer in (node.low, node.high):
                if outer is not None:
                    visit(outer, bound)
            for inner in (node.condition, node.body):
                if inner is not None:
                    visit(inner, bound | {node.index})
        else:
            for child in node.children:
                visit(child, bound)

    visit(node, frozenset())
    return found


def layer_indices(node: m.Node) -> set[str]:
    """The index letters that stand at a layer somewhere in `node`."""
    found: set[str] = set()
    for part in m.walk(node):
        layer = getattr(part, "layer", None)
        if layer is not None:
            found |= {p.name for p in m.walk(layer) if isinstance(p, m.Idx)}
    return found


class Evaluator:
    """Evaluates nodes at one state, with the indices set so far."""

    def __init__(self, state: State, indices: dict[str, int | Axis] | None = None):
        self.state = state
        self.indices = dict(indices or {})
        self.base = state.draw.letters.base

    def at(self, state: State) -> Evaluator:
        return Evaluator(state, self.indices)

    def value(self, node: m.Node) -> Value:
        return getattr(self, f"_{type(node).__name__}")(node)

    # Letters ---------------------------------------------------------------------------------
    def whole(self, node: m.Node) -> int:
        """An index expression as one whole number."""
        value = self.value(node)
        if value.names or not val.is_scalar(value):
            raise Misread("a single whole number is expected here", node)
        number = complex(value.data).real
        if number != int(number):
            raise Misread("a whole number is expected here", node)
        return int(number)

    def key(self, ref: m.Ref | m.Apply) -> Key:
        return (ref.name, None if ref.layer is None else self.whole(ref.layer))

    def derivative_keys(self, ref: m.Ref) -> tuple[Key, Key] | None:
        """(of, by) when the letter is bound to a derivative."""
        spec = self.state.draw.derivatives.get(ref.name)
        if spec is None:
            return None
        layer = None if ref.layer is None else self.whole(ref.layer)
        return self._layered(spec.of, layer), self._layered(spec.by, layer)

    def _layered(self, name: str, layer: int | None) -> Key:
        is_family = isinstance(self.state.values.__dict__.get(name), Family)
        return (name, layer if is_family else None)

    def array(self, ref: m.Ref) -> np.ndarray:
        try:
            keys = self.derivative_keys(ref)
            if keys is not None:
                return self.state.derivative(*keys)
            value = self.state.values.get(self.key(ref))
        except KeyError as error:
            raise Refusal("index", str(error.args[0])) from None
        if isinstance(value, (Function, Family)):
            raise Misread(f"{ref.name} is not a number here", ref)
        return np.asarray(value)

    def exists(self, ref: m.Ref | m.Apply) -> bool:
        try:
            if isinstance(ref, m.Ref) and ref.name in self.state.draw.derivatives:
                keys = self.derivative_keys(ref)
                assert keys is not None
                for key in keys:
                    self.state.values.get(key)
            else:
                self.state.values.get(self.key(ref))
        except KeyError:
            return False
        return True

    def shape(self, ref: m.Ref) -> tuple[int, ...]:
        keys = self.derivative_keys(ref)
        if keys is not None:
            try:
                of, by = (np.shape(self.state.values.get(k)) for k in keys)
            except KeyError as error:
                raise Refusal("index", str(error.args[0])) from None
            return of + by
        return self.array(ref).shape

    def _Ref(self, node: m.Ref) -> Value:
        array = self.array(node)
        if node.subs is None:
            return val.from_array(array)
        return self.take(array, node.subs, node.name)

    def take(self, array: np.ndarray, subs: tuple[m.Node, ...], what: str) -> Value:
        """`array` with one subscript for each axis."""
        if len(subs) != array.ndim:
            raise Refusal(
                "shape",
                f"{what} has {array.ndim} {'axis' if array.ndim == 1 else 'axes'} "
                f"and {len(subs)} subscript{'s' if len(subs) > 1 else ''}",
            )
        chosen = [None if isinstance(s, m.Slice) else self.value(s) for s in subs]
        names = tuple(dict.fromkeys(n for c in chosen if c is not None for n in c.names))
        slices = [a for a, c in enumerate(chosen) if c is None]
        order = [a for a, c in enumerate(chosen) if c is not None]
        array = array.transpose(*order, *slices)
        picks = []
        for axis, (a, c) in enumerate((a, c) for a, c in enumerate(chosen) if c is not None):
            index = np.asarray(val._expand(c, names)).real.astype(int) - self.base
            if index.size and (index.min() < 0 or index.max() >= array.shape[axis]):
                raise Refusal(
                    "index",
                    f"subscript {a + 1} of {what} runs to {index.max() + self.base}, "
                    f"but there are {array.shape[axis]}",
                )
            picks.append(index)
        data = array[tuple(picks)] if picks else array
        rest = data.shape[len(names) :]
        slots: val.Slots = rest if len(rest) > 1 else val.SCALAR
        if len(rest) == 1:
            slots = (None, rest[0]) if slices[0] > 0 and array.ndim == 2 else (rest[0], None)
        return Value(data, names, slots)

    def _Idx(self, node: m.Idx) -> Value:
        at = self.indices.get(node.name)
        if at is None:
            raise Misread(f"{node.name} is neither a letter of the binding nor an index", node)
        if isinstance(at, Axis):
            return Value(np.arange(self.base, self.base + at.length), (node.name,))
        return val.number(at)

    def _Num(self, node: m.Num) -> Value:
        return val.number(node.value)

    def _Ones(self, node: m.Ones) -> Value:
        if node.size is None:
            return Value(np.ones(1), (), (val.FREE, None))
        n = self.whole(node.size)
        return Value(np.ones(n), (), (n, None))

    def _Kronecker(self, node: m.Kronecker) -> Value:
        left, right = self.value(node.left), self.value(node.right)
        gap = val.add(left, right, subtract=True)
        return Value((gap.data == 0).astype(float), gap.names)

    # Arithmetic --------------------------------------------------------------------------------
    def _Add(self, node: m.Add) -> Value:
        result: Value | None = None
        for sign, term in zip(node.signs, node.terms, strict=True):
            value = self.value(term)
            if result is None:
                result = val.negate(value) if sign == "-" else value
            else:
                result = val.add(result, value, subtract=sign == "-")
        assert result is not None
        return result

    def _Mul(self, node: m.Mul) -> Value:
        result = self.value(node.parts[0])
        for part, dot in zip(node.parts[1:], node.dots[1:], strict=True):
            value = self.value(part)
            if dot and _is_column(result) and _is_column(value):
                result = val.inner(result, value)
            else:
                result = val.multiply(result, value)
        return result

    def _Binary(self, node: m.Binary) -> Value:
        left, right = self.value(node.left), self.value(node.right)
        match node.operator:
            case "ODOT":
                return val.hadamard(left, right)
            case "OSLASH":
                return val.divide(left, right)
            case "DIV":
                with np.errstate(divide="ignore", invalid="ignore"):
                    if right.literal and left.literal:
                        right = Value(np.asarray(right.data, dtype=float), literal=True)
                    return val.divide(left, right)
            case "OTIMES":
                if left.names or right.names:
                    raise Misread("a Kronecker product of indexed arrays", node)
                x = val._as_matrix(val.to_array(left), left.slots)
                y = val._as_matrix(val.to_array(right), right.slots)
                return val.from_array(np.kron(x, y))
        raise Misread(f"the operator {node.operator} has no meaning here", node)

    def _Power(self, node: m.Power) -> Value:
        base, exponent = self.value(node.base), self.value(node.exponent)
        if node.entrywise:
            return val.elementwise(lambda x: x ** complex(exponent.data).real, base)
        return val.power(base, exponent)

    def _Transposed(self, node: m.Transposed) -> Value:
        return val.transpose(self.value(node.body))

    def _Index(self, node: m.Index) -> Value:
        body = self.value(node.body)
        if body.names:
            return self._index_each(body, node)
        return self.take(val.to_array(body), node.subs, "the bracket")

    def _index_each(self, body: Value, node: m.Index) -> Value:
        """Subscripts on an expression that has index axes of its own."""
        count = sum(n is not None for n in body.slots)
        if len(node.subs) != count or any(isinstance(s, m.Slice) for s in node.subs):
            raise Refusal("shape", f"{body.kind} and {len(node.subs)} subscripts")
        own = tuple(m.Idx(node.start, node.end, n) for n in body.names)
        return self.take(val.to_array(body), (*own, *node.subs), "the bracket")

    # Functions ---------------------------------------------------------------------------------
    def _Apply(self, node: m.Apply) -> Value:
        try:
            f = self.state.values.get(self.key(node))
        except KeyError as error:
            raise Refusal("index", str(error.args[0])) from None
        if not isinstance(f, Function):
            raise Misread(f"{node.name} is not a function", node)
        args = [self.value(a) for a in node.args]
        if node.jacobian:
            return self._jacobian(f, args, node)
        if f.entrywise and len(args) == 1:
            apply = f if not node.primes else lambda x: function_derivative(f, x, node.primes)
            return val.elementwise(apply, args[0])
        if node.primes:
            if len(args) != 1 or not val.is_scalar(args[0]):
                raise Misread(
                    f"a prime on {node.name}: bind it with elementwise(...), or use \\mathsf J",
                    node,
                )
            flat = [function_derivative(f, x, node.primes) for x in args[0].data.ravel()]
            data = np.reshape(flat, args[0].data.shape)
            return Value(data, args[0].names)
        return self._each(f, args)

    def _each(self, f, args: list[Value]) -> Value:
        """A function of whole arrays, applied once for every setting of the index axes."""
        names = tuple(dict.fromkeys(n for a in args for n in a.names))
        if not names:
            return val.from_array(f(*(val.to_array(a) for a in args)))
        for a in args:
            val.to_array(a)
        data = [val._expand(a, names) for a in args]
        lead = np.broadcast_shapes(*(d.shape[: len(names)] for d in data))
        results = []
        for place in np.ndindex(*lead):
            picked = [
                d[tuple(p if s > 1 else 0 for p, s in zip(place, d.shape, strict=False))]
                for d in data
            ]
            results.append(np.asarray(f(*picked)))
        one = val.from_array(results[0])
        return Value(np.reshape(results, (*lead, *results[0].shape)), names, one.slots)

    def _jacobian(self, f: Function, args: list[Value], node: m.Apply) -> Value:
        if len(args) != 1 or args[0].names:
            raise Misread("a Jacobian of one array is read", node)
        x = val.to_array(args[0])
        columns = []
        for entry in entries(x.shape):
            moved = x.astype(complex)
            moved[entry] += 1j * STEP
            columns.append(np.imag(np.asarray(f(moved))) / STEP)
        shape = columns[0].shape if columns else ()
        return val.from_array(np.stack(columns, axis=-1).reshape((*shape, *x.shape)))

    def _Builtin(self, node: m.Builtin) -> Value:
        name = node.name
        args = [self.value(a) for a in node.args]
        if name in _UFUNCS:
            f = Function(_UFUNCS[name], entrywise=True)
            with np.errstate(divide="ignore", invalid="ignore"):
                if node.primes:
                    return val.elementwise(
                        lambda x: function_derivative(f, x, node.primes), args[0]
                    )
                result = val.elementwise(f, args[0])
            if node.sub:
                if name != "log":
                    raise Misread(f"a subscript on {name}", node)
                return val.divide(result, val.number(math.log(float(node.sub))))
            return result
        if node.primes:
            raise Misread(f"a prime on {name}", node)
        a = args[0]
        match name:
            case "abs":
                return val.elementwise(_absolute, a)
            case "sg":
                return val.elementwise(np.real, a)
            case "inner":
                return val.inner(*args)
            case "norm":
                return self._norm(a, node)
            case "sum":
                return val.total(a)
            case "mean":
                count = math.prod(n for n in a.slots if n is not None)
                return val.divide(val.total(a), val.number(float(count)))
            case "tr" | "Tr" | "trace":
                if len(a.slots) != 2 or a.slots[0] != a.slots[1]:
                    raise Refusal("shape", f"the trace of {a.kind}")
                if val.is_scalar(a):
                    return a
                return Value(np.trace(a.data, axis1=-2, axis2=-1), a.names)
            case "det":
                return Value(np.asarray(np.linalg.det(val.to_array(a))), a.names)
            case "diag" | "Diag":
                return self._diag(a, node)
            case "vec":
                flat = val.to_array(a).ravel(order="C" if node.sub == "r" else "F")
                if a.names:
                    raise Misread("vec of an indexed array", node)
                return val.from_array(flat)
            case "binom":
                if any(x.names or not val.is_scalar(x) for x in args):
                    raise Refusal("shape", "a binomial coefficient of arrays")
                n, k = (complex(x.data).real for x in args)
                if n < 0 or k < 0 or n != int(n) or k != int(k):
                    raise Refusal("value", f"a binomial coefficient of {n:g} and {k:g}")
                return val.number(math.comb(int(n), int(k)))
            case "ceil" | "floor":
                return val.elementwise(lambda x: getattr(np, name)(np.real(x)), a)
            case "max" | "min":
                return self._extreme(name, args)
            case "rank":
                return val.number(int(np.linalg.matrix_rank(val.to_array(a))))
        raise Misread(f"the operator {name} is not read", node)

    def _extreme(self, name: str, args: list[Value]) -> Value:
        ufunc = np.maximum if name == "max" else np.minimum
        result = args[0]
        if len(args) == 1:
            axes = tuple(range(len(result.names), result.data.ndim))
            return Value(ufunc.reduce(val.to_array(result), axis=axes), result.names)
        for other in args[1:]:
            slots = result.slots
            if result.slots != other.slots:
                if not (result.literal or other.literal):
                    slots = val.join_slots(result, other, name)
                slots = other.slots if val.is_scalar(result) else result.slots
            result = val._pointwise(ufunc, result, other, slots)
        return result

    def _norm(self, a: Value, node: m.Builtin) -> Value:
        sub = node.sub
        if sub in ("", "F", "2") and not (sub == "2" and None not in a.slots):
            return val.elementwise(np.sqrt, val.inner(a, a))
        if sub == "1":
            return val.total(val.elementwise(_absolute, a))
        if sub == "2":
            return Value(np.linalg.norm(val.to_array(a), 2, axis=(-2, -1)), a.names)
        if sub in ("infty", "max"):
            return self._extreme("max", [val.elementwise(_absolute, a)])
        raise Misread(f"the norm with subscript {sub} is not known", node)

    def _diag(self, a: Value, node: m.Node) -> Value:
        match a.slots:
            case (int(n), None):
                data = a.data[..., None] * np.eye(n)
                return Value(data, a.names, (n, n))
            case (int(n), int(k)) if n == k:
                return Value(np.diagonal(a.data, axis1=-2, axis2=-1), a.names, (n, None))
        raise Refusal("shape", f"diag of {a.kind}")

    # Sums --------------------------------------------------------------------------------------
    def lengths(self, nodes: list[m.Node], wanted: set[str]) -> dict[str, list[tuple[int, str]]]:
        """How long the axes are at which each index stands, with the letters they stand at."""
        found: dict[str, list[tuple[int, str]]] = {}

        def note(shape: tuple[int, ...], subs: tuple[m.Node, ...], what: str, hidden) -> None:
            for sub, n in zip(subs, shape, strict=False):
                if isinstance(sub, m.Idx) and sub.name in wanted and sub.name not in hidden:
                    found.setdefault(sub.name, []).append((n, what))

        def visit(node: m.Node, hidden: frozenset[str]) -> None:
            match node:
                case m.Big(index=index):
                    hidden = hidden | {index}
                case m.Ref(subs=subs) if subs is not None and self._resolved(node):
                    note(self.shape(node), subs, node.name, hidden)
                case m.Index(body=body, subs=subs):
                    try:
                        value = self.value(body)
                    except (Misread, Refusal):
                        pass
                    else:
                        rank = len(value.names)
                        note(value.data.shape[rank:], subs, "the bracket", hidden)
            for child in node.children:
                visit(child, hidden)

        for node in nodes:
            visit(node, frozenset())
        return found

    def _resolved(self, ref: m.Ref) -> bool:
        if ref.layer is None:
            return True
        return all(
            isinstance(self.indices.get(p.name), int)
            for p in m.walk(ref.layer)
            if isinstance(p, m.Idx)
        )

    def agree(self, name: str, found: list[tuple[int, str]]) -> int:
        lengths = {n for n, _ in found}
        if len(lengths) > 1:
            places = "; ".join(sorted({f"{n} in {what}" for n, what in found}))
            raise Refusal("index", f"the index {name} has different ranges: {places}")
        return lengths.pop()

    def _Big(self, node: m.Big) -> Value:
        name = node.index
        low = self.whole(node.low) if node.low is not None else None
        high = self.whole(node.high) if node.high is not None else None
        if (low is None) != (high is None):
            raise Misread(f"the range of {name} has one end only", node)
        inner = [n for n in (node.condition, node.body) if n is not None]
        in_layer = any(name in layer_indices(n) for n in inner)
        own = Evaluator(self.state, {k: v for k, v in self.indices.items() if k != name})
        found = {} if in_layer else own.lengths(inner, {name})
        if name in found:
            length = self.agree(name, found[name])
            if low is None or (low, high) == (self.base, self.base + length - 1):
                return own._over_axis(node, length)
            if high is not None and high > self.base + length - 1:
                raise Refusal(
                    "index",
                    f"the index {name} runs to {high}, but {found[name][0][1]} has {length}",
                )
        if low is None or high is None:
            values = own.layers(inner, name) if in_layer else None
            if values is None:
                raise Unbounded(f"nothing says how far the index {name} runs", node)
        else:
            values = list(range(low, high + 1))
        return own._one_by_one(node, values)

    def _over_axis(self, node: m.Big, length: int) -> Value:
        name = node.index
        self.indices[name] = Axis(length)
        body = self.value(node.body)
        if node.condition is not None:
            body = val.multiply(self._truth(node.condition), body)
            if node.name != "sum":
                raise Misread("a condition is read under a sum only", node)
        del self.indices[name]
        if node.name == "sum":
            return val.sum_over(body, name, length)
        if name not in body.names:
            if node.name in ("max", "min"):
                return body
            return val.elementwise(lambda x: x**length, body)
        if node.name == "prod" and not val.is_scalar(body):
            raise Misread("a product of arrays over an axis", node)
        ufuncs = {"prod": np.multiply, "max": np.maximum, "min": np.minimum}
        return val.reduce_over(ufuncs[node.name], body, name)

    def _one_by_one(self, node: m.Big, values: list[int]) -> Value:
        result: Value | None = None
        for i in values:
            self.indices[node.index] = i
            if node.condition is not None and not bool(self._truth(node.condition).data.all()):
                continue
            term = self.value(node.body)
            if result is None:
                result = term
            elif node.name == "sum":
                result = val.add(result, term)
            elif node.name == "prod":
                result = val.multiply(result, term)
            else:
                result = self._extreme(node.name, [result, term])
        self.indices.pop(node.index, None)
        if result is None:
            return val.number(1 if node.name == "prod" else 0)
        return Value(result.data, result.names, result.slots)

    def layers(self, nodes: list[m.Node], name: str) -> list[int]:
        """The layers at which every letter of the formula exists."""
        families = [f for f in self.state.values.__dict__.values() if isinstance(f, Family) and f]
        if not families:
            return []
        low, high = min(min(f) for f in families), max(max(f) for f in families)
        refs = [
            part
            for node in nodes
            for part in m.walk(node)
            if isinstance(part, (m.Ref, m.Apply)) and part.layer is not None
            and any(isinstance(p, m.Idx) and p.name == name for p in m.walk(part.layer))
        ]  # fmt: skip
        fitting = []
        for i in range(low - 1, high + 2):
            trial = Evaluator(self.state, {**self.indices, name: i})
            if all(_resolvable(trial, r) and trial.exists(r) for r in refs):
                fitting.append(i)
        return fitting

    # Conditions ----------------------------------------------------------------------------------
    def _truth(self, node: m.Node) -> Value:
        assert isinstance(node, m.Compare)
        if not node.sides:
            return Value(np.asarray(True), literal=True)
        sides = [self.value(s) for s in node.sides]
        result: Value | None = None
        for relation, a, b in zip(node.relations, sides[:-1], sides[1:], strict=True):
            if relation not in _COMPARISONS:
                raise Misread(f"the relation {relation} is not a condition", node)
            if a.slots == b.slots or (val.is_scalar(b) and b.literal):
                slots = a.slots
            elif val.is_scalar(a) and a.literal:
                slots = b.slots
            else:
                slots = val.join_slots(a, b, "comparison of")
            f = _COMPARISONS[relation]
            one = val._pointwise(lambda x, y, f=f: f(np.real(x), np.real(y)), a, b, slots)
            result = one if result is None else val.hadamard(result, one)
        assert result is not None
        return result

    def _Compare(self, node: m.Compare) -> Value:
        return self._truth(node)

    def _Indicator(self, node: m.Indicator) -> Value:
        return val.elementwise(lambda x: x.astype(float), self._truth(node.condition))

    def _Matrix(self, node: m.Matrix) -> Value:
        if node.kind == "cases":
            result: Value | None = None
            for row in reversed(node.rows):
                chosen = self.value(row[0])
                if len(row) == 1 or not row[1].sides:  # type: ignore[attr-defined]
                    result = chosen
                    continue
                truth = self._truth(row[1])
                truth = Value(truth.data.astype(float), truth.names, truth.slots)
                picked = self._scaled(truth, chosen)
                if result is None:
                    result = picked
                else:
                    other = Value(1 - truth.data, truth.names, truth.slots)
                    result = val.add(picked, self._scaled(other, result))
            assert result is not None
            return Value(result.data, result.names, result.slots)
        cells = [[self.value(c) for c in row] for row in node.rows]
        if any(c.names for row in cells for c in row):
            raise Misread("a matrix of indexed entries", node)
        blocks = [[val._as_matrix(val.to_array(c), c.slots) for c in row] for row in cells]
        data = np.block(blocks)
        if data.shape[1] == 1 and all(c.slots[1] is None for row in cells for c in row):
            return val.from_array(data[:, 0])
        return val.from_array(data)

    def _scaled(self, truth: Value, chosen: Value) -> Value:
        if chosen.literal or val.is_scalar(truth):
            return val._pointwise(
                np.multiply, truth, chosen, truth.slots if chosen.literal else chosen.slots
            )
        return val.hadamard(truth, chosen)

    # Derivatives -------------------------------------------------------------------------------
    def _Deriv(self, node: m.Deriv) -> Value:
        if self.state.is_complex():
            raise Misread("a derivative inside one that is taken by complex step", node)
        by = node.by
        if by.name in self.state.draw.derivatives:
            raise Misread(f"{by.name} is itself a derivative; nothing is differentiated by it", by)
        try:
            by_key = self.key(by)
            base = self.state.array(by_key)
        except KeyError as error:
            raise Refusal("index", str(error.args[0])) from None
        of = node.of
        if isinstance(of, m.Ref) and of.name not in self.state.draw.derivatives:
            whole = self.array(of)  # refuses what does not exist
            table = self.state.derivative(self.key(of), by_key)
            body = val.from_array(whole)
            if of.subs is not None:
                body = self.take(whole, of.subs, of.name)
            return self._lay_out(table, whole.ndim, of.subs, base.ndim, by, body.slots)
        how = "stencil"
        if not any(self._differentiates(n) for n in m.walk(of)) and self.state._is_smooth(by_key):
            how = "complex"
        columns: list[np.ndarray] = []
        shown: Value | None = None
        for entry in entries(base.shape):
            points = [self.at(self.state.hold(by_key, p)).value(of)
                      for p in perturb(base, entry, how)]  # fmt: skip
            shown = points[0]
            columns.append(combine(how, [p.data for p in points]))
        assert shown is not None
        names = shown.names
        data = np.stack(columns, axis=-1).reshape((*columns[0].shape, *base.shape))
        own = tuple(m.Idx(node.start, node.end, n) for n in names)
        rank = data.ndim - len(names) - base.ndim
        subs = (*own, *(m.Slice(0, 0) for _ in range(rank)))
        return self._lay_out(data, len(subs), subs, base.ndim, by, shown.slots)

    def _differentiates(self, node: m.Node) -> bool:
        match node:
            case m.Deriv() | m.Tangent():
                return True
            case m.Apply(primes=primes, jacobian=jacobian):
                return bool(primes) or jacobian
            case m.Builtin(primes=primes):
                return bool(primes)
            case m.Ref(name=name):
                return name in self.state.draw.derivatives
        return False

    def _lay_out(self, table, of_rank: int, of_subs, by_rank: int, by: m.Ref, slots) -> Value:
        """The entries asked for; without subscripts the layout of the book.

        The gradient of a scalar has the shape of its variable; the derivative of a column by a
        column is the Jacobian, one row for each output; anything larger is a tensor.
        """
        whole = tuple(m.Slice(0, 0) for _ in range(of_rank))
        chosen_of = of_subs if of_subs is not None else whole
        chosen_by = by.subs if by.subs is not None else (m.Slice(0, 0),) * by_rank
        if len(chosen_of) != of_rank:
            raise Refusal("shape", f"{of_rank} axes and {len(chosen_of)} subscripts")
        if len(chosen_by) != by_rank:
            raise Refusal("shape", f"{by.name} has {by_rank} axes and {len(chosen_by)} subscripts")
        value = self.take(np.asarray(table), (*chosen_of, *chosen_by), "the derivative")
        rest = value.data.shape[len(value.names) :]
        left_of = sum(isinstance(s, m.Slice) for s in chosen_of)
        if len(rest) == 1 and not left_of:
            return Value(value.data, value.names, (rest[0], None))
        if len(rest) == left_of:  # by a scalar: the shape of what is differentiated
            return Value(value.data, value.names, slots)
        if len(rest) == 1:
            return Value(value.data, value.names, (rest[0], None))
        return Value(value.data, value.names, rest if rest else val.SCALAR)

    def _Tangent(self, node: m.Tangent) -> Value:
        if self.state.is_complex():
            raise Misread("a tangent inside a derivative", node)
        if any(self._differentiates(n) for n in m.walk(node.of)):
            raise Misread("the tangent of a derivative", node)
        value = self.at(self.state.tangent()).value(node.of)
        return Value(np.imag(value.data) / STEP, value.names, value.slots)

    def _At(self, node: m.At) -> Value:
        value = self.value(node.value)
        held = np.asarray(val.to_array(value), dtype=float)
        return self.at(self.state.hold(self.key(node.ref), held)).value(node.body)

    def _BigO(self, node: m.BigO) -> Value:
        return val.number(0)  # the remainder is measured in check.py


def _is_column(value: Value) -> bool:
    return len(value.slots) == 2 and value.slots[0] is not None and value.slots[1] is None


def _resolvable(trial: Evaluator, ref: m.Ref | m.Apply) -> bool:
    assert ref.layer is not None
    return all(
        isinstance(trial.indices.get(p.name), int)
        for p in m.walk(ref.layer)
        if isinstance(p, m.Idx)
    )


def settings(ranges: dict[str, list[int]]) -> Iterator[dict[str, int]]:
    """Every combination of the values of the looped indices."""
    for combination in itertools.product(*ranges.values()):
        yield dict(zip(ranges, combination, strict=True))


def _absolute(x: np.ndarray) -> np.ndarray:
    """|x|, analytic away from zero, so that the complex step passes through."""
    return x * np.sign(np.real(x))


_UFUNCS: dict[str, Callable[..., Any]] = {
    "log": np.log, "ln": np.log, "exp": np.exp, "sin": np.sin, "cos": np.cos, "tan": np.tan,
    "sinh": np.sinh, "cosh": np.cosh, "tanh": np.tanh, "arctan": np.arctan, "sqrt": np.sqrt,
    "sign": lambda x: np.sign(np.real(x)), "sgn": lambda x: np.sign(np.real(x)),
    "Re": np.real, "Im": np.imag,
}  # fmt: skip

_COMPARISONS = {
    "=": np.equal, "!=": np.not_equal, "<": np.less, ">": np.greater,
    "<=": np.less_equal, ">=": np.greater_equal,
}  # fmt: skip

__all__ = ["Axis", "Derivative", "Evaluator", "Misread", "free_indices", "layer_indices"]
