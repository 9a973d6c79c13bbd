"""The commands behind the Makefile: html, read, lab, refresh, new, twins."""

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

from _book import contents
from _book.contents import CHAPTERS, ROOT, BookError


def html(_arguments) -> None:
    """Build the site, strictly, into _build/html."""
    from _book import site

    site.build()


def read(arguments) -> None:
    """Build the site and serve it on loopback."""
    from _book import site

    site.build()
    site.serve(open_browser=not arguments.no_browser)


def lab(_arguments) -> None:
    """Open the chapters in JupyterLab."""
    print("Opening the chapters in JupyterLab (Ctrl-C twice ends it).", flush=True)
    command = [
        sys.executable,
        "-m",
        "jupyterlab",
        "--notebook-dir",
        str(CHAPTERS),
        "--ip",
        "127.0.0.1",
    ]
    # A chapter's source is Markdown; this opens it as the notebook it is on a double click.
    command += ["--LabApp.default_url=/lab"]
    if os.name == "posix" and os.geteuid() == 0:
        command.append("--allow-root")
    raise SystemExit(subprocess.call(command, cwd=CHAPTERS))


def refresh(arguments) -> None:
    """Execute notebooks and store their outputs."""
    from _book import notebooks

    sources = _chosen(arguments.chapter)
    for source in sources:
        started = time.perf_counter()
        print(f"Running chapters/{source.name} … ", end="", flush=True)
        changed = notebooks.refresh(source)
        seconds = time.perf_counter() - started
        print(f"{'stored anew' if changed else 'unchanged'} ({seconds:.0f} s)", flush=True)
    print(f"The notebooks are in {CHAPTERS.relative_to(ROOT)}/; `make html` publishes them.")


def _chosen(chapter: str | None) -> list[Path]:
    sources = contents.notebooks()
    if not chapter:
        return sources
    chosen = [p for p in sources if p.stem == chapter or p.stem.split("-")[0] == chapter]
    if not chosen:
        known = ", ".join(p.stem for p in sources) or "none yet"
        raise BookError(f"CHAPTER={chapter}: no such chapter with code in it. There are: {known}")
    return chosen


def twins(_arguments) -> None:
    """Say which notebooks disagree with their Markdown source."""
    from _book import notebooks

    pairs = ((p, p.with_suffix(".ipynb")) for p in contents.notebooks())
    found = [d for source, notebook in pairs if (d := notebooks.twin_difference(source, notebook))]
    if found:
        raise BookError("\n  ".join(["these notebooks are out of step:", *found]))


def new(arguments) -> None:
    """Write a new chapter from the template and enter it in book.yml."""
    from _book import notebooks, scaffold

    source = scaffold.create(arguments.chapter or "", arguments.title or "")
    print(f"Wrote chapters/{source.name} and entered it in book.yml. Running it once …", flush=True)
    notebooks.refresh(source)
    print(f"Now edit chapters/{source.name}, then `make refresh CHAPTER={source.stem}`.")


def main() -> int:
    parser = argparse.ArgumentParser(prog="make", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for run in (html, read, lab, refresh, new, twins):
        command = commands.add_parser(run.__name__, help=run.__doc__)
        command.set_defaults(run=run)
        if run in (refresh, new):
            command.add_argument("--chapter")
        if run is new:
            command.add_argument("--title")
        if run is read:
            command.add_argument("--no-browser", action="store_true")
    arguments = parser.parse_args()
    try:
        arguments.run(arguments)
    except BookError as error:
        print(f"\nmake {arguments.command}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
