"""Normalization and dropout: index forms, derivatives three ways, wrong rules, and in the MLP."""

import math

import numpy as np
import pytest

from bplib import layers, nn, ops, optim, store, train, value_and_grad, vjp
from tests.test_nn import central

RNG = np.random.default_rng(29)
NORMS = {
    "layer": (layers.layer_norm, layers.layer_norm_deltas, 1),
    "batch": (layers.batch_norm, layers.batch_norm_deltas, 0),
}


def case(B=5, n=4, dtype=np.float64):
    Z, G = RNG.normal(2, 3, size=(2, B, n)).astype(dtype)
    gain, shift = RNG.normal(1, 0.3, size=(2, n)).astype(dtype)
    return Z, gain, shift, G


@pytest.mark.parametrize("name", NORMS)
def test_the_index_form(name):
    f, _, axis = NORMS[name]
    Z, gain, shift, _ = case()
    A = f(Z, gain, shift)
    for i, k in np.ndindex(Z.shape):
        group = Z[i, :] if axis == 1 else Z[:, k]
        mean = sum(group) / len(group)
        variance = sum((z - mean) ** 2 for z in group) / len(group)
        expected = gain[k] * (Z[i, k] - mean) / math.sqrt(variance + 1e-5) + shift[k]
        assert A[i, k] == pytest.approx(expected, rel=1e-12)
    N = f(Z)
    np.testing.assert_allclose(N.mean(axis), 0, atol=1e-14)
    np.testing.assert_allclose(N.var(axis), 1, rtol=1e-4)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", NORMS)
