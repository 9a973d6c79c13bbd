"""Sample inputs for every primitive: shapes, domains and options the tests run it on.

A primitive registered without an entry here fails `test_every_primitive_has_samples`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from bplib import ops


class Case(NamedTuple):
    """A primitive on concrete inputs: `f(*xs)` with `xs` drawn uniformly from lo..hi."""

    name: str
    f: Callable[..., Any]
    shapes: Sequence[tuple[int, ...]]
    lo: float = -2.0
    hi: float = 2.0
    analytic: bool = True  # whether the complex step applies
    prepare: Callable[[np.ndarray], np.ndarray] | None = None  # applied to the first input

    def draw(self, seed: int = 0) -> list[np.ndarray]:
        rng = np.random.default_rng([seed, len(self.name)])
        xs = [rng.uniform(self.lo, self.hi, shape) for shape in self.shapes]
        if self.prepare is not None:
            xs[0] = self.prepare(xs[0])
        return xs


UNARY_SHAPES: list[list[tuple[int, ...]]] = [[()], [(3,)], [(2, 3)], [(0, 2)]]
BINARY_SHAPES: list[list[tuple[int, ...]]] = [
    [(), ()],
    [(3,), (3,)],
    [(2, 3), (3,)],
    [(), (2, 2)],
    [(2, 1), (1, 3)],
    [(0, 2), (2,)],
]
# name: (lo, hi, analytic)
UNARY = {
    "identity": (-2, 2, True), "negative": (-2, 2, True), "exp": (-2, 2, True),
    "expm1": (-2, 2, True), "log": (0.3, 3, True), "log1p": (-0.7, 3, True),
    "log2": (0.3, 3, True), "log10": (0.3, 3, True), "sqrt": (0.3, 3, True),
    "square": (-2, 2, True), "reciprocal": (0.4, 3, True), "sin": (-3, 3, True),
    "cos": (-3, 3, True), "tan": (-1, 1, True), "arcsin": (-0.8, 0.8, True),
    "arccos": (-0.8, 0.8, True), "arctan": (-3, 3, True), "sinh": (-2, 2, True),
    "cosh": (-2, 2, True), "tanh": (-2, 2, True), "arcsinh": (-3, 3, True),
    "arccosh": (1.3, 4, True), "arctanh": (-0.8, 0.8, True), "sigmoid": (-4, 4, True),
    "softplus": (-4, 4, True), "relu": (-2, 2, True), "leaky_relu": (-2, 2, True),
    "gelu": (-3, 3, True), "silu": (-3, 3, True), "sign": (-2, 2, False),
    "abs": (-2, 2, False),
}  # fmt: skip
BINARY = {
    "add": (-2, 2, True), "subtract": (-2, 2, True), "multiply": (-2, 2, True),
    "divide": (0.4, 2, True), "power": (0.4, 2, True), "arctan2": (0.4, 2, False),
    "logaddexp": (-2, 2, False), "maximum": (-2, 2, False), "minimum": (-2, 2, False),
}  # fmt: skip
REDUCTIONS = {
    "sum": True, "mean": True, "var": False, "std": False, "max": False, "min": False,
    "prod": True, "logsumexp": True, "norm": True,
}  # fmt: skip
REDUCED: list[tuple[tuple[int, ...], dict[str, Any]]] = [
    ((3,), {}),
    ((3, 2), {"axis": 0}),
    ((2, 3), {"axis": -1, "keepdims": True}),
    ((2, 3, 2), {"axis": (0, 2)}),
    ((2, 3, 2), {"axis": (1, -1), "keepdims": True}),
    ((2, 2), {"axis": None, "keepdims": True}),
    ((), {}),
    ((2, 2), {"axis": ()}),
]


def _spd(x: np.ndarray) -> np.ndarray:
    return x @ np.swapaxes(x, -1, -2) + 3 * np.eye(x.shape[-1])


def _dominant(x: np.ndarray) -> np.ndarray:
    return x + 4 * np.eye(x.shape[-1])


def _with_zero(x: np.ndarray) -> np.ndarray:
    x = x.copy()
    x.flat[1] = 0.0
    return x


def _elementwise() -> dict[str, list[Case]]:
    table = {
        name: [Case(name, getattr(ops, name), s, lo, hi, ok) for s in UNARY_SHAPES]
        for name, (lo, hi, ok) in UNARY.items()
    }
    for name, (lo, hi, ok) in BINARY.items():
        op = ops.PRIMITIVES[name]
        table[name] = [Case(name, op, s, lo, hi, ok) for s in BINARY_SHAPES]
    table["leaky_relu"].append(
        Case("leaky_relu", lambda x: ops.leaky_relu(x, slope=0.3), [(4,)], -2, 2)
    )
    for b in (2, 3.0, -1, 0.5, 1, 0):
        table["power"].append(Case("power", lambda a, b=b: a**b, [(3,)], 0.4, 2))
    table["power"].append(Case("power", lambda b: 1.7**b, [(3,)]))
    mask = np.array([[True, False, True], [False, False, True]])
    table["multiply"].append(Case("multiply", ops.outer, [(2,), (3,)]))
    table["where"] = [
        Case("where", lambda a, b: ops.where(mask, a, b), [(2, 3), (2, 3)]),
        Case("where", lambda a, b: ops.where(mask, a, b), [(3,), ()]),
        Case("where", lambda a: ops.where(a > 0, a, 0.0), [(2, 3)], analytic=False),
    ]
    table["clip"] = [
        Case("clip", lambda x: ops.clip(x, -0.5, 0.5), [(5,)], analytic=False),
        Case("clip", lambda x: ops.clip(x, None, 0.5), [(2, 3)], analytic=False),
        Case("clip", lambda x: ops.clip(x, -0.3), [()], analytic=False),
    ]
    return table


def _reductions() -> dict[str, list[Case]]:
    table: dict[str, list[Case]] = {}
    for name, ok in REDUCTIONS.items():
        op = ops.PRIMITIVES[name]
        table[name] = [
            Case(name, lambda x, op=op, o=o: op(x, **o), [s], 0.4, 2, ok)
            for s, o in REDUCED
            if not (name in ("std", "var") and (s == () or o.get("axis") == ()))
        ]
    table["var"].append(Case("var", lambda x: ops.var(x, axis=0, ddof=1), [(4, 2)], analytic=False))
    table["std"].append(Case("std", lambda x: ops.std(x, ddof=1), [(4,)], analytic=False))
    table["prod"] += [
        Case("prod", lambda x, a=a: ops.prod(x, axis=a), [(2, 3)], prepare=_with_zero)
        for a in (None, 0, 1, (0, 1))
    ]
    for name in ("softmax", "log_softmax"):
        op = ops.PRIMITIVES[name]
        table[name] = [
            Case(name, op, [(4,)]),
            Case(name, op, [(2, 3)]),
            Case(name, lambda x, op=op: op(x, axis=0), [(3, 2)]),
        ]
    table["cumsum"] = [
        Case("cumsum", ops.cumsum, [(2, 3)]),
        Case("cumsum", lambda x: ops.cumsum(x, axis=0), [(3, 2)]),
        Case("cumsum", lambda x: ops.cumsum(x, axis=-1), [(2, 3)]),
    ]
    return table


def _shaping() -> dict[str, list[Case]]:
    def case(name: str, f: Callable[..., Any], *shapes: tuple[int, ...], **k: Any) -> Case:
        return Case(name, f, shapes, **k)

    rows = np.array([0, 2, 2, -1])
    mask = np.array([True, False, True])
    indices: list[Any] = [
        0, -1, slice(1, None), slice(None, None, -2), (1, 0), (slice(None), 1), (None, 0), ...,
        (..., None, 1), rows, (rows, [0, 1, 1, 0]), (rows, slice(0, 1)), mask,
        (mask, 1), np.array([[0, 1], [1, 0]]), [2, 0], (slice(1), np.array([1, 1])),
    ]  # fmt: skip
    return {
        "reshape": [
            case("reshape", lambda x: ops.reshape(x, (3, -1)), (2, 3)),
            case("reshape", ops.ravel, (2, 3)),
            case("reshape", ops.squeeze, (1, 3, 1)),
            case("reshape", lambda x: ops.squeeze(x, 0), (1, 3, 1)),
            case("reshape", lambda x: ops.expand_dims(x, (0, -1)), (3,)),
            case("reshape", lambda x: x.reshape(0, 3), (3, 0)),
        ],
        "broadcast_to": [
            case("broadcast_to", lambda x: ops.broadcast_to(x, (2, 3)), (3,)),
            case("broadcast_to", lambda x: ops.broadcast_to(x, (2, 3)), (2, 1)),
            case("broadcast_to", lambda x: ops.broadcast_to(x, (2, 2)), ()),
            case("broadcast_to", lambda x: ops.tile(x, (2, 1)), (3,)),
            case("broadcast_to", lambda x: ops.tile(x, 2), (2, 3)),
            case("broadcast_to", lambda x: ops.tile(x, (2, 1, 3)), (2, 2)),
        ],
        "transpose": [
            case("transpose", ops.transpose, (2, 3)),
            case("transpose", lambda x: ops.transpose(x, (2, 0, 1)), (2, 3, 4)),
            case("transpose", lambda x: ops.transpose(x, (-1, 0, -2)), (2, 3, 4)),
            case("transpose", lambda x: ops.swapaxes(x, 0, -1), (2, 3, 2)),
            case("transpose", lambda x: ops.moveaxis(x, 0, -1), (2, 3, 4)),
            case("transpose", lambda x: ops.moveaxis(x, (0, 1), (2, 0)), (2, 2, 3)),
        ],
        "astype": [case("astype", lambda x: ops.astype(x, x.dtype), (3,), analytic=False)],
        "flip": [
            case("flip", ops.flip, (2, 3)),
            case("flip", lambda x: ops.flip(x, 0), (2, 3)),
            case("flip", lambda x: ops.flip(x, (0, -1)), (2, 3)),
        ],
        "roll": [
            case("roll", lambda x: ops.roll(x, 1), (2, 3)),
            case("roll", lambda x: ops.roll(x, 2, axis=1), (2, 3)),
            case("roll", lambda x: ops.roll(x, (1, -1), axis=(0, 1)), (2, 3)),
        ],
        "pad": [
            case("pad", lambda x: ops.pad(x, 1), (2, 2)),
            case("pad", lambda x: ops.pad(x, ((1, 0), (0, 2))), (2, 3)),
        ],
        "triu": [
            case("triu", ops.triu, (3, 3)),
            case("triu", lambda x: ops.triu(x, 1), (2, 3, 3)),
        ],
        "tril": [
            case("tril", ops.tril, (3, 2)),
            case("tril", lambda x: ops.tril(x, -1), (3, 3)),
        ],
        "getitem": [case("getitem", lambda x, i=i: ops.getitem(x, i), (3, 2)) for i in indices]
        + [
            case("getitem", lambda x: x[np.zeros((0,), int)], (3,)),
            case("getitem", lambda x: ops.take(x, [0, 0, 1], axis=1), (2, 3)),
            case("getitem", lambda x: ops.take(x, np.array([[5, 0]])), (2, 3)),
            case("getitem", lambda x: ops.repeat(x, 2, axis=-1), (2, 2)),
            case("getitem", lambda x: ops.repeat(x, [1, 0, 2], axis=0), (3, 2)),
            case("getitem", lambda x: ops.repeat(x, 2), (2, 2)),
            case("getitem", ops.diagonal, (3, 3)),
            case("getitem", lambda x: ops.diag(x, 1), (3, 3)),
            case("getitem", ops.trace, (2, 2, 2)),
            case("getitem", ops.sort, (2, 3), analytic=False),
            case("getitem", lambda x: ops.sort(x, axis=0), (3, 2), analytic=False),
        ],
        "scatter": [
            case("scatter", lambda g: ops.scatter(g, rows, (3,)), (4,)),
            case("scatter", lambda g: ops.scatter(g, (slice(1, 3), 0), (4, 2)), (2,)),
            case("scatter", ops.diag, (3,)),
            case("scatter", lambda g: ops.diag(g, -1), (2,)),
        ],
        "concatenate": [
            case("concatenate", lambda a, b: ops.concatenate([a, b]), (2, 3), (1, 3)),
            case("concatenate", lambda *xs: ops.concatenate(xs, -1), (2, 1), (2, 0), (2, 2)),
            case("concatenate", lambda a, b: ops.stack([a, b]), (3,), (3,)),
            case("concatenate", lambda a, b: ops.stack([a, b], axis=-1), (2, 3), (2, 3)),
            case("concatenate", lambda a, b: ops.stack([a, b]), (), ()),
            case("concatenate", lambda a: ops.concatenate([a, np.ones(2, np.float32), a]), (2,)),
        ],
        "split": [
            case("split", lambda x: ops.split(x, 2)[0], (4,)),
            case("split", lambda x: ops.split(x, (1, 3), axis=1)[1], (2, 4)),
            case("split", lambda x: ops.concatenate(ops.split(x, 3, axis=-1)[::-1], -1), (2, 3)),
            case("split", lambda x: ops.split(x, 2)[1] * ops.split(x, 2)[1], (4,)),
        ],
        "pick": [case("pick", lambda x: ops.split(x, 2)[1], (4,))],
        "im2col": [
            case("im2col", lambda x: ops.im2col(x, (2, 2)), (1, 3, 3, 2)),
            case("im2col", lambda x: ops.im2col(x, (3, 2), stride=2), (2, 5, 4, 1)),
        ],
        "col2im": [
            case("col2im", lambda g: ops.col2im(g, (1, 3, 3, 1), (2, 2)), (1, 2, 2, 4)),
            case("col2im", lambda g: ops.col2im(g, (1, 5, 4, 1), (3, 2), 2), (1, 2, 2, 6)),
        ],
    }  # fmt: skip


def _products() -> dict[str, list[Case]]:
    pairs = [
        [(3,), (3,)], [(2, 3), (3,)], [(3,), (3, 2)], [(2, 3), (3, 4)], [(2, 2, 3), (2, 3, 2)],
        [(2, 2, 3), (3, 2)], [(2, 3), (2, 3, 2)], [(2, 2, 3), (3,)], [(3,), (2, 3, 2)],
        [(2, 1, 2, 3), (3, 3, 2)], [(0, 3), (3, 2)], [(2, 0), (0, 2)],
    ]  # fmt: skip
    sums: list[tuple[str, list[tuple[int, ...]]]] = [
        ("ij,jk->ik", [(2, 3), (3, 2)]), ("ij->ji", [(2, 3)]), ("ii->i", [(3, 3)]),
        ("ii", [(3, 3)]), ("ij->", [(2, 3)]), ("i,j->ij", [(2,), (3,)]), ("i,i", [(3,), (3,)]),
        ("ij,jk,kl->il", [(2, 2), (2, 3), (3, 2)]), ("bij,bjk->bik", [(2, 2, 3), (2, 3, 2)]),
        ("ij,ij->i", [(2, 3), (2, 3)]), ("iij->j", [(2, 2, 3)]), ("...ij,...jk->...ik",
        [(2, 2, 3), (2, 3, 2)]), ("ij,k->i", [(2, 3), (2,)]), ("iii->i", [(2, 2, 2)]),
        ("...i->...", [(2, 2, 3)]), (" i j , j -> i ", [(2, 3), (3,)]),
    ]  # fmt: skip
    linalg = {
        "inv": Case("inv", ops.inv, [(3, 3)], prepare=_dominant),
        "det": Case("det", ops.det, [(3, 3)], prepare=_dominant),
        "cholesky": Case("cholesky", ops.cholesky, [(3, 3)], prepare=_spd, analytic=False),
    }
    return {
        "matmul": [Case("matmul", ops.matmul, s) for s in pairs]
        + [
            Case("matmul", ops.dot, [(2, 2), (3, 2, 2)]),
            Case("matmul", ops.tensordot, [(2, 3, 2), (3, 2, 2)]),
            Case("matmul", lambda a, b: ops.tensordot(a, b, ((0,), (1,))), [(2, 3), (3, 2)]),
            Case("matmul", lambda a, b: ops.tensordot(a, b, 0), [(2,), (3,)]),
            Case("matmul", ops.inner, [(2, 3), (2, 3)]),
        ],
        "einsum": [Case("einsum", lambda *xs, t=t: ops.einsum(t, *xs), s) for t, s in sums],
        "solve": [
            Case("solve", ops.solve, [(3, 3), (3,)], prepare=_dominant),
            Case("solve", ops.solve, [(3, 3), (3, 2)], prepare=_dominant),
            Case("solve", ops.solve, [(2, 2, 2), (2, 2, 1)], prepare=_dominant),
            Case("solve", ops.solve, [(2, 2), (3, 2, 2)], prepare=_dominant),
        ],
        **{k: [c, c._replace(shapes=[(2, 2, 2)])] for k, c in linalg.items()},
        "slogdet": [
            Case("slogdet", lambda x: ops.slogdet(x)[1], [(3, 3)], prepare=_dominant,
                 analytic=False),
            Case("slogdet", lambda x: ops.slogdet(-x)[1], [(2, 3, 3)], prepare=_dominant,
                 analytic=False),
        ],
    }  # fmt: skip


SAMPLES: dict[str, list[Case]] = {**_elementwise(), **_reductions(), **_shaping(), **_products()}
