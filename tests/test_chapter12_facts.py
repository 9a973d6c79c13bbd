"""Chapter 12: its emulated formats are right, its figures honest, and what it says of peers so."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

CHAPTERS = Path(__file__).parent.parent / "chapters"


@pytest.fixture(scope="module")
def formats():
    """The chapter's own functions, taken from its print."""
    text = (CHAPTERS / "12-data-types.md").read_text(encoding="utf-8")
    (cell,) = re.findall(r"```\{code-cell\} ipython3\n(def bfloat16.*?)```", text, re.DOTALL)
    names = {"np": np}
    exec(cell, names)
    return names


def many_floats():
    rng = np.random.default_rng(0)
    bits = rng.integers(0, 2**32, 100_000, dtype=np.uint64).astype(np.uint32)
    bits[::10] = (bits[::10] & 0xFFFF0000) | 0x8000  # ties
    x = bits.view(np.float32)
    return x[np.isfinite(x)]


def test_bfloat16_is_that_of_pytorch_bit_for_bit(formats):
    torch = pytest.importorskip("torch", reason="a peer, needed only to compare with")
    x = many_floats()
    theirs = torch.from_numpy(x.copy()).to(torch.bfloat16).to(torch.float32).numpy()
    ours = formats["bfloat16"](x)
    np.testing.assert_array_equal(ours.view(np.uint32), theirs.view(np.uint32))


def test_bfloat16_is_the_nearest_of_the_two_neighbors(formats):
    x = many_floats()
    x = x[np.abs(x) < 1e38].astype(np.float64)
    ours = formats["bfloat16"](x.astype(np.float32)).astype(np.float64)
    cut = (x.astype(np.float32).view(np.uint32) & 0xFFFF0000).view(np.float32)
    beyond = (cut.view(np.uint32) + 0x10000).view(np.float32).astype(np.float64)
    nearest = np.minimum(np.abs(x - cut), np.abs(x - beyond))
    np.testing.assert_array_equal(np.abs(ours - x), nearest)


@pytest.mark.parametrize(("name", "p"), [("float16", 11), ("bfloat16", 8)])
def test_an_operation_rounded_twice_is_the_operation_rounded_once(formats, name, p):
    """Figueroa's condition, tried on numbers of the format; float64 holds the exact result."""
    fl, rng = formats[name], np.random.default_rng(1)
    a, b = fl(np.float32(rng.normal(size=(2, 100_000))))
    for exact, single in (
        (a.astype(float) + b.astype(float), a + b),
        (a.astype(float) * b.astype(float), a * b),
    ):
        m, e = np.frexp(exact)
        once = np.ldexp(np.round(np.ldexp(m, p)), e - p)  # p digits, ties to even
        normal = np.abs(exact) >= 2.0**-14
        np.testing.assert_array_equal(once[normal], fl(single)[normal])


def test_sums_draws_what_it_is_given(drawing):
    module, shown = drawing("ch12")
    sizes = [10, 100]
    errors = {name: [k * 1e-4, 1e-3] for k, name in enumerate(module.WAYS, 1)}
    assert module.sums(sizes, errors) == errors
    drawn = [list(line.get_ydata()) for line in shown[0].axes[0].get_lines()]
    assert all(values in drawn for values in errors.values())


def test_ranges_counts_what_float16_rounds_to_zero(drawing):
    module, shown = drawing("ch12")
    lost = module.ranges({"low": np.array([-30.0, -26, -25, -24]), "high": np.zeros(5)})
    assert lost == {"low": 0.75, "high": 0.0}
    heights = [patch.get_height() for patch in shown[0].axes[0].patches]
    assert sum(heights) == pytest.approx(2)


def test_pytorch_scaler_and_sum():
    torch = pytest.importorskip("torch", reason="a peer, needed only to compare with")
    scaler = torch.amp.GradScaler(device="cpu")
    assert scaler.get_scale() == 2**16
    assert (scaler.get_growth_factor(), scaler.get_backoff_factor()) == (2.0, 0.5)
    assert scaler.get_growth_interval() == 2000
    assert torch.ones(5000, dtype=torch.float16).sum() == 5000
    one = torch.tensor(2048, dtype=torch.float16)
    assert one + torch.ones((), dtype=torch.float16) == 2048


@pytest.mark.filterwarnings("ignore")  # of the peer, not ours
def test_jax_promotes_for_arrays_and_not_for_numbers():
    jax = pytest.importorskip("jax", reason="a peer, needed only to compare with")
    x = jax.numpy.ones(3, jax.numpy.float32)
    assert (0.5 * x).dtype == np.float32
