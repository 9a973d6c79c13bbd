"""The Layer Bench: its numbers, its printed face, and its controls without a browser."""

import math
import shutil
import subprocess
import sys
from html.parser import HTMLParser

import numpy as np
import pytest

ipywidgets = pytest.importorskip("ipywidgets", reason="the bench needs the widgets extra")

from bplib import widgets  # noqa: E402
from bplib.widgets import Bench, LayerBench, panel  # noqa: E402

VIEW = "application/vnd.jupyter.widget-view+json"
VOID = {"meta", "br", "hr"}


class Reader(HTMLParser):
    """Checks that tags close in order and collects what the tests ask about."""

    def __init__(self, text):
        super().__init__()
        self.open, self.seen, self.text, self.pictures = [], [], [], []
        self.feed(text)
        assert self.open == [], self.open

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        if tag == "svg":
            self.pictures.append((dict(attrs), "div aria-hidden" in " ".join(self.open), []))
        if tag not in VOID:
            self.open.append("div aria-hidden" if dict(attrs).get("aria-hidden") else tag)

    def handle_startendtag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop().split()[0] == tag

    def handle_data(self, data):
        self.text.append(data)
        if self.open and self.open[-1] in ("title", "desc"):
            self.pictures[-1][2].append(self.open[-1])


def small(**settings):
    return Bench(**{"layers": [5, (4, "relu")], **settings})


def test_bplib_alone_never_imports_widgets():
    code = "import sys, bplib, bplib.nn, bplib.train; print('ipywidgets' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


@pytest.mark.parametrize("trained", [0, 3])
def test_signals_are_what_they_say(trained):
    bench = small()
    bench.train(trained)
    X, labels = bench.X[:256], bench.T[:256]
    W, b = bench.net.W, bench.net.b
    A1 = np.tanh(X @ W[1] + b[1])
    Z2 = A1 @ W[2] + b[2]
    A2 = np.where(Z2 > 0, Z2, 0)
    E = np.exp(A2 @ W[3] + b[3])
    P = E / E.sum(axis=1)[:, None]
    D3 = (P - np.eye(2)[labels]) / 256
    D2 = (D3 @ W[3].T) * (Z2 > 0)
    D1 = (D2 @ W[2].T) * (1 - A1**2)
    signals = bench.signals()
    for s, A, D in zip(signals, (X, A1, A2, P), (None, D1, D2, D3), strict=True):
        assert s.values == pytest.approx(math.sqrt((A**2).mean()), rel=1e-12)
        assert sum(s.value_counts) == A.size
        assert s.value_reach == pytest.approx(np.abs(A).max())
        if D is not None:
            assert s.gradients == pytest.approx(math.sqrt((D**2).mean()), rel=1e-10)
            assert sum(s.gradient_counts) == D.size
    assert signals[1].weights == pytest.approx(math.sqrt(((X.T @ D1) ** 2).mean()), rel=1e-10)
    assert signals[1].flat == pytest.approx(((1 - A1**2) < 0.01).mean())
    assert signals[2].flat == pytest.approx((Z2 <= 0).mean())
    zeros = np.abs(A2) < signals[2].value_reach / 15
    assert signals[2].value_counts[7] == zeros.sum()  # exact zeros lie in the middle bin
    assert [s.activation for s in signals] == ["data", "tanh", "relu", "softmax"]


def test_training_learns_and_changes_start_again_but_the_rate_does_not():
    bench = Bench(layers=[16, 16])
    before = bench.accuracy()
    bench.train(10)
    bench.train(20)
    assert len(bench.losses) == 30
    assert bench.losses[-1] < bench.losses[0] / 2
    assert bench.accuracy() > max(before, 0.93)
    bench.change(learning_rate=0.05)
    assert len(bench.losses) == 30
    bench.add_layer(7, "relu")
    assert (bench.losses, bench.net.widths) == ([], (2, 16, 16, 7, 2))
    bench.set_layer(0, width=3, activation="sigmoid")
    bench.remove_layer(1)
    assert bench.layers == [(3, "sigmoid"), (7, "relu")]
    assert bench.state() == {
        "data": "moons",
        "layers": [{"width": 3, "activation": "sigmoid"}, {"width": 7, "activation": "relu"}],
        "init": "glorot",
        "gain": 1.0,
        "seed": 0,
        "learning_rate": 0.05,
        "epochs": 0,
    }


def test_training_in_portions_is_training_at_once():
    once, twice = small(), small()
    once.train(6)
    twice.train(2)
    twice.train(4)
    assert once.losses == twice.losses
    np.testing.assert_array_equal(once.net.W[1], twice.net.W[1])
    once.restart()
    once.train(6)
    assert once.losses == twice.losses


