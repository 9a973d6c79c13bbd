"""Calls that are kept whole: a function whose operands are taken out of its arguments."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from bplib.plan.symbols import Symbol


class Slot:
    """A place in an opaque call where an operand goes."""

    __slots__ = ("i",)

    def __init__(self, i: int) -> None:
        self.i = i


def flatten(tree: Any, flat: list[Any]) -> Any:
    """Return the arguments with a slot in place of every symbol, whose values go to `flat`."""
    if type(tree) is Symbol:
        flat.append(tree.value)
        return Slot(len(flat) - 1)
    if isinstance(tree, tuple | list):
        return type(tree)([flatten(t, flat) for t in tree])
    if isinstance(tree, dict):
        return {k: flatten(t, flat) for k, t in tree.items()}
    return tree


def fill(template: Any, flat: Any) -> Any:
    """Return the arguments with the operands back in their slots."""
    if type(template) is Slot:
        return flat[template.i]
    if isinstance(template, tuple | list):
        return type(template)([fill(t, flat) for t in template])
    if isinstance(template, dict):
        return {k: fill(t, flat) for k, t in template.items()}
    return template


def apply(function: Any, template: Any, flat: Any) -> Any:
    """Call the function with the operands in their slots."""
    args, kwargs = template
    return function(*fill(args, flat), **fill(kwargs, flat))


def is_plain(template: Any) -> bool:
    """Whether the operands are all the arguments, in their order, so that nothing needs filling."""
    args, kwargs = template
    return not kwargs and all(type(a) is Slot and a.i == i for i, a in enumerate(args))


class Packed:
    """A function with its constant arguments in place, called with the operands alone."""

    __slots__ = ("function", "template")

    def __init__(self, function: Any, template: Any) -> None:
        self.function, self.template = function, template

    def __call__(self, *flat: Any) -> Any:
        return apply(self.function, self.template, flat)


def item(i: int) -> Callable[[Any], Any]:
    """Return the function that takes output i of a call with several."""
    return operator.itemgetter(i)
