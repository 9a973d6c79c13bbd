"""What cannot be traced, and where the caller asked for it."""

from __future__ import annotations

import linecache
import sys
from pathlib import Path
from typing import Any

import numpy as np

HERE = str(Path(__file__).resolve().parents[1])
NUMPY = str(Path(np.__file__).resolve().parent)


class PlanError(TypeError):
    """Something asked of a traced value cannot be part of a plan; the message says where."""

    def __init__(self, message: str, trace: Any = None) -> None:
        super().__init__(message)
        self.trace = trace

    def retry(self, op: Any, xs: Any, params: Any) -> Any:
        """Note a primitive whose code needs entries as one opaque step."""
        if self.trace is None:
            raise self
        return self.trace.opaque(op.forward, tuple(xs), params, op.name, False)


def place() -> str:
    """Return the line being traced that belongs to the caller, as file:line and its text."""
    frame: Any = sys._getframe(1)
    best = None
    while frame is not None:
        name = frame.f_code.co_filename
        if not name.startswith((HERE, NUMPY)):
            best = frame
            break
        frame = frame.f_back
    if best is None:
        return "an unknown line"
    line = linecache.getline(best.f_code.co_filename, best.f_lineno).strip()
    where = f"{Path(best.f_code.co_filename).name}:{best.f_lineno}"
    return f"{where}: {line}" if line else where
