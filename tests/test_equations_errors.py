"""Mistakes of an author: file, line, equation, place, and what was expected."""

from __future__ import annotations

import numpy as np
import pytest

from bplib.equations import (
    Book,
    EquationError,
    Letters,
    LettersError,
    elementwise,
    equation,
    formula,
    gradient,
    layered,
    normal,
    sample,
    session,
)
from bplib.equations.source import scan

MATRICES = Letters(
    A=normal("B", "m"),
    W=normal("m", "n"),
    x=normal("m"),
    Z=lambda A, W: A @ W,
    J=lambda Z: (Z**3).sum(),
    Delta=gradient("J", "Z"),
    phi=elementwise(np.tanh),
    h=layered(normal("m"), 1, 2),
    draws=4,
)

UNREADABLE = {
    r"Z = A Q": "unknown letter Q; the binding has",
    r"Z = A W + c_j": r"unknown letter c \(with a subscript\)",
    r"Z = A {W": "a { is never closed",
    r"Z = A W}": "closes nothing",
    r"Z = (A W": "ends too early",
    r"Z = (A W]": "closed with another bracket",
    r"Z = A W +": "ends too early",
    r"Z = \foo W": r"\\foo is not in the notation",
    r"Z = \operatorname{foo}(W)": "the operator foo is neither known nor bound",
    r"Z": "asserts nothing",
    r"": "there is no formula",
    r"Z = \phi A W": "bound to a function and needs its argument in parentheses",
    r"Z = A' W": "a prime on A",
    r"Z_{sk} = \sum_j A_{sj}": "",  # an index on one side only: by index, see below
    r"Z = \sum A W": "which index it runs over",
    r"Z = A \sum_{j}": "nothing under this sum sign",
    r"h = x": "h has layers; say which",
    r"x^{[1]} = x": "bound without layers",
    r"Z \to A W": "cannot be decided by evaluation",
    r"Z \approx A W": "cannot be decided by evaluation",
    r"Z = A \begin{foo} W \end{foo}": "the environment foo is not known",
    r"Z & = A W": "& outside an aligned environment",
    r"\label{eq} Z = A W": "label an equation after its closing",
    r"Z = A W \tag{1}": r"\\tag is not in the notation",
    r"Z = A W + \dots": "dots stand for something",
    r"Z = A + O(3)": "needs a bound letter that goes to zero",
    r"\frac{\partial^2 J}{\partial x} = 0": "order 2 above, 1 variables below",
    r"\nabla J = Z": "say by what",
    r"\frac{\partial J}{\partial \phi} = 0": "bound to a function",
    r"Z_{k} = \sum_{k} \sum_{k} Z_{kk}": "summed twice",
}


@pytest.mark.parametrize("latex", [k for k, v in UNREADABLE.items() if v])
def test_what_cannot_be_read_is_an_error_at_its_place(latex):
    with pytest.raises(EquationError, match=r"^<given>:1: formula: .*" + UNREADABLE[latex]):
        formula(latex).holds(MATRICES)


NOT_EQUAL = {
    r"Z = W A": "by shape: product of a",
    r"Z = A W + x": "by shape: sum of a",
    r"Z = A W x": "by shape",
    r"Z = A^{\mathsf T} W": "by shape: product of",
    r"Z_{sk} = \sum_j A_{sj}": "by index: the index k is free on the left only",
    r"Z_{sk} = A_{sj} W_{jk}": "by index: the index j is free on the right only",
    r"Z_{sk} = \sum_j A_{js} W_{jk}": "by index: the index",
    r"Z_{sk} = \sum_{j=1}^{n} A_{sj} W_{jk}": "by index",
    r"Z_{s} = \sum_j A_{sj} W_{jk}": "by shape: Z has 2 axes and 1 subscript",
    r"Z = 2 A W": "by value: the sides differ by",
    r"h^{[3]} = x": r"by index: h\^\[3\] does not exist",
    r"W = \mathbf 1[0 > W]": "by value",
}


@pytest.mark.parametrize("latex", NOT_EQUAL)
def test_what_does_not_hold_says_how(latex):
    with pytest.raises(EquationError, match=r"(?s)does not hold: .*" + NOT_EQUAL[latex]):
        formula(latex).holds(MATRICES)


def test_the_caret_points_at_the_mistake_and_the_line_counts_inside_the_display():
    latex = "\n\\begin{aligned}\nZ &= A W \\\\\n  &= A Q\n\\end{aligned}\n"
    (source,) = scan(f"# A chapter\n\n$${latex}$$ (eq-x)\n", "03-x.md")
    with pytest.raises(EquationError) as caught:
        equation_of(source).holds(MATRICES)
    lines = str(caught.value).split("\n")
    assert lines[0].startswith("03-x.md:6: eq-x: unknown letter Q")
    assert lines[1][lines[2].index("^")] == "Q"


