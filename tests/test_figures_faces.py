"""The faces of a figure in Python: deterministic, safe, complete, equal to the page's numbers."""

from __future__ import annotations

import gzip
import json
import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
import traitlets

pytest.importorskip("anywidget")

from bplib import draw, figures, ops
from bplib.export import dumps
from bplib.figures import FIGURES, GraphExplorer, bundle, visual
from bplib.figures.bench import generator, normals
from bplib.figures.chain import best_order, forward_cost, ledger, reverse_cost
from bplib.figures.check import difference_error, schedule

ROOT = Path(bundle.__file__).parent
NODE = shutil.which("node")


def loss(x, w, b):
    z = w * x + b
    return (ops.tanh(z) - 0.5) ** 2


def make(number):
    cls = FIGURES[number]
    return cls(loss, x=1.5, w=0.8, b=-0.4) if cls is GraphExplorer else cls()


@pytest.mark.parametrize("number", sorted(FIGURES))
def test_four_faces_and_no_state(number):
    data, meta = make(number)._repr_mimebundle_()
    assert set(data) == {
        "application/vnd.jupyter.widget-view+json",
        "text/html",
        "image/svg+xml",
        "text/plain",
    }
    assert isinstance(meta, dict)
    svg = ET.fromstring(data["image/svg+xml"])
    names = {child.tag.rpartition("}")[2] for child in svg}
    assert {"title", "desc"} <= names
    assert data["text/plain"].startswith(svg.find("{*}title").text)
    spec = re.search(r'<script type="application/json">(.*?)</script>', data["text/html"], re.S)
    loaded = json.loads(spec.group(1))
    assert loaded["state"], "the page starts from the state of the traits"
    # Nothing from another place, in any face.
    for url in re.findall(
        r'(?:src|href|url)\W{1,3}(\w+:[^\s"\')]+)', " ".join(map(str, data.values()))
    ):
        pytest.fail(f"a face refers to {url}")


@pytest.mark.parametrize("number", sorted(FIGURES))
def test_faces_are_deterministic(number):
    a, b = make(number), make(number)
    assert a.html() == b.html()
    assert a.picture() == b.picture()
    assert a.model_id != b.model_id  # two figures in one kernel are two models


@pytest.mark.parametrize("number", sorted(FIGURES))
def test_controls_follow_the_figure_and_it_follows_them(number):
    fig = make(number)
    box = fig.controls()
    knobs = [w for w in box.children if w is not fig]
    if number != 5:  # the widths of the Bracket Game are typed into the figure
        assert knobs
    for knob in knobs:
        if hasattr(knob, "options"):
            knob.value = knob.options[-1]
            assert knob.value in fig.state().values()
        elif hasattr(knob, "step"):
            knob.value = knob.value + knob.step if not hasattr(knob, "base") else knob.value * 1.1
    data, _ = box._repr_mimebundle_()
    assert fig.html() in data["text/html"]
    assert "In JupyterLab" in data["text/html"]


def test_the_benchs_sliders_resize_all_layers():
    fig = figures.LayerBench([8, 8])
    count, width = fig.controls().children[:2]
    count.value = 4
    assert fig.layers == [8, 8, 8, 8]
    width.value = 5
    assert fig.layers == [5, 5, 5, 5]
    fig.layers = [3]
    assert count.value == 1


def test_model_ids_do_not_change_from_kernel_to_kernel():
    code = (
        "from bplib.figures import StepSize, Logits;"
        "print(StepSize().model_id, StepSize().model_id, Logits().model_id)"
    )
    import sys

    runs = {
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        ).stdout
        for _ in range(2)
    }
    assert len(runs) == 1
    assert len(set(runs.pop().split())) == 3


def test_the_front_end_in_the_package_is_the_one_its_sources_build():
    for name, text in bundle.build().items():
        assert (ROOT / name).read_text(encoding="utf-8") == text, (
            f"{name} is stale: run python -m bplib.figures.bundle"
        )


