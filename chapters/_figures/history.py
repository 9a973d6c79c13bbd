"""The timeline of the appendix on history. The function draws and returns what it has drawn."""

from __future__ import annotations

from bplib import style

# (year, who, role): derivatives and programs; what learns or is steered by them; tools.
WORKS = [
    (1676, "Leibniz: substitution", "value"),
    (1696, "L'Hôpital: a textbook", "value"),
    (1797, "Lagrange: functions", "value"),
    (1847, "Cauchy: descent", "value"),
    (1873, "Clifford: dual numbers", "value"),
    (1960, "Kelley", "gradient"),
    (1960, "Widrow, Hoff: one layer", "gradient"),
    (1961, "Bryson", "gradient"),
    (1962, "Dreyfus: chain rule", "gradient"),
    (1964, "Wengert: forward", "value"),
    (1967, "Amari: several layers", "gradient"),
    (1970, "Linnainmaa: reverse", "value"),
    (1974, "Werbos: thesis", "gradient"),
    (1980, "Speelpenning: automatic", "value"),
    (1982, "Werbos: networks", "gradient"),
    (1983, "Baur, Strassen: bound", "value"),
    (1985, "Parker; LeCun", "gradient"),
    (1986, "Rumelhart et al.", "gradient"),
    (1992, "Griewank: memory", "value"),
    (1994, "Pearlmutter: Hv", "value"),
    (2000, "revolve", "value"),
    (2002, "Torch", "parameter"),
    (2010, "Theano", "parameter"),
    (2014, "Caffe", "parameter"),
    (2015, "autograd, Chainer", "parameter"),
    (2016, "TensorFlow", "parameter"),
    (2017, "PyTorch", "parameter"),
    (2018, "JAX", "parameter"),
]
LANES = {
    "value": (0.0, "derivatives"),
    "gradient": (1.0, "learning, steering"),
    "parameter": (2.0, "tools"),
}


def timeline() -> list[tuple[int, str, str]]:
    """Draw the works from top to bottom, one row each, in three lanes."""
    rows = len(WORKS)
    with style.axes(size=(7.2, 0.205 * rows + 0.5)) as ax:
        for role, (x, title) in LANES.items():
            own = [y for y, work in enumerate(WORKS) if work[2] == role]
            ax.plot([x, x], [own[0], own[-1]], color=style.color(role), lw=1, marker="")
            ax.text(x, -1.1, title, color=style.color(role), weight="bold", va="center")
        for y, (year, who, role) in enumerate(WORKS):
            x = LANES[role][0]
            mark = style.line(role)["marker"] or "o"
            ax.plot(x, y, mark, ms=5, color=style.color(role))
            style.label(ax, x, y, f"{year} {who}", fontsize=9.5)
        ax.set(xlim=(-0.1, 2.75), ylim=(rows - 0.5, -1.7))
        ax.axis("off")
    return list(WORKS)
