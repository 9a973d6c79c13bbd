"""Figures 2, 3, 7, 8, 9 and 12."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
import traitlets

from bplib import draw, ops
from bplib.figures.base import Figure
from bplib.figures.bench import generator, normals

LENS: dict[str, tuple[Callable[[float], float], Callable[[float], float]]] = {
    "exp": (math.exp, math.exp),
    "sin": (math.sin, math.cos),
    "tanh": (math.tanh, lambda x: 1 - math.tanh(x) ** 2),
    "x²": (lambda x: x * x, lambda x: 2 * x),
    "x³": (lambda x: x * x * x, lambda x: 3 * x * x),
}


class TangentLens(Figure):
    """Why is a derivative a multiplier? A curve and its tangent under a magnifying glass.

    function  one of exp, sin, tanh, x², x³; at x, magnified `zoom` times (1 to 1000)
    """

    knobs: ClassVar = {"x": (-3.0, 3.0, 0.01), "zoom": ("log", 0, 3)}
    function = traitlets.Enum(tuple(LENS), "sin").tag(sync=True, state=True)
    x = traitlets.Float(1.0).tag(sync=True, state=True)
    zoom = traitlets.Float(1.0, min=1.0, max=1000.0).tag(sync=True, state=True)

    def __init__(self, *, title: str = "Why is a derivative a multiplier?", **state: Any) -> None:
        super().__init__({"kind": "lens", "title": title}, **state)

    def gap(self, zoom: float) -> float:
        """Return the largest gap between curve and tangent, as a share of the window."""
        f, d = LENS[self.function]
        r = 2 / zoom
        us = [r * i / 50 for i in range(-50, 51)]
        return max(abs(f(self.x + u) - f(self.x) - d(self.x) * u) for u in us) / r

    def summary(self) -> str:
        """Return the slope and how the gap shrinks."""
        slope = LENS[self.function][1](self.x)
        said = ", ".join(f"{draw.fmt(self.gap(z))} at zoom {z}" for z in (1, 10, 100))
        return (
            f"{self.function} at {draw.fmt(self.x)} has slope {draw.fmt(slope)}. Largest gap "
            f"between curve and tangent, as a share of the window: {said}."
        )

    def picture(self) -> str:
        """Return the curve and its tangent."""
        f, d = LENS[self.function]
        r, y0, m = 2 / self.zoom, f(self.x), d(self.x)
        half = r * max(0.8, abs(m) * 1.1)
        chart = draw.Chart(
            (self.x - r, self.x + r), (y0 - half, y0 + half), xlabel="x", ylabel="f(x)"
        )
        us = [r * i / 60 for i in range(-60, 61)]
        chart.line([(self.x + u, f(self.x + u)) for u in us], draw.V, self.function)
        chart.line([(self.x + u, y0 + m * u) for u in (-r, r)], draw.L, "", "7 4")
        chart.dot(self.x, y0, draw.V, 5)
        return draw.picture(640, 300, chart.body(), self.spec["title"], self.summary())


class PathsVsSweep(Figure):
    """Why not sum over paths? Routes through a layered network, against its edges.

    width  units in a layer, 1 to 8; depth hidden layers, 1 to 20
    """

    knobs: ClassVar = {"width": (1, 8, 1), "depth": (1, 20, 1)}
    width = traitlets.Int(3, min=1, max=8).tag(sync=True, state=True)
    depth = traitlets.Int(4, min=1, max=20).tag(sync=True, state=True)

    def __init__(self, *, title: str = "Why not sum over paths?", **state: Any) -> None:
        super().__init__({"kind": "paths", "title": title}, **state)

    def counts(self, depth: int | None = None) -> tuple[int, int]:
        """Return (paths, edges) from one input to one loss."""
        k = self.depth if depth is None else depth
        return self.width**k, 2 * self.width + self.width**2 * (k - 1)

    def summary(self) -> str:
        """Return both counts."""
        paths, edges = self.counts()
        return f"Width {self.width}, {self.depth} hidden layers: {paths} paths, {edges} edges."

    def picture(self) -> str:
        """Return both counts over the depth."""
        rows = [(float(k), *self.counts(k)) for k in range(1, 21)]
        chart = draw.Chart(
            (1.0, 20.0), (1.0, float(10 ** math.ceil(math.log10(max(rows[-1][1:])) + 0.01))),
            logy=True, xlabel="hidden layers", ylabel="count",
        )  # fmt: skip
        chart.line([(k, float(p)) for k, p, _ in rows], draw.V, "paths")
        chart.line([(k, float(e)) for k, _, e in rows], draw.G, "edges", "5 3.5")
        return draw.picture(640, 300, chart.body(), self.spec["title"], self.summary())


TILES = ("X", "Xᵀ", "Z̄", "Z̄ᵀ")


class ShapeTailor(Figure):
    """What must W̄ look like? Products of X and Z̄, tried by shape and then by number.

    left, right  one of X, Xᵀ, Z̄, Z̄ᵀ; square "distinct" (B, n, m = 4, 2, 3) or "square" (all 3)
    """

    left = traitlets.Enum(TILES, "X").tag(sync=True, state=True)
    right = traitlets.Enum(TILES, "Z̄").tag(sync=True, state=True)
    square = traitlets.Enum(("distinct", "square"), "distinct").tag(sync=True, state=True)

    def __init__(self, *, title: str = "What must W̄ look like?", **state: Any) -> None:
        super().__init__({"kind": "tailor", "title": title}, **state)

    def verdict(self, left: str, right: str) -> str:
        """Return what the two checks say about a product."""
        B, n, m = (3, 3, 3) if self.square == "square" else (4, 2, 3)
        draws = normals(generator(5))
        X = np.array([next(draws) for _ in range(B * n)]).reshape(B, n)
        G = np.array([next(draws) for _ in range(B * m)]).reshape(B, m)
        tiles = {"X": X, "Xᵀ": X.T, "Z̄": G, "Z̄ᵀ": G.T}
        a, b = tiles[left], tiles[right]
        if a.shape[1] != b.shape[0]:
            return "no product"
        if (a.shape[0], b.shape[1]) != (n, m):
            return "wrong shape"
        return "right" if np.allclose(a @ b, X.T @ G, atol=1e-12) else "wrong numbers"

    def summary(self) -> str:
        """Return the verdict on the present product and the one that is right."""
        return (
            f"{self.left} {self.right}: {self.verdict(self.left, self.right)}. With Z = X W, "
            "the gradient of W is Xᵀ Z̄."
        )

    def picture(self) -> str:
        """Return the verdicts on all products."""
        body = draw.text(0, 18, "left factor down, right factor across", draw.MUTED)
        for j, right in enumerate(TILES):
            body += draw.text(150 + 120 * j, 44, right, draw.G if "Z" in right else draw.V, 15,
                              text_anchor="middle")  # fmt: skip
        for i, left in enumerate(TILES):
            y = 74 + 28 * i
            body += draw.text(20, y, left, draw.G if "Z" in left else draw.V, 15)
            for j, right in enumerate(TILES):
                said = self.verdict(left, right)
                color = draw.L if said == "right" else draw.INK
                body += draw.text(150 + 120 * j, y, said, color, 13, text_anchor="middle")
        return draw.picture(640, 180, body, self.spec["title"], self.summary())


class DeadOrSaturated(Figure):
    """Who gets no gradient? Slopes of twelve units on sixteen samples.

    activation  relu, leaky_relu, tanh, sigmoid, gelu or identity
    shift       added to every bias; scale multiplies the data
    """

    knobs: ClassVar = {"shift": (-6.0, 6.0, 0.1), "scale": (0.1, 10.0, 0.1)}
    activation = traitlets.Enum(
        ("relu", "leaky_relu", "tanh", "sigmoid", "gelu", "identity"), "relu"
    ).tag(sync=True, state=True)
    shift = traitlets.Float(0.0).tag(sync=True, state=True)
    scale = traitlets.Float(1.0).tag(sync=True, state=True)

    def __init__(self, *, title: str = "Who gets no gradient?", **state: Any) -> None:
        super().__init__({"kind": "dead", "title": title}, **state)

    def slopes(self) -> np.ndarray:
        """Return phi'(z), samples by units (16, 12), from the rules of `bplib.ops`."""
        draws = normals(generator(11))
        w = np.array([next(draws) for _ in range(12)])
        b = 0.5 * np.array([next(draws) for _ in range(12)])
        x = np.array([next(draws) for _ in range(16)])
        Z = self.scale * x[:, None] * w + b + self.shift
        phi = getattr(ops, self.activation)
        return np.asarray(phi.rule(np.ones_like(Z), phi(Z), Z))

    def summary(self) -> str:
        """Return how many slopes and units are flat."""
        flat = np.abs(self.slopes()) < 0.01
        return (
            f"{self.activation}, biases shifted by {draw.fmt(self.shift)}, data times "
            f"{draw.fmt(self.scale)}: {flat.sum()} of {flat.size} slopes are below 0.01, and "
            f"{flat.all(axis=0).sum()} of 12 units are flat on every sample."
        )

    def picture(self) -> str:
        """Return the slopes as squares, a cross where there is next to none."""
        body = draw.text(200, 16, "12 units", draw.MUTED, 13)
        body += draw.text(0, 140, "16 samples", draw.MUTED, 13)
        for q, row in enumerate(self.slopes()):
            for k, v in enumerate(row):
                x, y = 90 + 24 * k, 24 + 15 * q
                if abs(v) < 0.01:
                    d = f"M{x + 9} {y + 4}l6 6m0 -6l-6 6"
                    body += draw.tag("path", d=d, stroke=draw.MUTED, fill="none")
                else:
                    a = max(2.0, 13 * math.sqrt(min(1.0, abs(v))))
                    body += draw.tag("rect", x=x + 12 - a / 2, y=y + 7 - a / 2, width=a, height=a,
                                     fill=draw.L)  # fmt: skip
        return draw.picture(400, 274, body, self.spec["title"], self.summary())


