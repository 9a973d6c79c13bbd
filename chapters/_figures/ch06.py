"""The figures of chapter 6. Each function draws and returns the numbers it has drawn."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from bplib import style


def jacobians(matrices: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Draw matrices as Hinton diagrams: area is size, filled is positive, hollow is negative."""
    from matplotlib.patches import Rectangle

    edge = style.color("local")
    with style.axes(len(matrices), size=(7.2, 2.9)) as panels:
        for ax, (name, M) in zip(panels, matrices.items(), strict=True):
            n = len(M)
            largest = np.abs(M).max()
            for (k, j), value in np.ndenumerate(M):
                side = 0.9 * np.sqrt(abs(value) / largest)
                if side < 0.02:
                    ax.plot([j], [k], ".", ms=2, color=style.SECOND)
                    continue
                ax.add_patch(
                    Rectangle(
                        (j - side / 2, k - side / 2),
                        side,
                        side,
                        facecolor=edge if value > 0 else style.PAPER,
                        edgecolor=edge,
                        linewidth=1.4,
                    )
                )
            ax.set(
                xlim=(-0.6, n - 0.4),
                ylim=(n - 0.4, -0.6),
                xticks=range(n),
                yticks=range(n),
                xticklabels=range(1, n + 1),
                yticklabels=range(1, n + 1),
                xlabel="input $z_j$",
                title=name,
                aspect="equal",
            )
            ax.grid(visible=False)
        panels[0].set_ylabel("output $a_k$")
    return {name: M.copy() for name, M in matrices.items()}


def half_learning(
    right: np.ndarray, half: np.ndarray, deep_right: np.ndarray, deep_half: np.ndarray
) -> dict[str, np.ndarray]:
    """Draw held-out accuracy against the epoch, without and with a hidden layer."""
    pairs = (("no hidden layer", right, half), ("one hidden layer", deep_right, deep_half))
    with style.axes(2, sharey=True) as panels:
        for ax, (title, good, bad) in zip(panels, pairs, strict=True):
            epochs = np.arange(len(good))
            ax.plot(epochs, 100 * good, **{**style.line("value"), "markevery": 4})
            ax.plot(epochs, 100 * bad, **{**style.line("gradient"), "markevery": 4})
            style.label(
                ax, 6, 100 * good[6], "p − t", "value", xytext=(0, 11), ha="center", va="bottom"
            )
            below = bad[6:].max() < 0.7
            style.label(
                ax,
                6,
                100 * (bad[6:].max() if below else bad[6]),
                "diagonal only",
                "gradient",
                xytext=(0, 10 if below else -12),
                ha="left",
            )
            ax.axhline(10, color=style.SECOND, lw=1, ls=(0, (3, 3)))
            ax.set(title=title, xlabel="epoch", ylim=(0, 112), yticks=range(0, 101, 20))
        style.label(panels[1], 20, 10, "guessing", xytext=(0, -8), ha="right")
        panels[0].set_ylabel("held-out digits read, %")
    return {"right": right, "half": half, "deep_right": deep_right, "deep_half": deep_half}


def saturation(softmax: Callable[[np.ndarray], np.ndarray]) -> dict[str, np.ndarray]:
    """Draw the error signal of the right class against its own logit, for two losses."""
    grid = np.linspace(-8, 6, 141)
    t = np.array([1.0, 0.0, 0.0])
    signals: dict[str, list[float]] = {"cross_entropy": [], "squared_error": []}
    for z in grid:
        p = softmax(np.array([z, 0.0, 0.0]))
        r = p - t
        signals["cross_entropy"].append(r[0])
        signals["squared_error"].append(p[0] * (r[0] - r @ p))
    drawn = {name: np.array(values) for name, values in signals.items()}
    with style.axes() as ax:
        ax.plot(grid, drawn["cross_entropy"], **{**style.line("value"), "markevery": 20})
        ax.plot(grid, drawn["squared_error"], **{**style.line("gradient"), "markevery": 20})
        style.label(ax, -0.5, -0.87, "cross-entropy", "value")
        style.label(ax, -5.6, -0.08, "squared error", "gradient")
        ax.axhline(0, color=style.SECOND, lw=1, ls="solid")
        ax.set(
            xlabel="logit of the right class (the two others are 0)",
            ylabel=r"error signal $\delta$ of the right class",
            title="Which loss hears a bad mistake?",
            ylim=(-1.08, 0.12),
        )
    return {"z": grid, **drawn}
