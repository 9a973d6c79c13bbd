"""The commands an author uses: what they make passes the tests, and what is wrong is located."""

import base64
import io
import json
import os
import shutil
import subprocess
from pathlib import Path

import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest
from _book import contents, katex, notebooks, numbering, scaffold, site
from _book.contents import BookError
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
CHAPTERS = ROOT / "chapters"
MACROS = ROOT / "bplib" / "figures" / "static" / "katex_macros.json"
BOOK = """\
format: jb-book
root: index
meta: {title: T, subtitle: S, author: A, language: en, license: L}
parts:
  - caption: One  # a comment that must survive
    chapters:
      - file: 00-notation
      - file: 05-error-signal
"""


@pytest.fixture(scope="session")
def template(tmp_path_factory) -> Path:
    """A small book with the real tools, made once: two chapters, run, and a front page."""
    folder = tmp_path_factory.mktemp("book") / "chapters"
    folder.mkdir()
    for name in ("_book", "_static", "_templates"):
        (folder / name).symlink_to(CHAPTERS / name)
    shutil.copy(CHAPTERS / "conf.py", folder)
    (folder / "references.bib").touch()
    (folder / "index.md").write_text("# A book\n", encoding="utf-8")
    (folder.parent / "book.yml").write_text(BOOK, encoding="utf-8")
    for name in ("00-notation", "05-error-signal"):
        text = scaffold.TEMPLATE.read_text(encoding="utf-8")
        text = text.replace("{{title}}", name).replace("{{name}}", name[3:])
        (folder / f"{name}.md").write_text(text, encoding="utf-8")
        notebooks.refresh(folder / f"{name}.md")
    return folder


@pytest.fixture
def book(template, tmp_path) -> Path:
    """A copy of the small book, to be changed."""
    shutil.copytree(template.parent, tmp_path, symlinks=True, dirs_exist_ok=True)
    return tmp_path / "chapters"


def build(book: Path) -> None:
    site.build(book.parent / "html", book, book.parent / "doctrees")


def test_new_chapter_is_listed_run_and_builds(book, capfd):
    listing = book.parent / "book.yml"
    source = scaffold.create("03-graph", 'What "is" a $graph?', book, listing)
    assert contents.listed(contents.load(listing)) == [
        "index", "00-notation", "03-graph", "05-error-signal",
    ]  # fmt: skip
    assert "# a comment that must survive" in listing.read_text(encoding="utf-8")
    assert notebooks.refresh(source) is True
    first = source.with_suffix(".ipynb").read_bytes()
    assert notebooks.refresh(source) is False
    assert source.with_suffix(".ipynb").read_bytes() == first
    assert notebooks.twin_difference(source, source.with_suffix(".ipynb")) is None
    build(book)
    page = (book.parent / "html" / "03-graph.html").read_text(encoding="utf-8")
    assert "(3.1)" in page, "the third chapter's first equation is (3.1), whatever else exists"
    assert "katex-mathml" in page


@pytest.mark.parametrize(
    ("name", "title", "words"),
    [
        ("05-other", "T", "number 05 is taken by chapters/05-error-signal.md"),
        ("5-other", "T", "two-digit number"),
        ("", "T", "two-digit number"),
        ("06-Other Name", "T", "two-digit number"),
        ("../06-x", "T", "two-digit number"),
        ("06-other", "  ", "TITLE"),
    ],
)
def test_new_refuses(book, name, title, words):
    before = sorted(p.name for p in book.iterdir()), (book.parent / "book.yml").read_text()
    with pytest.raises(BookError, match=words):
        scaffold.create(name, title, book, book.parent / "book.yml")
    assert (
        sorted(p.name for p in book.iterdir()),
        (book.parent / "book.yml").read_text(),
    ) == before


def test_chapter_missing_from_the_contents_is_named(book):
    (book / "07-lost.md").write_text("# Lost\n", encoding="utf-8")
    with pytest.raises(BookError, match=r"chapters/07-lost\.md: not listed in book\.yml"):
        build(book)


def test_listed_chapter_that_does_not_exist_is_named_with_its_line(book):
    (book / "05-error-signal.md").unlink()
    (book / "05-error-signal.ipynb").unlink()
    with pytest.raises(BookError, match=r"book\.yml:8: 05-error-signal is listed, but"):
        build(book)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("root: index\nparts: [", "cannot be read as YAML"),
        ("parts: []", "expected a `root:` page"),
        ("root: index\nparts:\n  - caption: C\n    chapters:\n", "part 1 needs `chapters:`"),
    ],
)
def test_malformed_contents_are_explained(tmp_path, text, words):
    path = tmp_path / "book.yml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BookError, match=words):
        contents.load(path)


def test_cell_that_raises_is_located(book):
    source = book / "05-error-signal.md"
    text = source.read_text(encoding="utf-8").replace("assert abs(quotient - x) > 1", "1 / 0")
    source.write_text(text, encoding="utf-8")
    line = text.splitlines().index("1 / 0") + 1
    with pytest.raises(
        BookError, match=rf"05-error-signal\.md:{line}: .*ZeroDivisionError"
    ) as info:
        notebooks.refresh(source)
    assert "1 / 0" in str(info.value)


