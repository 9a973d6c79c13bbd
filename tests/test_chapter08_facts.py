"""What chapter 8 says of frameworks is so, and its figures show the numbers they are given."""

from __future__ import annotations

import numpy as np
import pytest

AT = np.array([0.5, -1.0, 2.0])


def test_panels_show_the_histories_and_name_no_rule(drawing):
    figures, shown = drawing("ch08")
    runs = {"A": np.array([1.0, 0.5]), "B": np.array([1.0, 0.25])}
    drawn = figures.anonymous(runs)
    for ax, (name, history) in zip(shown[0].axes, runs.items(), strict=True):
        np.testing.assert_array_equal(ax.get_lines()[0].get_ydata(), history)
        # Left-aligned titles, as in all figures of the book.
        assert name in (ax.get_title(), ax.get_title(loc="left"))
        np.testing.assert_array_equal(drawn[name], history)


def test_fates_draw_every_claim_over_the_step(drawing):
    figures, shown = drawing("ch08")
    steps = np.array([1e-6, 1e-4, 1e-2])
    errors = {name: np.array([1e-9, 1e-6, 1e-3]) * k for k, name in enumerate(figures.FATES, 1)}
    figures.fates(steps, errors)
    lines = shown[0].axes[0].get_lines()
    for line, values in zip(lines, errors.values(), strict=True):
        np.testing.assert_array_equal(line.get_xdata(), steps)
        np.testing.assert_array_equal(line.get_ydata(), values)


def test_the_table_marks_alarms_only(drawing):
    figures, shown = drawing("ch08")
    table = {"right": {"one": False, "two": False}, "slip": {"one": False, "two": True}}
    assert figures.noticed(table) == {"one": 0, "two": 1}
    alarms = [line for line in shown[0].axes[0].get_lines() if line.get_marker() == "s"]
    assert [(line.get_xdata()[0], line.get_ydata()[0]) for line in alarms] == [(1, 1)]


def test_pytorch_accepts_a_thousandth_by_default_and_refuses_it_when_asked():
    torch = pytest.importorskip("torch", reason="a peer, needed only to compare with")

    class Cube(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return 1.001 * g * 3 * x**2

    gradcheck = torch.autograd.gradcheck
    x = torch.tensor(AT, requires_grad=True)
    assert gradcheck(Cube.apply, x)
    assert not gradcheck(Cube.apply, x, rtol=1e-6, raise_exception=False)
    assert gradcheck(lambda x: x**3, x, rtol=1e-6)
    single = torch.tensor(AT.astype(np.float32), requires_grad=True)
    with pytest.warns(UserWarning, match="double precision"):
        assert not gradcheck(lambda x: x**3, single, raise_exception=False)


@pytest.mark.filterwarnings("ignore")  # of the peer, not ours
@pytest.mark.parametrize("mode", ["fwd", "rev"])
def test_jax_notices_a_rule_that_both_modes_share(mode):
    jax = pytest.importorskip("jax", reason="a peer, needed only to compare with")
    jax.config.update("jax_enable_x64", True)
    from jax.test_util import check_grads

    def cube(factor):
        f = jax.custom_jvp(lambda x: x**3)
        f.defjvp(lambda p, t: (p[0] ** 3, factor * 3 * p[0] ** 2 * t[0]))
        return f

    x = (jax.numpy.array(AT),)
    check_grads(cube(1.0), x, 1, modes=(mode,))
    with pytest.raises(AssertionError):
        check_grads(cube(1.001), x, 1, modes=(mode,))
