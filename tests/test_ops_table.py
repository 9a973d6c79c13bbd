"""Every primitive, both modes, both dtypes, second order: by iterating over the table."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bplib import calculus, check, ops
from bplib.graph import PICK, Node
from tests.ops_samples import SAMPLES, Case

CASES = [case for cases in SAMPLES.values() for case in cases]
IDS = [f"{name}-{i}" for name, cases in SAMPLES.items() for i in range(len(cases))]
each_case = pytest.mark.parametrize("case", CASES, ids=IDS)


def first_order(case: Case, weights: Any) -> Any:
    """The gradient map of the weighted output, to be differentiated again."""

    def gradients(*xs: Any) -> Any:
        _, pull = calculus.vjp(case.f, *xs)
        return pull(weights)

    return gradients


def total(tree: Any) -> Any:
    return sum(ops.sum(x * (1 + 0.1 * k)) for k, x in enumerate(calculus.leaves(tree)))


def plain_args(xs: list[np.ndarray]) -> list[Any]:
    return [x if x.ndim else float(x) for x in xs]


def test_every_primitive_has_samples(core_primitives: set[str]) -> None:
    assert not core_primitives - set(SAMPLES), "give them entries in ops_samples.SAMPLES"
    for name in SAMPLES:
        assert name in ops.PRIMITIVES or name == PICK.name


@pytest.fixture
def core_primitives() -> set[str]:
    """What bplib.ops itself registers, in a process where nothing else was imported."""
    import subprocess
    import sys

    code = "import bplib.ops; print(*bplib.ops.PRIMITIVES)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(run.stdout.split())


@each_case
def test_the_case_uses_its_primitive(case: Case) -> None:
    nodes = [Node(x) for x in plain_args(case.draw())]
    seen, todo = set(), [case.f(*nodes)]
    while todo:
        node = todo.pop()
        if node.op is not None:
            seen.add(node.op.name)
        todo += [x for x in node.inputs if type(x) is Node]
    assert case.name in seen


@each_case
def test_value_is_what_the_same_call_gives_on_arrays(case: Case) -> None:
    xs = plain_args(case.draw())
    y = case.f(*[Node(x) for x in xs])
    np.testing.assert_array_equal(y.data, case.f(*xs))


@each_case
def test_gradient_in_both_modes(case: Case, tally: dict[str, int]) -> None:
    verdict = check.gradient(case.f, *plain_args(case.draw()))
    assert verdict, f"{case.name}: {verdict}"
    tally["cases"] += 1
    tally["derivatives"] += verdict.entries


@pytest.mark.parametrize(
    "case",
    [c for c in CASES if c.analytic],  # the others compare, or NumPy takes no complex input
    ids=[i for c, i in zip(CASES, IDS, strict=True) if c.analytic],
)
def test_complex_step(case: Case, tally: dict[str, int]) -> None:
    xs = plain_args(case.draw())
    for i, x in enumerate(xs):
        along = lambda z, i=i: case.f(*xs[:i], z, *xs[i + 1 :])  # noqa: E731
        exact = check.complex_step(along, x)
        for mode in ("forward", "reverse"):
            got = calculus.jacobian(case.f, i, mode=mode)(*xs)
            np.testing.assert_allclose(got, exact, rtol=1e-12, atol=1e-13)
    tally["complex steps"] += 1


@each_case
def test_second_order(case: Case, tally: dict[str, int]) -> None:
    xs = plain_args(case.draw(1))
    weights = np.random.default_rng(3).uniform(0.5, 1.5, np.shape(case.f(*xs)))
    weights = weights if weights.ndim else float(weights)
    gradients = first_order(case, weights)
    verdict = check.gradient(lambda *xs: total(gradients(*xs)), *xs, rtol=3e-7)
    assert verdict, f"{case.name}: {verdict}"
    tally["second order"] += verdict.entries


@each_case
def test_adjoint(case: Case, tally: dict[str, int]) -> None:
    xs = plain_args(case.draw())
    assert check.adjoint(case.f, *xs) < 1e-12
    shape = np.shape(case.f(*xs))
    weights = np.random.default_rng(4).uniform(0.5, 1.5, shape) if shape else 1.0
    assert check.adjoint(first_order(case, weights), *xs) < 1e-11
    tally["adjoint tests"] += 2


@each_case
def test_float32_stays_float32(case: Case, tally: dict[str, int]) -> None:
    xs = case.draw()
    small = [x.astype(np.float32)[()] for x in xs]
    y, pull = calculus.vjp(case.f, *small)
    assert np.asarray(y).dtype == np.float32
    bars = pull(np.ones(np.shape(y), np.float32))
    _, pull64 = calculus.vjp(case.f, *[np.asarray(x, np.float64)[()] for x in small])
    exact = pull64(np.ones(np.shape(y)))
    pairs = zip(*[b if len(xs) > 1 else (b,) for b in (bars, exact)], strict=True)
    for got, want in pairs:
        assert np.asarray(got).dtype == np.float32
        np.testing.assert_allclose(got, want, rtol=2e-4, atol=2e-5)
    _, push = calculus.linearize(case.f, *small)
    assert np.asarray(push(*[np.ones_like(x) for x in small])).dtype == np.float32
    tally["float32 cases"] += 1


@pytest.fixture(scope="module")
def tally() -> Any:
    counts = dict.fromkeys(
        ["cases", "derivatives", "second order", "complex steps", "adjoint tests", "float32 cases"],
        0,
    )
    yield counts
    told = ", ".join(f"{n} {what}" for what, n in counts.items())
    print(f"\n{len(SAMPLES)} primitives: {told}")
