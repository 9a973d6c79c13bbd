"""The figures of chapter 2. Each function draws and returns the numbers it has drawn."""

from __future__ import annotations

import numpy as np

from bplib import style


def _dot(ax, x: float, y: float, text: str, role: str) -> None:
    ax.text(
        x, y, text, ha="center", va="center", fontsize=13, color=style.color(role), zorder=3,
        bbox={"boxstyle": "circle,pad=0.3", "fc": style.TINTS[role], "ec": style.color(role)},
    )  # fmt: skip


def _number(value: float) -> str:
    return f"{value:.2f}".replace("-", "−")


def wires(jacobian: np.ndarray, x_dot: np.ndarray, y_bar: np.ndarray) -> dict[str, np.ndarray]:
    """Draw one Jacobian as wires twice: outputs gather forward, inputs gather backward."""
    m, n = jacobian.shape
    y_dot, x_bar = jacobian @ x_dot, jacobian.T @ y_bar
    inputs, outputs = np.linspace(1, -1, n), np.linspace(0.62, -0.62, m)
    panels = (
        ("forward: outputs gather", "value", x_dot, y_dot, 0, r"\dot"),
        ("backward: inputs gather", "gradient", x_bar, y_bar, 1, r"\bar"),
    )
    with style.axes(columns=2, size=(7.2, 3.4)) as both:
        for ax, (title, role, left, right, backward, accent) in zip(both, panels, strict=True):
            ax.set(xlim=(-0.75, 2.8), ylim=(-1.6, 1.35))
            ax.set_title(title, fontsize=10.5, loc="center")
            ax.set_axis_off()
            for i, j in np.ndindex(m, n):
                # One gathering is drawn strongly: that of output 1, or of input 1.
                strong = i == 0 if not backward else j == 0
                ax.plot(
                    [0.17, 1.83], [inputs[j], outputs[i]], zorder=1,
                    color=style.color(role) if strong else style.SECOND,
                    lw=2 if strong else 0.6,
                    ls=style.line(role)["linestyle"] if strong else "solid", marker="",
                )  # fmt: skip
                at = 0.36 if j != 1 else 0.62
                if strong:
                    ax.text(
                        2 * at, inputs[j] + (outputs[i] - inputs[j]) * at, _number(jacobian[i, j]),
                        ha="center", va="center", fontsize=9.5, color=style.color("local"),
                        bbox={"fc": style.PAPER, "ec": "none", "pad": 1},
                    )  # fmt: skip
            for j, y in enumerate(inputs):
                _dot(ax, 0, y, rf"${accent}{{x}}_{j + 1}$", role)
                ax.text(
                    -0.28, y, _number(left[j]), ha="right", va="center", color=style.color(role)
                )
            for i, y in enumerate(outputs):
                _dot(ax, 2, y, rf"${accent}{{y}}_{i + 1}$", role)
                ax.text(2.28, y, _number(right[i]), va="center", color=style.color(role))
    return {"y_dot": y_dot, "x_bar": x_bar}


def tensor_slices(tensor: np.ndarray, u: np.ndarray) -> dict[str, np.ndarray]:
    """Draw the three-index derivative of z = W^T u as one matrix for each output."""
    outputs, n, m = tensor.shape
    with style.axes(columns=outputs, size=(7.2, 2.9)) as tiles:
        for k, ax in enumerate(tiles):
            ax.set(xlim=(-0.6, m - 0.4), ylim=(n - 0.4, -0.6), aspect="equal")
            ax.set_title(rf"output $k = {k + 1}$", fontsize=10.5)
            ax.set(xticks=range(m), yticks=range(n))
            ax.set_xticklabels([str(b + 1) for b in range(m)])
            ax.set_yticklabels([str(a + 1) for a in range(n)])
            ax.tick_params(length=0)
            ax.grid(visible=False)
            ax.spines[:].set_visible(False)
            ax.set_xlabel("b")
            for a, b in np.ndindex(n, m):
                filled = tensor[k, a, b] != 0
                ax.text(
                    b, a, _number(tensor[k, a, b]) if filled else "0", ha="center", va="center",
                    fontsize=10, color=style.color("local") if filled else style.SECOND,
                    bbox={
                        "fc": style.TINTS["local"] if filled else style.PAPER,
                        "ec": "none", "boxstyle": "round,pad=0.3",
                    },
                )  # fmt: skip
        tiles[0].set_ylabel("a")
    return {
        "filled": np.count_nonzero(tensor),
        "columns": tensor[range(outputs), :, range(outputs)],
    }
