# ruff: noqa: E501  (an equation is easier to read on one line)
"""The reader leaves nothing out: every sign has its meaning, is layout by name, or is refused."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from bplib.equations import EquationError, Letters, elementwise, formula, function, layered, normal
from bplib.equations import latex as grammar
from bplib.equations import meaning as m
from bplib.equations.check import read_formula
from bplib.equations.latex import LatexError

LETTERS = Letters(
    x=normal("n"),
    y=normal("n"),
    A=normal("n", "n"),
    c=normal(),
    c_new=normal(),
    r=normal(),
    k=2,
    p=3,
    N_f=normal(),
    N_nablaf=normal(),
    W_12=normal(),
    f=function(np.tanh),
    g=elementwise(np.sin),
    softmax=function(lambda z: np.exp(z) / np.exp(z).sum()),
    z=lambda A, x: A @ x,
    J=lambda z: (z**3).sum(),
    h=layered(normal("n"), 1, 3),
    sfJ=normal("n", "n"),
    calL=normal(),
    bbL=normal(),
    frL=normal(),
    paths=normal(),
    N_paths=normal(),
    **{
        f"x_{a}": normal("n")
        for a in sorted({*grammar.ACCENTS.values()} - {"bar", "dot"})
    },
    **{name: normal() for name in sorted(grammar.GREEK)},
    draws=2,
)  # fmt: skip


def bare(node):
    """What was read, without the places where it stands."""
    if isinstance(node, m.Node):
        fields = [f.name for f in dataclasses.fields(node) if f.name not in ("start", "end")]
        return (type(node).__name__, *(bare(getattr(node, name)) for name in fields))
    return tuple(map(bare, node)) if isinstance(node, tuple) else node


def read(latex, letters=LETTERS):
    """What a display says; None when it is refused."""
    try:
        found = read_formula(latex, letters)
    except LatexError:
        return None
    links = tuple((bare(one.left), one.relation, bare(one.right)) for one in found.links)
    ranges = tuple((name, bare(ends)) for name, ends in found.ranges.items())
    return links, ranges, tuple(map(bare, found.conditions))


# --------------------------------------------------------------------------------------------
# Every sign of the grammar: taken away, it changes what is read, or it is layout

LAYOUT = (
    grammar.LAYOUT | grammar.ROLES | grammar.BOLD | grammar.UNPRINTED - {r"\label"}
    | grammar.NOTED | {r"\mathrm", "&", "~", "."}
)  # fmt: skip


def sentences():
    """(the sign, a display with it, the same display without it) for all tables of the grammar."""
    for name in grammar.GREEK:
        yield f"\\{name}", rf"c = \{name} r", "c = r"
    for name in grammar.NAMED:
        yield f"\\{name}", rf"c = \{name} (r)", "c = (r)"
    for sign in grammar.RELATIONS:
        yield sign, f"c {sign} r", "c r"
    for sign in grammar.OPERATORS:
        yield sign, f"c = c + r {sign} r", "c = c + r r"
    for opening, kind in grammar.OPEN.items():
        inside = "x, y" if kind == "<" else "c + r"
        for closing in (c for c, k in grammar.CLOSE.items() if k == kind):
            yield opening, f"c = {opening} {inside} {closing} r", f"c = {inside} r"
    for bar in grammar.BARS:
        yield bar, f"c = {bar} c - r {bar} r", "c = c - r r"
    for word in grammar.STYLES:
        letter = {r"\mathcal": "L", r"\mathbb": "L", r"\mathfrak": "L"}.get(word, "J")
        yield word, f"c = {word} {letter}", f"c = {letter}"
    for word in grammar.ROLES | grammar.NOTED:
        yield word, f"c = {word}{{c}}", "c = c"
    for word in grammar.ACCENTS:
        yield word, f"x = {word} x", "x = x"
    for word in grammar.LAYOUT:
        after = "|" if word in (r"\middle", r"\bigm", r"\Bigm") else "("
        inside = "c" if after == "|" else "c + r"
        closing = {"|": "|", "(": ")"}[after]
        if word in (r"\limits", r"\nolimits"):
            yield word, rf"c = \sum{word}_j x_j", r"c = \sum_j x_j"
        else:
            yield (
                word,
                f"c = {word} {after} {inside} {closing} r",
                f"c = {after}{inside}{closing} r",
            )
    for word in grammar.UNPRINTED - {r"\label"}:
        yield word, f"c = {word}{{red}} r", "c = r"
    for word in grammar.WORDED:
        yield word, rf"N_{{{word}{{paths}}}} = c", "N = c"
        yield word, rf"c = r {word}{{ and }} x = y", "c = r x = y"
    for name in sorted(grammar.ALIGNED):
        two = rf"\begin{{{name}}} c &= r \\ x &= y \end{{{name}}}"
        yield r"\\", two, two.replace(r"\\", "")
        yield "&", two, two.replace("&", "")
        yield rf"\begin{{{name}}}", two, two.replace(rf"\begin{{{name}}}", "")
    for name in sorted(grammar.MATRICES - {"cases"}):
        columns = "{cc}" if name == "array" else ""
        two = rf"A = \begin{{{name}}}{columns} c & r \\ k & p \end{{{name}}}"
        yield "& in a matrix", two, two.replace("&", "")
        yield r"\\ in a matrix", two, two.replace(r"\\", "&")
    cases = r"c = \begin{cases} r & \text{if } r > 0 \\ 0 & \text{otherwise} \end{cases}"
    yield "a condition", cases, cases.replace("> 0", "> 1")
    for dots in grammar.DOTS:
        yield dots, rf"h^{{[l]}} = x, \quad l = 1, {dots}, p", r"h^{[l]} = x, \quad l = 1, p"
    for word in (r"\frac", r"\tfrac", r"\dfrac", r"\binom", r"\tbinom"):
        yield word, f"c = {word}{{p}}{{k}}", "c = {p}{k}"
    for sign, with_it, without in (
        (r"\sqrt", r"c = \sqrt{r}", "c = {r}"),
        (r"\sum", r"c = \sum_j x_j", "c = x_j"),
        (r"\prod", r"c = \prod_j x_j", r"c = \sum_j x_j"),
        (r"\partial", r"c = \frac{\partial J}{\partial c}", r"c = \frac{J}{c}"),
        (r"\nabla", r"x = \nabla_x J", "x = J"),
        (r"\nabla in a script", r"N_{\nabla f} = c", "N_f = c"),
        (r"\prime", r"c = g^\prime(r)", "c = g(r)"),
        ("'", "c = g'(r)", "c = g(r)"),
        (r"\top", r"A = A^\top", "A = A"),
        (r"\intercal", r"A = A^\intercal", "A = A"),
        (r"\mathsf T", r"A = A^{\mathsf T}", "A = A"),
        (r"\operatorname", r"c = \operatorname{tr}(A)", "c = (A)"),
        (r"\quad", r"c = r \quad x = y", "c = r x = y"),
        (r"\qquad", r"c = r \qquad x = y", "c = r x = y"),
        ("a comma", "c = r, x = y", "c = r x = y"),
        ("a semicolon", "c = r; x = y", "c = r x = y"),
        ("a colon", "c = r: x = y", "c = r x = y"),
        ("_", "c = x_k", "c = x k"),
        ("^", "c = r^k", "c = r k"),
        ("~", "c~= r", "c = r"),
        (".", "c = r.", "c = r"),
        (r"\mathbf 1", r"A = x \mathbf 1^{\mathsf T}", r"A = x^{\mathsf T}"),
        (r"\mathbf 1[]", r"c = \mathbf 1[r > 0] r", "c = r"),
        ("a bar", r"c = \frac{d}{dr} r \Big|_{r=0}", r"c = \frac{d}{dr} r"),
        (":", "x = A_{:k}", "x = A_{k}"),
    ):
        yield sign, with_it, without


CASES = sorted(sentences())  # sets have another order in each process, tests must not


@pytest.mark.parametrize(
    ("sign", "latex", "without"), CASES, ids=[f"{n} {c[0]}" for n, c in enumerate(CASES)]
)
def test_a_sign_means_something_or_is_layout_by_name(sign, latex, without):
    if sign in LAYOUT:
        assert read(latex) == read(without) is not None
    else:
        assert read(latex) is None or read(latex) != read(without)


REFUSED = {r"\circ", r"\Pr", r"\sup", r"\inf", r"\arg", r"\lim", r"\dim", r"\deg"}


def test_most_of_these_displays_are_read():
    """The test above must not pass because all of them are refused."""
    unread = {sign for sign, latex, _ in CASES if read(latex) is None}
    assert unread <= REFUSED | {r"\prime", r"\mathsf", r"\mathit"}, unread


@pytest.mark.parametrize(
    "table", [grammar.RELATIONS, grammar.OPERATORS, grammar.ACCENTS, grammar.BARS]
)
def test_two_signs_are_read_alike_only_where_the_table_says_so(table):
    def display(sign):
        if table is grammar.BARS:
            return f"c = {sign} x {sign}"
        return f"x = {sign} x" if table is grammar.ACCENTS else f"c {sign} r = c"

    signs = [s for s in table if s not in REFUSED]
    for one in signs:
        for other in signs:
            same = read(display(one)) == read(display(other))
            assert same == (table[one] == table[other]), (one, other)


# --------------------------------------------------------------------------------------------
# What used to be passed over

LEFT_OUT = {
    r"N_{\nabla f} = N_f": "does not hold",
    r"c = N_{\bar f}": "unknown letter N",
    r"W_{1,2} = W_{12}": "unknown letter W",
    r"\varpi_k = \varpi": "bound",
    r"\sum_j^{2} x_j = \sum_j x_j": "a last value without a first",
    r"\sum'_j x_j = \sum_j x_j": "what stands above this sum sign",
    r"\max'_j x_j = \max_j x_j": "what stands above this max sign",
    r"x_{4/k} = x_2": "this subscript is not read",
    r"x_{2 k/4} = x_{8k}": "this subscript is not read: operator SLASH",
    r"x_{1.5} = x_1": "a subscript is a whole number",
    r"|c|_2 = |c|": "an absolute value has no subscript",
    r"\lVert x \rVert_{\bar c} = \lVert x \rVert": "one letter, number or word is expected at a norm",
    r"\operatorname{softmax}_1(x) = \operatorname{softmax}(x)": "does not hold: by shape",
    r"\operatorname{tr}_2(A) = \operatorname{tr}(A)": "tr with the subscript 2 is not read",
    r"\log_c(2) = 1": "log with the subscript c is not read",
    r"c . c = c^2": "a full stop inside a formula",
    r"f(x,) = f(x)": "something is missing beside this comma",
    r"c = c \quad\text{unless it is not}": "is not read between formulas",
    r"c = c \quad\text{(only sometimes)}": "is not read between formulas",
    r"\frac{c\text{ no }}{r} = \frac{c}{r}": "words inside a formula",
    r"c = \cdot c": "an operator with nothing before it",
    r"\dot{c^2} = \dot c^2": "a power under an accent",
    r"\bar{c^2} = \bar c^2": "a power under an accent",
    r"h^{[l]} = h^{[l]}, \quad l = 1, 3, \dots, p": "a range counts by ones",
    r"h^{[l]} = h^{[l]}, \quad l = p, 1, \dots, 1": "a range counts by ones",
    r"c = c, \quad q < 3": "a condition on q, which no equation here has",
    r"c = c, \quad q = 1, \dots, 3": "a range of q, which no equation here has",
    r"l = 1, \dots, 3 \\ &= c": "outside an aligned|nothing on its left",
    r"\begin{aligned} l &= 1, \dots, 3 \\ &= c \end{aligned}": "nothing on its left",
    r"\nabla'_x J = \nabla_x J": r"only \\nabla\^2 is read",
    r"\frac{\partial^n J}{\partial x} = c": "the order of a derivative is a number",
    r"c = \underbrace{c}_{k}": r"the note at \\underbrace",
    r"|c| = \begin{cases} c & c > 0 \\ -c & c < 0 & 3 \end{cases}": "cases have two columns",
    r"|c| = \begin{cases} c & c > 0, c > 9 \\ -c & \text{else} \end{cases}": "one condition",
    r"|c| = \begin{cases} c & \text{unless } c > 0 \\ -c & \text{else} \end{cases}": "row of cases",
    r"1 = \begin{cases} 1 \\ 2 & c > 0 \end{cases}": "only the last row of cases",
    r"c = c \Big|_{r=0}^{r=1}": "the bar needs a subscript such as r = 0",
    r"\mathsf J_{f^2}(x) = \mathsf J_f(x)": "f is bound to a function",
    r"x{}_1{}_2 = x_1": "two subscripts",
    r"\binom{k - 9}{1} = 1": "does not hold: by value: a binomial coefficient",
}


@pytest.mark.parametrize("latex", LEFT_OUT)
def test_nothing_is_passed_over(latex):
    letters = LETTERS
    if latex.startswith(r"\varpi"):
        latex, letters = latex.replace("varpi", "pi"), Letters(k=2)
        with pytest.raises(EquationError, match="unknown letter pi"):
            formula(latex).holds(letters)
        return
    with pytest.raises(EquationError, match=LEFT_OUT[latex]):
        formula(latex).holds(letters)


@pytest.mark.parametrize(
    "latex",
    [
        r"c = \underbrace{c}_{\text{the sum}}",
        r"c = c \quad\text{(chain rule)}",
        r"x = \textcolor{red}{x}",
        r"c = c.",
        r"c = c. \quad x = x.",
        r"h^{[l]} = h^{[l]}, \quad l = p, p - 1, \dots, 1",
        r"\operatorname{softmax}_k(x) = \operatorname{softmax}_2(x)",
        r"\log_2 8 = 3",
        r"\bar{x}_k = \bar{x_k}",
        r"\overline{A^{\mathsf T}} = \bar A^{\mathsf T}",
    ],
)
def test_what_says_nothing_more_is_read(latex):
    letters = Letters(
        c=normal(), k=2, p=3, x=normal("n"), A=normal("n", "n"), J=lambda x, A: (A @ x**2).sum(),
        h=layered(normal("n"), 1, 3), softmax=function(lambda z: np.exp(z) / np.exp(z).sum()),
        draws=2,
    )  # fmt: skip
    formula(latex).holds(letters)


@pytest.mark.parametrize("inner", [r"(r^2 + c)", r"r^2", r"f(r)", r"\left(r^2 + c\right)"])
def test_a_bar_after_a_derivative_sets_the_letter_in_the_derivative(inner):
    letters = Letters(c=2.0, r=normal(), f=elementwise(lambda t: t**2))
    display = formula(rf"6 = \frac{{d}}{{dr}} {inner} \Big|_{{r=3}}")
    display.holds(letters).rejects("0", because="the letter was set before the derivative")


def test_every_rule_of_the_grammar_is_made_into_an_item():
    """A rule without its maker would leave a tree of the parser's, and nothing would say so."""
    made = {
        str(rule.alias or rule.origin.name)
        for rule in grammar._parser().rules
        if not rule.options.expand1 and not str(rule.origin.name).startswith("_")
    }
    assert len(made) > 10
    assert [name for name in sorted(made) if not hasattr(grammar._Build, name)] == []
