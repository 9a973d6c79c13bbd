"""`python -m tests.mutants [text] [cells] [library] [outputs] [prose]`: the book's detection rates.

Without a kind, all of them. `--sample 40` takes about that many of each kind (for cells, of each
chapter), `--chapter 05` one chapter, `--jobs 2` processes; `--store` writes the rates into the
index of equations. The exit code says whether the rates are what the book promises.
"""

from __future__ import annotations

import argparse
import os
import re
import sys

for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")  # many small processes, and forks

from . import cells, outputs, prose, rates, rules, text  # noqa: E402
from .common import CHAPTERS, Result, summary  # noqa: E402

TITLES = {
    "cells": "Code of the chapters",
    "library": "Code of the library",
    "outputs": "Digits of stored outputs",
    "prose": "Digits of numbers in the text",
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("kinds", nargs="*", help=f"any of {', '.join(rates.KINDS)} (default: all)")
    parser.add_argument("--chapter", default="", help="the number or name a chapter starts with")
    parser.add_argument("--sample", type=int, help="about this many mutants of each kind")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--store", action="store_true", help="write the rates into the book")
    options = parser.parse_args()
    kinds = options.kinds or list(rates.KINDS)
    if unknown := set(kinds) - set(rates.KINDS):
        parser.error(f"unknown kind {', '.join(unknown)}; there are {', '.join(rates.KINDS)}")
    chapters = sorted(CHAPTERS.glob(f"{options.chapter}*.md"))
    if not chapters:
        parser.error(f"no chapter starts with {options.chapter!r}")
    good = True
    measured: rates.Rates = {}

    def say(title: str, results: list[Result], least: float) -> None:
        nonlocal good
        shown, fine = summary(title, results, least)
        print(shown, flush=True)
        good &= fine

    def keep(kind: str, results: list[Result]) -> None:
        if kind in TITLES:
            say(TITLES[kind], results, rates.BARS[kind])
        measured[kind] = rates.tally(results)

    if "text" in kinds:
        found = text.run(chapters, options.jobs, options.sample)
        both = found["evaluated"] + found["other"]
        say(
            "Misprints of equations read from their LaTeX",
            found["evaluated"],
            rates.BARS["evaluated"],
        )
        say("Misprints of all numbered equations", both, rates.BARS["text"])
        keep("text", both)
    if "cells" in kinds:
        keep("cells", cells.run(chapters, options.jobs, options.sample))
    if "library" in kinds and not options.chapter:
        results, untested = rules.run(options.jobs, options.sample)
        keep("library", results)
        for module in untested:
            print(f"    no tests named after {module}")
    if "outputs" in kinds:
        keep("outputs", outputs.run(chapters))
    if "prose" in kinds:
        keep("prose", prose.run(chapters))
    print("\n".join(["", *rates.lines(measured)]))
    if options.store:
        # What a reader runs to see the same: neither how it was stored nor how many at once.
        words = " ".join(sys.argv[1:])
        told = re.sub(r"--store\b|--jobs[ =]\d+", "", words).split()
        rates.store(measured, " ".join(["python -m tests.mutants", *told]))
        print(f"\nStored in {rates.STORE.name}, shown in {rates.PAGE.name}.")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
