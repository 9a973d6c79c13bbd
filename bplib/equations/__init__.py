"""Equations that run: the printed LaTeX of a book, evaluated against an independent oracle.

Depends on NumPy and lark only, and on nothing else of this library: another book can use it.
AUTHORS.md is the page for authors.
"""

from .check import Check, Equation, equation, formula, session
from .letters import (
    Letters,
    LettersError,
    elementwise,
    function,
    gradient,
    layered,
    normal,
    positive,
    sample,
    uniform,
)
from .source import Book, EquationError, read

__all__ = [
    "Book",
    "Check",
    "Equation",
    "EquationError",
    "Letters",
    "LettersError",
    "elementwise",
    "equation",
    "formula",
    "function",
    "gradient",
    "layered",
    "normal",
    "positive",
    "read",
    "sample",
    "session",
    "uniform",
]
