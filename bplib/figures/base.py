"""What every live figure shares: its description, its state, and its four faces."""

from __future__ import annotations

import hashlib
from html import escape
from pathlib import Path
from typing import Any, ClassVar

import anywidget
import ipywidgets
import traitlets

from bplib import draw
from bplib.export import dumps, encode

_SEEN: dict[str, int] = {}


def _model_id(content: str) -> str:
    """Return an id made of the content and its count in this kernel.

    The usual random id would make every run of a notebook differ.
    """
    digest = hashlib.sha256(content.encode()).hexdigest()
    _SEEN[digest] = _SEEN.get(digest, 0) + 1
    return hashlib.sha256(f"{digest} {_SEEN[digest]}".encode()).hexdigest()[:32]


class Figure(anywidget.AnyWidget):
    """A figure that is alive in a notebook, in a static page and, as a picture, on paper.

    `spec` is what the front-end needs to draw it: at least ``{"kind": …, "title": …}``. Traits
    tagged ``state=True`` are the figure's state: they are synchronised with the front-end, and the
    page starts from their present values. A subclass gives `picture` (an SVG document) and
    `summary` (one paragraph of plain text).
    """

    _esm = Path(__file__).parent / "static" / "figures.js"
    spec = traitlets.Dict().tag(sync=True)
    #: Sliders of `controls()`: trait -> (low, high, step), or ("log", low exponent, high exponent).
    knobs: ClassVar[dict[str, tuple[Any, ...]]] = {}

    def __init__(self, spec: dict[str, Any], **state: Any) -> None:
        super().__init__(spec=spec, model_id=_model_id(dumps([spec, encode_state(state)])), **state)

    def state(self) -> dict[str, Any]:
        """Return the values of the state traits, ready for JSON."""
        return encode_state({name: getattr(self, name) for name in self.trait_names(state=True)})

    def picture(self) -> str:
        """Return the figure as an SVG document."""
        return draw.notice(self.spec["title"], self.summary())

    def summary(self) -> str:
        """Return what the figure shows, in words and numbers."""
        return str(self.spec["title"])

    def html(self) -> str:
        """Return the page's face: the picture, and the description that brings it to life."""
        spec = {**self.spec, "state": dict(sorted(self.state().items()))}
        return (
            f'<div class="bp-figure" data-kind="{escape(str(spec["kind"]))}">'
            f'<div class="bp-static"><p><strong>{escape(str(spec["title"]))}</strong></p>'
            f"{self.picture()}<p>{escape(self.summary())}</p></div>"
            f'<script type="application/json">{dumps(spec)}</script></div>'
        )

    def controls(self) -> ipywidgets.VBox:
        """Return the figure under ipywidgets controls for its state, linked both ways.

        The controls need a kernel; in a page the figure stands alone, with its own.
        """
        rows = []
        for name in sorted(self.trait_names(state=True)):
            knob = self._knob(name)
            if knob is not None:
                traitlets.link((knob, "value"), (self, name))
                rows.append(knob)
        return _Controls(self, rows)

    def _range(self, name: str) -> tuple[Any, ...] | None:
        return self.knobs.get(name)

    def _knob(self, name: str) -> ipywidgets.Widget | None:
        trait, value = self.traits()[name], getattr(self, name)
        text = {"description": name.removeprefix("v_").replace("_", " "), "value": value}
        if isinstance(trait, traitlets.Enum):
            return ipywidgets.Dropdown(options=list(trait.values or ()), **text)
        span = self._range(name)
        if span is None or isinstance(trait, traitlets.List):
            return None
        low, high, step = span
        if low == "log":
            return ipywidgets.FloatLogSlider(min=high, max=step, step=0.05, **text)
        # A value outside the range widens it: a control must not change what it shows.
        low, high = min(low, value), max(high, value)
        kind = ipywidgets.IntSlider if isinstance(trait, traitlets.Int) else ipywidgets.FloatSlider
        return kind(min=low, max=high, step=step, **text)

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        bundle = super()._repr_mimebundle_(**kwargs)
        data, meta = bundle if isinstance(bundle, tuple) else (bundle or {}, {})
        data = dict(data)
        data["text/html"] = self.html()
        data["image/svg+xml"] = self.picture()
        data["text/plain"] = f"{self.spec['title']} {self.summary()}"
        return data, meta


class _Controls(ipywidgets.VBox):
    """Controls above a figure; where there is no kernel, the figure and an honest word."""

    def __init__(self, figure: Figure, rows: list[ipywidgets.Widget]) -> None:
        self._figure = figure
        name = dumps(["controls", figure.spec, figure.state()])
        super().__init__([*rows, figure], model_id=_model_id(name))

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        bundle = super()._repr_mimebundle_(**kwargs)
        data, meta = bundle if isinstance(bundle, tuple) else (bundle or {}, {})
        note = "In JupyterLab, sliders that Python reads and writes stand above this figure."
        data = {**data, "text/html": f"{self._figure.html()}<p><em>{note}</em></p>"}
        data["text/plain"] = f"{self._figure.spec['title']} {self._figure.summary()}"
        return data, meta


def encode_state(state: dict[str, Any]) -> dict[str, Any]:
    """Return state values as JSON values; text and None stay as they are."""
    return {k: v if v is None or isinstance(v, str | bool) else _list(v) for k, v in state.items()}


def _list(v: Any) -> Any:
    if isinstance(v, list | tuple):
        return [_list(x) for x in v]
    return v if isinstance(v, str | bool) else encode(v)
