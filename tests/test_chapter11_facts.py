"""What chapter 11 says of the frameworks is so."""

from __future__ import annotations

import inspect

import pytest


def test_pytorch_frees_what_was_swept_and_recomputes_the_same_bits():
    torch = pytest.importorskip("torch", reason="a peer, needed only to compare with")
    import torch.utils.checkpoint as cp

    x = torch.linspace(-1, 1, 5, requires_grad=True)
    y = x.exp().sum()
    y.backward()
    with pytest.raises(RuntimeError, match="second time"):
        y.backward()

    torch.manual_seed(0)
    layer = torch.nn.Sequential(torch.nn.Linear(5, 5), torch.nn.Tanh(), torch.nn.Dropout(0.5))

    def gradient(run):
        torch.manual_seed(1)
        x.grad = None
        run(x).sum().backward()
        return x.grad.clone()

    plain = gradient(layer)
    again = gradient(lambda x: cp.checkpoint(layer, x, use_reentrant=False))
    assert torch.equal(plain, again)
    parameters = inspect.signature(cp.checkpoint).parameters
    options = inspect.signature(cp.checkpoint_sequential).parameters
    assert "use_reentrant" in parameters
    assert [*options][:3] == ["functions", "segments", "input"]
    with torch.no_grad():
        assert layer(x).grad_fn is None


@pytest.mark.filterwarnings("ignore")  # of the peer, not ours
def test_jax_recomputes_under_two_names_and_policies():
    jax = pytest.importorskip("jax", reason="a peer, needed only to compare with")
    jnp = jax.numpy
    f = lambda x: jnp.sum(jnp.sin(jnp.tanh(x)))  # noqa: E731
    x = jnp.linspace(-1.0, 1.0, 5)
    plain = jax.grad(f)(x)
    for transform in (jax.checkpoint, jax.remat):
        assert bool(jnp.allclose(jax.grad(transform(f))(x), plain))
    assert callable(jax.checkpoint_policies.dots_saveable)
