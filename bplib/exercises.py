"""Exercises that check themselves, and a registry from which the tests prove that they do.

A chapter lists its exercises as :class:`Exercise` records; the reader calls ``check(id, answer)``.
The verdict comes from an *oracle* that does not use the reference solution (a complex step of the
loss, a count, a direct evaluation), on seeded random cases, so an answer is judged by what it does.
Each record also names its placeholder and wrong answers that readers really give; the tests show
that the checker refuses them all, and the reader who gives one is told what it is.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from bplib.equations import Letters

RTOL = 1e-9  # far above rounding, far below any missing factor


@dataclass(frozen=True)
class Wrong:
    """A wrong answer that readers give, and the sentence that tells them what it is."""

    answer: Any
    because: str


@dataclass(frozen=True)
class Exercise:
    """One exercise.

    ``asks`` says what must be given (for a function: its name and signature). ``cases`` makes the
    argument tuples from a seeded generator (empty for an answer that is a value); ``oracle`` maps
    one tuple to the expected result. ``proves`` is printed with a right answer. An answer that has
    many right forms, such as a formula in LaTeX, is judged by ``refuses`` instead of the oracle: it
    returns what is wrong with the answer, or None.
    """

    id: str
    asks: str
    oracle: Callable[..., Any] | None
    proves: str
    right: Any
    wrong: tuple[Wrong, ...]
    placeholder: Any = None
    cases: Callable[[np.random.Generator], Iterable[tuple]] = field(default=lambda rng: [()])
    refuses: Callable[[Any], str | None] | None = None


@dataclass(frozen=True)
class Verdict:
    """What a checker says; true exactly when the answer is right."""

    id: str
    state: str  # "right", "wrong" or "open"
    message: str

    def __bool__(self) -> bool:
        return self.state == "right"

    def __repr__(self) -> str:
        mark = {"right": "✓ right", "wrong": "✗ not right", "open": "○ not answered yet"}[
            self.state
        ]
        return f"Exercise {self.id}: {mark}.\n" + textwrap.fill(self.message, 76)


def _call(answer: Any, case: tuple) -> Any:
    # Copies, so that an answer that writes into its arguments cannot spoil the oracle's.
    if not callable(answer):
        return answer
    return answer(*(a.copy() if isinstance(a, np.ndarray) else a for a in case))


def difference(got: Any, expected: Any) -> str | None:
    """Return what separates ``got`` from ``expected`` in one sentence, or None if they agree."""
    if isinstance(expected, str):
        if not isinstance(got, str):
            return f"expected a text, got {type(got).__name__}."
        return None if got.strip().lower() == expected.lower() else f"{got!r} is not it."
    if isinstance(expected, tuple):  # several results; a list is rows of one array
        if not isinstance(got, (tuple, list)) or len(got) != len(expected):
            return f"expected {len(expected)} results, got {_kind(got)}."
        for i, (g, e) in enumerate(zip(got, expected, strict=True)):
            if (d := difference(g, e)) is not None:
                return f"result {i}: {d}"
        return None
    if isinstance(got, (str, dict, set)):
        return f"expected a number or an array, got {_kind(got)}."
    try:
        got = np.asarray(got, dtype=float)
    except (TypeError, ValueError):
        return f"expected real numbers, got {_kind(got)}."
    expected = np.asarray(expected, dtype=float)
    if got.shape != expected.shape:
        return f"expected shape {expected.shape}, got {got.shape}."
    if not np.isfinite(got).all():
        return "the result holds NaN or infinity."
    scale = max(float(np.abs(expected).max(initial=0.0)), 1e-30)
    off = float(np.abs(got - expected).max(initial=0.0)) / scale
    return None if off <= RTOL else f"off by {off:.2g} of the largest entry."


def _kind(value: Any) -> str:
    if isinstance(value, (tuple, list)):
        return f"{len(value)}"
    return "nothing (None)" if value is None else type(value).__name__


def _empty(value: Any) -> bool:
    if isinstance(value, (tuple, list)):
        return not value or any(v is None or v is Ellipsis for v in value)
    return value is None or value is Ellipsis or (isinstance(value, str) and not value.strip())


def judge(exercise: Exercise, answer: Any, *, seed: int = 0) -> Verdict:
    """Judge an answer on the exercise's cases; never raises because of what the answer does."""

    def verdict(state: str, message: str) -> Verdict:
        return Verdict(exercise.id, state, message)

    if _empty(answer):
        return verdict("open", f"Give {exercise.asks}.")
    if exercise.refuses is not None:
        problem = exercise.refuses(answer)
        if problem is None:
            return verdict("right", exercise.proves)
        known = {w.answer: w.because for w in exercise.wrong}
        return verdict("wrong", known.get(answer, problem) if isinstance(answer, str) else problem)
    oracle = exercise.oracle
    if oracle is None:
        raise ValueError(f"exercises: {exercise.id} has neither an oracle nor `refuses`")
    cases = list(exercise.cases(np.random.default_rng(seed)))
    asked_function = callable(exercise.right)
    if callable(answer) != asked_function:
        return verdict("wrong", f"Expected {exercise.asks}, got {_kind(answer)}.")
    for case in cases:
        expected = oracle(*case)
        try:
            got = _call(answer, case)
        except Exception as error:  # a reader's mistake is a verdict, not a traceback
            # The message of a NumPy error may differ between versions, its type does not.
            return verdict("wrong", f"It raises {type(error).__name__} when called.")
        if asked_function and _empty(got):
            return verdict("open", f"Give {exercise.asks}.")
        off = difference(got, expected)
        if off is not None:
            because = _recognize(exercise, answer, cases)
            return verdict("wrong", because or off[0].upper() + off[1:])
    return verdict("right", exercise.proves)


