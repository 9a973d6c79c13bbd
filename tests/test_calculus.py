"""The transformations: structures, options, higher orders against SymPy, custom rules."""

from __future__ import annotations

from collections import namedtuple
from typing import Any

import numpy as np
import pytest
import sympy

import bplib
from bplib import check, ops

Point = namedtuple("Point", "x y")


def loss(params: Any, scale: Any = 1.0) -> Any:
    return ops.sum(ops.tanh(params["W"] @ params["layers"][0])) * scale + params["layers"][1].x


TREE = {
    "W": np.arange(6.0).reshape(2, 3) / 10,
    "layers": [np.array([0.1, -0.2, 0.3]), Point(2.0, np.float32(3.0)), (), None],
}


def test_trees_keep_their_structure_and_dtypes() -> None:
    g = bplib.grad(loss)(TREE)
    assert list(g) == ["W", "layers"]
    assert isinstance(g["layers"][1], Point)
    assert g["layers"][1].x == 1.0
    assert type(g["layers"][1].y) is np.float32
    assert g["layers"][2:] == [(), None]
    W, v = TREE["W"], TREE["layers"][0]
    want = np.outer(1 - np.tanh(W @ v) ** 2, v)
    np.testing.assert_allclose(g["W"], want, rtol=1e-14)


def test_argnums_positions_keywords_and_tuples() -> None:
    f = lambda a, b, *, c=3.0: a * b * b * c  # noqa: E731
    assert bplib.grad(f)(2.0, 5.0) == 75.0
    assert bplib.grad(f, 1)(2.0, 5.0) == 60.0
    assert bplib.grad(f, (1, 0))(2.0, 5.0) == (60.0, 75.0)
    assert bplib.grad(f, "c")(2.0, 5.0, c=1.0) == 50.0
    assert bplib.grad(f, (0, "c"))(2.0, 5.0, c=1.0) == (25.0, 50.0)
    value, grads = bplib.value_and_grad(f, (0,))(2.0, 5.0)
    assert (value, grads) == (150.0, (75.0,))


def test_names_and_docs_are_kept() -> None:
    def area(r: float) -> float:
        """The area of a disk."""
        return np.pi * r * r

    assert bplib.grad(area).__name__ == "area"
    assert bplib.jacobian(area).__doc__ == "The area of a disk."


@pytest.mark.parametrize("mode", ["forward", "reverse", "auto"])
def test_jacobian_shapes_and_trees(mode: str) -> None:
    A = np.arange(12.0).reshape(2, 3, 2) / 7
    f = lambda x, y: {"p": ops.einsum("ijk,k->ij", A, ops.sin(x)), "q": (y * ops.sum(x),)}  # noqa: E731
    x, y = np.array([0.3, 0.4]), 2.0
    J = bplib.jacobian(f, (0, 1), mode=mode)(x, y)
    np.testing.assert_allclose(J["p"][0], A * np.cos(x), rtol=1e-14)
    np.testing.assert_array_equal(J["p"][1], np.zeros((2, 3)))
    np.testing.assert_allclose(J["q"][0][0], np.full(2, y))
    np.testing.assert_allclose(J["q"][0][1], 0.7)
    assert J["p"][0].shape == (2, 3, 2)


@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_jacobian_of_zero_size(mode: str) -> None:
    J = bplib.jacobian(lambda x: x * 2.0, mode=mode)(np.zeros((0, 2)))
    assert J.shape == (0, 2, 0, 2)
    J = bplib.jacobian(lambda x: ops.sum(x, axis=0), mode=mode)(np.zeros((0, 2)))
    assert J.shape == (2, 0, 2)


def test_hessian_and_hvp_agree_and_are_symmetric() -> None:
    rng = np.random.default_rng(0)
    A, b, v = rng.standard_normal((4, 3)), rng.standard_normal(3), rng.standard_normal(3)
    f = lambda w: ops.sum(ops.softplus(A @ w)) + ops.prod(w)  # noqa: E731
    H = bplib.hessian(f)(b)
    np.testing.assert_allclose(H, H.T, rtol=1e-12)
    np.testing.assert_allclose(bplib.hvp(f, b, v), H @ v, rtol=1e-12)
    np.testing.assert_allclose(H, check.finite_difference(bplib.grad(f), b), atol=1e-9)
    reverse = bplib.jacobian(bplib.grad(f), mode="reverse")(b)
    np.testing.assert_allclose(H, reverse, rtol=1e-12)
    both = bplib.hessian(lambda x, y: ops.sum(x * y * y), (0, 1))(b, v)
    np.testing.assert_allclose(both[0][1], np.diag(2 * v))
    np.testing.assert_allclose(both[1][0], np.diag(2 * v))
    hx, hy = bplib.hvp(lambda x, y: ops.sum(x * y * y), (b, v), (v, b))
    np.testing.assert_allclose(hx, 2 * v * b)
    np.testing.assert_allclose(hy, 2 * v * v + 2 * b * b)


def test_vjp_and_linearize_with_several_arguments_and_outputs() -> None:
    f = lambda x, y: (x * y, [ops.sum(x)])  # noqa: E731
    x, y = np.array([1.0, 2.0]), np.array([3.0, 4.0])
    (p, [s]), pull = bplib.vjp(f, x, y)
    np.testing.assert_array_equal(p, x * y)
    assert s == 3.0
    gx, gy = pull((np.ones(2), [10.0]))
    np.testing.assert_array_equal(gx, y + 10)
    np.testing.assert_array_equal(gy, x)
    _, push = bplib.linearize(f, x, y)
    tp, [ts] = push(np.ones(2), np.zeros(2))
    np.testing.assert_array_equal(tp, y)
    assert ts == 2.0


