"""The figures of chapter 11. Each function draws and returns the numbers it has drawn."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bplib import style


def tent(bytes_in_use: dict[str, Sequence[int]], unit: int) -> dict[str, np.ndarray]:
    """Draw bytes in use at every step of two plans, in units of one activation."""
    looks = {"training": ("gradient", (0, (5, 3.5))), "using": ("value", "-")}
    drawn = {}
    with style.axes() as ax:
        for name, series in bytes_in_use.items():
            role, dash = looks[name]
            units = np.asarray(series) / unit
            drawn[name] = units
            steps = np.arange(1, len(units) + 1)
            ax.step(steps, units, where="mid", color=style.color(role), ls=dash, lw=2, marker="")
            at = (steps[-1], 1.0) if name == "using" else (steps[np.argmax(units)], units.max())
            offset = (8, 3) if name == "using" else (4, 10)
            style.label(ax, *at, f"{name}: {units.max():.0f}", role, xytext=offset)
        ax.set(
            xlabel="step of the plan",
            ylabel="activations in memory",
            title="Who is in memory, and when?",
            ylim=(0, max(u.max() for u in drawn.values()) + 1.5),
        )
    return drawn


def revolve(actions: Sequence[tuple[str, int, int]]) -> dict[str, int]:
    """Draw a schedule, position against time, and count what it does."""
    time, at, advanced, kept, most = 0, 0, 0, {}, 0
    flights, squares, diamonds = [], [], []
    for action, i, j in actions:
        if action == "keep":
            kept = {slot: k for slot, k in kept.items() if slot < j} | {j: i}
            most = max(most, len(kept))
            squares.append((time, i))
        elif action == "load":
            at = i
        elif action == "advance":
            flights.append(((time, time + j - i), (i, j)))
            time, at, advanced = time + j - i, j, advanced + j - i
        else:
            diamonds.append((time + 0.5, at + 1))
            time += 1
    with style.axes() as ax:
        for x, y in flights:
            ax.plot(x, y, color=style.color("value"), ls="-", lw=2, marker="")
        ax.plot(*zip(*squares, strict=True), ls="", marker="s", ms=6, color=style.color("local"))
        ax.plot(
            *zip(*diamonds, strict=True), ls="", marker="D", ms=4, color=style.color("gradient")
        )
        (x, _), (y, _) = flights[min(2, len(flights) - 1)]
        style.label(ax, x + 2, y + 2, "advance", "value", xytext=(8, -4))
        style.label(ax, *squares[0], "keep", "local", xytext=(8, 2))
        style.label(ax, *diamonds[0], "sweep", "gradient", xytext=(8, 4))
        ax.set(
            xlabel="time, in layer evaluations",
            ylabel="position, layer",
            title="Which layer is run when?",
        )
    return {"advanced": advanced, "swept": len(diamonds), "most_kept": most}
