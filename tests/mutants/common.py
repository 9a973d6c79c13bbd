"""What the kinds of mutants share: results, rates, a progress bar."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

ROOT = Path(__file__).parents[2]
CHAPTERS = ROOT / "chapters"
T = TypeVar("T")


@dataclass(frozen=True)
class Result:
    """One mutant: its place, the kind of change, what was changed, and who noticed.

    `how` is 'equivalent' when nothing that is published changes; such mutants do not count.
    """

    place: str
    kind: str
    change: str
    how: str

    @property
    def counts(self) -> bool:
        return self.how != "equivalent"

    @property
    def killed(self) -> bool:
        return self.how not in ("equivalent", "survived")


def progress(items: Iterable[T], total: int, what: str) -> Iterator[T]:
    """A bar on a terminal, nothing in a log."""
    shown = sys.stderr.isatty()
    for n, item in enumerate(items, 1):
        if shown:
            full = 30 * n // max(total, 1)
            print(f"\r{what} [{'#' * full:<30}] {n}/{total}", end="", file=sys.stderr, flush=True)
        yield item
    if shown:
        print(file=sys.stderr)


def thin(items: list[T], sample: int | None) -> list[T]:
    """About `sample` of the items, evenly spread and always the same."""
    if sample is None or sample >= len(items):
        return items
    return [items[i * len(items) // sample] for i in range(sample)]


def summary(title: str, results: list[Result], least: float) -> tuple[str, bool]:
    """A paragraph with the rate, the ways of detection, and every survivor with its place."""
    counted = [r for r in results if r.counts]
    killed = [r for r in counted if r.killed]
    rate = len(killed) / len(counted) if counted else 1.0
    good = rate >= least
    lines = [
        f"{title}: {len(killed)} of {len(counted)} noticed = {100 * rate:.1f} %"
        f" (at least {100 * least:.0f} % wanted; {len(results) - len(counted)} equivalent)"
        + ("" if good else "  <-- TOO FEW")
    ]
    ways = Counter(r.how for r in killed)
    if ways:
        lines.append("    " + ", ".join(f"{n} {how}" for how, n in ways.most_common()))
    lines += [f"    survived: {r.place} [{r.kind}] {r.change}" for r in counted if not r.killed]
    return "\n".join(lines), good
