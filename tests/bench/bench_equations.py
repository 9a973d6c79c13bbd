"""What checking the equations costs: processor seconds of each chapter's checks.

    python -m tests.bench.bench_equations

Each chapter is checked in a process of its own, imports included, as an author meets it. Processor
time, not the clock's: a busy machine makes everything late, but not more expensive. The table is
saved in _build/bench/equations.json; the exit code says whether every chapter is within BUDGET.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from bplib.equations import Book

CHAPTERS = Path(__file__).parents[2] / "chapters"
BUDGET = 10  # seconds a chapter

CODE = (
    "import sys, time; from bplib.equations.coverage import run_chapter; "
    "t = time.process_time(); run_chapter(sys.argv[1]); print(time.process_time() - t)"
)


def seconds(chapter: Path) -> float:
    """Return the processor seconds that the checks of a chapter take in a fresh process."""
    command = [sys.executable, "-c", CODE, str(chapter)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(done.stdout)


def main() -> int:
    found = {}
    for path in sorted(CHAPTERS.glob("*.md")):
        if equations := len(Book(path)):
            found[path.stem] = seconds(path)
            print(f"{path.stem:<24}{equations:>3} equations {found[path.stem]:6.2f} s", flush=True)
    print(f"all {sum(found.values()):.1f} s; wanted {BUDGET} s a chapter at most")
    out = Path("_build/bench/equations.json")
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps({"seconds": found}, indent=1), encoding="utf-8")
    print(f"saved in {out}")
    return 1 if max(found.values()) > BUDGET else 0


if __name__ == "__main__":
    sys.exit(main())
