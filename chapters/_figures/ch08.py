"""The figures of chapter 8. Each function draws and returns the numbers it has drawn."""

from __future__ import annotations

import numpy as np

from bplib import style


def anonymous(histories: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Draw one panel a training run, named by a letter only, on common axes."""
    names = list(histories)
    top = max(float(h.max()) for h in histories.values())
    with style.axes(len(names), sharey=True) as panels:
        for ax, name in zip(panels, names, strict=True):
            history = histories[name]
            ax.plot(history, **{**style.line("value"), "marker": ""})
            ax.set(title=name, ylim=(0, 1.05 * top), xticks=[0, len(history) - 1])
            ax.set_xlabel("step")
            ax.text(
                0.97,
                0.6,
                f"ends at\n{history[-1]:.3f}",
                transform=ax.transAxes,
                ha="right",
                color=style.color("value"),
            )
        panels[0].set_ylabel("training loss J")
    return {name: np.asarray(h) for name, h in histories.items()}


FATES = {
    "right formula": ("value", "-"),
    "0.1 % too large": ("gradient", (0, (5, 3.5))),
    "kink 0.0001 away": ("parameter", (0, (1, 1.4))),
    "right, in float32": ("local", (0, (7, 2, 1.5, 2))),
}


def fates(steps: np.ndarray, errors: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Draw the relative disagreement of four claims with a central difference, over its step."""
    with style.axes() as ax:
        for name, values in errors.items():
            role, dash = FATES[name]
            shown = np.maximum(values, 1e-13)
            ax.plot(steps, shown, color=style.color(role), ls=dash, lw=2, marker="")
        places = {
            "right formula": (1.2e-5, 3e-12),
            "0.1 % too large": (2.2e-8, 3.2e-3),
            "kink 0.0001 away": (1.3e-3, 0.9),
            "right, in float32": (2.6e-8, 2.5),
        }
        for name, (x, y) in places.items():
            style.label(ax, x, y, name, FATES[name][0], xytext=(0, 0))
        ax.set_xscale("log")
        ax.set_yscale("log")
        ax.set(
            xlabel="step h",
            ylabel="relative error reported",
            title="What does the disagreement do when h changes?",
            xlim=(2e-8, 5e-2),
            ylim=(1e-13, 10),
        )
    return {name: np.asarray(v) for name, v in errors.items()}


def noticed(table: dict[str, dict[str, bool]]) -> dict[str, int]:
    """Draw which check (column) notices which slip (row); return how many each check notices."""
    rows, columns = list(table), list(next(iter(table.values())))
    with style.axes(size=(7.2, 0.32 * len(rows) + 1.15)) as ax:
        for y, row in enumerate(rows):
            for x, column in enumerate(columns):
                if table[row][column]:
                    ax.plot(x, y, "s", ms=13, color=style.color("gradient"))
                    ax.plot(x, y, "x", ms=6, mew=1.6, color=style.PAPER)
                else:
                    ax.plot(x, y, "o", ms=5, mfc="none", mec=style.SECOND)
        ax.set_yticks(range(len(rows)), rows)
        ax.set_xticks(range(len(columns)), columns, fontsize=10)
        ax.xaxis.tick_top()
        ax.tick_params(length=0)
        ax.set(xlim=(-0.5, len(columns) - 0.5), ylim=(len(rows) - 0.5, -0.5))
        ax.spines[:].set_visible(False)
        ax.grid(visible=False)
        for y in range(len(rows)):
            ax.axhline(y + 0.5, color=style.SECOND, lw=0.3)
    return {c: sum(bool(table[r][c]) for r in rows) for c in columns}
