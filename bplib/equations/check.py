"""Checking a printed equation: it must hold on every draw, and refuse the wrong forms given.

equation("eq-affine-vjp").holds(
    A=normal("B", "m"), W=normal("m", "n"), Z=lambda A, W: A @ W, J=lambda Z: (Z**3).sum(),
    Delta=gradient("J", "Z"),
).rejects(r"\\Delta^{\\mathsf T} A", because="this is the transpose of it")
"""

from __future__ import annotations

import html
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from . import meaning as m
from . import values as val
from .evaluate import Axis, Evaluator, Misread, Unbounded, free_indices, layer_indices, settings
from .latex import Item, LatexError, Statement, statements
from .letters import USED, Draw, Family, Kink, Letters, LettersError
from .source import Book, EquationError, Source, read
from .values import Refusal

WRONG = 1e-6  # a form is refused by value when it is off by more than this (relative)
FLOOR = 0.1  # sides smaller than this are compared absolutely
ATTAINED, LOOSE = 1e-9, 1e-3  # a bound is attained, or clearly not, when the sides are this close


@dataclass(frozen=True)
class Link:
    """One relation between two sides, and where it stands in the LaTeX."""

    left: m.Node
    relation: str
    right: m.Node
    start: int
    end: int
    left_end: int


@dataclass
class Formula:
    """What one display asserts, read against a binding."""

    latex: str
    links: list[Link]
    ranges: dict[str, tuple[m.Node, m.Node]]  # l = 1, \dots, L - 1
    conditions: list[m.Compare]  # l < L
    counted: list[tuple[int, list[m.Node]]] = field(default_factory=list)  # 1, 2 of 1, 2, \dots

    def shown(self, link: Link) -> str:
        return " ".join(self.latex[link.start : link.end].replace("&", "").split())


def read_formula(latex: str, letters: Letters) -> Formula:
    """Parse and resolve a display; LatexError (with its offset) for what cannot be read."""
    reader = m.Reader(letters)
    pieces = statements(latex)
    if not pieces:
        raise LatexError("there is no formula here", 0)
    formula = Formula(latex, [], {}, [])
    previous: Item | None = None
    i = 0
    while i < len(pieces):
        piece = pieces[i]
        used = _range_clause(pieces, i, reader, formula)
        if used:
            i += used
            continue
        sides = list(piece.sides)
        if piece.continues:
            if previous is None:
                raise LatexError("a relation with nothing on its left", piece.start)
            sides.insert(0, previous)
        if len(sides) == 1:
            raise LatexError("this asserts nothing: a relation such as = is expected", piece.start)
        if not piece.continues and _is_condition(sides, reader):
            nodes = tuple(reader.index(s) for s in sides)
            formula.conditions.append(m.Compare(piece.start, sides[-1].end, piece.relations, nodes))
        else:
            for left, relation, right in zip(sides[:-1], piece.relations, sides[1:], strict=True):
                one, two = reader.read(left), reader.read(right)
                if relation == "<-":
                    one, relation = _updated(one, reader, left), "="
                formula.links.append(Link(one, relation, two, left.start, right.end, left.end))
            previous = sides[-1]
        i += 1
    if not formula.links:
        raise LatexError("there is no equation here", 0)
    _check_indices(reader, formula)
    return formula


def _updated(node: m.Node, reader: m.Reader, item: Item) -> m.Node:
    """The left side of `W \\leftarrow ...`: the code's own new value, bound to `W_new`."""
    if not isinstance(node, m.Ref):
        raise LatexError("an assignment has one letter on its left", item.start)
    name = f"{node.name}_new"
    if not reader.has(name):
        raise LatexError(f"bind {name} to the value that the code assigns", item.start)
    return replace(node, name=name)