def test_the_front_end_is_small_and_asks_for_nothing():
    code = (ROOT / "static" / "mount.js").read_bytes()
    size = len(gzip.compress(code, 9, mtime=0))
    print(f"mount.js: {len(code)} bytes, {size} gzipped")
    assert size <= 60_000
    text = code.decode()
    for word in ("innerHTML", "outerHTML", "eval(", "Function(", "fetch(", "XMLHttp", "import("):
        assert word not in text, word
    addresses = set(re.findall(r"https?://[^\s\"'`]+", text))
    assert addresses == {"http://www.w3.org/2000/svg"}


@pytest.mark.skipif(NODE is None, reason="needs node")
def test_the_built_files_are_valid_scripts(tmp_path):
    for name, target in (("mount.js", "mount.cjs"), ("figures.js", "figures.mjs")):
        (tmp_path / target).write_bytes((ROOT / "static" / name).read_bytes())
        subprocess.run([NODE, "--check", str(tmp_path / target)], check=True)


def test_bplib_does_not_import_widgets():
    import sys

    code = "import sys, bplib, bplib.export, bplib.draw; print('anywidget' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "False"


# --- the Graph Explorer ---------------------------------------------------------------------------


def test_leaves_are_traits_and_the_kernel_follows_them():
    fig = GraphExplorer(loss, x=1.5, w=0.8, b=-0.4)
    assert fig.values() == {"x": 1.5, "w": 0.8, "b": -0.4}
    first = fig.gradients()
    fig.v_w = -2.0
    assert fig.gradients() != first
    z = -2.0 * 1.5 - 0.4
    slope = 2 * (np.tanh(z) - 0.5) * (1 - np.tanh(z) ** 2)
    assert fig.gradients()["x"] == pytest.approx(slope * -2.0, rel=1e-12)
    assert '"v_w":-2.0' in fig.html()
    assert "w = −2.00" in fig.summary()


def test_two_explorers_do_not_share_traits():
    a, b = GraphExplorer(loss, x=1.0, w=2.0, b=0.0), GraphExplorer(lambda q: q * q, q=3.0)
    assert a.has_trait("v_w")
    assert not b.has_trait("v_w")
    assert b.gradients() == {"q": 6.0}


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: GraphExplorer(loss), TypeError, "give the arguments"),
        (lambda: GraphExplorer(loss, x=np.nan, w=1.0, b=0.0), ValueError, "'x' is not finite"),
        (lambda: GraphExplorer(loss, x=1.0, w="two", b=0.0), TypeError, "'w' must be a number"),
        (
            lambda: GraphExplorer(lambda x: x * 2, x=np.ones(3)),
            TypeError,
            r"scalar loss, got shape \(3,\)",
        ),
        (lambda: GraphExplorer(lambda x: 3.0, x=1.0), TypeError, "not computed from its arguments"),
        (
            lambda: GraphExplorer(loss, x=1.0, w=1.0, b=0.0, params=["q"]),
            ValueError,
            "params names",
        ),
        (
            lambda: GraphExplorer(loss, x=1.0, w=1.0, b=0.0, ranges={"q": (0, 1)}),
            ValueError,
            "ranges names",
        ),
        (
            lambda: GraphExplorer(loss, x=1.0, w=1.0, b=0.0, predict=[{"leaf": "q"}]),
            ValueError,
            "a question needs",
        ),
        (
            lambda: GraphExplorer(lambda A: ops.det(A), A=np.eye(2)),
            ValueError,
            "'det' is not in the page",
        ),
        (lambda: figures.FanoutLedger(x=[1.0], y=[]), ValueError, "same length"),
        (lambda: figures.LayerBench([0]), traitlets.TraitError, "0"),
        (lambda: figures.LayerBench([4], activation="step"), traitlets.TraitError, "step"),
        (lambda: figures.BracketGame([3, 0, 2]), traitlets.TraitError, "0"),
        (lambda: figures.StepSize(rate=0.0), traitlets.TraitError, "rate"),
    ],
)
def test_bad_arguments_are_refused_with_the_reason(call, error, says):
    with pytest.raises(error, match=says):
        call()


