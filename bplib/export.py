"""Write a traced computation as a plain JSON document, for pictures and for the page.

The document is ``{"nodes": [{id, op, inputs, params, shape, name, label, role, value, …}],
"outputs": [id]}`` in topological order. Leaves have the op ``"leaf"``; a constant inside the
function is a leaf with the role ``"const"``. NaN and the infinities are written as strings,
because JSON has neither. :mod:`bplib.draw` and the front-end read only this.
"""

from __future__ import annotations

import inspect
import json
import math
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from bplib.graph import Node, collect, pullback

Doc = dict[str, Any]

#: The ops that the page can re-evaluate, read from the list that the build of the front-end wrote.
EXPORTED: frozenset[str] = frozenset(
    json.loads(Path(__file__).parent.joinpath("figures", "static", "ops.json").read_text("utf-8"))
)

_GREEK = dict(
    zip(
        [
            "alpha",
            "beta",
            "gamma",
            "delta",
            "epsilon",
            "zeta",
            "eta",
            "theta",
            "iota",
            "kappa",
            "lambda",
            "mu",
            "nu",
            "xi",
            "omicron",
            "pi",
            "rho",
            "sigma",
            "tau",
            "upsilon",
            "phi",
            "chi",
            "psi",
            "omega",
            "lam",
            "lmbda",
            "eps",
            "Delta",
            "Phi",
            "Sigma",
            "Theta",
            "Omega",
        ],
        "αβγδεζηθικλμνξοπρστυφχψωλλεΔΦΣΘΩ",
        strict=True,
    )
)
_SUB = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_MARKS = {"hat": "\u0302", "bar": "\u0304", "dot": "\u0307", "tilde": "\u0303"}


def pretty(name: str) -> str:
    """Write a Python name as a reader writes the symbol: ``w1`` as w₁, ``lam`` as λ, ``y_hat``."""
    head, _, tail = name.partition("_")
    if tail in _MARKS and head:
        return _GREEK.get(head, head) + _MARKS[tail]
    if tail.isdigit():
        return _GREEK.get(head, head) + tail.translate(_SUB)
    digits = len(name) - len(name.rstrip("0123456789"))
    stem, number = (name[:-digits], name[-digits:]) if digits else (name, "")
    if stem and number:
        return _GREEK.get(stem, stem) + number.translate(_SUB)
    return _GREEK.get(name, name)


def encode(x: Any) -> Any:
    """Return numbers and arrays as JSON values; NaN and infinities become strings."""
    if isinstance(x, np.ndarray):
        return [encode(v) for v in x.tolist()]
    if isinstance(x, list | tuple):
        return [encode(v) for v in x]
    if isinstance(x, bool | np.bool_):
        return int(x)
    if isinstance(x, int | np.integer):
        return int(x)
    x = float(x)
    if math.isnan(x):
        return "NaN"
    if math.isinf(x):
        return "Infinity" if x > 0 else "-Infinity"
    return x


def _encode_param(op: str, key: str, x: Any) -> Any:
    """Return an op's parameter as JSON: axes, shapes, numbers, masks."""
    if x is None or isinstance(x, str | bool):
        return x
    if isinstance(x, np.ndarray):
        return {"shape": list(x.shape), "data": encode(x.ravel())}
    if isinstance(x, tuple | list):
        return [_encode_param(op, key, v) for v in x]
    if isinstance(x, int | float | np.number | np.bool_):
        return encode(x)
    raise ValueError(
        f"export: {op} has a parameter {key!r} of type {type(x).__name__}, "
        "which has no place in a graph document."
    )


# Ops that only move entries: whatever their parameters mean, they are a list of source positions.
_MOVES = frozenset({"getitem", "flip", "roll", "pad", "triu", "tril", "im2col"})


def _positions(node: Node) -> dict[str, Any]:
    """Return {take, shape}: for every output entry its flat source position, -1 for a zero."""
    assert node.op is not None
    x, params = node.inputs[0], node.params or {}
    source = x.data if type(x) is Node else x
    if node.op.name == "scatter":  # the adjoint of reading: positions of the input's entries
        numbered = np.arange(math.prod(params["shape"])).reshape(params["shape"])
        take = np.broadcast_to(numbered[params["index"]], np.shape(source))
        return {"take": take.ravel().tolist(), "shape": list(params["shape"])}
    numbered = np.arange(1, np.size(source) + 1).reshape(np.shape(source))
    if node.op.name == "pick":
        split = x.inputs[0].data
        numbered = np.arange(1, split.size + 1).reshape(split.shape)
        take = x.op.forward(numbered, **(x.params or {}))[params["i"]]
    else:
        take = node.op.forward(numbered, **params)
    take = np.asarray(take)
    return {"take": (take.ravel() - 1).tolist(), "shape": list(take.shape)}