def _range_clause(pieces: list[Statement], i: int, reader, formula: Formula) -> int:
    """`l = 1, \\dots, L-1` takes three pieces or more; 0 when there is no such clause at i."""
    first = pieces[i]
    if first.continues or first.relations != ("=",) or first.sides[0].kind != "letter":
        return 0
    name = first.sides[0].text
    if reader.has(name) and not isinstance(reader.single.get(name), int):
        return 0
    j = i + 1
    while j < len(pieces) and not pieces[j].relations and pieces[j].sides[0].kind != "dots":
        j += 1
    if j + 1 >= len(pieces) or pieces[j].relations or pieces[j].sides[0].kind != "dots":
        return 0
    last = pieces[j + 1]
    if last.relations:
        return 0
    ends = [reader.index(first.sides[1]), reader.index(last.sides[0])]
    steps = [reader.index(p.sides[0]) for p in pieces[i + 1 : j]]
    # `l = L-1, \dots, 1` counts down: its second end is the lower.
    down = isinstance(ends[1], m.Num) and not isinstance(ends[0], m.Num)
    formula.ranges[name] = (ends[1], ends[0]) if down else (ends[0], ends[1])
    formula.counted.append((-1 if down else 1, [ends[0], *steps]))
    return j + 2 - i


def _is_condition(sides: list[Item], reader: m.Reader) -> bool:
    """A relation between indices and sizes only, such as `l < L`."""

    def whole(item: Item) -> bool:
        match item.kind:
            case "letter":
                return not reader.has(item.text) or reader.is_count(item.text)
            case "number":
                return True
            case "sum":
                return all(whole(p) for p in item.parts)
        return False

    letters = [p for s in sides for p in _letters(s)]
    return all(whole(s) for s in sides) and any(not reader.has(p) for p in letters)


def _letters(item: Item) -> Iterator[str]:
    if item.kind == "letter":
        yield item.text
    for part in item.parts:
        yield from _letters(part)


def _check_indices(reader: m.Reader, formula: Formula) -> None:
    """A letter that is not bound is an index only if it stands at an array or has a range.

    What is said of an index must be about one that the equations have.
    """
    sides = [side for link in formula.links for side in (link.left, link.right)]
    used = {p.name for side in sides for p in m.walk(side) if isinstance(p, m.Idx)}
    for name, (low, _) in formula.ranges.items():
        if name not in used:
            raise LatexError(f"a range of {name}, which no equation here has", low.start)
    for condition in formula.conditions:
        for part in m.walk(condition):
            if isinstance(part, m.Idx) and part.name not in used:
                raise LatexError(f"a condition on {part.name}, which no equation here has",
                                 condition.start)  # fmt: skip
    indices = set(formula.ranges) | set(reader.ranges)
    for link in formula.links:
        for side in (link.left, link.right):
            for node in m.walk(side):
                subs = getattr(node, "subs", None) or ()
                layer = getattr(node, "layer", None)
                for place in [*subs, *([layer] if layer is not None else [])]:
                    indices |= {p.name for p in m.walk(place) if isinstance(p, m.Idx)}
    for name, places in reader.indices.items():
        if name not in indices:
            item = Item("letter", name, (), places[0].start, places[0].end)
            raise reader.unknown(item, name)


# --------------------------------------------------------------------------------------------
# One formula on one draw


@dataclass
class Outcome:
    """What one link did on one draw: the error in units of the side, or a refusal.

    `slack` is how close an inequality came to an equation, in the same units.
    """

    error: float = 0.0
    slack: float = math.inf
    cause: Refusal | None = None
    stencil: bool = False
    setting: str = ""


