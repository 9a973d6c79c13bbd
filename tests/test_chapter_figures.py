"""The chapters' static figures show the numbers they are given, in the book's look."""

from __future__ import annotations

import numpy as np
import pytest

from bplib import style
from bplib.checkpoint import fewest_steps, revolve
from bplib.figures import visual


def test_nudge_draws_the_curve_and_its_tangent(drawing):
    figures, shown = drawing("ch05")
    drawn = figures.nudge(lambda layer, z: z[1] ** 2 + z[0], 2, np.array([5.0, 1.5]), 1, 3.0)
    curve, tangent, point = shown[0].axes[0].get_lines()
    np.testing.assert_allclose(curve.get_ydata(), curve.get_xdata() ** 2 + 5)
    slopes = np.diff(tangent.get_ydata()) / np.diff(tangent.get_xdata())
    np.testing.assert_allclose(slopes, 3.0)
    assert (point.get_xdata()[0], point.get_ydata()[0]) == (1.5, 7.25)
    assert drawn["slope_from_curve"] == pytest.approx(3.0)
    assert "z_{2}^{[2]}" in shown[0].axes[0].get_xlabel()


def test_listeners_print_each_product_and_the_sum(drawing):
    figures, shown = drawing("ch05")
    drawn = figures.listeners(np.array([0.5, -1.0]), np.array([0.2, 0.3]))
    texts = " ".join(t.get_text() for t in shown[0].axes[0].texts)
    for number in ("0.1000", "−0.3000", "∂J/∂a = −0.2000"):
        assert number in texts
    assert drawn["total"] == pytest.approx(-0.2)


def test_mutants_bars_end_at_the_errors(drawing):
    figures, shown = drawing("ch05")
    errors = {"right": 1e-10, "wrong": 0.5}
    assert figures.mutants(errors) == errors
    ends = {line.get_xdata()[1] for line in shown[0].axes[0].get_lines()[:2]}
    assert ends == set(errors.values())


def test_training_panels_show_the_history(drawing):
    figures, shown = drawing("ch05")
    history = np.array([[np.nan, 0.1], [0.5, 0.8], [0.1, 0.98]])
    drawn = figures.training(history)
    left, right = shown[0].axes
    np.testing.assert_array_equal(left.get_lines()[0].get_ydata(), [0.5, 0.1])
    np.testing.assert_allclose(right.get_lines()[0].get_ydata(), [90, 20, 2])
    np.testing.assert_array_equal(drawn["accuracy"], history[:, 1])


def test_confusion_counts_every_pair_once(drawing):
    figures, shown = drawing("ch05")
    label, said = np.array([0, 1, 1, 9]), np.array([0, 1, 7, 9])
    drawn = figures.confusion(label, said, np.zeros((4, 64)))
    assert drawn["counts"].sum() == 4
    assert drawn["counts"][1, 7] == 1  # row: shown, column: said
    assert drawn["misread"].tolist() == [2]
    table, side = shown[0].axes[0], shown[0].axes[1]
    at = {t.get_position(): t.get_text() for t in table.texts}
    assert at[(7, 1)] == "1"
    assert "a 1, read as 7" in [tile.get_title() for tile in side.child_axes]


def test_shapes_draw_one_cell_a_number(drawing):
    figures, shown = drawing("ch00")
    drawn = figures.shapes(B=5, n_in=4, n_out=3)
    assert drawn["shapes"] == [(5, 4), (4, 3), (5, 3), (5, 3)]
    assert len(shown[0].axes[0].patches) == 20 + 12 + 15 + 15


def test_matrices_show_a_dot_for_each_one(drawing):
    figures, shown = drawing("ch09")
    panels = {"copy": np.vstack([np.eye(2)] * 3), "nothing": np.zeros((3, 4))}
    assert figures.matrices(panels) is panels
    for ax, M in zip(shown[0].axes, panels.values(), strict=True):
        (dots,) = [line for line in ax.lines if line.get_marker() == "o"]
        places = set(zip(*dots.get_data(), strict=True))
        assert places == {(j + 0.5, i + 0.5) for i, j in zip(*np.nonzero(M), strict=True)}


def test_tent_shows_bytes_in_units(drawing):
    figures, shown = drawing("ch11")
    drawn = figures.tent({"training": [8, 16, 24, 8], "using": [8, 16]}, 8)
    assert drawn["training"].tolist() == [1, 2, 3, 1]
    training, using = shown[0].axes[0].lines
    assert list(training.get_ydata()) == [1, 2, 3, 1]
    assert list(using.get_ydata()) == [1, 2]


@pytest.mark.parametrize(("n", "states"), [(5, 1), (12, 3), (20, 4)])
def test_the_schedule_drawn_is_the_schedule(drawing, n, states):
    figures, shown = drawing("ch11")
    drawn = figures.revolve(revolve(n, states))
    assert drawn["advanced"] == fewest_steps(n, states)
    assert drawn["swept"] == n
    assert drawn["most_kept"] <= states
    (diamonds,) = [line for line in shown[0].axes[0].lines if line.get_marker() == "D"]
    assert list(diamonds.get_ydata()) == list(range(n, 0, -1))


def test_figures_keep_the_book_size_and_the_token_colors(drawing):
    figures, shown = drawing("ch05")
    figures.mutants({"a": 1.0})
    assert tuple(shown[0].get_size_inches()) == style.SIZE
    for role, tokens in visual.ROLES.items():
        assert style.color(role) == tokens["light"]
    with pytest.raises(KeyError, match="value, gradient"):
        style.color("blue")


def luminance(color):
    rgb = np.array([int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    lin = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return lin @ [0.2126, 0.7152, 0.0722]


@pytest.mark.parametrize("color", [*map(style.color, visual.ROLES), style.TEXT, style.SECOND])
def test_text_in_a_figure_has_enough_contrast(color):
    paper, ink = luminance(style.PAPER), luminance(color)
    assert (paper + 0.05) / (ink + 0.05) >= 4.5
