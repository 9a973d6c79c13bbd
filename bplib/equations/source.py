"""Where the printed equations are: labelled mathematics in a folder of MyST chapters."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path


class EquationError(Exception):
    """A mistake of the author, with the file, the line, the equation and what was expected."""


@dataclass(frozen=True)
class Source:
    """The LaTeX of one displayed equation, and where it stands."""

    label: str
    latex: str
    file: str
    line: int

    def error(self, message: str, position: int | None = None, latex: str | None = None):
        """An EquationError that points at `position` (an offset into `latex`)."""
        text = self.latex if latex is None else latex
        line = self.line
        excerpt = ""
        if position is not None:
            position = max(0, min(position, len(text)))
            before = text[:position]
            if latex is None:
                line += before.count("\n")
            start = before.rfind("\n") + 1
            end = text.find("\n", position)
            shown = text[start : end if end >= 0 else None]
            excerpt = f"\n    {shown}\n    {' ' * (position - start)}^"
        return EquationError(f"{self.file}:{line}: {self.label}: {message}{excerpt}")


_FENCE = re.compile(r"^(\s*)(`{3,}|~{3,}|:{3,})\s*(\{[\w:-]+\})?(.*)$")
_DOLLARS = re.compile(r"^\s*(?:>\s*)*\$\$")
_LABEL_AFTER = re.compile(r"\$\$\s*\(([^)\s]+)\)\s*$")


def scan(text: str, file: str) -> Iterator[Source]:
    """Every displayed equation of one MyST file; those without a label have label ''.

    Reads `$$ ... $$ (label)` and the math directive with its `:label:` option.  Code cells and
    other literal fences are passed over, so that a string holding `$$` is not an equation.
    """
    lines = text.split("\n")
    inside: list[str] = []  # fences of open directives whose body is MyST
    i = 0
    while i < len(lines):
        if inside and _closes(lines[i], inside[-1]):
            inside.pop()
            i += 1
            continue
        fence = _FENCE.match(lines[i])
        if fence and fence[2][0] in "`~":
            end = i + 1
            while end < len(lines) and not _closes(lines[end], fence[2]):
                end += 1
            if fence[3] == "{math}":
                yield _directive(lines[i + 1 : end], file, i + 2)
                i = end + 1
            elif fence[3] and not fence[3].startswith(("{code", "{literal", "{raw", "{mermaid")):
                inside.append(fence[2])  # its equations are numbered too
                i += 1
            else:
                i = end + 1
            continue
        if _DOLLARS.match(lines[i]):
            first = i
            body = lines[i][lines[i].index("$$") + 2 :]
            while "$$" not in body:
                i += 1
                if i == len(lines):
                    raise EquationError(f"{file}:{first + 1}: $$ is opened here and never closed")
                body += "\n" + lines[i]
            latex, _, _ = body.partition("$$")
            label = _LABEL_AFTER.search(lines[i])
            yield Source(label[1] if label else "", latex, file, first + 1)
        i += 1


def _closes(line: str, fence: str) -> bool:
    stripped = line.strip()
    return len(stripped) >= len(fence) and set(stripped) == {fence[0]}


def _directive(lines: list[str], file: str, number: int) -> Source:
    label = ""
    skipped = 0
    for line in lines:
        option = re.match(r"\s*:(\w+):\s*(.*)$", line)
        if not option:
            break
        skipped += 1
        if option[1] in ("label", "name"):
            label = option[2].strip()
    return Source(label, "\n".join(lines[skipped:]), file, number + skipped)


class Book:
    """The labelled equations of a folder (or of one file), by label.

    Raises EquationError when a label stands twice, and when a label asked for is not there.
    """

    def __init__(self, path: str | Path):
        self.path = Path(path)
        if self.path.is_dir():
            files = sorted(p for p in self.path.glob("*.md") if p.is_file())
        else:
            files = [self.path]
        self.files = files
        self.equations: dict[str, Source] = {}
        self.unlabelled: list[Source] = []
        for file in files:
            for source in scan(file.read_text(encoding="utf-8"), file.name):
                if not source.label:
                    self.unlabelled.append(source)
                elif source.label in self.equations:
                    first = self.equations[source.label]
                    raise source.error(
                        f"this label is used twice, first at {first.file}:{first.line}"
                    )
                else:
                    self.equations[source.label] = source

    def __getitem__(self, label: str) -> Source:
        try:
            return self.equations[label]
        except KeyError:
            near = [k for k in self.equations if k.split("-")[-1] == label.split("-")[-1]]
            hint = f"; did you mean {near[0]}?" if near else ""
            raise EquationError(
                f"{label}: no equation of {self.path.name or 'this folder'}/ has this label{hint}"
                " (a numbered equation ends in `$$ (label)`)"
            ) from None

    def __iter__(self) -> Iterator[Source]:
        return iter(self.equations.values())

    def __len__(self) -> int:
        return len(self.equations)


def find_folder(start: Path | None = None) -> Path:
    """The folder of the chapters: the current one, or `chapters/` beneath it."""
    here = Path.cwd() if start is None else start
    if (here / "chapters").is_dir():
        return here / "chapters"
    return here


@lru_cache(maxsize=8)
def _read(path: Path, stamp: tuple) -> Book:
    return Book(path)


def read(path: str | Path | None = None) -> Book:
    """The book in `path` (default: the current folder), read again only when a file changed."""
    folder = find_folder() if path is None else Path(path)
    files = sorted(folder.glob("*.md")) if folder.is_dir() else [folder]
    stamp = tuple((f.name, f.stat().st_mtime_ns, f.stat().st_size) for f in files)
    return _read(folder.resolve(), stamp)