def loops(
    formula: Formula, link: Link, draw: Draw, given: dict[str, range] | None = None
) -> dict[str, list[int]]:
    """The values of the indices that are numbers: layers, and those with a stated range."""
    both = {**free_indices(link.left), **free_indices(link.right)}
    layers = layer_indices(link.left) | layer_indices(link.right)
    evaluator = Evaluator(draw.state)
    for step, nodes in formula.counted:
        shown = [evaluator.whole(n) for n in nodes]
        for before, after, node in zip(shown, shown[1:], nodes[1:], strict=False):
            if after != before + step:
                raise Misread("a range counts by ones, as in 1, 2, \\dots, L", node)
    result: dict[str, list[int]] = {}
    for name in both:
        if given is not None and name in given:
            result[name] = list(given[name])
        elif name in formula.ranges:
            low, high = (evaluator.whole(n) for n in formula.ranges[name])
            result[name] = list(range(low, high + 1))
        elif name in draw.ranges:
            result[name] = list(draw.ranges[name])
        elif name in layers:
            result[name] = Evaluator(draw.state, _any(result)).layers([link.left, link.right], name)
    return result


def _any(ranges: dict[str, list[int]]) -> dict[str, int | Axis]:
    return {k: v[0] for k, v in ranges.items() if v}


def evaluate_link(
    formula: Formula, link: Link, draw: Draw, ranges: dict[str, list[int]]
) -> Outcome:
    """Both sides of one relation at every setting of the looped indices."""
    outcome = Outcome()
    USED.stencil = False
    both = {**free_indices(link.left), **free_indices(link.right)}
    tried = 0
    for setting in settings(ranges):
        evaluator = Evaluator(draw.state, dict(setting))
        if not all(_holds(evaluator, c) for c in formula.conditions):
            continue
        tried += 1
        try:
            free = set(both) - set(setting)
            found = evaluator.lengths([link.left, link.right], free)
            for name in free:
                if name not in found:
                    raise Unbounded(f"nothing says how far the index {name} runs", both[name])
                evaluator.indices[name] = Axis(evaluator.agree(name, found[name]))
            error, slack = _compare(evaluator, link)
            outcome.slack = min(outcome.slack, slack)
        except Refusal as refusal:
            outcome.cause = refusal
            outcome.setting = _show_setting(setting)
            break
        except (ArithmeticError, ValueError, IndexError, np.linalg.LinAlgError) as trouble:
            # A function of the binding, or NumPy, cannot take these values.
            outcome.cause = Refusal("value", f"it cannot be computed: {trouble}")
            outcome.setting = _show_setting(setting)
            break
        if error > outcome.error:
            outcome.error, outcome.setting = error, _show_setting(setting)
    if not tried:
        raise Misread("no layer has all the letters of this equation", link.left)
    outcome.stencil = USED.stencil
    return outcome


def _holds(evaluator: Evaluator, condition: m.Compare) -> bool:
    try:
        return bool(evaluator.value(condition).data.all())
    except Misread:
        return True  # about an index of another line


def _show_setting(setting: dict[str, int]) -> str:
    return ", ".join(f"{k} = {v}" for k, v in setting.items())


def _compare(evaluator: Evaluator, link: Link) -> tuple[float, float]:
    """The error of one relation, and its slack where it is an inequality."""
    orders = [n for s in (link.left, link.right) for n in m.walk(s) if isinstance(n, m.BigO)]
    if orders:
        return _order_of_remainder(evaluator, link, orders), math.inf
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        left, right = evaluator.value(link.left), evaluator.value(link.right)
        if link.relation in ("=", ":="):
            gap, size = val.discrepancy(left, right)
            return gap / max(size, FLOOR), math.inf
    if link.relation == "!=":
        evaluated = m.Compare(link.start, link.end, (link.relation,), (link.left, link.right))
        return 0.0 if bool(evaluator.value(evaluated).data.all()) else math.inf, math.inf
    if link.relation in ("<=", ">=", "<", ">"):
        low, high = (left, right) if link.relation in ("<=", "<") else (right, left)
        excess = val.add(low, high, subtract=True).data.real
        if not np.isfinite(excess).all():
            raise Refusal("value", "a side is not finite")
        size = max(float(np.max(np.abs(x.data), initial=0.0)) for x in (low, high))
        above = float(excess.max(initial=-math.inf)) / max(size, FLOOR)
        if link.relation in ("<", ">"):
            return 0.0 if above < 0 else math.inf, abs(above)
        return max(0.0, above), abs(above)
    raise Misread(
        f"the relation {link.relation} cannot be decided by evaluation; write an equation, or bind "
        "it by code with the reason",
        link.right,
    )


