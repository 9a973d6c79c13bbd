"""Print numbers, arrays and source so that a stored output is the same on every machine.

Two BLAS libraries add in different orders, so the last digits of a float differ between machines.
Everything the book prints passes through :func:`show`, which keeps at most six significant digits
and writes rounding residue as 0.
"""

from __future__ import annotations

import inspect
import math
from typing import Any

import numpy as np

MAX_DIGITS = 6
# Below this fraction of the largest entry a number is cancellation noise, not information.
RESIDUE = 1e-12


def number(value: float, digits: int = MAX_DIGITS) -> str:
    """Return one real number as text with at most six significant digits.

    ``digits`` counts significant digits, 1 to 6. A magnitude below 1e-12 is written ``0``: as a
    result on its own it is rounding residue (scale a quantity that is truly that small).
    """
    if not 1 <= digits <= MAX_DIGITS:
        raise ValueError(
            f"show: digits must be 1 to {MAX_DIGITS}, got {digits}: more would not be "
            "the same on every machine"
        )
    value = float(value)
    if not math.isfinite(value):
        return {math.inf: "∞", -math.inf: "−∞"}.get(value, "NaN")
    if abs(value) < RESIDUE:
        return "0"
    return f"{value:.{digits}g}"


def decimals(values: np.ndarray, digits: int) -> int | None:
    """Return the decimals that give the largest entry ``digits`` significant digits.

    None means that the numbers are too large or too small for fixed decimals.
    """
    finite = np.abs(values[np.isfinite(values)])
    top = float(finite.max(initial=0.0))
    # The rounded maximum, so that 9.9999999 and 10.0 are treated alike on every machine.
    exponent = math.floor(math.log10(float(f"{top:.{digits}g}"))) if top else 0
    return max(0, digits - 1 - exponent) if -4 <= exponent < MAX_DIGITS else None


def table(values: np.ndarray, digits: int = 4, places: int | None = None) -> str:
    """Return an array of any shape as aligned rows with common decimals.

    The largest entry shows ``digits`` significant digits and the others as many decimals as it
    does (``places`` overrides that number); entries below 1e-12 of the largest are written 0.
    Raises TypeError for complex and other arrays that are not real, integer, boolean or text.
    """
    values = np.asarray(values)
    if values.dtype.kind in "biuU":
        return np.array2string(values, separator=" ", threshold=4096, max_line_width=96)
    if values.dtype.kind != "f":
        raise TypeError(
            f"show: expected a real, integer, boolean or text array, got {values.dtype}; "
            "pass .real or .imag"
        )
    finite = np.abs(values[np.isfinite(values)])
    clean = np.where(np.abs(values) < RESIDUE * finite.max(initial=0.0), 0.0, values)
    if places is None:
        places = decimals(values, digits)
    form = f".{digits - 1}e" if places is None else f".{places}f"
    width = max((len(_signed(float(v), form)) for v in clean.flat), default=0)
    return np.array2string(
        clean,
        formatter={"float_kind": lambda v: _signed(float(v), form).rjust(width)},
        separator=" ",
        threshold=4096,
        max_line_width=96,
    )


def _signed(value: float, form: str) -> str:
    if not math.isfinite(value):
        return {math.inf: "∞", -math.inf: "-∞"}.get(value, "NaN")
    text = format(value, form)
    # "-0.000" says no more than "0.000", and flips with the machine.
    return text.replace("-", "", 1) if float(text) == 0.0 else text


def describe(value: Any, digits: int | None = None) -> str:
    """Return the text that :func:`show` prints for one value."""
    if isinstance(value, str):
        return value
    if isinstance(value, (bool, np.bool_)):
        return str(bool(value))
    if isinstance(value, (int, np.integer)):
        return str(int(value))
    if isinstance(value, (float, np.floating)):
        return number(float(value), digits or MAX_DIGITS)
    if isinstance(value, np.ndarray):
        return describe(value.item(), digits) if value.ndim == 0 else table(value, digits or 4)
    if isinstance(value, (tuple, list)):
        inner = ", ".join(describe(v, digits) for v in value)
        if isinstance(value, tuple):
            return f"({inner},)" if len(value) == 1 else f"({inner})"
        return f"[{inner}]"
    return str(value)


class Source:
    """The source of a function or class, shown as code (Markdown in a notebook, text elsewhere)."""

    def __init__(self, thing: Any) -> None:
        self.text = inspect.getsource(thing).rstrip()

    def __repr__(self) -> str:
        return self.text

    def _repr_markdown_(self) -> str:
        return f"```python\n{self.text}\n```"


def show(*values: Any, digits: int | None = None, **named: Any) -> Source | None:
    """Print values with at most six significant digits.

    Positional values are printed side by side on one line; keyword values as ``name = value``, one
    a line, matrices with their shape, rows with common decimals. ``digits`` defaults to 6 for a
    single number and 4 for an array. A function or class, given alone, is *returned* as its
    source, for a notebook to display.
    """
    if len(values) == 1 and not named and _has_source(values[0]):
        return Source(values[0])
    lines = ["  ".join(describe(v, digits) for v in values)] if values else []
    width = max((len(name) for name in named), default=0)
    # Rows that stand under one another are there to be compared: give them common decimals.
    rows = [v for v in named.values() if _is_row(v)]
    places = [p for v in rows if (p := decimals(v, digits or 4)) is not None]
    common = min(MAX_DIGITS, max(places)) if places and len(places) == len(rows) else None
    for name, value in named.items():
        if _is_row(value):
            lines.append(f"{name:<{width}} = {table(value, digits or 4, common)}")
        elif isinstance(value, np.ndarray) and value.ndim > 1:
            lines.append(f"{name}, shape {value.shape}\n{describe(value, digits)}")
        else:
            lines.append(f"{name:<{width}} = {describe(value, digits)}")
    print("\n".join(lines))  # one write, so that a notebook stores one output
    return None


def _has_source(value: Any) -> bool:
    return inspect.isroutine(value) or inspect.isclass(value)


def _is_row(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.ndim == 1 and value.dtype.kind == "f"
