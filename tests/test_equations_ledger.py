# ruff: noqa: E501  (an equation is easier to read on one line)
"""Wrong formulas that were printed somewhere, in their own notation: refused; repaired: accepted.

The two Japanese notes this book answers (S1, S2; the ids are the rows of the ledger with the
verdicts "wrong shape" and "wrong index"), and the printed derivation of an executable lecture whose
code is right and whose continuous integration is strict.
"""

from __future__ import annotations

import numpy as np
import pytest

from bplib.equations import EquationError, Letters, elementwise, formula, gradient, layered, normal

# --------------------------------------------------------------------------------------------
# S2: index form, weights out x in, layer as a bare superscript


def s2_network(v):
    for i in range(1, v.N + 1):
        v.z[i] = v.w[i] @ v.a[i - 1]
        v.a[i] = v.phi[i](v.z[i])
    v.E = ((v.a[v.N] - v.t) ** 3).sum()


def second_note(**sizes):
    return Letters(
        s2_network,
        N=3,
        **sizes,
        a=layered(normal("M[l]"), 0, 0),
        w=layered(normal("M[l]", "M[l-1]"), 1, "N"),
        t=normal("M[3]"),
        phi=layered([elementwise(np.tanh), elementwise(np.sin), elementwise(np.arctan)], 1, "N"),
        xi=gradient("E", "z"),
        loss="E",
    )


S2 = second_note()

LINE = r"\phi'_i(z^i_n) \sum_{k=1}^{M_{i+1}} \frac{\partial E}{\partial a^{i+1}_k} "
S2_WRONG = {
    "S2-06": (
        r"z^i_k = \sum_{j=1}^{M_{i-1}} w^i_{kj} a^{i-1}_j",
        r"z^i_k = \sum_{j=1}^{M_{i-1}} w^i_{kj} a^{i-1}_k",
    ),
    "S2-22": (
        r"\xi^N_n = \frac{\partial E}{\partial a^N_n} \phi'_N(z^N_n)",
        r"\xi^N_n &= \frac{\partial E}{\partial a^N_n} \phi'_i(z^N_n)",
    ),
    "S2-26": (
        r"\xi^i_n = "
        + LINE
        + r"\frac{\partial a^{i+1}_k}{\partial z^{i+1}_k} \frac{\partial z^{i+1}_k}{\partial a^i_n}",
        r"\xi^i_n = "
        + LINE
        + r"\frac{\partial a^{i+1}_k}{\partial z^{i+1}_n} \frac{\partial z^{i+1}_k}{\partial a^i_n}",
    ),
    "S2-27": (
        r"\xi^i_n = " + LINE + r"\phi'_{i+1}(z^{i+1}_k) w^{i+1}_{kn}",
        r"\xi^i_n = " + LINE + r"\phi'_i(z^{i+1}_k) w^{i+1}_{kn}",
    ),
    "S2-28": (
        r"\xi^i_n = " + LINE + r"\phi'_{i+1}(z^{i+1}_k) w^{i+1}_{kn}",
        r"\xi^i_n = " + LINE + r"\phi'_{i+1}(z^{i+1}_n) w^{i+1}_{kn}",
    ),
    "S2-27 and S2-28, as printed": (
        r"\xi^i_n = " + LINE + r"\phi'_{i+1}(z^{i+1}_k) w^{i+1}_{kn}",
        r"\xi^i_n = " + LINE + r"\phi'_i(z^{i+1}_n) w^{i+1}_{kn}",
    ),
    "S2-35": (
        r"\xi^N_n = \frac{\partial E}{\partial a^N_n} \phi'_N(z^N_n)",
        r"\xi^N_n = \frac{\partial E}{\partial a^N_n} \phi'_i(z^N_n)",
    ),
}