def equation_of(source):
    from bplib.equations.check import Equation

    return Equation(source)


def test_a_wrong_form_that_is_accepted_is_an_error():
    with pytest.raises(EquationError, match="this wrong form is accepted"):
        formula("Z = A W").holds(MATRICES).rejects(r"1 \cdot A W")


def test_a_wrong_form_that_cannot_be_read_is_no_proof():
    with pytest.raises(EquationError, match="the wrong form cannot be read: unknown letter Q"):
        formula("Z = A W").holds(MATRICES).rejects("A Q")


def test_a_form_that_is_almost_right_is_undecided():
    with pytest.raises(EquationError, match="undecided"):
        formula("Z = A W").holds(MATRICES).rejects(r"1.00000001 A W")


def test_a_bound_that_is_attained_refuses_a_wider_one():
    letters = {"x": normal("n"), "y": normal("n"), "k": 0.5}
    text = r"\langle x, y \rangle \le \lVert x \rVert \lVert y \rVert"
    loose = formula(text).holds(**letters)
    wider = text.replace(r"\le ", r"\le 2 ")
    assert loose.verdict(wider) is None  # nothing shows that the 2 is too much
    letters["y"] = sample(lambda rng, x: 3 * x if rng.randint(2) else rng.normal(size=x.size))
    sharp = formula(text).holds(**letters)
    assert sharp.verdict(wider) == "by tightness"
    assert sharp.verdict(text.replace(r"\le ", r"\ge ")) == "by value"
    assert sharp.verdict(text) is None
    assert sharp.verdict(r"\lVert x \rVert \lVert y \rVert \ge \langle x, y \rangle") is None


@pytest.mark.parametrize(
    ("bind", "message"),
    [
        ({"f": lambda q: q}, "f is computed by a Python function of q"),
        ({"A": "normal"}, "A is bound to str"),
        ({"A": normal("n^2")}, "the size 'n\\^2' is not read"),
        ({"n": 2.5, "A": normal("n")}, "the size n is bound to float"),
    ],
)
def test_a_letter_that_cannot_be_drawn(bind, message):
    with pytest.raises(LettersError, match=message):
        formula("1 = 1").holds(**bind)


def test_a_label_that_is_missing_or_stands_twice(tmp_path):
    page = tmp_path / "01-a.md"
    page.write_text("$$\nx = y\n$$ (eq-one)\n", encoding="utf-8")
    with pytest.raises(EquationError, match=r"eq-oen: no equation of .* has this label"):
        equation("eq-oen", tmp_path)
    with pytest.raises(EquationError, match="did you mean eq-one"):
        equation("eq-b-one", tmp_path)
    (tmp_path / "02-b.md").write_text("\n$$ x = z $$ (eq-one)\n", encoding="utf-8")
    with pytest.raises(
        EquationError, match=r"02-b\.md:2: eq-one: this label is used twice.*01-a\.md:1"
    ):
        Book(tmp_path)
    (tmp_path / "02-b.md").write_text("text\n\n$$ x = z\n", encoding="utf-8")
    with pytest.raises(EquationError, match=r"02-b\.md:3: \$\$ is opened here and never closed"):
        Book(tmp_path)


def test_code_cells_hold_no_equations_and_directives_do():
    text = '```{code-cell} ipython3\ns = """\n$$ x $$ (eq-no)\n"""\n```\n'
    text += "```{math}\n:label: eq-yes\n\na = b\n```\n"
    text += ":::{admonition} A box\n$$ c = d $$ (eq-boxed)\n:::\n"
    found = {s.label: s for s in scan(text, "x.md")}
    assert list(found) == ["eq-yes", "eq-boxed"]
    assert found["eq-yes"].latex.strip() == "a = b"


def test_a_directive_ends_at_its_fence():
    """Without that its end would be read as the start of code, and hide what follows."""
    text = "```{index} word; entry\n```\n\n$$\na = b\n$$ (eq-after)\n"
    assert [s.label for s in scan(text, "x.md")] == ["eq-after"]


