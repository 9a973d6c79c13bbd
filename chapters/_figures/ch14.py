"""The figures of chapter 14. Each function draws and returns the numbers it has drawn."""

from __future__ import annotations

import numpy as np

from bplib import style


def spectra(hessians: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Draw the eigenvalues of symmetric matrices, one panel each, on a common axis."""
    values = {name: np.linalg.eigvalsh(H) for name, H in hessians.items()}
    low = min(v[0] for v in values.values())
    high = max(v[-1] for v in values.values())
    with style.axes(len(values), sharey=True, size=(7.2, 3.0)) as panels:
        for ax, (name, v) in zip(panels, values.items(), strict=True):
            place = np.arange(1, len(v) + 1)
            ax.axhline(0, color=style.SECOND, lw=1)
            bends_down = v < 0
            up = {"ls": "", "ms": 5, "color": style.color("value")}
            ax.plot(place[~bends_down], v[~bends_down], "o", **up)
            ax.plot(place[bends_down], v[bends_down], "o", **up, mfc=style.PAPER)
            ax.set(title=name, xlabel="number", ylim=(low - 0.15, high + 0.2))
            ax.set_xticks([1, len(v) // 2, len(v)])
            style.label(ax, len(v), v[-1], f"{v[-1]:.2f}", "value", xytext=(-8, 0), ha="right")
            if bends_down.any():
                n = int(bends_down.sum())
                style.label(ax, n, v[0], f"{n} bend down", "value", xytext=(4, 4))
        panels[0].set_ylabel("eigenvalue of H")
    return values


def race(histories: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Draw the norm of the gradient against the sweeps made, a column each of every history."""
    roles = dict(zip(histories, ("value", "gradient"), strict=True))
    with style.axes(size=(7.2, 3.0)) as ax:
        for name, h in histories.items():
            line = style.line(roles[name])
            line |= {"marker": "s", "ms": 4} if roles[name] == "gradient" else {"marker": ""}
            ax.plot(h[:, 0], h[:, 1], **line)
        names = list(histories)
        slow, fast = histories[names[0]], histories[names[1]]
        at = int(0.7 * len(slow))
        style.label(ax, *slow[at], names[0], roles[names[0]], xytext=(0, 12))
        style.label(ax, *fast[-1], names[1], roles[names[1]], xytext=(10, 4))
        ax.set_yscale("log")
        ax.set(
            xlabel="sweeps: gradients and products",
            ylabel="norm of the gradient",
            title="How much work to the minimum?",
        )
    return histories
