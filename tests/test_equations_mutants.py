"""The misprints that are made, and that the checks notice."""

from __future__ import annotations

import collections

import numpy as np
import pytest

from bplib.equations import Letters, elementwise, formula, gradient, layered, normal
from bplib.equations.mutate import judge, mutants

from .test_equations_corpus import EQUATIONS


@pytest.mark.parametrize(
    ("latex", "kind", "expected"),
    [
        (r"C = A^{\mathsf T} B", "transpose", "C = A B"),
        (r"C = A^{[l]\mathsf T} B", "transpose", "C = A^{[l] } B"),
        (r"C = A - B", "sign", "C = A + B"),
        (r"C = -A", "sign", "C = A"),
        (r"C_{jk} = A_{jk}", "indices", "C_{k j} = A_{jk}"),
        (r"C_{jk} = A_{jk}", "index letter", "C_{k k} = A_{jk}"),
        (r"C = A B", "factors", "C = B A"),
        (r"C = \sum_{j=1}^n A_j", "sum", "C = A_j"),
        (r"C = A^{[l+1]}", "layer", "C = A^{[l]}"),
        (r"C = A^{[l]}", "layer", "C = A^{[l-1]}"),
        (r"C = \frac{1}{B} A", "factor", "C = A"),
        (r"C = \phi'(A)", "prime", "C = \\phi(A)"),
        (r"C = A \odot B", "hadamard", "C = A B"),
        (r"C = 2 A", "number", "C = 3 A"),
        (r"C = \frac{A}{b}", "upside down", "C = \\frac{b}{A}"),
        (r"C = \phi_l'(A)", "function layer", "C = \\phi_{l-1}'(A)"),
    ],
)
def test_every_kind_of_slip_is_made(latex, kind, expected):
    made = {"".join(m.latex.split()) for m in mutants(latex) if m.kind == kind}
    assert "".join(expected.split()) in made


def test_the_misprints_of_the_corpus_are_detected():
    """The figure of merit on a fixed corpus: at least 99 % of the misprints that change a value."""
    counts: collections.Counter[str] = collections.Counter()
    survivors = []
    for _, latex, letters, _ in EQUATIONS:
        letters = letters.extend(draws=4)
        for verdict in judge(formula(latex).holds(letters)):
            counts["mutants"] += 1
            counts["equivalent"] += verdict.how == "equivalent"
            counts["detected"] += verdict.detected
            counts["unreadable"] += verdict.how == "unreadable"
            if verdict.how == "survived":
                survivors.append((latex, verdict.mutant.kind, verdict.mutant.latex))
    real = counts["mutants"] - counts["equivalent"]
    assert counts["mutants"] > 300
    assert counts["detected"] >= 0.99 * real, survivors
    # Most are refused by evaluation, not because the misprint is no longer mathematics.
    assert counts["unreadable"] < 0.1 * real


def test_a_weak_binding_leaves_survivors():
    """One activation for all layers cannot see a wrong layer at phi: the tool says so."""

    def forward(v):
        for l in range(1, 4):  # noqa: E741
            v.z[l] = v.W[l] @ v.a[l - 1]
            v.a[l] = v.phi[l](v.z[l])
        v.J = (v.a[3] ** 3).sum()

    same = Letters(
        forward,
        a=layered(normal("n[0]"), 0, 0),
        W=layered(normal("n[l]", "n[l-1]"), 1, 3),
        phi=layered([elementwise(np.tanh)], 1, 3),
        delta=gradient("J", "z"),
        draws=4,
    )
    latex = (
        r"\delta^{[l]} = \phi_l'(z^{[l]}) \odot (W^{[l+1]\mathsf T}\delta^{[l+1]}),"
        r" \quad l = 2, \dots, 2"
    )
    found = [v for v in judge(formula(latex).holds(same)) if v.mutant.kind == "function layer"]
    assert [v.how for v in found] == ["equivalent"]
    different = same.extend(phi=layered([elementwise(f) for f in (np.tanh, np.sin, np.cos)], 1, 3))
    found = [v for v in judge(formula(latex).holds(different)) if v.mutant.kind == "function layer"]
    assert [v.how for v in found] == ["by value"]