S2_AS_PRINTED = r"""
\begin{aligned}
\xi^i_n &= \phi'_i(z^i_n) \frac{\partial E}{\partial a^i_n} \\
&= \phi'_i(z^i_n) \sum_{k=1}^{M_{i+1}} \frac{\partial E}{\partial a^{i+1}_k} \frac{\partial a^{i+1}_k}{\partial a^i_n} \\
&= \phi'_i(z^i_n) \sum_{k=1}^{M_{i+1}} \frac{\partial E}{\partial a^{i+1}_k} \frac{\partial a^{i+1}_k}{\partial z^{i+1}_n} \frac{\partial z^{i+1}_k}{\partial a^i_n} \\
&= \phi'_i(z^i_n) \sum_{k=1}^{M_{i+1}} \frac{\partial E}{\partial a^{i+1}_k} \phi'_i(z^{i+1}_n) w^{i+1}_{kn} \\
&= \phi'_i(z^i_n) \sum_{k=1}^{M_{i+1}} \xi^{i+1}_k w^{i+1}_{kn}
\end{aligned}
"""


@pytest.mark.parametrize("row", S2_WRONG)
def test_a_wrong_index_of_the_second_note_is_refused_and_its_repair_holds(row):
    right, wrong = S2_WRONG[row]
    check = formula(right).holds(S2).rejects(wrong.replace("&", ""), because=row)
    assert check.refused[0].how.startswith("by ")


def test_the_derivation_as_printed_fails_at_its_third_line_and_holds_when_repaired():
    with pytest.raises(EquationError, match=r"(?s)does not hold.*z\^\{i\+1\}_n"):
        formula(S2_AS_PRINTED).holds(S2)
    repaired = S2_AS_PRINTED.replace("z^{i+1}_n", "z^{i+1}_k").replace(
        r"\phi'_i(z^{i+1}_k)", r"\phi'_{i+1}(z^{i+1}_k)"
    )
    formula(repaired).holds(S2)


def test_the_wrong_indices_are_refused_when_all_widths_are_equal_too():
    """Shapes must not be what finds them: equal widths leave only the values."""
    equal = second_note(M={0: 3, 1: 3, 2: 3, 3: 3})
    for row in ("S2-22", "S2-26", "S2-27", "S2-28"):
        right, wrong = S2_WRONG[row]
        check = formula(right).holds(equal).rejects(wrong.replace("&", ""))
        assert check.refused[0].how == "by value", row


# --------------------------------------------------------------------------------------------
# S1: columns, u_{i+1} = W^T u_i


def s1_network(v):
    for i in range(v.n_layers):
        v.u[i + 1] = v.W[i].T @ v.u[i]
    v.J = (v.u[v.n_layers] ** 3).sum()


S1 = Letters(
    s1_network,
    n_layers=2,
    u=layered(normal("m[l]"), 0, 0),
    W=layered(normal("m[l]", "m[l+1]"), 0, 1),
)


def test_the_forward_formula_of_the_first_note_needs_the_index_it_lost():
    """S1-36: W in the forward formula, W_i in the derivatives."""
    formula(r"\mathbf{u}_{i+1} = \mathbf{W}_i^{\mathrm{T}} \mathbf{u}_i").holds(S1)
    with pytest.raises(EquationError, match="W has layers; say which"):
        formula(r"\mathbf{u}_{i+1} = \mathbf{W}^{\mathrm{T}} \mathbf{u}_i").holds(S1)


def test_the_matrix_derivatives_of_the_first_note_are_refused_by_shape():
    one = Letters(
        W=normal("m", "n"),
        u=normal("m"),
        z=lambda W, u: W.T @ u,
        J=lambda z: (z**3).sum(),
        G=gradient("J", "z"),
    )
    right = formula(r"\frac{\partial z_k}{\partial W_{ab}} = u_a \delta_{kb}").holds(one)
    right.rejects(
        r"\frac{\partial \mathbf z}{\partial \mathbf W} = \mathbf u^{\mathrm T}", because="S1-37"
    )
    assert right.refused[0].how == "by shape"
    gradient_ = formula(r"\frac{\partial J}{\partial \mathbf W} = \mathbf u\,\mathbf G^{\mathrm T}")
    check = gradient_.holds(one).rejects(r"\mathbf u^{\mathrm T}\mathbf G", because="S1-39")
    assert check.refused[0].how == "by shape"


