"""`python -m tests.mutants [text] [cells] [library] [outputs]`: the detection rates of the book.

Without a kind, all of them.  `--sample 40` takes about that many of each kind (of each chapter for
cells), `--chapter 05` one chapter, `--jobs 2` processes.  The exit code says whether the rates are
what the book promises.
"""

from __future__ import annotations

import argparse
import os
import sys

for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")  # many small processes, and forks

from . import cells, outputs, rules, text  # noqa: E402
from .common import CHAPTERS, summary  # noqa: E402

KINDS = ("text", "cells", "library", "outputs")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("kinds", nargs="*", help=f"any of {', '.join(KINDS)} (default: all)")
    parser.add_argument("--chapter", default="", help="the number or name a chapter starts with")
    parser.add_argument("--sample", type=int, help="about this many mutants of each kind")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    kinds = options.kinds or list(KINDS)
    if unknown := set(kinds) - set(KINDS):
        parser.error(f"unknown kind {', '.join(unknown)}; there are {', '.join(KINDS)}")
    chapters = sorted(CHAPTERS.glob(f"{options.chapter}*.md"))
    if not chapters:
        parser.error(f"no chapter starts with {options.chapter!r}")
    good = True

    def say(title: str, results: list, least: float) -> None:
        nonlocal good
        shown, fine = summary(title, results, least)
        print(shown, flush=True)
        good &= fine

    if "text" in kinds:
        found = text.run(chapters, options.jobs, options.sample)
        say("Misprints of equations evaluated from their LaTeX", found["evaluated"], 0.99)
        say("Misprints of all numbered equations", found["evaluated"] + found["other"], 0.95)
    if "cells" in kinds:
        say("Code of the chapters", cells.run(chapters, options.jobs, options.sample), 0.95)
    if "library" in kinds and not options.chapter:
        results, untested = rules.run(options.jobs, options.sample)
        say("Code of the library", results, 0.95)
        for module in untested:
            print(f"    no tests named after {module}")
    if "outputs" in kinds:
        say("Digits of stored outputs", outputs.run(chapters), 0.95)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
