"""What book.yml lists, checked against the files that exist."""

import re
from pathlib import Path

import yaml

CHAPTERS = Path(__file__).resolve().parent.parent
ROOT = CHAPTERS.parent
CONTENTS = ROOT / "book.yml"
CHAPTER_NAME = re.compile(r"[0-9a-z]+(-[0-9a-z]+)+")


class BookError(Exception):
    """Something about the book's files is wrong; the message says where, and how to mend it."""


def load(contents: Path = CONTENTS) -> dict:
    """Return book.yml as a dictionary; BookError names the line that cannot be read."""
    try:
        book = yaml.safe_load(contents.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BookError(f"{contents}: missing; it is the book's table of contents") from None
    except yaml.YAMLError as error:
        raise BookError(f"{contents.name}: cannot be read as YAML: {error}") from None
    if not isinstance(book, dict) or not isinstance(book.get("root"), str):
        raise BookError(
            f"{contents.name}: expected a `root:` page and `parts:`, as in a table of contents"
        )
    for number, part in enumerate(book.get("parts") or [], start=1):
        entries = part.get("chapters") if isinstance(part, dict) else None
        if not entries or not all(_names_a_file(e) for e in entries):
            raise BookError(
                f"{contents.name}: part {number} needs `chapters:` with a line `- file: NN-name` "
                f"for each chapter; it has {entries!r}"
            )
    return book


def _names_a_file(entry: object) -> bool:
    return isinstance(entry, dict) and isinstance(entry.get("file"), str)


def listed(book: dict) -> list[str]:
    """Return the page names of book.yml in reading order, the root first."""
    parts = book.get("parts") or []
    return [book["root"], *(entry["file"] for part in parts for entry in part["chapters"])]


def pages(folder: Path = CHAPTERS) -> list[str]:
    """Return the names of the pages that exist, notebooks and plain pages alike."""
    return sorted({p.stem for kind in ("*.md", "*.ipynb") for p in folder.glob(kind)})


def notebooks(folder: Path = CHAPTERS) -> list[Path]:
    """Return the Markdown sources of the chapters that are notebooks: they name a kernel."""
    return [p for p in sorted(folder.glob("*.md")) if is_notebook(p)]


def is_notebook(source: Path) -> bool:
    """Say whether a Markdown page has a kernelspec in its front matter."""
    text = source.read_text(encoding="utf-8")
    return text.startswith("---\n") and "\nkernelspec:" in text.split("\n---", 1)[0]


def line_of(name: str, contents: Path = CONTENTS) -> int:
    """Return the line of book.yml on which a page is listed, 0 if none."""
    for number, line in enumerate(contents.read_text(encoding="utf-8").splitlines(), start=1):
        if re.search(rf"\bfile:\s*['\"]?{re.escape(name)}['\"]?\s*(#.*)?$", line):
            return number
    return 0


def problems(folder: Path = CHAPTERS, contents: Path = CONTENTS) -> list[str]:
    """Return every disagreement between book.yml and the files, each with its place and remedy."""
    book = load(contents)
    names, existing = listed(book), pages(folder)
    found = []
    for name in sorted({n for n in names if names.count(n) > 1}):
        found.append(f"{contents.name}:{line_of(name, contents)}: {name} is listed twice")
    for name in names:
        if name not in existing:
            found.append(
                f"{contents.name}:{line_of(name, contents)}: {name} is listed, but "
                f"chapters/{name}.md does not exist; write it (`make new`), or take the line out"
            )
    for name in existing:
        if name not in names:
            found.append(
                f"chapters/{name}.md: not listed in {contents.name}, so no reader would find it; "
                f"add `- file: {name}` to the part it belongs to"
            )
    return found
