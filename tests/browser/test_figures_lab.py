"""A real JupyterLab: sliders move the figure, the figure moves the traits, the numbers agree."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parents[2]
CELLS = [
    """
import json
from pathlib import Path
import ipywidgets
from bplib import ops
from bplib.figures import GraphExplorer, LayerBench

def loss(x, w, b):
    z = w * x + b
    return (ops.tanh(z) - 0.5) ** 2

fig = GraphExplorer(loss, x=1.5, w=0.8, b=-0.4)
def report(change=None):
    now = {"values": fig.values(), "gradients": fig.gradients()}
    Path("kernel.json").write_text(json.dumps(now))
report()
fig.observe(report)
fig
""",
    """
slider = ipywidgets.FloatSlider(value=0.8, min=-3, max=3, step=0.1, description="weight")
ipywidgets.link((slider, "value"), (fig, "v_w"))
slider.observe(lambda c: Path("slider.json").write_text(json.dumps(slider.value)), "value")
slider
""",
    """
bench = LayerBench([8, 8])
bench.observe(lambda c: Path("bench.json").write_text(json.dumps(bench.layers)), "layers")
bench
""",
    "bench.controls()",
]


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    root = tmp_path_factory.mktemp("lab")
    book = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(c.strip()) for c in CELLS],
        metadata={
            "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}
        },
    )
    nbformat.write(book, root / "figures.ipynb")
    port = free_port()
    home = tmp_path_factory.mktemp("home")
    env = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "IPYTHONDIR": str(home / "ipython"),
    }
    options = [
        "--no-browser",
        f"--port={port}",
        "--IdentityProvider.token=",
        f"--ServerApp.root_dir={root}",
        "--ServerApp.ip=127.0.0.1",
        "--allow-root",
        "--LabApp.news_url=",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ]
    with (home / "log").open("w") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *options], env=env, stdout=log, stderr=log
        )
        try:
            for _ in range(240):
                with contextlib.suppress(OSError):
                    urllib.request.urlopen(f"http://127.0.0.1:{port}/api", timeout=1).close()
                    break
                assert server.poll() is None, (home / "log").read_text()
                time.sleep(0.5)
            yield f"http://127.0.0.1:{port}", root
        finally:
            server.terminate()
            server.wait(20)


def stored(path, wanted=None, seconds=20):
    """What the kernel wrote, once it satisfies `wanted`."""
    end = time.time() + seconds
    value = None
    while time.time() < end:
        with contextlib.suppress(OSError, ValueError):
            value = json.loads(path.read_text())
            if wanted is None or wanted(value):
                return value
        time.sleep(0.1)
    pytest.fail(f"the kernel wrote {value!r}")


def exact(fig, row, column):
    cell = fig.locator(f".tbl tbody tr:has(td:first-child:text-is('{row}')) td").nth(column)
    return float(cell.get_attribute("data-exact"))


def settled(page, fig, name, value):
    """Wait until the figure shows a value: messages take their time on a busy machine."""
    for _ in range(100):
        if exact(fig, name, 3) == pytest.approx(value):
            return
        page.wait_for_timeout(100)
    pytest.fail(f"the figure shows {exact(fig, name, 3)} for {name}")


def test_sliders_figures_and_kernel_agree(lab, browser):
    base, root = lab
    page = browser.new_page(viewport={"width": 1300, "height": 1600})
    strangers, errors = [], []
    page.on(
        "request",
        lambda r: (
            None
            if r.url.startswith((base, base.replace("http", "ws"), "data:", "blob:"))
            else strangers.append(r.url)
        ),
    )
    page.on("pageerror", lambda e: errors.append(str(e)))
    page.goto(f"{base}/lab/tree/figures.ipynb")
    page.wait_for_selector(".jp-NotebookPanel .jp-Cell", timeout=90_000)
    page.get_by_text("| Idle").wait_for(timeout=90_000)  # the kernel is there
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    page.wait_for_selector(".bp svg g.n", timeout=90_000)
    fig = page.locator(".bp").first
    page.wait_for_selector(".widget-slider", timeout=60_000)

    # The kernel's gradients are the page's, digit for digit up to rounding.
    fig.locator("summary").click()
    kernel = stored(root / "kernel.json")
    for name, g in kernel["gradients"].items():
        assert exact(fig, name, 4) == pytest.approx(g, rel=1e-12)

    # The ipywidgets slider moves the figure.
    handle = page.locator(".widget-slider .noUi-handle").first
    handle.focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    kernel = stored(root / "kernel.json", lambda k: abs(k["values"]["w"] - 1.3) < 1e-9)
    settled(page, fig, "w", 1.3)
    for name, g in kernel["gradients"].items():
        assert exact(fig, name, 4) == pytest.approx(g, rel=1e-12)

    # The figure moves the trait, and with it the slider; JupyterLab keeps its hands off X.
    cells = page.locator(".jp-Cell").count()
    box = fig.get_by_role("spinbutton", name="w, exact value")
    box.fill("-1.5")
    box.press("Enter")
    stored(root / "slider.json", lambda v: abs(v + 1.5) < 1e-9)
    node = fig.locator("g[data-node='x']")
    node.focus()
    page.keyboard.press("x")
    page.keyboard.press("+")
    kernel = stored(root / "kernel.json", lambda k: abs(k["values"]["x"] - 1.55) < 1e-9)
    settled(page, fig, "x", 1.55)
    assert page.locator(".jp-Cell").count() == cells
    for name, g in kernel["gradients"].items():
        assert exact(fig, name, 4) == pytest.approx(g, rel=1e-12)

    # The bench and its ipywidgets controls.
    page.get_by_role("button", name="+ layer").first.click()
    stored(root / "bench.json", lambda v: v == [8, 8, 8])
    count = page.locator(".jp-OutputArea .widget-dropdown select")
    count.first.wait_for(timeout=30_000)
    names = count.first.locator("option").all_inner_texts()
    count.first.select_option(label=names[2])
    # The notebook takes cells that are out of sight out of the page: look at the nearest view.
    chosen = page.locator(".bp:has(.rack)").last.get_by_label("activation")
    for _ in range(100):
        if chosen.input_value() == names[2]:
            break
        page.wait_for_timeout(100)
    assert chosen.input_value() == names[2]
    assert errors == []
    assert strangers == []
    page.close()
