"""Elementwise primitives, each with its forward function and its one derivative rule."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np


class Primitive(NamedTuple):
    """An elementwise function; `rule(t, y, x)` is t * phi'(x) given y = phi(x)."""

    name: str
    forward: Callable[..., Any]
    rule: Callable[[Any, Any, Any], Any]

    def __call__(self, x: Any) -> Any:
        return self.forward(x)


tanh = Primitive("tanh", np.tanh, lambda t, y, x: t * (1 - y * y))
sigmoid = Primitive("sigmoid", lambda x: 1 / (1 + np.exp(-x)), lambda t, y, x: t * (y * (1 - y)))
relu = Primitive("relu", lambda x: np.maximum(x, 0), lambda t, y, x: t * (x > 0))
