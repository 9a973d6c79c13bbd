"""Training: what a run must leave behind when it ends well, early, badly or by Ctrl-C."""

import math
import signal
import subprocess
import sys
import threading

import numpy as np
import pytest

from bplib import data, nn, optim, train
from tests.interrupts import lines_of, struck

RNG = np.random.default_rng(23)
X60, T60 = RNG.normal(size=(60, 3)), RNG.integers(0, 4, 60)


def small(**options):
    return nn.MLP([3, 5, 4], "tanh", "softmax", seed=1, **options)


def options(**changes):
    return {
        "loss": "softmax_cross_entropy",
        "optimizer": optim.SGD(0.1),
        "epochs": 3,
        "batch_size": 16,
        **changes,
    }


def test_digits_reach_97_percent_by_the_derived_formulas():
    pytest.importorskip("sklearn", reason="the digits come with scikit-learn")
    d = data.digits()
    assert (d.X.shape, d.X_test.shape) == ((1437, 64), (360, 64))
    accuracies = []
    for seed in range(3):
        net = nn.MLP([64, 32, 10], "tanh", "softmax", seed=seed)
        history = train.fit(
            net,
            d.X,
            d.t,
            loss="softmax_cross_entropy",
            optimizer=optim.SGD(0.3),
            epochs=30,
            batch_size=32,
            seed=seed,
        )
        assert history.reason == "epochs"
        accuracies.append(train.accuracy(net, d.X_test, d.t_test))
    assert min(accuracies) >= 0.97, accuracies


def test_an_epoch_is_plain_gradient_descent_over_the_shuffled_batches():
    net = small()
    W, b = [p.copy() for p in net.W[1:]], [p.copy() for p in net.b[1:]]
    records = list(train.train(net, X60, T60, **options(epochs=2, seed=5)))
    total = []
    for epoch in (1, 2):
        order = np.random.default_rng([5, epoch]).permutation(60)
        total.append(0.0)
        for start in range(0, 60, 16):
            rows = order[start : start + 16]  # the last batch has 12 rows
            A = np.tanh(X60[rows] @ W[0] + b[0])
            E = np.exp(A @ W[1] + b[1])
            P = E / E.sum(axis=1)[:, None]
            total[-1] -= np.log(P[np.arange(len(rows)), T60[rows]]).sum()
            D2 = (P - np.eye(4)[T60[rows]]) / len(rows)
            D1 = (D2 @ W[1].T) * (1 - A**2)
            W[1], b[1] = W[1] - 0.1 * A.T @ D2, b[1] - 0.1 * D2.sum(0)
            W[0], b[0] = W[0] - 0.1 * X60[rows].T @ D1, b[0] - 0.1 * D1.sum(0)
    for layer in (1, 2):
        np.testing.assert_allclose(net.W[layer], W[layer - 1], rtol=1e-12)
        np.testing.assert_allclose(net.b[layer], b[layer - 1], rtol=1e-11)
    assert [r.J for r in records] == pytest.approx([t / 60 for t in total], rel=1e-13)
    assert [(r.epoch, r.steps, r.lr) for r in records] == [(1, 4, 0.1), (2, 8, 0.1)]
    assert records[1].norm == pytest.approx(
        math.sqrt(sum((g**2).sum() for g in (X60[rows].T @ D1, D1.sum(0), A.T @ D2, D2.sum(0)))),
        rel=1e-11,
    )


def test_same_seed_same_bits_other_seed_other_bits():
    def run(**changes):
        net = small()
        train.fit(net, X60, T60, **options(**changes))
        return net.W[1].copy()

    np.testing.assert_array_equal(run(seed=1), run(seed=1, optimizer=optim.SGD(0.1)))
    assert not np.array_equal(run(seed=1), run(seed=2))
    assert run(optimizer=optim.Adam(0.01), clip=0.1).shape == (3, 5)


def test_float32_trains_in_float32():
    net = small(dtype=np.float32)
    train.fit(net, X60, T60, **options(optimizer=optim.AdamW(0.01), weight_decay=1e-3, clip=1.0))
    assert {p.dtype for p in net.parameters()} == {np.dtype(np.float32)}


