"""Every numbered equation of every chapter: bound, quickly checked, read to the last sign.

A sample of the misprints of `make mutants` is tried here too. All of it goes over the chapters that
there are, so that the next one is covered without a line here.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from random import Random

import pytest

from bplib.equations import Book, EquationError
from bplib.equations.check import Check, read_formula
from bplib.equations.coverage import cells, coverage, problems, report, run_chapter
from bplib.equations.latex import JOINING, LatexError
from bplib.equations.mutate import Verdict, judge, slips

from .test_equations_reader import LAYOUT, bare
from .wrong_equations import WRONG

CHAPTERS = Path(__file__).parents[1] / "chapters"
WITH_EQUATIONS = [
    path for path in (sorted(CHAPTERS.glob("*.md")) if CHAPTERS.is_dir() else []) if len(Book(path))
]


SAMPLE = 14  # misprints of each chapter: a second or two
by_chapter = pytest.mark.parametrize("chapter", WITH_EQUATIONS, ids=lambda p: p.stem)


@cache
def checked(chapter: Path) -> dict[str, Check]:
    """The checks of a chapter, made once."""
    return run_chapter(chapter)


def read_from_latex(chapter: Path) -> list[Check]:
    return [check for check in checked(chapter).values() if check.parsed is not None]


@by_chapter
def test_every_numbered_equation_is_bound(chapter):
    rows = coverage(chapter, checked(chapter))
    assert not problems(rows), "\n".join(problems(rows))


def test_nine_in_ten_are_evaluated_from_their_own_latex(capsys):
    rows = [row for chapter in WITH_EQUATIONS for row in coverage(chapter, checked(chapter))]
    evaluated = sum(row.state in ("checked", "definition") for row in rows)
    with capsys.disabled():
        print(f"\n{evaluated} of {len(rows)} numbered equations are evaluated from their LaTeX")
    assert evaluated >= 0.9 * len(rows) > 0


SIGN = re.compile(
    r"\\(?:begin|end|text|mathrm|operatorname)\s*\{[^{}]*\}|\\(?:[A-Za-z]+|.)|\S", re.DOTALL
)
SEPARATORS = {",", ".", r"\\", r"\quad", r"\qquad"}


def said(latex, letters):
    try:
        found = read_formula(latex, letters)
    except LatexError:
        return None
    links = [(bare(one.left), one.relation, bare(one.right)) for one in found.links]
    return links, {k: bare(v) for k, v in found.ranges.items()}, list(map(bare, found.conditions))


@by_chapter
def test_no_sign_of_an_equation_is_left_out(chapter):
    """Without any one of its signs an equation says something else, or nothing."""
    for check in read_from_latex(chapter):
        latex = check.source.latex
        whole = said(latex, check.letters)
        for sign in SIGN.finditer(latex):
            word = sign[0].removeprefix(r"\text{").rstrip("} ").strip()
            remark = sign[0].startswith(r"\text{") and (word in JOINING or word[:1] in ",(")
            layout = sign[0] in LAYOUT | SEPARATORS or remark
            if layout or sign[0] in (r"\begin{aligned}", r"\end{aligned}"):
                continue
            without = f"{latex[: sign.start()]} {latex[sign.end() :]}"
            assert said(without, check.letters) != whole, (check.source.label, sign[0])


@by_chapter
def test_the_printed_form_itself_is_not_refused(chapter):
    """A check that refuses everything would show its wrong forms refused too."""
    for check in read_from_latex(chapter):
        assert check.verdict(check.source.latex) is None, check.source.label
        for link in check.parsed.links[:1]:
            right = check.source.latex[link.left_end : link.end].replace("&", "")
            if len(check.parsed.links) == 1 and right.lstrip().startswith("="):
                assert check.verdict(right.lstrip()[1:]) is None, check.source.label


@cache
def sampled(chapter: Path) -> tuple[list[Verdict], list[Verdict]]:
    """A few misprints of a chapter, always the same while its equations are: read, and others."""
    every = [(check, slip) for check in checked(chapter).values() for slip in slips(check)]
    every.sort(key=lambda pair: (pair[0].source.label, pair[1].latex))
    random = Random(" ".join(slip.latex for _, slip in every))
    chosen = random.sample(every, min(SAMPLE, len(every)))
    read, other = [], []
    for check, slip in chosen:
        (other if check.parsed is None else read).extend(judge(check, [slip]))
    return read, other


def missed(verdicts: list[Verdict]) -> list[str]:
    return [f"{v.place} {v.label} [{v.mutant.kind}] {' '.join(v.mutant.latex.split())}"
            for v in verdicts if v.counts and not v.detected]  # fmt: skip


@by_chapter
def test_a_sample_of_misprints_is_noticed(chapter):
    read, other = sampled(chapter)
    counted = [v for v in read + other if v.counts]
    assert len(missed(counted)) <= 0.05 * len(counted), "\n".join(missed(counted))


def test_misprints_of_what_is_read_from_latex_are_noticed_in_99_of_100():
    read = [v for chapter in WITH_EQUATIONS for v in sampled(chapter)[0] if v.counts]
    assert len(missed(read)) <= 0.01 * len(read), "\n".join(missed(read))


def test_the_sample_can_fail(tmp_path):
    """A letter that is 1 in the one draw of its check cannot be missed there: a survivor."""
    page = tmp_path / "01-weak.md"
    page.write_text(
        "# Weak\n\n$$\ny = c x\n$$ (eq-weak)\n\n```{code-cell} ipython3\n"
        "from bplib.equations import *\n"
        "c = sample(lambda rng: 1.0 if rng.rand() < 0.9 else 2.0)\n"
        "equation('eq-weak').holds(\n    x=normal(), c=c, y=lambda c, x: c * x, draws=1,\n"
        ").rejects('2 x')\n```\n",
        encoding="utf-8",
    )
    read, _ = sampled(page)
    assert any("eq-weak [factor] y = x" in line for line in missed(read))


@by_chapter
def test_wrong_forms_thought_up_by_hand_are_refused(chapter):
    for label, check in checked(chapter).items():
        for form in WRONG.get(label, []):
            assert check.verdict(form, brief=True), f"{label} accepts {form}"


def test_those_wrong_forms_are_of_equations_that_there_are():
    labels = {source.label for chapter in WITH_EQUATIONS for source in Book(chapter)}
    assert set(WRONG) <= labels, set(WRONG) - labels
    assert sum(map(len, WRONG.values())) >= 150


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
