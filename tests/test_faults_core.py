"""Sections A (misuse) and B (numeric) of the catalogue of faults: one test a row, by number.

Each shows the message it gives. Rows about training (10, 39, 40, 42, 43) belong to the tests of
the trainer and the losses; the last test here keeps the list of rows complete.
"""

from __future__ import annotations

import importlib
import math
import re
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import bplib
from bplib import check, grad, ops
from bplib.graph import Node

ROWS: dict[int, str] = {}
LEFT = {10, 39, 40, 42, 43}
ELSEWHERE = {
    23: "test_graph.test_perturbation_confusion",
    24: "test_graph.test_threads_have_independent_traces",
    25: "test_graph.test_a_chain_of_100_000_nodes_neither_recurses_nor_crashes_when_deleted",
    26: "test_graph.test_two_to_the_sixty_paths",
    27: "test_graph.test_memory_returns_without_the_cycle_collector",
}


def row(*numbers: int) -> Callable[[Any], Any]:
    def note(test: Any) -> Any:
        for number in numbers:
            ROWS[number] = test.__name__
        return test

    return note


def says(error: type[Exception], *parts: str) -> Any:
    """Expect an error whose message holds all the parts in order."""
    return pytest.raises(error, match="(?s)" + ".*".join(re.escape(p) for p in parts))


X = np.array([0.5, 1.5, 2.5])


@row(1)
def test_gradient_of_a_non_scalar() -> None:
    with says(TypeError, "grad", "scalar", "(3,)", "jacobian", "vjp"):
        grad(lambda x: x * 2)(X)
    with says(TypeError, "grad", "scalar", "(1,)"):
        grad(lambda x: x[:1])(X)
    with says(TypeError, "scalar", "tuple"):
        grad(lambda x: (x[0], x[1]))(X)
    with says(TypeError, "scalar", "NoneType"):
        grad(lambda x: None)(X)


@row(2)
@pytest.mark.parametrize(
    ("f", "name"),
    [
        (lambda x: x + np.ones(4), "add"),
        (lambda x: np.ones(4) * x, "multiply"),
        (lambda x: ops.maximum(x, np.ones(2)), "maximum"),
        (lambda x: x @ np.ones((4, 2)), "matmul"),
        (lambda x: ops.where(np.ones(4, bool), x, 0.0), "where"),
        (lambda x: ops.concatenate([x, np.ones((2, 2))]), "concatenate"),
        (lambda x: ops.reshape(x, (2, 2)), "reshape"),
        (lambda x: ops.einsum("ij->j", x), "einsum"),
        (lambda x: ops.solve(np.eye(2), x), "solve"),
    ],
)
def test_shapes_that_do_not_fit(f: Any, name: str) -> None:
    with says(ValueError, f"{name}: ", "(3,)"):
        grad(lambda x: ops.sum(f(x)))(X)


@row(3)
def test_cotangent_of_the_wrong_shape() -> None:
    ran = []
    f = bplib.custom_vjp(lambda g, y, x: ran.append(1) or g)(lambda x: x + 0)
    _, pull = bplib.vjp(lambda x: f(x), np.ones((2, 3)))
    for wrong in (np.ones((3, 2)), 1.0, np.ones(3), np.ones((2, 3, 1))):
        with says(ValueError, "cotangent", "(2, 3)", str(np.shape(wrong))):
            pull(wrong)
    assert not ran
    with says(ValueError, "tangent", "(3,)", "(2,)"):
        bplib.jvp(ops.sin, X, np.ones(2))


@row(4)
@pytest.mark.parametrize("x", [3, True, np.arange(3), np.ones(2, bool), np.int32(3), np.uint8([1])])
def test_integers_are_not_differentiable(x: Any) -> None:
    with says(TypeError, "argument 0", "must be floating", "astype(float)"):
        grad(lambda v: ops.sum(v * v))(x)


@row(5)
def test_integer_constants_are_welcome() -> None:
    np.testing.assert_array_equal(grad(lambda x: ops.sum(x * 2 + np.arange(3)))(X), [2, 2, 2])
    np.testing.assert_array_equal(grad(lambda x: ops.sum(x * np.arange(3)))(X), [0, 1, 2])
    assert grad(lambda x: x**3 / 2 - True)(2.0) == 6.0


