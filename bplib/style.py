"""The look of the book's static figures: role colors, size, direct labels.

A hue means a role, never a sign (the sign is printed), and every role has a second cue (line style,
marker) that survives in gray. Figures are opaque white cards in the light palette, on light and on
dark pages alike: no single color reaches the contrast of 4.5 to 1 that text needs on white *and* on
a dark page (the best possible is about 4.2), and a card needs no second copy of the figure. They
are PNG at twice the size on the page, because text in an SVG differs between matplotlib versions.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

SIZE = (7.2, 3.2)  # inches; 720 px wide in the page

#: role -> (hex color, dash pattern, marker)
ROLES: dict[str, tuple[str, Any, str]] = {
    "value": ("#1A61EB", "solid", "o"),
    "gradient": ("#B84A00", (0, (5, 2)), "s"),
    "local": ("#046850", (0, (1, 1.2)), "^"),
    "parameter": ("#7E2D72", (0, (6, 1.5, 1, 1.5)), "D"),
}
TINTS = {"value": "#E9F0FE", "gradient": "#FDEFE4", "local": "#E1F2EC", "parameter": "#F6EAF4"}
TEXT, SECOND, PAPER = "#1D2430", "#5B6472", "#FFFFFF"


def color(role: str) -> str:
    """Return the hex color of a role: ``value``, ``gradient``, ``local`` or ``parameter``."""
    if role not in ROLES:
        raise KeyError(f"style: no role {role!r}; the roles are {', '.join(ROLES)}")
    return ROLES[role][0]


def line(role: str) -> dict[str, Any]:
    """Return the keyword arguments of ``Axes.plot`` for a role: color, dash and marker."""
    hexcode, dash, marker = ROLES[role]
    return {"color": hexcode, "linestyle": dash, "marker": marker, "linewidth": 2, "markersize": 5}


def contrast(a: str, b: str) -> float:
    """Return the WCAG 2 contrast ratio of two hex colors, 1 (equal) to 21 (black on white)."""

    def luminance(h: str) -> float:
        channels = [int(h[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        lin = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * lin[0] + 0.7152 * lin[1] + 0.0722 * lin[2]

    hi, lo = sorted((luminance(a), luminance(b)), reverse=True)
    return (hi + 0.05) / (lo + 0.05)


RC: dict[str, Any] = {
    "figure.figsize": SIZE,
    "figure.constrained_layout.use": True,
    "figure.dpi": 100,
    "figure.facecolor": PAPER,
    "axes.facecolor": PAPER,
    "font.size": 11,
    "mathtext.fontset": "stix",
    "text.color": TEXT,
    "axes.labelcolor": SECOND,
    "axes.edgecolor": SECOND,
    "axes.titlecolor": TEXT,
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",
    "axes.titlesize": 11,
    "xtick.color": SECOND,
    "ytick.color": SECOND,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#E2E4E8",
    "grid.linewidth": 0.6,
    "legend.frameon": False,
}


def use() -> None:
    """Switch matplotlib, and IPython's figure format if there is one, to the book's style."""
    import matplotlib as mpl

    mpl.rcParams.update(RC)
    mpl.rcParams["axes.prop_cycle"] = mpl.cycler(
        color=[c for c, _, _ in ROLES.values()], linestyle=[d for _, d, _ in ROLES.values()]
    )
    try:
        from IPython import get_ipython
        from matplotlib_inline.backend_inline import set_matplotlib_formats
    except ImportError:
        return
    if get_ipython() is not None:
        # "tight", the default, would override the fixed size; the version would change the bytes.
        set_matplotlib_formats("retina", bbox_inches=None, metadata={"Software": None})


@contextmanager
def axes(columns: int = 1, *, size: tuple[float, float] = SIZE, **kwargs: Any) -> Iterator[Any]:
    """Yield the axes of a new figure in the book's style and show it when the block ends.

    One column yields one ``Axes``; more yield an array of them. ``kwargs`` go to ``plt.subplots``.
    """
    import matplotlib.pyplot as plt

    use()
    fig, ax = plt.subplots(1, columns, figsize=size, **kwargs)
    yield ax
    plt.show()
    plt.close(fig)


def label(ax: Any, x: float, y: float, text: str, role: str | None = None, **kwargs: Any) -> None:
    """Write ``text`` at a data point, offset 6 points to the right, in the color of its role."""
    kwargs = {"xytext": (6, 0), "textcoords": "offset points", "va": "center", **kwargs}
    ax.annotate(text, (x, y), color=color(role) if role else TEXT, **kwargs)
