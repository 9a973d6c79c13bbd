"""The code that CONTRIBUTING.md shows to authors runs as it stands there."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
DISPLAYS = r"""
$$
\nabla_W J = A^{\mathsf T} \Delta
$$ (eq-weight-gradient)

$$
\Delta^{[l]} = \bigl(\Delta^{[l+1]} W^{[l+1]\mathsf T}\bigr) \odot \phi_l'(Z^{[l]})
$$ (eq-hidden-delta)

$$
\nabla_{b^{[l]}} J = \Delta^{[l]\mathsf T} \mathbf 1
$$ (eq-bias-gradient)
"""


def block(word):
    (found,) = [b for b in BLOCKS if word in b]
    return found


@pytest.mark.parametrize("word", ["eq-weight-gradient", "eq-hidden-delta"])
def test_the_worked_examples_of_checks_hold_and_refuse(word, tmp_path, monkeypatch):
    from bplib.equations import session

    for display in re.findall(r"\$\$\n(.*)\n\$\$", DISPLAYS):
        assert display in TEXT, "the page shows another display"
    (tmp_path / "01-page.md").write_text(DISPLAYS, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    exec(compile(block(word), "CONTRIBUTING.md", "exec"), {})
    assert "refuses" in repr(session()[word])
    if word == "eq-weight-gradient":
        assert repr(session()[word]).removeprefix(word + " ") in TEXT


def test_the_figure_in_ten_lines_is_drawn(tmp_path):
    pytest.importorskip("anywidget", reason="live figures need it")
    code = block("GraphExplorer(neuron")
    assert len([line for line in code.splitlines() if line.strip()]) <= 10
    page = tmp_path / "figure.py"  # a file, because names are read from the source
    page.write_text(code.replace("GraphExplorer(neuron", "shown = GraphExplorer(neuron"))
    figure = runpy.run_path(str(page))["shown"]
    assert set(figure.gradients()) >= {"x", "w", "b", "t"}
    assert "z = 0.800" in figure.summary()
    assert "a = 0.664" in figure.summary()


def test_pages_for_authors_are_in_one_place():
    assert not list((ROOT / "bplib").rglob("AUTHORS.md"))
    for heading in ("## Check an equation", "## A figure of one's own in ten lines"):
        assert heading in TEXT