def trace(f: Callable[..., Any], leaves: Mapping[str, Any]) -> tuple[Node, dict[str, Node]]:
    """Run ``f(**leaves)`` on Nodes and return its output and the leaves by name.

    Values inside get the names of f's own local variables, so figures show the letters of the
    code. Scalars are float64, arrays are copied to float64. Raises TypeError for a leaf that is
    not numeric, for an f that returns no traced value, and for names that f does not take.
    """
    nodes: dict[str, Node] = {}
    for name, x in leaves.items():
        try:
            a = np.array(x, dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise TypeError(
                f"export: leaf {name!r} must be a number or an array of numbers, "
                f"got {type(x).__name__}; convert it first."
            ) from error
        nodes[name] = Node(float(a) if a.ndim == 0 else a, name=name)
    code = getattr(inspect.unwrap(f), "__code__", None)
    found: dict[int, str] = {}

    def spy(frame: Any, event: str, arg: Any) -> None:
        if event == "return" and frame.f_code is code:
            for name, x in frame.f_locals.items():
                if type(x) is Node:
                    found.setdefault(x.serial, name)

    before = sys.getprofile()
    sys.setprofile(spy)
    try:
        out = f(**nodes)
    finally:
        sys.setprofile(before)
    if type(out) is not Node:
        raise TypeError(
            f"export: the function returned {type(out).__name__}, which was not computed from its "
            "arguments; return a value made from them with bplib operations."
        )
    taken = set(nodes)
    for node in collect([out], min(n.serial for n in nodes.values()) if nodes else 0):
        local = found.get(node.serial)
        if node.name is None and local is not None and local not in taken and node.op is not None:
            node.name = local
            taken.add(local)
    return out, nodes


def export(
    output: Node,
    leaves: Mapping[str, Node],
    *,
    params: Iterable[str] | None = None,
    gradients: bool = False,
) -> Doc:
    """Return the document of everything that `output` was computed from.

    `leaves` maps names to the Nodes that started the computation; those in `params` get the role
    "param" (by default: names that begin with w, W, b or theta), the rest "data". With
    `gradients`, every node also gets ``grad`` (the cotangent for the seed 1) and every op
    ``local`` (per argument: the derivative of a scalar by a scalar, else None) and ``push`` (the
    root mean square of what it hands back), which is what a printed picture shows.

    Raises ValueError for an op that the page cannot evaluate, and for complex or non-float data.
    """
    roles = _roles(leaves, params)
    # `collect` returns operations only; the leaves they start from come first in the document.
    order = [*leaves.values(), *collect([output], 0)]
    taken = {node.name for node in order if node.name}
    nodes: list[dict[str, Any]] = []
    ids: dict[int, int] = {}
    unnamed = 0
    for node in order:
        inputs: list[int] = []
        if type(node.data) is tuple:
            if node.op is None or node.op.name != "split":
                raise ValueError(f"export: the outputs of {node.op!r} cannot be drawn one by one.")
            continue  # its picks are drawn instead, each reading the input itself
        sources = node.inputs
        if node.op is not None:
            op = "split" if node.op.name == "pick" else node.op.name
            if op not in EXPORTED:
                raise ValueError(
                    f"export: the op {op!r} is not in the page's table of operations; "
                    f"it knows {', '.join(sorted(EXPORTED))}."
                )
            if op == "power" and type(node.inputs[1]) in (float, int) and node.inputs[1] == 2:
                op, sources = "square", node.inputs[:1]  # the same rule, and a reader's x²
            if op == "split":
                sources = node.inputs[0].inputs
            for x in sources:
                if x is None:
                    continue
                if type(x) is Node:
                    inputs.append(ids[x.serial])
                else:
                    inputs.append(_constant(nodes, x, op))
        name: str | None = node.name
        if name is None and node is output:
            name = "J" if "J" not in taken else "out"
        while name is None or (name in taken and node.name is None and node is not output):
            unnamed += 1
            name = f"v{unnamed}"
        ids[node.serial] = len(nodes)
        entry: dict[str, Any] = {
            "id": len(nodes),
            "op": op if node.op is not None else "leaf",
            "inputs": inputs,
            "params": _params(node),
            "shape": list(np.shape(node.data)),
            "name": name,
            "label": pretty(name),
            "role": "op" if node.op is not None else roles.get(node.serial, "data"),
            "value": encode(np.asarray(node.data, dtype=np.float64)[()]),
        }
        nodes.append(entry)
    doc: Doc = {"version": 1, "nodes": nodes, "outputs": [ids[output.serial]]}
    if gradients:
        _add_gradients(doc, output, order, ids)
    return doc


def _roles(leaves: Mapping[str, Node], params: Iterable[str] | None) -> dict[int, str]:
    if params is None:
        chosen = {n for n in leaves if n[0] in "wWb" or n.startswith("theta")}
    else:
        chosen = set(params)
        unknown = chosen - set(leaves)
        if unknown:
            raise ValueError(
                f"export: params names {sorted(unknown)}, but the leaves are {sorted(leaves)}."
            )
    return {node.serial: "param" if n in chosen else "data" for n, node in leaves.items()}


def _constant(nodes: list[dict[str, Any]], x: Any, op: str) -> int:
    a = np.asarray(x)
    if a.dtype.kind not in "fiub":
        raise ValueError(f"export: {op} has a constant of dtype {a.dtype}; only real numbers.")
    text = f"{float(a):.4g}".replace("-", "−") if a.ndim == 0 else "const"
    nodes.append(
        {
            "id": len(nodes),
            "op": "leaf",
            "inputs": [],
            "params": {},
            "shape": list(a.shape),
            "name": f"c{len(nodes)}",
            "label": text,
            "role": "const",
            "text": text,
            "value": encode(a.astype(np.float64)[()]),
        }
    )
    return len(nodes) - 1


def _params(node: Node) -> dict[str, Any]:
    if node.op is None:
        return {}
    if node.op.name in _MOVES or node.op.name in ("pick", "scatter"):
        return _positions(node)
    out = {k: _encode_param(node.op.name, k, v) for k, v in sorted((node.params or {}).items())}
    # A Python number as exponent has its own rule (no logarithm, no 0 times infinity).
    if node.op.name == "power" and type(node.inputs[1]) in (float, int, bool):
        out["weak"] = node.inputs[1] != 2
    if node.op.name == "where" and not isinstance(out["cond"], dict):
        out["cond"] = {"shape": [], "data": [encode(out["cond"])]}
    if node.op.name == "clip" and any(isinstance(v, dict) for v in out.values()):
        raise ValueError("export: clip with array bounds is not in the page; use where.")
    return out


def _add_gradients(doc: Doc, output: Node, order: list[Node], ids: dict[int, int]) -> None:
    with np.errstate(all="ignore"):
        seed = 1.0 if np.ndim(output.data) == 0 else np.ones(np.shape(output.data))
        bars = pullback({output: seed}, order)
        for node, bar in zip(order, bars, strict=True):
            if node.serial not in ids:
                continue
            g = np.zeros(np.shape(node.data)) if bar is None else np.asarray(bar, dtype=float)
            entry = doc["nodes"][ids[node.serial]]
            entry["grad"] = encode(g[()])
            if node.op is None:
                continue
            entry["local"], entry["push"] = [], []
            if node.op.name == "pick":
                entry["local"].append(None)
                entry["push"].append(encode(_rms(g)))
                continue
            for i, x in enumerate(node.inputs):
                if type(x) is not Node:
                    entry["local"].append(None)
                    entry["push"].append(None)
                    continue
                # pullback with this op alone: the sweep's own rules, for this one edge.
                one = Node(node.data, node.op, _freeze(node, i), node.params)
                flat = np.ndim(x.data) == 0 and np.ndim(node.data) == 0
                (local,) = pullback({one: 1.0}, [one.inputs[i]]) if flat else (None,)
                (push,) = pullback({one: g[()] if g.ndim else float(g)}, [one.inputs[i]])
                entry["local"].append(None if local is None else encode(local))
                entry["push"].append(encode(_rms(push)))


def _rms(x: Any) -> float:
    return float(np.sqrt(np.mean(np.square(x)))) if np.size(x) else 0.0


def _freeze(node: Node, keep: int) -> tuple[Any, ...]:
    """Return the inputs of a node with all but one as plain values, and that one as a new leaf."""
    return tuple(
        (Node(x.data) if i == keep else x.data) if type(x) is Node else x
        for i, x in enumerate(node.inputs)
    )


def elements(doc: Doc) -> int:
    """Return how many numbers the values of a document hold."""
    return sum(math.prod(node["shape"]) for node in doc["nodes"])


def dumps(value: Any) -> str:
    """Return compact JSON that may stand inside a ``<script>`` element of a page.

    ``<``, ``>`` and ``&`` are written as escapes, so no text can close the element.
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for mark in "<>&\u2028\u2029":
        text = text.replace(mark, f"\\u{ord(mark):04x}")
    return text
