"""The built appendix of the notes: every row stands there, leads to its answer, and is led back to.

No browser is needed for this, only the built site.
"""

import gzip
import re
from functools import cache

import pytest

from tests.test_notes import PLANNED, ROWS

HEAVIEST = 100_000  # bytes of the page itself, compressed


@cache
def html(path):
    return path.read_text(encoding="utf-8")


def row_of(page: str, name: str) -> str:
    """The markup of one row: from its anchor to the next row's, or to the end of its section."""
    start = page.index(f'id="note-{name}"')
    return re.split(r'id="note-s\d-\w+"|</section>', page[start + 10 :], maxsplit=1)[0]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["id"])
def test_row_leads_to_its_answer_and_back(site, row):
    page = html(site / "a-notes.html")
    assert page.count(f'id="note-{row["id"]}"') == 1
    shown = row_of(page, row["id"])
    if row["japanese"]:
        assert re.search(r'<div class="[^"]*note-ja[^"]*" lang="ja">', shown)
    if row["place"] in PLANNED:
        return
    place = shown.split("note-place", 1)[1]
    name, _, anchor = re.search(r'href="([^"]*)"', place)[1].partition("#")
    target = html(site / (name or "a-notes.html"))
    assert name.removesuffix(".html") in (row["place"].split("#")[0], "")
    assert len(re.findall(f'id="{re.escape(anchor)}"', target)) == 1
    assert re.search(rf'note-back.*href="(a-notes\.html)?#note-{row["id"]}"', target)


def test_the_page_of_the_notes_is_light(site):
    assert len(gzip.compress((site / "a-notes.html").read_bytes(), 6)) < HEAVIEST
