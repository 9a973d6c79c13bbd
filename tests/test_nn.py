"""The network's gradients against loops written from the index form and numerical derivatives."""

import itertools
import math

import numpy as np
import pytest

from bplib import dense, init, losses, nn, ops, vjp

SMOOTH = ["tanh", "sigmoid"]
ACTIVATIONS = [*SMOOTH, "relu", "identity", "softplus", "gelu", "silu", "leaky_relu", "softmax"]
RNG = np.random.default_rng(17)


def problem(loss, B=6, n_in=4, K=3, dtype=np.float64):
    X = RNG.normal(size=(B, n_in)).astype(dtype)
    if loss == "softmax_cross_entropy":
        return X, RNG.integers(0, K, B)
    T = RNG.uniform(size=(B, K)) if loss == "binary_cross_entropy" else RNG.normal(size=(B, K))
    return X, T.astype(dtype)


def network(loss, activation="tanh", **options):
    output = losses.TABLE[loss].fuses or "identity"
    net = nn.MLP([4, 5, 4, 3], activation, output, seed=3, **options)
    for b in net.b[1:]:  # zeros would hide a bias that is never added
        if b is not None:
            b += RNG.normal(size=b.shape)
    return net


def central(net, J, h=1e-5):
    """Return dJ/dp for every parameter by moving one number at a time."""
    out = []
    for p in net.parameters():
        g = np.empty_like(p)
        for i in np.ndindex(p.shape):
            kept = p[i]
            p[i] = kept + h
            up = J()
            p[i] = kept - h
            g[i] = (up - J()) / (2 * h)
            p[i] = kept
        out.append(g)
    return out


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("loss", losses.TABLE)
def test_backprop_is_the_derivative(loss, activation, bias):
    net = network(loss, activation, bias=bias)
    X, T = problem(loss)
    got = net.backprop(X, T, loss, weight_decay=0.1)
    expected = central(net, lambda: net.loss(X, T, loss, weight_decay=0.1))
    assert len(got.flat()) == len(expected) == (6 if bias else 3)
    for g, e in zip(got.flat(), expected, strict=True):
        np.testing.assert_allclose(g, e, rtol=0, atol=2e-9)
    assert net.loss(X, T, loss, weight_decay=0.1) == got.J


@pytest.mark.parametrize("loss", ["squared_error", "binary_cross_entropy", "softmax_cross_entropy"])
@pytest.mark.parametrize("activation", SMOOTH)
def test_backprop_by_complex_step(activation, loss):
    net = network(loss, activation)
    X, T = problem(loss)
    got = net.backprop(X, T, loss)
    for layer, kind in itertools.product((1, 2, 3), "Wb"):
        params = getattr(net, kind)
        real = params[layer]
        expected = np.empty_like(real)
        for i in np.ndindex(real.shape):
            params[layer] = real.astype(complex)
            params[layer][i] += 1e-200j
            expected[i] = net.loss(X, T, loss).imag / 1e-200
        params[layer] = real
        np.testing.assert_allclose(getattr(got, kind)[layer], expected, rtol=1e-11, atol=1e-15)


def test_forward_and_deltas_are_their_index_forms():
    net = nn.MLP([3, 4, 2], "tanh", "tanh", seed=9)
    net.b[1][:], net.b[2][:] = RNG.normal(size=4), RNG.normal(size=2)
    X, T = RNG.normal(size=(5, 3)), RNG.normal(size=(5, 2))
    g = net.backprop(X, T, "squared_error")
    W, b, B = net.W, net.b, 5
    for s in range(B):
        z1 = [sum(X[s, j] * W[1][j, k] for j in range(3)) + b[1][k] for k in range(4)]
        a1 = [math.tanh(z) for z in z1]
        z2 = [sum(a1[j] * W[2][j, k] for j in range(4)) + b[2][k] for k in range(2)]
        a2 = [math.tanh(z) for z in z2]
        d2 = [(a2[k] - T[s, k]) / B / math.cosh(z2[k]) ** 2 for k in range(2)]
        d1 = [sum(d2[k] * W[2][j, k] for k in range(2)) / math.cosh(z1[j]) ** 2 for j in range(4)]
        np.testing.assert_allclose(net.predict(X)[s], a2, rtol=1e-13)
        np.testing.assert_allclose(g.Delta[2][s], d2, rtol=1e-12)
        np.testing.assert_allclose(g.Delta[1][s], d1, rtol=1e-12)


