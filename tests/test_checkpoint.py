"""Recomputation: the same bits, the fewest steps, the memory that was promised."""

from functools import cache

import numpy as np
import pytest

from bplib import checkpoint as ck
from bplib import custom_vjp, grad, hvp, jvp, ops, plan, value_and_grad, vjp

RNG = np.random.default_rng(3)


def layer(x, p):
    return np.tanh(x @ p)


def square(y):
    return (y * y).sum()


def chain(n, B=3, width=4):
    params = [RNG.normal(size=(width, width)) * 0.5 for _ in range(n)]
    return [layer] * n, params, RNG.normal(size=(B, width))


def through(steps, params, x):
    for f, p in zip(steps, params, strict=True):
        x = f(x, p)
    return x


def gradient(f, x, params):
    return value_and_grad(lambda x, *p: square(f(x, *p)), tuple(range(len(params) + 1)))(x, *params)


def same(a, b):
    return len(a) == len(b) and all(np.array_equal(p, q) for p, q in zip(a, b, strict=True))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("segments", [None, 1, 2, 5, 9])
def test_segments_give_the_bits_of_the_whole(segments, dtype):
    steps, params, x = chain(9)
    params, x = [p.astype(dtype) for p in params], x.astype(dtype)
    J, bars = gradient(lambda x, *p: through(steps, p, x), x, params)
    f = ck.segmented(steps, segments)
    for compute in (gradient, lambda f, x, p: plan.compile(lambda x, *p: gradient(f, x, p))(x, *p)):
        got, found = compute(f, x, params)
        assert got == J
        assert same(found, bars)


@pytest.mark.parametrize("n", [1, 2, 9, 20])
@pytest.mark.parametrize("states", [1, 2, 3, 7, 30])
def test_revolve_gives_the_bits_of_the_whole(n, states):
    steps, params, x = chain(n)
    J, bars = gradient(lambda x, *p: through(steps, p, x), x, params)
    got = ck.chain_gradient(steps, params, x, square, states)
    assert got.J == J
    assert same([got.x, *got.params], bars)
    assert got.advanced == ck.fewest_steps(n, states)


@cache
def fewest(n, states):
    """By trying every place for the next state."""
    if n == 1:
        return 0
    if states == 1:
        return n * (n - 1) // 2
    return min(m + fewest(m, states) + fewest(n - m, states - 1) for m in range(1, n))


@pytest.mark.parametrize("states", range(1, 8))
def test_revolve_is_optimal_and_keeps_its_promise(states):
    for n in range(1, 41):
        at, kept, backs, advanced, most = 0, {}, [], 0, 0
        for action, i, j in ck.revolve(n, states):
            if action == "keep":
                assert at == i
                kept = {slot: s for slot, s in kept.items() if slot < j} | {j: at}
                most = max(most, len(kept))
            elif action == "load":
                assert kept[j] == i
                at = i
            elif action == "advance":
                assert at == i < j
                at, advanced = j, advanced + j - i
            else:
                assert at == i
                backs.append(i)
        assert backs == list(range(n))[::-1]
        assert most <= states
        assert advanced == fewest(n, states) == ck.fewest_steps(n, states)


def test_chains_may_have_any_parameters():
    steps = [lambda x, p: x * p["a"] + p["b"], lambda x, p: np.sin(x), lambda x, p: x @ p[0] + p[1]]
    params = [
        {"a": RNG.normal(size=4), "b": RNG.normal(size=4)},
        np.zeros(0),
        (RNG.normal(size=(4, 2)), RNG.normal(size=2)),
    ]
    x = RNG.normal(size=(3, 4))
    got = ck.chain_gradient(steps, params, x, square, 2)
    J, (bar, found) = value_and_grad(lambda x, p: square(through(steps, p, x)), (0, 1))(x, params)
    assert got.J == J
    assert np.array_equal(got.x, bar)
    assert same([got.params[0]["a"], got.params[0]["b"]], [found[0]["a"], found[0]["b"]])
    assert same(got.params[2], found[2])
    segmented = ck.segmented(steps, 2)
    _, (bar, again) = value_and_grad(lambda x, p: square(segmented(x, *p)), (0, 1))(x, params)
    assert np.array_equal(got.x, bar)
    assert same(again[2], found[2])