def _recognize(exercise: Exercise, answer: Any, cases: list[tuple]) -> str | None:
    """Return the diagnosis of the known wrong answer that behaves like ``answer``, if any."""
    for wrong in exercise.wrong:
        try:
            if all(difference(_call(answer, c), _call(wrong.answer, c)) is None for c in cases):
                return wrong.because
        except Exception:  # a known wrong answer may raise on some shapes: it is not this one
            continue
    return None


def right_side(
    left: str, letters: Letters, without: Iterable[str], otherwise: str
) -> Callable[[Any], str | None]:
    """Return an exercise's ``refuses`` that puts the formula ``left = answer`` on trial.

    The answer is LaTeX, and ``letters`` says what its letters are. One that holds a text of
    ``without`` could repeat the question; it is told ``otherwise``.
    """

    def refuses(answer: Any) -> str | None:
        from bplib.equations import EquationError, formula  # other exercises do without lark

        if not isinstance(answer, str):
            return "Expected a text with LaTeX."
        if any(part in answer for part in without):
            return otherwise
        try:
            formula(f"{left} = {answer}").holds(letters)
        except EquationError as error:
            if "does not hold" in str(error):
                return "The formula can be read, and it is refused on random draws."
            return "The formula cannot be read as LaTeX with these letters."
        return None

    return refuses


def checker(exercises: Iterable[Exercise]) -> Callable[[str, Any], Verdict]:
    """Return ``check(id, answer)`` for a chapter's exercises; unknown ids name the known ones."""
    registry: dict[str, Exercise] = {}
    for exercise in exercises:
        if exercise.id in registry:
            raise ValueError(f"exercises: id {exercise.id!r} is used twice")
        registry[exercise.id] = exercise

    def check(exercise_id: str, answer: Any) -> Verdict:
        """Say whether ``answer`` is right, and if not, what is wrong with it."""
        if exercise_id not in registry:
            raise KeyError(f"check: no exercise {exercise_id!r}; there are {', '.join(registry)}")
        return judge(registry[exercise_id], answer)

    return check
