"""What chapter 9 says of the frameworks is so."""

from __future__ import annotations

import numpy as np
import pytest


def test_pytorch_sums_scatters_and_counts_versions():
    torch = pytest.importorskip("torch", reason="a peer, needed only to compare with")
    g = torch.arange(24.0).reshape(2, 4, 3)
    assert torch.equal(g.sum_to_size(4, 1), g.sum(0).sum(1, keepdim=True))

    table = torch.zeros(4, 2, requires_grad=True)
    table[torch.tensor([2, 0, 2, 2])].sum().backward()
    assert table.grad[:, 0].tolist() == [1.0, 0.0, 3.0, 0.0]
    words = torch.nn.Embedding(4, 2, sparse=True)
    words(torch.tensor([2, 0])).sum().backward()
    assert words.weight.grad.is_sparse

    x = torch.ones(3, requires_grad=True)
    y = x.exp()
    z = (y * y).sum()
    y.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        z.backward()


@pytest.mark.parametrize("materialize", [True, False])
def test_pytorch_fills_the_cotangents_of_unused_outputs(materialize):
    torch = pytest.importorskip("torch", reason="a peer, needed only to compare with")
    seen = []

    class Both(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.set_materialize_grads(materialize)
            return x * 2, x * 3

        @staticmethod
        def backward(ctx, a, b):
            seen.append(b)
            return 2 * a

    Both.apply(torch.ones(2, requires_grad=True))[0].sum().backward()
    assert seen[0].tolist() == [0.0, 0.0] if materialize else seen[0] is None


@pytest.mark.filterwarnings("ignore")  # of the peer, not ours
def test_jax_transposes_linear_functions_and_forbids_writing():
    jax = pytest.importorskip("jax", reason="a peer, needed only to compare with")
    jnp = jax.numpy
    (pulled,) = jax.linear_transpose(lambda x: x[1:] - x[:-1], jnp.zeros(3))(jnp.ones(2))
    assert pulled.tolist() == [-1.0, 0.0, 1.0]
    x = jnp.zeros(3)
    with pytest.raises(TypeError):
        x[0] = 1.0
    index = jnp.array([2, 2, 0])
    assert x.at[index].add(1.0).tolist() == [1.0, 0.0, 2.0]
    old, new = jax.grad(lambda x, v: jnp.sum(x.at[0].set(v) * 5.0), (0, 1))(x, 1.0)
    assert old.tolist() == [0.0, 5.0, 5.0]
    assert new == 5.0
    assert np.array_equal(jax.grad(lambda x: jnp.sum(jnp.split(x, 2)[0]))(jnp.ones(2)), [1, 0])