def test_the_same_form_is_right_for_rows():
    rows = Letters(
        U=normal("B", "m"),
        W=normal("m", "n"),
        Z=lambda U, W: U @ W,
        J=lambda Z: (Z**3).sum(),
        G=gradient("J", "Z"),
    )
    formula(r"\nabla_W J = U^{\mathrm T} G").holds(rows).rejects(r"U G^{\mathrm T}")


# --------------------------------------------------------------------------------------------
# The lecture: a network of width one, x_{i+1} = h_i(w_i x_i + b_i)


def lecture_network(v):
    v.x[1] = 0.7  # given, so that dx_1 = 0
    for i in range(1, v.N + 1):
        v.x[i + 1] = v.h[i](v.w[i] * v.x[i] + v.b[i])
    v.calL = (v.x[v.N + 1] - v.y) ** 2 / 2
    for i in range(1, v.N + 1):  # the derivative of tanh and of sin, written out
        at = v.w[i] * v.x[i] + v.b[i]
        v.delta[i] = 1 / np.cosh(at) ** 2 if i == 1 else np.cos(at)


LECTURE = Letters(
    lecture_network,
    N=2,
    w=layered(normal(), 1, "N"),
    b=layered(normal(), 1, "N"),
    y=normal(),
    h=layered([elementwise(np.tanh), elementwise(np.sin)], 1, "N"),
    loss="calL",
)

SYSTEM = r"""
\left(\begin{array}{c} dx_{2}\\ dx_{3} \end{array}\right)
= \left(\begin{array}{cccc} D_1 & \delta_{1} & 0 & 0\\ 0 & 0 & D_2 & \delta_{2} \end{array}\right)
\left(\begin{array}{c} dw_{1}\\ db_{1}\\ dw_{2}\\ db_{2} \end{array}\right)
+ \left(\begin{array}{cc} 0 & 0\\ L_2 & 0 \end{array}\right)
\left(\begin{array}{c} dx_{2}\\ dx_{3} \end{array}\right)
"""


def system(first, second, lower):
    return SYSTEM.replace("D_1", first).replace("D_2", second).replace("L_2", lower)


D1, D2, LOWER = r"\delta_1 x_1", r"\delta_2 x_2", r"\delta_2 w_2"
LECTURE_WRONG = {
    "sign of the loss derivative": (
        r"\frac{d \mathcal{L}}{dx_{N+1}} = \left(x_{N+1}-y\right)",
        r"\frac{d {\mathcal L}}{dx_{N+1}}=-\left(x_{N+1}-y\right)",
    ),
    "b_i for db_i": (
        r"dx_{i+1}=\delta_{i}\left(dw_{i}x_{i}+w_{i}dx_{i}+db_{i}\right)",
        r"dx_{i+1}=\delta_{i}\left(dw_{i}x_{i}+w_{i}dx_{i}+b_{i}\right)",
    ),
    "delta_1 w_1 for delta_1 x_1": (
        system(D1, D2, LOWER),
        system(r"\delta_{1}w_{1}", D2, LOWER),
    ),
    "delta_N w_N for delta_N x_N": (
        system(D1, D2, LOWER),
        system(D1, r"\delta_{2}w_{2}", LOWER),
    ),
    "w_2 for delta_2 w_2": (system(D1, D2, LOWER), system(D1, D2, "w_{2}")),
}


@pytest.mark.parametrize("slip", LECTURE_WRONG)
def test_the_printed_slips_of_an_executable_lecture_are_refused(slip):
    right, wrong = LECTURE_WRONG[slip]
    check = formula(right).holds(LECTURE).rejects(wrong, because=slip)
    assert check.refused[0].how == "by value"