BROKEN = {
    "weight_gradient": lambda A, D: 1.001 * (A.T @ D),
    "bias_gradient": lambda D: D.mean(axis=0),
    "hidden_delta": lambda D, W, phi, A, Z: phi.rule(D @ W, A, Z),  # W is square here
    "output_delta": lambda G, phi, A, Z: G,
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_rule_is_noticed(name, monkeypatch):
    net = nn.MLP([3, 3, 3], "tanh", "tanh", seed=9)
    X, T = RNG.normal(size=(3, 3)), RNG.normal(size=(3, 3))
    expected = central(net, lambda: net.loss(X, T, "squared_error"))

    def agrees():
        got = net.backprop(X, T, "squared_error").flat()
        pairs = zip(got, expected, strict=True)
        return all(np.allclose(g, e, rtol=0, atol=2e-9) for g, e in pairs)

    assert agrees()
    monkeypatch.setattr(nn, name, BROKEN[name])
    assert not agrees()


def test_softmax_output_without_its_fused_loss_has_the_whole_jacobian():
    net = nn.MLP([4, 3], output="softmax", seed=1)
    X, T = RNG.normal(size=(5, 4)), np.eye(3)[[0, 1, 2, 1, 0]]
    got = net.backprop(X, T, "squared_error").flat()
    for g, e in zip(got, central(net, lambda: net.loss(X, T, "squared_error")), strict=True):
        np.testing.assert_allclose(g, e, rtol=0, atol=1e-10)
    diagonal = net.forward(X).A[1]
    diagonal = (
        (diagonal - T) / 5 * diagonal * (1 - diagonal)
    )  # elementwise phi' only: the wrong way
    assert not np.allclose(X.T @ diagonal, got[0], atol=1e-3)


@pytest.mark.parametrize("loss", losses.TABLE)
@pytest.mark.parametrize("method", init.TABLE)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtype_is_kept_everywhere(dtype, method, loss):
    net = network(loss, init=method, dtype=dtype)
    X, T = problem(loss, dtype=dtype)
    g = net.backprop(X.astype(np.float64), T, loss, weight_decay=0.01)
    Z, A = net.forward(X)
    arrays = [*net.parameters(), *g.flat(), *g.Delta[1:], *Z[1:], *A, net.predict(X)]
    assert {a.dtype for a in arrays} == {np.dtype(dtype)}
    assert g.J.dtype == dtype


def test_gradients_own_their_memory():
    net, (X, T) = network("squared_error", "identity"), problem("squared_error")
    g = net.backprop(X, T, "squared_error")
    owned = [*g.flat(), *g.Delta[1:]]
    others = [X, T, *net.parameters()]
    for i, a in enumerate(owned):
        assert not any(np.shares_memory(a, o) for o in others)
        assert not any(np.shares_memory(a, o) for o in owned[i + 1 :])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_graph_gives_the_same_bits(activation, dtype):
    net = network("softmax_cross_entropy", activation, dtype=dtype)
    X, T = problem("softmax_cross_entropy", dtype=dtype)
    got = net.backprop(X, T, "softmax_cross_entropy")

    def logits(W1, b1, W2, b2, W3, b3):
        phi = net.phi
        A = phi[1](dense.affine(X, W1, b1))
        A = phi[2](dense.affine(A, W2, b2))
        return dense.affine(A, W3, b3)

    _, pull = vjp(logits, *net.parameters())
    for ours, theirs in zip(got.flat(), pull(got.Delta[3]), strict=True):
        assert ours.dtype == theirs.dtype
        np.testing.assert_array_equal(ours, theirs)


def test_the_data_gets_no_gradient(monkeypatch):
    calls = []
    monkeypatch.setattr(dense, "input_gradient", lambda D, W: calls.append(W.shape) or D @ W.T)
    net, (X, T) = network("squared_error"), problem("squared_error")
    net.backprop(X, T, "squared_error")
    assert calls == [(4, 3), (5, 4)]  # layers 3 and 2, never layer 1


def test_predict_is_the_forward_pass_and_logits_stop_before_the_output():
    net, X = network("softmax_cross_entropy"), RNG.normal(size=(6, 4))
    Z, A = net.forward(X)
    np.testing.assert_array_equal(net.predict(X), A[3])
    np.testing.assert_allclose(A[3].sum(axis=1), 1)
    assert net.forward(X, logits=True).A[3] is not A[3]
    np.testing.assert_array_equal(net.forward(X, logits=True).A[3], Z[3])
    assert A[0] is X
    assert Z[0] is None


def test_a_batch_is_the_mean_of_its_samples():
    net, (X, T) = network("squared_error"), problem("squared_error")
    whole = net.backprop(X, T, "squared_error")
    each = [net.backprop(X[s : s + 1], T[s : s + 1], "squared_error") for s in range(len(X))]
    assert pytest.approx(np.mean([g.J for g in each]), rel=1e-13) == whole.J
    for i, g in enumerate(whole.flat()):
        np.testing.assert_allclose(g, np.mean([e.flat()[i] for e in each], axis=0), atol=1e-14)


def test_a_list_gives_every_layer_its_own():
    net = nn.MLP([2, 3, 3, 1], ["tanh", ops.relu], "sigmoid", init=["lecun", "he", "zeros"])
    assert [phi.name for phi in net.phi[1:]] == ["tanh", "relu", "sigmoid"]
    assert not net.W[3].any()
    assert net.W[2].any()
    assert "2-3-3-1" in repr(net)
    assert "25 parameters" in repr(net)


def test_seeds_and_layers_are_independent_streams():
    a, b = nn.MLP([4, 5, 3], seed=1), nn.MLP([4, 5, 3], seed=1)
    assert all(np.array_equal(p, q) for p, q in zip(a.parameters(), b.parameters(), strict=True))
    assert not np.array_equal(a.W[1], nn.MLP([4, 5, 3], seed=2).W[1])
    assert np.array_equal(a.W[1], nn.MLP([4, 5, 7], seed=1, activation="tanh").W[1])
    f32 = nn.MLP([4, 5, 3], seed=1, dtype=np.float32)
    np.testing.assert_array_equal(f32.W[1], a.W[1].astype(np.float32))
    assert not np.array_equal(nn.MLP([4, 5], seed=None).W[1], nn.MLP([4, 5], seed=None).W[1])


def test_parameters_are_the_arrays_themselves_and_loading_is_all_or_nothing():
    net = network("squared_error")
    kept, W1 = net.copy_parameters(), net.W[1]
    net.parameters()[0][:] = 7
    assert (net.W[1] == 7).all()
    with pytest.raises(ValueError, match="expected shapes"):
        net.load_parameters([*kept[:-1], np.zeros(9)])
    assert (net.W[1] == 7).all()
    net.load_parameters(kept)
    assert net.W[1] is W1
    np.testing.assert_array_equal(W1, kept[0])


VARIANCE = {
    "glorot": lambda n_in, n_out: 2 / (n_in + n_out),
    "he": lambda n_in, n_out: 2 / n_in,
    "lecun": lambda n_in, n_out: 1 / n_in,
}


@pytest.mark.parametrize("distribution", ["normal", "uniform"])
@pytest.mark.parametrize("method", VARIANCE)
def test_random_starts_have_their_variance(method, distribution):
    n_in, n_out = 300, 200
    rng = np.random.default_rng(0)
    W = init.TABLE[method](n_in, n_out, rng, gain=1.5, distribution=distribution)
    variance = 2.25 * VARIANCE[method](n_in, n_out)
    # 60,000 draws: the variance is known to 0.6 % (one sigma), so 3 % is five sigma
    assert W.var() == pytest.approx(variance, rel=0.03)
    assert abs(W.mean()) < 5 * (variance / W.size) ** 0.5
    assert (np.abs(W).max() <= (3 * variance) ** 0.5) == (distribution == "uniform")
    with pytest.raises(ValueError, match="'cauchy'"):
        init.TABLE[method](2, 2, rng, distribution="cauchy")


@pytest.mark.parametrize(("n_in", "n_out"), [(7, 4), (4, 7), (5, 5), (1, 3)])
def test_orthogonal(n_in, n_out):
    W = init.orthogonal(n_in, n_out, np.random.default_rng(0), gain=2.0)
    assert W.shape == (n_in, n_out)
    assert W.flags.c_contiguous
    gram = W.T @ W if n_in >= n_out else W @ W.T
    np.testing.assert_allclose(gram, 4 * np.eye(min(n_in, n_out)), atol=1e-13)


def test_default_init_follows_the_activation():
    wide = [400, 400, 400]
    net = nn.MLP(wide, "relu", "tanh")
    assert net.W[1].var() == pytest.approx(2 / 400, rel=0.03)
    assert net.W[2].var() == pytest.approx(1 / 400, rel=0.03)


BAD = [
    (lambda: nn.MLP([3]), ValueError, "widths"),
    (lambda: nn.MLP([3, 0, 1]), ValueError, "widths"),
    (lambda: nn.MLP([3, 2.0]), ValueError, "widths"),
    (lambda: nn.MLP([3, True]), ValueError, "widths"),
    (lambda: nn.MLP([3, 2, 1], "gelou"), ValueError, "'gelou'"),
    (lambda: nn.MLP([3, 2, 1], np.tanh), ValueError, "rule"),
    (lambda: nn.MLP([3, 2, 1], "matmul"), ValueError, "rule"),
    (lambda: nn.MLP([3, 2, 1], ["tanh", "relu"]), ValueError, "1, got 2"),
    (lambda: nn.MLP([3, 2], init="xavier"), ValueError, "'xavier'.*glorot"),
    (lambda: nn.MLP([3, 2], dtype=int), ValueError, "floating"),
    (lambda: nn.MLP([3, 2]).forward(np.zeros(3)), ValueError, r"\(B, 3\).*\(3,\)"),
    (lambda: nn.MLP([3, 2]).predict(np.zeros((2, 4))), ValueError, r"\(2, 4\)"),
    (lambda: nn.MLP([3, 2]).forward(np.full((1, 3), "a")), TypeError, "real"),
    (
        lambda: nn.MLP([3, 2], output="tanh").backprop(
            np.zeros((1, 3)), [0], "softmax_cross_entropy"
        ),
        ValueError,
        "softmax_cross_entropy contains the softmax.*ends in tanh",
    ),
]


@pytest.mark.parametrize(("call", "kind", "words"), BAD)
def test_errors(call, kind, words):
    with pytest.raises(kind, match=words):
        call()
