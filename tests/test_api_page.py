"""The appendix on the library names everything public, in import order, in a strict build."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest
from _book import api
from _book.contents import CHAPTERS, ROOT

import bplib

PAGE = CHAPTERS / "d-api.md"
LISTED = re.findall(r"^```\{api\} (\S+)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
MODULES = ["bplib"] + [
    f"bplib.{m.name}" for m in pkgutil.iter_modules(bplib.__path__) if not m.name.startswith("_")
]
SETTINGS = """
extensions = ["myst_parser", "_book.api"]
exclude_patterns = []
nitpicky = True
root_doc = "d-api"
"""


def test_every_module_has_its_section():
    assert sorted(LISTED) == sorted(MODULES)
    text = PAGE.read_text(encoding="utf-8")
    for module in LISTED[1:]:
        assert f"### `{module}`\n\n```{{api}} {module}\n```" in text


@pytest.mark.parametrize("place", range(1, len(LISTED)), ids=LISTED[1:])
def test_modules_stand_in_import_order(place):
    """What a module imports when it is itself imported has been met by the reader before."""
    module = importlib.import_module(LISTED[place])
    parts = Path(module.__file__).parent.rglob("*.py") if hasattr(module, "__path__") else ()
    needs = set()
    for source in [*parts] or [Path(module.__file__)]:
        for node in ast.parse(source.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ImportFrom):
                inside = (node.module or "").startswith("bplib") or node.level
                names = [node.module or "", *(a.name for a in node.names)] if inside else []
                needs |= {f"bplib.{part}" for name in names for part in name.split(".")}
    later = set(LISTED[place + 1 :])
    # Pictures and tools are used by nothing above them; only these two groups cross.
    assert not needs & later - {LISTED[place]}


def public_names(module):
    """Another rule than the page's: every name a user could import that the library made."""
    thing = importlib.import_module(module)
    if hasattr(thing, "__all__"):
        return set(thing.__all__)
    return {
        name
        for name, value in vars(thing).items()
        if not name.startswith("_")
        and (inspect.isfunction(value) or inspect.isclass(value))
        and value.__module__ == module
    } | (set(bplib.ops.PRIMITIVES) if module == "bplib.ops" else set())


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """The page as HTML, built alone, with every warning an error."""
    folder = tmp_path_factory.mktemp("api")
    settings = [f"import sys; sys.path[:0] = [{str(CHAPTERS)!r}, {str(ROOT)!r}]"]
    book = (CHAPTERS / "conf.py").read_text(encoding="utf-8")
    settings += re.findall(
        r"^(?:autodoc_\w+|toc_object_entries|add_module_names) = .+$", book, re.M
    )
    assert len(settings) > 3
    (folder / "conf.py").write_text("\n".join(settings) + SETTINGS, encoding="utf-8")
    (folder / "d-api.md").write_text(PAGE.read_text(encoding="utf-8"), encoding="utf-8")
    command = [sys.executable, "-m", "sphinx", "-q", "-n", "-W", "--keep-going", "--no-color"]
    ran = subprocess.run(
        [*command, "-b", "html", str(folder), str(folder / "html")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return (folder / "html" / "d-api.html").read_text(encoding="utf-8")


def test_every_public_name_has_an_anchor(page):
    anchors = set(re.findall(r'\bid="(?:module-)?([^"]+)"', page))
    wanted = {f"{module}.{name}" for module in MODULES for name in public_names(module)}
    assert len(wanted) > 250
    assert not sorted(wanted - anchors)


def test_names_come_with_words(page):
    """Each function and class says what it does: no entry is a bare signature."""
    bare = re.findall(r'id="(bplib[^"]+)">(?:(?!</dt>).)*</dt>\s*<dd></dd>', page, re.DOTALL)
    assert not [name for name in bare if name.count(".") < 3]  # methods may be bare


def test_docstrings_read_as_they_are_written():
    lines = [
        "Return `a *b*` of `x_i`, not *args or |x| or W_.",
        "",
        "Three columns:",
        "",
        "data    a `Node` or an array,",
        "        on two lines",
        "state, op  the other",
        "- an item",
        "",
        "`over two",
        "lines` it goes on.",
    ]
    assert api.as_markup(lines) == [
        r"Return ``a *b*`` of ``x_i``, not \*args or \|x\| or W\_.",
        "",
        "Three columns:",
        "",
        "",
        "* ``data``: a ``Node`` or an array,",
        "  on two lines",
        "",
        "* ``state, op``: the other",
        "",
        "* an item",
        "",
        "``over two lines`` it goes on.",
        "",
    ]