def test_json_in_a_page_cannot_close_its_element():
    text = dumps({"a": "</script><!--", "b": "\u2028&"})
    assert "<" not in text
    assert ">" not in text
    assert "&" not in text
    assert json.loads(text) == {"a": "</script><!--", "b": "\u2028&"}
    with pytest.raises(ValueError, match="JSON"):
        dumps(float("nan"))


def test_the_picture_holds_every_number_of_the_graph():
    fig = GraphExplorer(loss, x=1.5, w=0.8, b=-0.4)
    svg = fig.picture()
    doc = fig._document(fig.values(), gradients=True)
    for node in doc["nodes"]:
        if node["role"] != "const":
            assert f">{draw.fmt(draw.dec(node['value']))}<" in svg
            assert f">{draw.fmt(draw.dec(node['grad']))}<" in svg
    assert "javascript:" not in svg
    assert "<script" not in svg


# --- numbers that Python and the page both compute ---------------------------------------------


def page(expression, module):
    url = (ROOT / "js" / module).as_uri()
    code = (
        f"import * as m from {json.dumps(url)}; process.stdout.write(JSON.stringify({expression}));"
    )
    done = subprocess.run(
        [NODE, "--input-type=module", "-e", code],
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
        check=True,
    )
    return json.loads(done.stdout)


needs_node = pytest.mark.skipif(NODE is None, reason="needs node")


@needs_node
def test_the_generators_agree():
    got = page(
        "(() => { const g = m.generator(7); return [...Array(9)].map(() => g.uniform()); })()",
        "fig_bench.mjs",
    )
    ours = generator(7)
    assert got == [next(ours) for _ in range(9)]
    got = page(
        "(() => { const g = m.generator(7); return [...Array(9)].map(() => g.normal()); })()",
        "fig_bench.mjs",
    )
    draws = normals(generator(7))
    assert np.allclose(got, [next(draws) for _ in range(9)], rtol=1e-13)


@needs_node
@pytest.mark.parametrize("loss_name", ["cross-entropy", "squared error"])
@pytest.mark.parametrize("data", ["moons", "digits"])
@pytest.mark.parametrize(
    "activation", ["tanh", "sigmoid", "relu", "leaky_relu", "gelu", "softplus", "identity"]
)
def test_the_bench_of_the_page_is_the_network_of_bplib(activation, data, loss_name):
    init = {"relu": "he", "gelu": "lecun"}.get(activation, "glorot")
    fig = figures.LayerBench(
        [7, 5], activation=activation, data=data, loss=loss_name, init=init, gain=1.3, seed=4
    )
    from bplib.figures.bench import PROBE, arrays

    X, t, classes = arrays(data)
    X, t = X[:PROBE], t[:PROBE]
    job = (
        f"m.signals(m.makeNet({[X.shape[1], 7, 5, classes]}, '{activation}', '{init}', 1.3, 4), "
        f"Float64Array.from({X.ravel().tolist()}), {t.tolist()}, {len(t)}, '{loss_name}').rows"
    )
    for theirs, ours in zip(page(job, "fig_bench.mjs"), fig.signals(), strict=True):
        for key in ("value", "gradient", "weight"):
            a, b = theirs[key], getattr(ours, key)
            assert (a is None and b is None) or a == pytest.approx(b, rel=1e-12), (key, ours)


