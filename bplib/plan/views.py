"""Rearrangements that share memory, each a function of one array and options; basic indices."""

from __future__ import annotations

from typing import Any

import numpy as np


def reshape(x: Any, shape: Any) -> Any:
    """The entries in the same order under another shape."""
    return x.reshape(shape)


def transpose(x: Any, axes: Any) -> Any:
    """The axes in another order."""
    return x.transpose(axes)


def broadcast(x: Any, shape: Any) -> Any:
    """The entries repeated to a shape, without a copy."""
    return np.broadcast_to(x, shape)


def index(x: Any, index: Any) -> Any:
    """A part of the array, by a basic index."""
    return x[index]


def is_basic(index: Any) -> bool:
    """Whether an index gives a view: slices, whole numbers, None and the ellipsis."""
    parts = index if isinstance(index, tuple) else (index,)
    return all(
        i is None or i is Ellipsis or isinstance(i, slice)
        or (isinstance(i, int | np.integer) and not isinstance(i, bool))
        for i in parts
    )  # fmt: skip


def as_tuple(index: Any) -> tuple[Any, ...]:
    """Return an index, or a shape, as a tuple."""
    return index if isinstance(index, tuple) else (index,)


def has_array(index: Any) -> bool:
    """Whether an array or a list is part of an index."""
    return any(hasattr(i, "shape") or isinstance(i, list) for i in as_tuple(index))


class Index(tuple):
    """A basic index that can be compared and hashed: slices cannot be before Python 3.12."""

    __slots__ = ()

    def __new__(cls, index: Any) -> Any:
        return super().__new__(
            cls,
            [("slice", i.start, i.stop, i.step) if isinstance(i, slice) else i
             for i in as_tuple(index)],
        )  # fmt: skip

    def real(self) -> tuple[Any, ...]:
        """Return the index as NumPy takes it."""
        return tuple([slice(*i[1:]) if isinstance(i, tuple) else i for i in self])

    def __lt__(self, other: Any) -> bool:
        return str(self) < str(other)


def indexed_shape(shape: tuple[int, ...], index: Any) -> tuple[int, ...]:
    """Return the shape of x[index] for an x of this shape."""
    return np.broadcast_to(np.zeros((), bool), shape)[index].shape
