"""Figure 6, the Layer Bench: what do layers do to signals?"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, ClassVar, NamedTuple

import ipywidgets
import numpy as np
import traitlets

from bplib import data as data_sets
from bplib import draw
from bplib.figures.base import Figure
from bplib.losses import one_hot
from bplib.nn import MLP

ACTIVATIONS = ("tanh", "sigmoid", "relu", "leaky_relu", "gelu", "softplus", "identity")
INITS = ("glorot", "he", "lecun", "zeros")
LOSSES = {"cross-entropy": "softmax_cross_entropy", "squared error": "squared_error"}
MAX_LAYERS, MAX_WIDTH, PROBE = 12, 64, 200


def generator(seed: int) -> Iterator[float]:
    """Yield uniform numbers in [0, 1) from mulberry32: the page draws the same ones."""
    a = seed & 0xFFFFFFFF
    mask = 0xFFFFFFFF
    while True:
        a = (a + 0x6D2B79F5) & mask
        t = ((a ^ (a >> 15)) * (a | 1)) & mask
        t = ((t + (((t ^ (t >> 7)) * (t | 61)) & mask)) & mask) ^ t
        yield (t ^ (t >> 14)) / 4294967296


def normals(uniform: Iterator[float]) -> Iterator[float]:
    """Yield standard normal numbers by Box and Muller's pairs."""
    while True:
        r = math.sqrt(-2 * math.log(1 - next(uniform)))
        q = 2 * math.pi * next(uniform)
        yield r * math.cos(q)
        yield r * math.sin(q)


def start(n: int, m: int, init: str, gain: float, seed: int, layer: int) -> np.ndarray:
    """Return the initial weights (n, m) of a layer, the same as in the page."""
    uniform = generator(seed * 1000003 + layer * 7919)
    if init == "zeros":
        return np.zeros((n, m))
    if init == "glorot":
        c = math.sqrt(6 / (n + m))
        draws = (c * (2 * next(uniform) - 1) for _ in range(n * m))
    else:
        c = math.sqrt({"he": 2, "lecun": 1}[init] / n)
        normal = normals(uniform)
        draws = (c * next(normal) for _ in range(n * m))
    return np.fromiter((gain * x for x in draws), float, n * m).reshape(n, m)


class Signal(NamedTuple):
    """Root mean squares in one layer: of A, of Delta = dJ/dZ and of dJ/dW (None for the data)."""

    layer: int
    width: int
    value: float
    gradient: float | None
    weight: float | None


@cache
def _moons() -> dict[str, Any]:
    X, t = data_sets.two_moons(200, noise=0.12, seed=0)
    return {"points": np.round(X, 3).tolist(), "labels": [int(k) for k in t], "classes": 2}


@cache
def _digits() -> dict[str, Any]:
    s = data_sets.digits()
    pixels = np.concatenate([s.X[:400], s.X_test[:120]])
    letters = (np.round(pixels * 16).astype(np.uint8) + 97).tobytes().decode("ascii")
    labels = "".join(str(k) for k in [*s.t[:400], *s.t_test[:120]])
    return {"pixels": letters, "labels": labels, "classes": 10, "train": 400}


def arrays(name: str) -> tuple[np.ndarray, np.ndarray, int]:
    """Return the training rows, their labels and the number of classes of a data set."""
    if name == "moons":
        d = _moons()
        return np.array(d["points"]), np.array(d["labels"]), d["classes"]
    d = _digits()
    X = (np.frombuffer(d["pixels"].encode("ascii"), np.uint8).reshape(-1, 64) - 97.0) / 16
    return X[: d["train"]], np.array([int(c) for c in d["labels"]])[: d["train"]], d["classes"]


