"""Figures 4 and 5: contributions that add up, and products that may be bracketed in any order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import traitlets

from bplib import draw
from bplib.figures.base import Figure


def ledger(w: float, xs: Sequence[float], ys: Sequence[float]) -> list[dict[str, float]]:
    """Return, use by use of w in J = sum (w x_k - y_k)**2 / 2, the contribution and the sum."""
    rows, total = [], 0.0
    for x, y in zip(xs, ys, strict=True):
        z = w * x
        c = (z - y) * x
        total += c
        rows.append({"x": x, "y": y, "z": z, "zbar": z - y, "c": c, "total": total})
    return rows


class FanoutLedger(Figure):
    """Why do gradients add? One weight w used up to nine times, contribution by contribution.

    x, y  what each use reads and wants: equally many numbers, at most nine
    w     the weight, uses how many of them count, step how many have been added (-1: all)

    Raises ValueError for lists that do not match.
    """

    knobs: ClassVar = {"w": (-2.0, 2.0, 0.01), "uses": (1, 9, 1)}
    w = traitlets.Float(0.8).tag(sync=True, state=True)
    uses = traitlets.Int(4, min=1, max=9).tag(sync=True, state=True)
    step = traitlets.Int(-1).tag(sync=True, state=True)

    def __init__(
        self,
        x: Sequence[float] = (1.5, -0.5, 2.0, 1.0, -1.25, 0.75),
        y: Sequence[float] = (0.5, 1.0, 2.5, -0.5, -1.0, 2.0),
        *,
        title: str = "Why do gradients add?",
        **state: Any,
    ) -> None:
        if len(x) != len(y) or not 1 <= len(x) <= 9:
            raise ValueError(
                f"FanoutLedger: x and y need the same length, 1 to 9; got {len(x)} and {len(y)}."
            )
        state.setdefault("uses", min(4, len(x)))
        if not 1 <= state["uses"] <= len(x):
            raise ValueError(f"FanoutLedger: uses must be 1 to {len(x)}, got {state['uses']}.")
        spec = {"kind": "ledger", "title": title, "x": [*map(float, x)], "y": [*map(float, y)]}
        super().__init__(spec, **state)

    def rows(self) -> list[dict[str, float]]:
        """Return the ledger at the present weight."""
        n = self.uses
        return ledger(self.w, self.spec["x"][:n], self.spec["y"][:n])

    def summary(self) -> str:
        """Return the contributions and their sum."""
        rows = self.rows()
        parts = ", ".join(draw.fmt(r["c"]) for r in rows)
        return (
            f"w = {draw.fmt(self.w)} is used {len(rows)} times; the contributions {parts} "
            f"add up to the gradient {draw.fmt(rows[-1]['total'])}."
        )

    def picture(self) -> str:
        """Return the contributions as a waterfall."""
        rows = self.rows()
        totals = [0.0, *(r["total"] for r in rows)]
        room = (max(totals) - min(totals) or 1.0) * 0.15
        chart = draw.Chart(
            (0.4, len(rows) + 1.6), (min(totals) - room, max(totals) + room),
            ylabel="sum so far", xlabel="use of w; last, the gradient", size=(640, 260), right=20,
        )  # fmt: skip
        steps = [(i + 1, r["total"] - r["c"], r["total"], r["c"]) for i, r in enumerate(rows)]
        steps.append((len(rows) + 1, 0.0, totals[-1], totals[-1]))
        for i, a, b, c in steps:
            x, ya, yb = chart.px(i), chart.py(a), chart.py(b)
            chart.parts.append(
                draw.tag("rect", x=x - 20, y=min(ya, yb), width=40, height=abs(ya - yb),
                         fill=draw.GT if c >= 0 else draw.PAGE, stroke=draw.G, stroke_width=1.5)
            )  # fmt: skip
            at = yb - 6 if b >= a else yb + 15
            label = draw.fmt(c) if i > len(rows) or c < 0 else "+" + draw.fmt(c)
            chart.parts.append(draw.text(x, at, label, draw.G, 12, text_anchor="middle"))
        return draw.picture(640, 260, chart.body(), self.spec["title"], self.summary())


def best_order(widths: Sequence[int]) -> tuple[int, str]:
    """Return the fewest multiplications for the product J_L … J_1, and an order that needs them.

    J_l is n_l by n_{l-1}. Dynamic programming over sub-chains (Godbole 1973).
    """
    d, n = list(widths), len(widths) - 1
    cost = [[0] * n for _ in range(n)]
    cut = [[0] * n for _ in range(n)]
    for length in range(2, n + 1):
        for i in range(n - length + 1):
            j = i + length - 1
            options = [
                (cost[i][k] + cost[k + 1][j] + d[i] * d[k + 1] * d[j + 1], k) for k in range(i, j)
            ]
            cost[i][j], cut[i][j] = min(options)

    def say(i: int, j: int) -> str:
        if i == j:
            return "J" + str(i + 1).translate(str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉"))
        return f"({say(cut[i][j] + 1, j)} {say(i, cut[i][j])})"

    text = say(0, n - 1)
    return cost[0][n - 1], text[1:-1] if text.startswith("(") else text


def forward_cost(widths: Sequence[int]) -> int:
    """Return the multiplications of the product taken from the input."""
    d = widths
    return sum(d[0] * d[k - 1] * d[k] for k in range(2, len(d)))


def reverse_cost(widths: Sequence[int]) -> int:
    """Return the multiplications of the product taken from the output."""
    d = widths
    return sum(d[-1] * d[k] * d[k - 1] for k in range(1, len(d) - 1))


class BracketGame(Figure):
    """Which order is cheapest? The reader multiplies a chain of Jacobians, pair by pair.

    widths  n_0 … n_L from input to output, 3 to 9 of them, each 1 to 10,000

    Raises traitlets.TraitError for other widths.
    """

    widths = traitlets.List(traitlets.Int(min=1, max=10_000), minlen=3, maxlen=9).tag(
        sync=True, state=True
    )

    def __init__(
        self,
        widths: Sequence[int] = (2, 50, 50, 50, 1),
        *,
        title: str = "Which order is cheapest?",
    ) -> None:
        super().__init__({"kind": "bracket", "title": title}, widths=list(widths))

    def costs(self) -> dict[str, int]:
        """Return the multiplications of the three orders."""
        d = self.widths
        return {
            "backward": reverse_cost(d),
            "forward": forward_cost(d),
            "cheapest": best_order(d)[0],
        }

    def summary(self) -> str:
        """Return the chain and its costs."""
        said = ", ".join(f"{k} {v}" for k, v in self.costs().items())
        chain = ", ".join(map(str, self.widths))
        return f"Widths {chain}. Multiplications: {said}; cheapest {best_order(self.widths)[1]}."

    def picture(self) -> str:
        """Return the costs as bars."""
        rows = self.costs()
        top = max(*rows.values(), 1)
        body = draw.text(0, 18, "Widths from input to output: " + ", ".join(map(str, self.widths)))
        for i, (name, v) in enumerate(rows.items()):
            y = 34 + 30 * i
            wide = max(1.0, v / top * 320)
            body += draw.text(0, y + 15, name, size=14)
            body += draw.tag("rect", x=100, y=y, width=wide, height=20, fill=draw.LT, stroke=draw.L)
            body += draw.text(108 + wide, y + 15, f"{v:,}".replace(",", "\u202f"), draw.L, 13)
        body += draw.text(0, 144, "Cheapest order: " + best_order(self.widths)[1], size=14)
        return draw.picture(640, 160, body, self.spec["title"], self.summary())
