"""Numbers in the text have a source: a cell near them, or an expression that is evaluated here."""

from __future__ import annotations

import math

import numpy as np
import pytest
from _book import contents

from tests.mutants import prose
from tests.prose_numbers import GIVEN, NUMBERS

NOTEBOOKS = [p.with_suffix(".ipynb") for p in contents.notebooks()]
by_notebook = pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda p: p.stem)


def value(expression):
    from sklearn.datasets import load_digits

    plain = {"round": round, "abs": abs, "float": float, "load_digits": load_digits}
    names = {**vars(np), **vars(math), **plain}
    return float(eval(expression, {"__builtins__": {}}, names))


@by_notebook
def test_every_number_in_the_text_has_a_source(notebook):
    lost = [f'"{c.text}"  in  {c.around}' for c in prose.untraced(notebook)]
    assert not lost, "show it in a cell nearby, or add it to tests/prose_numbers.py:\n" + "\n".join(
        lost
    )


@pytest.mark.parametrize(
    ("chapter", "text"),
    [(chapter, text) for chapter, table in NUMBERS.items() for text in table],
)
def test_a_listed_number_is_its_expression_and_stands_in_the_text(chapter, text):
    notebook = next((n for n in NOTEBOOKS if n.stem == chapter), None)
    assert notebook, f"no chapter is called {chapter}"
    used = [claim for claim, _ in prose.places(notebook) if claim.text == text]
    assert used, f"{chapter} has no {text} in its text any more: take it off the list"
    expression = NUMBERS[chapter][text]
    if not expression.startswith(GIVEN):
        got = value(expression)
        assert any(claim.equals(got) for claim in used), f"{text} is printed, {expression} = {got}"


def test_a_wrong_digit_is_noticed():
    results = prose.run([n.with_suffix(".md") for n in NOTEBOOKS])
    survived = [f"{r.place}: {r.change}" for r in results if not r.killed]
    assert len(results) > 100
    assert len(survived) <= 0.05 * len(results), "\n".join(survived)


def test_what_counts_as_a_number_of_the_text():
    text = (
        "In 1986, 97 % of 1,797 cost $0.25$, `3.14` and {eq}`eq-22.5`, or $10^{-12}$; 5 % of 0.5."
    )
    found = [(c.text, c.percent) for c in prose.claims(text)]
    assert found == [("97", True), ("1,797", False), ("0.25", False)]
    (share,) = prose.claims("a score of $97.5\\,\\%$")
    assert share.equals(0.975)
    assert share.equals(97.51)
    assert not share.equals(0.976)
