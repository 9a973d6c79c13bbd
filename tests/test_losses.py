"""Losses against formulas in plain Python and finite differences; PyTorch is in `test_peers`."""

import math
from functools import partial

import numpy as np
import pytest

from bplib import losses, ops

RNG = np.random.default_rng(11)


def one_row(name, y, t):
    """Return the loss of one row from its textbook definition, with no trick for stability."""
    if name == "squared_error":
        return sum((a - b) ** 2 for a, b in zip(y, t, strict=True)) / 2
    if name == "huber":
        r = [abs(a - b) for a, b in zip(y, t, strict=True)]
        return sum(x * x / 2 if x <= 1 else x - 1 / 2 for x in r)
    if name == "binary_cross_entropy":
        p = [1 / (1 + math.exp(-z)) for z in y]
        return -sum(b * math.log(a) + (1 - b) * math.log(1 - a) for a, b in zip(p, t, strict=True))
    p = [math.exp(z) / sum(math.exp(x) for x in y) for z in y]
    return -sum(b * math.log(a) for a, b in zip(p, t, strict=True))


def case(name, B=5, K=3, dtype=np.float64):
    Y = RNG.normal(scale=1.5, size=(B, K)).astype(dtype)
    T = RNG.normal(scale=1.5, size=(B, K))
    if name == "binary_cross_entropy":
        T = RNG.uniform(size=(B, K))
    if name == "softmax_cross_entropy":
        T = np.exp(T) / np.exp(T).sum(axis=1, keepdims=True)
    return Y, T.astype(dtype)


def difference(loss, Y, T, h=1e-5):
    G = np.empty_like(Y)
    for i in np.ndindex(Y.shape):
        up, down = Y.copy(), Y.copy()
        up[i] += h
        down[i] -= h
        G[i] = (loss(up, T)[0] - loss(down, T)[0]) / (2 * h)
    return G


def test_the_table_is_what_the_tests_cover():
    fused = {name: loss.fuses for name, loss in losses.TABLE.items()}
    assert fused == {
        "squared_error": None,
        "huber": None,
        "binary_cross_entropy": "sigmoid",
        "softmax_cross_entropy": "softmax",
    }


@pytest.mark.parametrize("B", [1, 5])
@pytest.mark.parametrize("name", losses.TABLE)
def test_value_is_the_mean_of_the_rows(name, B):
    Y, T = case(name, B)
    J, _ = losses.TABLE[name](Y, T)
    rows = [one_row(name, y, t) for y, t in zip(Y.tolist(), T.tolist(), strict=True)]
    assert pytest.approx(sum(rows) / B, rel=1e-13) == J


@pytest.mark.parametrize("name", losses.TABLE)
def test_delta_is_the_derivative_of_the_value(name):
    loss = losses.TABLE[name]
    Y, T = case(name)
    _, Delta = loss(Y, T)
    expected = difference(loss, Y, T)
    np.testing.assert_allclose(Delta, expected, rtol=0, atol=2e-10)
    B = len(Y)
    for slip, wrong in {"no 1/B": B * Delta, "sign": -Delta, "1.001": 1.001 * Delta}.items():
        assert not np.allclose(wrong, expected, rtol=0, atol=2e-10), slip


@pytest.mark.parametrize("name", ["squared_error", "binary_cross_entropy", "softmax_cross_entropy"])
def test_delta_by_complex_step(name):
    loss = losses.TABLE[name]
    Y, T = case(name)
    expected = np.empty_like(Y)
    for i in np.ndindex(Y.shape):
        Yi = Y.astype(complex)
        Yi[i] += 1e-200j
        expected[i] = loss(Yi, T)[0].imag / 1e-200
    np.testing.assert_allclose(loss(Y, T)[1], expected, rtol=1e-13, atol=1e-16)


@pytest.mark.parametrize("name", losses.TABLE)
def test_float32_stays_and_is_close_to_float64(name):
    Y, T = case(name, dtype=np.float32)
    J, Delta = losses.TABLE[name](Y, T)
    assert (J.dtype, Delta.dtype) == (np.float32, np.float32)
    J64, Delta64 = losses.TABLE[name](Y.astype(float), T.astype(float))
    assert pytest.approx(float(J64), rel=1e-6) == J
    np.testing.assert_allclose(Delta, Delta64, atol=1e-7)


@pytest.mark.parametrize("name", losses.TABLE)
def test_arguments_are_left_alone_and_check_changes_nothing(name):
    Y, T = case(name)
    before = Y.copy(), T.copy()
    J, Delta = losses.TABLE[name](Y, T)
    assert not np.shares_memory(Delta, Y)
    assert not np.shares_memory(Delta, T)
    np.testing.assert_array_equal(Y, before[0])
    np.testing.assert_array_equal(T, before[1])
    J2, Delta2 = losses.TABLE[name](
        Y, losses.targets(losses.TABLE[name], T, Y.shape, Y.dtype), check=False
    )
    assert J == J2
    np.testing.assert_array_equal(Delta, Delta2)


