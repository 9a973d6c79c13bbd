"""`python -m bplib.equations chapters`: the index of equations, and failure if one is not bound."""

import sys

from .coverage import coverage, problems, report
from .source import EquationError


def main(arguments: list[str]) -> int:
    path = arguments[0] if arguments else "chapters"
    try:
        rows = coverage(path)
    except EquationError as error:
        print(error, file=sys.stderr)
        return 1
    print(report(rows), end="")
    for line in problems(rows):
        print(line, file=sys.stderr)
    return 1 if problems(rows) else 0


sys.exit(main(sys.argv[1:]))
