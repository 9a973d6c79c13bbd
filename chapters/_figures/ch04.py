"""The figure of chapter 4. It draws and returns what it has drawn."""

from __future__ import annotations

from bplib import style


def growth(sizes: list[int], counts: dict[str, list[int]]) -> dict:
    """Draw counted operations against the number of inputs, for three ways to differentiate."""
    looks = {"value alone": "value", "one reverse sweep": "gradient", "forward sweeps": "local"}
    with style.axes() as ax:
        for name, role in looks.items():
            ax.plot(sizes, counts[name], **style.line(role))
            style.label(ax, sizes[-1], counts[name][-1], name, role)
        ax.set_xscale("log")
        ax.set_yscale("log")
        ax.set(
            xlim=(sizes[0] * 0.9, sizes[-1] * 6),
            xlabel="number of inputs n",
            ylabel="operations counted",
            title="What does a gradient cost?",
        )
    return {"sizes": list(sizes), **{k: list(v) for k, v in counts.items()}}