@row(6)
def test_float32_is_kept() -> None:
    x = X.astype(np.float32)
    scaled, square = lambda v: ops.sum(v * 2.5 + 1) / 3, lambda v: v[0] ** 2
    for f in (ops.mean, scaled, ops.var, ops.norm, square):
        value, g = bplib.value_and_grad(f)(x)
        assert value.dtype == g.dtype == np.float32
    # NumPy's own promotion when the kinds differ; the gradient has the dtype of its input
    value, g = bplib.value_and_grad(lambda v: ops.sum(v * X))(x)
    assert value.dtype == np.float64
    assert g.dtype == np.float32


@row(7)
def test_complex_input_is_refused() -> None:
    for x in (1j, np.array([1j]), np.complex64(1)):
        with says(TypeError, "argument 0", "complex" if not isinstance(x, complex) else "floats"):
            grad(lambda v: ops.sum(v))(x)
    for c in (np.array([1j, 1, 1]), np.complex128(2)):
        with says(TypeError, "multiply", "complex"):
            grad(lambda v, c=c: ops.sum(v * c))(X)
    with says(TypeError, "multiply", "complex"):
        grad(lambda v: v * 1j)(1.0)


class Foreign:
    """Stands for a data frame or a sparse matrix."""

    shape = (3,)


@row(8)
@pytest.mark.filterwarnings("ignore:the matrix subclass")
@pytest.mark.parametrize(
    "x",
    [
        np.array([1.0, None]), np.array(["a"]), np.array(["2020-01-01"], "datetime64[D]"),
        np.ma.masked_array([1.0, 2.0], [0, 1]), np.ones((1, 1)).view(np.matrix), Foreign(),
        "text", {1.0, 2.0},
    ],
    ids=lambda x: type(x).__name__ + str(getattr(x, "dtype", "")),
)  # fmt: skip
def test_foreign_types_are_refused_by_name(x: Any) -> None:
    kind = str(x.dtype) if type(x) is np.ndarray else type(x).__name__
    with says(TypeError, "argument 0", kind):
        grad(lambda v: v)(x)
    if not isinstance(x, str | set):
        with says(TypeError, "multiply", ""):
            ops.multiply(Node(np.ones(1)), x)


@row(9, 11)
def test_pulling_back_twice_gives_the_same_bits() -> None:
    _, pull = bplib.vjp(lambda x: ops.sum(ops.exp(x) * x + x), X)
    first, second = pull(1.0), pull(1.0)
    assert first.tobytes() == second.tobytes()
    assert first is not second  # row 11: nothing is ever freed under a pullback, it owns its graph
    first[:] = 0
    assert pull(1.0).tobytes() == second.tobytes()


@row(12)
def test_writes_after_recording_cannot_reach_the_gradient() -> None:
    x = X.copy()
    _, pull = bplib.vjp(lambda v: ops.sum(v * v * v), x)
    x[:] = 99
    np.testing.assert_allclose(pull(1.0), 3 * X * X)

    buffer = np.ones(3)

    def reuses_a_buffer(v: Any) -> Any:
        total = 0.0
        for k in range(3):
            buffer[:] = k + 1
            total = total + ops.sum(v * buffer) + ops.sum(v @ buffer) + ops.sum(buffer / v)
        return total

    assert check.gradient(reuses_a_buffer, X)

    def writes_its_input(v: Any) -> Any:
        y = ops.sum(v * v)
        x[:] = 7
        return y

    x[:] = X
    np.testing.assert_allclose(grad(writes_its_input)(x), 2 * X)

    mask, index = np.array([True, False, True]), np.array([0, 1])

    def writes_masks(v: Any) -> Any:
        y = ops.sum(ops.where(mask, v, 0.0)) + ops.sum(v[index])
        mask[:] = False
        index[:] = 2
        return y

    np.testing.assert_array_equal(grad(writes_masks)(X), [2, 1, 1])
    lo = np.zeros(3)

    def writes_bounds(v: Any) -> Any:
        y = ops.sum(ops.clip(v, lo, 10.0))
        lo[:] = 100
        return y

    np.testing.assert_array_equal(grad(writes_bounds)(X), [1, 1, 1])


