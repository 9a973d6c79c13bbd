"""What chapter 10 says of the frameworks' conventions is so."""

from __future__ import annotations

import numpy as np
import pytest


def test_pytorch_conventions_at_kinks_and_ties():
    torch = pytest.importorskip("torch", reason="a peer, needed only to compare with")

    def grad(f, *at):
        xs = [torch.tensor(a, dtype=torch.float64, requires_grad=True) for a in at]
        f(*xs).sum().backward()
        return [x.grad.tolist() for x in xs]

    assert grad(torch.relu, 0.0) == [0.0]
    assert grad(torch.abs, 0.0) == [0.0]
    assert grad(lambda x: torch.relu(x) - torch.relu(-x), 0.0) == [0.0]
    assert grad(torch.maximum, 2.0, 2.0) == [0.5, 0.5]
    assert grad(torch.amax, [1.0, 3.0, 3.0]) == [[0.0, 0.5, 0.5]]
    (one_winner,) = grad(lambda x: x.max(dim=0).values, [1.0, 3.0, 3.0])
    assert sorted(one_winner) == [0.0, 0.0, 1.0]
    (behind_where,) = grad(lambda x: torch.where(x > 0, torch.sqrt(x), 0.0), [1.0, 0.0])
    assert behind_where[0] == 0.5
    assert np.isnan(behind_where[1])


@pytest.mark.filterwarnings("ignore")  # of the peer, not ours
def test_jax_has_two_conventions_for_one_function():
    jax = pytest.importorskip("jax", reason="a peer, needed only to compare with")
    jnp = jax.numpy
    assert jax.grad(jax.nn.relu)(0.0) == 0.0
    assert jax.grad(lambda x: jnp.maximum(x, 0.0))(0.0) == 0.5
    assert jax.grad(lambda x: jax.nn.relu(x) - jax.nn.relu(-x))(0.0) == 0.0
    assert jax.grad(lambda a, b: jnp.maximum(a, b), (0, 1))(2.0, 2.0) == (0.5, 0.5)
    assert np.isnan(jax.grad(lambda x: jnp.where(x > 0, jnp.sqrt(x), 0.0))(0.0))
