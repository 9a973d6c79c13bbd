"""Figure 1, the Graph Explorer: how does each number push on the loss?"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import traitlets

from bplib import draw
from bplib.export import Doc, encode, export, trace
from bplib.figures.base import Figure


class GraphExplorer(Figure):
    """The computation graph of ``f(**leaves)``: values forward, gradients backward, step by step.

    f        a function of bplib operations that returns a scalar, the loss
    leaves   its arguments: numbers and small arrays, all of them finite
    params   which of them are parameters (default: names that begin with w, W, b or theta)
    ranges   (low, high) of the slider of a leaf, or (low, high, step)
    predict  questions, each {"leaf": name, "set": value or "times": factor, "of": name,
             "why": clause}; by default some are made up
    step     the step to start at; -1 shows both sweeps done

    Every scalar leaf `w` is a float trait `v_w`, and an array leaf a list trait, so
    ``ipywidgets.jslink`` and ``observe`` work. Raises TypeError when f does not return a scalar
    or a leaf is no number, ValueError for a leaf that is not finite or a question about a leaf
    that is not there.
    """

    step = traitlets.Int(-1).tag(sync=True, state=True)

    def __init__(
        self,
        f: Callable[..., Any],
        *,
        title: str = "How does each number push on the loss?",
        params: Iterable[str] | None = None,
        ranges: Mapping[str, Sequence[float]] | None = None,
        predict: Sequence[Mapping[str, Any]] | None = None,
        step: int = -1,
        **leaves: Any,
    ) -> None:
        if not leaves:
            raise TypeError("GraphExplorer: give the arguments of the function, such as x=1.5.")
        self._f = f
        self._leaves = leaves
        self._params = None if params is None else tuple(params)
        doc = self._document({})
        spec: dict[str, Any] = {
            "kind": "graph",
            "title": title,
            "doc": doc,
            "leaves": _leaf_specs(doc, leaves, ranges or {}),
            "predict": _questions(predict or (), leaves),
        }
        traits: dict[str, Any] = {}
        values: dict[str, Any] = {}
        for name, x in leaves.items():
            scalar = np.ndim(x) == 0
            trait = traitlets.Float() if scalar else traitlets.List(traitlets.Float())
            traits[f"v_{name}"] = trait.tag(sync=True, state=True)
            values[f"v_{name}"] = float(x) if scalar else np.ravel(x).astype(float).tolist()
        self._ranges = {leaf["trait"]: tuple(leaf["range"]) for leaf in spec["leaves"]}
        self.__class__ = type(
            type(self).__name__, (type(self),), {"__module__": __name__, **traits}
        )
        for trait in traits.values():
            trait.instance_init(self)
        super().__init__(spec, step=step, **values)

    def _range(self, name: str) -> tuple[Any, ...] | None:
        return self._ranges.get(name)

    def values(self) -> dict[str, Any]:
        """Return the present values of the leaves: floats and arrays in their own shapes."""
        out: dict[str, Any] = {}
        for name, x in self._leaves.items():
            v = getattr(self, f"v_{name}")
            out[name] = float(v) if np.ndim(x) == 0 else np.reshape(v, np.shape(x))
        return out

    def gradients(self) -> dict[str, Any]:
        """Return the kernel's gradients of the loss for the leaves, at their present values."""
        doc = self._document(self.values(), gradients=True)
        found = {node["name"]: node for node in doc["nodes"]}
        out: dict[str, Any] = {}
        for name, x in self._leaves.items():
            g = np.array(draw.flat(found[name]["grad"])).reshape(np.shape(x))
            out[name] = float(g) if g.ndim == 0 else g
        return out

    def picture(self) -> str:
        """Return the graph after both sweeps, at the present values, as an SVG document."""
        return draw.svg(self._document(self.values(), gradients=True), self.spec["title"])

    def summary(self) -> str:
        """Return every value and gradient in words."""
        doc = self._document(self.values(), gradients=True)
        return draw.too_large(doc) or draw.describe(doc)

    def _document(self, values: Mapping[str, Any], gradients: bool = False) -> Doc:
        leaves = {**self._leaves, **values}
        for name, x in leaves.items():
            try:
                finite = bool(np.all(np.isfinite(np.asarray(x, dtype=float))))
            except (TypeError, ValueError) as error:
                raise TypeError(
                    f"GraphExplorer: leaf {name!r} must be a number or an array of numbers, "
                    f"got {type(x).__name__}."
                ) from error
            if not finite:
                raise ValueError(
                    f"GraphExplorer: leaf {name!r} is not finite ({x!r}); every number computed "
                    "from it would be NaN or infinite. Give it a finite value."
                )
        with np.errstate(all="ignore"):
            out, nodes = trace(self._f, leaves)
        if np.shape(out.data) != ():
            raise TypeError(
                f"GraphExplorer: the function must return a scalar loss, got shape "
                f"{np.shape(out.data)}; take its sum or mean."
            )
        return export(out, nodes, params=self._params, gradients=gradients)


def _leaf_specs(
    doc: Doc, leaves: Mapping[str, Any], ranges: Mapping[str, Sequence[float]]
) -> list[dict[str, Any]]:
    unknown = set(ranges) - set(leaves)
    if unknown:
        raise ValueError(
            f"GraphExplorer: ranges names {sorted(unknown)}, but the leaves are {sorted(leaves)}."
        )
    out = []
    for node in doc["nodes"]:
        if node["op"] != "leaf" or node["name"] not in leaves or node["role"] == "const":
            continue
        name = node["name"]
        most = float(np.max(np.abs(leaves[name]), initial=0.0))
        # A round range around zero that holds the value with room to push it about.
        reach = 3.0 if most <= 2 else float(2 * math.ceil(most))
        low, high, *rest = ranges.get(name, (-reach, reach))
        step = rest[0] if rest else (high - low) / 600
        out.append(
            {
                "name": name,
                "id": node["id"],
                "trait": f"v_{name}",
                "range": [encode(low), encode(high), encode(step)],
            }
        )
    return out


def _questions(
    predict: Sequence[Mapping[str, Any]], leaves: Mapping[str, Any]
) -> list[dict[str, Any]]:
    out = []
    for q in predict:
        if q.get("leaf") not in leaves or "of" not in q or ("set" in q) == ("times" in q):
            raise ValueError(
                "GraphExplorer: a question needs leaf (one of "
                f"{sorted(leaves)}), of, and either set or times; got {dict(q)!r}."
            )
        out.append(dict(q))
    return out