@row(13)
def test_in_place_operations_on_a_traced_value() -> None:
    def writes(x: Any) -> Any:
        x[0] = 1.0
        return ops.sum(x)

    with says(TypeError, "setitem", "in place", "where"):
        grad(writes)(X)

    def rebinds(x: Any) -> Any:
        y = x
        y += 1.0
        y *= x
        return ops.sum(y)

    before = X.copy()
    np.testing.assert_allclose(grad(rebinds)(X), 2 * X + 1)
    np.testing.assert_array_equal(X, before)

    def into_an_array(x: Any) -> Any:
        out = np.zeros(3)
        out += x
        return ops.sum(out)

    with says(TypeError, "numpy.add", "out="):
        grad(into_an_array)(X)

    def into_an_entry(x: Any) -> Any:
        out = np.zeros(3)
        out[0] = x[0]
        return ops.sum(out)

    with pytest.raises((TypeError, ValueError), match=r"float\(\)|sequence|array"):
        grad(into_an_entry)(X)


@row(14)
def test_gradients_do_not_alias() -> None:
    y = X.copy()
    g, h = grad(lambda a, b: ops.sum(a) + ops.sum(b * 1.0), (0, 1))(X, y)
    g += 1
    np.testing.assert_array_equal(h, np.ones(3))
    seed = np.ones(3)
    back = bplib.vjp(lambda x: x, X)[1](seed)
    back += 1
    np.testing.assert_array_equal(seed, np.ones(3))


@row(15)
def test_numpy_functions_on_traced_values() -> None:
    np.testing.assert_allclose(grad(lambda x: np.sum(np.sin(x)))(X), np.cos(X))
    np.testing.assert_allclose(grad(lambda x: np.mean(np.maximum(1.0, x)))(X), [0, 1 / 3, 1 / 3])
    np.testing.assert_allclose(grad(lambda x: np.sum(np.ones((2, 3)) @ x))(X), [2, 2, 2])
    joined = grad(lambda x: np.sum(np.concatenate([x, np.stack([x, x]).ravel()]) ** 2))(X)
    np.testing.assert_allclose(joined, 6 * X)
    for f, name in (
        (lambda x: np.fft.fft(x), "numpy.fft"),
        (np.median, "numpy.median"),
        (np.cbrt, "numpy.cbrt"),
        (np.add.reduce, "numpy.add.reduce"),
        (lambda x: np.sin(x, where=np.ones(3, bool)), "numpy.sin"),
    ):
        with says(TypeError, name, "derivative rule", "PRIMITIVES"):
            grad(lambda x, f=f: ops.sum(f(x)))(X)


@row(16)
def test_leaving_the_graph_by_accident() -> None:
    for leave in (float, int, lambda t: t.item(), math.sin, np.asarray, np.array, complex):
        with says(TypeError, "traced value", "stop_gradient"):
            grad(lambda x, leave=leave: leave(x) * x)(2.0)
    # a comparison is a plain value: control flow follows the numbers
    assert grad(lambda x: x * 3 if x > 0 else x * 5)(-1.0) == 5.0
    assert grad(lambda x: x * float(bplib.stop_gradient(x)))(3.0) == 3.0
    assert grad(lambda x: x * 3 if x else x)(1.0) == 3.0


@row(17)
def test_an_output_that_does_not_depend_on_the_input() -> None:
    for f in (lambda x: 1.0, lambda x: np.float64(2), lambda x: bplib.stop_gradient(ops.sum(x))):
        with pytest.warns(UserWarning, match="does not depend on the input") as seen:
            g = grad(f)(X.astype(np.float32))
        assert len(seen) == 1
        assert g.dtype == np.float32
        np.testing.assert_array_equal(g, np.zeros(3))
    g = grad(lambda x, y: ops.sum(x), (0, 1))(X, X)[1]  # one unused argument of two: no warning
    np.testing.assert_array_equal(g, np.zeros(3))


