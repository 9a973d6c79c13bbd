"""The figures of chapter 9. Each function draws and returns the numbers it has drawn."""

from __future__ import annotations

import numpy as np

from bplib import style

GRID = {"color": style.SECOND, "alpha": 0.35, "ls": "-", "lw": 0.8, "marker": ""}


def matrices(panels: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Draw matrices of zeros and ones side by side, a dot for each one."""
    with style.axes(len(panels), size=(7.2, 2.5)) as axes:
        for ax, (name, M) in zip(axes, panels.items(), strict=True):
            rows, columns = M.shape
            for k in range(rows + 1):
                ax.plot([0, columns], [k, k], **GRID)
            for k in range(columns + 1):
                ax.plot([k, k], [0, rows], **GRID)
            i, j = np.nonzero(M)
            ax.plot(j + 0.5, i + 0.5, ls="", marker="o", ms=8, color=style.color("local"))
            ax.set_title(f"{name}\n{rows} × {columns}", fontsize=10)
            ax.set(xlim=(-0.1, 6.1), ylim=(6.1, -0.1), aspect="equal", xticks=[], yticks=[])
            ax.set_xlabel("inputs", loc="left")
            for side in ax.spines.values():
                side.set_visible(False)
            ax.grid(False)
        axes[0].set_ylabel("outputs")
    return panels
