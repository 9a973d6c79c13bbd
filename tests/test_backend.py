"""Arrays of other libraries: the table of primitives, a network, and what is refused."""

import importlib
import subprocess
import sys
import warnings

import numpy as np
import pytest

from bplib import (
    backend,
    grad,
    hvp,
    jvp,
    layers,
    losses,
    nn,
    ops,
    optim,
    plan,
    store,
    value_and_grad,
    vjp,
)
from tests.ops_samples import SAMPLES

# The standard's own strict implementation is a few kilobytes and the best judge; NumPy's own
# namespace is always there; PyTorch is the library one would really plug in.
LIBRARIES = ("numpy", "array_api_strict", "torch")
UNSUPPORTED = ("cumsum", "roll", "im2col", "col2im", "einsum")
PARTLY = ("getitem", "scatter")  # numbers and slices, not arrays of positions
RNG = np.random.default_rng(41)


@pytest.fixture(params=LIBRARIES)
def library(request):
    found = pytest.importorskip(request.param, reason=f"{request.param} is not installed")
    if request.param == "numpy" and not hasattr(np, "permute_dims"):
        pytest.skip("NumPy has the standard's names since 2.0")
    backend.use(found)
    yield request.param
    backend.use(None)


def moved(tree):
    if isinstance(tree, tuple | list):
        return type(tree)([moved(t) for t in tree])
    return backend.array(tree)


def same(found, expected, tolerance=1e-12):
    if isinstance(expected, tuple | list):
        return len(found) == len(expected) and all(map(same, found, expected))
    assert type(found) is backend.Array, type(found)
    assert found.dtype == np.asarray(expected).dtype
    found = backend.to_numpy(found)
    assert found.shape == np.shape(expected)
    return np.allclose(found, expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("name", SAMPLES)
def test_every_primitive_and_its_derivatives_or_a_refusal(name, library):
    went = refused = 0
    for case in SAMPLES[name]:
        xs = tuple([np.asarray(x) for x in case.draw()])
        w = np.random.default_rng(1).normal(size=np.shape(case.f(*xs)))
        scalar = lambda *xs, case=case, w=w: (case.f(*xs) * w).sum()  # noqa: E731
        every = tuple(range(len(xs)))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected = (grad(scalar, every)(*xs), hvp(scalar, xs, xs), jvp(scalar, xs, xs)[1])
            ys = moved(xs)
            try:
                found = (grad(scalar, every)(*ys), hvp(scalar, ys, ys), jvp(scalar, ys, ys)[1])
            except (NotImplementedError, TypeError, ValueError, IndexError):
                refused += 1
                continue
        assert same(found, expected)
        went += 1
    if name in UNSUPPORTED:
        assert went == 0
    elif name in PARTLY:
        assert went >= 1
    else:
        assert refused == 0
        assert went


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("loss", losses.TABLE)
def test_a_network_is_trained(loss, dtype, library):
    output = losses.fused_activation(losses.get(loss)) or "tanh"
    nets = [nn.MLP([4, 5, 3], "layer_norm tanh", output, dtype=dtype) for _ in range(2)]
    there = nets[1]
    there.W[1:], there.b[1:] = moved(there.W[1:]), moved(there.b[1:])
    optimizers = [optim.Adam(0.01), optim.Adam(0.01)]
    tolerance = 1e-11 if dtype == np.float64 else 1e-4
    for _ in range(4):
        X = RNG.normal(size=(6, 4)).astype(dtype)
        T = losses.one_hot(RNG.integers(0, 3, 6), 3, dtype)
        g = nets[0].backprop(X, T, loss, check=False)
        h = there.backprop(backend.array(X), backend.array(T), loss, check=False)
        assert abs(float(h.J) - g.J) < 1e3 * tolerance
        first = there.parameters()[0]
        optimizers[0].step(nets[0].parameters(), g.flat())
        optimizers[1].step(there.parameters(), h.flat())
        assert there.parameters()[0] is first  # changed in place
    for p, q in zip(nets[0].parameters(), there.parameters(), strict=True):
        assert same(q, p, 100 * tolerance)


def test_the_delta_rules_and_the_graph_agree_there_too(library):
    Z, G = moved(tuple(RNG.normal(size=(2, 5, 4))))
    gain, shift = moved(tuple(RNG.normal(size=(2, 4))))
    _, pull = vjp(layers.layer_norm, Z, gain, shift)
    for ours, derived in zip(layers.layer_norm_deltas(G, Z, gain), pull(G), strict=True):
        assert same(ours, backend.to_numpy(derived))


def test_what_the_callers_array_is_stays(library):
    x = RNG.normal(size=(2, 3))
    y = backend.array(x)
    y[0] = 7.0
    y += 1
    assert x.max() < 7
    kept = backend.to_numpy(y)
    kept[:] = 0
    assert float(y[0, 0]) == 8.0
    J, g = value_and_grad(lambda v: (v * v).sum())(y)
    g *= 0
    assert float(y[0, 0]) == 8.0
    assert float(J) > 100
    view = y[1]
    view -= view
    assert float((y[1] * y[1]).sum()) == 0.0


REFUSED = {
    "NumPy by accident": (lambda x: np.asarray(x), TypeError, "backend.to_numpy"),
    "into NumPy": (lambda x: np.add(x, 1, out=np.zeros(3)), TypeError, "cannot be written into"),
    "no such function": (lambda x: np.interp(x, x, x), NotImplementedError, r"numpy\.interp"),
    "a plan": (lambda x: plan.compile(lambda v: v * 2)(x), TypeError, "plain NumPy arrays"),
    "repeats": (
        lambda x: grad(lambda v: v[np.array([0, 0])].sum())(x),
        (NotImplementedError, IndexError), None,
    ),
    "attribute": (lambda x: x.nonsense, AttributeError, "no attribute 'nonsense'"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_supported_says_so(name, library):
    call, kind, words = REFUSED[name]
    with pytest.raises(kind, match=words):
        call(backend.array([1.0, 2.0, 3.0]))


def test_weights_are_saved_from_numpy(tmp_path, library):
    net = nn.MLP([2, 3])
    net.W[1] = backend.array(net.W[1])
    with pytest.raises(TypeError, match="to_numpy"):
        store.save(tmp_path / "w", net)
    assert not list(tmp_path.iterdir())


def test_errors_of_use():
    with pytest.raises(RuntimeError, match=r"call bplib\.backend\.use"):
        backend.array([1.0])
    with pytest.raises(TypeError, match="math is no array API namespace: it has no asarray"):
        backend.use(importlib.import_module("math"))
    assert backend.Array not in ops.base.FOREIGN


def test_who_does_not_use_it_does_not_pay():
    code = (
        "import sys, bplib, bplib.train, numpy as np\n"
        "from bplib import ops\n"
        "assert 'bplib.backend' not in sys.modules\n"
        "assert ops.PRIMITIVES['tanh'].forward is np.tanh\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