@row(18)
def test_argnums_that_do_not_exist() -> None:
    f = lambda x, y: x * y  # noqa: E731
    with says(IndexError, "argnums 2", "2 positional arguments"):
        grad(f, 2)(1.0, 2.0)
    with says(IndexError, "argnums -1", "2 positional arguments"):
        grad(f, -1)(1.0, 2.0)
    with says(ValueError, "argnums (0, 0)", "once"):
        grad(f, (0, 0))(1.0, 2.0)
    with says(ValueError, "argnums 'z'", "['y']"):
        grad(f, "z")(1.0, y=2.0)
    with says(TypeError, "argnums", "1.5"):
        grad(f, 1.5)(1.0, 2.0)  # type: ignore[arg-type]
    with says(ValueError, "argnums ()"):
        grad(f, ())(1.0, 2.0)


@row(19)
def test_functions_without_a_slope_give_plain_values_or_zero() -> None:
    def traced(f: Any) -> bool:
        seen = []
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            grad(lambda x: seen.append(f(x)) or 0.0)(X)
        return type(seen[0]) is Node

    for ufunc in ops.PLAIN_UFUNCS:
        f = ufunc if ufunc.nin == 1 else lambda x, u=ufunc: u(x, 1.0)
        assert not traced(f)
    for name in ("argmax", "argmin", "argsort", "nonzero", "any", "all", "zeros_like", "ones_like"):
        assert getattr(np, name) in ops.PLAIN
        assert not traced(getattr(np, name))
    for compare in ("<", "<=", "==", "!=", ">", ">="):
        assert not traced(lambda x, c=compare: eval(f"x {c} 1.0", {"x": x}))
    np.testing.assert_array_equal(grad(lambda x: ops.sum(ops.sign(x)))(X), np.zeros(3))


@row(20)
def test_an_operation_without_a_rule() -> None:
    once = bplib.custom_vjp(lambda g, y, x, k: g * k, None)(lambda x, k: x * k)
    assert grad(lambda x: once(x, 3.0))(2.0) == 3.0
    with says(NotImplementedError, "<lambda>", "argument 1", "no derivative rule"):
        grad(lambda k: once(2.0, k))(3.0)


@row(21)
def test_a_rule_that_returns_nonsense() -> None:
    def scaled(x: Any) -> Any:
        return 2 * x

    for rule, got in (
        (lambda g, y, x: None, "None"),
        (lambda g, y, x: np.ones(2), "shape (2,)"),
        (lambda g, y, x: 1.0, "shape ()"),
    ):
        f = bplib.custom_vjp(rule)(scaled)
        with says(ValueError, "scaled", "rule for argument 0", "(3,)", got):
            grad(lambda x, f=f: ops.sum(f(x)))(X)
    f = bplib.custom_vjp(lambda g, y, x: g * 1j)(scaled)
    with says(TypeError, "scaled", "rule for argument 0", "complex"):
        grad(lambda x: ops.sum(f(x)))(X)
    f = bplib.custom_jvp(lambda t, y, x: t[:2])(scaled)
    with says(ValueError, "scaled", "rule for argument 0", "(3,)", "(2,)"):
        bplib.jvp(lambda x: f(x), X, X)


@row(22)
def test_a_rule_that_misses_a_factor() -> None:
    f = bplib.custom_vjp(lambda g, y, x: 1.001 * g * np.cos(x))(np.sin)
    verdict = check.gradient(lambda x: ops.sum(f(x)), X)
    assert not verdict
    assert "ratio got/expected is 1.001" in str(verdict)


@row(28)
def test_state_is_restored_after_an_exception() -> None:
    make, recording = Node.__mul__, bplib.graph.state.depth
    with pytest.raises(KeyError), bplib.explain_nan():
        raise KeyError
    with pytest.raises(KeyError), bplib.errstate("raise"):
        raise KeyError
    with pytest.raises(KeyError):
        grad(lambda x: {}[x])(1.0)  # type: ignore[index]
    assert Node.__mul__ is make
    assert bplib.graph.watch is None
    assert bplib.graph.state.depth == recording == 0
    assert np.geterr()["divide"] == "warn"