def test_the_right_lines_of_that_lecture_hold():
    formula(r"\delta_{i}=h_i'\left(w_{i}x_{i}+b_{i}\right)").holds(LECTURE).rejects(
        r"h_i'\left(w_{i}x_{i}\right)"
    )
    formula(r"h_1'(b_1) = \frac{1}{\cosh^2(b_1)}").holds(LECTURE).rejects(r"\frac{1}{\cosh(b_1)}")


# --------------------------------------------------------------------------------------------
# The roll: every formula of the notes with the verdict "wrong shape" or "wrong index", as printed,
# and every wrong line of the lecture; each beside its repair.


def one_layer(v):
    v.z = v.u[1] = v.W[0].T @ v.u[0]
    v.J = (v.z**3).sum()


ONE_LAYER = Letters(
    one_layer,
    u=layered(normal("m"), 0, 0),
    W=layered(normal("m", "n"), 0, 0),
    G=gradient("J", "z"),  # the note's G: by the output of the layer at hand
)
LAST = r"\xi^N_n = \frac{\partial E}{\partial a^N_n} "
NOTES = {  # id: letters, as printed, repaired
    "S1-36": (
        S1,
        r"\mathbf{u}_{i+1} = \mathbf{W}^{\mathrm{T}} \mathbf{u}_i",
        r"\mathbf{u}_{i+1} = \mathbf{W}_i^{\mathrm{T}} \mathbf{u}_i",
    ),
    "S1-37": (
        ONE_LAYER,
        r"\frac{\partial \mathbf{u}_{i+1}}{\partial \mathbf{W}_i} = \mathbf{u}_i^{\mathrm{T}}",
        r"\frac{\partial u^{i+1}_k}{\partial W^i_{ab}} = u^i_a \delta_{kb}",
    ),
    "S1-39": (
        ONE_LAYER,
        r"\frac{\partial J}{\partial \mathbf{W}_i} = \frac{\partial \mathbf{u}_{i+1}}{\partial \mathbf{W}_i} \mathbf{G} = \mathbf{u}_i^{\mathrm{T}} \mathbf{G}",
        r"\frac{\partial J}{\partial \mathbf{W}_i} = \mathbf{u}_i \mathbf{G}^{\mathrm{T}}",
    ),
    "S2-06": (S2, S2_WRONG["S2-06"][1], S2_WRONG["S2-06"][0]),
    "S2-22": (S2, LAST + r"\phi'_i(z^N_n)", LAST + r"\phi'_N(z^N_n)"),
    "S2-26": (S2, S2_WRONG["S2-26"][1], S2_WRONG["S2-26"][0]),
    "S2-27": (S2, S2_WRONG["S2-27"][1], S2_WRONG["S2-27"][0]),
    "S2-28": (S2, S2_WRONG["S2-28"][1], S2_WRONG["S2-28"][0]),
    "S2-35": (S2, LAST + r"\phi'_i(z^N_n)", LAST + r"\phi'_N(z^N_n)"),
}
PRINTED = {
    **NOTES,
    **{f"lecture: {k}": (LECTURE, wrong, right) for k, (right, wrong) in LECTURE_WRONG.items()},
}


def test_the_roll_is_complete():
    shape, index = (
        {"S1-37", "S1-39"},
        {"S1-36", "S2-06", "S2-22", "S2-26", "S2-27", "S2-28", "S2-35"},
    )
    assert set(NOTES) == shape | index
    assert len(PRINTED) - len(NOTES) >= 4


@pytest.mark.parametrize("row", PRINTED)
def test_what_was_printed_wrong_is_refused_and_the_repair_accepted(row):
    letters, printed, repaired = PRINTED[row]
    with pytest.raises(EquationError, match=r"does not hold|W has layers; say which"):
        formula(printed).holds(letters)
    formula(repaired).holds(letters)
