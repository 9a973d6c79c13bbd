"""The figures of chapter 7. Each function draws and returns the numbers it has drawn."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from bplib import style


def descent(
    loss: Callable[[np.ndarray], float],
    gradient: Callable[[np.ndarray], np.ndarray],
    theta: np.ndarray,
    Lambda: float,
) -> dict:
    """Draw the loss along the gradient step, its tangent and the parabola of the descent lemma."""
    g = gradient(theta)
    squared = float(g @ g)
    border = 2 / Lambda
    etas = np.linspace(0, 1.35 * border, 136)
    curve = np.array([loss(theta - eta * g) for eta in etas])
    start = curve[0]
    tangent = start - etas * squared
    bound = start - etas * (1 - etas * Lambda / 2) * squared
    with style.axes() as ax:
        ax.plot(etas, curve, **{**style.line("value"), "marker": ""})
        ax.plot(etas, tangent, **{**style.line("local"), "marker": ""})
        ax.plot(etas, bound, **{**style.line("gradient"), "marker": ""})
        for place, name in ((border / 2, r"$1/\Lambda$"), (border, r"$2/\Lambda$")):
            ax.axvline(place, color=style.SECOND, lw=1, ls=(0, (3, 3)))
            style.label(ax, place, start + 0.24 * squared * border, name)
        style.label(ax, etas[-1], curve[-1], "loss J", "value")
        here = np.searchsorted(etas, 1.06 * border)
        style.label(ax, etas[here], bound[here], "promise", "gradient", ha="right", xytext=(-8, 6))
        low = min(curve.min(), bound.min())
        inside = tangent > low - 0.2 * squared * border
        last = np.flatnonzero(inside)[-1]
        style.label(ax, etas[last], tangent[last], "tangent", "local", xytext=(8, 2))
        ax.set(
            xlabel=r"learning rate $\eta$",
            ylabel=r"$J(\theta - \eta g)$",
            title="What does a step of this length promise?",
            ylim=(low - 0.22 * squared * border, start + 0.32 * squared * border),
            xlim=(0, etas[-1] * 1.14),
        )
    return {
        "etas": etas,
        "loss": curve,
        "bound": bound,
        "bound_at_border": start - border * (1 - border * Lambda / 2) * squared,
    }


def valley(kappa: float, steps: int) -> dict[str, np.ndarray]:
    """Draw plain descent and momentum, each with its best constants, on (x^2 + kappa y^2) / 2."""
    curvature = np.array([1.0, kappa])
    root = np.sqrt(kappa)
    settings = {
        "plain": (2 / (1 + kappa), 0.0),
        "momentum": ((2 / (1 + root)) ** 2, ((root - 1) / (root + 1)) ** 2),
    }
    paths = {}
    for name, (eta, mu) in settings.items():
        theta, v = np.array([8.0, 0.4]), np.zeros(2)
        path = [theta]
        for _ in range(steps):
            v = mu * v + curvature * theta
            theta = theta - eta * v
            path.append(theta)
        paths[name] = np.array(path)
    with style.axes(2, width_ratios=[1.25, 1]) as (left, right):
        x, y = np.meshgrid(np.linspace(-3, 9, 121), np.linspace(-1.3, 1.3, 81))
        levels = 0.5 * np.array([1, 4, 16, 36, 64, 100, 144])
        left.contour(
            x, y, (x**2 + kappa * y**2) / 2, levels=levels, colors=style.SECOND, linewidths=0.5
        )
        for name, role in (("plain", "value"), ("momentum", "gradient")):
            path, look = paths[name], {**style.line(role), "markersize": 3, "linewidth": 1.3}
            left.plot(path[:, 0], path[:, 1], **look)
            distance = np.linalg.norm(path, axis=1)
            right.plot(distance, **{**style.line(role), "markevery": 10})
            place = 2 * steps // 3
            style.label(right, place, distance[place], name, role, va="bottom", xytext=(-6, 6))
        left.grid(visible=False)
        left.set(
            xlabel="x, curvature 1",
            ylabel=f"y, curvature {kappa:.0f}",
            title="the paths",
            xlim=(-3, 9),
            ylim=(-1.3, 1.3),
        )
        right.set_yscale("log")
        right.set(xlabel="step", title="distance from the minimum")
    return {name: np.linalg.norm(path, axis=1) for name, path in paths.items()}


def optimizers(curves: dict[tuple[str, float], np.ndarray]) -> dict[tuple[str, float], np.ndarray]:
    """Draw validation loss against the epoch, one panel an optimizer, one curve a rate."""
    names = list(dict.fromkeys(name for name, _ in curves))
    with style.axes(len(names), sharey=True) as panels:
        for ax, name in zip(panels, names, strict=True):
            chosen = [(rate, c) for (n, rate), c in curves.items() if n == name]
            best = min(c[-1] for _, c in chosen)
            for rate, curve in chosen:
                role = "value" if curve[-1] == best else "gradient"
                epochs = np.arange(1, len(curve) + 1)
                ax.plot(epochs, curve, **{**style.line(role), "markevery": 6, "markersize": 4})
                place = 7
                style.label(
                    ax,
                    epochs[place],
                    curve[place],
                    f"{rate:g}",
                    role,
                    xytext=(0, 7),
                    ha="left",
                    va="bottom",
                )
            ax.set_yscale("log")
            ax.set(title=name, xlabel="epoch")
            ax.set_yticks([0.1, 0.3, 1, 3], ["0.1", "0.3", "1", "3"])
            ax.minorticks_off()
        panels[0].set_ylabel("validation loss")
    return curves
