"""A pytest plugin that stands guard over nbval.

nbval alone passes a notebook that was never run, ignores a misspelt tag, passes a cell that should
have raised and did not, waits half an hour for a dead kernel, and compares numbers as text. This
plugin adds one test a notebook (is what it stores complete, ordered and like its Markdown twin?),
compares numbers to a relative tolerance, and counts the cells it compared.
"""

import re
import time
from pathlib import Path
from queue import Empty

import nbformat
import pytest
from _book import notebooks
from nbval import kernel as nbval_kernel
from nbval import plugin as nbval

# Six digits are printed; the last may round either way on another BLAS.
RELATIVE = 2e-5
ABSOLUTE = 1e-12
KERNEL_POLL_SECONDS = 1.0

TAGS = {
    "hide-cell",
    "hide-input",
    "hide-output",
    "raises-exception",
    "remove-cell",
    "remove-input",
    "remove-output",
    "scroll-output",
}
WIDGET = "application/vnd.jupyter.widget-view+json"
NUMBER = re.compile(r"(?<![\w.])[-−+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?(?![\w])")


class Tolerant(str):
    """Text that equals other text when the words agree and the numbers are close."""

    def __eq__(self, other):
        return str.__eq__(self, other) or _close(str(self), str(other))

    def __ne__(self, other):
        return not self == other

    __hash__ = str.__hash__


def _close(one: str, other: str) -> bool:
    if NUMBER.sub("#", one) != NUMBER.sub("#", other):
        return False
    pairs = zip(NUMBER.findall(one), NUMBER.findall(other), strict=True)
    return all(_same_number(a, b) for a, b in pairs)


def _same_number(a: str, b: str) -> bool:
    if a == b:
        return True
    if not any(mark in a + b for mark in ".eE"):
        return False  # whole numbers are counts, and counts are exact
    x, y = (float(t.replace("−", "-")) for t in (a, b))
    return abs(x - y) <= max(ABSOLUTE, RELATIVE * max(abs(x), abs(y)))


class KernelDied(Exception):
    """The kernel ended while a cell was running."""


def get_message_while_alive(self, stream, timeout=None):
    """Wait for a message as nbval does, but look every second whether the kernel still lives."""
    channel = {"iopub": self.kc.get_iopub_msg, "shell": self.kc.get_shell_msg}[stream]
    end = None if timeout is None else time.monotonic() + timeout
    while True:
        left = KERNEL_POLL_SECONDS if end is None else end - time.monotonic()
        try:
            return channel(timeout=max(0.0, min(left, KERNEL_POLL_SECONDS)))
        except Empty:
            if not self.is_alive():
                raise KernelDied("the kernel died while this cell was running") from None
            if end is not None and time.monotonic() >= end:
                raise


def without_erased_progress(outputs):
    """Drop streams that left nothing on the screen, such as a progress bar that cleared itself."""
    return [
        o
        for o in outputs
        if o["output_type"] != "stream" or notebooks.visible_stream(o.get("text", "")).strip()
    ]


def problems(path: Path) -> list[str]:
    """Return what is wrong with a stored notebook before any of it is run."""
    notebook = nbformat.read(path, as_version=4)
    found, count = [], 0
    if "widgets" in notebook.metadata:
        found.append("stores widget state; `make refresh` strips it")
    for index, cell in enumerate(notebook.cells):
        if cell.cell_type == "code":
            count += 1
            found += [f"cell {index}: {what}" for what in _cell_problems(cell, count)]
    if not count:
        found.append("has no code cell")
    source = path.with_suffix(".md")
    if not source.exists():
        found.append(f"has no Markdown twin {source.name}")
    elif difference := notebooks.twin_difference(source, path):
        found.append(difference)
    return [f"{path.name}: {what}" for what in found]


def _cell_problems(cell, count):
    tags = cell.metadata.get("tags", [])
    for tag in tags:
        if tag not in TAGS:
            yield f"unknown tag {tag!r}; known are {', '.join(sorted(TAGS))}"
    if re.search(r"^\s*#\s*(NBVAL_|PYTEST_VALIDATE)", cell.source, re.MULTILINE):
        yield "a comment switches its comparison off; print something stable instead"
    if cell.execution_count is None:
        yield "was never run; `make refresh` stores its output"
    elif cell.execution_count != count:
        yield f"was run as number {cell.execution_count}, out of order (expected {count})"
    raised = any(o.output_type == "error" for o in cell.outputs)
    if raised and "raises-exception" not in tags:
        yield "stores an exception without the tag raises-exception"
    if "raises-exception" in tags and not raised:
        yield "has the tag raises-exception and stores no exception"
    for output in cell.outputs:
        if output.output_type == "stream" and output.name == "stderr":
            yield "stores text on standard error (a warning?): " + output.text.strip()[:80]
        data = output.get("data", {})
        if WIDGET in data and "text/html" not in data:
            yield "its widget has no text/html face, so the page would show nothing"


class Stored(pytest.Item):
    """One test a notebook: what it stores is complete, in order and like its source."""

    def runtest(self):
        found = problems(self.path)
        if found:
            raise AssertionError("\n".join(found))

    def repr_failure(self, excinfo, style=None):
        return str(excinfo.value)

    def reportinfo(self):
        return self.path, 0, f"{self.path.name}::stored"


def _collect_with_guard(collect):
    def collected(self):
        yield Stored.from_parent(self, name="stored")
        yield from collect(self)

    return collected


def _run_and_count(runtest):
    def run(self):
        runtest(self)
        kind = "cells compared" if self.cell.outputs else "cells without output"
        self.user_properties.append((kind, 1))

    return run


def _compare_visible(compare):
    def compared(self, test, ref, skip_compare=None):
        return compare(self, without_erased_progress(test), ref, skip_compare)

    return compared


def pytest_configure(config):
    """Put the guard around nbval's own classes; once, whichever way the plugin is loaded."""
    if getattr(nbval.IPyNbFile, "guarded", False):
        return
    nbval.IPyNbFile.guarded = True
    nbval.IPyNbFile.collect = _collect_with_guard(nbval.IPyNbFile.collect)
    nbval.IPyNbCell.runtest = _run_and_count(nbval.IPyNbCell.runtest)
    nbval.IPyNbCell.compare_outputs = _compare_visible(nbval.IPyNbCell.compare_outputs)
    sanitize = nbval.IPyNbCell.sanitize
    nbval.IPyNbCell.sanitize = lambda self, s: (
        Tolerant(sanitize(self, s)) if isinstance(s, str) else s
    )
    nbval_kernel.RunningKernel.get_message = get_message_while_alive


def pytest_collection_modifyitems(items):
    # A picture's text moves with the plotting library; what it plots is asserted in its cell.
    for item in items:
        if isinstance(item, nbval.IPyNbCell) and "image/svg+xml" not in item.parent.skip_compare:
            item.parent.skip_compare += ("image/svg+xml",)


def pytest_terminal_summary(terminalreporter):
    counts = {"cells compared": 0, "cells without output": 0}
    for report in terminalreporter.stats.get("passed", []):
        for kind, number in report.user_properties:
            if kind in counts and report.when == "call":
                counts[kind] += number
    total = sum(counts.values())
    terminalreporter.write_line(
        f"{counts['cells compared']} cells compared with their stored output, "
        f"{counts['cells without output']} ran without output ({total} in all)"
    )