EXPRESSIONS = {
    "sin(x)*x**2": lambda x: ops.sin(x) * x**2,
    "exp(x)/(1+x**2)": lambda x: ops.exp(x) / (1 + x**2),
    "tanh(x)**3": lambda x: ops.tanh(x) ** 3,
    "log(x)*sqrt(x)": lambda x: ops.log(x) * ops.sqrt(x),
    "x**x": lambda x: x**x,
    "atan(x)*cosh(x)": lambda x: ops.arctan(x) * ops.cosh(x),
    "1/(1+exp(-x))": ops.sigmoid,
    "log(1+exp(x))": ops.softplus,
}


@pytest.mark.parametrize("text", EXPRESSIONS)
@pytest.mark.parametrize("mode", ["reverse", "forward"])
def test_orders_one_to_six_against_sympy(text: str, mode: str) -> None:
    symbol = sympy.Symbol("x")
    expression = sympy.sympify(text)
    f = EXPRESSIONS[text]
    for _ in range(6):
        expression = sympy.diff(expression, symbol)
        f = bplib.grad(f) if mode == "reverse" else (lambda g: lambda x: bplib.jvp(g, x, 1.0)[1])(f)
        want = float(expression.subs(symbol, sympy.Rational(13, 10)).evalf(30))
        assert f(1.3) == pytest.approx(want, rel=1e-9)


def test_mixed_derivative_of_a_power_at_exponent_zero() -> None:
    d_ab = bplib.grad(bplib.grad(lambda a, b: a**b), 1)(2.0, 0.0)
    assert d_ab == 0.5


def test_stop_gradient_cuts_every_level() -> None:
    f = lambda x: x * bplib.stop_gradient(x * x)  # noqa: E731
    assert bplib.grad(f)(3.0) == 9.0
    with pytest.warns(UserWarning, match="does not depend"):
        assert bplib.grad(bplib.grad(f))(3.0) == 0.0
    cut = bplib.stop_gradient({"a": np.ones(2)})
    np.testing.assert_array_equal(cut["a"], np.ones(2))


@bplib.custom_vjp(lambda g, y, x: g * ops.cos(x))
def my_sin(x: Any) -> Any:
    """A sine."""
    return np.sin(x)


@bplib.custom_jvp(lambda t, y, a, b: t * b, lambda t, y, a, b: t * a)
def my_product(a: Any, b: Any) -> Any:
    return np.multiply(a, b)


def test_custom_rules_serve_both_modes_and_any_order() -> None:
    x = np.array([0.3, -1.2])
    assert check.gradient(my_sin, x)
    assert check.gradient(my_product, x, x + 1)
    assert check.adjoint(my_product, x, x + 1) < 1e-15
    f = my_sin
    for k in range(4):
        assert f(0.4) == pytest.approx(np.sin(0.4 + k * np.pi / 2), rel=1e-13)
        f = bplib.grad(f) if k % 2 else (lambda g: lambda v: bplib.jvp(g, v, 1.0)[1])(f)
    np.testing.assert_allclose(
        bplib.hvp(lambda v: ops.sum(my_product(v, my_product(v, v))), x, x), 6 * x * x
    )
    assert my_sin.doc == "A sine."
    np.testing.assert_array_equal(my_sin(x), np.sin(x))  # on arrays nothing is recorded


def test_gradients_own_their_memory() -> None:
    x, y = np.ones((2, 3)), np.ones((2, 3))
    g, h = bplib.grad(lambda a, b: ops.sum(a + b), (0, 1))(x, y)
    seed = np.ones((2, 3))
    value, pull = bplib.vjp(lambda a, b: a + b, x, y)
    p, q = pull(seed)
    same, through = bplib.vjp(lambda a: a, x)
    arrays = [x, y, g, h, seed, value, p, q, same, through(seed)]
    for i, a in enumerate(arrays):
        assert a.flags.writeable
        for b in arrays[i + 1 :]:
            assert not np.shares_memory(a, b)
    before = pull(seed)[0].copy()
    value += 7  # the caller may do what it likes with what it was given
    seed *= 5
    np.testing.assert_array_equal(pull(np.ones((2, 3)))[0], before)


def test_views_and_zero_dimensional_arrays() -> None:
    base = np.arange(12.0)
    for view in (base[::2], base.reshape(3, 4).T, base[::-1]):
        np.testing.assert_allclose(bplib.grad(lambda v: ops.sum(v * v))(view), 2 * view)
    zero = np.array(3.0)
    g = bplib.grad(lambda v: v * v)(zero)
    assert isinstance(g, np.ndarray)
    assert g.shape == ()
    assert g == 6.0
    assert bplib.grad(lambda v: ops.sum(v))(np.zeros((0, 3))).shape == (0, 3)
    scalar = bplib.grad(lambda v: v * v)(np.float64(3.0))
    assert type(scalar) is np.float64
    assert type(bplib.grad(lambda v: v * v)(3.0)) is float


def test_an_output_that_is_given_twice_takes_both_cotangents() -> None:
    def twice(x: Any) -> Any:
        y = 2.0 * x
        return y, y

    _, pull = bplib.vjp(twice, 3.0)
    g = pull((1.0, 10.0))
    assert g == 22.0