def test_bound_by_code_needs_its_reason_its_text_and_a_check_that_can_fail():
    limit = formula(r"\lim_{n\to\infty} x_n = 0")
    tex = r"\lim_{n \to \infty} x_n = 0"
    assert "because" not in repr(limit.by_code(lambda: True, because="it is a limit", tex=tex))
    with pytest.raises(EquationError, match="needs the reason"):
        limit.by_code(lambda: True, because=" ", tex=tex)
    with pytest.raises(EquationError, match="no longer the one checked"):
        limit.by_code(lambda: True, because="it is a limit", tex=tex.replace("0", "1"))
    with pytest.raises(EquationError, match="check by code fails"):
        limit.by_code(lambda: False, because="it is a limit", tex=tex)
    check = limit.by_code(lambda: True, because="it is a limit", tex=tex)
    with pytest.raises(EquationError, match="wrong form is accepted"):
        check.rejects(lambda: True, because="no")
    check.rejects(lambda: 1 / 0, because="a division by zero")
    assert repr(check) == "formula checked by code (it is a limit); refuses 1 wrong form"
    with pytest.raises(EquationError, match="in a sentence"):
        limit.unchecked("no")


def test_the_mark_is_deterministic_and_escaped():
    def make():
        return (
            formula(r"Z = A W").holds(MATRICES).rejects(r"A \odot W", because="<b>entries</b> & co")
        )

    one, two = make(), make()
    assert repr(one) == "formula checked: 4 draws, < 1e-12; refuses 1 wrong form"
    assert one._repr_html_() == two._repr_html_()
    assert "&lt;b&gt;entries&lt;/b&gt; &amp; co" in one._repr_html_()
    assert "<td>random (B, m)</td>" in one._repr_html_()
    assert session()["formula"] is two


def test_a_definition_is_marked_and_evaluated():
    check = formula(r"Z := A W").defines(MATRICES)
    assert repr(check).startswith("formula definition, checked: 4 draws")
    with pytest.raises(EquationError, match="does not hold"):
        formula(r"Z := A W + 1").defines(MATRICES)


def test_functions_that_are_not_analytic_are_differentiated_by_differences():
    letters = Letters(
        x=normal("n"),
        J=lambda x: np.abs(np.real(x)).sum() * 2.0,
        draws=6,
    )
    check = formula(r"\frac{\partial J}{\partial x_i} = 2\operatorname{sign}(x_i)").holds(letters)
    assert "finite differences" in repr(check)
    check.rejects(r"2\operatorname{sign}(-x_i)")


def test_a_kink_is_drawn_again_and_never_judged():
    letters = Letters(
        x=normal("n"), y=lambda x: np.real(np.maximum(np.real(x), 0)), J=lambda y: (y**2).sum(),
        draws=30,
    )  # fmt: skip
    check = formula(r"\nabla_x J = 2 y").holds(letters)
    assert check.made == 30


GOOD = (
    "# Page\n\n$$\ny = 2 x\n$$ (eq-double)\n\n```{code-cell} ipython3\n"
    "from bplib.equations import *\n"
    "equation('eq-double').holds(x=normal(), y=lambda x: 2 * x).rejects('3 x')\n```\n"
)


@pytest.mark.parametrize(
    ("arguments", "page", "code", "said"),
    [
        (["--help"], GOOD, 0, "usage: python -m bplib.equations"),
        (["book"], GOOD, 0, "| {eq}`eq-double` `eq-double` | 01-page | checked: 24 draws"),
        (["book/01-page.md"], GOOD, 0, "1 numbered equations: 1 evaluated"),
        (["book"], GOOD.replace("y = 2 x", "y = 4 x"), 1, "01-page.md:4: eq-double: the printed"),
        (["book"], GOOD.replace(".rejects('3 x')", ""), 1, "show at least one wrong form"),
        (["book"], GOOD.replace("(eq-double)", ""), 2, "book has no numbered equation"),
        (["nowhere"], GOOD, 2, "nowhere is not there: name a folder"),
        (["--draws", "3"], GOOD, 2, "unrecognized arguments"),
        (["a", "b"], GOOD, 2, "unrecognized arguments: b"),
        (["book/notes.txt"], GOOD, 2, "a file ending in .md is expected"),
        ([], GOOD, 2, "chapters is not there"),
    ],
)
def test_the_command_says_what_is_wrong(tmp_path, monkeypatch, capsys, arguments, page, code, said):
    from bplib.equations.__main__ import main

    (tmp_path / "book").mkdir()
    (tmp_path / "book" / "01-page.md").write_text(page, encoding="utf-8")
    (tmp_path / "book" / "notes.txt").write_text("", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    try:
        found = main(arguments)
    except SystemExit as exit_:
        found = exit_.code
    shown = capsys.readouterr()
    assert found == code
    assert said in shown.out + shown.err
    assert "Traceback" not in shown.err
