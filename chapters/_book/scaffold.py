"""A new chapter: the template, its number and its line in book.yml."""

import re
from pathlib import Path

from _book import contents
from _book.contents import CHAPTERS, CONTENTS, BookError

NAME = re.compile(r"\d\d(-[a-z0-9]+)+")
TEMPLATE = Path(__file__).with_name("template.md")


def create(name: str, title: str, folder: Path = CHAPTERS, book: Path = CONTENTS) -> Path:
    """Write chapters/NAME.md and list it in book.yml; BookError when the name or title won't do."""
    if not NAME.fullmatch(name):
        raise BookError(
            f"CHAPTER={name or '(nothing)'}: expected a two-digit number and a short name in "
            'lower case, such as `make new CHAPTER=07-learning TITLE="Is backprop learning?"`'
        )
    if not title.strip() or "\n" in title:
        raise BookError('TITLE: expected one line, such as TITLE="Is backprop learning?"')
    number = name[:2]
    taken = [p for p in contents.pages(folder) if p.startswith(f"{number}-")]
    if taken:
        raise BookError(f"CHAPTER={name}: number {number} is taken by chapters/{taken[0]}.md")
    source = folder / f"{name}.md"
    text = TEMPLATE.read_text(encoding="utf-8")
    text = text.replace("{{title}}", title.strip()).replace("{{name}}", name[3:])
    listing = _with_entry(book.read_text(encoding="utf-8"), name)
    source.write_text(text, encoding="utf-8")
    book.write_text(listing, encoding="utf-8")
    return source


def _with_entry(listing: str, name: str) -> str:
    # By line, not by a YAML writer, which would drop the author's comments.
    entry = re.compile(r"(\s*- file: )(\d\d)-[a-z0-9-]+\s*(#.*)?$")
    lines = listing.splitlines()
    places = [(i, m) for i, line in enumerate(lines) if (m := entry.match(line))]
    if not places:
        raise BookError("book.yml: no line `- file: NN-name` to put the chapter beside")
    before = [(i, m) for i, m in places if m[2] < name[:2]]
    index, found = before[-1] if before else places[0]
    lines.insert(index + 1 if before else index, f"{found[1]}{name}")
    return "\n".join(lines) + "\n"
