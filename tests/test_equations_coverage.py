"""Every numbered equation of every chapter is bound, refuses a wrong form, and checks fast."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from bplib.equations import Book, EquationError
from bplib.equations.coverage import cells, coverage, problems, report, run_chapter

CHAPTERS = Path(__file__).parents[1] / "chapters"
WITH_EQUATIONS = [
    path for path in (sorted(CHAPTERS.glob("*.md")) if CHAPTERS.is_dir() else []) if len(Book(path))
]


@pytest.mark.parametrize("chapter", WITH_EQUATIONS, ids=lambda p: p.stem)
def test_every_numbered_equation_is_bound(chapter):
    started = time.process_time()  # of this process: the machine may be busy
    rows = coverage(chapter)
    assert not problems(rows), "\n".join(problems(rows))
    assert time.process_time() - started < 10, "checking one chapter's equations takes too long"


def test_labels_are_unique_in_the_book():
    if CHAPTERS.is_dir():
        Book(CHAPTERS)


PAGE = r"""# A chapter

$$
Z = A W
$$ (eq-product)

```{code-cell} ipython3
:tags: [hide-input]

%matplotlib inline
from bplib.equations import *
import numpy as np
letters = Letters(A=normal("B", "m"), W=normal("m", "n"), Z=lambda A, W: A @ W, draws=4)
```

```{code-cell} ipython3
unused = undefined_name + 1
```

```{code-cell} ipython3
---
tags: [hide-input]
---
for label in ["eq-product"]:
    equation(label).holds(letters).rejects("W A", because="the order matters")
```

$$ x = x $$
"""
UNBOUND = "\n$$\nZ = 2 A W\n$$ (eq-other)\n"


@pytest.fixture
def chapter(tmp_path):
    page = tmp_path / "01-page.md"
    page.write_text(PAGE, encoding="utf-8")
    return page


def test_a_bound_chapter_passes(chapter):
    rows = coverage(chapter)
    assert [(r.source.label, r.state) for r in rows] == [("eq-product", "checked")]
    assert problems(rows) == []
    assert "1 numbered equations: 1 evaluated from their own LaTeX." in report(rows)
    assert "| {eq}`eq-product` `eq-product` | 01-page | checked: 4 draws, < 1e-12;" in report(rows)


def test_an_unbound_equation_fails_the_build(chapter):
    chapter.write_text(PAGE + UNBOUND, encoding="utf-8")
    rows = coverage(chapter)
    assert problems(rows) == [
        "01-page.md:30: eq-other (unbound): bind it with equation(...).holds(...), or say why not"
    ]


def test_a_false_equation_fails_the_build(chapter):
    chapter.write_text(PAGE.replace("Z = A W\n", "Z = -A W\n"), encoding="utf-8")
    with pytest.raises(
        EquationError, match=r"01-page\.md:4: eq-product: .*does not hold: by value"
    ):
        coverage(chapter)


def test_a_check_without_a_refused_form_fails_the_build(chapter):
    text = PAGE.replace('.rejects("W A", because="the order matters")', "")
    chapter.write_text(text, encoding="utf-8")
    (problem,) = problems(coverage(chapter))
    assert "show at least one wrong form" in problem


def test_a_written_reason_is_enough(chapter):
    reason = (
        '\n```{code-cell}\nequation("eq-other").unchecked("It is a slogan, not a claim.")\n```\n'
    )
    chapter.write_text(PAGE + UNBOUND + reason, encoding="utf-8")
    rows = coverage(chapter)
    assert [r.state for r in rows] == ["checked", "unchecked"]
    assert problems(rows) == []


def test_cells_keep_their_line_numbers(chapter):
    lines = PAGE.split("\n")
    for number, code in cells(chapter):
        for i, line in enumerate(code.split("\n")):
            if line:
                assert lines[number - 1 + i] == line


def test_running_a_chapter_leaves_the_session_alone(chapter):
    from bplib.equations import session

    before = dict(session())
    assert list(run_chapter(chapter)) == ["eq-product"]
    assert session() == before
