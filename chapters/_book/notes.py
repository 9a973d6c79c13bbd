"""A Sphinx extension: the two notes behind the book, tied line by line to their answers.

One data file, `_notes/ledger.yml`, says what each line of the notes says, what to think of it, and
where the book answers. From it come the rows of the appendix (`{note-rows}`), and, in the chapters,
under each answering place a quiet link back. `` {note}`s1-15` `` is a link to a row from anywhere.
"""

import functools
import hashlib
import re
from pathlib import Path

import yaml
from docutils import nodes
from docutils.parsers.rst import directives
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective, SphinxRole

from _book.contents import CHAPTERS
from _book.numbering import chapter_number

LEDGER = CHAPTERS / "_notes" / "ledger.yml"
PAGE = "a-notes"
FIELDS = ("id", "lines", "japanese", "english", "verdict", "answer", "repaired", "place")
# What is wrong with a line, in one word; "–" where nothing can be.
KINDS = {
    "correct": "–",
    "historical claim": "–",
    "meta": "–",
    "wrong shape": "shape",
    "wrong index": "index",
    "wrong claim": "wording",
    "imprecise": "wording",
    "typo": "wording",
    "unproved claim": "gap",
    "gap": "gap",
}
WRONG = ("wrong shape", "wrong index", "wrong claim")
NAMES = ("s1", "s2")
JAPANESE = re.compile(r"[「『（]*[぀-ヿ㐀-鿿][　-ヿ㐀-鿿＀-￯]*")
_BLOCK = re.compile(r"^([#-])", re.MULTILINE)

logger = logging.getLogger(__name__)


def load(ledger: Path = LEDGER) -> dict:
    """Return the data file; a book without one has no notes."""
    if not ledger.exists():
        return {"rows": [], "notes": {}}
    return _parsed(ledger, ledger.stat().st_mtime_ns)


@functools.cache
def _parsed(ledger: Path, _when: int) -> dict:
    return yaml.safe_load(ledger.read_text(encoding="utf-8"))


def _ledger(srcdir) -> Path:
    return Path(srcdir, "_notes", "ledger.yml")


def checksum(rows: list[dict]) -> str:
    """Return the SHA-256 over all quotations in their order."""
    quoted = "\n".join(row["japanese"] or "" for row in rows)
    return hashlib.sha256(quoted.encode()).hexdigest()


def place(row: dict) -> tuple[str, str]:
    """Return the page and the label where a row is answered."""
    page, _, label = row["place"].partition("#")
    return page, label


def lines_of(row: dict) -> str:
    """Return "31–35" for a row of several lines, "36" for one, "" for what no line says."""
    lines = row["lines"]
    if lines is None:
        return ""
    return "–".join(map(str, lines)) if isinstance(lines, list) else str(lines)


def called(row: dict, plural: bool = False) -> str:
    """Return what a row is called in a link: "S1, line 36"."""
    note, lines = row["id"][:2].upper(), lines_of(row)
    if not lines:
        return f"{note}, not mentioned"
    return f"{note}, line{'s' if plural or '–' in lines else ''} {lines}"


def answered(row: dict, pages: set[str]) -> str:
    """Return the MyST that leads from a row to its answer; plain words until the page exists."""
    page, label = place(row)
    number = chapter_number(page)
    where = f"{'Chapter' if isinstance(number, int) else 'Appendix'} {number}"
    if page not in pages:
        return where
    if label.startswith("eq-"):
        return f"{where}, {{eq}}`{label}`"
    role = "prf:ref" if label.startswith(("thm-", "def-")) else "ref"
    return f"{where}, {{{role}}}`{label}`"


def to_row(row_id: str, text: str, docname: str) -> nodes.Node:
    """Return a link to a row of the appendix."""
    return addnodes.pending_xref(
        "",
        nodes.inline("", text, classes=["std", "std-ref"]),
        refdomain="std",
        reftype="ref",
        reftarget=f"note-{row_id}",
        refexplicit=True,
        refwarn=True,
        refdoc=docname,
    )


class NoteRole(SphinxRole):
    """`` {note}`s1-15` `` or `` {note}`31–35 <s1-15>` ``: a link to a row of the appendix."""

    def run(self):
        titled = re.fullmatch(r"(.+?)\s*<([\w-]+)>", self.text, re.DOTALL)
        row_id = titled[2] if titled else self.text
        known = {row["id"]: row for row in load(_ledger(self.env.srcdir))["rows"]}
        if row_id not in known:
            logger.warning("{note}: the notes have no row %r", row_id, location=self.get_location())
            return [nodes.inline("", self.text)], []
        text = titled[1] if titled else called(known[row_id])
        link = to_row(row_id, text, self.env.docname)
        return [nodes.inline("", "", link, classes=["note-link"])], []