def test_huber_threshold_and_its_two_sides():
    loss = partial(losses.huber, threshold=0.3)
    J, G = loss(np.array([[0.2, -2.0]]), np.zeros((1, 2)))
    assert pytest.approx(0.02 + 0.3 * (2 - 0.15), rel=1e-14) == J
    np.testing.assert_allclose(G, [[0.2, -0.3]])
    assert losses.fused_activation(loss) is None
    with pytest.raises(ValueError, match="threshold"):
        losses.huber(np.zeros((1, 1)), np.zeros((1, 1)), threshold=0.0)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_extreme_logits_stay_finite_without_a_warning(dtype):
    Z = np.array([[1e4, -1e4, 0.0], [-1e4, -1e4, -1e4]], dtype)
    J, Delta = losses.softmax_cross_entropy(Z, np.array([1, 2]))
    assert pytest.approx((2e4 + math.log(3)) / 2, rel=1e-6) == J
    np.testing.assert_allclose(Delta, [[0.5, -0.5, 0], [1 / 6, 1 / 6, -1 / 3]], rtol=1e-6)
    Z = np.array([[1e4], [-1e4]], dtype)
    J, Delta = losses.binary_cross_entropy(Z, np.array([0, 0]))
    assert pytest.approx(5e3) == J
    np.testing.assert_allclose(Delta, [[0.5], [0.0]])


def test_masked_classes_contribute_nothing():
    Z = np.array([[1.0, -np.inf, 2.0]])
    J, Delta = losses.softmax_cross_entropy(Z, np.array([0]))
    assert pytest.approx(math.log(1 + math.e), rel=1e-14) == J
    assert Delta[0, 1] == 0.0
    assert losses.softmax_cross_entropy(Z, np.array([1]))[0] == np.inf


def test_small_losses_keep_their_digits():
    J, _ = losses.binary_cross_entropy(np.array([[50.0]]), np.array([1]))
    assert pytest.approx(math.exp(-50), rel=1e-13) == J
    assert pytest.approx(1.0) == ops.softmax(np.array([[1000.0, 0.0]])).sum()


def test_integer_labels_are_one_hot_rows():
    Z, labels = RNG.normal(size=(4, 3)), np.array([2, 0, 1, 2], np.uint8)
    rows = np.eye(3)[labels]
    np.testing.assert_array_equal(losses.one_hot(labels, 3), rows)
    a, b = losses.softmax_cross_entropy(Z, labels), losses.softmax_cross_entropy(Z, rows)
    assert a[0] == b[0]
    np.testing.assert_array_equal(a[1], b[1])
    Z = RNG.normal(size=(3, 1))
    a = losses.binary_cross_entropy(Z, np.array([True, False, True]))
    b = losses.binary_cross_entropy(Z, np.array([[1.0], [0.0], [1.0]]))
    np.testing.assert_array_equal(a[1], b[1])


Z23 = np.zeros((2, 3))
BAD = [
    ("label too large", "softmax_cross_entropy", Z23, [0, 3], ["0..2", "3", "row 1"]),
    ("label negative", "softmax_cross_entropy", Z23, [-1, 0], ["-1", "row 0"]),
    ("float labels", "softmax_cross_entropy", Z23, [0.0, 1.0], ["float64", "astype(int)"]),
    ("no classes", "softmax_cross_entropy", np.zeros((2, 0)), [0, 0], ["at least 1 class"]),
    ("empty batch", "softmax_cross_entropy", np.zeros((0, 3)), [], ["empty batch", "(0, 3)"]),
    ("too few labels", "softmax_cross_entropy", Z23, [1], ["2 rows", "got 1"]),
    ("rows that do not sum to 1", "softmax_cross_entropy", Z23, np.ones((2, 3)), ["row 0", "3"]),
    ("negative row", "softmax_cross_entropy", Z23, [[2, -1, 0], [1, 0, 0]], [">= 0"]),
    ("NaN row", "softmax_cross_entropy", Z23, [[np.nan, 0, 1], [1, 0, 0]], ["NaN"]),
    ("rows of another width", "softmax_cross_entropy", Z23, np.ones((2, 2)), ["(2, 3)", "(2, 2)"]),
    ("text labels", "softmax_cross_entropy", Z23, ["a", "b"], ["real numbers"]),
    ("one sample without a row", "softmax_cross_entropy", np.zeros(3), [0], ["(B, K)", "(3,)"]),
    ("label 2", "binary_cross_entropy", np.zeros((2, 1)), [0, 2], ["[0, 1]"]),
    ("flat floats", "binary_cross_entropy", np.zeros((2, 1)), [0.0, 1.0], ["(2, 1)", "[:, None]"]),
    ("empty", "binary_cross_entropy", np.zeros((0, 1)), [], ["empty batch"]),
    ("no outputs", "binary_cross_entropy", np.zeros((2, 0)), np.zeros((2, 0)), ["at least 1"]),
    ("silent broadcast", "squared_error", np.zeros((4, 1)), np.zeros(4), ["(4, 1)", "(4,)"]),
    ("empty", "squared_error", np.zeros((0, 1)), np.zeros((0, 1)), ["empty batch"]),
    ("silent broadcast", "huber", np.zeros((4, 1)), np.zeros(4), ["(4, 1)", "(4,)"]),
    ("complex", "huber", np.zeros((1, 1)), np.zeros((1, 1)) * 1j, ["real numbers"]),
]


@pytest.mark.parametrize(
    ("what", "name", "Y", "T", "words"), BAD, ids=[f"{b[1]}-{b[0]}" for b in BAD]
)
def test_bad_targets_are_refused_with_a_reason(what, name, Y, T, words):
    with pytest.raises(ValueError, match="^(one_hot|" + name + ")") as error:
        losses.TABLE[name](Y, np.asarray(T))
    assert all(word in str(error.value) for word in words), str(error.value)


def test_names():
    assert losses.get("huber") is losses.huber
    assert losses.get(losses.huber) is losses.huber
    with pytest.raises(ValueError, match=r"no loss is called 'mse'.*squared_error"):
        losses.get("mse")
    with pytest.raises(ValueError, match="at least 1 class"):
        losses.one_hot([0], 0)