def test_any_function_and_any_order():
    def f(x, y, scale=1.0):
        return ops.sin(x * y) * scale + y

    g = ck.checkpoint(f)
    x, y = RNG.normal(size=3), RNG.normal(size=3)
    assert np.array_equal(g(x, y, scale=2.0), f(x, y, scale=2.0))
    both = (0, 1)
    total = lambda h: lambda x, y: (h(x, y, scale=2.0) ** 2).sum()  # noqa: E731
    assert same(grad(total(g), both)(x, y), grad(total(f), both)(x, y))
    assert np.array_equal(grad(total(g), 1)(x, y), grad(total(f), 1)(x, y))
    for a, b in zip(jvp(total(g), (x, y), (y, x)), jvp(total(f), (x, y), (y, x)), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-14)
    for a, b in zip(hvp(total(g), (x, y), (y, x)), hvp(total(f), (x, y), (y, x)), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-13)
    assert grad(ck.checkpoint(ops.tanh))(0.5) == grad(ops.tanh)(0.5)


def test_the_same_pullback_twice_gives_the_same():
    steps, params, x = chain(4)
    _, pull = vjp(ck.segmented(steps, 2), x, *params)
    g = RNG.normal(size=(3, 4))
    first, again, other = pull(g), pull(g), pull(2 * g)
    assert same(first, again)
    assert same([2 * a for a in first], other)


def test_the_inside_is_computed_again_once():
    calls = []

    @custom_vjp(lambda g, y, x: g)
    def count(x):
        calls.append(1)
        return x.copy()

    f = ck.checkpoint(lambda x, y: count(x) * y)
    grad(lambda x, y: f(x, y).sum(), (0, 1))(np.ones(3), np.ones(3))
    assert len(calls) == 2


def test_a_traced_value_from_outside_is_refused():
    def outer(x):
        return ck.checkpoint(lambda y: y * x)(x * 2).sum()

    with pytest.raises(TypeError, match="uses a traced value that is not among its arguments"):
        grad(outer)(np.ones(3))


def test_the_plan_holds_what_the_schedule_says():
    n, width, B = 64, 16, 128
    steps, params, x = chain(n, B, width)
    peaks = {}
    for segments in (None, 2, 64):
        f = ck.segmented(steps, segments)
        report = ck.liveness(value_and_grad(lambda x: square(f(x, *params))), x)  # noqa: B023
        peaks[segments] = report.peak / x.nbytes
        assert len(report.bytes) > n
        assert max(report.bytes) == report.peak
    plain = ck.liveness(value_and_grad(lambda x: square(through(steps, params, x))), x)
    assert n <= plain.peak / x.nbytes <= n + 2
    assert peaks[None] <= 2 * n**0.5 + 2  # sqrt(n) kept, and sqrt(n) inside a segment
    assert peaks[2] <= n / 2 + 4
    assert peaks[64] >= n - 1
    table = plain.table(3)
    assert len(table.splitlines()) == 4
    assert "tanh" in table
    assert max(plain.kept, key=lambda k: k.last - k.born).maker == "tanh"
    assert ck.liveness(plan.compile(square), x).peak == x.nbytes


def peak(run, unit):
    import tracemalloc

    run()
    tracemalloc.start()
    run()
    used = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return used / unit


def test_less_memory_is_really_used():
    steps, params, x = chain(64, 512, 16)
    whole = peak(lambda: grad(lambda x: square(through(steps, params, x)))(x), x.nbytes)
    f = ck.segmented(steps)
    assert peak(lambda: grad(lambda x: square(f(x, *params)))(x), x.nbytes) < 0.5 * whole
    few = peak(lambda: ck.chain_gradient(steps, params, x, square, 3), x.nbytes)
    assert few < 0.25 * whole


def test_every_state_kept_costs_one_state_and_the_length_of_the_chain_costs_nothing():
    # Beside the s - 1 states kept (state 0 is the caller's): the state under way, the copy of it
    # that is recorded, the step's product and result, the loss's square, and what the sweep holds
    # where it passes from the loss to the step: two contributions, their sum, and two arrays of
    # the rule of tanh. That is s + 9; the tenth is small change.
    for n in (16, 64):
        steps, params, x = chain(n, 512, 16)
        for states in (1, 2, 3, 5):
            run = lambda s=states, a=(steps, params, x): ck.chain_gradient(*a, square, s)  # noqa: E731
            assert peak(run, x.nbytes) < states + 9.3, (n, states)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: ck.revolve(0, 1), "n >= 1"),
        (lambda: ck.revolve(3, 0), "states >= 1"),
        (lambda: ck.segmented([layer] * 3, 4), r"lie in 1\.\.3"),
        (lambda: ck.segmented([layer] * 3)(1.0), "3 steps need 3 parameters, got 0"),
        (lambda: ck.chain_gradient([layer], [], np.ones((1, 1)), square, 1), "1 steps need 1"),
    ],
)
def test_errors(call, words):
    with pytest.raises(ValueError, match=words):
        call()