def _bound(formula: Formula, link: Link) -> str:
    """What a relation bounds, and from which side: by this a rival bound is known."""
    left = _squeeze(formula.latex[link.start : link.left_end].replace("&", ""))
    return f"{left} {link.relation}"


def _order_of_remainder(evaluator: Evaluator, link: Link, orders: list[m.BigO]) -> float:
    """`... + O(h^2)`: the two sides must approach each other as fast as the remainder says.

    The letters of the remainder shrink together by 1, 1/2, ..., 1/32; the order is the slope
    over the part of that range that rounding has not reached.
    """
    refs = {evaluator.key(n): n for o in orders for n in m.walk(o.body) if isinstance(n, m.Ref)}
    if not refs:
        raise Misread("O(...) needs a bound letter that goes to zero, such as h", orders[0])
    gaps, sizes = [], []
    for scale in 0.5 ** np.arange(2, 8):
        state = evaluator.state
        for key in refs:
            state = state.hold(key, evaluator.state.array(key) * scale)
        there = evaluator.at(state)
        left, right = there.value(link.left), there.value(link.right)
        gaps.append(val.discrepancy(left, right)[0])
        body = there.value(orders[0].body).data
        sizes.append(float(np.max(np.abs(body))))
    slopes = [
        math.log(gaps[i] / gaps[i + 1]) / math.log(sizes[i] / sizes[i + 1])
        for i in range(len(gaps) - 1)
        if gaps[i + 1] > 1e-12
    ]
    if not slopes:
        return 0.0  # the two sides are equal beyond any order that can be seen
    return 0.0 if slopes[-1] > 0.85 else math.inf


# --------------------------------------------------------------------------------------------
# Checks


@dataclass
class Refused:
    """One wrong form that the binding refused, and how."""

    latex: str
    because: str
    how: str


_SESSION: dict[str, Check] = {}


def session() -> dict[str, Check]:
    """The checks made so far in this process, by label (the last one counts)."""
    return _SESSION


class Equation:
    """A labelled equation of the book, waiting for its letters."""

    def __init__(self, source: Source):
        self.source = source

    def holds(self, letters: Letters | None = None, **more: Any) -> Check:
        """Evaluate the printed form on every draw; EquationError when it does not hold.

        `letters` may be shared by many equations; keywords bind more letters, or, given as a
        `range`, say which values an index takes.
        """
        return Check(self.source, _bind(letters, more), "checked")._verify()

    def defines(self, letters: Letters | None = None, **more: Any) -> Check:
        """As `holds`, for an equation that introduces its left side: the code's own value of that
        letter must be what the right side says."""
        return Check(self.source, _bind(letters, more), "definition")._verify()

    def by_code(self, check: Callable[[], Any], because: str, tex: str) -> Check:
        """Bind by a function that asserts it, with the reason why the LaTeX is not evaluated.

        `tex` repeats the printed form (spaces do not matter): when the page changes, so must the
        check.  The function fails by raising or by returning False.
        """
        if not because.strip():
            raise self.source.error("by_code needs the reason why the LaTeX is not evaluated")
        if _squeeze(tex) != _squeeze(self.source.latex):
            raise self.source.error("the printed equation is no longer the one checked by code")
        result = Check(self.source, Letters(), "code", because)
        if not _passes(check):
            raise self.source.error("its check by code fails")
        _SESSION[self.source.label] = result
        return result

    def unchecked(self, because: str) -> Check:
        """Leave the equation without a check, for a written reason."""
        if len(because.split()) < 3:
            raise self.source.error("say in a sentence why this equation is not checked")
        result = Check(self.source, Letters(), "unchecked", because)
        _SESSION[self.source.label] = result
        return result