def test_an_exploding_rate_is_explained_and_the_bench_goes_on():
    bench = Bench(layers=[(16, "relu"), (16, "relu")], learning_rate=1e4, gain=10)
    bench.train(50)
    assert "learning rate was 1.00×10⁴" in bench.message
    assert all(np.isfinite(p).all() for p in bench.net.parameters())
    assert bench.message in " ".join(Reader(panel(bench)).text)
    bench.change(gain=1.0, learning_rate=0.1)
    bench.train(2)
    assert (bench.message, len(bench.losses)) == ("", 2)


BAD = [
    ({"data": "cats"}, "data must be one of moons, digits"),
    ({"layers": [0]}, "1 to 256 units"),
    ({"layers": [8] * 13}, "up to 12 layers"),
    ({"layers": [(8, "gelou")]}, "'gelou'"),
    ({"layers": [8.5]}, "widths"),
    ({"init": "xavier"}, "init must be one of"),
    ({"gain": 0.0}, "gain"),
    ({"gain": math.nan}, "gain"),
    ({"learning_rate": -1.0}, "lr must be"),
    ({"momentum": 0.9}, "no setting is called 'momentum'"),
]


@pytest.mark.parametrize(("settings", "words"), BAD)
def test_refused_settings_change_nothing(settings, words):
    bench = small()
    bench.train(1)
    kept, weights = bench.state(), bench.net.copy_parameters()
    if "layers" in settings:
        settings = {
            "layers": [x if isinstance(x, tuple) else (x, "tanh") for x in settings["layers"]]
        }
    with pytest.raises(ValueError, match=words):
        bench.change(**settings)
    assert bench.state() == kept
    for p, q in zip(bench.net.parameters(), weights, strict=True):
        np.testing.assert_array_equal(p, q)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"layers": [8, 8]}, "times"),
        ({"layers": []}, "no hidden layer"),
        ({"layers": [8, 8], "init": "zeros"}, "No gradient at all reaches layer 2"),
        ({"layers": [(32, "sigmoid")] * 5}, "smaller"),
        ({"layers": [(32, "relu")] * 4, "init": "he", "gain": 3.0}, "larger"),
    ],
)
def test_the_printed_face_is_deterministic_well_formed_and_says_what_happens(settings, words):
    text = panel(Bench(**settings), widgets.NOTE)
    assert text == panel(Bench(**settings), widgets.NOTE)
    page = Reader(text)
    spoken = " ".join(page.text)
    assert words in spoken
    assert "are live in JupyterLab" in spoken
    tags = [tag for tag, _ in page.seen]
    assert "script" not in tags
    assert not any(
        k.startswith("on") or k in ("href", "src", "id") for _, a in page.seen for k in a
    )
    for attributes, hidden, parts in page.pictures:
        assert hidden or (attributes.get("role") == "img" and parts == ["title", "desc"])
    bench = Bench(**settings)
    assert tags.count("tr") == 1 + len(bench.signals())
    for s in bench.signals():
        for cell in widgets._cells(s):
            assert cell in page.text


def test_nothing_in_a_state_becomes_markup(monkeypatch):
    monkeypatch.setitem(widgets.DATA, "moons", "<img src=x onerror=alert(1)>")
    bench = small()
    bench.message = "<script>alert(1)</script>"
    tags = [tag for tag, _ in Reader(panel(bench, "<b onclick=1>")).seen]
    assert not {"img", "script"} & set(tags)
    assert "&lt;script&gt;" in panel(bench)


@pytest.mark.parametrize(
    ("x", "text"),
    [
        (0.0, "0"),
        (1.0, "1.00"),
        (-0.5, "−0.500"),
        (0.0012345, "0.00123"),
        (0.00012345, "1.23×10⁻⁴"),
        (9.999, "10.0"),
        (999.9, "1000"),
        (8296.0, "8300"),
        (12345.0, "1.23×10⁴"),
        (math.inf, "∞"),
        (-math.inf, "−∞"),
        (math.nan, "NaN"),
    ],
)
def test_numbers(x, text):
    assert widgets._number(x) == text


def test_scale():
    assert [widgets._place(x) for x in (0.0, 1e-9, 1e-7, 1e2, 1e9, math.inf, math.nan)] == [
        0.0, 0.0, 0.0, 100.0, 100.0, 100.0, 0.0,
    ]  # fmt: skip
    assert widgets._place(10**-2.5) == 50.0


def test_three_faces():
    bench = LayerBench(layers=[4]).train(1)
    bundle = bench._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "text/html", VIEW}
    assert bundle["text/html"] == LayerBench(layers=[4]).train(1)._repr_html_()
    assert bundle["text/plain"].startswith("LayerBench: two moons, 1 epoch trained\n")
    assert "object at 0x" not in bundle["text/plain"]
    assert bundle[VIEW]["model_id"] == bench.view.model_id
    assert set(bench._repr_mimebundle_(include=["text/html"])) == {"text/html"}
    assert VIEW not in bench._repr_mimebundle_(exclude=[VIEW])


