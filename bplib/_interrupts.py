"""Ctrl-C that waits for the end of what must not be cut in two: a step, or a file."""

from __future__ import annotations

import signal
import threading
from typing import Any


class Interrupts:
    """Hold back the first Ctrl-C until `check` or the end, so that nothing is left half done.

    A second one is not held back.

    Only the main thread gets signals; elsewhere there is nothing to hold back.
    """

    def __enter__(self) -> Interrupts:
        self.pending = False
        self.previous: Any = None
        if threading.current_thread() is threading.main_thread():
            handler = signal.getsignal(signal.SIGINT)
            if callable(handler):  # an application that ignores Ctrl-C goes on ignoring it
                self.previous = handler
                signal.signal(signal.SIGINT, self._hold)
        return self

    def _hold(self, number: int, frame: Any) -> None:
        self.pending = True
        signal.signal(signal.SIGINT, self.previous)  # a second one is not held

    def check(self) -> None:
        """Let a Ctrl-C that came take effect now."""
        if self.pending:
            self.pending = False
            self.previous(signal.SIGINT, None)  # as a rule raises KeyboardInterrupt

    def __exit__(self, kind: Any, error: Any, traceback: Any) -> None:
        if self.previous is not None:
            signal.signal(signal.SIGINT, self.previous)
        if kind is None:
            self.check()