def test_the_rule_is_what_the_graph_derives(name, dtype):
    f, deltas, _ = NORMS[name]
    Z, gain, shift, G = case(dtype=dtype)
    _, pull = vjp(f, Z, gain, shift)
    tolerance = 1e-13 if dtype == np.float64 else 1e-5
    for ours, derived in zip(deltas(G, Z, gain), pull(G), strict=True):
        assert ours.dtype == derived.dtype == dtype
        np.testing.assert_allclose(ours, derived, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("name", NORMS)
def test_the_rule_by_complex_step(name):
    f, deltas, axis = NORMS[name]
    Z, gain, shift, G = case()
    found = deltas(G, Z, gain)
    for which, x in enumerate((Z, gain, shift)):
        expected = np.empty_like(x)
        for i in np.ndindex(x.shape):
            args = [a.astype(complex) for a in (Z, gain, shift)]
            args[which][i] += 1e-200j
            expected[i] = (G * f(*args)).sum().imag / 1e-200
        np.testing.assert_allclose(found[which], expected, rtol=1e-10, atol=1e-13)
        if which == 0:
            N, s = layers.standardize(Z, axis)
            D = G * gain
            mean = lambda a: a.mean(axis=axis, keepdims=True)  # noqa: E731
            for slip, wrong in {
                "mean and deviation held fixed": D / s,
                "deviation held fixed": (D - mean(D)) / s,
                "mean held fixed": (D - N * mean(D * N)) / s,
                "gain forgotten": layers.standardize_delta(G, N, s, axis),
                "the other axis": layers.standardize_delta(D, N, s, 1 - axis),
                "off by 1.001": 1.001 * found[0],
            }.items():
                assert not np.allclose(wrong, expected, rtol=1e-6), slip


def test_in_use_the_statistics_are_fixed():
    Z, gain, shift, _ = case(40)
    fixed = layers.statistics(Z)
    whole = layers.batch_norm(Z, gain, shift)
    np.testing.assert_allclose(layers.batch_norm(Z, gain, shift, fixed=fixed), whole, rtol=1e-12)
    one = layers.batch_norm(Z[3:4], gain, shift, fixed=fixed)
    np.testing.assert_allclose(one, whole[3:4], rtol=1e-12)


def test_extremes():
    with pytest.raises(ValueError, match=r"two rows or more, got shape \(1, 4\).*`fixed`"):
        layers.batch_norm(np.ones((1, 4)))
    with pytest.raises(ValueError, match=r"rows \(B, n\)"):
        layers.layer_norm(np.ones(4))
    constant = np.full((3, 4), 7.0)
    for f, deltas, _ in NORMS.values():
        np.testing.assert_array_equal(f(constant), 0)
        assert np.isfinite(deltas(np.ones((3, 4)), constant).Z).all()
    Z, _, _, G = case()
    for f, deltas, axis in NORMS.values():  # moving or stretching what is normalized changes little
        np.testing.assert_allclose(f(Z + 100), f(Z), rtol=1e-9)
        D = deltas(G, Z).Z
        np.testing.assert_allclose(D.sum(axis), 0, atol=1e-14)


def mlp(activation="layer_norm tanh", **options):
    net = nn.MLP([4, 5, 6, 3], activation, "softmax", seed=3, **options)
    for b in net.b[1:]:
        b += np.random.default_rng(1).normal(size=b.shape)
    return net


def batch(B=6, dtype=np.float64):
    return RNG.normal(size=(B, 4)).astype(dtype), RNG.integers(0, 3, B)


@pytest.mark.parametrize("rate", [0.0, 0.4])
@pytest.mark.parametrize("activation", ["tanh", "layer_norm tanh", "layer_norm relu"])
def test_backprop_is_the_derivative_and_the_graphs(activation, rate):
    net, (X, T) = mlp(activation), batch()
    masks = net.dropout_masks(6, rate, np.random.default_rng(2)) if rate else None
    loss = "softmax_cross_entropy"
    got = net.backprop(X, T, loss, masks=masks)
    assert got.J == net.loss(X, T, loss, masks=masks)
    expected = central(net, lambda: net.loss(X, T, loss, masks=masks))
    for g, e in zip(got.flat(), expected, strict=True):
        np.testing.assert_allclose(g, e, rtol=0, atol=5e-9)

    def J(params):
        A = X
        for layer in (1, 2, 3):
            Z = A @ params[2 * layer - 2] + params[2 * layer - 1]
            A = net.phi[layer](Z)
            if masks is not None and layer < 3:
                A = A * masks[layer]
        return -(ops.log_softmax(Z)[np.arange(6), T]).sum() / 6

    j, grads = value_and_grad(J)(net.parameters())
    assert j == pytest.approx(got.J, rel=1e-13)
    for g, e in zip(got.flat(), grads, strict=True):
        np.testing.assert_allclose(g, e, rtol=1e-11, atol=1e-14)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_normalized_network_is_planned_and_saved_like_any_other(tmp_path, dtype):
    nets = [mlp("layer_norm tanh", dtype=dtype) for _ in range(2)]
    X, t = batch(dtype=dtype)
    T = np.eye(3, dtype=dtype)[t]
    step = train.PlannedStep(nets[1], "softmax_cross_entropy", optim.SGD(0.1))
    for _ in range(3):
        g = nets[0].backprop(X, T, "softmax_cross_entropy")
        optim.SGD(0.1).step(nets[0].parameters(), g.flat())
        assert step(X, T) == g.J
    for p, q in zip(*[net.parameters() for net in nets], strict=True):
        assert p.dtype == dtype
        np.testing.assert_array_equal(p, q)
    store.save(tmp_path / "w", nets[0])
    back = store.load(tmp_path / "w").net
    assert back.phi[1].name == "layer_norm tanh"
    np.testing.assert_array_equal(back.predict(X), nets[0].predict(X))
    with pytest.raises(ValueError, match="no activation is called 'tahn'"):
        nn.get_activation("layer_norm tahn")


def test_a_mask_keeps_the_mean_and_its_seed_keeps_the_mask():
    M = layers.dropout_mask((400, 500), 0.3, np.random.default_rng(0), np.float32)
    assert M.dtype == np.float32
    assert set(np.unique(M)) == {0.0, np.float32(1) / np.float32(0.7)}
    # 200,000 draws: the share of zeros is known to 0.1 % (one sigma)
    assert (M == 0).mean() == pytest.approx(0.3, abs=0.005)
    assert M.mean(dtype=float) == pytest.approx(1, abs=0.01)
    again = layers.dropout_mask((400, 500), 0.3, np.random.default_rng(0), np.float32)
    np.testing.assert_array_equal(M, again)
    assert (layers.dropout_mask((3, 3), 0.0, np.random.default_rng(0)) == 1).all()
    for rate in (1.0, -0.1, math.nan):
        with pytest.raises(ValueError, match="rate must lie"):
            layers.dropout_mask((2, 2), rate, np.random.default_rng(0))


def test_dropout_is_trained_with_resumed_with_and_never_measured_with(tmp_path):
    X, T = batch(60)
    settings = {"loss": "softmax_cross_entropy", "batch_size": 16, "validation": (X, T)}

    def run(net, optimizer, dropout=0.3, **more):
        train.fit(net, X, T, optimizer=optimizer, dropout=dropout, **settings, **more)
        return net

    whole = run(mlp("tanh"), optim.Adam(0.01), epochs=4)
    planned = run(mlp("tanh"), optim.Adam(0.01), epochs=4, planned=True)
    half, optimizer = mlp("tanh"), optim.Adam(0.01)
    store.save(tmp_path / "w", run(half, optimizer, epochs=2), optimizer)
    loaded = store.load(tmp_path / "w")
    rest = run(loaded.net, loaded.optimizer, epochs=4, first=3)
    other = run(mlp("tanh"), optim.Adam(0.01), dropout=0.0, epochs=4)
    for a, b, c, d in zip(*[n.parameters() for n in (whole, planned, rest, other)], strict=True):
        np.testing.assert_array_equal(a, b)
        np.testing.assert_array_equal(a, c)
        assert not np.array_equal(a, d)
    (record,) = train.train(
        net := mlp("tanh"), X, T, optimizer=optim.SGD(1e-300), epochs=1, dropout=0.5, **settings
    )
    assert record.held_out == net.loss(X, T, "softmax_cross_entropy")
    assert record.J != pytest.approx(record.held_out, rel=1e-6)
    with pytest.raises(ValueError, match="dropout must lie"):
        train.train(mlp(), X, T, optimizer=optim.SGD(0.1), epochs=1, dropout=1.0, **settings)
