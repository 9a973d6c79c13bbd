"""The visual language: one token file, written out as CSS, as KaTeX macros and for matplotlib."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bplib import draw

TOKENS: dict[str, Any] = json.loads(
    Path(__file__).with_name("tokens.json").read_text(encoding="utf-8")
)
ROLES: dict[str, dict[str, str]] = TOKENS["roles"]
NEUTRAL: dict[str, dict[str, str]] = TOKENS["neutral"]

#: A second cue for every colour of the cycle: nothing is told apart by hue alone.
DASHES = {"value": "-", "gradient": (0, (5, 3.5)), "local": (0, (1, 2)), "parameter": "-."}
MARKERS = {"value": "o", "gradient": "s", "local": "^", "parameter": "D"}


def katex_macros() -> dict[str, str]:
    r"""Return ``\val \cot \loc \prm`` for KaTeX (they need ``trust`` for ``\htmlClass``).

    ``\val{z}`` sets z in the colour of values, and so on; the colour comes from the style sheet,
    so it follows light and dark. KaTeX knows a cotangent function ``\cot``: it is replaced.
    """
    return {
        "\\" + r["macro"]: r"\htmlClass{{bp-{}}}{{#1}}".format(r["macro"]) for r in ROLES.values()
    }


def css() -> str:
    """Return the style sheet for prose and equations: role colours in light and in dark."""

    def block(mode: str) -> str:
        rows = [f"--bp-{r['macro']}:{r[mode]};" for r in ROLES.values()]
        tint = "tint" if mode == "light" else "darktint"
        rows += [f"--bp-{r['macro']}-tint:{r[tint]};" for r in ROLES.values()]
        rows += [f"--bp-{name}:{r[mode]};" for name, r in NEUTRAL.items()]
        return "".join(rows)

    light, dark = block("light"), block("dark")
    lines = [
        "/* Written by bplib.figures.bundle from tokens.json. */",
        f":root{{{light}}}",
        f'html[data-theme="dark"],body[data-jp-theme-light="false"]{{{dark}}}',
        "@media (prefers-color-scheme:dark){html:not([data-theme])"
        f" body:not([data-jp-theme-light]){{{dark}}}}}",
        f"@media print{{html,html[data-theme]{{{light}}}}}",
    ]
    lines += [f".bp-{r['macro']}{{color:var(--bp-{r['macro']})}}" for r in ROLES.values()]
    lines += [
        ".bp-cot{text-decoration-style:dashed}",
        ".bp-static{max-width:860px;margin:0 auto;overflow-x:auto}",
        ".bp-static svg{max-width:100%;height:auto;display:block;margin:0 auto}",
    ]
    # The printed pictures, until the live figure takes their place, and where there is none.
    for theme in ('html[data-theme="dark"] .bp-s', 'body[data-jp-theme-light="false"] .bp-s'):
        lines.append(f"@media screen{{{draw.dark_rules(theme)}}}")
    return "\n".join(lines) + "\n"


def style() -> dict[str, Any]:
    """Return the matplotlib settings: give them to ``matplotlib.rc_context`` or use `use_style`."""
    from cycler import cycler

    ink, muted = NEUTRAL["text"]["light"], NEUTRAL["muted"]["light"]
    return {
        "figure.figsize": (7.2, 3.2),
        "figure.dpi": 100,
        "savefig.dpi": 200,
        "font.family": "sans-serif",
        "font.sans-serif": ["Noto Sans", "DejaVu Sans"],
        "font.size": 10.5,
        "mathtext.fontset": "stix",
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.edgecolor": muted,
        "axes.linewidth": 0.8,
        "axes.labelcolor": ink,
        "axes.titlesize": 11.5,
        "axes.titleweight": "bold",
        "axes.titlelocation": "left",
        "axes.titlecolor": ink,
        "axes.grid": True,
        "axes.axisbelow": True,
        "grid.color": NEUTRAL["hair"]["light"],
        "grid.linewidth": 0.8,
        "xtick.color": muted,
        "ytick.color": muted,
        "text.color": ink,
        "lines.linewidth": 2.0,
        "lines.markersize": 5.5,
        "legend.frameon": False,
        "svg.hashsalt": "bplib",
        "axes.prop_cycle": cycler(
            color=[r["light"] for r in ROLES.values()],
            linestyle=[DASHES[k] for k in ROLES],
            marker=[MARKERS[k] for k in ROLES],
        ),
    }


@contextmanager
def use_style() -> Iterator[None]:
    """Draw in the book's style inside a ``with`` block."""
    import matplotlib

    settings: Any = style()
    with matplotlib.rc_context(settings):
        yield


def label_lines(ax: Any) -> None:
    """Write each line's label at its right end, in its colour, instead of a legend."""
    for line in ax.get_lines():
        text = line.get_label()
        if text.startswith("_") or not len(line.get_xdata()):
            continue
        ax.annotate(
            text,
            (line.get_xdata()[-1], line.get_ydata()[-1]),
            xytext=(6, 0),
            textcoords="offset points",
            color=line.get_color(),
            va="center",
            annotation_clip=False,
        )


def files() -> dict[str, str]:
    """Return the generated files: the style sheet and the KaTeX macros."""
    macros = json.dumps(katex_macros(), indent=1, sort_keys=True) + "\n"
    return {"static/tokens.css": css(), "static/katex_macros.json": macros}
