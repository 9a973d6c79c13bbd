"""The site: built strictly by Sphinx, then served to this machine alone."""

import functools
import http.server
import re
import subprocess
import sys
import webbrowser
from pathlib import Path

from _book import contents, notebooks
from _book.contents import CHAPTERS, ROOT, BookError

OUTPUT = ROOT / "_build" / "html"
DOCTREES = ROOT / "_build" / "doctrees"

# MyST-NB says where in a notebook a thing is as cell × 10,000 + line, and counts lines from 2.
_NOTEBOOK_PLACE = re.compile(r"(?P<file>[^\s:]+)\.ipynb:(?P<place>\d+)")
_CELL = 10_000


def build(output: Path = OUTPUT, folder: Path = CHAPTERS, doctrees: Path = DOCTREES) -> None:
    """Build the site; BookError when anything is wrong, each thing with its file and line."""
    _check_sources(folder)
    print(f"Building the book into {_near(output)} …", flush=True)
    command = [
        sys.executable,
        "-m",
        "sphinx",
        "-b",
        "html",
        "-q",
        # Plain text also where Sphinx would color it: the places in it are rewritten below.
        "--no-color",
        "-W",
        "--keep-going",
        "-n",
        "-d",
        str(doctrees),
        str(folder),
        str(output),
    ]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="utf-8"
    ) as process:
        for line in process.stdout or ():
            sys.stdout.write(in_source(line))
    if process.returncode:
        raise BookError("the book was not built: mend what is named above")
    print(f"Built: {_near(output / 'index.html')}", flush=True)


def _near(path: Path) -> str:
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


def _check_sources(folder: Path) -> None:
    found = contents.problems(folder, folder.parent / "book.yml")
    if found:
        raise BookError("the table of contents and the files disagree:\n  " + "\n  ".join(found))
    for source in contents.notebooks(folder):
        notebook = source.with_suffix(".ipynb")
        if not notebook.exists():
            raise BookError(
                f"chapters/{source.name} was never run: `make refresh` stores its outputs"
            )
        difference = notebooks.twin_difference(source, notebook)
        if difference:
            print(f"Not in the page yet: {difference}", flush=True)


def in_source(message: str) -> str:
    """Rewrite places in a notebook as lines of its Markdown source, which an author edits."""

    def source_place(found: re.Match) -> str:
        source = Path(found["file"] + ".md")
        cell, line = divmod(int(found["place"]), _CELL)
        if not source.exists() or cell < 1:
            return found[0]
        lines = notebooks.cell_lines(source)
        if cell > len(lines):
            return found[0]
        return f"{_near(source)}:{lines[cell - 1] + max(line - 2, 0)}"

    return _NOTEBOOK_PLACE.sub(source_place, message)


class _Quiet(http.server.SimpleHTTPRequestHandler):
    extensions_map = http.server.SimpleHTTPRequestHandler.extensions_map | {
        ".mjs": "text/javascript"
    }

    def log_message(self, format, *args):
        pass


def serve(open_browser: bool = True, output: Path = OUTPUT) -> None:
    """Serve the built site on a free loopback port until Ctrl-C."""
    handler = functools.partial(_Quiet, directory=str(output))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        address = f"http://127.0.0.1:{server.server_port}/"
        print(f"The book is open at {address}  (Ctrl-C closes it)", flush=True)
        if open_browser:
            # Where there is no browser this does nothing; the address above is enough.
            webbrowser.open(address)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print("\nClosed.")
