"""The figures of chapter 5. Each function draws and returns the numbers it has drawn."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from bplib import style


def nudge(loss_from: Callable, layer: int, z: np.ndarray, unit: int, slope: float) -> dict:
    """Draw the loss against one preactivation, with the tangent at where the network stands."""
    grid = z[unit] + np.linspace(-3, 3, 121)

    def at(v: float) -> float:
        moved = z.copy()
        moved[unit] = v
        return float(loss_from(layer, moved))

    curve = np.array([at(v) for v in grid])
    here = at(z[unit])
    near = grid[np.abs(grid - z[unit]) < 1.2]
    with style.axes() as ax:
        ax.plot(grid, curve, **{**style.line("value"), "marker": ""})
        ax.plot(near, here + slope * (near - z[unit]), **{**style.line("gradient"), "marker": ""})
        ax.plot([z[unit]], [here], "o", color=style.color("value"), ms=7)
        style.label(ax, grid[0], curve[0], "J, recomputed for every z", "value", xytext=(8, 14))
        style.label(
            ax, near[-1], here + slope * (near[-1] - z[unit]), f"slope {slope:.3g}", "gradient"
        )
        ax.set(
            xlabel=rf"preactivation $z_{{{unit + 1}}}^{{[{layer}]}}$",
            ylabel="loss J",
            title="How does the loss answer to one preactivation?",
        )
        ax.margins(x=0.08, y=0.15)
    i = np.argmin(np.abs(grid - z[unit]))
    measured = (curve[i + 1] - curve[i - 1]) / (grid[i + 1] - grid[i - 1])
    return {"grid": grid, "loss": curve, "slope_from_curve": measured}


def listeners(weights: np.ndarray, delta: np.ndarray) -> dict:
    """Draw one unit, its listeners and the contribution of each to dJ/da."""
    contribution = weights * delta
    n = len(weights)
    heights = np.linspace(1, -1, n)
    with style.axes() as ax:
        ax.set(xlim=(-0.35, 4.4), ylim=(-1.9, 1.75), title="Who listens to this unit?")
        ax.set_axis_off()
        for k, y in enumerate(heights):
            strength = 0.8 + 2.8 * abs(contribution[k]) / np.abs(contribution).max()
            ax.plot(
                [0.22, 1.78],
                [0, y],
                color=style.color("parameter"),
                lw=strength,
                ls="solid",
                marker="",
                zorder=1,
            )
            ax.text(
                1.0,
                y / 2,
                f"W = {weights[k]:.3f}".replace("-", "−"),
                ha="center",
                va="center",
                fontsize=10,
                color=style.color("parameter"),
                bbox={"fc": style.PAPER, "ec": "none", "pad": 1.5},
            )
            ax.text(
                2.0,
                y,
                rf"$z_{k + 1}$",
                ha="center",
                va="center",
                fontsize=13,
                color=style.color("value"),
                bbox={
                    "boxstyle": "circle,pad=0.25",
                    "fc": style.TINTS["value"],
                    "ec": style.color("value"),
                },
            )
            ax.text(
                2.3,
                y,
                f"δ = {delta[k]:.3f}".replace("-", "−"),
                va="center",
                color=style.color("gradient"),
            )
            ax.text(
                4.3,
                y,
                f"W δ = {contribution[k]:.4f}".replace("-", "−"),
                va="center",
                ha="right",
                color=style.color("gradient"),
            )
        ax.text(
            0,
            0,
            "a",
            ha="center",
            va="center",
            fontsize=14,
            style="italic",
            color=style.color("value"),
            bbox={
                "boxstyle": "circle,pad=0.35",
                "fc": style.TINTS["value"],
                "ec": style.color("value"),
            },
        )
        ax.plot([3.3, 4.3], [-1.35, -1.35], color=style.SECOND, lw=0.8, ls="solid", marker="")
        ax.text(
            4.3,
            -1.62,
            f"∂J/∂a = {contribution.sum():.4f}".replace("-", "−"),
            va="center",
            ha="right",
            fontweight="bold",
            color=style.color("gradient"),
        )
    return {"contributions": contribution, "total": contribution.sum()}


def mutants(errors: dict[str, float]) -> dict[str, float]:
    """Draw the relative error that a gradient check reports for each version, on a log scale."""
    names = list(errors)[::-1]
    with style.axes() as ax:
        for y, name in enumerate(names):
            role = "local" if errors[name] < 1e-6 else "gradient"
            ax.plot(
                [1e-12, errors[name]],
                [y, y],
                color=style.color(role),
                lw=5,
                solid_capstyle="butt",
                marker="",
                ls="solid" if role == "local" else (0, (1.2, 0.35)),
            )
            style.label(ax, errors[name], y, name, role)
        ax.axvline(1e-6, color=style.SECOND, lw=1, ls=(0, (3, 3)))
        ax.set_xscale("log")
        ax.set(
            xlim=(1e-12, 1e3),
            yticks=[],
            xlabel="relative error against a central difference",
            title="Which slips does a gradient check notice?",
        )
        ax.set_xticks([1e-12, 1e-9, 1e-6, 1e-3, 1])
        ax.spines["left"].set_visible(False)
        ax.grid(axis="y", visible=False)
    return dict(errors)


def training(history: np.ndarray) -> dict[str, np.ndarray]:
    """Draw training loss and held-out errors; column 0 is the loss, column 1 the accuracy."""
    epochs = np.arange(len(history))
    misread = 100 * (1 - history[:, 1])
    look = {**style.line("value"), "markevery": 5}
    with style.axes(2) as (left, right):
        left.plot(epochs[1:], history[1:, 0], **look)
        left.set_yscale("log")
        left.set(xlabel="epoch", title="training loss J")
        right.plot(epochs, misread, **look)
        right.set_yscale("log")
        right.axhline(3, color=style.SECOND, lw=1, ls=(0, (3, 3)))
        style.label(right, 0, 3, "3 %", xytext=(0, -9))
        style.label(right, 0, misread[0], f"{misread[0]:.0f} % before training", "value")
        style.label(
            right,
            epochs[-1],
            misread[-1],
            f"{misread[-1]:.1f} %",
            "value",
            ha="right",
            xytext=(0, -10),
        )
        right.set(xlabel="epoch", title="held-out digits misread, %", ylim=(0.7, 130))
        right.set_yticks([1, 3, 10, 30, 100], ["1", "3", "10", "30", "100"])
        right.minorticks_off()
    return {"loss": history[1:, 0].copy(), "accuracy": history[:, 1].copy()}


def confusion(shown: np.ndarray, said: np.ndarray, images: np.ndarray) -> dict[str, np.ndarray]:
    """Draw the table of counts (rows: shown, columns: said) and up to six misread images."""
    counts = np.zeros((10, 10), int)
    np.add.at(counts, (shown, said), 1)
    misread = np.flatnonzero(shown != said)
    with style.axes(2, size=(7.2, 4.0), width_ratios=[4.2, 3]) as (ax, side):
        for i, j in np.argwhere(counts):
            role = "value" if i == j else "gradient"
            ax.add_patch(_square(j, i, style.TINTS[role]))
            ax.text(
                j,
                i,
                str(counts[i, j]),
                ha="center",
                va="center",
                fontsize=10,
                color=style.color(role),
                fontweight="normal" if i == j else "bold",
            )
        ax.set(
            xlim=(-0.5, 9.5),
            ylim=(9.5, -0.5),
            xticks=range(10),
            yticks=range(10),
            xlabel="the network says",
            ylabel="the image shows",
            title="What is taken for what?",
            aspect="equal",
        )
        ax.grid(visible=False)
        side.set_axis_off()
        side.set(xlim=(0, 2), ylim=(3, 0))
        for place, s in enumerate(misread[:6]):
            row, column = divmod(place, 2)
            tile = side.inset_axes([column / 2 + 0.06, 0.99 - (row + 0.96) / 3, 0.36, 0.76 / 3])
            tile.imshow(images[s].reshape(8, 8), cmap="gray_r")
            tile.set(xticks=[], yticks=[])
            tile.grid(visible=False)
            tile.spines[:].set_visible(False)
            tile.set_title(
                f"a {shown[s]}, read as {said[s]}",
                fontsize=9.5,
                fontweight="normal",
                loc="center",
                pad=3,
            )
    return {"counts": counts, "misread": misread}


def _square(x: float, y: float, fill: str):
    from matplotlib.patches import Rectangle

    return Rectangle((x - 0.47, y - 0.47), 0.94, 0.94, facecolor=fill, edgecolor="none")