class NoteRows(SphinxDirective):
    """The rows of one note (`s1`, `s2`), of what is `missing`, all `wrong` ones, or rows by name.

    `:brief:` lists them shortly, and leaves the anchors to the rows themselves; `:index:` is a line
    of line numbers.
    """

    required_arguments = 1
    final_argument_whitespace = True
    option_spec = {"brief": directives.flag, "index": directives.flag}  # noqa: RUF012

    def run(self):
        ledger = _ledger(self.env.srcdir)
        self.env.note_dependency(str(ledger))
        rows = chosen(load(ledger)["rows"], self.arguments[0])
        if not rows:
            raise self.error(
                f"note-rows: {self.arguments[0]!r} names no rows; use s1, s2, missing, wrong or ids"
            )
        if "index" in self.options:
            return [self.index(rows)]
        if "brief" in self.options:
            listed = nodes.container(classes=["note-list"])
            listed += [self.brief(row) for row in rows]
            return [listed]
        return [self.whole(row) for row in rows]

    def parsed(self, text: str, *classes: str) -> nodes.container:
        box = nodes.container(classes=list(classes))
        box += self.parse_text_to_nodes(text)
        return box

    def index(self, rows) -> nodes.Node:
        found = nodes.paragraph("", "Lines: ", classes=["note-index"])
        for i, row in enumerate(rows):
            found += nodes.Text(" · ") if i else nodes.Text("")
            link = to_row(row["id"], lines_of(row), self.env.docname)
            classes = ["note-link"] + ["note-wrong"] * (row["verdict"] in WRONG)
            found += nodes.inline("", "", link, classes=classes)
        return found

    def brief(self, row) -> nodes.Node:
        item = nodes.container(classes=["note-brief"])
        head = nodes.paragraph(classes=["note-head"])
        head += nodes.inline("", "", to_row(row["id"], called(row), self.env.docname))
        head += verdict_mark(row)
        item += head
        item += self.japanese(row)
        item += self.parsed("→ " + answered(row, self.env.found_docs), "note-place")
        return item

    def japanese(self, row) -> nodes.Node:
        # A line that begins with # or - is quoted, and opens neither heading nor list.
        return self.parsed(_BLOCK.sub(r"\\\1", row["japanese"]), "note-ja", "language-ja")

    def whole(self, row) -> nodes.Node:
        name = f"note-{row['id']}"
        whole = nodes.container(ids=[name], names=[name], classes=["note-row"])
        self.state.document.note_explicit_target(whole)
        self.set_source_info(whole)
        head = nodes.paragraph(classes=["note-head"])
        head += nodes.reference("", called(row), refid=name, internal=True)
        head += verdict_mark(row)
        quoted = nodes.container(classes=["note-quoted"])
        if row["japanese"]:
            quoted += self.japanese(row)
        quoted += self.parsed(row["english"], "note-en")
        said = nodes.container(classes=["note-said"])
        said += self.parsed(row["answer"], "note-answer")
        if row["repaired"]:
            label = nodes.inline("", "Repaired: " if row["verdict"] != "gap" else "Added: ")
            repaired = self.parsed(row["repaired"], "note-repaired")
            repaired[0].insert(0, label)
            said += repaired
        text = "→ " + answered(row, self.env.found_docs)
        if row.get("run"):
            text += f" · run: {{eq}}`{row['run']}`"
        said += self.parsed(text, "note-place")
        whole += [head, quoted, said]
        return whole


def verdict_mark(row: dict) -> nodes.Node:
    """Return the verdict as a mark of its own color, which a word makes unnecessary."""
    kind = KINDS[row["verdict"]]
    name = "wrong" if row["verdict"] in WRONG else {"–": "right"}.get(kind, kind)
    return nodes.inline("", row["verdict"], classes=["note-verdict", f"note-{name}"])


def chosen(rows: list[dict], selection: str) -> list[dict]:
    """Return the rows that a selection names, in the order of the notes."""
    if selection in NAMES:
        return [r for r in rows if r["id"].startswith(selection) and r["lines"] is not None]
    if selection == "missing":
        return [r for r in rows if r["lines"] is None]
    if selection == "wrong":
        return [r for r in rows if r["verdict"] in WRONG]
    return [r for r in rows if r["id"] in selection.split()]


