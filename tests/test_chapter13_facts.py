"""Chapter 13: its figure shows its counts, and what it says of PyTorch and JAX is so."""

from __future__ import annotations

import numpy as np
import pytest


def test_swell_draws_both_counts(drawing):
    module, shown = drawing("ch13")
    drawn = module.swell(range(1, 4), [6, 24, 72], [5, 13, 21])
    lines = [list(line.get_ydata()) for line in shown[0].axes[0].get_lines()]
    assert lines == [drawn["formula"], drawn["program"]] == [[6, 24, 72], [5, 13, 21]]


def test_pytorch_returns_numbers_and_with_their_history_if_asked():
    torch = pytest.importorskip("torch", reason="a peer, needed only to compare with")
    x = torch.tensor(0.8, dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(x * torch.sin(x), x)
    assert not slope.requires_grad
    (slope,) = torch.autograd.grad(x * torch.sin(x), x, create_graph=True)
    (curve,) = torch.autograd.grad(slope, x)
    assert float(curve) == pytest.approx(2 * np.cos(0.8) - 0.8 * np.sin(0.8))


@pytest.mark.filterwarnings("ignore")  # of the peer, not ours
def test_jax_prints_the_derived_program_and_refuses_a_branch_on_a_value():
    jax = pytest.importorskip("jax", reason="a peer, needed only to compare with")
    jnp = jax.numpy
    program = str(jax.make_jaxpr(jax.grad(lambda x: x * jnp.sin(x)))(0.8))
    assert "sin" in program
    assert "cos" in program

    def bent(x):
        return x * x if x > 0 else -x

    assert jax.grad(bent)(0.4) == pytest.approx(0.8)
    with pytest.raises(jax.errors.TracerBoolConversionError):
        jax.jit(jax.grad(bent))(0.4)
    assert jax.jit(jax.grad(lambda x: jnp.where(x > 0, x * x, -x)))(0.4) == pytest.approx(0.8)