def equation(label: str, book: Book | str | Path | None = None) -> Equation:
    """The equation with this label in the chapters of the current folder (or of `book`)."""
    if not isinstance(book, Book):
        book = read(book)
    return Equation(book[label])


def formula(latex: str, label: str = "formula") -> Equation:
    """An equation given as LaTeX instead of by label: for tests and for trying things out."""
    return Equation(Source(label, latex, "<given>", 1))


def _bind(letters: Letters | None, more: dict[str, Any]) -> Letters:
    try:
        if letters is None:
            return Letters(**more)
        return letters.extend(**more) if more else letters
    except TypeError as error:
        raise LettersError(str(error)) from None


def _squeeze(latex: str) -> str:
    return re.sub(r"\s+", "", latex)


def _passes(check: Callable[[], Any]) -> bool:
    try:
        result = check()
    except (AssertionError, ValueError, IndexError, KeyError, ZeroDivisionError, Refusal):
        return False
    return result is None or bool(np.all(result))


@dataclass
class Check:
    """The result of binding an equation; shows itself as a quiet mark beside the number."""

    source: Source
    letters: Letters
    state: str
    because: str = ""
    refused: list[Refused] = field(default_factory=list)
    made: int = 0
    bound: float = 0.0
    parsed: Formula | None = None
    stencil: bool = False
    slack: dict[tuple[str, int], float] = field(default_factory=dict)  # by bound and draw

    # Accepting ----------------------------------------------------------------------------------
    def _verify(self) -> Check:
        try:
            self.parsed = read_formula(self.source.latex, self.letters)
        except LatexError as error:
            raise self.source.error(str(error), error.position) from None
        worst = self._try(self.parsed)
        if worst is not None:
            link, outcome, draw = worst
            raise self.source.error(
                f"the printed equation does not hold: {self._explain(outcome, draw)}\n"
                f"    in  {self.parsed.shown(link)}",
                link.start,
            )
        _SESSION[self.source.label] = self
        return self

    def _explain(self, outcome: Outcome, draw: Draw) -> str:
        where = f" at {outcome.setting}" if outcome.setting else ""
        sizes = ", ".join(
            f"{k[0] if k[1] is None else f'{k[0]}[{k[1]}]'} = {v}" for k, v in draw.sizes.items()
        )
        shown = f"; draw {draw.number}" + (f" with {sizes}" if sizes else "")
        if outcome.cause is not None:
            return f"by {outcome.cause.kind}: {outcome.cause}{where}{shown}"
        return f"by value: the sides differ by {outcome.error:.1e} of their size{where}{shown}"

    def _draws(self) -> Iterator[Draw]:
        """The draws of the binding, and as many more as were skipped at a kink."""
        number = 0
        self.made = 0
        while self.made < self.letters.count:
            if number >= 2 * self.letters.count:
                raise self.source.error("too many draws fall on a kink of the functions bound")
            yield self.letters.draw(number)
            number += 1

    def _tolerance(self, stencil: bool) -> float:
        return max(self.letters.tol, 1e-7) if stencil else self.letters.tol

    def _try(self, formula: Formula) -> tuple[Link, Outcome, Draw] | None:
        """The first failure of a formula that should hold, or None."""
        for draw in self._draws():
            try:
                for link in formula.links:
                    ranges = loops(formula, link, draw)
                    outcome = evaluate_link(formula, link, draw, ranges)
                    self.slack[_bound(formula, link), draw.number] = outcome.slack
                    self.stencil |= outcome.stencil
                    bad = not outcome.error <= self._tolerance(outcome.stencil)
                    if outcome.cause is not None or bad:
                        return link, outcome, draw
            except Kink:
                continue
            except Misread as error:
                raise self.source.error(str(error), error.node.start) from None
            self.made += 1
        self.bound = self._tolerance(self.stencil)
        return None

    # Refusing -----------------------------------------------------------------------------------
    def rejects(self, wrong: str | Callable[[], Any], because: str = "") -> Check:
        """Refuse a wrong form: a whole relation, or a right side for the first left side.

        EquationError when the binding accepts it, or when it cannot be read at all (what cannot
        be read is no proof of anything).
        """
        if callable(wrong):
            if _passes(wrong):
                raise self.source.error(f"the wrong form is accepted: {because or wrong.__name__}")
            self.refused.append(Refused(because or wrong.__name__, because, "by value"))
            return self
        how = self.verdict(wrong)
        if how is None:
            raise EquationError(
                f"{self.source.file}:{self.source.line}: {self.source.label}: this wrong form is "
                f"accepted, so the check cannot tell it from the right one:\n    {wrong}"
            )
        self.refused.append(Refused(wrong, because, how))
        return self

    def verdict(self, wrong: str, brief: bool = False) -> str | None:
        """How the binding refuses a form ('by value', 'by shape', ...), None if it accepts it.

        Where the printed form attains a bound, a rival bound on the same left side must attain it
        too: what leaves a gap there is refused 'by tightness'.
        `brief` stops at the first draw that refuses.  EquationError if the form cannot be read.
        """
        if self.parsed is None:
            raise self.source.error("this equation is bound by code; its wrong forms are code too")
        text = self._complete(wrong)
        try:
            formula = read_formula(text, self.letters)
        except LatexError as error:
            raise self.source.error(
                f"the wrong form cannot be read: {error}", error.position, text
            ) from None
        found: dict[str, int] = {}
        slack: dict[tuple[str, int], float] = {}
        undecided = 0.0
        for draw in self._draws():
            try:
                kind, gap = self._refusal(formula, draw, slack)
            except Kink:
                continue
            except Unbounded:
                return "by index"
            except Misread as error:
                raise self.source.error(
                    f"the wrong form cannot be read: {error}", error.node.start, text
                ) from None
            self.made += 1
            if kind:
                found[kind] = found.get(kind, 0) + 1
                if brief:
                    break
            undecided = max(undecided, gap)
        if found:
            order = [k for k in ("shape", "index", "value") if k in found]
            return "by " + " and ".join(order)
        if undecided > self._tolerance(self.stencil):
            raise self.source.error(f"the wrong form is off by {undecided:.0e} only: undecided")
        if any(gap > LOOSE and self.slack.get(k, math.inf) < ATTAINED for k, gap in slack.items()):
            return "by tightness"
        return None

    def _refusal(
        self, formula: Formula, draw: Draw, slack: dict[tuple[str, int], float] | None = None
    ) -> tuple[str, float]:
        assert self.parsed is not None
        worst = 0.0
        for n, link in enumerate(formula.links):
            model = self.parsed.links[min(n, len(self.parsed.links) - 1)]
            own = loops(self.parsed, model, draw)
            both = {**free_indices(link.left), **free_indices(link.right)}
            ranges = {k: v for k, v in own.items() if k in both}
            extra = loops(formula, link, draw)
            for name in extra:
                if name not in ranges or name in formula.ranges:
                    ranges[name] = extra[name]
            if any(not v for v in ranges.values()):
                return "index", math.inf
            outcome = evaluate_link(formula, link, draw, ranges)
            if outcome.cause is not None:
                return outcome.cause.kind, math.inf
            limit = max(WRONG, self._tolerance(outcome.stencil))
            if not outcome.error <= limit:
                return "value", outcome.error
            worst = max(worst, outcome.error)
            if slack is not None and link.relation != "=":
                slack[_bound(formula, link), draw.number] = outcome.slack
        return "", worst

    def _complete(self, wrong: str) -> str:
        """A right side alone is given the left side (and the ranges) of the printed equation."""
        assert self.parsed is not None
        try:
            pieces = statements(wrong)
        except LatexError as error:
            raise self.source.error(
                f"the wrong form cannot be read: {error}", error.position, wrong
            ) from None
        if any(p.relations for p in pieces):
            return wrong
        first = self.parsed.links[0]
        left = self.source.latex[first.start : first.left_end].replace("&", "")
        return f"{left} = {wrong}"

    # Showing ------------------------------------------------------------------------------------
    @property
    def summary(self) -> str:
        """One line, the same on every machine."""
        wrong = len(self.refused)
        tail = f"; refuses {wrong} wrong form{'s' if wrong != 1 else ''}" if wrong else ""
        if self.state == "unchecked":
            return f"not checked: {self.because}"
        if self.state == "code":
            return f"checked by code ({self.because}){tail}"
        head = "definition, checked" if self.state == "definition" else "checked"
        method = " by finite differences" if self.stencil else ""
        return f"{head}{method}: {self.made_text}, < {_power_of_ten(self.bound)}{tail}"

    @property
    def made_text(self) -> str:
        return f"{self.letters.count} draws"

    def __repr__(self) -> str:
        return f"{self.source.label} {self.summary}"

    def shape_table(self) -> list[tuple[str, str, str]]:
        """(letter, what it is bound to, its shape in the first draw) for each letter used."""
        if self.parsed is None:
            return []
        draw = self.letters.draw(0)
        names = dict.fromkeys(
            node.name
            for link in self.parsed.links
            for side in (link.left, link.right)
            for node in m.walk(side)
            if isinstance(node, (m.Ref, m.Apply))
        )
        return [(name, *_described(name, draw)) for name in names]

    def _repr_html_(self) -> str:
        escape = html.escape
        label = escape(self.source.label, quote=True)
        lines = [
            f'<details class="eq-check" data-equation="{label}" data-state="{self.state}">'
            f"<summary>{escape(self.summary)}</summary>"
        ]
        table = self.shape_table()
        if table:
            rows = "".join(
                "<tr>" + "".join(f"<td>{escape(c)}</td>" for c in row) + "</tr>" for row in table
            )
            lines.append(
                "<table><thead><tr><th>letter</th><th>bound to</th><th>shape in the first draw</th>"
                f"</tr></thead><tbody>{rows}</tbody></table>"
            )
        if self.refused:
            items = "".join(
                f"<li><code>{escape(' '.join(r.latex.split()))}</code> refused {escape(r.how)}"
                + (f": {escape(r.because)}" if r.because else "")
                + "</li>"
                for r in self.refused
            )
            lines.append(f"<p>Wrong forms the same check refuses:</p><ul>{items}</ul>")
        lines.append("</details>")
        return "".join(lines)


def _power_of_ten(x: float) -> str:
    return f"1e{math.ceil(math.log10(x) - 1e-9):03d}" if x else "0"


def _described(name: str, draw: Draw) -> tuple[str, str]:
    values = draw.state.values
    spec = draw.letters.letters.get(name)
    if name in draw.derivatives:
        d = draw.derivatives[name]
        by = values.__dict__.get(d.by)
        one: Any = next(iter(by.values())) if isinstance(by, Family) else by
        return f"the derivative of {d.of} by {d.by}, by the oracle", str(np.shape(one))
    value: Any = values.__dict__.get(name)
    layer = ""
    if isinstance(value, Family):
        first = min(value)
        layer, value = f" (layer {first})", value[first]
    if isinstance(value, m.Function):
        return "function" + (" (entry by entry)" if value.entrywise else ""), ""
    drawn = name in draw.shapes
    if drawn:
        what = f"random {draw.shapes[name]}"
    elif any(k[0] == name for k in draw.sizes):
        what = "size"
    elif spec is not None and not callable(spec):
        what = "given"
    else:
        what = "computed"
    shape = "" if np.ndim(value) == 0 else str(np.shape(value)) + layer
    return what, shape
