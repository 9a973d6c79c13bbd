"""Every figure in a real page: over http and from a file, without kernel and without network."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from bplib import ops
from bplib.figures import FIGURES, GraphExplorer

from .axe import AXE, RULES, RUN, violations
from .conftest import Handler, serving

STATIC = Path(__file__).parents[2] / "bplib" / "figures" / "static"


def neuron(x, w, b, y, lam):
    z = w * x
    a = z + b
    h = ops.tanh(a)
    e = h - y
    s = e**2
    r = w**2
    p = lam * r
    return s + p


NEURON = {"x": 1.5, "w": 0.8, "b": -0.4, "y": -0.5, "lam": 0.1}


def mlp(X, W1, b1, W2, b2, Y):
    A = X @ W1 + b1
    H = ops.relu(A)
    P = H @ W2 + b2
    return ((P - Y) ** 2).mean()


def explorer():
    return GraphExplorer(neuron, predict=[{"leaf": "b", "set": 3, "of": "x"}], **NEURON)


def tensors():
    rng = np.random.default_rng(0)
    shapes = {"X": (4, 2), "W1": (2, 3), "b1": 3, "W2": (3, 1), "b2": 1, "Y": (4, 1)}
    return GraphExplorer(
        mlp, title="Tensors?", **{k: rng.normal(size=s) for k, s in shapes.items()}
    )


MAKERS = {str(k): (explorer if cls is GraphExplorer else cls) for k, cls in FIGURES.items()}
MAKERS["tensors"] = tensors
NAMES = sorted(MAKERS)

HEAD = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>{t}</title>'
    '<meta name="viewport" content="width=device-width,initial-scale=1">'
    '<link rel="icon" href="data:,">'
    '<link rel="stylesheet" href="tokens.css"><body style="margin:0">'
    '<main style="padding:16px;font-family:sans-serif"><h1>{t}</h1>'
)
FOOT = '</main><script src="mount.js"></script></body></html>'


def write_page(folder: Path, name: str, *bodies: str) -> None:
    text = HEAD.format(t=name) + "".join(bodies) + FOOT
    (folder / f"{name}.html").write_text(text, encoding="utf-8")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("pages")
    for name in ("mount.js", "tokens.css"):
        (root / name).write_bytes((STATIC / name).read_bytes())
    for name, make in MAKERS.items():
        write_page(root, name, make().html())
    return root


class Strict(Handler):
    headers_too: ClassVar[dict[str, str]] = {
        **Handler.headers_too,
        "Content-Security-Policy": "default-src 'none'; script-src 'self'; "
        "style-src 'self' 'unsafe-inline'; img-src 'self' data:",
    }


@pytest.fixture(scope="module")
def base(folder):
    with serving(folder, Strict) as address:
        yield address


@pytest.fixture
def figure(visit, base, folder):
    """Open a page of one figure; afterwards: no console message, no request to anywhere else."""
    visits = []

    def go(name, *, scheme="http", **options):
        visited = visit(**{"viewport": {"width": 900, "height": 1000}, **options})
        visits.append(visited)
        root = base if scheme == "http" else folder.as_uri()
        visited.page.goto(f"{root}/{name}.html")
        if options.get("java_script_enabled", True):
            visited.page.wait_for_selector(".bp")
        return visited.page

    yield go
    for visited in visits:
        assert visited.elsewhere == []
        assert visited.said == []


def state(page, script):
    return page.evaluate(
        f"(() => {{ const box = document.querySelector('.bp-figure'); return {script}; }})()"
    )


def open_table(page):
    page.locator(".bp summary").first.click()
    page.wait_for_selector(".bp details[open] td")


def exact(page, row, column):
    """The full-precision number behind a cell of the table."""
    cell = page.locator(f".bp .tbl tbody tr:has(td:first-child:text-is('{row}')) td").nth(column)
    return float(cell.get_attribute("data-exact"))


@pytest.mark.parametrize("scheme", ["http", "file"])
@pytest.mark.parametrize("name", NAMES)
def test_every_figure_lives_without_kernel_and_network(figure, name, scheme):
    page = figure(name, scheme=scheme)
    assert page.locator(".bp .err").count() == 0
    assert page.locator(".bp-static").count() == 0
    assert page.locator(".bp .ttl").count() == 1
    assert page.locator(".bp .line").inner_text().strip()
    assert smallest_text(page) >= 9.99
    open_table(page)
    assert page.locator(".bp details td").count() >= 2


@pytest.mark.parametrize("name", NAMES)
def test_axe_finds_nothing(figure, name):
    page = figure(name, bypass_csp=True)
    open_table(page)
    page.evaluate(AXE)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        dark = "document.querySelector('.bp').hasAttribute('data-dark')"
        page.wait_for_function(f"{dark} === {str(scheme == 'dark').lower()}")
        found = page.evaluate(RUN, [".bp-figure", RULES])
        assert not violations(found), scheme + "\n".join(violations(found))
        assert len(found["passes"]) > 10, "axe looked at next to nothing"


TEXT_SIZES = (
    "[...document.querySelectorAll('.bp svg text')].filter(t => t.textContent).map(t => "
    "parseFloat(getComputedStyle(t).fontSize) * t.getScreenCTM().a)"
)


def smallest_text(page) -> float:
    return min([99.0, *(s for s in page.evaluate(TEXT_SIZES) if s > 0)])


@pytest.mark.parametrize("width", [375, 320])
@pytest.mark.parametrize("name", NAMES)
def test_narrow_screens_do_not_overflow_and_can_be_read(figure, name, width):
    page = figure(name, viewport={"width": width, "height": 800}, has_touch=True, is_mobile=True)
    assert smallest_text(page) >= 9.99
    open_table(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    small = page.evaluate(
        "[...document.querySelectorAll('.bp button, .bp select, .bp input, .bp summary')]"
        ".map(e => [e.getBoundingClientRect(), e]).filter(([r]) => r.width && "
        "(r.height < 43.9)).map(([r, e]) => e.outerHTML.slice(0, 80) + r.height)"
    )
    assert small == []


@pytest.mark.parametrize("name", NAMES)
def test_without_script_the_picture_and_its_words_show(figure, name):
    page = figure(name, java_script_enabled=False)
    svg = page.locator(".bp-static svg")
    assert svg.is_visible()
    assert svg.bounding_box()["width"] > 250
    assert page.locator(".bp-static svg > title").text_content()
    assert len(page.locator(".bp-static svg > desc").text_content()) > 30
    assert page.locator(".bp-static strong").is_visible()


@pytest.mark.parametrize("name", NAMES)
def test_paper_shows_the_figure_without_its_controls(figure, name):
    page = figure(name, color_scheme="dark")
    page.emulate_media(media="print")
    assert page.locator(".bp svg[role='img'], .bp svg[role='group']").first.is_visible()
    visible = page.evaluate(
        "[...document.querySelectorAll('.bp .noprint, .bp .tr')].filter(e => e.offsetParent).length"
    )
    assert visible == 0
    color = page.evaluate("getComputedStyle(document.querySelector('.bp')).backgroundColor")
    assert color == "rgb(255, 255, 255)"
    assert len(page.pdf()) > 5000


@pytest.mark.parametrize("name", NAMES)
def test_forced_colors_leave_the_figure_legible(figure, name):
    page = figure(name, forced_colors="active")
    ink, paper = page.evaluate(
        "(() => { const s = getComputedStyle(document.querySelector('.bp')); "
        "return [s.color, s.backgroundColor]; })()"
    )
    assert ink != paper


@pytest.mark.parametrize("name", NAMES)
def test_a_prediction_is_asked_before_the_answer_exists(figure, name):
    page = figure(name)
    q = page.locator(".bp .pred")
    assert q.locator(".ans").inner_text() == ""
    go = q.get_by_role("button", name=re.compile("^(Try it|Show)$"))
    assert go.get_attribute("aria-disabled") == "true"
    go.click(force=True)
    assert q.locator(".ans").inner_text() == ""
    verdicts = set()
    for _ in range(4):
        q.locator("button").first.click()
        go.click()
        page.wait_for_timeout(60)
        text = q.locator(".ans").inner_text()
        assert text.startswith(("Yes.", "No:"))
        assert re.search(r"\d|∞|NaN|differ", text), text
        verdicts.add(text[:2])
        q.get_by_role("button", name="Another").click()
    assert "answer" not in page.locator("script[type='application/json']").text_content()


def test_the_theme_of_the_page_wins_over_the_system(figure):
    page = figure("1", color_scheme="dark")
    dark = "document.querySelector('.bp').hasAttribute('data-dark')"
    assert page.evaluate(dark)
    page.evaluate("document.documentElement.dataset.theme = 'light'")
    page.wait_for_function(f"!{dark}")
    page.evaluate("delete document.documentElement.dataset.theme")
    page.wait_for_function(dark)
    page.evaluate("document.body.dataset.jpThemeLight = 'true'")
    page.wait_for_function(f"!{dark}")


# --- the Graph Explorer in the hand -------------------------------------------------------------


def leaf(page, name):
    return page.locator(f".bp g[data-node='{name}']")


def number_box(page, name):
    return page.get_by_role("spinbutton", name=f"{name}, exact value")


def check_against_kernel(page, leaves=NEURON):
    """The page's gradients are the kernel's, at the numbers the page shows."""
    if not page.locator(".bp details[open]").count():
        open_table(page)
    label = {"lam": "λ"}
    values = {k: exact(page, label.get(k, k), 3) for k in leaves}
    kernel = GraphExplorer(neuron, **values).gradients()
    for k, g in kernel.items():
        assert exact(page, label.get(k, k), 4) == pytest.approx(g, rel=1e-12), k
    return values


def test_a_sideways_drag_edits_the_leaf_and_the_gradients_follow(figure):
    page = figure("1")
    open_table(page)
    before = exact(page, "x", 4)
    box = leaf(page, "w").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + 20
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 40, y, steps=8)
    page.mouse.up()
    page.wait_for_timeout(80)
    values = check_against_kernel(page)
    assert values["w"] == pytest.approx(0.8 + 40 * 6 / 240, abs=0.02)
    assert float(number_box(page, "w").input_value()) == pytest.approx(values["w"], abs=1e-5)
    assert page.get_by_role("slider", name="w", exact=True).input_value() == str(
        round(values["w"], 2)
    )
    assert exact(page, "x", 4) != before


def test_sliders_and_number_boxes_edit_too(figure):
    page = figure("1")
    number_box(page, "b").fill("2.25")
    number_box(page, "b").press("Enter")
    page.wait_for_timeout(80)
    assert check_against_kernel(page)["b"] == 2.25
    slider = page.get_by_role("slider", name="y", exact=True)
    slider.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_timeout(80)
    assert check_against_kernel(page)["y"] == pytest.approx(-0.49)
    page.get_by_role("button", name="Reset").click()
    page.wait_for_timeout(80)
    assert check_against_kernel(page) == NEURON


def test_the_keyboard_does_everything(figure):
    page = figure("1")
    page.locator(".bp svg g[tabindex='0']").focus()
    seen = lambda: page.evaluate("document.activeElement.dataset.node")  # noqa: E731
    assert seen() == "J"
    page.keyboard.press("ArrowLeft")
    assert seen() == "s"
    for _ in range(6):
        page.keyboard.press("ArrowLeft")
    assert seen() in ("w", "x")
    page.keyboard.press("ArrowUp" if seen() == "w" else "ArrowDown")
    leaf(page, "w").focus()
    page.keyboard.press("+")
    page.wait_for_timeout(80)
    assert check_against_kernel(page)["w"] == pytest.approx(0.85)
    leaf(page, "w").focus()  # the table's summary took the focus
    page.keyboard.press("-")
    page.keyboard.press("-")
    page.wait_for_timeout(80)
    assert check_against_kernel(page)["w"] == pytest.approx(0.75)
    leaf(page, "w").focus()
    step = lambda: state(page, "box.bpModel.get('step')")  # noqa: E731
    page.keyboard.press("Home")
    page.wait_for_timeout(80)
    assert step() == 0
    assert "Only the leaves" in page.locator(".bp .line").inner_text()
    page.keyboard.press("n")
    page.keyboard.press("n")
    page.keyboard.press("p")
    page.wait_for_timeout(80)
    assert step() == 1
    assert page.locator(".bp .line").inner_text().startswith("z = w × x = 0.750 × 1.50 = 1.13")
    page.keyboard.press("End")
    page.wait_for_timeout(80)
    assert step() == -1
    page.keyboard.press(" ")
    page.wait_for_timeout(900)
    page.keyboard.press(" ")
    assert 0 <= step() <= 3
    page.keyboard.press("Enter")
    assert "w" in page.locator(".bp .line").inner_text()
    live = page.locator(".bp [aria-live]")
    assert live.count() == 1
    page.wait_for_timeout(250)
    assert live.text_content()


def test_the_worked_line_accumulates(figure):
    page = figure("1")
    page.locator(".bp svg g[tabindex='0']").focus()
    page.keyboard.press("Home")
    texts = []
    for _ in range(21):
        page.keyboard.press("n")
        texts.append(page.locator(".bp .line p").first.inner_text())
    total = [t for t in texts if t.startswith("w += ")]
    assert len(total) == 2
    parts = re.findall(r"= (−?[\d.]+)(?:,|$|\s)", total[1])
    assert ", total " in total[1]
    assert " + " in total[1]
    assert parts, total[1]
    # While one contribution is awaited, the gradient's box is dashed.
    page.keyboard.press("Home")
    for _ in range(len(texts)):
        page.keyboard.press("n")
        if page.locator(".bp .line p").first.inner_text() == total[0]:
            break
    dashed = leaf(page, "w").locator("rect[stroke-dasharray]")
    assert dashed.get_attribute("visibility") == "visible"


def test_reduced_motion_moves_nothing(figure):
    for motion, moves in (("no-preference", True), ("reduce", False)):
        page = figure("1", reduced_motion=motion)
        page.locator(".bp svg g[tabindex='0']").focus()
        page.keyboard.press("Home")
        page.keyboard.press("n")
        page.wait_for_timeout(120)
        shown = page.locator(".bp svg > circle").last.get_attribute("visibility") == "visible"
        assert shown is moves


def test_a_tensor_entry_can_be_edited(figure):
    page = figure("tensors")
    page.get_by_role("combobox", name="Which entry of W₁").select_option(label="W₁[1, 2]")
    box = number_box(page, "entry of W₁")
    box.fill("1.5")
    box.press("Enter")
    page.wait_for_timeout(80)
    got = state(page, "box.bpModel.get('v_W1')")
    assert got[5] == 1.5
    fig = tensors()
    fig.v_W1 = got
    open_table(page)
    cell = page.locator(".bp .tbl tbody tr:has(td:first-child:text-is('X')) td").nth(4)
    page_grad = json.loads(cell.get_attribute("data-exact"))
    assert np.allclose(page_grad, fig.gradients()["X"].ravel(), rtol=1e-12, atol=0)


def test_an_overflow_is_explained_and_no_bare_nan_stands(figure):
    page = figure("1")
    number_box(page, "w").fill("1e200")
    number_box(page, "w").press("Enter")
    page.wait_for_timeout(80)
    said = page.locator(".bp .line").inner_text()
    assert said.startswith("No finite value.")
    assert "r is infinite: x² of w left the range" in said


# --- the other figures move ----------------------------------------------------------------------

MOVES = {
    "2": ("zoom", "10"),
    "3": ("hidden layers", "9"),
    "4": ("w, the shared weight", "-1.5"),
    "9": ("logits ×", "40"),
    "10": ("h", "1e-9"),
    "11": ("budget", "5"),
    "12": ("rate η", "0.3"),
    "6": ("gain", "0.4"),
    "8": ("all biases", "-2"),
}


@pytest.mark.parametrize("name", sorted(MOVES))
def test_a_number_box_moves_the_figure(figure, name):
    page = figure(name)
    before = page.locator(".bp .line").inner_text()
    label, value = MOVES[name]
    box = number_box(page, label)
    box.fill(value)
    box.press("Enter")
    page.wait_for_timeout(200)
    assert page.locator(".bp .line").inner_text() != before


def test_layers_are_added_resized_and_removed(figure):
    page = figure("6")
    widths = lambda: state(page, "box.bpFigureLayers || box.bpModel.get('layers')")  # noqa: E731
    page.get_by_role("button", name="+ layer").click()
    page.wait_for_timeout(150)
    assert widths() == [16, 16, 16, 16]
    page.get_by_role("button", name="Layer 1: more units").click()
    page.wait_for_timeout(150)
    assert widths() == [20, 16, 16, 16]
    page.get_by_role("button", name="Remove layer 2").click()
    page.wait_for_timeout(150)
    assert widths() == [20, 16, 16]
    page.get_by_role("button", name="Train").click()
    page.wait_for_timeout(2500)
    page.get_by_role("button", name="Pause").click()
    assert re.search(r"Right on (9\d|100) % of 200", page.locator(".bp").inner_text())


def test_a_learning_rate_too_large_is_told_with_the_step(figure):
    page = figure("6")
    number_box(page, "learning rate").fill("1e6")
    number_box(page, "learning rate").press("Enter")
    page.get_by_label("loss", exact=True).select_option("squared error")
    page.get_by_label("activation").select_option("identity")
    page.get_by_role("button", name="Train").click()
    page.wait_for_timeout(1500)
    said = page.locator(".bp .line").inner_text()
    assert "Training stopped." in said
    assert "learning rate" in said
    assert "at step" in said


def test_the_bracket_game_counts(figure):
    page = figure("5")
    page.get_by_role("button", name="Multiply J₂ by J₁").click()
    assert "5\u202f000 multiplications so far" in page.locator(".bp .line").inner_text()
    page.get_by_role("button", name="Undo").click()
    page.get_by_role("button", name="Backward order").click()
    assert "5\u202f100 multiplications: the cheapest" in page.locator(".bp .line").inner_text()


# --- hostile and broken input --------------------------------------------------------------------

EVIL = [
    "<img src=x onerror=window.hacked=1>",
    "</script><script>window.hacked=1</script>",
    "javascript:alert(1)",
    '"><svg onload=window.hacked=1>',
    "{{constructor}}",
    "$&$1",
]


def test_hostile_text_is_text_in_every_face(figure, folder):
    fig = explorer()
    spec = json.loads(json.dumps(fig.spec))
    for node, evil in zip(spec["doc"]["nodes"], EVIL, strict=False):
        node["label"] = evil
    spec["title"] = EVIL[1]
    spec["predict"] = [{"leaf": "b", "set": 3, "of": "x", "why": EVIL[0]}]
    fig.spec = spec
    fig._document = lambda values, gradients=False: evil_doc(gradients)
    original = explorer()

    def evil_doc(gradients):
        doc = original._document(NEURON, gradients=gradients)
        for node, evil in zip(doc["nodes"], EVIL, strict=False):
            node["label"] = evil
        return doc

    data, _ = fig._repr_mimebundle_()
    for face in ("text/html", "image/svg+xml"):
        assert "<img" not in data[face]
        assert "</script><script>" not in data[face]
        assert "<svg onload" not in data[face]
    write_page(folder, "evil", data["text/html"])
    page = figure("evil")
    open_table(page)
    page.wait_for_timeout(200)
    assert page.evaluate("window.hacked") is None
    assert page.locator(".bp img, .bp a, .bp script").count() == 0
    assert EVIL[0] in page.locator(".bp").inner_text()
    still = figure("evil", java_script_enabled=False)
    assert still.locator("main img, main a").count() == 0


def broken(folder, name, spec):
    text = json.dumps(spec).replace("<", "\\u003c")
    write_page(
        folder,
        name,
        f'<div class="bp-figure"><div class="bp-static"><p>picture</p></div>'
        f'<script type="application/json">{text}</script></div>',
    )


def test_a_broken_description_is_explained_and_the_picture_stays(figure, folder):
    good = explorer().spec
    bad = json.loads(json.dumps(good))
    bad["doc"]["nodes"][-1]["op"] = "teleport"
    cases = {
        "no-kind": ({"kind": "nonsense", "title": "?"}, "no kind of figure called “nonsense”"),
        "proto": ({"kind": "constructor", "title": "?"}, "no kind of figure called"),
        "no-spec": ([], "cannot be drawn"),
        "bad-op": (bad, "does not know the operation “teleport”"),
        "no-doc": ({"kind": "graph", "title": "?"}, "no list of nodes"),
    }
    for name, (spec, says) in cases.items():
        broken(folder, name, spec)
        page = figure(name)
        assert says in page.locator(".bp [role=alert]").inner_text()
        assert page.locator(".bp-static").is_visible()


def test_a_leaf_that_is_not_a_number_is_explained(figure, folder):
    spec = json.loads(json.dumps(explorer().spec))
    spec["doc"]["nodes"][0]["value"] = "NaN"
    broken(folder, "nan-leaf", spec)
    page = figure("nan-leaf")
    said = page.locator(".bp .line").inner_text()
    assert "x is NaN (not a number)" in said
    assert "Give x a finite value" in said


def test_a_graph_too_large_says_so_and_sums_up(figure, folder):
    fig = GraphExplorer(
        lambda X, W: ops.tanh(X @ W).sum(), X=np.ones((30, 10)), W=np.ones((10, 20))
    )
    assert "too large to draw" in fig.summary()
    assert "too large to draw" in fig.picture()
    write_page(folder, "large", fig.html())
    page = figure("large")
    text = page.locator(".bp").inner_text()
    assert "too large to draw" in text
    assert "1 × matmul" in text
    open_table(page)
