"""What chapter 5 says of frameworks, and of the program in its exercise, is so."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from bplib import losses
from bplib.nn import MLP

CHAPTER = Path(__file__).parent.parent / "chapters" / "05-error-signal.md"


def printed_lines():
    text = CHAPTER.read_text(encoding="utf-8")
    return dict(re.findall(r"^\| ([A-E]) \| `( *.+?)` \|$", text, re.M))


def run_slip(lines):
    rng = np.random.default_rng(3)
    net = MLP([4, 4, 4], "tanh", "tanh", seed=1)
    X, T = rng.normal(size=(4, 4)), rng.normal(size=(4, 4))
    forward = net.forward(X)
    names = {
        "A": forward.A, "Z": forward.Z, "W": net.W, "T": T, "L": 2, "len": len, "range": range,
        "dphi": [None, *[lambda z: 1 - np.tanh(z) ** 2] * 2], "dW": [None] * 3, "db": [None] * 3,
    }  # fmt: skip
    body = "\n".join(lines[k] if k in "AB" else "    " + lines[k].strip() for k in "ABCDE")
    exec(body, names)
    true = net.backprop(X, T, losses.squared_error)
    right = [
        all(np.allclose(names[kind][k], getattr(true, kind[1])[k]) for k in (1, 2))
        for kind in ("dW", "db")
    ]
    return dict(zip(("dW", "db"), right, strict=True))


def test_the_slip_in_the_exercise_is_line_d_and_nothing_else():
    lines = printed_lines()
    assert sorted(lines) == list("ABCDE")
    assert run_slip(lines) == {"dW": True, "db": False}
    lines["D"] = lines["D"].replace("mean", "sum")
    assert run_slip(lines) == {"dW": True, "db": True}


def network():
    rng = np.random.default_rng(0)
    W = [rng.normal(size=s) for s in ((3, 4), (4, 3), (3, 2))]
    b = [rng.normal(size=n) for n in (4, 3, 2)]
    return W, b, rng.normal(size=(5, 3)), rng.normal(size=(5, 2))


def ours(W, b, X, T):
    net = MLP([3, 4, 3, 2], "tanh", "tanh")
    net.load_parameters([p for pair in zip(W, b, strict=True) for p in pair])
    return net.backprop(X, T, losses.squared_error)


def test_pytorch_stores_the_transpose_and_the_error_signal_on_request():
    torch = pytest.importorskip("torch", reason="a peer, needed only to compare with")
    W, b, X, T = network()
    layers = [torch.nn.Linear(*w.shape, dtype=torch.float64) for w in W]
    with torch.no_grad():
        for layer, w, v in zip(layers, W, b, strict=True):
            assert tuple(layer.weight.shape) == w.shape[::-1]  # out x in
            layer.weight.copy_(torch.tensor(w.T))
            layer.bias.copy_(torch.tensor(v))
    A, Zs = torch.tensor(X), []
    for layer in layers:
        Zs.append(layer(A))
        Zs[-1].retain_grad()
        A = torch.tanh(Zs[-1])
    (0.5 * ((A - torch.tensor(T)) ** 2).sum() / 5).backward()
    true = ours(W, b, X, T)
    for k, layer in enumerate(layers, 1):
        assert np.abs(layer.weight.grad.numpy().T - true.W[k]).max() < 1e-15
        assert np.abs(layer.bias.grad.numpy() - true.b[k]).max() < 1e-15
        assert np.abs(Zs[k - 1].grad.numpy() - true.Delta[k]).max() < 1e-15
    first = layers[0].weight.grad.clone()
    (0.5 * ((torch.tanh(layers[0](torch.tensor(X)))) ** 2).sum()).backward()
    assert not torch.equal(layers[0].weight.grad, first)  # backward adds


def test_pytorch_mean_squared_error_has_no_half_and_a_mean_over_all_entries():
    torch = pytest.importorskip("torch", reason="a peer, needed only to compare with")
    A, T = np.random.default_rng(1).normal(size=(2, 5, 3))
    J = torch.nn.MSELoss()(torch.tensor(A), torch.tensor(T)).item()
    assert J == pytest.approx(((A - T) ** 2).sum() / A.size)


@pytest.mark.filterwarnings("ignore")  # of the peer, not ours
def test_jax_gradients_have_the_structure_of_the_parameters():
    jax = pytest.importorskip("jax", reason="a peer, needed only to compare with")
    jax.config.update("jax_enable_x64", True)
    W, b, X, T = network()

    def loss(params):
        A = X
        for w, v in params:
            A = jax.numpy.tanh(A @ w + v)
        return 0.5 * ((A - T) ** 2).sum() / len(X)

    gradients = jax.grad(loss)(list(zip(W, b, strict=True)))
    true = ours(W, b, X, T)
    for k, (dw, db) in enumerate(gradients, 1):
        assert dw.shape == W[k - 1].shape
        assert np.abs(np.asarray(dw) - true.W[k]).max() < 1e-15
        assert np.abs(np.asarray(db) - true.b[k]).max() < 1e-15