def test_early_stopping_keeps_the_best_weights():
    X, T = RNG.normal(size=(40, 3)), RNG.integers(0, 4, 40)  # noise: there is nothing to learn
    net = small()
    history = train.fit(
        net,
        X60,
        T60,
        **options(epochs=200, optimizer=optim.SGD(1.0), validation=(X, T), patience=5),
    )
    assert history.reason == "early"
    held_out = [r.held_out for r in history.records]
    best = int(np.argmin(held_out))
    assert len(held_out) == best + 1 + 5 < 200
    assert net.loss(X, T, "softmax_cross_entropy") == held_out[best]
    assert history.records[best].accuracy == train.accuracy(net, X, T)


def test_without_patience_the_last_weights_stay():
    net = small()
    history = train.fit(net, X60, T60, **options(epochs=4, validation=(X60, T60)))
    assert net.loss(X60, T60, "softmax_cross_entropy") == history.records[-1].held_out


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_an_exploding_loss_stops_and_restores_the_last_good_epoch(dtype):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(64, 3))
    T = X @ rng.normal(size=(3, 2))

    class Grows(optim.Momentum):  # well-behaved for two epochs, then far beyond 2 / curvature
        def learning_rate(self):
            return 0.01 if self.t < 8 else 1e3

    net, optimizer = nn.MLP([3, 2], dtype=dtype), Grows(0.01)
    settings = options(loss="squared_error", optimizer=optimizer, epochs=9)
    records = train.train(net, X, T, **settings)
    next(records), next(records)
    good, state = net.copy_parameters(), optimizer.copy_state()
    with pytest.raises(train.Diverged) as stop:
        list(records)
    assert stop.value.epoch >= 3
    assert stop.value.batch >= 1
    assert all(w in str(stop.value) for w in ["epoch", "batch", "layer", "learning rate was 1e+03"])
    for p, g in zip(net.parameters(), good, strict=True):
        if stop.value.epoch == 3:
            np.testing.assert_array_equal(p, g)
    assert stop.value.epoch == 3
    assert optimizer.t == state[0]
    for a, b in zip(optimizer.slots["v"], state[1]["v"], strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("layer", [1, 2, 3])
def test_the_first_bad_layer_is_named(layer):
    net = nn.MLP([3, 4, 4, 4], "tanh", "softmax")

    class Poison(optim.SGD):
        def step(self, params, grads):
            super().step(params, grads)
            if self.t == 6:
                net.W[layer][0, 0] = np.nan

    with pytest.raises(train.Diverged, match=f"epoch 2, batch 3 .first bad layer: {layer}") as stop:
        train.fit(net, X60, T60, **options(optimizer=Poison(0.1)))
    assert (stop.value.epoch, stop.value.batch, stop.value.layer) == (2, 3, layer)
    assert math.isnan(stop.value.J)
    assert all(np.isfinite(p).all() for p in net.parameters())


def test_weights_spoilt_by_the_last_step_of_an_epoch_are_noticed():
    class Poison(optim.SGD):
        def step(self, params, grads):
            super().step(params, grads)
            if self.t == 4:  # the last step of epoch 1: no loss is computed after it
                params[0][0, 0] = np.inf

    net = small()
    before = net.copy_parameters()
    with pytest.raises(train.Diverged, match="epoch 1, batch 4"):
        train.fit(net, X60, T60, **options(optimizer=Poison(0.1)))
    for p, b in zip(net.parameters(), before, strict=True):
        np.testing.assert_array_equal(p, b)


def trajectory(steps):
    """Return the parameters and momenta after every number of steps of an undisturbed run."""
    seen = {}

    class Watched(optim.Momentum):
        def step(self, params, grads):
            super().step(params, grads)
            seen[self.t] = [p.copy() for p in params] + [v.copy() for v in self.slots["v"]]

    train.fit(small(), X60, T60, **options(optimizer=Watched(0.05), epochs=steps // 4))
    return seen


def same(net, optimizer, seen):
    now = [*net.parameters(), *optimizer.slots["v"]]
    return all(np.array_equal(a, b) for a, b in zip(now, seen[optimizer.t], strict=True))


@pytest.mark.parametrize("strike", [1, 2, 3, 4, 17, 18])
def test_ctrl_c_in_the_middle_of_a_step_waits_for_its_end(strike):
    class Struck(optim.Momentum):
        calls = 0

        def update(self, p, g, lr, v):
            type(self).calls += 1
            if type(self).calls == strike:  # four arrays a step: the weights are half updated now
                signal.raise_signal(signal.SIGINT)
            super().update(p, g, lr, v)

    Struck.calls = 0
    net, optimizer = small(), Struck(0.05)
    handler = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        list(train.train(net, X60, T60, **options(optimizer=optimizer, epochs=8)))
    assert optimizer.t == (strike + 3) // 4
    assert same(net, optimizer, trajectory(32))
    assert signal.getsignal(signal.SIGINT) is handler


@pytest.mark.parametrize("planned", [False, True])
def test_ctrl_c_at_200_random_moments_leaves_a_whole_step_and_the_history(planned):
    seen = trajectory(4 * 6)
    made: list = []

    def run():
        net, optimizer = small(), optim.Momentum(0.05)
        made[:] = [net, optimizer, None]
        made[2] = train.fit(
            net, X60, T60, **options(optimizer=optimizer, epochs=6), planned=planned
        )

    run()  # what a first run prepares is not repeated
    last = lines_of(run)
    stopped = set()
    for moment in np.random.default_rng(0).integers(1, last, 200):
        came = False
        try:
            came = struck(run, int(moment))
        except KeyboardInterrupt:  # while the network was made, or before the first step
            came = True
        assert came, moment
        net, optimizer, history = made
        if optimizer.t:
            assert same(net, optimizer, seen), optimizer.t
        if history is not None and history.reason == "interrupted":
            assert len(history.records) in (optimizer.t // 4, optimizer.t // 4 - 1)
            stopped.add(optimizer.t)
    assert len(stopped) >= 12  # of the 24 steps


def test_a_second_ctrl_c_is_not_held_back():
    class Twice(optim.SGD):
        def update(self, p, g, lr):
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)

    handler = signal.getsignal(signal.SIGINT)
    optimizer = Twice(0.1)
    with pytest.raises(KeyboardInterrupt):
        list(train.train(small(), X60, T60, **options(optimizer=optimizer)))
    assert signal.getsignal(signal.SIGINT) is handler


def test_training_in_a_thread_touches_no_signal():
    result = []
    thread = threading.Thread(
        target=lambda: result.append(train.fit(small(), X60, T60, **options()).reason)
    )
    thread.start()
    thread.join()
    assert result == ["epochs"]


def test_the_bar_is_one_consumer_and_leaves_nothing():
    code = (
        "from bplib import nn, optim, progress, train; import numpy as np;"
        "records = train.train(nn.MLP([2, 1]), np.ones((4, 2)), np.ones((4, 1)), epochs=2,"
        "    loss='squared_error', optimizer=optim.SGD(0.1));"
        "print(len(list(progress.watch(records, 'epoch', total=2))))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("2\n", "")  # no terminal: not one character


def test_accuracy():
    net = nn.MLP([2, 2])
    net.W[1][:] = np.eye(2)
    X = np.array([[1.0, 0.0], [0.0, 1.0], [3.0, 2.0]])
    assert train.accuracy(net, X, [0, 1, 1]) == pytest.approx(2 / 3)
    assert train.accuracy(net, X, np.eye(2)[[0, 1, 0]]) == 1.0
    one = nn.MLP([1, 1])
    one.W[1][:] = 1
    x = np.array([[0.3], [-0.3]])
    assert train.accuracy(one, x, [1, 0]) == 1.0
    side = nn.MLP([1, 1], output="sigmoid")
    side.W[1][:] = 1
    assert train.accuracy(side, x, [1, 0]) == 1.0
    with pytest.raises(ValueError, match="3 rows"):
        train.accuracy(net, X, [0, 1])


BAD = [
    ({"epochs": -1}, "epochs must be"),
    ({"epochs": 2.5}, "epochs must be"),
    ({"batch_size": 0}, "batch_size must be"),
    ({"patience": 3}, "patience needs validation"),
    ({"patience": 0, "validation": (X60, T60)}, "patience must be"),
    ({"loss": "mse"}, "no loss is called"),
    ({"validation": (X60[:0], T60[:0])}, "validation X is an empty batch"),
]


@pytest.mark.parametrize(("change", "words"), BAD)
def test_bad_arguments_are_refused_before_the_first_step(change, words):
    net = small()
    before = net.copy_parameters()
    with pytest.raises(ValueError, match=words):
        train.train(net, X60, T60, **options(**change))  # not even iterated
    for p, b in zip(net.parameters(), before, strict=True):
        np.testing.assert_array_equal(p, b)


def test_bad_data_are_refused_with_their_place():
    X = X60.copy()
    X[7, 2] = np.nan
    with pytest.raises(ValueError, match="X has nan in row 7, column 2"):
        train.train(small(), X, T60, **options())
    with pytest.raises(ValueError, match=r"0\.\.3"):
        train.train(small(), X60, T60 + 1, **options())
    T = np.full((60, 4), np.nan)
    with pytest.raises(ValueError, match="targets of X hold NaN"):
        train.train(small(), X60, T, **options(loss="squared_error"))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_standardize(dtype):
    X = RNG.normal(3, 2, size=(50, 3)).astype(dtype)
    other = RNG.normal(size=(5, 3)).astype(dtype)
    S, R = data.standardize(X, other)
    assert S.dtype == R.dtype == dtype
    np.testing.assert_allclose(S.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(S.std(axis=0), 1, rtol=1e-5)
    np.testing.assert_allclose(R * X.std(axis=0) + X.mean(axis=0), other, atol=1e-5)
    X[:, 1] = 0.1  # whose mean, rounded, is not 0.1: the deviation comes out as 1e-17, not 0
    with pytest.warns(UserWarning, match=r"1 constant columns divided by 1: \[1\]"):
        (S,) = data.standardize(X)
    assert np.abs(S[:, 1]).max() < 1e-6
    with pytest.raises(ValueError, match=r"\(B, 3\)"):
        data.standardize(X, np.zeros((2, 4)))


def test_splits_are_fixed_disjoint_and_in_proportion():
    pytest.importorskip("sklearn", reason="the digits come with scikit-learn")
    d, again = data.digits(), data.digits()
    np.testing.assert_array_equal(d.X_test, again.X_test)
    assert not np.array_equal(d.t_test, data.digits(seed=1).t_test)
    counts, total = np.bincount(d.t_test), np.bincount(np.concatenate([d.t, d.t_test]))
    assert np.abs(counts - total * 360 / 1797).max() < 1.01
    assert (d.X.min(), d.X.max()) == (0.0, 1.0)
    X = np.arange(10.0)[:, None]
    s = data.split(X, np.arange(10) % 2, 4)
    np.testing.assert_array_equal(np.sort(np.concatenate([s.X, s.X_test]), axis=0), X)
    for held_out in (0, 10):
        with pytest.raises(ValueError, match="held_out"):
            data.split(X, np.arange(10) % 2, held_out)


def test_two_moons_lie_on_their_circles():
    X, t = data.two_moons(200, noise=0.0)
    radius = np.hypot(X[:, 0] - t, X[:, 1] - 0.5 * t)
    np.testing.assert_allclose(radius, 1, rtol=1e-12)
    assert ((X[:, 1] - 0.5 * t) * (1 - 2 * t) >= 0).all()  # upper half of one, lower of the other
    assert np.bincount(t).tolist() == [100, 100]
    for bad in ({"B": 1}, {"noise": -0.1}, {"noise": math.nan}):
        with pytest.raises(ValueError, match="two_moons"):
            data.two_moons(**bad)
