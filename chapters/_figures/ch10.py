"""The figure of chapter 10. It draws and returns the numbers it has drawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from bplib import style


def supports(
    inside: Sequence[float], outside: float, returned: Callable[[float], float]
) -> dict[str, np.ndarray]:
    """Draw lines through the corner of ReLU, and beside it a derivative returned near a kink.

    ``inside`` are slopes that are to stay below the graph, ``outside`` is one that does not;
    ``returned`` is asked for its value at 41 points from -1 to 1, the middle one exactly 0.
    Returns for each slope the least gap between graph and line, and what was returned.
    """
    x = np.linspace(-1, 1, 41)
    relu = np.maximum(x, 0)
    slopes = np.array([*inside, outside])
    gaps = np.array([(relu - s * x).min() for s in slopes])
    values = np.array([returned(float(v)) for v in x])
    with style.axes(2) as (left, right):
        for s in inside:
            left.plot(x, s * x, color=style.color("local"), ls="-", lw=1.2, marker="")
        left.plot(x, outside * x, color=style.color("gradient"), ls=(0, (5, 3.5)), marker="")
        left.plot(x, relu, color=style.color("value"), ls="-", lw=3, marker="")
        style.label(left, -0.98, 0.12, "ReLU", "value", xytext=(0, 4))
        style.label(left, 0.12, -0.3, "slopes 0 to 1", "local", xytext=(0, 0))
        style.label(left, 0.42, 0.95, f"slope {outside:g}", "gradient", xytext=(-62, 0))
        left.set(xlabel="x", ylim=(-1.05, 1.15), title="Which lines stay below?")
        beside = x != 0
        right.plot(x, 1 + 0 * x, color=style.color("value"), ls="-", lw=1.2, marker="")
        right.plot(x[beside], values[beside], ".", color=style.color("gradient"), ms=4)
        right.plot([0], values[~beside], "o", color=style.color("gradient"), ms=8)
        style.label(right, 0, float(values[~beside][0]), "returned at 0", "gradient", xytext=(9, 2))
        style.label(right, -1, 1.0, "true, and returned beside 0", xytext=(0, 12))
        right.set(xlabel="x", ylim=(-0.25, 1.4), title="The derivative of φ(x) − φ(−x)")
    return {"slopes": slopes, "gaps": gaps, "values": values}
