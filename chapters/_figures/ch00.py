"""The figure of chapter 0. It draws and returns what it has drawn."""

from __future__ import annotations

from bplib import style


def shapes(B: int, n_in: int, n_out: int) -> dict:
    """Draw Z = A W + 1 b^T as rectangles to scale, one cell per number."""
    from matplotlib.patches import Rectangle

    parts = [
        ("$A$", "value", B, n_in, "$(B, n_{l-1})$", "·"),
        ("$W$", "parameter", n_in, n_out, "$(n_{l-1}, n_l)$", "+"),
        (r"$\mathbf{1}\, b^{\mathsf{T}}$", "parameter", B, n_out, "$b$: $(n_l,)$", "="),
        ("$Z$", "value", B, n_out, "$(B, n_l)$", ""),
    ]
    with style.axes() as ax:
        x, gap, tallest = 0.0, 1.9, max(B, n_in)
        for name, role, rows, columns, shape, sign in parts:
            top = tallest / 2 + rows / 2
            for i in range(rows):
                for j in range(columns):
                    ax.add_patch(
                        Rectangle(
                            (x + j, top - 1 - i),
                            0.92,
                            0.92,
                            facecolor=style.TINTS[role],
                            edgecolor=style.color(role),
                            linewidth=0.8,
                        )
                    )
            middle = x + columns / 2
            ax.text(middle, tallest + 0.35, name, ha="center", fontsize=15,
                    color=style.color(role))  # fmt: skip
            ax.text(middle, -0.45, f"{rows} × {columns}", ha="center", va="top",
                    color=style.color(role))  # fmt: skip
            ax.text(middle, -1.15, shape, ha="center", va="top", color=style.SECOND)
            x += columns
            ax.text(x + gap / 2, tallest / 2, sign, ha="center", va="center", fontsize=16)
            x += gap
        ax.set(xlim=(-0.5, x - gap + 0.5), ylim=(-1.8, tallest + 1.1), aspect="equal",
               title="Which sides must be equally long?")  # fmt: skip
        ax.set_axis_off()
    return {"shapes": [(rows, columns) for _, _, rows, columns, _, _ in parts]}