@needs_node
def test_ledger_brackets_and_checkpoints_agree():
    xs, ys = [1.5, -0.5, 2.0], [0.5, 1.0, 2.5]
    theirs = page(f"m.ledger(0.8, {xs}, {ys})", "fig_chain.mjs")
    ours = ledger(0.8, xs, ys)
    assert [r["total"] for r in theirs["rows"]] == pytest.approx([r["total"] for r in ours])
    rng = np.random.default_rng(0)
    chains = [rng.integers(1, 60, rng.integers(3, 9)).tolist() for _ in range(40)]
    got = page(
        f"{chains}.map(d => [m.bestOrder(d).cost, m.forwardCost(d), m.reverseCost(d)])",
        "fig_chain.mjs",
    )
    assert got == [[best_order(d)[0], forward_cost(d), reverse_cost(d)] for d in chains]
    plans = [[16, [4, 8, 12]], [16, []], [9, list(range(1, 9))], [36, [6, 7, 30]], [2, [1]]]
    got = page(f"{json.dumps(plans)}.map(([n, k]) => m.schedule(n, k))", "fig_check.mjs")
    for (n, keep), theirs in zip(plans, got, strict=True):
        ours = schedule(n, keep)
        assert {k: theirs[k] for k in ours} == ours


def test_the_costs_are_those_of_counting():
    """The dynamic program against all bracketings of a short chain."""

    def all_costs(shapes):
        if len(shapes) == 1:
            return {(shapes[0], 0)}
        out = set()
        for k in range(1, len(shapes)):
            for left, a in all_costs(shapes[:k]):
                for right, b in all_costs(shapes[k:]):
                    out.add(((left[0], right[1]), a + b + left[0] * left[1] * right[1]))
        return out

    rng = np.random.default_rng(1)
    for _ in range(20):
        d = rng.integers(1, 12, 6).tolist()
        shapes = [(d[k], d[k - 1]) for k in range(len(d) - 1, 0, -1)]
        assert best_order(d)[0] == min(c for _, c in all_costs(shapes))


