"""Numbers in prose: where each one comes from, and whether a wrong digit would be noticed.

A number of two or more significant digits in the text is either *near what made it* (the source or
the stored output of a cell at most three cells away shows it, rounded as printed) or it stands in
`tests/prose_numbers.py` with the expression that gives it. Anything else is a number that could
drift, and a test fails. Numbers of one digit are too common to be traced like that.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import nbformat

from tests.prose_numbers import NUMBERS

from .common import Result

NEAR = 3  # cells
_CLAIM = re.compile(r"(?<![\w.,^_{/-])(\d{1,3}(?:,\d{3})+|\d+)(\.\d+)?(?![\w{]|,\d|\.\d)")
_PERCENT = re.compile(r"(?:\s|\\,)*\\?%")
_EVIDENCE = re.compile(r"(?<![\w.])\d[\d_,]*\.?\d*(?:[eE][-+]?\d+)?")
_NOT_PROSE = [
    re.compile(p, re.DOTALL | re.MULTILINE)
    for p in (
        r"```.*?```", r"\$\$.*?\$\$", r"(?:\{[\w:-]+\})?`[^`]*`", r"\]\([^)]*\)",
        r"^:\w[\w-]*:.*?$",
    )
]  # fmt: skip


@dataclass(frozen=True)
class Claim:
    """A number as printed, and the words around it."""

    text: str
    percent: bool
    around: str

    @property
    def decimals(self) -> int:
        return len(self.text.partition(".")[2])

    def equals(self, value: float) -> bool:
        """Whether a value, rounded as this is printed, is this number."""
        stated = float(self.text.replace(",", ""))
        scales = (1, 100) if self.percent else (1,)
        return any(math.isclose(round(s * value, self.decimals), stated) for s in scales)


def claims(markdown: str) -> Iterator[Claim]:
    """The numbers of two or more significant digits in the prose of one cell, years left out."""
    for pattern in _NOT_PROSE:
        markdown = pattern.sub(" ", markdown)
    for found in _CLAIM.finditer(markdown):
        text = found[0]
        percent = bool(_PERCENT.match(markdown, found.end()))
        digits = text.replace(",", "").replace(".", "").strip("0")
        long = "." in text or percent or len(text) >= 3
        year = re.fullmatch(r"1[5-9]\d\d|20\d\d", text)
        if len(digits) >= 2 and long and not year:
            around = markdown[max(0, found.start() - 40) : found.end() + 25]
            yield Claim(text, percent, " ".join(around.split()))


def evidence(cell) -> list[float]:
    """The numbers in the source and the stored text outputs of a code cell."""
    if cell.cell_type != "code":
        return []
    texts = [cell.source]
    for output in cell.outputs:
        texts.append(output.get("text") or output.get("data", {}).get("text/plain", ""))
    found = []
    for number in _EVIDENCE.findall("\n".join(texts)):
        try:
            found.append(float(number.replace(",", "").replace("_", "")))
        except ValueError:
            continue
    return found


def traced(claim: Claim, near: list[float], table: dict[str, str | float]) -> bool:
    """Whether something says where this number comes from."""
    return claim.text in table or any(claim.equals(value) for value in near)


def places(notebook: Path) -> Iterator[tuple[Claim, list[float]]]:
    """Each claim of a notebook, with the numbers near it."""
    cells = nbformat.read(notebook, as_version=4).cells
    numbers = [evidence(cell) for cell in cells]
    for i, cell in enumerate(cells):
        if cell.cell_type == "markdown":
            near = [x for some in numbers[max(0, i - NEAR) : i + NEAR + 1] for x in some]
            for claim in claims(cell.source):
                yield claim, near


def table_of(notebook: Path) -> dict[str, str | float]:
    return NUMBERS.get(notebook.stem, {})


def untraced(notebook: Path) -> list[Claim]:
    """The numbers of a notebook's prose that nothing accounts for."""
    table = table_of(notebook)
    return [claim for claim, near in places(notebook) if not traced(claim, near, table)]


def run(chapters: list[Path]) -> list[Result]:
    """Every number in prose with each of its digits changed in turn."""
    results = []
    for chapter in chapters:
        notebook = chapter.with_suffix(".ipynb")
        if not notebook.exists():
            continue
        table = table_of(notebook)
        for claim, near in places(notebook):
            for k, digit in enumerate(claim.text):
                if digit not in "123456789":
                    continue
                text = claim.text[:k] + str(int(digit) % 9 + 1) + claim.text[k + 1 :]
                wrong = Claim(text, claim.percent, claim.around)
                how = "survived" if traced(wrong, near, table) else "by the table or the cells near"
                results.append(
                    Result(chapter.name, "number", f"{claim.text} -> {text}: {claim.around}", how)
                )
    return results
