"""The two notes: every row of their ledger is whole, and has a place in the book."""

import re
from collections import Counter

import pytest
from _book import contents, notes
from _book.contents import CHAPTERS, BookError

from bplib.equations.coverage import run_chapter
from tests import test_chapters
from tests.test_book_tools import BOOK, book, build, template  # noqa: F401

APPENDIX = CHAPTERS / "a-notes.md"
LEDGER = notes.load()
ROWS = LEDGER["rows"]
WRONG = [row for row in ROWS if row["verdict"] in notes.WRONG]

# Answering places in chapters that are still being written. Nothing else may be missing, and what
# has been written may not stay here: at the end this set is empty.
PLANNED: set[str] = set()

VERDICTS = {
    "correct": 23, "typo": 8, "wrong shape": 2, "wrong index": 7, "imprecise": 22,
    "unproved claim": 4, "wrong claim": 2, "historical claim": 4, "gap": 27, "meta": 4,
}  # fmt: skip

LABEL = re.compile(
    r"^\$\$ \((?P<eq>[\w-]+)\)$|^\((?P<target>[\w-]+)\)=$|^ *:(?:label|name): (?P<option>[\w-]+)$",
    re.MULTILINE,
)


def labels(page: str) -> set[str]:
    """The labels that a page's source gives to its equations, headings, theorems and tables."""
    source = CHAPTERS / f"{page}.md"
    text = source.read_text(encoding="utf-8") if source.exists() else ""
    return {found[found.lastgroup] for found in LABEL.finditer(text)}


by_row = pytest.mark.parametrize("row", ROWS, ids=lambda row: row["id"])


def test_all_rows_are_there_once_and_in_order():
    assert [row["id"] for row in ROWS] == [
        *(f"s1-{i:02}" for i in range(1, 56)),
        *(f"s2-{i:02}" for i in range(1, 41)),
        *(f"{note}-x{i}" for note in ("s1", "s2") for i in range(1, 5)),
    ]
    assert len(ROWS) == 103


def test_verdicts_are_those_of_the_count():
    assert Counter(row["verdict"] for row in ROWS) == VERDICTS
    assert set(VERDICTS) == set(notes.KINDS)


@by_row
def test_row_is_whole(row):
    assert set(row) - {"run"} == set(notes.FIELDS)
    assert ("run" in row) == (row["verdict"] in notes.WRONG)
    assert row["english"].strip()
    assert row["answer"].strip()
    assert (row["japanese"] is None) == (row["lines"] is None) == ("x" in row["id"])
    if row["verdict"] in ("wrong shape", "wrong index", "wrong claim", "typo"):
        assert row["repaired"], "a wrong line comes with its repair"
    if notes.KINDS[row["verdict"]] == "–":
        assert not row["repaired"] or row["verdict"] == "historical claim"
    page, label = notes.place(row)
    assert page
    assert label


@pytest.mark.parametrize("note", notes.NAMES)
def test_lines_follow_the_note(note):
    lines = [row["lines"] for row in notes.chosen(ROWS, note)]
    spans = [[at, at] if isinstance(at, int) else at for at in lines]
    assert all(first <= last for first, last in spans)
    ends = [last for _, last in spans]
    # A span may begin above the one before it (a formula, then its parts), and never ends above it.
    assert ends == sorted(ends) or note == "s1"


def test_quotations_are_those_that_were_compared_with_the_notes():
    assert notes.checksum(ROWS) == LEDGER["quotations"], (
        "a quotation has changed: compare it with the note, then renew the checksum"
    )


def test_every_row_has_a_place_in_the_book():
    missing = {
        row["place"] for row in ROWS if notes.place(row)[1] not in labels(notes.place(row)[0])
    }
    assert missing - PLANNED == set(), "no such label"
    assert PLANNED - missing == set(), "these exist now: take them out of PLANNED"


def test_appendix_shows_every_row():
    text = APPENDIX.read_text(encoding="utf-8")
    shown = re.findall(r"```\{note-rows\} (\S+)\n```", text)
    assert shown == [*notes.NAMES, "missing"]
    assert sum(len(notes.chosen(ROWS, name)) for name in shown) == len(ROWS)
    assert contents.listed(contents.load()).index("a-notes") == min(
        contents.listed(contents.load()).index(page)
        for page in contents.listed(contents.load())
        if re.match(r"[a-z]-", page)
    )


@pytest.fixture(scope="module")
def checks():
    """The checks of the appendix, run."""
    return run_chapter(APPENDIX)


LINE_5 = r"\phi'_i(z^i_n) \sum_{k=1}^{M_{i+1}} \xi^{i+1}_k w^{i+1}_{kn}"


def test_the_derivations_refuse_wrong_lines_and_not_every_line(checks):
    """At the last layer there is no layer above, and there any line at all would be refused."""
    chapter = run_chapter(CHAPTERS / "05-error-signal.md")
    for check in (checks["eq-note-s2-whole"], chapter["eq-s2-repaired"]):
        assert check.verdict(LINE_5) is None
        assert check.refused
        assert all("value" in refused.how for refused in check.refused)