class NoteVerdicts(SphinxDirective):
    """How many rows of each note have which verdict."""

    def run(self):
        ledger = _ledger(self.env.srcdir)
        self.env.note_dependency(str(ledger))
        rows = load(ledger)["rows"]
        lines = [
            "| verdict | what is wrong | S1 | S2 | not mentioned | rows |",
            "|---|---|--:|--:|--:|--:|",
        ]
        groups = [chosen(rows, name) for name in ("s1", "s2", "missing")]
        for verdict, kind in KINDS.items():
            counts = [sum(r["verdict"] == verdict for r in group) for group in groups]
            numbers = " | ".join(str(n) for n in [*counts, sum(counts)])
            lines.append(f"| {verdict} | {kind} | {numbers} |")
        totals = [len(group) for group in groups]
        numbers = " | ".join(str(n) for n in [*totals, sum(totals)])
        lines.append(f"| **all** |  | {numbers} |")
        return self.parse_text_to_nodes("\n".join(lines))


def back_links(app: Sphinx, doctree: nodes.document) -> None:
    """Put under each answering place of a page the links to the rows it answers."""
    env, ledger = app.env, _ledger(app.srcdir)
    rows = load(ledger)["rows"]
    if not rows:
        return
    env.note_dependency(str(ledger))
    wanted: dict[str, list[dict]] = {}
    for row in rows:
        page, label = place(row)
        if page == env.docname:
            wanted.setdefault(label, []).append(row)
    for label, answers in wanted.items():
        at = _labelled(doctree, label)
        if at is None:
            names = ", ".join(row["id"] for row in answers)
            logger.warning(
                "the notes' ledger looks for %r here (%s)", label, names, location=env.docname
            )
            continue
        mark = nodes.paragraph("", "Answers ", classes=["note-back"])
        for i, group in enumerate(_by_note(answers)):
            mark += nodes.Text("; " if i else "")
            for j, row in enumerate(group):
                mark += nodes.Text(", " if j else "")
                text = called(row, plural=len(group) > 1) if not j else lines_of(row)
                mark += to_row(row["id"], text, env.docname)
        if isinstance(at, nodes.section):
            at.insert(1, mark)
        else:
            at.parent.insert(at.parent.index(at) + 1, mark)


def _by_note(rows: list[dict]) -> list[list[dict]]:
    """Group rows by their note; what a note does not mention stands by itself."""
    groups = [[r for r in rows if r["lines"] and r["id"][:2] == note] for note in NAMES]
    return [g for g in groups if g] + [[r] for r in rows if not r["lines"]]


def _labelled(doctree: nodes.document, label: str) -> nodes.Element | None:
    names = {label, f"equation-{label}"}
    for node in doctree.findall(nodes.Element):
        if isinstance(node, nodes.math_block) and node.get("label") == label:
            return node
        if names & set(node.get("ids", ())) and not isinstance(node, nodes.target):
            return node
    return None


def mark_japanese(_app: Sphinx, doctree: nodes.document) -> None:
    """Say of Japanese words, wherever they stand, that they are Japanese, for fonts and voices."""
    plain = (nodes.literal, nodes.literal_block, nodes.math, nodes.math_block, nodes.raw)
    for text in list(doctree.findall(nodes.Text)):
        if not JAPANESE.search(text) or isinstance(text.parent, plain):
            continue
        if _inside_japanese(text.parent):
            continue
        parts: list[nodes.Node] = []
        at = 0
        for found in JAPANESE.finditer(text):
            if found.start() > at:
                parts.append(nodes.Text(text[at : found.start()]))
            parts.append(nodes.inline("", found[0], classes=["language-ja"]))
            at = found.end()
        if at < len(text):
            parts.append(nodes.Text(text[at:]))
        text.parent.replace(text, parts)


def _inside_japanese(node: nodes.Node | None) -> bool:
    while node is not None:
        if isinstance(node, nodes.Element) and "language-ja" in node.get("classes", ()):
            return True
        node = node.parent
    return False


def setup(app: Sphinx) -> dict:
    app.add_role("note", NoteRole())
    app.add_directive("note-rows", NoteRows)
    app.add_directive("note-verdicts", NoteVerdicts)
    app.add_css_file("notes.css")
    app.connect("doctree-read", back_links)
    app.connect("doctree-read", mark_japanese)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
