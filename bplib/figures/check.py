"""Figures 10 and 11: how good is a finite difference, and what does memory cost in time?"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

import numpy as np
import traitlets

from bplib import draw
from bplib.figures.base import Figure

CURVES: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "exp": (np.exp, np.exp),
    "sin": (np.sin, np.cos),
    "tanh": (np.tanh, lambda x: 1 - np.tanh(x) ** 2),
    "x³": (lambda x: x * x * x, lambda x: 3 * x * x),
}
SCHEMES = ("forward", "central", "complex")


def difference_error(name: str, scheme: str, dtype: str, x: float, h: float) -> float:
    """Return the relative error of a difference quotient in a data type; inf or NaN may come."""
    f, exact = CURVES[name]
    kind = np.dtype(dtype).type
    xx, hh = kind(x), kind(h)
    want = float(exact(np.float64(xx)))
    with np.errstate(all="ignore"):
        if scheme == "forward":
            got = (f(xx + hh) - f(xx)) / hh
        elif scheme == "central":
            got = (f(xx + hh) - f(xx - hh)) / (hh + hh)
        else:
            got = f(complex(xx, hh)).imag / float(hh) if hh else math.nan
        return float(np.abs(np.float64(got) - want) / np.abs(np.float64(want)))


class GradientCheck(Figure):
    """What h? The V-shaped error of a difference quotient over the step.

    function  one of exp, sin, tanh, x³; at x
    scheme    "forward", "central" or "complex"; dtype "float64" or "float32"
    h         the marked step
    """

    knobs: ClassVar = {"x": (-3.0, 3.0, 0.01), "h": ("log", -20, 0)}
    function = traitlets.Enum(tuple(CURVES), "exp").tag(sync=True, state=True)
    scheme = traitlets.Enum(SCHEMES, "central").tag(sync=True, state=True)
    dtype = traitlets.Enum(("float64", "float32"), "float64").tag(sync=True, state=True)
    x = traitlets.Float(1.0).tag(sync=True, state=True)
    h = traitlets.Float(1e-3, min=1e-20, max=1.0).tag(sync=True, state=True)

    def __init__(self, *, title: str = "Which step h, and why not a smaller one?", **state: Any):
        super().__init__({"kind": "check", "title": title}, **state)

    def error(self, h: float) -> float:
        """Return the relative error at the step h."""
        return difference_error(self.function, self.scheme, self.dtype, self.x, h)

    def summary(self) -> str:
        """Return the error at the marked step."""
        return (
            f"The {self.scheme} difference of {self.function} at {draw.fmt(self.x)} in "
            f"{self.dtype}: relative error {draw.fmt(self.error(self.h), 1)} at "
            f"h = {draw.fmt(self.h)}."
        )

    def picture(self) -> str:
        """Return the error over h for the three schemes."""
        low, high = (1e-17, 10.0) if self.dtype == "float64" else (1e-8, 10.0)
        chart = draw.Chart(
            (1e-16, 1.0), (low, high), logx=True, logy=True, xlabel="step h",
            ylabel="relative error", right=110,
        )  # fmt: skip
        steps = [10.0 ** (e / 4) for e in range(-64, 1)]
        style = {
            "forward": (draw.MUTED, "7 3"),
            "central": (draw.INK, None),
            "complex": (draw.L, "2 3"),
        }
        for scheme in SCHEMES:
            points = [
                (h, max(low, difference_error(self.function, scheme, self.dtype, self.x, h)))
                for h in steps
            ]
            chart.line(points, style[scheme][0], "", style[scheme][1])
            # Where the line is at the right edge the schemes are far enough apart to be labelled.
            chart.parts.append(
                draw.text(chart.right + 6, chart.py(points[-1][1]) + {"forward": -4, "central": 8,
                          "complex": 20}[scheme], scheme, style[scheme][0], 13)
            )  # fmt: skip
        return draw.picture(640, 300, chart.body(), self.spec["title"], self.summary())


def schedule(n: int, keep: Iterable[int]) -> dict[str, Any]:
    """Return what is alive after every tick of a checkpointed sweep over n equal layers.

    `keep` holds the activations kept by the forward pass beside the input; every segment between
    two of them is computed again when the backward pass reaches it (Chen et al. 2016). `again`
    counts the repeated layer evaluations, `peak` the most activations alive at once.
    """
    marks = [0, *sorted({k for k in keep if 0 < k < n})]
    held, alive, kinds, again = {0}, [1], ["f"], 0
    for i in range(1, n + 1):
        held.add(i)
        alive.append(len(held))
        kinds.append("f")
        if i - 1 < marks[-1] and i - 1 not in marks:
            held.discard(i - 1)
    for m in range(len(marks) - 1, -1, -1):
        a, b = marks[m], marks[m + 1] if m + 1 < len(marks) else n
        if m + 1 < len(marks):
            for i in range(a + 1, b):
                held.add(i)
                again += 1
                alive.append(len(held))
                kinds.append("r")
        for i in range(b, a, -1):
            held.discard(i)
            alive.append(len(held))
            kinds.append("b")
    return {"alive": alive, "kinds": kinds, "again": again, "peak": max(alive), "marks": marks}


class CheckpointBudget(Figure):
    """Memory or time? Which activations to keep, what is alive when, what is computed twice.

    n       layers, 2 to 36; keep the kept activations, between 1 and n − 1
    budget  the most activations that fit

    Raises traitlets.TraitError for other numbers.
    """

    knobs: ClassVar = {"n": (2, 36, 1), "budget": (2, 37, 1)}
    n = traitlets.Int(16, min=2, max=36).tag(sync=True, state=True)
    keep = traitlets.List(traitlets.Int(min=1, max=35)).tag(sync=True, state=True)
    budget = traitlets.Int(9, min=2, max=37).tag(sync=True, state=True)

    def __init__(self, *, title: str = "Memory or time?", **state: Any) -> None:
        state.setdefault("keep", [4, 8, 12])
        super().__init__({"kind": "checkpoint", "title": title}, **state)

    def schedule(self) -> dict[str, Any]:
        """Return `schedule` for the present choice."""
        return schedule(self.n, self.keep)

    def summary(self) -> str:
        """Return peak and repeated work."""
        r = self.schedule()
        fits = "fits" if r["peak"] <= self.budget else "does not fit"
        return (
            f"{self.n} layers, {len(r['marks']) - 1} checkpoints: at most {r['peak']} activations "
            f"alive, {r['again']} layers computed twice; a budget of {self.budget} {fits}."
        )

    def picture(self) -> str:
        """Return the activations alive over time."""
        r = self.schedule()
        alive = r["alive"]
        chart = draw.Chart(
            (0.0, float(len(alive))), (0.0, float(max(r["peak"], self.budget) + 1)),
            xlabel="time, in layer evaluations", ylabel="activations alive", right=20,
        )  # fmt: skip
        color = {"f": (draw.VT, draw.V), "r": (draw.LT, draw.L), "b": (draw.GT, draw.G)}
        for i, v in enumerate(alive):
            fill, edge = color[r["kinds"][i]]
            x, y, w = chart.px(i), chart.py(v), chart.px(i + 1) - chart.px(i)
            chart.parts.append(
                draw.tag("rect", x=x, y=y, width=w, height=chart.bottom - y, fill=fill)
            )
            dash = "2.5 1.5" if r["kinds"][i] == "b" else None
            chart.parts.append(
                draw.tag("path", d=f"M{x:.2f} {y:.2f}h{w:.2f}", stroke=edge, stroke_width=2,
                         stroke_dasharray=dash)
            )  # fmt: skip
        y = chart.py(self.budget)
        chart.parts.append(
            draw.tag("path", d=f"M{chart.left:.2f} {y:.2f}H{chart.right:.2f}", stroke=draw.INK,
                     stroke_dasharray="8 4")
        )  # fmt: skip
        chart.parts.append(
            draw.text(chart.right - 4, y - 5, f"budget {self.budget}", text_anchor="end")
        )
        return draw.picture(640, 300, chart.body(), self.spec["title"], self.summary())
