"""The stored detection rates: what the page shows is what was measured, and it meets the bars."""

from __future__ import annotations

import pytest

from tests.mutants import rates
from tests.mutants.common import Result

RESULTS = [
    Result("05-x.md:10 eq-a", "sign", "a + b", "by value"),
    Result("05-x.md:10 eq-a", "sign", "a - b", "survived"),
    Result("05-x.md:12 eq-b", "factors", "b a", "equivalent"),
    Result("06-y.ipynb cell 3", "digit", "1 -> 2", "by the comparison"),
    Result("bplib/ops/base.py:7", "sign", "+ -> -", "by a test"),
]


def test_results_are_counted_by_chapter_and_survivors_named():
    table = rates.tally(RESULTS)
    assert table["05-x"]["mutants"] == 2
    assert table["05-x"]["noticed"] == 1
    assert table["05-x"]["survivors"] == ["05-x.md:10 eq-a [sign] a - b"]
    assert table["06-y"] == {"mutants": 1, "noticed": 1, "survivors": []}
    assert table["bplib/ops/base.py"]["noticed"] == 1
    shown = rates.lines({"text": table})
    assert "| 05-x | 1 of 2 |" in shown
    assert "3 of 4" in shown[-1]
    assert "75.0 %" in shown[-1]


def test_one_chapter_measured_anew_replaces_itself_only(tmp_path, monkeypatch):
    page = tmp_path / "page.md"
    page.write_text(f"# Index\n\n{rates.BEGIN}\nold\n{rates.END}\n\nafter\n", encoding="utf-8")
    monkeypatch.setattr(rates, "STORE", tmp_path / "rates.json")
    monkeypatch.setattr(rates, "PAGE", page)
    rates.store({"text": rates.tally(RESULTS)}, "python -m tests.mutants text")
    mended = [Result("05-x.md:10 eq-a", "sign", "a - b", "by value")]
    rates.store({"text": rates.tally(mended)}, "python -m tests.mutants text --chapter 05")
    stored = rates.read()
    assert stored["rates"]["text"]["05-x"] == {"mutants": 1, "noticed": 1, "survivors": []}
    assert stored["rates"]["text"]["06-y"]["mutants"] == 1
    assert stored["commands"]["text"] == "python -m tests.mutants text"
    text = page.read_text(encoding="utf-8")
    assert text.startswith("# Index\n\n% mutants: begin\n\n| place |")
    assert text.endswith("% mutants: end\n\nafter\n")
    assert "old" not in text


def test_the_page_shows_what_is_stored():
    stored = rates.read()
    assert stored, "run: python -m tests.mutants --store"
    assert rates.block(stored) in rates.PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", rates.read().get("rates", {}))
def test_the_stored_rates_meet_what_the_book_promises(kind):
    """Kinds that were not measured yet are not in the table; misprints always are."""
    stored = rates.read()["rates"]
    of, noticed = rates.total(stored[kind])
    assert noticed >= rates.BARS[kind] * of > 0, rates.survivors({kind: stored[kind]})
    assert {"text", "prose"} <= set(stored)
