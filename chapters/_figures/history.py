"""The timeline of the appendix on history. The function draws and returns what it has drawn."""

from __future__ import annotations

from bplib import style

# (year, who, role): derivatives and programs; what learns or is steered by them; tools.
WORKS = [
    (1676, "Leibniz: substitution", "value"),
    (1696, "L'Hôpital: textbook", "value"),
    (1847, "Cauchy: descent", "value"),
    (1960, "Kelley: flight paths", "gradient"),
    (1960, "Widrow, Hoff: a layer", "gradient"),
    (1961, "Bryson: stages", "gradient"),
    (1962, "Dreyfus: chain rule alone", "gradient"),
    (1964, "Wengert: forward sweep", "value"),
    (1967, "Amari: several layers", "gradient"),
    (1970, "Linnainmaa: reverse sweep", "value"),
    (1974, "Werbos: thesis", "gradient"),
    (1980, "Speelpenning: automatic", "value"),
    (1982, "Werbos: networks", "gradient"),
    (1983, "Baur, Strassen: bound", "value"),
    (1985, "Parker; LeCun", "gradient"),
    (1986, "Rumelhart et al.: hidden units", "gradient"),
    (1992, "Griewank: memory", "value"),
    (1994, "Pearlmutter: curvature", "value"),
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
    "value": (0.0, "derivatives, and programs for them"),
    "gradient": (0.3, "what learns or is steered by them"),
    "parameter": (0.6, "tools"),
}


def timeline() -> list[tuple[int, str, str]]:
    """Draw the works from top to bottom, one row each, in three narrow lanes.

    Narrow, so that the words can be read on a phone.
    """
    rows, above = len(WORKS), len(LANES) + 0.6
    with style.axes(size=(3.8, 0.19 * (rows + above))) as ax:
        for row, (role, (x, title)) in enumerate(LANES.items()):
            own = [y for y, work in enumerate(WORKS) if work[2] == role]
            look, top = style.line(role), row - above
            ax.plot([x, x], [top, own[-1]], **{**look, "marker": "", "linewidth": 1})
            ax.plot(x, top, look["marker"] or "o", ms=7, color=style.color(role))
            style.label(ax, 0.75, top, title, role, weight="bold", fontsize=9, xytext=(0, 0))
        for y, (year, who, role) in enumerate(WORKS):
            mark = style.line(role)["marker"] or "o"
            ax.plot(LANES[role][0], y, mark, ms=5, color=style.color(role))
            style.label(ax, 0.75, y, f"{year} {who}", fontsize=9, xytext=(0, 0))
        ax.set(xlim=(-0.1, 3.0), ylim=(rows - 0.4, -above - 0.5))
        ax.axis("off")
    return list(WORKS)
