"""The delta rules against sums written out index by index, and wrong rules against the same."""

import numpy as np
import pytest

from bplib import dense, ops

RNG = np.random.default_rng(5)
# Square shapes are the dangerous ones: there a lost transpose still fits.
SHAPES = [(4, 3, 2), (3, 3, 3), (1, 5, 2), (6, 1, 1)]


def layer(B, n_in, n_out, dtype=np.float64):
    A = RNG.normal(size=(B, n_in)).astype(dtype)
    W = RNG.normal(size=(n_in, n_out)).astype(dtype)
    b = RNG.normal(size=n_out).astype(dtype)
    Delta = RNG.normal(size=(B, n_out)).astype(dtype)
    return A, W, b, Delta


def sums(A, W, b, Delta):
    """Return every quantity of a dense layer by its index form, one number at a time."""
    (B, n_in), n_out = A.shape, W.shape[1]
    Z, dW, db, dA = np.zeros((B, n_out)), np.zeros_like(W), np.zeros_like(b), np.zeros_like(A)
    for s in range(B):
        for k in range(n_out):
            Z[s, k] = sum(A[s, j] * W[j, k] for j in range(n_in)) + b[k]
            db[k] += Delta[s, k]
            for j in range(n_in):
                dW[j, k] += Delta[s, k] * A[s, j]
                dA[s, j] += Delta[s, k] * W[j, k]
    return {"affine": Z, "weight_gradient": dW, "bias_gradient": db, "input_gradient": dA}


RIGHT = {
    "affine": lambda A, W, b, D: dense.affine(A, W, b),
    "weight_gradient": lambda A, W, b, D: dense.weight_gradient(A, D),
    "bias_gradient": lambda A, W, b, D: dense.bias_gradient(D),
    "input_gradient": lambda A, W, b, D: dense.input_gradient(D, W),
}
WRONG = [
    ("affine", "W transposed", lambda A, W, b, D: A @ W.T + b),
    ("affine", "bias left out", lambda A, W, b, D: A @ W),
    ("affine", "bias down the columns", lambda A, W, b, D: A @ W + b[:, None]),
    ("weight_gradient", "transposed", lambda A, W, b, D: D.T @ A),
    ("weight_gradient", "transpose on the wrong factor", lambda A, W, b, D: A @ D.T),
    ("weight_gradient", "mean for sum", lambda A, W, b, D: A.T @ D / len(A)),
    ("bias_gradient", "mean for sum", lambda A, W, b, D: D.mean(axis=0)),
    ("bias_gradient", "sum over units", lambda A, W, b, D: D.sum(axis=1)),
    ("input_gradient", "W not transposed", lambda A, W, b, D: D @ W),
    ("input_gradient", "off by 1.001", lambda A, W, b, D: 1.001 * (D @ W.T)),
]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", RIGHT)
def test_rule_is_its_index_form(name, shape):
    args = layer(*shape)
    np.testing.assert_allclose(RIGHT[name](*args), sums(*args)[name], rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize(("name", "slip", "rule"), WRONG, ids=[f"{n}: {s}" for n, s, _ in WRONG])
def test_a_wrong_rule_is_rejected_even_where_it_fits(name, slip, rule):
    args = layer(3, 3, 3)
    result = rule(*args)
    assert result.shape == sums(*args)[name].shape, "this slip should survive the shapes"
    with pytest.raises(AssertionError):
        np.testing.assert_allclose(result, sums(*args)[name], rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("name", ["tanh", "sigmoid"])
def test_hidden_delta_by_complex_step(name):
    phi = getattr(ops, name)
    W = RNG.normal(size=(4, 4))
    Z, G = RNG.normal(size=(3, 4)), RNG.normal(size=(3, 4))
    expected = np.empty_like(Z)
    for i in np.ndindex(Z.shape):  # J = sum(G * (phi(Z) @ W)), so dJ/dZ[i] by an imaginary step
        Zi = Z.astype(complex)
        Zi[i] += 1e-200j
        expected[i] = (G * (phi.forward(Zi) @ W)).sum().imag / 1e-200
    A = phi.forward(Z)
    np.testing.assert_allclose(dense.hidden_delta(G, W, phi, A, Z), expected, rtol=1e-13)
    np.testing.assert_allclose(dense.output_delta(G @ W.T, phi, A, Z), expected, rtol=1e-13)
    wrong = {
        "no phi'": G @ W.T,
        "W for W.T": phi.rule(G @ W, A, Z),
        "phi' at the activation": phi.rule(G @ W.T, phi.forward(A), A),
    }
    for slip, value in wrong.items():
        assert not np.allclose(value, expected, rtol=1e-6), slip


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtype_is_kept_and_nothing_given_is_written(dtype):
    args = layer(4, 3, 2, dtype)
    before = [a.copy() for a in args]
    for name, rule in RIGHT.items():
        result = rule(*args)
        assert result.dtype == dtype, name
        assert not any(np.shares_memory(result, a) for a in args), name
        result += 1
    for a, b in zip(args, before, strict=True):
        np.testing.assert_array_equal(a, b)


def test_affine_promotes_instead_of_rounding_the_bias():
    A, W, b, _ = layer(4, 3, 2)
    assert dense.affine(A.astype(np.float32), W.astype(np.float32), b).dtype == np.float64
    assert dense.affine(A, W, b + 1e-200j).dtype == np.complex128
    np.testing.assert_array_equal(dense.affine(A, W), A @ W)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda A, W, b, D: dense.affine(A, W.T, b), ["affine", "(4, 3)", "(2, 3)"]),
        (lambda A, W, b, D: dense.affine(A[0], W, b), ["affine", "(3,)", "(1, n_in)"]),
        (lambda A, W, b, D: dense.affine(A, W, b[:1]), ["affine", "(2,)", "(1,)"]),
        (lambda A, W, b, D: dense.weight_gradient(A[0], D[0]), ["weight_gradient", "(3,)"]),
        (lambda A, W, b, D: dense.weight_gradient(A[1:], D), ["weight_gradient", "(4, 2)"]),
        (lambda A, W, b, D: dense.input_gradient(D, W.T), ["input_gradient", "(4, 2)", "(2, 3)"]),
    ],
)
def test_errors_name_rule_and_shapes(call, words):
    with pytest.raises(ValueError, match=words[0]) as error:
        call(*layer(4, 3, 2))
    assert all(word in str(error.value) for word in words)