@row(29)
def test_axes_as_in_numpy() -> None:
    m = np.ones((2, 3))
    for reduce in (ops.sum, ops.mean, ops.max, ops.logsumexp, ops.norm, ops.std):
        with says(np.exceptions.AxisError, "axis 2 is out of bounds"):
            grad(lambda x, r=reduce: ops.sum(r(x, axis=2)))(m)
        with says(ValueError, "duplicate"):
            grad(lambda x, r=reduce: ops.sum(r(x, axis=(0, -2))))(m)
    np.testing.assert_array_equal(grad(lambda x: ops.sum(ops.sum(x, axis=()) * m))(m), m)
    with says(TypeError, "sum: axis", "[0]"):
        ops.sum(m, axis=[0])  # type: ignore[arg-type]


@row(30)
def test_repeated_indices_add_up() -> None:
    index = np.array([0, 0, 2, 0])
    np.testing.assert_array_equal(grad(lambda x: ops.sum(x[index]))(X), [3, 0, 1])
    weights = np.array([1.0, 2.0, 3.0, 4.0])
    np.testing.assert_array_equal(grad(lambda x: ops.sum(x[index] * weights))(X), [7, 0, 3])
    with says(IndexError, "getitem", "out of bounds", "(3,)"):
        grad(lambda x: x[7])(X)


@row(31)
def test_large_arguments_stay_finite_and_silent() -> None:
    big = np.array([1e4, -1e4, 0.0, -np.inf])
    for f in (ops.softmax, ops.log_softmax, ops.logsumexp, ops.sigmoid, ops.silu):
        x = big[:3] if f in (ops.silu, ops.log_softmax) else big
        value, pull = bplib.vjp(f, x)
        assert np.all(np.isfinite(value))
        assert np.all(np.isfinite(pull(np.ones_like(value) if np.ndim(value) else 1.0)))
    for f, limit in ((ops.sigmoid, [1, 0]), (ops.softplus, [1e4, 0]), (ops.tanh, [1, -1])):
        np.testing.assert_array_equal(f(np.array([1e4, -1e4])), limit)
        for x, want in zip([1e4, -1e4], limit, strict=True):
            assert f(x) == want
            assert math.isfinite(grad(f)(x))
    masked = np.full((2, 3), -np.inf)
    masked[0, 1] = 2.0
    value, pull = bplib.vjp(lambda x: ops.logsumexp(x, axis=1), masked)
    np.testing.assert_array_equal(value, [2.0, -np.inf])
    np.testing.assert_array_equal(pull(np.ones(2)), [[0, 1, 0], [0, 0, 0]])


@row(32)
def test_full_relative_accuracy_at_the_ends() -> None:
    import mpmath

    mpmath.mp.dps = 50
    exact: dict[str, Any] = {
        "sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)),
        "softplus": lambda x: mpmath.log1p(mpmath.exp(x)),
        "log1p": mpmath.log1p,
        "expm1": mpmath.expm1,
    }
    points = {
        "sigmoid": [-700.0, -40.0, -1e-9, 3.0, 40.0, 1000.0],
        "softplus": [-700.0, -40.0, 0.0, 20.0, 25.0, 1000.0],
        "log1p": [1e-18, -1e-18, 1e-5, 3.0],
        "expm1": [1e-18, -1e-18, 1e-5, 3.0, -40.0],
    }
    for name, xs in points.items():
        op = ops.PRIMITIVES[name]
        want = [float(exact[name](mpmath.mpf(x))) for x in xs]
        np.testing.assert_allclose(op(np.array(xs)), want, rtol=4e-15)
        np.testing.assert_allclose([op(x) for x in xs], want, rtol=4e-15)


@row(33, 35, 37)
@pytest.mark.parametrize("c", ops.CONVENTIONS, ids=lambda c: f"{c.primitive}@{c.at}")
def test_the_published_conventions(c: ops.Convention) -> None:
    f = lambda *xs: ops.sum(c.f(*xs))  # noqa: E731
    got = grad(f, tuple(range(len(c.at))))(*c.at)
    for g, want in zip(got, c.gradient, strict=True):
        np.testing.assert_array_equal(g, want)
    for i, x in enumerate(c.at):  # and the forward mode says the same
        zeros = [np.zeros_like(v)[()] for v in c.at]
        for j in np.ndindex(np.shape(x)):
            e = np.zeros(np.shape(x))
            e[j] = 1
            t = bplib.jvp(f, c.at, (*zeros[:i], e[()], *zeros[i + 1 :]))[1]
            assert t == np.asarray(c.gradient[i])[j]


