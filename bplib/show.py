"""Print numbers, arrays and source so that a stored notebook output stays the same on every machine.

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
        raise ValueError(f"show: digits must be 1 to {MAX_DIGITS}, got {digits}: more would not be "
                         "the same on every machine")
    value = float(value)
    if not math.isfinite(value):
        return {math.inf: "∞", -math.inf: "−∞"}.get(value, "NaN")
    if abs(value) < RESIDUE:
        return "0"
    return f"{value:.{digits}g}"


def table(values: np.ndarray, digits: int = 4) -> str:
    """Return a real array of any shape as aligned rows with common decimals.

    The largest entry shows ``digits`` significant digits and the others as many decimals as it
    does; entries below 1e-12 of the largest are written 0.
    """
    values = np.asarray(values)
    if values.dtype.kind in "biuUS":
        return np.array2string(values, separator=" ", threshold=4096, max_line_width=96)
    if values.dtype.kind != "f":
        raise TypeError(f"show: expected a real, integer, boolean or text array, got {values.dtype}"
                        "; pass .real or .imag")
    finite = np.abs(values[np.isfinite(values)])
    top = float(finite.max(initial=0.0))
    clean = np.where(np.abs(values) < max(RESIDUE * top, 1e-300), 0.0, values)
    # One ulp below a power of ten must not cost a decimal: log10 of the *rounded* maximum.
    exponent = math.floor(math.log10(float(f"{top:.{digits}g}"))) if top else 0
    if -4 <= exponent < MAX_DIGITS:
        decimals = max(0, digits - 1 - exponent)
        form = f"{{:.{decimals}f}}"
    else:
        form = f"{{:.{digits - 1}e}}"
    def text(v):
        # "-0.000" says nothing more than "0.000" and flips with the machine.
        t = form.format(v)
        return t.replace("-", "", 1) if float(t) == 0.0 else t
    return np.array2string(
        clean, formatter={"float_kind": text}, separator=" ", threshold=4096, max_line_width=96
    )


def describe(value: Any, digits: int | None = None) -> str:
    """Return the text that :func:`show` prints for one value."""
    if isinstance(value, str):
        return value
    if isinstance(value, (bool, np.bool_)):
        return str(bool(value))
    if isinstance(value, (int, np.integer)):
        return str(int(value))
    if isinstance(value, (float, np.floating)):
        return number(value, digits or MAX_DIGITS)
    if isinstance(value, np.ndarray):
        return describe(value.item(), digits) if value.ndim == 0 else table(value, digits or 4)
    if isinstance(value, (tuple, list)):
        inner = ", ".join(describe(v, digits) for v in value)
        return f"({inner})" if isinstance(value, tuple) else f"[{inner}]"
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
    """Print values, one a line, with at most six significant digits.

    Positional values are printed as they are, side by side; keyword values as ``name = value``,
    arrays with their shape. ``digits`` defaults to 6 for a single number and 4 for an array. A
    function or class, given alone, is *returned* as its source, for a notebook to display.
    """
    if len(values) == 1 and not named and (inspect.isroutine(values[0]) or inspect.isclass(values[0])):
        return Source(values[0])
    if values:
        print("  ".join(describe(v, digits) for v in values))
    width = max((len(name) for name in named), default=0)
    for name, value in named.items():
        body = describe(value, digits)
        if isinstance(value, np.ndarray) and value.ndim:
            shape = f"({value.shape[0]},)" if value.ndim == 1 else str(value.shape).replace("'", "")
            if value.ndim == 1 and "\n" not in body:
                print(f"{name:<{width}} = {body}  shape {shape}")
            else:
                print(f"{name}, shape {shape}\n{body}")
        else:
            print(f"{name:<{width}} = {body}")
    return None