def squeezed(latex: str) -> str:
    return re.sub(r"\s+|\$|&", "", latex)


def test_nine_formulas_and_two_sentences_are_wrong():
    kinds = Counter(notes.KINDS[row["verdict"]] for row in WRONG)
    assert kinds == {"index": 7, "shape": 2, "wording": 2}


@pytest.mark.parametrize("row", WRONG, ids=lambda row: row["id"])
def test_wrong_line_is_refused_and_its_repair_holds(checks, row):
    check = checks[row["run"]]
    assert check.state == "checked"
    if row["id"] == "s1-11":
        return  # that a derivative is difficult: the check is the derivative, written down
    name = row["id"].upper()
    mine = [refused for refused in check.refused if name in refused.because]
    assert mine, f"no wrong form of {row['run']} is called {name}"
    assert all(refused.how.startswith("by ") for refused in mine)


@pytest.mark.parametrize(
    "row",
    [row for row in WRONG if "=" in row["japanese"] and row["id"] != "s1-36"],
    ids=lambda row: row["id"],
)
def test_what_is_refused_is_what_the_note_prints(checks, row):
    """S1-36 cannot be read without its index, and is shown as the checker's complaint."""
    parts = [squeezed(part) for part in row["japanese"].split("…")]
    printed = "".join(parts).replace("==", "=")
    mine = [r for r in checks[row["run"]].refused if row["id"].upper() in r.because]
    assert any(squeezed(refused.latex) in printed for refused in mine), printed


@pytest.mark.parametrize(
    "promise",
    [
        test_chapters.test_code_cells_are_short,
        test_chapters.test_code_lines_fit_the_page,
        test_chapters.test_every_code_cell_follows_a_sentence,
        test_chapters.test_equations_are_labelled_the_one_way,
    ],
)
def test_appendix_keeps_the_promises_of_a_chapter(promise):
    promise(APPENDIX)


def test_words_that_shame_the_reader_are_not_in_the_ledger():
    said = " ".join(row["answer"] + row["english"] for row in ROWS)
    assert not re.findall(r"\b(simply|obviously|note that|trivially|of course)\b", said, re.I)


# --------------------------------------------------------------------------------------------
# The extension, on a small book with a ledger of its own

SMALL = """\
rows:
- id: s1-01
  lines: [3, 4]
  japanese: "# 連鎖律は下式である $a$"
  english: The chain rule is this.
  verdict: typo
  answer: Nearly.
  repaired: $b$
  place: 05-error-signal#eq-error-signal-square
- id: s1-02
  lines: 5
  japanese: 勾配
  english: Gradient.
  verdict: correct
  answer: Right.
  repaired: null
  place: 11-memory#sec-not-written
"""
PAGE = "# Notes\n\n```{note-rows} s1\n```\n\nSee {note}`s1-01` and {note}`five <s1-02>` on 勾配.\n"


@pytest.fixture
def small(book):  # noqa: F811
    (book / "_notes").mkdir()
    (book / "_notes" / "ledger.yml").write_text(SMALL, encoding="utf-8")
    (book / "a-notes.md").write_text(PAGE, encoding="utf-8")
    (book.parent / "book.yml").write_text(BOOK + "      - file: a-notes\n", encoding="utf-8")
    return book


def test_a_row_and_its_answer_lead_to_each_other(small):
    build(small)
    html = small.parent / "html"
    page = (html / "a-notes.html").read_text(encoding="utf-8")
    chapter = (html / "05-error-signal.html").read_text(encoding="utf-8")
    assert 'href="05-error-signal.html#equation-eq-error-signal-square"' in page
    assert 'id="note-s1-01"' in page
    assert re.search(r"Answers <a[^>]*a-notes\.html#note-s1-01[^>]*>.*S1, lines 3–4", chapter)
    assert 'id="equation-eq-error-signal-square"' in chapter
    assert re.search(r'lang="ja">\s*<p># 連鎖律は下式である', page), "quoted, and no heading"
    assert '<span lang="ja">勾配</span>.' in page, "Japanese is marked wherever it stands"
    assert "→ Chapter 11</p>" in page, "a chapter that is not written yet is named in words"
    assert re.search(r'href="#note-s1-02"[^>]*><span[^>]*>five<', page)


def test_a_label_that_is_gone_and_a_row_that_never_was_stop_the_build(small, capfd):
    ledger = small / "_notes" / "ledger.yml"
    ledger.write_text(SMALL.replace("-signal-square", "-signal-lost"), encoding="utf-8")
    (small / "a-notes.md").write_text(PAGE + "\nAnd {note}`s1-99`.\n", encoding="utf-8")
    with pytest.raises(BookError, match="not built"):
        build(small)
    printed = capfd.readouterr().out
    assert "the notes' ledger looks for 'eq-error-signal-lost' here (s1-01)" in printed
    assert re.search(r"a-notes\.md:8: .*the notes have no row 's1-99'", printed)