def test_checkpoints_keep_what_the_sweep_needs():
    assert schedule(16, [4, 8, 12])["peak"] == 8
    assert schedule(16, [4, 8, 12])["again"] == 9
    assert schedule(16, [])["peak"] == schedule(16, range(1, 16))["peak"] == 17
    for n in range(2, 20):
        r = schedule(n, [n // 2])
        assert r["kinds"].count("b") == n
        assert r["alive"][-1] == 1


@needs_node
def test_the_difference_errors_agree_where_rounding_is_not_the_answer():
    cases = [
        (name, scheme, "float64", 0.7, h)
        for name in ("exp", "sin", "tanh", "x³")
        for scheme in ("forward", "central", "complex")
        for h in (1e-1, 1e-2, 1e-3)
    ]
    got = page(f"{json.dumps(cases)}.map(c => m.checkError(...c))", "fig_check.mjs")
    for case, theirs in zip(cases, got, strict=True):
        assert theirs == pytest.approx(difference_error(*case), rel=1e-4, abs=1e-13), case


@needs_node
def test_the_other_figures_agree():
    lens = figures.TangentLens(x=0.4)
    assert page("m.lensGap('sin', 0.4, 30)", "fig_more.mjs") == pytest.approx(
        lens.gap(30), rel=1e-9
    )
    paths = figures.PathsVsSweep(width=5, depth=7)
    assert tuple(page("[m.pathCount(5, 7), m.edgeCount(5, 7)]", "fig_more.mjs")) == paths.counts()
    for activation in ("relu", "leaky_relu", "tanh", "sigmoid", "gelu", "identity"):
        fig = figures.DeadOrSaturated(activation=activation, shift=-0.7, scale=2.5)
        got = page(
            f"Array.from(m.slopes({{activation: '{activation}', shift: -0.7, scale: 2.5}}).D)",
            "fig_more.mjs",
        )
        assert np.allclose(got, fig.slopes().ravel(), rtol=1e-9, atol=1e-13)
    for form in ("fused", "naive"):
        for dtype, tol in (("float64", 1e-12), ("float32", 1e-5), ("float16", 5e-3)):
            fig = figures.Logits(form=form, dtype=dtype, z1=2.0, scale=2.0)
            got = page(
                "m.logits({z: [2, .5, -1, 0], scale: 2, target: 0, "
                f"form: '{form}', dtype: '{dtype}'}})",
                "fig_more.mjs",
            )
            p, g, J = fig.result()
            assert np.allclose(got["p"], p, rtol=tol, atol=tol)
            assert np.allclose(got["g"], g, rtol=tol, atol=tol)
            assert got["J"] == pytest.approx(J, rel=tol, abs=2 * tol)
    step = figures.StepSize()
    got = page("m.descend({rate: 0.15, curvature: 10, x: 4, y: 1}).map(p => p[2])", "fig_more.mjs")
    assert np.allclose(got, step.losses(), rtol=1e-12)
    tiles = ("X", "Xᵀ", "Z̄", "Z̄ᵀ")
    for square in ("distinct", "square"):
        fig = figures.ShapeTailor(square=square)
        got = page(
            f"{json.dumps(tiles)}.flatMap(left => {json.dumps(tiles)}.map(right => "
            f"m.tailor({{square: '{square}', left, right}})))",
            "fig_more.mjs",
        )
        for k, q in enumerate(got):
            said = "wrong numbers" if q["shape"] else "wrong shape" if q["fits"] else "no product"
            assert ("right" if q["right"] else said) == fig.verdict(tiles[k // 4], tiles[k % 4])


# --- the visual language --------------------------------------------------------------------------


def contrast(a, b):
    def light(c):
        parts = [int(c[k : k + 2], 16) / 255 for k in (1, 3, 5)]
        parts = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in parts]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    x, y = sorted((light(a), light(b)), reverse=True)
    return (x + 0.05) / (y + 0.05)


def test_every_role_is_legible_on_page_and_tint():
    page_light, page_dark = visual.NEUTRAL["page"]["light"], visual.NEUTRAL["page"]["dark"]
    for name, r in visual.ROLES.items():
        for ink, grounds in (
            (r["light"], (page_light, r["tint"], visual.NEUTRAL["panel"]["light"])),
            (r["dark"], (page_dark, r["darktint"], visual.NEUTRAL["panel"]["dark"])),
        ):
            for ground in grounds:
                assert contrast(ink, ground) >= 4.5, (name, ink, ground)
    outline = visual.NEUTRAL["outline"]
    assert contrast(outline["light"], page_light) >= 3
    assert contrast(outline["dark"], page_dark) >= 3


def test_one_token_file_feeds_all_three():
    css = (ROOT / "static" / "tokens.css").read_text(encoding="utf-8")
    macros = json.loads((ROOT / "static" / "katex_macros.json").read_text(encoding="utf-8"))
    assert set(macros) == {"\\val", "\\cot", "\\loc", "\\prm"}
    colors = [c["color"] for c in visual.style()["axes.prop_cycle"]]
    for r, color in zip(visual.ROLES.values(), colors, strict=True):
        assert color == r["light"]
        assert r["light"] in css
        assert r["dark"] in css
        assert f"bp-{r['macro']}" in macros["\\" + r["macro"]]
        assert f".bp-{r['macro']}{{" in css


def test_the_matplotlib_style_draws(tmp_path):
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    with figures.use_style():
        fig, ax = plt.subplots()
        for k, name in enumerate(visual.ROLES):
            ax.plot([0, 1, 2], [k, k + 1, k + 1.5], label=name)
        figures.label_lines(ax)
        lines = ax.get_lines()
        assert len({line.get_linestyle() for line in lines}) >= 3
        assert len({line.get_marker() for line in lines}) == 4
        assert not ax.spines["top"].get_visible()
        assert len(ax.texts) == 4
        fig.savefig(tmp_path / "style.svg")
        plt.close(fig)
    assert matplotlib.rcParams["axes.spines.top"]
