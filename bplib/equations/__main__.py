"""`python -m bplib.equations chapters`: check every numbered equation and print their index."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from .coverage import coverage, problems, report
from .letters import LettersError
from .source import Book, EquationError


def main(arguments: list[str] | None = None) -> int:
    """Print the index; 1 when an equation fails its check or has none, 2 for bad arguments."""
    parser = argparse.ArgumentParser(
        prog="python -m bplib.equations",
        description="Run the checks of every numbered equation and print an index of them.",
        epilog="The exit code is 0 when every equation is bound, holds, and refuses a wrong form.",
    )
    parser.add_argument(
        "path",
        nargs="?",
        type=Path,
        default=Path("chapters"),
        help="a folder of MyST chapters, or one chapter (default: chapters)",
    )
    path = parser.parse_args(arguments).path
    if not path.exists():
        parser.error(f"{path} is not there: name a folder of MyST chapters, or one .md file")
    if path.is_file() and path.suffix != ".md":
        parser.error(f"{path} is no MyST chapter: a file ending in .md is expected")
    try:
        if not len(Book(path)):
            parser.error(f"{path} has no numbered equation (`$$ ... $$ (eq-name)` in an .md file)")
        rows = coverage(path)
    except (EquationError, LettersError) as error:
        print(error, file=sys.stderr)
        return 1
    print(report(rows), end="")
    for line in problems(rows):
        print(line, file=sys.stderr)
    return 1 if problems(rows) else 0


if __name__ == "__main__":
    sys.exit(main())
