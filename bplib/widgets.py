"""Live figures in a notebook. Needs the `widgets` extra; nothing else in bplib imports this.

`LayerBench` asks what a stack of layers does to signals. It is in three parts that know each other
in one direction only: `Bench` holds the state and computes (no widgets), `panel` writes a state as
HTML (no widgets), and `LayerBench` shows both with controls.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from html import escape
from typing import Any, NamedTuple

import numpy as np

from . import data as data_sets
from . import init as inits
from . import train as training
from .nn import MLP, get_activation
from .optim import SGD

try:
    import ipywidgets as ipw  # type: ignore[import-untyped]
except ImportError as missing:
    raise ImportError(
        "bplib.widgets needs ipywidgets: install the extra with pip install 'bplib[widgets]'."
    ) from missing

ACTIVATIONS = ("tanh", "sigmoid", "relu", "leaky_relu", "gelu", "silu", "identity")
DATA = {"moons": "two moons", "digits": "handwritten digits"}
LOSS = "softmax_cross_entropy"
MAX_LAYERS, MAX_WIDTH = 12, 256
PROBE = 256  # rows on which signals are measured; always the same ones
BINS = 15  # odd, so that the exact zeros of a ReLU lie in the middle of a bin
FLAT = 0.01  # a derivative below this passes next to nothing on


# The state and what is computed from it: no widgets


class Signal(NamedTuple):
    """What one layer did to the probe batch; layer 0 is the data.

    RMS of the activations, of the error signal Delta = dJ/dZ and of dJ/dW (None for the data);
    `flat` is the share of entries with |phi'(Z)| < 0.01; the histograms count entries in BINS equal
    bins from -reach to +reach.
    """

    layer: int
    width: int
    activation: str
    values: float
    gradients: float | None
    weights: float | None
    flat: float | None
    value_counts: list[int]
    value_reach: float
    gradient_counts: list[int] | None
    gradient_reach: float | None


class Bench:
    """A network, its data and its training so far: everything that `LayerBench` shows.

    `layers` is a list of (width, activation), one per hidden layer. Changing data, layers, init,
    gain or seed starts again from new weights; changing the learning rate does not.
    Raises ValueError for settings that make no network.
    """

    def __init__(
        self,
        data: str = "moons",
        layers: Sequence[Any] = (16, 16),
        activation: str = "tanh",
        init: str = "glorot",
        gain: float = 1.0,
        learning_rate: float = 0.3,
        seed: int = 0,
    ) -> None:
        pairs = [x if isinstance(x, (tuple, list)) else (x, activation) for x in layers]
        self._settings: dict[str, Any] = {
            "data": data,
            "layers": [(width, name) for width, name in pairs],
            "init": init,
            "gain": gain,
            "seed": seed,
        }
        self._points: dict[str, tuple[np.ndarray, np.ndarray, int]] = {}
        self.learning_rate = learning_rate
        self._records: Iterator[training.Progress] | None = None
        self._build(self._settings)

    def change(self, **settings: Any) -> None:
        """Change settings; any but `learning_rate` starts again. On ValueError nothing changed."""
        settings = dict(settings)
        rate = settings.pop("learning_rate", self.learning_rate)
        SGD(rate)  # its check is ours
        if settings:
            unknown = sorted(settings.keys() - self._settings.keys())
            if unknown:
                raise ValueError(
                    f"Bench.change: no setting is called {unknown[0]!r}; "
                    f"there are {', '.join(self._settings)} and learning_rate."
                )
            self._build({**self._settings, **settings})
        self.learning_rate = rate

    def add_layer(self, width: int = 16, activation: str = "tanh") -> None:
        """Put a hidden layer behind the others."""
        self.change(layers=[*self.layers, (width, activation)])

    def remove_layer(self, index: int = -1) -> None:
        """Take one hidden layer (0 is the first) away."""
        layers = list(self.layers)
        if not layers:
            raise ValueError("Bench.remove_layer: there is no hidden layer left to remove.")
        del layers[index]
        self.change(layers=layers)

    def set_layer(
        self, index: int, width: int | None = None, activation: str | None = None
    ) -> None:
        """Change the width or the activation of one hidden layer."""
        layers = list(self.layers)
        old = layers[index]
        layers[index] = (old[0] if width is None else width, activation or old[1])
        self.change(layers=layers)

    def restart(self) -> None:
        """Return to the initial weights."""
        self._build(self._settings)

    def train(self, epochs: int = 1) -> None:
        """Train by plain SGD in batches of 32; a loss that explodes is told in `message`."""
        if self._records is None:
            self._records = training.train(
                self.net,
                self.X,
                self.T,
                loss=LOSS,
                optimizer=SGD(lambda t: self.learning_rate),
                epochs=10**9,
                seed=self.seed,
            )
        self.message = ""
        try:
            for _ in range(epochs):
                self.losses.append(next(self._records).J)
        except training.Diverged as stop:
            self._records = None
            layer = "" if stop.layer is None else f", first in layer {stop.layer}"
            self.message = (
                f"The loss became {_number(stop.J)} after {len(self.losses)} epochs{layer}. "
                f"The weights of the last good epoch are back. The learning rate was "
                f"{_number(self.learning_rate)}: try a tenth of it."
            )

    def signals(self) -> list[Signal]:
        """Return one `Signal` per layer 0..L, measured on the same rows of the data every time."""
        X, T, net = self.X[:PROBE], self.T[:PROBE], self.net
        with np.errstate(all="ignore"):
            Z, A = net.forward(X)
            g = net.backprop(X, T, LOSS)
            nothing = None, None, None
            signals = [Signal(0, net.widths[0], "data", _rms(X), *nothing, *_counts(X), None, None)]
            for layer in range(1, net.L + 1):
                phi, Delta = net.phi[layer], g.Delta[layer]
                slope = phi.rule(np.ones_like(Z[layer]), A[layer], Z[layer])
                flat = None if layer == net.L else float((np.abs(slope) < FLAT).mean())
                signals.append(
                    Signal(
                        layer,
                        net.widths[layer],
                        phi.name,
                        _rms(A[layer]),
                        _rms(Delta),
                        _rms(g.W[layer]),
                        flat,
                        *_counts(A[layer]),
                        *_counts(Delta),
                    )
                )
        return signals

    def accuracy(self) -> float:
        """Return the share of the training rows that the network labels right."""
        return training.accuracy(self.net, self.X, self.T)

    def state(self) -> dict[str, Any]:
        """Return the settings and the epochs trained, as JSON can hold them."""
        layers = [{"width": w, "activation": a} for w, a in self.layers]
        rest = {k: v for k, v in self._settings.items() if k != "layers"}
        epochs = len(self.losses)
        return {**rest, "layers": layers, "learning_rate": self.learning_rate, "epochs": epochs}

    @property
    def layers(self) -> list[tuple[int, str]]:
        """The hidden layers as (width, activation)."""
        return list(self._settings["layers"])

    def __getattr__(self, name: str) -> Any:
        # data, init, gain and seed are read like attributes and changed through `change` alone
        settings = self.__dict__.get("_settings", {})
        if name in settings:
            return settings[name]
        raise AttributeError(f"Bench has no attribute {name!r}")

    def _build(self, settings: dict[str, Any]) -> None:
        """Build the network first and keep it only if that worked."""
        if settings["data"] not in DATA:
            raise ValueError(
                f"Bench: data must be one of {', '.join(DATA)}, got {settings['data']!r}."
            )
        layers, gain = settings["layers"], settings["gain"]
        if settings["init"] not in inits.TABLE:
            raise ValueError(
                f"Bench: init must be one of {', '.join(inits.TABLE)}, got {settings['init']!r}."
            )
        if len(layers) > MAX_LAYERS or any(not 0 < width <= MAX_WIDTH for width, _ in layers):
            raise ValueError(
                f"Bench: up to {MAX_LAYERS} layers of 1 to {MAX_WIDTH} units, "
                f"got widths {[width for width, _ in layers]}."
            )
        if not (math.isfinite(gain) and gain > 0):
            raise ValueError(f"Bench: gain must be a finite number > 0, got {gain!r}.")
        SGD(self.learning_rate)
        X, T, K = self._load(settings["data"])
        net = MLP(
            [X.shape[1], *(width for width, _ in layers), K],
            [get_activation(name) for _, name in layers],
            "softmax",
            init=settings["init"],
            gain=gain,
            seed=settings["seed"],
        )
        self.X, self.T, self.net, self._settings = X, T, net, settings
        self.losses: list[float] = []
        self.message = ""
        self._records = None

    def _load(self, name: str) -> tuple[np.ndarray, np.ndarray, int]:
        if name not in self._points:
            if name == "moons":
                self._points[name] = (*data_sets.two_moons(400, seed=0), 2)
            else:
                digits = data_sets.digits()
                # The split is sorted as the images came; the probe is a fair mix all the same.
                self._points[name] = (2 * digits.X - 1, digits.t, 10)
        return self._points[name]


def _rms(array: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(array))))


def _counts(array: np.ndarray) -> tuple[list[int], float]:
    finite = array[np.isfinite(array)]
    reach = float(np.abs(finite).max(initial=0.0))
    if reach == 0.0:  # all entries in the middle bin
        middle = [0] * BINS
        middle[BINS // 2] = int(finite.size)
        return middle, 0.0
    counts, _ = np.histogram(finite, BINS, (-reach, reach))
    return counts.tolist(), reach


# The printed face: a state as HTML, no widgets and no script

_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
LOW, HIGH = -7, 2  # decades of the RMS scale

_LIGHT = "--v:#1A61EB;--vt:#E9F0FE;--g:#B84A00;--gt:#FDEFE4;--t:#1D2430;--m:#5B6472;--h:#868F9D"
_DARK = "--v:#67B0F9;--vt:#17293F;--g:#F8B478;--gt:#38260F;--t:#E6E9EE;--m:#A4ADBA;--h:#7A8494"
STYLE = f"""
.bp-bench{{{_LIGHT};color:var(--t);font:14px/1.45 system-ui,sans-serif;max-width:720px;
margin:0 auto;container-type:inline-size;font-variant-numeric:tabular-nums;
overflow-wrap:break-word}}
html[data-theme="dark"] .bp-bench,body[data-jp-theme-light="false"] .bp-bench{{{_DARK}}}
@media (prefers-color-scheme:dark){{html:not([data-theme]) body:not([data-jp-theme-light])
 .bp-bench{{{_DARK}}}}}
