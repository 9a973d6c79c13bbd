"""What every chapter promises its reader, read from its source."""

import re
import statistics
from itertools import pairwise

import pytest
from _book import contents, notebooks
from _book.contents import CHAPTERS

SOURCES = [p for p in contents.notebooks() if p.stem[:2].isdigit()]
LONGEST_CELL = 25
MEDIAN_CELL = 6
WIDEST_LINE = 76  # what fits the page's column without scrolling
LABEL = re.compile(r"^\$\$ \((eq-[a-z0-9-]+)\)$", re.MULTILINE)


def cells(source, kind):
    return [c for c in notebooks.read_source(source).cells if c.cell_type == kind]


def code_lines(cell):
    return [line for line in cell.source.splitlines() if line.strip()]


by_chapter = pytest.mark.parametrize("source", SOURCES, ids=lambda p: p.stem)


def test_there_are_chapters():
    assert SOURCES


@by_chapter
def test_code_cells_are_short(source):
    shown = [
        code_lines(c)
        for c in cells(source, "code")
        if not {"hide-input", "remove-input"} & set(c.metadata.get("tags", []))
    ]
    long = [lines[0] for lines in shown if len(lines) > LONGEST_CELL]
    assert not long, f"over {LONGEST_CELL} lines, so it belongs in bplib: {long}"
    assert statistics.median(map(len, shown)) <= MEDIAN_CELL


@by_chapter
def test_code_lines_fit_the_page(source):
    wide = [
        line for c in cells(source, "code") for line in code_lines(c) if len(line) > WIDEST_LINE
    ]
    assert not wide, "\n".join(wide)


@by_chapter
def test_every_code_cell_follows_a_sentence(source):
    """No cell without words that say why: two code cells in a row have prose between them."""
    before = None
    bare = []
    for cell in notebooks.read_source(source).cells:
        if cell.cell_type == "code" and before == "code":
            hidden = {"hide-input", "remove-input", "hide-cell"} & set(
                cell.metadata.get("tags", [])
            )
            bare += [] if hidden else [cell.source.splitlines()[0]]
        before = cell.cell_type
    assert not bare, bare


@by_chapter
def test_equations_are_labelled_the_one_way(source):
    text = source.read_text(encoding="utf-8")
    assert "\\label{" not in text, "write `$$ (eq-name)` after the equation instead"
    labels = LABEL.findall(text)
    assert labels, "a chapter has numbered equations"
    assert len(labels) == len(set(labels))


def test_no_label_is_used_in_two_chapters():
    seen: dict[str, str] = {}
    for source in SOURCES:
        for label in LABEL.findall(source.read_text(encoding="utf-8")):
            assert label not in seen, f"{label}: in {seen.get(label)} and in {source.stem}"
            seen[label] = source.stem


@pytest.mark.parametrize("page", sorted(CHAPTERS.glob("*.md")), ids=lambda p: p.stem)
def test_prose_avoids_words_that_shame_the_reader(page):
    prose = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    found = re.findall(
        r"\b(simply|obviously|note that|trivially|of course)\b", prose, re.IGNORECASE
    )
    assert not found


@pytest.mark.parametrize("page", sorted(CHAPTERS.glob("*.md")), ids=lambda p: p.stem)
def test_every_column_of_a_table_has_its_head(page):
    """A screen reader names the column of a cell by its head."""
    rows = page.read_text(encoding="utf-8").splitlines()
    heads = [row for row, rule in pairwise(rows) if re.fullmatch(r"\|(?: *:?-+:? *\|)+", rule)]
    bare = [row for row in heads if any(not cell.strip() for cell in row.split("|")[1:-1])]
    assert not bare, bare
