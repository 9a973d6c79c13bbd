"""Optimizers against trajectories computed another way: unrolled sums, closed forms."""

import math

import numpy as np
import pytest

from bplib import optim

ALL = [optim.SGD, optim.Momentum, optim.Nesterov, optim.RMSProp, optim.Adam, optim.AdamW]


def unrolled(kind, p, grads, lr):
    """Return the parameter after all steps from sums over the whole history, with no state."""
    for t in range(1, len(grads) + 1):
        seen = grads[:t]
        if kind is optim.SGD:
            p = p - lr * seen[-1]
        elif kind in (optim.Momentum, optim.Nesterov):
            v = sum(0.9 ** (t - i) * g for i, g in enumerate(seen, 1))
            p = p - lr * (v if kind is optim.Momentum else seen[-1] + 0.9 * v)
        elif kind is optim.RMSProp:
            s = sum(0.1 * 0.9 ** (t - i) * g**2 for i, g in enumerate(seen, 1))
            p = p - lr * seen[-1] / (s**0.5 + 1e-8)
        else:  # the corrected moments are weighted means: weights divided by their sum
            u = [0.9 ** (t - i) for i in range(1, t + 1)]
            w = [0.999 ** (t - i) for i in range(1, t + 1)]
            m = sum(a * g for a, g in zip(u, seen, strict=True)) / sum(u)
            v = sum(a * g**2 for a, g in zip(w, seen, strict=True)) / sum(w)
            if kind is optim.AdamW:
                p = p - lr * 0.01 * p
            p = p - lr * m / (v**0.5 + 1e-8)
    return p


@pytest.mark.parametrize("kind", ALL)
def test_trajectory_is_the_unrolled_formula(kind):
    rng = np.random.default_rng(0)
    p = rng.normal(size=(3, 2))
    grads = [rng.normal(size=(3, 2)) for _ in range(7)]
    expected = unrolled(kind, p.copy(), grads, 0.05)
    optimizer = kind(0.05)
    kept = [g.copy() for g in grads]
    for g in grads:
        optimizer.step([p], [g])
    assert optimizer.t == 7
    np.testing.assert_allclose(p, expected, rtol=1e-11)
    assert not np.allclose(p, unrolled(kind, p, kept[:6], 0.05), rtol=1e-4)
    for g, before in zip(grads, kept, strict=True):
        np.testing.assert_array_equal(g, before)  # a gradient given is never written


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtype_in_place_and_shapes(kind, dtype):
    params = [np.ones((3, 2), dtype), np.ones(2, dtype)]
    optimizer = kind(np.float64(0.1))
    first = params[0]
    optimizer.step(params, [np.ones((3, 2), dtype), np.zeros(2, dtype)])
    assert params[0] is first
    assert (first < 1).all()
    np.testing.assert_array_equal(params[1], 1)  # AdamW too: a bias is not decayed
    kept = [a for arrays in optimizer.slots.values() for a in arrays]
    assert {a.dtype for a in [*params, *kept]} == {np.dtype(dtype)}
    before = [p.copy() for p in params]
    with pytest.raises(ValueError, match="shapes"):
        optimizer.step(params, [np.ones((3, 2), dtype), np.ones(3, dtype)])
    for p, b in zip(params, before, strict=True):
        np.testing.assert_array_equal(p, b)
    if optimizer.state:
        with pytest.raises(ValueError, match="new optimizer"):
            optimizer.step([np.ones(5, dtype)], [np.ones(5, dtype)])


@pytest.mark.parametrize("kind", ALL)
def test_large_arrays_are_updated_by_rows_to_the_same_bits(kind, monkeypatch):
    def run():
        rng, optimizer = np.random.default_rng(3), kind(0.05)
        params = [rng.normal(size=(70, 9)), rng.normal(size=70)]
        for _ in range(3):
            optimizer.step(params, [np.sin(p) for p in params])
        return [*params, *optimizer.arrays()]

    whole = run()
    sizes = []
    monkeypatch.setattr(optim, "PART", 400)
    monkeypatch.setattr(kind, "update", lambda self, p, *rest, old=kind.update: (
        sizes.append(p.shape), old(self, p, *rest)))  # fmt: skip
    for a, b in zip(run(), whole, strict=True):
        np.testing.assert_array_equal(a, b)
    assert sizes[:14] == [(5, 9)] * 14
    assert sizes[14] == (70,)


@pytest.mark.parametrize("kind", ALL)
def test_state_goes_back(kind):
    def run(optimizer, p, n):
        for _ in range(n):
            optimizer.step([p], [np.cos(p)])
        return p

    a, whole = kind(0.05), np.linspace(-1, 1, 6)
    run(a, whole, 9)
    b, p = kind(0.05), np.linspace(-1, 1, 6)
    run(b, p, 4)
    state, kept = b.copy_state(), p.copy()
    run(b, p, 3)
    b.load_state(state)
    np.testing.assert_array_equal(run(b, kept, 5), whole)


