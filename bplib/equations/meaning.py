"""From what is written to what it means: letters resolved against a binding.

`Reader` turns the tree of latex.py into the nodes below, deciding by the binding what two factors
side by side are (an application, a matrix product, a derivative); evaluate.py gives the nodes
their values.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from .latex import Item, LatexError, _words
from .letters import Derivative, Family, Function, Letters

# --------------------------------------------------------------------------------------------
# Nodes


@dataclass(frozen=True)
class Node:
    start: int
    end: int

    @cached_property
    def children(self) -> tuple[Node, ...]:
        """The nodes directly beneath; a formula is walked at every draw, and never changes."""
        found: list[Node] = []
        for name in self.__dataclass_fields__:
            value = getattr(self, name)
            for item in value if isinstance(value, tuple) else (value,):
                if isinstance(item, Node):
                    found.append(item)
                elif isinstance(item, tuple):
                    found += [n for n in item if isinstance(n, Node)]
        return tuple(found)


@dataclass(frozen=True)
class Num(Node):
    value: float


@dataclass(frozen=True)
class Idx(Node):
    """An index letter used as a number or as a subscript."""

    name: str


@dataclass(frozen=True)
class Slice(Node):
    """The colon of `W_{:k}`."""


@dataclass(frozen=True)
class Ref(Node):
    """A bound letter, with its layer and its subscripts."""

    name: str
    layer: Node | None = None
    subs: tuple[Node, ...] | None = None


@dataclass(frozen=True)
class Ones(Node):
    size: Node | None = None


@dataclass(frozen=True)
class Kronecker(Node):
    left: Node
    right: Node


@dataclass(frozen=True)
class Add(Node):
    signs: str
    terms: tuple[Node, ...]


@dataclass(frozen=True)
class Mul(Node):
    parts: tuple[Node, ...]
    dots: tuple[bool, ...]  # whether a \cdot stands before each part


@dataclass(frozen=True)
class Binary(Node):
    """ODOT, OSLASH, OTIMES or DIV."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True)
class Power(Node):
    base: Node
    exponent: Node
    entrywise: bool = False


@dataclass(frozen=True)
class Transposed(Node):
    body: Node


@dataclass(frozen=True)
class Index(Node):
    """Subscripts on an expression in brackets: `(AB)_{ij}`."""

    body: Node
    subs: tuple[Node, ...]


@dataclass(frozen=True)
class Apply(Node):
    """A bound function at its arguments; `primes` derivatives; `jacobian` for J_f(x)."""

    name: str
    layer: Node | None
    primes: int
    args: tuple[Node, ...]
    jacobian: bool = False


@dataclass(frozen=True)
class Builtin(Node):
    """log, exp, tr, diag, norms, ... with an optional subscript and order of derivative."""

    name: str
    args: tuple[Node, ...]
    sub: str = ""
    primes: int = 0


@dataclass(frozen=True)
class Big(Node):
    """A sum, product, maximum or minimum over an index."""

    name: str
    index: str
    low: Node | None
    high: Node | None
    condition: Node | None
    body: Node


@dataclass(frozen=True)
class Compare(Node):
    relations: tuple[str, ...]
    sides: tuple[Node, ...]


@dataclass(frozen=True)
class Indicator(Node):
    condition: Compare


@dataclass(frozen=True)
class Deriv(Node):
    """The derivative of an expression by one letter (a gradient, a Jacobian, an entry of it)."""

    of: Node
    by: Ref


@dataclass(frozen=True)
class Tangent(Node):
    """`\\dot x` and `dx`: the derivative along the random direction of the draw."""

    of: Node


@dataclass(frozen=True)
class At(Node):
    """An expression with a letter set to a value: the bar of `|_{r=0}`."""

    body: Node
    ref: Ref
    value: Node


@dataclass(frozen=True)
class BigO(Node):
    body: Node


@dataclass(frozen=True)
class Matrix(Node):
    kind: str
    rows: tuple[tuple[Node, ...], ...]


def walk(node: Node) -> Iterator[Node]:
    stack = [node]
    while stack:
        top = stack.pop()
        yield top
        stack.extend(top.children)


ELEMENTWISE = _words("log ln exp sin cos tan sinh cosh tanh arctan sign sgn abs sqrt Re Im")
OPERATORS = _words("tr Tr trace diag Diag vec det rank sum mean sg argmax")
REDUCE = {"max", "min"}
NARROW = _words("diag Diag vec det rank sg sign sgn Re Im")  # take one factor only


