"""PyTorch's numbers: bplib's are the same, and the file still says what PyTorch says."""

import importlib.util

import numpy as np
import pytest

from bplib import layers, losses, optim
from tests import peers


@pytest.mark.parametrize("name", losses.TABLE)
def test_losses(name):
    value, gradient = peers.stored(name)
    J, Delta = losses.TABLE[name](*peers.loss_case(name))
    assert pytest.approx(value, rel=1e-13) == J
    np.testing.assert_allclose(Delta, gradient, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("name", peers.OPTIMIZERS)
def test_optimizers(name):
    p, optimizer = peers.start(), getattr(optim, name)(peers.LR)
    for _ in range(peers.STEPS):
        optimizer.step([p], [np.sin(p)])
    np.testing.assert_allclose(p, peers.stored(name), rtol=1e-12)
    slower = peers.start()
    optimizer = getattr(optim, name)(1.001 * peers.LR)
    for _ in range(peers.STEPS):
        optimizer.step([slower], [np.sin(slower)])
    assert not np.allclose(slower, peers.stored(name), rtol=1e-6)


@pytest.mark.parametrize("name", peers.NORMS)
def test_normalization(name):
    Z, gain, shift, G = peers.norm_case()
    found = [getattr(layers, name)(Z, gain, shift)]
    found += getattr(layers, f"{name}_deltas")(G, Z, gain)
    for ours, theirs in zip(found, peers.stored(name), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-11, atol=1e-13)


def test_the_file_is_what_pytorch_says():
    """Without PyTorch there is nothing to compare with, and the file is still complete."""
    names = {*peers.LOSSES, *peers.OPTIMIZERS, *peers.NORMS}
    assert all(np.size(peers.stored(name)[-1]) for name in names)
    if importlib.util.find_spec("torch") is None:
        return
    for name, live in peers.ask():
        for a, b in zip(peers.stored(name), live, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-15, err_msg=name)