class Logits(Figure):
    """Why p − t? Logits, probabilities and the gradient, fused or naive, in three data types.

    z1 … z4  logits, times `scale`; target "1" to "4"
    form     "fused" or "naive"; dtype "float64", "float32" or "float16"
    """

    knobs: ClassVar = {f"z{k}": (-10.0, 10.0, 0.1) for k in range(1, 5)} | {"scale": ("log", 0, 3)}
    z1 = traitlets.Float(2.0).tag(sync=True, state=True)
    z2 = traitlets.Float(0.5).tag(sync=True, state=True)
    z3 = traitlets.Float(-1.0).tag(sync=True, state=True)
    z4 = traitlets.Float(0.0).tag(sync=True, state=True)
    target = traitlets.Enum(("1", "2", "3", "4"), "1").tag(sync=True, state=True)
    scale = traitlets.Float(1.0, min=1.0, max=1000.0).tag(sync=True, state=True)
    form = traitlets.Enum(("fused", "naive"), "fused").tag(sync=True, state=True)
    dtype = traitlets.Enum(("float64", "float32", "float16"), "float64").tag(sync=True, state=True)

    def __init__(self, *, title: str = "Why is the gradient p − t?", **state: Any) -> None:
        super().__init__({"kind": "logits", "title": title}, **state)

    def result(self) -> tuple[np.ndarray, np.ndarray, float]:
        """Return p, dJ/dz and J in the chosen form and data type."""
        kind = np.dtype(self.dtype).type
        z = np.array([self.z1, self.z2, self.z3, self.z4]).astype(kind) * kind(self.scale)
        t = int(self.target) - 1
        with np.errstate(all="ignore"):
            if self.form == "fused":
                e = np.exp(z - z.max())
                p, J = e / e.sum(), np.log(e.sum()) + z.max() - z[t]
            else:
                e = np.exp(z)
                p = e / e.sum()
                J = -np.log(p[t])
            g = p.copy()
            g[t] -= kind(1)
        return p, g, float(J)

    def summary(self) -> str:
        """Return probabilities, gradients and the loss."""
        p, g, J = self.result()
        return (
            f"Probabilities {', '.join(draw.fmt(float(v)) for v in p)}; gradients "
            f"{', '.join(draw.fmt(float(v)) for v in g)}; loss {draw.fmt(J)}."
        )

    def picture(self) -> str:
        """Return p and p − t as bars."""
        p, g, _ = self.result()
        chart = draw.Chart(
            (0.4, 4.6), (-1.1, 1.1), xlabel="class; left p, right p − t", ylabel="p and p − t",
            right=20,
        )  # fmt: skip
        zero = chart.py(0)
        for k in range(4):
            for v, fill, edge, dash, dx in (
                (float(p[k]), draw.VT, draw.V, None, -38),
                (float(g[k]), draw.GT, draw.G, "5 3.5", 2),
            ):
                x = chart.px(k + 1) + dx
                y = chart.py(v) if math.isfinite(v) else zero
                chart.parts.append(
                    draw.tag("rect", x=x, y=min(y, zero), width=36, height=max(1.0, abs(y - zero)),
                             fill=fill, stroke=edge, stroke_dasharray=dash)
                )  # fmt: skip
                at = y - 5 if v >= 0 or v != v else y + 14
                chart.parts.append(
                    draw.text(x + 18, at, draw.fmt(v, 2), edge, 12, text_anchor="middle")
                )
        return draw.picture(640, 300, chart.body(), self.spec["title"], self.summary())


