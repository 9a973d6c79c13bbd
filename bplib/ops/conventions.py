"""What bplib answers where there is no derivative: ties, kinks, and functions that are flat.

At a kink any number between the one-sided derivatives is a valid subgradient; a tie shares the
cotangent so that the parts sum to it. These rows are data, and the tests run every one of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from bplib.ops import pointwise as e
from bplib.ops import reductions as r
from bplib.ops import shaping as s


class Convention(NamedTuple):
    """At `at`, the gradient of the (summed) primitive is `gradient`, one entry per argument."""

    primitive: str
    f: Callable[..., Any]
    at: tuple[Any, ...]
    gradient: tuple[Any, ...]
    why: str


def _row(name: str, f: Callable[..., Any], at: Any, gradient: Any, why: str) -> Convention:
    pack = lambda v: v if isinstance(v, tuple) else (v,)  # noqa: E731
    return Convention(name, f, pack(at), pack(gradient), why)


CONVENTIONS: tuple[Convention, ...] = (
    _row("relu", e.relu, 0.0, 0.0, "the value of the flat side, as everywhere in the field"),
    _row("leaky_relu", e.leaky_relu, 0.0, 0.01, "the slope of the flat side"),
    _row("abs", e.abs, 0.0, 0.0, "the middle of -1..1"),
    _row("sign", e.sign, 0.0, 0.0, "flat on both sides of the jump"),
    _row("sign", e.sign, 2.0, 0.0, "flat"),
    _row("clip", lambda x: e.clip(x, -1.0, 1.0), 1.0, 1.0, "the bound itself is inside"),
    _row("clip", lambda x: e.clip(x, -1.0, 1.0), -1.0, 1.0, "the bound itself is inside"),
    _row("maximum", e.maximum, (2.0, 2.0), (0.5, 0.5), "a tie is shared"),
    _row("minimum", e.minimum, (2.0, 2.0), (0.5, 0.5), "a tie is shared"),
    _row("max", r.max, np.array([1.0, 3.0, 3.0]), np.array([0, 0.5, 0.5]), "a tie is shared"),
    _row("min", r.min, np.array([1.0, 1.0, 3.0]), np.array([0.5, 0.5, 0]), "a tie is shared"),
    _row("norm", r.norm, np.zeros(2), np.zeros(2), "the middle of the unit ball"),
    _row("std", r.std, np.ones(3), np.zeros(3), "the middle, as for the norm"),
    _row("power", lambda x: x**0, 0.0, 0.0, "x**0 is the constant 1"),
    _row("power", lambda x: x**0.0, 0.0, 0.0, "x**0 is the constant 1"),
    _row("power", lambda x: x**1, 0.0, 1.0, "x**1 is x"),
    _row("power", lambda a, b: a**b, (0.0, 0.0), (0.0, 0.0), "0**0 = 1, no log(0)"),
    _row("power", lambda a, b: a**b, (0.0, 2.0), (0.0, 0.0), "the limit of a**b log(a)"),
    _row("prod", r.prod, np.array([0.0, 2.0, 3.0]), np.array([6.0, 0, 0]), "exact: no division"),
    _row("prod", r.prod, np.array([0.0, 0.0, 3.0]), np.zeros(3), "exact: no division"),
    _row("sort", lambda x: s.sort(x)[0], np.array([2.0, 2.0]), np.array([1.0, 0]), "stable"),
    _row("logsumexp", r.logsumexp, np.array([-np.inf, 0.0]), np.array([0, 1.0]), "a mask"),
)  # fmt: skip
