"""A Sphinx extension: `{equation-index}`, every numbered equation of the book with its state.

It reads what the notebooks store, and the tests compare that with a fresh run of every check.
"""

import re

import nbformat
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from _book import contents

LABEL = re.compile(r"^\$\$ *\((eq-[\w-]+)\)|^:label: *(eq-[\w-]+)", re.MULTILINE)
STATE = re.compile(r"^(eq-[\w-]+) (.*)$", re.MULTILINE)


def states(source) -> list[tuple[str, str]]:
    """Return (label, state) for each numbered equation of a chapter, in its order."""
    labels = [a or b for a, b in LABEL.findall(source.read_text(encoding="utf-8"))]
    notebook = source.with_suffix(".ipynb")
    found: dict[str, str] = {}
    if notebook.exists():
        for cell in nbformat.read(notebook, as_version=4).cells:
            for output in cell.get("outputs", []):
                said = output.get("data", {}).get("text/plain", "")
                found.update(STATE.findall(said))
    return [(label, found.get(label, "**not bound**")) for label in labels]


class EquationIndex(SphinxDirective):
    """List every numbered equation, by chapter."""

    def run(self):
        lines = []
        for source in contents.notebooks():
            rows = states(source)
            self.env.note_dependency(str(source.with_suffix(".ipynb")))
            if not rows:
                continue
            title = re.search(r"^# (.+)$", source.read_text(encoding="utf-8"), re.MULTILINE)
            name = title[1] if title else source.stem
            lines += ["", f"## {name}", "", f"In {{doc}}`{source.stem}`:", ""]
            lines += ["| equation | name | state |", "|---|---|---|"]
            lines += [f"| {{eq}}`{label}` | `{label}` | {state} |" for label, state in rows]
        return self.parse_text_to_nodes("\n".join(lines), allow_section_headings=True)


def setup(app: Sphinx) -> dict:
    app.add_directive("equation-index", EquationIndex)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
