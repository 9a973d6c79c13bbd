"""Every checker of every chapter accepts its right answer and refuses every known wrong one."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import numpy as np
import pytest

from bplib.exercises import Exercise, Wrong, checker, difference, judge

CHAPTERS = Path(__file__).parent.parent / "chapters"


def load(path: Path):
    spec = importlib.util.spec_from_file_location(f"exercises_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


FILES = sorted((CHAPTERS / "_exercises").glob("ch*.py"))
ALL = [e for path in FILES for e in load(path).EXERCISES]
IDS = [e.id for e in ALL]


@pytest.mark.parametrize("exercise", ALL, ids=IDS)
def test_right_answer_is_accepted_on_other_cases_too(exercise):
    for seed in range(5):
        verdict = judge(exercise, exercise.right, seed=seed)
        assert verdict.state == "right", verdict


@pytest.mark.parametrize("exercise", ALL, ids=IDS)
def test_placeholder_is_refused(exercise):
    for answer in (exercise.placeholder, None, ..., ""):
        assert judge(exercise, answer).state == "open"


@pytest.mark.parametrize("exercise", ALL, ids=IDS)
def test_known_wrong_answers_are_refused_and_named(exercise):
    assert len(exercise.wrong) >= 2
    for wrong in exercise.wrong:
        for seed in range(5):
            verdict = judge(exercise, wrong.answer, seed=seed)
            assert verdict.state == "wrong"
        verdict = judge(exercise, wrong.answer)
        # An answer that raises on some shape cannot be recognized by its values; all others are.
        assert verdict.message == wrong.because or "raises" in verdict.message


@pytest.mark.parametrize("exercise", [e for e in ALL if callable(e.right)], ids=lambda e: e.id)
def test_a_right_answer_spoiled_by_a_thousandth_is_refused(exercise):
    def scaled(*args):
        return 1.001 * np.asarray(exercise.right(*args))

    def first_entry_off(*args):
        out = np.array(exercise.right(*args), dtype=float)
        out.flat[0] += 1e-3 * np.abs(out).max()
        return out

    def raises(*args):
        raise RuntimeError("an answer may do anything")

    def nan(*args):
        return np.asarray(exercise.right(*args)) * np.nan

    for spoiled in (scaled, first_entry_off, raises, nan, lambda *a: "text", lambda *a: object()):
        assert judge(exercise, spoiled).state == "wrong"


def test_share_of_wrong_answers_refused(capsys):
    wrong = [(e, w.answer) for e in ALL for w in e.wrong] + [(e, e.placeholder) for e in ALL]
    refused = sum(not judge(e, answer) for e, answer in wrong)
    with capsys.disabled():
        print(f"\n{len(ALL)} exercises, {refused} of {len(wrong)} wrong or empty answers refused")
    assert refused == len(wrong)


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_chapter_and_registry_name_the_same_exercises(path):
    number = path.stem.removeprefix("ch")
    (chapter,) = CHAPTERS.glob(f"{number}-*.md")
    text = chapter.read_text(encoding="utf-8")
    registered = {e.id for e in load(path).EXERCISES}
    labels = set(re.findall(r"^:label: ex-(\S+)$", text, re.M))
    solutions = set(re.findall(r"^:::\{solution\} ex-(\S+)$", text, re.M))
    checked = set(re.findall(r'^check\("([^"]+)"', text, re.M))
    assert registered == labels == solutions == checked
    assert len(registered) >= 8


def test_the_checker_judges_what_an_answer_does_not_how_it_is_written():
    exercise = next(e for e in ALL if callable(e.right))
    mutated = []

    def writes_into_its_arguments(*args):
        out = exercise.right(*args)
        for a in args:
            if isinstance(a, np.ndarray):
                a[...] = 0
        mutated.append(True)
        return out

    assert judge(exercise, writes_into_its_arguments)
    assert mutated


def test_verdict_text_is_the_same_every_time_and_holds_no_address():
    for e in ALL:
        for answer in (e.placeholder, e.right, *(w.answer for w in e.wrong)):
            first, second = repr(judge(e, answer)), repr(judge(e, answer))
            assert first == second
            assert "0x" not in first
            assert max(map(len, first.splitlines())) <= 76  # the width of a page


def test_unknown_and_repeated_ids_are_named():
    e = Exercise("x-1", "a number", lambda: 1.0, "", 1.0, (Wrong(2.0, "no"), Wrong(3.0, "no")))
    check = checker([e])
    assert check("x-1", 1.0)
    assert not check("x-1", 2.0)
    with pytest.raises(KeyError, match="x-1"):
        check("x-2", 1.0)
    with pytest.raises(ValueError, match="twice"):
        checker([e, e])


@pytest.mark.parametrize(
    ("got", "expected", "says"),
    [
        (np.zeros((2, 3)), np.zeros((3, 2)), "shape"),
        (np.nan, 1.0, "NaN"),
        ("a", 1.0, "number"),
        (1.0, "a", "text"),
        ([1.0], (1.0, 2.0), "2 results"),
        (1 + 1e-6, 1.0, "off by"),
        (1j, 1.0, "real"),
    ],
)
def test_difference_says_what_is_wrong(got, expected, says):
    assert says in difference(got, expected)


@pytest.mark.parametrize("exercise", [e for e in ALL if e.refuses], ids=lambda e: e.id)
def test_a_printed_answer_must_be_readable_and_true(exercise):
    for answer in (
        5,
        1.0,
        np.ones(2),
        r"\frac{\Delta",
        r"\Delta W",
        r"\frac{\partial J}{\partial A}",
    ):
        verdict = judge(exercise, answer)
        assert verdict.state == "wrong", (answer, verdict)
    assert judge(exercise, rf"\bigl({exercise.right}\bigr)")  # any true form is right
