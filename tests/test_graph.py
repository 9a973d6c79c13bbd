"""The graph and its sweeps: order, depth, sharing, memory, nesting, several outputs."""

from __future__ import annotations

import gc
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bplib
from bplib import calculus, check, ops
from bplib.graph import Node, collect, pullback, pushforward


def chain(x: Any, n: int) -> Any:
    for _ in range(n // 2):
        x = ops.tanh(x * 1.01)
    return x


def test_serial_order_is_topological() -> None:
    x = Node(0.5)
    y = ops.sin(x * x) + x / 3
    order = collect([y], x.serial)
    place = {node.serial: i for i, node in enumerate(order)}
    assert [n.serial for n in order] == sorted(place)
    for node in order:
        for source in node.inputs:
            if type(source) is Node and source.op is not None:
                assert place[source.serial] < place[node.serial]


def test_low_level_sweeps_give_adjoints_of_inner_nodes() -> None:
    x = Node(np.array([1.0, 2.0]))
    z = x * 3
    y = ops.sum(z * z)
    order = collect([y], x.serial)
    x_bar, z_bar, y_bar = pullback({y: 1.0}, [x, z, y])
    np.testing.assert_array_equal(z_bar, [6.0, 12.0])
    np.testing.assert_array_equal(x_bar, [18.0, 36.0])
    assert y_bar == 1.0
    (t,) = pushforward(order, {x: np.array([1.0, 0.0])}, [y])
    assert t == 18.0


def test_nodes_older_than_the_inputs_are_pruned() -> None:
    old = Node(2.0)
    expensive = chain(old, 100)
    x = Node(3.0)
    y = x * expensive
    assert len(collect([y], x.serial)) == 1


def test_an_argument_older_than_the_inputs_gets_nothing() -> None:
    old, x = Node(np.array([2.0, 3.0])), Node(np.array([1.0, 4.0]))
    for y in (old * x, x * old, old @ x):
        seed = np.ones(np.shape(y.data))[()]
        (bar,) = pullback({y: seed}, [x])
        np.testing.assert_array_equal(bar, old.data)


@pytest.mark.parametrize("stack_kb", [256])
def test_a_chain_of_100_000_nodes_neither_recurses_nor_crashes_when_deleted(stack_kb: int) -> None:
    results: list[Any] = []

    def work() -> None:
        x = Node(0.5)
        y = chain(x, 100_000)
        results.append(pullback({y: 1.0}, [x])[0])
        watch = weakref.ref(x)
        del x, y
        results.append(watch() is None)
        results.append(bplib.jvp(lambda v: chain(v, 100_000), 0.5, 1.0)[1])

    before = threading.stack_size(stack_kb * 1024)
    try:
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    finally:
        threading.stack_size(before)
    assert len(results) == 3
    assert results[1], "the graph was not freed by reference counting"
    assert results[0] == pytest.approx(results[2], rel=1e-12)


def test_two_to_the_sixty_paths() -> None:
    def f(x: Any) -> Any:
        for _ in range(60):
            x = x + x
        return x

    assert bplib.grad(f)(1.0) == 2.0**60
    assert bplib.jvp(f, 1.0, 1.0)[1] == 2.0**60


def fan(x: Any, n: int = 10_000) -> Any:
    """Use one node n times."""
    total = x
    for _ in range(n):
        total = total + x
    return total


@pytest.mark.parametrize("x", [1.0, np.ones(16)], ids=["scalar", "array"])
def test_a_node_used_10_000_times_has_the_sum_of_its_uses(x: Any) -> None:
    grad = bplib.grad(lambda v: ops.sum(fan(v)))(x)
    np.testing.assert_array_equal(grad, np.full(np.shape(x), 10_001.0))


def test_contributions_in_place_never_write_to_someone_elses_array() -> None:
    kept = []

    def f(x: Any) -> Any:
        y = x + x + x + x
        kept.append(y)
        return y

    x = np.ones(3)
    seed = np.array([1.0, 2.0, 3.0])
    y, pull = bplib.vjp(f, x)
    np.testing.assert_array_equal(pull(seed), 4 * seed)
    np.testing.assert_array_equal(pull(seed), 4 * seed)  # twice: the same, not the sum
    np.testing.assert_array_equal(seed, [1.0, 2.0, 3.0])
    np.testing.assert_array_equal(x, np.ones(3))
    np.testing.assert_array_equal(y, np.full(3, 4.0))


def test_memory_returns_without_the_cycle_collector() -> None:
    gc.collect()
    gc.disable()
    try:
        refs = []
        for _ in range(5):
            x = np.ones(100)

            def f(v: Any) -> Any:
                refs.append(weakref.ref(v))
                a, b = ops.split(ops.exp(v), 2)
                return ops.sum(a * b)

            bplib.grad(f)(x)
            bplib.hvp(f, x, x)
        assert all(ref() is None for ref in refs)
    finally:
        gc.enable()


def test_the_collector_is_left_as_it_was() -> None:
    def fail(x: Any) -> Any:
        assert not gc.isenabled()
        raise RuntimeError("out")

    with pytest.raises(RuntimeError):
        bplib.grad(fail)(1.0)
    assert gc.isenabled()
    gc.disable()
    try:
        bplib.grad(lambda x: x * x)(1.0)
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_threads_have_independent_traces() -> None:
    wrong: list[Any] = []

    def work(seed: int) -> None:
        x = np.random.default_rng(seed).standard_normal(5)
        for _ in range(50):
            h = bplib.hessian(lambda v: ops.sum(v * v * v))(x)
            if not np.array_equal(h, np.diag(6 * x)):
                wrong.append(h)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    assert not wrong


def test_one_pullback_used_by_two_threads() -> None:
    x = np.linspace(0, 1, 50)
    _, pull = bplib.vjp(lambda v: chain(v, 200), x)
    want = pull(np.ones(50))
    with ThreadPoolExecutor(3) as pool:
        parts = pool.map(lambda _: [pull(np.ones(50)) for _ in range(20)], range(3))
        got = [g for part in parts for g in part]
    assert len(got) == 60
    assert all(np.array_equal(g, want) for g in got)


def test_several_outputs_unused_and_used_twice() -> None:
    x = np.arange(6.0)
    assert bplib.grad(lambda v: ops.sum(ops.split(v, 3)[1] ** 2))(x).tolist() == [0, 0, 4, 6, 0, 0]

    def twice(v: Any) -> Any:
        a, _, c = ops.split(v, 3)
        return ops.sum(a * c + a)

    np.testing.assert_array_equal(bplib.grad(twice)(x), [5, 6, 0, 0, 0, 1])
    assert check.gradient(twice, x)
    with pytest.warns(UserWarning, match="does not depend"):
        constant = bplib.grad(lambda m: 2.0)(np.eye(2))
    np.testing.assert_array_equal(constant, np.zeros((2, 2)))
    sign = bplib.grad(lambda m: ops.slogdet(m)[0])(np.eye(2))
    np.testing.assert_array_equal(sign, np.zeros((2, 2)))


MODES = {
    "reverse": lambda f: bplib.grad(f),
    "forward": lambda f: lambda x: bplib.jvp(f, x, 1.0)[1],
    "vjp": lambda f: lambda x: bplib.vjp(f, x)[1](1.0),
    "linearize": lambda f: lambda x: bplib.linearize(f, x)[1](1.0),
    "jacobian": lambda f: bplib.jacobian(f),
}


@pytest.mark.parametrize("outer", MODES)
@pytest.mark.parametrize("inner", MODES)
def test_perturbation_confusion(outer: str, inner: str) -> None:
    d_outer, d_inner = MODES[outer], MODES[inner]
    assert d_outer(lambda x: x * d_inner(lambda y: x + y)(1.0))(1.0) == 1.0
    assert d_outer(lambda x: x * d_inner(lambda y: x * y)(2.0))(3.0) == 6.0
    assert d_outer(lambda x: d_inner(lambda y: x * y * y)(x))(3.0) == 12.0


@pytest.mark.parametrize("outer", MODES)
@pytest.mark.parametrize("middle", MODES)
@pytest.mark.parametrize("inner", MODES)
def test_any_nesting_of_three(outer: str, middle: str, inner: str) -> None:
    f = MODES[outer](MODES[middle](MODES[inner](lambda x: ops.sin(x) * x * x)))
    x = 0.7
    want = -x * x * np.cos(x) - 6 * x * np.sin(x) + 6 * np.cos(x)
    assert f(x) == pytest.approx(want, rel=1e-12)


def test_pull_called_inside_another_transformation() -> None:
    _, pull = bplib.vjp(lambda x: x * x * x, 2.0)
    assert bplib.grad(lambda g: pull(g) * g)(3.0) == pytest.approx(72.0)


def test_transformation_state_survives_an_exception() -> None:
    with pytest.raises(ZeroDivisionError):
        bplib.grad(lambda x: x * (1 // 0))(1.0)
    y, pull = bplib.vjp(lambda x: x * x, 3.0)
    assert type(y) is float
    assert type(pull(1.0)) is float


# Random programs: reverse, forward and finite difference agree, and the count of operations

BUILD = {
    "add": lambda a, b: a + b,
    "mul": lambda a, b: a * b * 0.5,
    "div": lambda a, b: a / (2.5 + ops.sin(b)),
    "maximum-like": lambda a, b: ops.logaddexp(a, b),
    "matmul": lambda a, b: ops.tanh(a @ ops.transpose(b)) @ b,
    "sin": lambda a, b: ops.sin(a),
    "tanh": lambda a, b: ops.tanh(a),
    "softplus": lambda a, b: ops.softplus(a),
    "sum": lambda a, b: a + ops.sum(b, axis=0, keepdims=True),
    "mean": lambda a, b: a - ops.mean(b),
    "softmax": lambda a, b: ops.softmax(a) + b,
    "split": lambda a, b: ops.concatenate(ops.split(a, 3, axis=1)[::-1], axis=1) * b,
    "index": lambda a, b: a[np.array([1, 1])] + b,
    "where": lambda a, b: ops.where(np.eye(2, 3, dtype=bool), a, b),
    "transpose": lambda a, b: ops.reshape(ops.transpose(a), (2, 3)) - b,
    "einsum": lambda a, b: ops.einsum("ij,kj->ij", a, b) * 0.5,
}
programs = st.lists(
    st.tuples(st.sampled_from(sorted(BUILD)), st.integers(0, 9), st.integers(0, 9)),
    min_size=1,
    max_size=12,
)


def run(program: Any, *xs: Any) -> Any:
    values = list(xs)
    for name, i, j in program:
        values.append(BUILD[name](values[i % len(values)], values[j % len(values)]))
    return ops.sum(ops.tanh(values[-1])) + ops.sum(ops.sin(values[len(values) // 2]))


@settings(max_examples=1000, deadline=None, derandomize=True, database=None)
@given(programs, st.integers(0, 2**32 - 1))
def test_random_graphs_agree_between_the_modes_and_a_finite_difference(p: Any, seed: int) -> None:
    rng = np.random.default_rng(seed)
    xs = [rng.uniform(-1, 1, (2, 3)) for _ in range(2)]
    us = [rng.uniform(-1, 1, (2, 3)) for _ in range(2)]
    f = lambda *v: run(p, *v)  # noqa: E731
    bars = calculus.grad(f, (0, 1))(*xs)
    reverse = sum(float(np.sum(b * u)) for b, u in zip(bars, us, strict=True))
    _, forward = calculus.jvp(f, tuple(xs), tuple(us))
    size = sum(float(np.sum(np.abs(b * u))) for b, u in zip(bars, us, strict=True)) + 1
    assert abs(reverse - forward) <= 1e-12 * size
    along = lambda t: f(*[x + t * u for x, u in zip(xs, us, strict=True)])  # noqa: E731
    difference = float(check.finite_difference(along, 0.0))
    assert abs(forward - difference) <= 1e-7 * size
