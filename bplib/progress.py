"""A progress bar for whoever is watching, and nothing at all when nobody is.

A bar written into a notebook that is executed in batch (by the book's build or by its tests) would
stay in the stored output. So the bar asks first whether a person could answer a prompt: a terminal,
or a notebook whose front end allows input. Both erase the bar at the end.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

Item = TypeVar("Item")
WIDTH = 30


def bar_text(done: int, total: int, label: str) -> str:
    """Return the bar as text, such as ``epoch  12/30 ████████····``."""
    full = WIDTH * done // max(total, 1)
    return f"{label} {done:>{len(str(total))}}/{total} {'█' * full}{'·' * (WIDTH - full)}"


def _notebook_with_reader() -> bool:
    """True in a kernel whose front end allows input: a person runs the cell, not a batch job."""
    if "IPython" not in sys.modules:
        return False
    from IPython import get_ipython

    kernel = getattr(get_ipython(), "kernel", None)
    return bool(getattr(kernel, "_allow_stdin", False))


def watch(items: Sequence[Item], label: str = "step", *, terminal: Any = None) -> Iterator[Item]:
    """Yield the items while a bar shows how many are done; the bar is erased at the end.

    In a notebook the bar clears the output of its cell when it ends, so give the loop a cell of its
    own. ``terminal`` is the text stream to draw on; by default standard error, if it is a terminal.
    Without a reader nothing is drawn.
    """
    total = len(items)
    if _notebook_with_reader():
        from IPython.display import clear_output, display

        handle = display({"text/plain": bar_text(0, total, label)}, raw=True, display_id=True)
        try:
            for done, item in enumerate(items, 1):
                yield item
                handle.update({"text/plain": bar_text(done, total, label)}, raw=True)
        finally:
            clear_output()
        return
    stream = sys.stderr if terminal is None else terminal
    if stream is None or not stream.isatty():
        yield from items
        return
    try:
        for done, item in enumerate(items, 1):
            yield item
            stream.write("\r" + bar_text(done, total, label))
            stream.flush()
    finally:
        stream.write("\r" + " " * len(bar_text(total, total, label)) + "\r")
        stream.flush()
