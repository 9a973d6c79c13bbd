"""The stored detection rates, and the table that the book shows of them.

`rates.json` keeps, for each kind of mutant and each chapter or module, how many there were, how
many were noticed, and the survivors; `--store` brings it and the table in the index of equations up
to date for what was measured, and leaves the rest.
"""

from __future__ import annotations

import json
from pathlib import Path

from .common import CHAPTERS, Result

STORE = Path(__file__).with_name("rates.json")
PAGE = CHAPTERS / "c-equations.md"
BEGIN, END = "% mutants: begin", "% mutants: end"
KINDS = {
    "text": "misprints of the numbered equations",
    "cells": "slips in the code of the chapters",
    "library": "slips in the code of the library",
    "outputs": "a digit of a stored output",
    "prose": "a digit of a number in the text",
}
BARS = {
    "text": 0.95,
    "evaluated": 0.99,
    "cells": 0.95,
    "library": 0.95,
    "outputs": 0.95,
    "prose": 0.95,
}

Rates = dict[str, dict[str, dict]]


def place(result: Result) -> str:
    """The chapter or the module a mutant is in."""
    name = result.place.split(" ")[0].split(":")[0]
    return name.removesuffix(".md").removesuffix(".ipynb")


def tally(results: list[Result]) -> dict[str, dict]:
    """{chapter or module: mutants, noticed, survivors}; equivalent mutants do not count."""
    table: dict[str, dict] = {}
    for result in sorted(results, key=place):
        row = table.setdefault(place(result), {"mutants": 0, "noticed": 0, "survivors": []})
        if result.counts:
            row["mutants"] += 1
            row["noticed"] += result.killed
            if not result.killed:
                row["survivors"].append(f"{result.place} [{result.kind}] {result.change}")
    return table


def lines(tables: Rates) -> list[str]:
    """A table of rates: a row for each chapter or module, a pair of columns for each kind."""
    kinds = [k for k in KINDS if k in tables]
    rows = sorted({name for kind in kinds for name in tables[kind]})
    out = [
        "| place | " + " | ".join(KINDS[k] for k in kinds) + " |",
        "|---" * (len(kinds) + 1) + "|",
    ]

    def cell(row: dict | None) -> str:
        if not row or not row["mutants"]:
            return "–"
        return f"{row['noticed']} of {row['mutants']}"

    for name in rows:
        out.append(f"| {name} | " + " | ".join(cell(tables[k].get(name)) for k in kinds) + " |")
    totals = []
    for kind in kinds:
        of, noticed = total(tables[kind])
        totals.append(f"**{noticed} of {of}**: {100 * noticed / of:.1f} %" if of else "–")
    return [*out, "| **in all** | " + " | ".join(totals) + " |"]


def total(table: dict[str, dict]) -> tuple[int, int]:
    return sum(r["mutants"] for r in table.values()), sum(r["noticed"] for r in table.values())


def survivors(tables: Rates) -> list[str]:
    return [s for kind in KINDS for row in tables.get(kind, {}).values() for s in row["survivors"]]


def read() -> dict:
    return json.loads(STORE.read_text(encoding="utf-8")) if STORE.exists() else {}


def block(stored: dict) -> str:
    """What the page shows: the table, how much of each kind was tried, and the survivors."""
    text = [BEGIN, "", *lines(stored["rates"]), ""]
    how = "; ".join(f"{KINDS[k]}: `{c}`" for k, c in stored["commands"].items() if k in KINDS)
    text += [f"Measured with {how}.", ""]
    left = survivors(stored["rates"])
    if left:
        text += ["Not noticed:", ""]
        text += [f"- `{s.replace('`', chr(39))}`" for s in left]
        text += [""]
    return "\n".join([*text, END])


def store(measured: Rates, command: str) -> None:
    """Put what was measured into the store, and the table into the page."""
    stored = read() or {"rates": {}, "commands": {}}
    for kind, table in measured.items():
        one_chapter = "--chapter" in command
        kept = stored["rates"].get(kind, {}) if one_chapter else {}
        stored["rates"][kind] = {**kept, **table}
        if not one_chapter or kind not in stored["commands"]:
            stored["commands"][kind] = command
    text = json.dumps(stored, indent=1, ensure_ascii=False, sort_keys=True)
    STORE.write_text(text + "\n", encoding="utf-8")
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(before + block(stored) + after, encoding="utf-8")