NAN, INF = math.nan, math.inf


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("lr", [0, -0.1, NAN, INF, "0.1", None, True])
def test_bad_learning_rates_are_refused_at_construction(kind, lr):
    with pytest.raises(ValueError, match=f"{kind.__name__}: lr must be"):
        kind(lr)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: optim.Momentum(0.1, momentum=1.0), "momentum must lie"),
        (lambda: optim.Nesterov(0.1, momentum=-0.1), "Nesterov: momentum must lie"),
        (lambda: optim.Momentum(0.1, momentum=NAN), "momentum must lie"),
        (lambda: optim.RMSProp(0.1, rho=1), "rho must lie"),
        (lambda: optim.RMSProp(0.1, eps=0), "eps must be"),
        (lambda: optim.Adam(0.1, betas=(0.9, 1.0)), "beta2 must lie"),
        (lambda: optim.Adam(0.1, betas=(NAN, 0.9)), "beta1 must lie"),
        (lambda: optim.Adam(0.1, betas=0.9), "betas must be two"),
        (lambda: optim.Adam(0.1, betas=(0.9,)), "betas must be two"),
        (lambda: optim.AdamW(0.1, weight_decay=-1), "weight_decay must be"),
        (lambda: optim.AdamW(0.1, weight_decay=NAN), "weight_decay must be"),
        (lambda: optim.constant(0), "lr must be"),
        (lambda: optim.step_decay(0.1, 1.5, 3), "factor must lie"),
        (lambda: optim.step_decay(0.1, 0.5, 0), "every must be"),
        (lambda: optim.cosine(0.1, 10, warmup=10), "warmup must lie"),
        (lambda: optim.cosine(0.1, 10, final=0.2), "final must lie"),
        (lambda: optim.cosine(0.1, 2.5), "steps must be"),
        (lambda: optim.clip_by_norm([], 0), "limit must be"),
        (lambda: optim.clip_by_value([], -1), "limit must be"),
    ],
)
def test_bad_settings_are_refused_at_construction(make, words):
    with pytest.raises(ValueError, match=words):
        make()


def test_schedules():
    assert [optim.constant(0.3)(t) for t in (0, 9)] == [0.3, 0.3]
    drop = optim.step_decay(0.8, 0.5, every=2)
    assert [drop(t) for t in range(6)] == [0.8, 0.8, 0.4, 0.4, 0.2, 0.2]
    wave = optim.cosine(1.0, steps=12, warmup=4, final=0.2)
    assert [wave(t) for t in range(4)] == [0.25, 0.5, 0.75, 1.0]
    np.testing.assert_allclose([wave(4), wave(8), wave(12), wave(99)], [1.0, 0.6, 0.2, 0.2])
    p = np.zeros(1)
    sgd = optim.SGD(drop)
    for _ in range(4):
        sgd.step([p], [np.ones(1)])
    assert p[0] == pytest.approx(-2.4)
    for bad in (NAN, -0.1):
        p = np.zeros(1)
        sgd = optim.SGD(lambda t, bad=bad: bad)
        with pytest.raises(ValueError, match="schedule gave"):
            sgd.step([p], [np.ones(1)])
        assert (p[0], sgd.t) == (0.0, 0)


def test_descent_on_a_quadratic_meets_its_bound():
    # p_{t+1} = (1 - lr c) p_t: converges for lr < 2 / c, and not above.
    for lr, shrinks in [(0.19, True), (0.21, False)]:
        p = np.array([1.0])
        sgd = optim.SGD(lr)
        for _ in range(30):
            sgd.step([p], [10.0 * p])
        assert p[0] == pytest.approx((1 - 10 * lr) ** 30)
        assert (abs(p[0]) < 1) == shrinks


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_clipping(dtype):
    grads = [np.array([3.0, 0.0], dtype), np.array([[4.0]], dtype)]
    assert optim.clip_by_norm(grads, 10.0) == pytest.approx(5.0)
    assert grads[0][0] == 3.0
    assert optim.clip_by_norm(grads, 1.0) == pytest.approx(5.0)
    np.testing.assert_allclose([grads[0][0], grads[1][0, 0]], [0.6, 0.8], rtol=1e-6)
    assert grads[0].dtype == dtype
    optim.clip_by_value(grads, 0.7)
    np.testing.assert_allclose([grads[0][0], grads[1][0, 0]], [0.6, 0.7], rtol=1e-6)
    # the squares of these overflow float32, their norm does not
    assert optim.global_norm([np.full(4, 1e30, dtype)]) == pytest.approx(2e30)
    bad = [np.array([1.0, NAN], dtype)]
    assert math.isnan(optim.clip_by_norm(bad, 1.0))
    assert bad[0][0] == 1.0
    for order in ([np.zeros(1), np.full(1, NAN)], [np.full(1, NAN), np.zeros(1)]):
        assert math.isnan(optim.global_norm(order))
    assert optim.global_norm([]) == 0.0