class Reader:
    """Reads one formula against one binding; raises LatexError at the place of a mistake."""

    def __init__(self, letters: Letters):
        self.letters = letters
        draw = letters.draw(0)
        values = draw.state.values
        self.single: dict[str, object] = {}
        self.families: dict[str, Family] = {}
        for name in values.names():
            value = values.__dict__[name]
            if isinstance(value, Family):
                self.families[name] = value
            else:
                self.single[name] = value
        for name, spec in draw.derivatives.items():
            target = self.families if spec.by in self.families else self.single
            target[name] = spec  # type: ignore[assignment]
        self.ranges = draw.ranges
        self.indices: dict[str, list[Idx]] = {}  # letters outside scripts that may be indices
        self.bound: list[str] = []

    # What letters there are ------------------------------------------------------------------
    def has(self, name: str) -> bool:
        return name in self.single or name in self.families

    def is_function(self, name: str) -> bool:
        if name in self.families:
            family = self.families[name]
            if isinstance(family, Derivative):
                return False
            return isinstance(next(iter(family.values())), Function)
        return isinstance(self.single.get(name), Function)

    def is_count(self, name: str) -> bool:
        value = self.single.get(name)
        return isinstance(value, int) and not isinstance(value, bool)

    def unknown(self, item: Item, name: str, what: str = "letter") -> LatexError:
        known = ", ".join(sorted(self.single | self.families, key=str.lower))
        return LatexError(f"unknown {what} {name}; the binding has {known or 'no letters'}",
                          item.start)  # fmt: skip

    # Expressions -----------------------------------------------------------------------------
    def read(self, item: Item) -> Node:
        method = getattr(self, f"_read_{item.kind}", None)
        if method is None:
            raise LatexError(f"this is not read here: {item.kind} {item.text}", item.start)
        return method(item)

    def _read_relation(self, item: Item) -> Node:
        raise LatexError("a relation is not expected inside an expression", item.start)

    def compare(self, item: Item) -> Compare:
        if item.kind != "relation":
            raise LatexError("a condition such as x > 0 is expected here", item.start)
        sides = tuple(self.read(p) for p in item.parts)
        return Compare(item.start, item.end, tuple(item.text.split(" ")), sides)

    def _read_sum(self, item: Item) -> Node:
        return Add(item.start, item.end, item.text, tuple(self.read(p) for p in item.parts))

    def _read_term(self, item: Item) -> Node:
        # A sum sign reaches to the end of its term, past \odot.
        parts, operators = list(item.parts), item.text.split(" ")
        for n, part in enumerate(parts[:-1]):
            place = self._big_place(part)
            if place is not None:
                head = self._flat(part)
                rest = Item("term", " ".join(operators[n:]),
                            (_product(head[place + 1 :], part), *parts[n + 1 :]),
                            part.start, item.end)  # fmt: skip
                joined = _product([*head[:place], head[place], rest], part)
                parts, operators = [*parts[:n], joined], operators[:n]
                break
        node = self.read(parts[0])
        for operator, part in zip(operators, parts[1:], strict=True):
            if operator == "CIRC":
                raise LatexError("compositions with \\circ are not read; write f(g(x))", part.start)
            node = Binary(item.start, part.end, operator, node, self.read(part))
        return node

    def _flat(self, item: Item) -> list[Item]:
        return list(item.parts) if item.kind == "product" else [item]

    def _big_place(self, item: Item) -> int | None:
        flat = self._flat(item)
        for n, part in enumerate(flat[:-1]):
            if _base(part).kind == "big":
                return n
        return None

    def _read_product(self, item: Item) -> Node:
        return self.product(list(item.parts), item)

    def _read_number(self, item: Item) -> Node:
        return Num(item.start, item.end, float(item.text) if "." in item.text else int(item.text))

    _read_digit = _read_number

    def _read_ones(self, item: Item) -> Node:
        return Ones(item.start, item.end)

    def _read_fraction(self, item: Item) -> Node:
        derivative = self._derivative(item)
        if derivative is not None:
            return derivative
        top, bottom = (self.read(_unwrap(p)) for p in item.parts)
        return Binary(item.start, item.end, "DIV", top, bottom)

    def _read_binomial(self, item: Item) -> Node:
        args = tuple(self.read(_unwrap(p)) for p in item.parts)
        return Builtin(item.start, item.end, "binom", args)

    def _read_root(self, item: Item) -> Node:
        return Builtin(item.start, item.end, "sqrt", (self.read(_unwrap(item.parts[0])),))

    def _read_braces(self, item: Item) -> Node:
        if len(item.parts) != 1:
            raise LatexError("one expression is expected in these braces", item.start)
        return self.read(item.parts[0])

    def _read_role(self, item: Item) -> Node:
        return self.read(_unwrap(item.parts[0]))

    def _read_matrix(self, item: Item) -> Node:
        rows = []
        for place, row in enumerate(item.parts):
            cells: list[Node] = []
            bare = len(row.parts) < 2 or not row.parts[1].parts
            if item.text == "cases" and bare and place < len(item.parts) - 1:
                raise LatexError("only the last row of cases may lack a condition", row.start)
            for n, cell in enumerate(row.parts):
                if cell.text and (item.text != "cases" or n != 1):
                    raise LatexError("words inside a formula are not read", cell.start)
                if item.text == "cases" and n > 1:
                    raise LatexError("cases have two columns", row.start)
                if item.text == "cases" and n == 1:
                    if not cell.parts:
                        cells.append(Compare(row.start, row.end, (), ()))
                    elif len(cell.parts) > 1:
                        raise LatexError("one condition is expected in each row", row.start)
                    else:
                        cells.append(self.compare(cell.parts[0]))
                elif len(cell.parts) != 1:
                    raise LatexError("one expression is expected in each cell", row.start)
                else:
                    cells.append(self.read(cell.parts[0]))
            rows.append(tuple(cells))
        return Matrix(item.start, item.end, item.text, tuple(rows))

    def _read_group(self, item: Item) -> Node:
        if item.text == "<":
            parts = item.parts
            if len(parts) != 2:
                raise LatexError("an inner product has two entries", item.start)
            return Builtin(item.start, item.end, "inner", tuple(self.read(p) for p in parts))
        if item.text in ("|", "||", "ceil", "floor"):
            name = {"|": "abs", "||": "norm"}.get(item.text, item.text)
            return Builtin(item.start, item.end, name, (self._one(item),))
        return self._one(item)

    def _one(self, item: Item) -> Node:
        if len(item.parts) != 1:
            raise LatexError("one expression is expected in this bracket", item.start)
        return self.read(item.parts[0])

    def _read_letter(self, item: Item) -> Node:
        return self.letter(item.text, (), item)

    def _read_accent(self, item: Item) -> Node:
        return self.scripted(item, (), item)

    def _read_scripted(self, item: Item) -> Node:
        base, *scripts = item.parts
        return self.scripted(base, tuple(scripts), item)

    def _read_named(self, item: Item) -> Node:
        if self.has(item.text) and not self.is_function(item.text):
            return self.letter(item.text, (), item)
        raise LatexError(f"{item.text} needs an argument", item.start)

    def _read_big(self, item: Item) -> Node:
        raise LatexError("there is nothing under this sum sign", item.end)

    def _read_dots(self, item: Item) -> Node:
        raise LatexError("dots stand for something this reader cannot know", item.start)

    def _read_nabla(self, item: Item) -> Node:
        raise LatexError("nabla needs a quantity after it", item.end)

    def _read_partial(self, item: Item) -> Node:
        raise LatexError("a lone partial sign; write \\frac{\\partial J}{\\partial x}", item.start)

    # Letters with scripts --------------------------------------------------------------------
    def scripted(self, base: Item, scripts: tuple[Item, ...], item: Item) -> Node:
        base, scripts = _merge(base, scripts)
        named = base.kind == "named" and self.has(base.text) and not self.is_function(base.text)
        if base.kind == "letter" or named:
            return self.letter(base.text, scripts, item)
        if base.kind == "accent":
            return self._accented(base, scripts, item)
        if base.kind == "ones":
            sub = _one_sub(scripts)
            node: Node = Ones(item.start, item.end)
            if sub is not None:
                node = Ones(item.start, item.end, self.read(_unwrap(sub.parts[0])))
            return self._powers(node, _without_subs(scripts), item)
        if base.kind == "group" and base.text in ("|", "||"):
            sub = _one_sub(scripts, "a norm")
            if base.text == "|" and sub is not None:
                raise LatexError("an absolute value has no subscript; a norm is ||x||", sub.start)
            name = "abs" if base.text == "|" else "norm"
            label = _named_by(sub, "a norm")
            node = Builtin(item.start, item.end, name, (self._one(base),), label)
            return self._powers(node, _without_subs(scripts), item)
        if base.kind == "transposed":
            raise LatexError("a transposition sign that is not a superscript", item.start)
        return self._index_and_powers(self.read(base), list(scripts), item)

    def _powers(self, node: Node, scripts: list[Item], item: Item) -> Node:
        """Transposition, powers and entrywise powers, as superscripts."""
        for script in scripts:
            if script.kind == "prime":
                raise LatexError("this prime follows nothing that can be differentiated",
                                 script.start)  # fmt: skip
            if script.kind == "entrypower":
                exponent = self.read(_unwrap(script.parts[0]))
                node = Power(item.start, item.end, node, exponent, entrywise=True)
                continue
            content = _unwrap(script.parts[0])
            parts = list(content.parts) if content.kind == "product" else [content]
            if parts and parts[-1].kind == "transposed":
                if len(parts) > 1:
                    raise LatexError("only a layer may stand before the transposition sign",
                                     script.start)  # fmt: skip
                node = Transposed(item.start, item.end, node)
            else:
                node = Power(item.start, item.end, node, self.read(content))
        return node

    def letter(self, name: str, scripts: tuple[Item, ...], item: Item) -> Node:
        ref, rest, primes = self.reference(name, scripts, item)
        if primes:
            if isinstance(ref, Ref) and self.is_function(ref.name):
                raise LatexError(f"{ref.name}' needs its argument in parentheses", item.start)
            raise LatexError(f"a prime on {name}, which is not bound to a function", item.start)
        if isinstance(ref, Ref) and self.is_function(ref.name):
            raise LatexError(
                f"{ref.name} is bound to a function and needs its argument in parentheses",
                item.start,
            )
        euler = name == "e" and not self.has("e") and isinstance(ref, Idx)
        if euler and rest and rest[0].kind == "super":
            exponent = self.read(_unwrap(rest[0].parts[0]))
            node: Node = Builtin(item.start, item.end, "exp", (exponent,))
            return self._powers(node, rest[1:], item)
        return self._powers(ref, rest, item)

    def reference(
        self, name: str, scripts: tuple[Item, ...], item: Item
    ) -> tuple[Node, list[Item], int]:
        """The letter with its layer and subscripts; the scripts left over; the primes."""
        primes = sum(s.kind == "prime" for s in scripts)
        rest = [s for s in scripts if s.kind not in ("prime", "sub")]
        sub = _one_sub(scripts)
        primed = name + "'" * primes
        spelled = _name(sub.parts[0]) if sub is not None else None
        for candidate in (name + "_prime" * primes, name):
            if spelled is not None and self.has(f"{candidate}_{spelled}"):
                name, sub = f"{candidate}_{spelled}", None
                primes = 0 if candidate.endswith("_prime") else primes
                break
        if primes and self.has(name + "_prime" * primes):
            name, primes = name + "_prime" * primes, 0
        starred = [s for s in rest if _name(s.parts[0]) in ("ast", "star")][:1]
        if starred and self.has(f"{name}_star"):
            name, rest = f"{name}_star", [s for s in rest if s not in starred]
        layer: Node | None = None
        if name in self.families:
            layer, rest, sub = self._layer(name, rest, sub, item)
        else:
            for script in rest:
                content = _unwrap(script.parts[0])
                for part in _parts(content):
                    if part.kind == "group" and part.text == "[" and self.has(name):
                        raise LatexError(f"{name} carries a layer but is bound without layers",
                                         part.start)  # fmt: skip
        if name == "delta" and sub is not None and not rest and layer is None:
            pair = self.subscripts(sub)
            if len(pair) == 2 and not self._has_axes(name, 2):
                return Kronecker(item.start, item.end, *pair), rest, primes
        if self.has(name):
            subscripts = self.subscripts(sub) if sub is not None else None
            return Ref(item.start, item.end, name, layer, subscripts), rest, primes
        if sub is not None:
            raise self.unknown(item, f"{name} (with a subscript)")
        if name == "pi":
            return Num(item.start, item.end, 3.141592653589793), rest, primes
        node = Idx(item.start, item.end, primed)
        if name != "e" and primed not in self.bound:
            self.indices.setdefault(primed, []).append(node)
        return node, rest, 0

    def _has_axes(self, name: str, axes: int) -> bool:
        value: Any = self.single.get(name)
        return value is not None and np.ndim(value) == axes

    def _layer(self, name: str, rest: list[Item], sub: Item | None, item: Item):
        """The layer of a letter with layers: `^{[l]}`, `^{(l)}`, a bare superscript, or `_l`."""
        layer: Node | None = None
        left: list[Item] = []
        bare: Item | None = None
        for script in rest:
            if script.kind != "super":
                left.append(script)
                continue
            content = _unwrap(script.parts[0])
            parts = _parts(content)
            groups = [p for p in parts if p.kind == "group" and p.text in ("[", "(")]
            others = [p for p in parts if p not in groups]
            if groups and layer is None:
                layer = self._one_index(groups[0])
                if others:
                    left.append(replace(script, parts=(_product(others, script),)))
            elif others and others[0].kind == "transposed":
                left.append(script)
            elif bare is None and layer is None:
                bare = script
            else:
                left.append(script)
        if layer is None and sub is not None and (self.is_function(name) or bare is None):
            # A function or a matrix of the i-th layer, written W_i.
            pieces = self.subscripts(sub)
            if len(pieces) == 1:
                layer, sub = pieces[0], None
        if layer is None and bare is not None:
            layer = self.index(_unwrap(bare.parts[0]))
            bare = None
        if bare is not None:
            left.append(bare)
        if layer is None:
            raise LatexError(f"{name} has layers; say which, as in {name}^{{[l]}}", item.start)
        return layer, left, sub

    def _one_index(self, group: Item) -> Node:
        if len(group.parts) != 1:
            raise LatexError("one layer is expected here", group.start)
        return self.index(group.parts[0])

    # Subscripts ------------------------------------------------------------------------------
    def subscripts(self, sub: Item) -> tuple[Node, ...]:
        content = sub.parts[0]
        entries = content.parts if content.kind == "braces" else (content,)
        indices: list[Node] = []
        for entry in entries:
            entry = _unwrap(entry)
            if entry.kind == "product":
                indices.extend(self.index(p) for p in entry.parts)
            elif entry.kind == "number" and len(entries) == 1 and entry.text.isdigit():
                indices.extend(Num(entry.start, entry.end, int(d)) for d in entry.text)
            elif entry.kind == "relation":
                raise LatexError("a relation is not expected in this subscript", entry.start)
            else:
                indices.append(self.index(entry))
        return tuple(indices)

    def index(self, item: Item) -> Node:
        """An index: here a letter is a whole number, whatever else it is bound to."""
        item = _unwrap(item)
        if item.kind == "colon":
            return Slice(item.start, item.end)
        if item.kind in ("number", "digit"):
            if not item.text.isdigit():
                raise LatexError("a subscript is a whole number", item.start)
            return Num(item.start, item.end, int(item.text))
        if item.kind == "letter":
            return self._index_letter(item.text, item)
        if item.kind == "scripted":
            base, *scripts = item.parts
            base = _unwrap(base)
            if base.kind == "letter" and all(s.kind == "prime" for s in scripts):
                return self._index_letter(base.text + "'" * len(scripts), item)
            return self.read(item)
        if item.kind == "sum":
            return Add(item.start, item.end, item.text, tuple(self.index(p) for p in item.parts))
        if item.kind == "product":
            for part in item.parts:
                if part.kind == "operator" and part.text != "CDOT":
                    raise LatexError("a quotient is not read in a subscript", part.start)
            parts = tuple(self.index(p) for p in item.parts if p.kind != "operator")
            return Mul(item.start, item.end, parts, (False,) * len(parts))
        if item.kind == "group":
            return self._one_index(item)
        raise LatexError(f"this subscript is not read: {item.kind} {item.text}", item.start)

    def _index_letter(self, name: str, item: Item) -> Node:
        if self.is_count(name) and name not in self.bound:
            return Ref(item.start, item.end, name)
        return Idx(item.start, item.end, name)

    # Accents: adjoints and tangents ------------------------------------------------------------
    def _accented(self, accent: Item, scripts: tuple[Item, ...], item: Item) -> Node:
        inner, more = _merge(_unwrap(accent.parts[0]), ())
        if inner.kind != "letter":
            raise LatexError("an accent is read over one letter", accent.start)
        for script in more:
            if script.kind != "sub" and not self._stays_inside(inner.text, script):
                raise LatexError("a power under an accent is not read", script.start)
        scripts = (*more, *scripts)
        plain = f"{inner.text}_{accent.text}"
        if self.has(plain):
            return self.letter(plain, scripts, item)
        ref, rest, primes = self.reference(inner.text, scripts, item)
        if primes or not isinstance(ref, Ref):
            raise self.unknown(accent, plain)
        if accent.text == "bar" and self.has(self.letters.loss):
            loss = Ref(item.start, item.end, self.letters.loss)
            return self._powers(Deriv(item.start, item.end, loss, ref), rest, item)
        if accent.text == "dot":
            return self._powers(Tangent(item.start, item.end, ref), rest, item)
        raise self.unknown(accent, plain)

    def _stays_inside(self, name: str, script: Item) -> bool:
        """Whether the accent of `x` with this script is the accented x with that script."""
        if script.kind != "super":
            return False
        parts = _parts(script.parts[0])
        return name in self.families or all(p.kind == "transposed" for p in parts)

    # Products ----------------------------------------------------------------------------------
    def product(self, parts: list[Item], item: Item) -> Node:
        """Factors side by side: applications, derivatives, sums and the product of the rest."""
        parts = _join_empty(parts)
        parts = _slash_derivatives(parts, self)
        nodes: list[Node] = []
        dots: list[bool] = []
        i = 0
        pending = ""
        while i < len(parts):
            part = parts[i]
            if part.kind == "operator":
                if pending:
                    raise LatexError("two operators in a row", part.start)
                if not nodes:
                    raise LatexError("an operator with nothing before it", part.start)
                pending = part.text
                i += 1
                continue
            node, used = self.factor(parts, i)
            i += used
            if pending == "SLASH":
                node = Binary(nodes[-1].start, node.end, "DIV", nodes.pop(), node)
                nodes.append(node)
            else:
                nodes.append(node)
                dots.append(pending == "CDOT")
            pending = ""
        if pending:
            raise LatexError("an operator with nothing after it", parts[-1].start)
        if not nodes:
            raise LatexError("there is nothing here", item.start)
        if len(nodes) == 1:
            return nodes[0]
        return Mul(item.start, item.end, tuple(nodes), tuple(dots))

    def factor(self, parts: list[Item], i: int) -> tuple[Node, int]:
        """The factor that begins at parts[i], and how many parts it takes."""
        part = parts[i]
        base, scripts = _merge(part, ())
        following = parts[i + 1] if i + 1 < len(parts) else None
        rest = parts[i + 1 :]
        if base.kind == "big":
            body = self._scope(base, scripts, rest, part)
            return body, len(parts) - i
        if base.kind == "nabla":
            return self._nabla(scripts, parts, i)
        if base.kind == "named" and (self.is_function(base.text) or not self.has(base.text)):
            return self._named(base, scripts, parts, i)
        if base.kind == "ones" and following is not None:
            group, more = _merge(following, ())
            if group.kind == "group" and group.text == "[" and not scripts:
                if len(group.parts) != 1:
                    raise LatexError("one condition is expected here", group.start)
                node: Node = Indicator(part.start, group.end, self.compare(group.parts[0]))
                return self._powers(node, list(more), part), 2
        if base.kind == "fraction" and not scripts:
            head = self._operator_fraction(base)
            if head is not None:
                if not rest:
                    raise LatexError("a derivative of nothing", base.end)
                node, used = self._argument(parts, i + 1)
                # A bar that ends the term belongs to the derivative: d/dx first, then x = 0.
                bar = node if isinstance(node, At) and self._is_bar(parts[i + used]) else None
                node = bar.body if bar else node
                for by in head:
                    node = Deriv(part.start, parts[i + used].end, node, by)
                if bar:
                    return replace(bar, start=part.start, body=node), 1 + used
                return self._bar(node, parts, i + 1 + used, 1 + used)
        if base.kind == "letter" and following is not None:
            group, more = _merge(following, ())
            if group.kind == "group" and group.text in ("(", "["):
                applied = self._application(base, scripts, group, more, part)
                if applied is not None:
                    return applied, 2
            if base.text == "d" and not self.has("d") and not scripts:
                inner, used = self.factor(parts, i + 1)
                return Tangent(part.start, inner.end, inner), 1 + used
        node = self.read(part)
        return self._bar(node, parts, i + 1, 1)

    def _is_bar(self, part: Item) -> bool:
        return _merge(part, ())[0].kind == "evalbar"

    def _bar(self, node: Node, parts: list[Item], place: int, used: int) -> tuple[Node, int]:
        """`\\Big|_{r=0}` after an expression."""
        if place >= len(parts):
            return node, used
        base, scripts = _merge(parts[place], ())
        if base.kind != "evalbar":
            return node, used
        plain = len(scripts) == 1 and scripts[0].kind == "sub"
        condition = _unwrap(scripts[0].parts[0]) if plain else None
        if condition is None or condition.kind != "relation" or condition.text != "=":
            raise LatexError("the bar needs a subscript such as r = 0", parts[place].start)
        ref = self.read(condition.parts[0])
        if not isinstance(ref, Ref):
            raise self.unknown(condition, "at the bar")
        return At(node.start, parts[place].end, node, ref, self.read(condition.parts[1])), used + 1

    def _application(self, base: Item, scripts, group: Item, more, part: Item) -> Node | None:
        """`f(x)`, `\\phi_l'(Z)`, `\\mathsf J_f(x)`, `O(h^2)`: None when it is a product."""
        name = base.text
        if name == "O" and not self.has("O") and not scripts:
            node: Node = BigO(part.start, group.end, self._one(group))
            return self._powers(node, list(more), part)
        if name == "sfJ" and not self.has("sfJ"):
            sub = _one_sub(scripts)
            if sub is None:
                return None
            inner, inner_scripts = _merge(_unwrap(sub.parts[0]), ())
            if inner.kind == "letter":
                ref, left, primes = self.reference(inner.text, inner_scripts, part)
                if isinstance(ref, Ref) and self.is_function(ref.name) and not primes:
                    if left or ref.subs is not None:
                        raise LatexError(
                            "the Jacobian of a function has its letter only", sub.start
                        )
                    args = tuple(self.read(p) for p in group.parts)
                    node = Apply(part.start, group.end, ref.name, ref.layer, 0, args, True)
                    others = [*_without_subs(scripts), *more]
                    return self._index_and_powers(node, others, part)
            return None
        known = self.has(name) or any(k.startswith(name + "_") for k in self.single)
        if not known:
            return None
        ref, left, primes = self.reference(name, tuple(scripts), part)
        if not isinstance(ref, Ref) or not self.is_function(ref.name):
            return None
        args = tuple(self.read(p) for p in group.parts)
        node = Apply(part.start, group.end, ref.name, ref.layer, primes, args)
        if ref.subs is not None:
            # f_i(x) with one function f: the i-th entry of what it returns.
            node = Index(part.start, group.end, node, ref.subs)
        node = self._powers(node, left, part)
        return self._index_and_powers(node, list(more), part)

    def _index_and_powers(self, node: Node, scripts: list[Item], part: Item) -> Node:
        sub = _one_sub(scripts)
        if sub is not None:
            node = Index(part.start, part.end, node, self.subscripts(sub))
        return self._powers(node, _without_subs(scripts), part)

    def _argument(self, parts: list[Item], i: int) -> tuple[Node, int]:
        """What an operator written without parentheses takes: the next factor."""
        node, used = self.factor(parts, i)
        return node, used

    def _named(self, base: Item, scripts, parts: list[Item], i: int) -> tuple[Node, int]:
        name = base.text
        part = parts[i]
        rest = parts[i + 1 :]
        primes = sum(s.kind == "prime" for s in scripts)
        sub = _one_sub(scripts, name)
        powers = [s for s in scripts if s.kind in ("super", "entrypower")]
        if not rest or rest[0].kind == "operator":
            raise LatexError(f"{name} needs an argument", base.end)
        group, more = _merge(rest[0], ())
        if self.has(name) and self.is_function(name):
            # softmax_k(z) with one function softmax: the k-th entry of what it returns.
            own = ([sub] if sub is not None else []) + powers
            if group.kind != "group":
                node, used = self._argument(parts, i + 1)
                node = Apply(part.start, node.end, name, None, primes, (node,))
                return self._index_and_powers(node, own, part), 1 + used
            args = tuple(self.read(p) for p in group.parts)
            node = Apply(part.start, group.end, name, None, primes, args)
            return self._index_and_powers(
                self._index_and_powers(node, own, part), list(more), part
            ), 2
        if name in REDUCE and sub is not None:
            return self._scope(base, scripts, rest, part), len(parts) - i
        if name not in ELEMENTWISE | OPERATORS | REDUCE:
            raise LatexError(f"the operator {name} is neither known nor bound", base.start)
        label = _named_by(sub, name)
        if label and not (name == "vec" or (name == "log" and label.isdigit())):
            raise LatexError(f"{name} with the subscript {label} is not read", base.start)
        if group.kind == "group" and group.text in ("(", "[", "{"):
            args = tuple(self.read(p) for p in group.parts)
            node = Builtin(part.start, group.end, name, args, label, primes)
            node = self._powers(node, powers, part)
            return self._index_and_powers(node, list(more), part), 2
        # Without parentheses the argument reaches to the next operator, or is one factor.
        end = 1
        while end < len(rest) and _merge(rest[end], ())[0].kind not in ("named", "operator", "big"):
            end += 1
        if name in NARROW or _merge(rest[0], ())[0].kind in ("big", "named", "nabla"):
            node, used = self.factor(rest, 0)
            end = used
        else:
            node = self.product(rest[:end], rest[0])
        result = Builtin(part.start, node.end, name, (node,), label, primes)
        return self._powers(result, powers, part), 1 + end

    def _scope(self, base: Item, scripts, rest: list[Item], part: Item) -> Node:
        """A sum (product, maximum) over an index: its body is the rest of the term."""
        name = base.text
        sub = _one_sub(scripts, "this sign")
        tops = _without_subs(scripts)
        top = tops[0] if tops else None
        if sub is None:
            raise LatexError(f"say under the {name} sign which index it runs over", base.start)
        if len(tops) > 1 or (top is not None and top.kind != "super"):
            raise LatexError(f"what stands above this {name} sign is not read", tops[-1].start)
        if not rest:
            raise LatexError("there is nothing under this sum sign", part.end)
        content = sub.parts[0]
        entries = list(content.parts) if content.kind == "braces" else [content]
        high = self.read(_unwrap(top.parts[0])) if top is not None else None
        names: list[tuple[str, Node | None, Node | None, Item | None]] = []
        for entry in entries:
            entry = _unwrap(entry)
            if entry.kind == "relation":
                index = self.index(entry.parts[0])
                if not isinstance(index, Idx) or len(entry.parts) != 2:
                    raise LatexError("this range is not read", entry.start)
                if entry.text == "=":
                    names.append((index.name, self.read(entry.parts[1]), high, None))
                else:
                    names.append((index.name, None, None, entry))
            else:
                for piece in _parts(entry):
                    index = self.index(piece)
                    if not isinstance(index, Idx):
                        raise LatexError("a sum runs over an index letter", piece.start)
                    names.append((index.name, None, None, None))
        if top is not None and any(low is None for _, low, _, _ in names):
            raise LatexError("a last value without a first: write j = 1 beneath it", sub.start)
        for index_name, *_ in names:
            if index_name in self.bound:
                raise LatexError(f"the index {index_name} is summed twice", sub.start)
            self.bound.append(index_name)
        conditions = [self.compare(c) if c is not None else None for *_, c in names]
        body = self.product(rest, _product(rest, part)) if len(rest) > 1 else self.read(rest[0])
        for (index_name, low, top_node, _), condition in zip(
            reversed(names), reversed(conditions), strict=True
        ):
            self.bound.remove(index_name)
            body = Big(part.start, rest[-1].end, name, index_name, low, top_node, condition, body)
        return body

    # Derivatives ---------------------------------------------------------------------------------
    def _nabla(self, scripts, parts: list[Item], i: int) -> tuple[Node, int]:
        part = parts[i]
        sub = _one_sub(scripts, "nabla")
        powers = _without_subs(scripts)
        order = 1
        if powers:
            plain = len(powers) == 1 and powers[0].kind == "super"
            if not plain or _name(powers[0].parts[0]) != "2":
                raise LatexError("only \\nabla^2 is read", part.start)
            order = 2
        if i + 1 >= len(parts) or parts[i + 1].kind == "operator":
            raise LatexError("nabla needs a quantity after it", part.end)
        if sub is None:
            raise LatexError("say by what: \\nabla_W J", part.start)
        by = self._variable(_unwrap(sub.parts[0]))
        body, used = self._argument(parts, i + 1)
        node = Deriv(part.start, body.end, body, by)
        if order == 2:
            node = Deriv(part.start, body.end, node, by)
        return node, 1 + used

    def _variable(self, item: Item) -> Ref:
        node = self.read(item)
        if not isinstance(node, Ref):
            raise LatexError("a derivative is taken by a letter of the binding", item.start)
        return node

    def _is_differential(self, item: Item) -> str:
        """'partial' or 'd' when the item is such a sign (perhaps with a power), else ''."""
        base, scripts = _merge(item, ())
        if any(s.kind not in ("super",) for s in scripts):
            return ""
        if base.kind == "partial":
            return "partial"
        if base.kind == "letter" and base.text == "d" and not self.has("d"):
            return "d"
        return ""

    def _derivative(self, item: Item) -> Node | None:
        """A fraction that is a derivative, or None."""
        top, bottom = (_unwrap(p) for p in item.parts)
        numerator = _parts(top)
        if not self._is_differential(numerator[0]) or len(numerator) < 2:
            return None
        by = self._denominator(bottom)
        order = _order(numerator[0])
        if order != len(by):
            raise LatexError(f"order {order} above, {len(by)} variables below", item.start)
        body = self.product(numerator[1:], top) if len(numerator) > 2 else self.read(numerator[1])
        node = body
        for ref in reversed(by):
            node = Deriv(item.start, item.end, node, ref)
        return node

    def _operator_fraction(self, item: Item) -> list[Ref] | None:
        """`\\frac{d}{dx}` without a numerator: the variables, innermost first."""
        top, bottom = (_unwrap(p) for p in item.parts)
        numerator = _parts(top)
        if len(numerator) != 1 or not self._is_differential(numerator[0]):
            return None
        return list(reversed(self._denominator(bottom)))

    def _denominator(self, bottom: Item) -> list[Ref]:
        refs: list[Ref] = []
        parts = _parts(bottom)
        i = 0
        while i < len(parts):
            if not self._is_differential(parts[i]) or i + 1 >= len(parts):
                raise LatexError("a variable after \\partial is expected here", bottom.start)
            times = 1
            variable = parts[i + 1]
            base, scripts = _merge(variable, ())
            squared = [s for s in scripts if s.kind == "super" and _name(s.parts[0]) in ("2", "3")]
            if squared and base.kind == "letter" and base.text not in self.families:
                times = int(_name(squared[0].parts[0]) or 1)
                kept = tuple(s for s in scripts if s not in squared)
                variable = replace(variable, kind="scripted", parts=(base, *kept))
            refs.extend([self._variable(variable)] * times)
            i += 2
        return refs


