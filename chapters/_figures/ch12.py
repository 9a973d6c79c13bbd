"""The figures of chapter 12. Each function draws and returns the numbers it has drawn."""

from __future__ import annotations

import numpy as np

from bplib import style

WAYS = {
    "one by one": ("gradient", "-", "o"),
    "in pairs": ("value", (0, (5, 3.5)), "s"),
    "Kahan": ("local", (0, (1, 1.4)), "^"),
    "float32 inside": ("parameter", (0, (7, 2, 1.5, 2)), "D"),
}


def sums(sizes: list[int], errors: dict[str, list[float]]) -> dict[str, list[float]]:
    """Draw the relative error of a float16 sum over the number of terms, one curve a way."""
    with style.axes() as ax:
        for name, values in errors.items():
            role, dash, marker = WAYS[name]
            shown = np.maximum(values, 1e-5)
            ax.plot(sizes, shown, color=style.color(role), ls=dash, lw=2, marker=marker, ms=5)
        ax.axhline(2.0**-11, color=style.SECOND, ls="--", lw=1)
        ax.text(11, 2.0**-11 * 1.15, "unit roundoff", color=style.SECOND, fontsize=10)
        places = {"one by one": 0.6, "in pairs": 9e-4, "Kahan": 3e-4, "float32 inside": 1e-4}
        for name, y in places.items():
            style.label(ax, sizes[-1], y, name, WAYS[name][0], xytext=(9, 0))
        ax.set_xscale("log")
        ax.set_yscale("log")
        ax.set(
            xlabel="number of terms n",
            ylabel="relative error of the sum",
            title="How wrong is a sum in float16?",
            xlim=(9, 6e4),
            ylim=(9e-6, 3),
        )
    return errors


def ranges(powers: dict[str, np.ndarray]) -> dict[str, float]:
    """Draw histograms of the powers of two of gradients; return the share float16 rounds to 0."""
    bins = np.arange(-46, 18)
    with style.axes() as ax:
        for (name, values), role, hatch in zip(
            powers.items(), ("value", "gradient"), ("", "///"), strict=True
        ):
            counts = np.histogram(values, bins)[0] / len(values)
            ax.bar(
                bins[:-1],
                counts,
                width=0.9,
                align="edge",
                color=style.TINTS[role],
                edgecolor=style.color(role),
                hatch=hatch,
            )
            peak = int(np.argmax(counts))
            ax.text(
                bins[peak] + 0.9,
                counts[peak] + 0.01,
                name,
                ha="right",
                color=style.color(role),
            )
        ax.axvline(-25, color=style.TEXT, lw=1.5)
        ax.axvline(-14, color=style.TEXT, lw=1.5, ls="--")
        ax.axvline(16, color=style.TEXT, lw=1.5)
        words = ((-25.4, "0 in float16", "right"), (-13.4, "normal", "left"),
                 (-19.5, "subnormal", "center"), (15.6, "largest", "right"))  # fmt: skip
        for x, text, align in words:
            ax.text(x, 0.385, text, ha=align, color=style.TEXT, fontsize=10)
        ax.set(
            xlabel="power of two of the entry",
            ylabel="share of entries",
            title="Where do the gradients lie?",
            xlim=(-47, 18),
            ylim=(0, 0.42),
        )
    return {name: float(np.mean(values <= -25)) for name, values in powers.items()}