def find(box, kind, text):
    found = [box] if isinstance(box, kind) and box.description == text else []
    for child in getattr(box, "children", ()):
        found += find(child, kind, text)
    return found


def kinds(box):
    return {type(box)}.union(*(kinds(c) for c in getattr(box, "children", ())))


def test_every_control_works_on_the_bench():
    live = LayerBench(layers=[6])
    bench, box = live.bench, live.view
    assert ipywidgets.Output not in kinds(box)

    def press(text, nth=0):
        find(box, ipywidgets.Button, text)[nth].click()

    press("train 1 epoch")
    assert len(bench.losses) == 1
    press("train 10 epochs")
    assert len(bench.losses) == 11
    assert "After 11 epochs" in box.children[-1].value
    (rate,) = find(box, ipywidgets.FloatLogSlider, "learning rate")
    rate.value = 0.01
    assert (bench.learning_rate, len(bench.losses)) == (0.01, 11)
    press("start again")
    assert bench.losses == []
    press("add layer")
    assert bench.layers == [(6, "tanh"), (6, "tanh")]
    rows = box.children[2].children
    assert len(rows) == 2
    rows[1].children[0].value = 9
    rows[1].children[1].value = "relu"
    assert bench.layers == [(6, "tanh"), (9, "relu")]
    press("remove", 0)
    assert bench.layers == [(9, "relu")]
    row = box.children[2].children[0]
    assert (row.children[0].value, row.children[1].value) == (9, "relu")
    (start,) = find(box, ipywidgets.Dropdown, "initialization")
    start.value = "he"
    (gain,) = find(box, ipywidgets.FloatLogSlider, "gain")
    gain.value = 2.0
    assert (bench.init, bench.gain) == ("he", 2.0)
    press("remove", 0)
    assert bench.layers == []
    press("add layer")
    assert bench.layers == [(16, "tanh")]
    live.change(learning_rate=0.2).train(1)
    assert rate.value == 0.2
    assert "After 1 epoch:" in box.children[-1].value


def test_opening_the_controls_keeps_what_was_trained():
    live = LayerBench(data="moons", layers=[4], init="he", gain=2.0, learning_rate=0.05).train(3)
    weights = live.bench.net.copy_parameters()
    assert live.view is live.view
    live.bench.train(1)
    live.view.children[0].children[0].value = "moons"
    assert len(live.bench.losses) == 4
    assert not np.array_equal(live.bench.net.W[1], weights[0])
    assert live.bench.gain == 2.0


def test_a_refusal_is_shown_and_the_controls_go_back():
    live = LayerBench(layers=[4] * 12)
    find(live.view, ipywidgets.Button, "add layer")[0].click()
    assert "up to 12 layers" in live.view.children[-1].value
    assert len(live.view.children[2].children) == 12


def test_digits_are_there_too():
    pytest.importorskip("sklearn", reason="the digits come with scikit-learn")
    bench = Bench(data="digits", layers=[32], learning_rate=0.1)
    bench.train(5)
    assert bench.accuracy() > 0.93
    assert "Handwritten digits, layers 64-32-10" in panel(bench)


@pytest.mark.browser
@pytest.mark.parametrize("width", [320, 375, 860])
def test_no_horizontal_overflow(width, tmp_path):
    chromium = shutil.which("chromium")
    if not chromium:
        pytest.skip("there is no chromium on this machine")
    sync_api = pytest.importorskip("playwright.sync_api", reason="drives the browser")
    text = LayerBench(layers=[(32, "leaky_relu")] * 6, init="orthogonal").train(2)._repr_html_()
    head = (
        '<!doctype html><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    )
    page_file = tmp_path / "bench.html"
    page_file.write_text(head + text.replace("<details>", "<details open>"), encoding="utf-8")
    with sync_api.sync_playwright() as p:
        options = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
        browser = p.chromium.launch(executable_path=chromium, args=options)
        try:
            page = browser.new_page(viewport={"width": width, "height": 800})
            page.goto(page_file.as_uri())
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            small = page.evaluate(
                "[...document.querySelectorAll('figure *')].filter(e => e.textContent.trim() &&"
                " !e.children.length && !['TITLE', 'DESC', 'STYLE', 'title', 'desc', 'SUP', 'sup']"
                ".includes(e.tagName)).map(e => parseFloat(getComputedStyle(e).fontSize))"
                ".filter(s => s < 10)"
            )
            assert small == []
        finally:
            browser.close()