# --------------------------------------------------------------------------------------------
# Items: small helpers


def _unwrap(item: Item) -> Item:
    """Look through braces and colour macros around one expression."""
    while item.kind in ("braces", "role") and len(item.parts) == 1:
        item = item.parts[0]
    return item


def _merge(item: Item, scripts: tuple[Item, ...]) -> tuple[Item, tuple[Item, ...]]:
    """The base of a scripted item and all its scripts, through braces and colour macros."""
    while True:
        item = _unwrap(item)
        if item.kind != "scripted":
            return item, scripts
        base, *own = item.parts
        scripts = (*own, *scripts)
        item = base


def _base(item: Item) -> Item:
    return _merge(item, ())[0]


def _parts(item: Item) -> list[Item]:
    item = _unwrap(item)
    return list(item.parts) if item.kind == "product" else [item]


def _product(parts: list[Item], like: Item) -> Item:
    if len(parts) == 1:
        return parts[0]
    start = parts[0].start if parts else like.start
    end = parts[-1].end if parts else like.end
    return Item("product", "", tuple(parts), start, end)


def _name(item: Item) -> str | None:
    """What a script spells (`W_1`, `p_{\\max}`, `N_{\\nabla f}`), or None when it is no name.

    A sum, a list, an accent or a fraction is no name: nothing of a script is ever left out.
    """
    if item.kind in ("letter", "number", "digit", "named", "transposed", "ones"):
        return item.text
    if item.kind in ("nabla", "partial"):
        return item.kind
    if item.kind not in ("braces", "role", "product") or not item.parts:
        return None
    if item.kind != "product" and len(item.parts) != 1:
        return None
    names = [_name(p) for p in item.parts]
    return None if None in names else "".join(n for n in names if n)