class LayerBench(Figure):
    """A network to take apart: signals and gradients layer by layer, while it trains.

    layers         widths of the hidden layers, 0 to 12 of them, each 1 to 64
    activation     one of ACTIVATIONS; init one of INITS, times `gain`
    learning_rate  of plain gradient descent in batches of 32
    loss           "cross-entropy" or "squared error"
    data           "moons" (200 points) or "digits" (400 of the 8 x 8 images, 120 held out)
    seed           of the weights

    Every one of them is a trait that follows the figure and that the figure follows. The page
    trains in the browser, with and without a kernel; the figures in `signals()` are those of the
    untrained network, computed by `bplib.nn`. Raises traitlets.TraitError for other values.
    """

    knobs: ClassVar = {
        "gain": (0.1, 3.0, 0.05),
        "learning_rate": ("log", -3, 1),
        "seed": (0, 20, 1),
    }
    layers = traitlets.List(traitlets.Int(min=1, max=MAX_WIDTH), maxlen=MAX_LAYERS).tag(
        sync=True, state=True
    )
    activation = traitlets.Enum(ACTIVATIONS, "tanh").tag(sync=True, state=True)
    init = traitlets.Enum(INITS, "glorot").tag(sync=True, state=True)
    gain = traitlets.Float(1.0, min=0.0, max=100.0).tag(sync=True, state=True)
    learning_rate = traitlets.Float(0.3, min=1e-12, max=1e6).tag(sync=True, state=True)
    loss = traitlets.Enum(tuple(LOSSES), "cross-entropy").tag(sync=True, state=True)
    data = traitlets.Enum(("moons", "digits"), "moons").tag(sync=True, state=True)
    seed = traitlets.Int(0, min=0).tag(sync=True, state=True)

    def __init__(
        self,
        layers: Sequence[int] = (16, 16, 16),
        *,
        title: str = "What do layers do to signals?",
        datasets: Sequence[str] = ("moons", "digits"),
        **state: Any,
    ) -> None:
        known = {"moons": _moons, "digits": _digits}
        spec = {
            "kind": "bench",
            "title": title,
            "maxLayers": MAX_LAYERS,
            "maxWidth": MAX_WIDTH,
            "datasets": {name: known[name]() for name in dict.fromkeys(datasets)},
        }
        super().__init__(spec, layers=list(layers), **state)

    def controls(self) -> ipywidgets.VBox:
        """Return the figure under ipywidgets controls; two more set all hidden layers at once."""
        box = super().controls()
        count = ipywidgets.IntSlider(
            value=len(self.layers), min=0, max=MAX_LAYERS, description="layers"
        )
        width = ipywidgets.IntSlider(
            value=self.layers[-1] if self.layers else 8, min=1, max=MAX_WIDTH, description="width"
        )

        def resize(change: Any) -> None:
            if change["owner"] is width:
                self.layers = [width.value] * len(self.layers)
            elif count.value != len(self.layers):
                more = [width.value] * (count.value - len(self.layers))
                self.layers = [*self.layers[: count.value], *more]

        count.observe(resize, "value")
        width.observe(resize, "value")
        self.observe(lambda change: setattr(count, "value", len(change["new"])), "layers")
        box.children = (count, width, *box.children)
        return box

    def network(self) -> MLP:
        """Return the untrained network of the present settings as a `bplib.nn.MLP`."""
        X, _, classes = arrays(self.data)
        sizes = [X.shape[1], *self.layers, classes]
        net = MLP(sizes, self.activation, "identity")
        values: list[np.ndarray] = []
        for layer in range(1, len(sizes)):
            n, m = sizes[layer - 1 : layer + 1]
            values += [start(n, m, self.init, self.gain, self.seed, layer), np.zeros(m)]
        net.load_parameters(values)
        return net

    def signals(self) -> list[Signal]:
        """Return the root mean squares of every layer of the untrained network, 0 is the data."""
        X, t, classes = arrays(self.data)
        X, t = X[:PROBE], t[:PROBE]
        net = self.network()
        T = t if self.loss == "cross-entropy" else one_hot(t, classes)
        with np.errstate(all="ignore"):
            A = net.forward(X).A
            g = net.backprop(X, T, LOSSES[self.loss])
            found = [Signal(0, X.shape[1], _rms(X), None, None)]
            for layer in range(1, net.L + 1):
                d, w = _rms(g.Delta[layer]), _rms(g.W[layer])
                found.append(Signal(layer, net.widths[layer], _rms(A[layer]), d, w))
        return found

    def summary(self) -> str:
        """Return the network and its signals in words and numbers."""
        rows = self.signals()
        chain = "-".join(str(r.width) for r in rows)
        text = "; ".join(
            f"layer {r.layer}: values {draw.fmt(r.value)}, gradients {draw.fmt(r.gradient)}"
            for r in rows
            if r.gradient is not None
        )
        return (
            f"A network {chain} with {self.activation}, {self.init} start times "
            f"{draw.fmt(self.gain)}, before training. Root mean squares, {text}."
        )

    def picture(self) -> str:
        """Return the root mean squares over the layers as an SVG document."""
        rows = self.signals()
        values = [(float(r.layer), r.value) for r in rows]
        grads = [(float(r.layer), r.gradient) for r in rows if r.gradient is not None]
        good = [v for _, v in values + grads if v and math.isfinite(v)]
        low = 10.0 ** math.floor(math.log10(min([*good, 1.0])) - 0.001)
        high = 10.0 ** math.ceil(math.log10(max([*good, 1.0])) + 0.001)
        chart = draw.Chart(
            (0, float(len(rows) - 1)), (low, high), logy=True, xlabel="layer",
            ylabel="root mean square",
        )  # fmt: skip
        chart.line([p for p in values if p[1] > 0], draw.V, "values", marker=True)
        chart.line([p for p in grads if p[1] > 0], draw.G, "gradients", "5 3.5", marker=True)
        return draw.picture(640, 300, chart.body(), self.spec["title"], self.summary())


def _rms(x: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(x))))