def test_ties_share_and_sum_to_the_cotangent() -> None:
    x = np.array([[1.0, 1.0, 1.0], [0.0, 2.0, 2.0]])
    for f in (lambda v: ops.max(v, axis=1), lambda v: ops.min(v, axis=1)):
        g = bplib.vjp(f, x)[1](np.array([3.0, 5.0]))
        np.testing.assert_allclose(g.sum(axis=1), [3.0, 5.0])
    a, b = bplib.vjp(ops.maximum, x, x)[1](np.full((2, 3), 7.0))
    np.testing.assert_array_equal(a + b, np.full((2, 3), 7.0))


@row(34)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(
    ("f", "value", "slope"),
    [(ops.sqrt, 0.0, np.inf), (ops.log, -np.inf, np.inf), (lambda x: 1.0 / x, np.inf, -np.inf)],
)
def test_singularities_follow_ieee_at_that_place_only(f: Any, value: float, slope: float) -> None:
    x = np.array([4.0, 0.0])
    y, pull = bplib.vjp(f, x)
    g = pull(np.ones(2))
    assert (y[1], g[1]) == (value, slope)
    assert np.isfinite(y[0])
    assert np.isfinite(g[0])
    assert bplib.value_and_grad(f)(0.0) == (value, slope)  # a Python float is no exception
    with bplib.errstate("raise"), says(FloatingPointError, ": "):
        grad(lambda v: ops.sum(f(v)))(x)


@row(36)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_nan_behind_where_and_the_recipe_against_it() -> None:
    x = np.array([4.0, 0.0, -1.0])
    naive = grad(lambda v: ops.sum(ops.where(v > 0, ops.sqrt(v), 0.0)))(x)
    assert np.isnan(naive[1])  # documented: 0 * inf
    guarded = grad(lambda v: ops.sum(ops.where(v > 0, ops.sqrt(ops.where(v > 0, v, 1.0)), 0.0)))(x)
    np.testing.assert_array_equal(guarded, [0.25, 0, 0])


@row(38)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_powers() -> None:
    for n in (0, 0.0, 1, 1.0, 2, 2.0, 3):
        want = 0.0 if n == 0 else n * 0.0 ** (n - 1)
        assert grad(lambda x, n=n: x**n)(0.0) == want
        np.testing.assert_array_equal(grad(lambda x, n=n: ops.sum(x**n))(np.zeros(2)), [want] * 2)
        assert grad(lambda x, n=n: x ** np.array([n]) @ np.ones(1))(0.0) == want
    assert grad(lambda x: x**3)(-2.0) == 12.0
    assert grad(lambda x: x**2.0)(-2.0) == -4.0
    assert math.isnan((Node(-8.0) ** (1 / 3)).data)  # never a complex number
    assert math.isnan(grad(lambda x: x ** (1 / 3))(-8.0))
    assert grad(lambda b: 0.0**b)(2.0) == 0.0
    assert grad(grad(lambda x: x**2))(0.0) == 2.0


@row(41)
def test_gradient_checks_in_float32_or_at_a_kink() -> None:
    with says(TypeError, "float32", "float64"):
        check.gradient(ops.tanh, X.astype(np.float32))
    verdict = check.gradient(ops.relu, np.array([0.0, 1.0]))
    assert not verdict
    assert verdict.near_kink
    assert check.gradient(ops.abs, np.array([0.0])).near_kink


# More bad inputs


