"""Static figures in the book's look: role colors, fixed size, direct labels.

Colors, dashes and settings come from `bplib.figures.visual`, and so from the one token file. A hue
means a role, never a sign (the sign is printed), and every role has a second cue (dash, marker).

Figures are opaque white cards in the light palette, on light and on dark pages alike: no single
color reaches the contrast of 4.5 to 1 that text needs on white *and* on a dark page (the best
possible is about 4.2), and a card needs no second copy. They are PNG at twice the size on the page,
because text in an SVG differs between matplotlib versions and a PNG is not compared.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bplib.figures import visual

SIZE = (7.2, 3.2)  # inches; 720 px wide in the page
TEXT = visual.NEUTRAL["text"]["light"]
SECOND = visual.NEUTRAL["muted"]["light"]
PAPER = visual.NEUTRAL["page"]["light"]
TINTS = {role: tokens["tint"] for role, tokens in visual.ROLES.items()}


def color(role: str) -> str:
    """Return the hex color of a role: ``value``, ``gradient``, ``local`` or ``parameter``."""
    if role not in visual.ROLES:
        raise KeyError(f"style: no role {role!r}; the roles are {', '.join(visual.ROLES)}")
    return visual.ROLES[role]["light"]


def line(role: str) -> dict[str, Any]:
    """Return the keyword arguments of ``Axes.plot`` for a role: color, dash and marker."""
    dash, marker = visual.DASHES[role], visual.MARKERS[role]
    return {"color": color(role), "linestyle": dash, "marker": marker, "linewidth": 2}


def settings() -> dict[str, Any]:
    """Return the matplotlib settings: white card, and a font that comes with matplotlib."""
    return {
        **visual.style(),
        "font.sans-serif": ["DejaVu Sans"],  # comes with matplotlib: the same on every machine
        "figure.constrained_layout.use": True,
        "figure.facecolor": PAPER,
        "axes.facecolor": PAPER,
    }


def use() -> None:
    """Switch matplotlib, and IPython's figure format if there is one, to the book's style."""
    import matplotlib as mpl

    for name, value in settings().items():
        mpl.rcParams[name] = value  # type: ignore[index]
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
    """Write ``text`` beside a data point, 6 points to the right, in the color of its role."""
    kwargs = {"xytext": (6, 0), "textcoords": "offset points", "va": "center", **kwargs}
    ax.annotate(text, (x, y), color=color(role) if role else TEXT, **kwargs)
