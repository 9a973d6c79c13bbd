"""The figures of chapter 1. Each function draws and returns the numbers it has drawn."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from bplib import style


def remainders(
    f: Callable, x: np.ndarray, matrices: dict[str, np.ndarray], v: np.ndarray
) -> dict[str, np.ndarray]:
    """Draw remainder over step, along the direction v, for several candidates of the derivative."""
    v = v / np.linalg.norm(v)
    steps = np.logspace(0, -6, 25)
    roles = ["local", "gradient", "parameter"]
    drawn = {"steps": steps}
    with style.axes() as ax:
        for (name, M), role in zip(matrices.items(), roles, strict=False):
            ratio = np.array([np.linalg.norm(f(x + s * v) - f(x) - s * M @ v) / s for s in steps])
            ax.loglog(steps, ratio, **{**style.line(role), "markersize": 4})
            style.label(ax, steps[-1], ratio[-1], name, role)
            drawn[name] = ratio
        ax.invert_xaxis()
        ax.set(
            xlabel="length of the step p",
            ylabel="remainder / step",
            title="Does the remainder shrink faster than the step?",
        )
        ax.set_xlim(1.5, 1e-8)
    return drawn


def slopes_by_direction(
    smooth: Callable, pinched: Callable, gradients: dict[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Draw the slope of two functions at the origin in every direction, with the linear guess."""
    angle = np.linspace(0, 2 * np.pi, 181)
    directions = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    drawn = {"angle": angle}
    with style.axes(columns=2, sharey=True) as both:
        for ax, name, f in zip(both, gradients, (smooth, pinched), strict=True):
            slope = np.array([(f(1e-9 * v) - f(0 * v)) / 1e-9 for v in directions])
            linear = directions @ gradients[name]
            ax.plot(np.degrees(angle), slope, **{**style.line("value"), "marker": ""})
            ax.plot(np.degrees(angle), linear, **{**style.line("local"), "marker": ""})
            ax.set(xlabel="direction, in degrees", title=name, xticks=[0, 90, 180, 270, 360])
            drawn[name] = slope
            drawn[f"{name}, linear"] = linear
        both[0].set_ylabel("slope")
        style.label(both[1], 178, 0.3, "true slope", "value")
        style.label(both[1], 200, 0, "the partial\nderivatives' guess", "local", xytext=(0, 16))
    return drawn


def descent_directions(point: np.ndarray, arrows: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Draw level lines of an elongated bowl and directions at one point, all of equal length."""
    u, v = np.meshgrid(np.linspace(-0.6, 6.4, 141), np.linspace(-1.1, 1.6, 91))
    with style.axes() as ax:
        ax.contour(
            u, v, (u**2 + 25 * v**2) / 2, levels=[1, 4, 9, 16, 25, 36], colors=style.SECOND,
            linewidths=0.7,
        )  # fmt: skip
        ax.plot([0], [0], "o", color=style.TEXT, ms=5)
        ax.annotate("minimum", (0, 0), xytext=(0, -13), textcoords="offset points", ha="center")
        for (name, d), role in zip(arrows.items(), ("gradient", "local"), strict=True):
            tip = point + 1.9 * d / np.linalg.norm(d)
            ax.annotate(
                "",
                tip,
                point,
                arrowprops={"arrowstyle": "-|>", "color": style.color(role), "lw": 2},
            )
            offset = (8, 0) if role == "gradient" else (-8, 0)
            ha = "left" if role == "gradient" else "right"
            style.label(ax, *tip, name, role, xytext=offset, ha=ha)
        ax.plot(*point, "o", color=style.color("value"), ms=7)
        ax.set(aspect="equal", title="Which way is down?", xlabel=r"$x_1$", ylabel=r"$x_2$")
        ax.grid(visible=False)
    return arrows


def v_curve(
    measured: dict[str, tuple[np.ndarray, np.ndarray]], bound: Callable, best: float
) -> dict[str, np.ndarray]:
    """Draw measured errors over the step, the error formula, and the step it recommends."""
    roles = {"one-sided": "value", "central": "gradient", "complex step": "local"}
    drawn = {}
    with style.axes(size=(7.2, 3.8)) as ax:
        for name, (h, error) in measured.items():
            shown = np.maximum(error, 1e-17)
            ax.loglog(h, shown, **{**style.line(roles[name]), "linestyle": "none", "markersize": 4})
            drawn[name] = error
        h = np.logspace(-15.5, 0, 200)
        ax.loglog(h, bound(h), color=style.TEXT, lw=1, ls="dashed", marker="")
        ax.loglog([best], [bound(best)], "o", mfc="none", mec=style.TEXT, ms=12)
        style.label(ax, best, bound(best), "h*", xytext=(-4, -18))
        ends = {"one-sided": (2e-3, 8e-2), "central": (6e-3, 3e-7), "complex step": (1e-12, 1e-16)}
        for name, (a, b) in ends.items():
            style.label(ax, a, b, name, roles[name], xytext=(0, 9))
        ax.set(
            xlabel="step h",
            ylabel="error of the derivative",
            title="Why not a smaller step?",
            ylim=(3e-18, 30),
        )
    return drawn
