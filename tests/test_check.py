"""The oracles themselves: they must be exact, and they must refuse what is wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import bplib
from bplib import check, ops


def scaled(factor: float) -> Any:
    """A sine whose rule is off by a factor."""
    return bplib.custom_vjp(lambda g, y, x: factor * g * ops.cos(x))(np.sin)


@pytest.mark.parametrize("factor", [1.001, 0.999, -1.0, 2.0, 0.0])
@pytest.mark.parametrize("shape", [(), (3,)])
def test_a_wrong_factor_is_caught_and_explained(factor: float, shape: Any) -> None:
    wrong = scaled(factor)
    x = np.full(shape, 0.4) if shape else 0.4
    verdict = check.gradient(lambda v: wrong(v) * 2.0, x)
    assert not verdict
    assert verdict.argument == 0
    assert verdict.entry == (0,) * len(shape)
    weight = 1.0 if not shape else verdict.expected / (2 * np.cos(0.4))
    assert verdict.expected == pytest.approx(2 * np.cos(0.4) * weight, rel=1e-9)
    assert verdict.got == pytest.approx(factor * verdict.expected, rel=1e-9)
    assert verdict.step is not None
    assert not verdict.near_kink
    for part in ("argument 0", "expected", "got", "step"):
        assert part in str(verdict)
    assert check.gradient(lambda v: scaled(1.0)(v), x)


def test_the_second_argument_is_named() -> None:
    wrong = bplib.custom_vjp(lambda g, y, a, b: g * b, lambda g, y, a, b: g * a * 1.001)(
        np.multiply
    )
    verdict = check.gradient(lambda a, b: wrong(a, b), np.ones(2), np.array([2.0, 3.0]))
    assert not verdict
    assert verdict.argument == 1
    assert "ratio got/expected is 1.001" in str(verdict)


def test_a_wrong_forward_rule_is_caught() -> None:
    op = bplib.ops.linear("halved_for_this_test", lambda x: 2 * x, lambda g, x: 2 * g)
    try:
        op.jvps = (lambda t, y, x: t,)
        verdict = check.gradient(lambda x: op(x), np.ones(2))
        assert not verdict
        assert "forward mode" in str(verdict)
        assert check.adjoint(lambda x: op(x), np.ones(2)) > 0.1
    finally:
        del ops.PRIMITIVES["halved_for_this_test"]


def test_claimed_gradients_of_plain_numpy_functions() -> None:
    W, x = np.arange(6.0).reshape(3, 2) / 5, np.array([0.1, 0.2, -0.4])
    J = lambda x, W: float(np.sum((x @ W) ** 2))  # noqa: E731
    good = 2 * np.outer(x, x @ W)
    assert check.gradient(J, x, W, claimed=(2 * W @ (x @ W), good))
    assert not check.gradient(J, x, W, claimed=(2 * W @ (x @ W), good * 1.001))
    square = np.array([[1.0, 2.0], [3.0, 4.0]])
    f = lambda W: float(np.sum((x[:2] @ W) ** 2))  # noqa: E731
    right = 2 * np.outer(x[:2], x[:2] @ square)
    assert check.gradient(f, square, claimed=right)
    assert not check.gradient(f, square, claimed=right.T), "shapes cannot help: numbers must"
    verdict = check.gradient(J, x, W, claimed=(x, good.T))
    assert "shape" in str(check.gradient(lambda W: J(x, W), W, claimed=good.T))
    assert not verdict


@pytest.mark.parametrize(
    ("f", "x"),
    [
        (ops.relu, np.array([0.0, 1.0])),
        (ops.abs, np.array([2.0, 0.0])),
        (lambda x: ops.maximum(x, 1.0), np.array([1.0, 0.2])),
        (ops.max, np.array([3.0, 3.0, 1.0])),
    ],
)
def test_a_kink_is_recognised(f: Any, x: Any) -> None:
    verdict = check.gradient(f, x)  # it passes if the convention is the middle, as for abs
    assert verdict.near_kink
    assert "near a kink?" in str(verdict)


def test_a_kink_with_the_value_of_one_side_fails() -> None:
    assert not check.gradient(ops.relu, np.array([1.0, 0.0]))
    assert not check.gradient(lambda x: ops.clip(x, 0.0, 1.0), 1.0)


def test_strong_curvature_is_not_called_a_kink_nor_wrong() -> None:
    assert check.gradient(lambda x: ops.sin(50 * x), np.linspace(-1, 1, 7))
    assert check.gradient(lambda x: ops.exp(5 * x), np.linspace(-1, 3, 7))
    assert check.gradient(lambda x: ops.log(x), np.array([1e-3, 1e3]))


def test_float32_is_refused() -> None:
    x = np.ones(2, np.float32)
    for oracle in (check.gradient, check.finite_difference, check.complex_step):
        with pytest.raises(TypeError, match=r"float32.*float64"):
            oracle(ops.sin, x)


def test_the_oracles_are_accurate() -> None:
    x = np.linspace(-1.5, 2, 8)
    exact = np.diag(np.exp(x) * np.cos(np.exp(x)))
    f = lambda v: np.sin(np.exp(v))  # noqa: E731
    assert np.max(np.abs(check.finite_difference(f, x) - exact)) < 1e-9
    np.testing.assert_allclose(check.complex_step(f, x), exact, rtol=1e-13)
    assert check.finite_difference(lambda v: v**3, 2.0) == pytest.approx(12.0, rel=1e-11)
    assert check.finite_difference(lambda v: np.outer(v, v), x[:2]).shape == (2, 2, 2)


def test_complex_step_refuses_what_is_not_analytic() -> None:
    with pytest.raises(TypeError, match="not analytic"):
        check.complex_step(np.abs, np.array([1.0, -1.0]))


def test_complex_step_of_every_activation() -> None:
    x = np.array([-3.0, -0.2, 0.7, 30.0])
    for f in (ops.tanh, ops.sigmoid, ops.softplus, ops.relu, ops.leaky_relu, ops.gelu, ops.silu):
        exact = np.diag(check.complex_step(f, x))
        np.testing.assert_allclose(
            f.rule(np.ones(4), f.forward(x), x), exact, rtol=1e-12, atol=1e-15
        )


def test_explain_nan_names_the_first_operation_forward() -> None:
    f = lambda x: ops.sum(ops.sqrt(ops.log(x)) * 2.0)  # noqa: E731
    with (
        np.errstate(all="ignore"),
        bplib.explain_nan(),
        pytest.raises(FloatingPointError, match=r"sqrt made the first NaN, at entry \(1,\).*-0.69"),
    ):
        bplib.grad(f)(np.array([2.0, 0.5]))
    with np.errstate(all="ignore"):  # and afterwards it is off
        assert np.isnan(bplib.grad(f)(np.array([2.0, 0.5]))[1])


def test_explain_nan_names_the_first_rule_backward() -> None:
    f = lambda x: ops.sum(ops.where(x > 0, ops.sqrt(x), 0.0))  # noqa: E731
    with (
        np.errstate(all="ignore"),
        bplib.explain_nan(),
        pytest.raises(FloatingPointError, match=r"sqrt: its derivative rule.*entry \(1,\)"),
    ):
        bplib.grad(f)(np.array([4.0, 0.0]))


def test_explain_nan_sees_operators_scalars_and_inputs_that_are_nan_already() -> None:
    with np.errstate(all="ignore"), bplib.explain_nan():
        with pytest.raises(FloatingPointError, match="divide made the first NaN"):
            bplib.grad(lambda x: x / (x - x))(0.0)
        with pytest.raises(FloatingPointError, match="subtract made the first NaN"):
            bplib.grad(lambda x: 1.0 / x - 1.0 / x)(0.0)
        with pytest.raises(FloatingPointError, match="matmul"):
            bplib.grad(lambda x: x @ np.array([np.inf, 1.0]))(np.array([0.0, 1.0]))
        assert np.isnan(bplib.grad(lambda x: x * x)(np.nan))  # nothing made it: it came in


def test_errstate_raise_names_the_operation() -> None:
    for f, x, name in (
        (ops.log, np.array([1.0, 0.0]), "log"),
        (ops.log, 0.0, "log"),
        (lambda v: 1.0 / v, np.array([0.0]), "divide"),
        (lambda v: 1.0 / v, 0.0, "divide"),
        (ops.exp, 1e4, "exp"),
        (lambda v: v**0.5, -1.0, "power"),
    ):
        with bplib.errstate("raise"), pytest.raises(FloatingPointError, match=f"^{name}: "):
            bplib.vjp(f, x)
    with bplib.errstate("raise"), pytest.raises(FloatingPointError, match=r"^sqrt: .*rule"):
        bplib.grad(lambda v: ops.sum(ops.sqrt(v)))(np.array([0.0, 1.0]))
    with bplib.errstate("raise"), pytest.raises(FloatingPointError, match="sqrt"):
        bplib.grad(ops.sqrt)(0.0)


def test_the_adjoint_test_passes_between_spaces_of_different_size() -> None:
    M = np.arange(6.0).reshape(2, 3) - 2.5
    assert check.adjoint(lambda x: ops.sin(M @ x), np.array([0.1, -0.4, 0.7])) < 1e-14