MORE: dict[str, tuple[Any, type[Exception], tuple[str, ...]]] = {
    "no arguments": (lambda: grad(lambda: 1.0)(), IndexError, ("argnums 0", "0 positional")),
    "an empty tree": (lambda: grad(lambda x: 1.0)([]), TypeError, ("nothing to differentiate",)),
    "None": (lambda: grad(lambda x: 1.0)(None), TypeError, ("nothing to differentiate",)),
    "a list of ints": (lambda: grad(sum)([1, 2]), TypeError, ("floating", "int")),
    "an int deep in a tree": (
        lambda: grad(lambda p: p["a"][0])({"a": (3, 2.0)}), TypeError, ("argument 0", "floating"),
    ),
    "a wrong mode": (
        lambda: bplib.jacobian(ops.sin, mode="backward"), ValueError, ("'reverse'", "'backward'"),
    ),
    "jvp with too few tangents": (
        lambda: bplib.jvp(ops.multiply, (1.0, 2.0), (1.0,)), ValueError, ("2 tangent", "got 1"),
    ),
    "a complex tangent": (lambda: bplib.jvp(ops.sin, 1.0, 1j), TypeError, ("complex",)),
    "a cotangent for another tree": (
        lambda: bplib.vjp(lambda x: (x, x), 1.0)[1](1.0), ValueError, ("2 cotangent", "got 1"),
    ),
    "an axis that is a float": (
        lambda: ops.sum(Node(X), axis=0.0), TypeError, ("sum", "float"),
    ),
    "an integer dtype": (lambda: ops.astype(Node(X), int), TypeError, ("floating", "int64")),
    "another pad mode": (lambda: np.pad(Node(X), 1, mode="edge"), ValueError, ("constant", "edge")),
    "einsum with operands first": (
        lambda: ops.einsum(Node(X), "i->"), TypeError, ("einsum", "string"),  # type: ignore
    ),
    "einsum with too few operands": (
        lambda: ops.einsum("i,i", Node(X)), ValueError, ("einsum", "2 operands", "got 1"),
    ),
    "tensordot over unequal axes": (
        lambda: ops.tensordot(Node(np.ones((2, 3))), np.ones((2, 3)), 1),
        ValueError, ("tensordot", "(2, 3)"),
    ),
    "a singular matrix": (
        lambda: grad(lambda m: ops.sum(ops.inv(m)))(np.ones((2, 2))),
        np.linalg.LinAlgError, ("inv", "Singular"),
    ),
    "a matrix that is not positive definite": (
        lambda: ops.cholesky(Node(-np.eye(2))), np.linalg.LinAlgError, ("cholesky", "definite"),
    ),
    "a matrix that is not square": (
        lambda: ops.det(Node(np.ones((2, 3)))), np.linalg.LinAlgError, ("det", "square"),
    ),
    "matmul of a number": (lambda: Node(2.0) @ X, ValueError, ("matmul",)),
    "split into unequal parts": (
        lambda: ops.split(Node(X), 2), ValueError, ("split", "equal division"),
    ),
    "the maximum of nothing": (
        lambda: ops.max(Node(np.zeros(0))), ValueError, ("max", "zero-size"),
    ),
    "nothing to concatenate with": (
        lambda: ops.concatenate([Node(X), "x"]), TypeError, ("concatenate", "builtins.str"),
    ),
    "a dictionary as an operand": (lambda: Node(1.0) + {}, TypeError, ("add", "builtins.dict")),
    "iterating over a number": (lambda: list(Node(1.0)), TypeError, ("0-d",)),
    "a registered name": (
        lambda: ops.elementwise("tanh", np.tanh, lambda t, y, x: t), ValueError, ("'tanh'",),
    ),
    "a float index": (lambda: Node(X)[0.5], IndexError, ("getitem",)),
    "an unknown keyword": (
        lambda: np.sum(Node(X), where=np.ones(3, bool)), TypeError, ("sum", "where"),
    ),
    "a primitive with too many arguments": (
        lambda: ops.add(Node(1.0), 2.0, 3.0), TypeError, ("add",),
    ),
    "a float32 complex step": (
        lambda: check.complex_step(ops.sin, np.float32(1)), TypeError, ("complex_step", "float32"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", MORE)
def test_more_bad_inputs(what: str) -> None:
    provoke, error, parts = MORE[what]
    with says(error, *parts):
        provoke()


def test_every_row_of_sections_a_and_b_has_its_test() -> None:
    assert len(MORE) >= 20
    assert set(ROWS) | set(ELSEWHERE) | LEFT == set(range(1, 44))
    for place in ELSEWHERE.values():
        module, name = place.split(".")
        assert hasattr(importlib.import_module(f"tests.{module}"), name)
