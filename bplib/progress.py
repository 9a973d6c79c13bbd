"""A progress bar for whoever is watching, and nothing at all when nobody is.

A bar written into a notebook that is executed in batch (by the book's build or by its tests) would
stay in the stored output. So the bar asks first whether a person could answer a prompt: a terminal,
or a notebook whose front end allows input. Both erase the bar at the end.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sized
from typing import Any, TypeVar

Item = TypeVar("Item")
WIDTH = 30


def bar_text(done: int, total: int | None, label: str, seconds: float = 0.0, note: str = "") -> str:
    """Return the bar as one line of text: tqdm's, with the time that is left, or a plain one."""
    try:
        from tqdm import tqdm
    except ImportError:
        full = WIDTH * done // max(total or done, 1)
        return f"{label} {done}/{total or '?'} {'█' * full}{'·' * (WIDTH - full)} {note}".rstrip()
    return tqdm.format_meter(done, total, seconds, ncols=79, prefix=label, unit="", postfix=note)


def _notebook_with_reader() -> bool:
    """True in a kernel whose front end allows input: a person runs the cell, not a batch job."""
    if "IPython" not in sys.modules:
        return False
    from IPython import get_ipython

    kernel = getattr(get_ipython(), "kernel", None)
    return bool(getattr(kernel, "_allow_stdin", False))


def _on(terminal: Any) -> tuple[Callable[[str], None], Callable[[], None]]:
    """Return how to draw a line over the one before, and how to erase it."""
    width = 0

    def draw(text: str) -> None:
        nonlocal width
        width = max(width, len(text))
        terminal.write("\r" + text.ljust(width))
        terminal.flush()

    def erase() -> None:
        terminal.write("\r" + " " * width + "\r")
        terminal.flush()

    return draw, erase


def watch(
    items: Iterable[Item],
    label: str = "step",
    *,
    total: int | None = None,
    note: Callable[[Item], str] | None = None,
    terminal: Any = None,
) -> Iterator[Item]:
    """Yield the items while a bar shows how many are done; the bar is erased at the end.

    `total` is the number of items where `len` does not know it, `note(item)` a few words about the
    latest: `watch(train(...), "epoch", total=30, note=lambda r: f"J {r.J:.3g}")`.
    In a notebook the bar clears the output of its cell when it ends, so give the loop a cell of its
    own. `terminal` is the text stream to draw on; by default standard error, if it is a terminal.
    Without a reader nothing is drawn.
    """
    if total is None and isinstance(items, Sized):
        total = len(items)
    draw: Callable[[str], Any]
    erase: Callable[[], Any]
    if _notebook_with_reader():
        from IPython.display import clear_output, display

        handle = display({"text/plain": ""}, raw=True, display_id=True)
        draw = lambda text: handle.update({"text/plain": text}, raw=True)  # noqa: E731
        erase = clear_output
    else:
        stream = sys.stderr if terminal is None else terminal
        if stream is None or not stream.isatty():  # pythonw has no standard error
            yield from items
            return
        draw, erase = _on(stream)

    start = time.perf_counter()
    try:
        draw(bar_text(0, total, label))
        for done, item in enumerate(items, 1):
            yield item
            seconds = time.perf_counter() - start
            draw(bar_text(done, total, label, seconds, "" if note is None else note(item)))
    finally:
        erase()