class StepSize(Figure):
    """When does descent diverge? Thirty steps on J = (x² + c y²) / 2.

    rate  the learning rate; curvature c, 1 to 30; the start (x, y)
    """

    knobs: ClassVar = {
        "rate": ("log", -3, 0.5),
        "curvature": (1.0, 30.0, 0.5),
        "x": (-5.0, 5.0, 0.1),
        "y": (-2.0, 2.0, 0.1),
    }
    rate = traitlets.Float(0.15, min=0.001, max=3.0).tag(sync=True, state=True)
    curvature = traitlets.Float(10.0, min=1.0, max=30.0).tag(sync=True, state=True)
    x = traitlets.Float(4.0).tag(sync=True, state=True)
    y = traitlets.Float(1.0).tag(sync=True, state=True)

    def __init__(self, *, title: str = "When does descent diverge?", **state: Any) -> None:
        super().__init__({"kind": "descent", "title": title}, **state)

    def losses(self, steps: int = 30) -> list[float]:
        """Return the loss before each step and after the last."""
        x, y, c = self.x, self.y, self.curvature
        out = []
        for _ in range(steps + 1):
            out.append((x * x + c * y * y) / 2)
            x, y = x - self.rate * x, y - self.rate * c * y
        return out

    def summary(self) -> str:
        """Return the border and what happened."""
        J = self.losses()
        return (
            f"Learning rate {draw.fmt(self.rate)}, largest curvature {draw.fmt(self.curvature)}: "
            f"the border is 2 / {draw.fmt(self.curvature)} = {draw.fmt(2 / self.curvature)}. "
            f"The loss goes from {draw.fmt(J[0])} to {draw.fmt(J[-1])} in 30 steps."
        )

    def picture(self) -> str:
        """Return the loss over the steps."""
        J = [max(v, 1e-300) for v in self.losses()]
        low, high = max(1e-12, min(*J, 1.0)), min(1e12, max(*J, 10.0))
        chart = draw.Chart(
            (0.0, 30.0), (low / 2, high * 2), logy=True, xlabel="step", ylabel="loss", right=60
        )
        chart.line([(float(k), v) for k, v in enumerate(J)], draw.V, "loss")
        return draw.picture(640, 300, chart.body(), self.spec["title"], self.summary())
