"""Misprints of every numbered equation."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

from bplib.equations.check import Check
from bplib.equations.coverage import run_chapter
from bplib.equations.mutate import Verdict, judge
from bplib.equations.source import Book

from .common import Result, progress, thin

_CHECKS: list[Check] = []  # inherited by the forked workers: bindings hold functions


def _judge(n: int) -> list[Verdict]:
    verdicts = judge(_CHECKS[n])
    _CHECKS[n].letters.forget()
    return verdicts


def run(chapters: list[Path], jobs: int, sample: int | None) -> dict[str, list[Result]]:
    """Results by state of the equation: those evaluated from their LaTeX, and the others."""
    _CHECKS.clear()
    unbound: list[Result] = []
    for path in chapters:
        book = Book(path)
        if not len(book):
            continue
        made = run_chapter(path)
        _CHECKS.extend(made[s.label] for s in book if s.label in made)
        unbound += [
            Result(f"{s.file}:{s.line}", "unbound", s.label, "survived")
            for s in book
            if s.label not in made
        ]
    chosen = thin(list(range(len(_CHECKS))), sample)
    found: dict[str, list[Result]] = {"evaluated": [], "other": unbound}
    context = multiprocessing.get_context("fork")
    with context.Pool(jobs) as pool:
        answers = pool.imap(_judge, chosen)
        for n, verdicts in zip(chosen, progress(answers, len(chosen), "misprints"), strict=True):
            group = "other" if _CHECKS[n].parsed is None else "evaluated"
            found[group] += [
                Result(
                    f"{v.place} {v.label}", v.mutant.kind, " ".join(v.mutant.latex.split()), v.how
                )
                for v in verdicts
            ]
    return found