@media print{{html .bp-bench.bp-bench.bp-bench{{{_LIGHT}}}}}
.bp-bench .q{{font-weight:600;font-size:16px;margin:0 0 4px;text-align:left;color:var(--t)}}
.bp-bench p{{margin:4px 0;font-size:14px}}
.bp-bench .n{{color:var(--m)}}
.bp-bench .v{{color:var(--v)}}.bp-bench .g{{color:var(--g)}}
.bp-bench .row{{display:grid;grid-template-columns:1fr 1fr;gap:2px 12px;padding:6px 0;
border-top:1px solid var(--h)}}
.bp-bench .row>*{{min-width:0}}
.bp-bench .who,.bp-bench .bars{{grid-column:1/-1}}
.bp-bench .who>span{{margin-right:.8em}}
.bp-bench .line{{display:grid;grid-template-columns:minmax(0,1fr) 6.2em;gap:6px;align-items:center}}
.bp-bench .line b{{font-weight:500;text-align:right}}
.bp-bench svg{{display:block;width:100%;overflow:visible}}
.bp-bench .fv{{fill:var(--v)}}
.bp-bench .fg{{fill:var(--gt);stroke:var(--g);stroke-width:1.5;stroke-dasharray:5 3.5}}
.bp-bench .tg{{fill:var(--g)}}
.bp-bench .ax{{stroke:var(--h);stroke-width:1}}
.bp-bench .lv{{fill:none;stroke:var(--v);stroke-width:2;vector-effect:non-scaling-stroke}}
.bp-bench text{{fill:var(--m);font-size:11px}}
.bp-bench i{{font-family:"STIX Two Text",Georgia,serif}}
.bp-bench sup{{font-size:.72em;line-height:0}}
.bp-bench table{{border-collapse:collapse;font-size:13px;color:inherit;margin:4px 0;width:100%}}
.bp-bench th,.bp-bench td{{padding:2px 4px;text-align:right;border-bottom:1px solid var(--h);
background:none;color:inherit;white-space:normal}}
.bp-bench th:first-child{{text-align:left}}
.bp-bench summary{{cursor:pointer;padding:6px 0}}
.bp-bench .say{{border-left:4px solid var(--g);padding-left:10px}}
@container (min-width:560px){{.bp-bench .row{{grid-template-columns:9em minmax(0,1fr) 7em 7em}}
.bp-bench .who,.bp-bench .bars{{grid-column:auto}}.bp-bench .who>span{{display:block}}}}
@container (max-width:420px){{.bp-bench table{{font-size:11px}}
.bp-bench th,.bp-bench td{{padding:2px}}}}
@media (forced-colors:active){{.bp-bench .fv,.bp-bench .tg{{fill:CanvasText}}
.bp-bench .fg{{fill:Canvas;stroke:CanvasText}}}}
"""


def panel(bench: Bench, note: str = "") -> str:
    """Return the state of a bench as one HTML figure: bars, histograms, loss and a table.

    Deterministic (no ids, no time), without script; colors follow light, dark, print and forced
    colors. `note` is a closing sentence of plain text.
    """
    signals = bench.signals()
    chain = "-".join(map(str, bench.net.widths))
    epochs = len(bench.losses)
    trained = "Before training: "
    if epochs:
        trained = f"After {_epochs(epochs)}: loss {_number(bench.losses[-1])}, "
    about = (
        f"{DATA[bench.data]}, layers {chain}, {bench.init} initialization with gain "
        f"{_number(bench.gain)}, learning rate {_number(bench.learning_rate)}. "
        f"{trained}{_percent(bench.accuracy())} of the training data right."
    )
    rows = "".join(_row(s) for s in signals)
    parts = [
        '<figure class="bp-bench" style="margin:0 auto">',
        f"<style>{STYLE}</style>",
        '<figcaption class="q">What do these layers do to signals?</figcaption>',
        f"<p>{escape(about[0].upper() + about[1:])}</p>",
        '<p><span class="v">▶ values <i>A</i></span> (solid) and <span class="g">◀ gradients '
        "<i>Δ</i></span> (dashed), root mean square on a scale of powers of ten; on the right, "
        "how the single numbers spread around 0.</p>",
        rows,
        _axis(),
        _loss_curve(bench.losses),
        f'<p class="say">{escape(_sentence(signals))}</p>',
        f'<p class="say" role="status">{escape(bench.message)}</p>' if bench.message else "",
        '<details><summary data-lm-suppress-shortcuts="true">All numbers as a table</summary>'
        f"{_table(signals)}</details>",
        f'<p class="n">{escape(note)}</p>' if note else "",
        "</figure>",
    ]
    return "\n".join(p for p in parts if p)


def _row(s: Signal) -> str:
    name = "data" if s.layer == 0 else f"layer {s.layer}, {s.activation}"
    units = f"{s.width} unit{'s' * (s.width != 1)}"
    told = f"RMS of the values {_number(s.values)}"
    bars = [_bar(s.values, "v", f"Values of {name}")]
    hists = [_histogram(s.value_counts, s.value_reach, "v", f"Values of {name}"), "<div></div>"]
    if s.gradients is not None:
        told += f", of the gradients {_number(s.gradients)}"
        bars.append(_bar(s.gradients, "g", f"Gradients of {name}"))
        hists[1] = _histogram(
            s.gradient_counts or [], s.gradient_reach or 0.0, "g", f"Gradients of {name}"
        )
    flat = "" if s.flat is None else f' <span class="n">φ′ ≈ 0: {_percent(s.flat)}</span>'
    return (
        f'<div class="row" role="group" aria-label="{escape(name)}: {escape(told)}">'
        f'<div class="who"><span><i>A</i><sup>[{s.layer}]</sup> {escape(s.activation)}</span> '
        f'<span class="n">{units}</span>{flat}</div>'
        f'<div class="bars">{"".join(bars)}</div>{"".join(hists)}</div>'
    )


def _bar(rms: float, role: str, name: str) -> str:
    title = f"<title>{escape(name)}</title><desc>root mean square {_number(rms)}</desc>"
    length = _place(rms)
    if role == "v":
        shape = f'<rect class="fv" fill="#1A61EB" x="0" y="3" width="{length}%" height="12"/>'
    else:
        shape = (
            f'<rect class="fg" fill="#FDEFE4" stroke="#B84A00" stroke-dasharray="5 3.5" '
            f'x="1" y="4" width="{length}%" height="10"/>'
            '<path class="tg" fill="#B84A00" d="M8 5v8l-6-4z"/>'
        )
    if not length:
        shape = '<path class="ax" stroke="#868F9D" d="M0.5 2v14"/>'
    return (
        f'<div class="line"><svg role="img" height="18">{title}{shape}</svg>'
        f'<b class="{role}">{_number(rms)}</b></div>'
    )


def _place(x: float) -> float:
    """Return the percentage of the scale that a magnitude fills."""
    if not x > 0:
        return 0.0
    if math.isinf(x):
        return 100.0
    return round(100 * min(1.0, max(0.0, (math.log10(x) - LOW) / (HIGH - LOW))), 1)


def _axis() -> str:
    marks = []
    for decade in range(LOW, HIGH + 1):
        x = round(100 * (decade - LOW) / (HIGH - LOW), 2)
        marks.append(f'<line class="ax" stroke="#868F9D" x1="{x}%" x2="{x}%" y2="4"/>')
        if (decade - HIGH) % 3 == 0:
            anchor = "start" if decade == LOW else "end" if decade == HIGH else "middle"
            label = "1" if decade == 0 else "10" + str(decade).translate(_SUPERSCRIPT)
            marks.append(f'<text x="{x}%" y="16" text-anchor="{anchor}">{label}</text>')
    return (
        '<div class="row" aria-hidden="true"><div class="who"></div><div class="bars">'
        f'<div class="line"><svg height="20">{"".join(marks)}</svg><b></b></div></div></div>'
    )


def _histogram(counts: list[int], reach: float, role: str, name: str) -> str:
    top = max(counts, default=0) or 1
    step = 100 / BINS
    boxes = []
    for i, count in enumerate(counts):
        if count:
            height = max(1.0, round(26 * count / top, 1))
            boxes.append(
                f'<rect x="{i * step + 0.6:.2f}%" y="{28 - height:g}" width="{step - 1.2:.2f}%" '
                f'height="{height:g}" '
                + (
                    'class="fv" fill="#1A61EB"/>'
                    if role == "v"
                    else 'class="fg" fill="#FDEFE4" stroke="#B84A00"/>'
                )
            )
    return (
        f'<div><svg role="img" height="30"><title>{escape(name)}</title>'
        f"<desc>histogram from {_number(-reach)} to {_number(reach)}</desc>{''.join(boxes)}"
        '<line class="ax" stroke="#868F9D" x2="100%" y1="28.5" y2="28.5"/></svg>'
        f'<span class="{role}" style="font-size:12px">±{_number(reach)}</span></div>'
    )


def _loss_curve(losses: list[float]) -> str:
    if len(losses) < 2:
        return ""
    low, high = min(losses), max(losses)
    scale = (high - low) or 1.0
    points = " ".join(
        f"{round(100 * i / (len(losses) - 1), 1):g},{round(38 - 36 * (J - low) / scale, 1):g}"
        for i, J in enumerate(losses)
    )
    return (
        '<div class="row"><div class="who"><span>loss <i>J</i></span> '
        f'<span class="n">epoch 1 to {len(losses)}</span></div><div class="bars"><div class="line">'
        '<svg role="img" height="40" viewBox="0 0 100 40" preserveAspectRatio="none">'
        f"<title>Loss by epoch</title><desc>from {_number(losses[0])} to {_number(losses[-1])}"
        f'</desc><polyline class="lv" fill="none" stroke="#1A61EB" points="{points}"/></svg>'
        f'<b class="v">{_number(losses[0])} → {_number(losses[-1])}</b></div></div></div>'
    )


def _sentence(signals: list[Signal]) -> str:
    first, last = signals[1], signals[-1]
    a, b = first.gradients or 0.0, last.gradients or 0.0
    if last.layer == 1:
        return "With no hidden layer there is one error signal only, that of the output."
    if not (math.isfinite(a) and math.isfinite(b)):
        return "A gradient is no longer finite."
    if a == 0 or b == 0:
        where = next(s.layer for s in reversed(signals[1:]) if not s.gradients)
        return f"No gradient at all reaches layer {where}: nothing below it can learn."
    ratio = a / b
    word = "smaller" if ratio < 1 else "larger"
    times = _number(1 / ratio if ratio < 1 else ratio)
    return f"From layer {last.layer} back to layer 1 the error signal gets {times} times {word}."


def _table(signals: list[Signal]) -> str:
    head = ["layer", "units", "RMS A", "RMS Δ", "RMS ∂J/∂W", "φ′ ≈ 0"]
    body = "".join(
        f'<tr><th scope="row">{s.layer} {escape(s.activation)}</th><td>{s.width}</td>'
        + "".join(f"<td>{cell}</td>" for cell in _cells(s))
        + "</tr>"
        for s in signals
    )
    cols = "".join(f'<th scope="col">{h}</th>' for h in head)
    return f"<table><thead><tr>{cols}</tr></thead><tbody>{body}</tbody></table>"


def _cells(s: Signal) -> list[str]:
    numbers = [s.values, s.gradients, s.weights]
    cells = ["–" if x is None else _number(x) for x in numbers]
    return [*cells, "–" if s.flat is None else _percent(s.flat)]


def plain(bench: Bench) -> str:
    """Return the numbers of a bench as aligned plain text."""
    rows = [["layer", "units", "RMS A", "RMS Δ", "RMS dJ/dW", "φ′ ≈ 0"]]
    rows += [[f"{s.layer} {s.activation}", str(s.width), *_cells(s)] for s in bench.signals()]
    wide = [max(len(r[i]) for r in rows) for i in range(len(rows[0]))]
    lines = ["  ".join(c.rjust(w) for c, w in zip(r, wide, strict=True)) for r in rows]
    epochs = len(bench.losses)
    return f"LayerBench: {DATA[bench.data]}, {_epochs(epochs)} trained\n" + "\n".join(lines)


def _number(x: float) -> str:
    """Write three significant digits, a true minus, and powers of ten outside 0.001..9999."""
    if math.isnan(x):
        return "NaN"
    if math.isinf(x):
        return "∞" if x > 0 else "−∞"
    sign = "−" if x < 0 else ""
    if x == 0:
        return "0"
    mantissa, exponent = f"{abs(x):.2e}".split("e")
    power = int(exponent)
    if not -3 <= power <= 3:
        return f"{sign}{mantissa}×10{str(power).translate(_SUPERSCRIPT)}"
    return sign + f"{float(mantissa) * 10.0**power:.{max(0, 2 - power)}f}"


def _epochs(n: int) -> str:
    return f"{n} epoch{'s' * (n != 1)}"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


# The live face

NOTE = (
    "The controls of this bench (layers, activations, initialization, learning rate, training) "
    "are live in JupyterLab, where Python computes them. Here the bench is shown as it was stored."
)


class LayerBench:
    """A bench of layers to tweak: add, remove, resize, initialize, train, and watch the signals.

    Arguments as for `Bench`, which is at hand as `bench`; `train(epochs)` trains from code.
    In JupyterLab the controls are live; in a static page the same panel is printed with its state.
    """

    def __init__(self, **settings: Any) -> None:
        self.bench = Bench(**settings)
        self._view: _View | None = None

    def train(self, epochs: int = 1) -> LayerBench:
        """Train for so many epochs and return the bench itself, to be displayed."""
        self.bench.train(epochs)
        self._refresh()
        return self

    def change(self, **settings: Any) -> LayerBench:
        """Change settings (see `Bench.change`) and return the bench itself."""
        self.bench.change(**settings)
        self._refresh()
        return self

    @property
    def view(self) -> Any:
        """The ipywidgets box with the controls, made when first asked for."""
        if self._view is None:
            self._view = _View(self.bench)
        return self._view.box

    def __repr__(self) -> str:
        return plain(self.bench)

    def _repr_html_(self) -> str:
        return panel(self.bench, NOTE)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        view = "application/vnd.jupyter.widget-view+json"
        bundle = {
            "text/plain": repr(self),
            "text/html": self._repr_html_(),
            view: self.view._repr_mimebundle_()[view],
        }
        keep = bundle.keys() if not include else set(include)
        return {k: v for k, v in bundle.items() if k in keep and k not in (exclude or ())}

    def _refresh(self) -> None:
        if self._view is not None:
            self._view.refresh()


class _View:
    """Controls that call `Bench` and one HTML widget that shows `panel`; it keeps no numbers."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.quiet = False  # while the controls are being set from the bench
        style = {"description_width": "initial"}
        self.data = ipw.Dropdown(options=[(v, k) for k, v in DATA.items()], description="data")
        self.init = ipw.Dropdown(options=list(inits.TABLE), description="initialization",
                                 style=style)  # fmt: skip
        self.gain = ipw.FloatLogSlider(min=-1.5, max=1.5, step=0.05, description="gain")
        self.rate = ipw.FloatLogSlider(
            min=-4, max=2, step=0.05, description="learning rate", style=style
        )
        for name, control in [("data", self.data), ("init", self.init), ("gain", self.gain)]:
            control.observe(lambda e, n=name: self._do(bench.change, **{n: e["new"]}), "value")
        self.rate.observe(lambda e: self._do(bench.change, learning_rate=e["new"]), "value")
        self.stack = ipw.VBox()
        self.panel = ipw.HTML()
        buttons = [
            _button("add layer", "Put a layer behind the others", self._add),
            _button("train 1 epoch", "One pass over the data", lambda: self._do(bench.train, 1)),
            _button("train 10 epochs", "Ten passes", lambda: self._do(bench.train, 10)),
            _button("start again", "Initial weights", lambda: self._do(bench.restart)),
        ]
        wrap = ipw.Layout(flex_flow="row wrap")
        self.box = ipw.VBox(
            [
                ipw.HBox([self.data, self.init], layout=wrap),
                ipw.HBox([self.gain, self.rate], layout=wrap),
                self.stack,
                ipw.HBox(buttons, layout=wrap),
                self.panel,
            ]
        )
        self.refresh()

    def refresh(self, error: str = "") -> None:
        """Write the state of the bench into every control and the panel."""
        bench = self.bench
        self.quiet = True
        try:
            self.data.value, self.init.value = bench.data, bench.init
            self.gain.value, self.rate.value = bench.gain, bench.learning_rate
            if len(self.stack.children) != len(bench.layers):
                self.stack.children = [self._row(i) for i in range(len(bench.layers))]
            for row, (width, activation) in zip(self.stack.children, bench.layers, strict=True):
                row.children[0].value, row.children[1].value = width, activation
            told = f'<p role="alert">{escape(error)}</p>' if error else ""
            self.panel.value = told + panel(bench)
        finally:
            self.quiet = False

    def _row(self, i: int) -> Any:
        width = ipw.BoundedIntText(
            min=1, max=MAX_WIDTH, description=f"layer {i + 1}", layout=ipw.Layout(width="170px")
        )
        names = list(dict.fromkeys([*ACTIVATIONS, *(name for _, name in self.bench.layers)]))
        activation = ipw.Dropdown(options=names, layout=ipw.Layout(width="130px"))
        change = self.bench.set_layer
        width.observe(lambda e: self._do(change, i, width=e["new"]), "value")
        activation.observe(lambda e: self._do(change, i, activation=e["new"]), "value")
        drop = _button(
            "remove", f"Remove layer {i + 1}", lambda: self._do(self.bench.remove_layer, i)
        )
        return ipw.HBox([width, activation, drop], layout=ipw.Layout(flex_flow="row wrap"))

    def _add(self) -> None:
        width, activation = self.bench.layers[-1] if self.bench.layers else (16, "tanh")
        self._do(self.bench.add_layer, width, activation)

    def _do(self, action: Callable[..., None], *args: Any, **kwargs: Any) -> None:
        if self.quiet:
            return
        error = ""
        try:
            action(*args, **kwargs)
        except (ValueError, ImportError) as refused:
            error = str(refused)
        self.refresh(error)


def _button(text: str, tooltip: str, action: Callable[[], None]) -> Any:
    button = ipw.Button(description=text, tooltip=tooltip)
    button.on_click(lambda _: action())
    return button
