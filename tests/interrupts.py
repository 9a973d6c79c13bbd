"""Ctrl-C at a chosen moment: after a number of executed lines, and so the same one every time.

A timer strikes wherever the machine happens to be; sometimes that is inside a finalizer, where
Python prints the interrupt and drops it, and a test has to forgive the missing ones. Here a moment
is a count of lines run by the call under test, in the library or anything it calls, and every
interrupt is seen by someone.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from typing import Any


def lines_of(call: Callable[[], Any]) -> int:
    """Return how many lines of Python a call runs."""
    count = 0

    def trace(frame: Any, event: str, argument: Any) -> Any:
        nonlocal count
        count += event == "line"
        return trace

    _traced(call, trace)
    return count


def struck(call: Callable[[], Any], moment: int) -> bool:
    """Run a call with a Ctrl-C before the line number `moment`; return whether it came."""
    count = 0

    def trace(frame: Any, event: str, argument: Any) -> Any:
        nonlocal count
        count += event == "line"
        if count >= moment and not _finalizing(frame):
            count = -sys.maxsize  # once
            sys.settrace(None)
            signal.raise_signal(signal.SIGINT)
            return None
        return trace

    _traced(call, trace)
    return count < 0


def _traced(call: Callable[[], Any], trace: Any) -> None:
    before = sys.gettrace()
    sys.settrace(trace)
    try:
        call()
    finally:
        sys.settrace(before)


def _finalizing(frame: Any) -> bool:
    while frame is not None:
        if frame.f_code.co_name == "__del__":
            return True
        frame = frame.f_back
    return False
