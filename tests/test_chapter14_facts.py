"""What chapter 14 says of frameworks is so, and its figures show the numbers they are given."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

import bplib
from bplib import ops

CHAPTERS = Path(__file__).parent.parent / "chapters"
RNG = np.random.default_rng(14)
X, T = RNG.normal(size=(6, 3)), RNG.normal(size=(6, 2))
W, V = ([RNG.normal(size=s) for s in ((3, 4), (4, 2))] for _ in range(2))


def test_spectra_draw_every_eigenvalue_and_mark_those_below_zero(drawing):
    figures, shown = drawing("ch14")
    H = np.diag([3.0, -1.0, 0.5])
    drawn = figures.spectra({"first": H, "second": np.eye(3)})
    np.testing.assert_allclose(drawn["first"], [-1, 0.5, 3])
    left = shown[0].axes[0].get_lines()
    points = {tuple(p) for line in left[1:] for p in line.get_xydata()}
    assert points == {(1, -1), (2, 0.5), (3, 3)}
    hollow = [line for line in left if line.get_markerfacecolor() != line.get_color()]
    assert [tuple(p) for line in hollow for p in line.get_xydata()] == [(1, -1)]


def test_race_draws_both_histories(drawing):
    figures, shown = drawing("ch14")
    slow = np.array([[k, 0.9**k] for k in range(1, 30)])
    fast = np.array([[1, 1.0], [9, 1e-3], [20, 1e-9]])
    figures.race({"slow": slow, "fast": fast})
    lines = shown[0].axes[0].get_lines()
    np.testing.assert_array_equal(lines[0].get_xydata(), slow)
    np.testing.assert_array_equal(lines[1].get_xydata(), fast)


def test_the_timeline_and_its_page_name_the_same_works(drawing):
    figures, shown = drawing("history")
    drawn = figures.timeline()
    texts = {t.get_text() for t in shown[0].axes[0].texts}
    page = (CHAPTERS / "b-history.md").read_text(encoding="utf-8")
    for year, who, role in drawn:
        assert f"{year} {who}" in texts
        assert role in figures.LANES
        for name in re.split(r"[,;:]\s*", who.split(":")[0]):
            bare = re.escape(name.split(" et ")[0])
            found = [m.start() for m in re.finditer(bare, page, re.IGNORECASE)]
            assert any(str(year) in page[max(0, at - 250) : at + 250] for at in found), (year, name)


def loss(tanh, total):
    def J(W):
        A = X
        for M in W:
            A = tanh(A @ M)
        return total((A - T) ** 2) / (2 * len(T))

    return J


OURS = bplib.hvp(loss(ops.tanh, ops.sum), W, V)


@pytest.mark.filterwarnings("ignore")  # of the peer, not ours
def test_pytorch_gives_the_same_products_in_both_orders():
    torch = pytest.importorskip("torch", reason="a peer, needed only to compare with")
    at = [torch.tensor(M, requires_grad=True) for M in W]
    along = [torch.tensor(M) for M in V]
    data, target = torch.tensor(X), torch.tensor(T)

    def J(first, second):
        A = torch.tanh(torch.tanh(data @ first) @ second)
        return ((A - target) ** 2).sum() / (2 * len(T))

    g = torch.autograd.grad(J(*at), at, create_graph=True)
    inner = sum((a * b).sum() for a, b in zip(g, along, strict=True))
    reverse = torch.autograd.grad(inner, at)
    _, forward = torch.func.jvp(torch.func.grad(J, (0, 1)), tuple(at), tuple(along))
    for ours, a, b in zip(OURS, reverse, forward, strict=True):
        np.testing.assert_allclose(ours, a.detach().numpy(), rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(ours, b.detach().numpy(), rtol=1e-12, atol=1e-14)


@pytest.mark.filterwarnings("ignore")  # of the peer, not ours
def test_jax_gives_the_same_products_and_does_not_confuse_perturbations():
    jax = pytest.importorskip("jax", reason="a peer, needed only to compare with")
    jax.config.update("jax_enable_x64", True)
    J = loss(jax.numpy.tanh, lambda x: x.sum())
    theirs = jax.jvp(jax.grad(J), (W,), (V,))[1]
    for ours, other in zip(OURS, theirs, strict=True):
        np.testing.assert_allclose(ours, np.asarray(other), rtol=1e-12, atol=1e-14)
    nested = jax.grad(lambda x: x * jax.grad(lambda y: x + y)(1.0))
    assert float(nested(0.3)) == 1.0


@pytest.mark.parametrize(
    "inner", [lambda f, y: bplib.grad(f)(y), lambda f, y: bplib.jvp(f, y, 1.0)[1]]
)
@pytest.mark.parametrize(
    "outer", [lambda f, x: bplib.grad(f)(x), lambda f, x: bplib.jvp(f, x, 1.0)[1]]
)
def test_an_inner_derivative_takes_the_outer_variable_for_a_constant(inner, outer):
    assert outer(lambda x: x * inner(lambda y: x + y, 1.0), 0.3) == 1.0
    assert outer(lambda x: x * inner(lambda y: x * y, 2.0), 3.0) == 6.0
