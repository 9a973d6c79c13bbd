"""The figure of chapter 3. It draws and returns what it has drawn."""

from __future__ import annotations

from bplib import style

# Columns are the longest distance from a leaf; rows keep the spine x, p, z, a, e, s, J straight.
PLACES = {
    "x": (0, 3), "w": (0, 2), "b": (1, 4), "t": (3, 4), "lambda": (1, -0.35),
    "p": (1, 3), "z": (2, 3), "a": (3, 3), "e": (4, 3), "s": (5, 3),
    "q": (1, 1), "r": (2, 0.5), "J": (6, 2),
}  # fmt: skip
MADE_BY = {
    "p": "x w", "z": "p + b", "a": "tanh z", "e": "a − t", "s": "e²", "q": "w²", "r": "λ q",
    "J": "s + r",
}  # fmt: skip


def example(graph: list[tuple], leaves: dict[str, float]) -> dict:
    """Draw the graph of the example: leaves, operations, and an arrow for every read."""
    edges = [(i, name) for name, _, inputs in graph for i in inputs]
    with style.axes(size=(7.2, 3.4)) as ax:
        for start, end in edges:
            (x0, y0), (x1, y1) = PLACES[start], PLACES[end]
            shared = start == "w"
            ax.annotate(
                "",
                (x1, y1),
                (x0, y0),
                arrowprops={
                    "arrowstyle": "-|>",
                    "color": style.color("parameter" if shared else "value"),
                    "lw": 2.2 if shared else 1.3,
                    "shrinkA": 15,
                    "shrinkB": 15,
                },
            )
        for name, (x, y) in PLACES.items():
            role = "parameter" if name in ("w", "b") else "value"
            leaf = name in leaves
            ax.text(
                x,
                y,
                {"lambda": r"$\lambda$"}.get(name, f"${name}$"),
                ha="center",
                va="center",
                fontsize=13,
                color=style.color(role),
                bbox={
                    "boxstyle": "square,pad=0.35" if leaf else "circle,pad=0.3",
                    "fc": style.TINTS[role] if leaf else style.PAPER,
                    "ec": style.color(role),
                    "lw": 1.2,
                },
            )
            if not leaf:
                ax.text(x, y - 0.62, MADE_BY[name], ha="center", va="center", color=style.SECOND)
        ax.set(xlim=(-0.4, 6.5), ylim=(-0.8, 4.5), title="Who reads whom?")
        ax.set_axis_off()
    return {"edges": edges, "nodes": list(PLACES)}