def _named_by(script: Item | None, what: str) -> str:
    """The word that a script must be; LatexError when it is anything else."""
    if script is None:
        return ""
    name = _name(script.parts[0])
    if name is None:
        raise LatexError(f"one letter, number or word is expected at {what}", script.start)
    return name


def _order(sign: Item) -> int:
    _, scripts = _merge(sign, ())
    if not scripts:
        return 1
    order = _named_by(scripts[0], "this sign") if len(scripts) == 1 else ""
    if not order.isdigit():
        raise LatexError("the order of a derivative is a number", sign.start)
    return int(order)


def _one_sub(scripts, what: str = "a letter") -> Item | None:
    """The subscript among the scripts; LatexError when there are two."""
    subs = [s for s in scripts if s.kind == "sub"]
    if len(subs) > 1:
        raise LatexError(f"two subscripts at {what}", subs[1].start)
    return subs[0] if subs else None


def _without_subs(scripts) -> list[Item]:
    return [s for s in scripts if s.kind != "sub"]


def _join_empty(parts: list[Item]) -> list[Item]:
    """`W^{[l]}{}^{\\mathsf T}`: the scripts of an empty group belong to what stands before."""
    joined: list[Item] = []
    for part in parts:
        if part.kind == "braces" and not part.parts:
            continue
        if part.kind == "scripted" and part.parts[0].kind == "braces" and joined:
            base, *scripts = part.parts
            if not base.parts:
                previous = joined.pop()
                joined.append(Item("scripted", "", (previous, *scripts), previous.start, part.end))
                continue
        joined.append(part)
    return joined


def _slash_derivatives(parts: list[Item], reader: Reader) -> list[Item]:
    """`\\partial J/\\partial x` in a line of text is the fraction it stands for."""
    result: list[Item] = []
    i = 0
    while i < len(parts):
        if (
            i + 4 < len(parts)
            and parts[i + 2].kind == "operator"
            and parts[i + 2].text == "SLASH"
            and reader._is_differential(parts[i])
            and reader._is_differential(parts[i + 3])
        ):
            start, end = parts[i].start, parts[i + 4].end
            top = Item("product", "", (parts[i], parts[i + 1]), start, parts[i + 1].end)
            bottom = Item("product", "", (parts[i + 3], parts[i + 4]), parts[i + 3].start, end)
            result.append(Item("fraction", "", (top, bottom), start, end))
            i += 5
        else:
            result.append(parts[i])
            i += 1
    return result