def test_everything_wrong_in_a_page_is_located_in_its_source(book, capfd):
    source = book / "05-error-signal.md"
    text = source.read_text(encoding="utf-8")
    wrong = {
        r"A command $\nosuchcommand$ here.": "cannot be typeset",
        "See {cite:p}`nobody1970`.": "nobody1970",
        "See {eq}`eq-not-there`.": "eq-not-there",
        "See {doc}`99-nowhere`.": "99-nowhere",
        r"\frac{1}{": "Unexpected end of input",
    }
    wrong_text = "\n\n".join(wrong).replace(r"\frac{1}{", "$$\n\\frac{1}{\n$$ (eq-open)")
    source.write_text(text + "\n" + wrong_text + "\n", encoding="utf-8")
    notebooks.refresh(source)
    with pytest.raises(BookError, match="not built"):
        build(book)
    printed = capfd.readouterr().out
    lines = source.read_text(encoding="utf-8").splitlines()
    for part, words in wrong.items():
        # A displayed equation is located by the line that opens it.
        number = lines.index(part) + (0 if part.startswith("\\frac") else 1)
        place = f"05-error-signal.md:{number}"
        assert any(f"{place}:" in row and words in row for row in printed.splitlines()), (
            place,
            printed,
        )


def test_edit_without_refresh_is_said(book, capfd):
    source = book / "05-error-signal.md"
    text = source.read_text(encoding="utf-8").replace("One sentence", "Another sentence")
    source.write_text(text, encoding="utf-8")
    build(book)
    line = next(i for i, t in enumerate(text.splitlines(), 1) if t.startswith("# "))
    assert f"Not in the page yet: 05-error-signal.md:{line}" in capfd.readouterr().out
    notebooks.refresh(source)
    build(book)
    page = book.parent / "html" / "05-error-signal.html"
    assert "Another sentence" in page.read_text(encoding="utf-8")


def test_refresh_stores_no_trace_of_a_progress_bar_or_widget_state(book):
    source = book / "00-notation.md"
    cell = (
        "import sys\nfor i in range(3):\n    print(f'\\r{i}', end='', file=sys.stderr)\n"
        "print('\\r ' , end='\\r', file=sys.stderr)\nimport ipywidgets\nipywidgets.IntSlider()"
    )
    source.write_text(
        source.read_text(encoding="utf-8") + f"\n```{{code-cell}} ipython3\n{cell}\n```\n",
        encoding="utf-8",
    )
    notebooks.refresh(source)
    first = source.with_suffix(".ipynb").read_bytes()
    notebooks.refresh(source)
    assert source.with_suffix(".ipynb").read_bytes() == first
    notebook = nbformat.read(source.with_suffix(".ipynb"), as_version=4)
    assert "widgets" not in notebook.metadata
    assert [o.output_type for o in notebook.cells[-1].outputs] == ["execute_result"]


def test_every_chapter_is_in_step_with_its_notebook():
    for source in contents.notebooks():
        assert notebooks.twin_difference(source, source.with_suffix(".ipynb")) is None


def test_contents_and_files_agree():
    assert contents.problems() == []


@pytest.mark.parametrize(
    ("page", "number"),
    [
        ("05-error-signal", 5),
        ("00-notation", 0),
        ("a-notes", "A"),
        ("index", None),
        ("glossary", None),
    ],
)
def test_chapter_number_is_in_the_name(page, number):
    assert numbering.chapter_number(page) == number


def test_typesetting_is_strict_and_knows_the_roles():
    macros = json.loads(MACROS.read_text(encoding="utf-8"))
    good, bad, unicode = katex.render(
        [(r"\cot{\bar x}", False), (r"\frac{1}{", True), ("x ∈ é", False)], macros
    )
    assert "bp-cot" in good["html"]
    assert "error" in bad
    assert "error" in unicode


def test_make_says_what_is_missing(tmp_path):
    """A Python too old to build the book is named, with what to do; nothing is half installed."""
    fake = tmp_path / "python3"
    fake.write_text('#!/bin/sh\ncase "$1" in --version) echo Python 3.8.1;; *) exit 1;; esac\n')
    fake.chmod(0o755)
    for name in ("Makefile", "requirements.lock", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    done = subprocess.run(
        ["make", "-C", str(tmp_path), "read", f"PYTHON={fake}"],
        capture_output=True, text=True, env=os.environ | {"MAKEFLAGS": ""}, check=False,
    )  # fmt: skip
    assert done.returncode
    assert "Python 3.11 to 3.14 is needed" in done.stdout
    assert "Python 3.8.1" in done.stdout
    assert not (tmp_path / ".venv").exists()


def test_a_picture_is_stored_lighter_and_looks_the_same():
    """A drawn picture keeps its size and, to the eye, its colors; a second pass changes nothing."""
    figure, axes = plt.subplots(figsize=(4, 3), dpi=100)
    axes.plot([0, 1, 4, 9], lw=3)
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png")
    plt.close(figure)
    before = base64.b64encode(drawn.getvalue()).decode()
    after = notebooks.lighter(before)
    assert len(after) < 0.6 * len(before)
    assert notebooks.lighter(after) == after
    with Image.open(drawn) as old, Image.open(io.BytesIO(base64.b64decode(after))) as new:
        assert new.size == old.size
        difference = np.asarray(new.convert("RGB"), int) - np.asarray(old.convert("RGB"), int)
    assert np.abs(difference).max() <= 16
