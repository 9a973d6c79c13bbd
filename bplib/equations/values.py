"""The numbers an equation is evaluated to: arrays that remember what their axes are.

An array in an equation has two kinds of axes.  An *index axis* comes from a subscript: in
`a_j W_{jk}` the letters j and k name axes, wherever they stand.  A *slot* is an axis of matrix
notation: a column has one slot, a row one, a matrix two.  Keeping them apart is what lets one
evaluator read `\\sum_j a_j W_{jk}` and `W^{\\mathsf T} a` alike, and refuse `a W` when `a` is a
column.

Nothing here broadcasts silently.  The only free lengths are those of the all-ones vector, which
takes its length from its neighbours, and literal numbers, which may be added to any array.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

FREE = -1  # the length of an axis of the all-ones vector, until a neighbour fixes it


class Refusal(Exception):
    """The two sides cannot be equal; `kind` says why: 'shape', 'index' or 'value'."""

    def __init__(self, kind: str, message: str):
        super().__init__(message)
        self.kind = kind


Slots = tuple[int | None, ...]
SCALAR: Slots = (None, None)


@dataclass(frozen=True, slots=True)
class Value:
    """One evaluated expression.

    `data` has the index axes first, in the order of `names`, then one axis for each slot that is
    not None.  `slots` is (rows, columns), None where matrix notation has no axis: a scalar is
    (None, None), a column (n, None), a row (None, n).  Three or more entries are a tensor, which
    only indices can use.  `literal` marks numbers written as numbers.
    """

    data: np.ndarray
    names: tuple[str, ...] = ()
    slots: Slots = SCALAR
    literal: bool = False

    @property
    def kind(self) -> str:
        return describe(self.slots)


def describe(slots: Slots) -> str:
    """Say a shape in words: 'a scalar', 'a column of 3', 'a 3 x 4 matrix'."""
    if len(slots) > 2:
        return "a " + " x ".join(map(str, slots)) + " array"
    shown = ["any length" if n == FREE else str(n) for n in slots]
    match slots:
        case (None, None):
            return "a scalar"
        case (_, None):
            return f"a column of {shown[0]}"
        case (None, _):
            return f"a row of {shown[1]}"
    return f"a {shown[0]} x {shown[1]} matrix"


def number(x: complex | float | int) -> Value:
    return Value(np.asarray(x), literal=True)


def from_array(array: np.ndarray) -> Value:
    """A bound array as an equation sees it: a 1-D array is a column."""
    array = np.asarray(array)
    slots: Slots = {0: SCALAR, 1: (*array.shape, None)}.get(array.ndim, array.shape)
    return Value(array, (), slots)


def to_array(value: Value) -> np.ndarray:
    """The positional part as a plain array, for a Python function to take."""
    if FREE in value.slots:
        raise Refusal("shape", "the length of the all-ones vector cannot be told here")
    return value.data


def _expand(value: Value, names: Sequence[str]) -> np.ndarray:
    """`data` with one leading axis for each of `names`, length 1 where the value has none."""
    if value.names == tuple(names):
        return value.data
    order = [value.names.index(n) for n in names if n in value.names]
    rest = range(len(value.names), value.data.ndim)
    data = value.data.transpose((*order, *rest))
    lengths = iter(data.shape)
    lead = [next(lengths) if n in value.names else 1 for n in names]
    return data.reshape((*lead, *lengths))


def _names(*values: Value) -> tuple[str, ...]:
    return tuple(dict.fromkeys(n for v in values for n in v.names))


def join_slots(a: Value, b: Value, what: str) -> Slots:
    """The common shape of two arrays that are combined entry by entry."""
    if len(a.slots) != len(b.slots):
        raise Refusal("shape", f"{what} {a.kind} and {b.kind}")
    joined = []
    for m, n in zip(a.slots, b.slots, strict=True):
        if m == n or n == FREE:
            joined.append(m)
        elif m == FREE:
            joined.append(n)
        else:
            raise Refusal("shape", f"{what} {a.kind} and {b.kind}")
        if None in (m, n) and m != n:
            raise Refusal("shape", f"{what} {a.kind} and {b.kind}")
    return tuple(joined)


def is_scalar(value: Value) -> bool:
    return value.slots == SCALAR


def _pointwise(ufunc, a: Value, b: Value, slots: Slots) -> Value:
    names = _names(a, b)
    x, y = _expand(a, names), _expand(b, names)
    rank = sum(n is not None for n in slots)
    if is_scalar(a):
        x = x.reshape((*x.shape, *[1] * rank))
    if is_scalar(b):
        y = y.reshape((*y.shape, *[1] * rank))
    return Value(np.asarray(ufunc(x, y)), names, slots, a.literal and b.literal)


def add(a: Value, b: Value, subtract: bool = False) -> Value:
    ufunc, what = (np.subtract, "difference of") if subtract else (np.add, "sum of")
    if a.slots != b.slots and is_scalar(a) and a.literal:
        return _pointwise(ufunc, a, b, b.slots)
    if a.slots != b.slots and is_scalar(b) and b.literal:
        return _pointwise(ufunc, a, b, a.slots)
    return _pointwise(ufunc, a, b, join_slots(a, b, what))


def hadamard(a: Value, b: Value) -> Value:
    return _pointwise(np.multiply, a, b, join_slots(a, b, "entrywise product of"))


def divide(a: Value, b: Value) -> Value:
    if is_scalar(b):
        return _pointwise(np.divide, a, b, a.slots)
    if is_scalar(a) and a.literal:
        return _pointwise(np.divide, a, b, b.slots)
    return _pointwise(np.divide, a, b, join_slots(a, b, "entrywise quotient of"))


def negate(a: Value) -> Value:
    return Value(-a.data, a.names, a.slots, a.literal)


def multiply(a: Value, b: Value) -> Value:
    """The product written by juxtaposition: scaling, or the matrix product."""
    if is_scalar(a):
        return _pointwise(np.multiply, a, b, b.slots)
    if is_scalar(b):
        return _pointwise(np.multiply, a, b, a.slots)
    if len(a.slots) > 2 or len(b.slots) > 2:
        raise Refusal("shape", f"product of {a.kind} and {b.kind}; say with indices what is summed")
    inner, outer = a.slots[1], b.slots[0]
    if inner != outer and (None in (inner, outer) or FREE not in (inner, outer)):
        raise Refusal("shape", f"product of {a.kind} and {b.kind}")
    if inner == outer == FREE:
        raise Refusal("shape", "the length of the all-ones vector cannot be told here")
    names = _names(a, b)
    x = _as_matrix(_expand(a, names), a.slots)
    y = _as_matrix(_expand(b, names), b.slots)
    if inner == FREE and outer is not None:
        x = np.broadcast_to(x, (*x.shape[:-1], outer))
    if outer == FREE and inner is not None:
        y = np.broadcast_to(y, (*y.shape[:-2], inner, y.shape[-1]))
    data = x @ y
    slots = (a.slots[0], b.slots[1])
    if slots[1] is None:
        data = data[..., 0]
    if slots[0] is None:
        data = data[..., 0, :] if slots[1] is not None else data[..., 0]
    return Value(data, names, slots)


def _as_matrix(data: np.ndarray, slots: Slots) -> np.ndarray:
    if slots[1] is None:
        data = data[..., None]
    if slots[0] is None:
        data = data[..., None, :]
    return data


def transpose(a: Value) -> Value:
    if len(a.slots) > 2:
        raise Refusal("shape", f"transpose of {a.kind}")
    rows, columns = a.slots
    data = a.data.swapaxes(-1, -2) if rows is not None and columns is not None else a.data
    return Value(data, a.names, (columns, rows), a.literal)


def power(a: Value, exponent: Value) -> Value:
    if not is_scalar(exponent):
        raise Refusal("shape", f"{exponent.kind} as an exponent")
    if is_scalar(a):
        with np.errstate(invalid="ignore"):
            result = _pointwise(_power, a, exponent, SCALAR)
        return result
    if len(a.slots) == 2 and a.slots[0] == a.slots[1] and not exponent.names:
        n = int(exponent.data.real)
        if n == exponent.data:
            return Value(np.linalg.matrix_power(a.data, n), a.names, a.slots)
    raise Refusal("shape", f"power of {a.kind}")


def _power(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    # Integers are raised as floats: 2^{-24} is a number, and NumPy refuses it for integers.
    if x.dtype.kind in "iu":
        x = x.astype(float)
    return x**y


def inner(a: Value, b: Value) -> Value:
    """Sum of entrywise products: <a, b>, also for matrices (the Frobenius inner product)."""
    return total(hadamard(a, b))


def total(a: Value) -> Value:
    """The sum of all entries in the slots; index axes stay."""
    to_array(a)
    axes = tuple(range(len(a.names), a.data.ndim))
    return Value(a.data.sum(axis=axes), a.names, SCALAR)


def elementwise(f, a: Value) -> Value:
    """Apply a function entry by entry; index axes and matrix slots stay."""
    return Value(np.asarray(f(a.data)), a.names, a.slots)


def sum_over(a: Value, name: str, length: int) -> Value:
    """Sum over one index axis; an expression without that index is added `length` times."""
    if name not in a.names:
        return Value(a.data * length, a.names, a.slots)
    axis = a.names.index(name)
    rest = tuple(n for n in a.names if n != name)
    return Value(a.data.sum(axis=axis), rest, a.slots)


def reduce_over(ufunc, a: Value, name: str) -> Value:
    axis = a.names.index(name)
    rest = tuple(n for n in a.names if n != name)
    return Value(ufunc.reduce(a.data, axis=axis), rest, a.slots)


def discrepancy(a: Value, b: Value) -> tuple[float, float]:
    """How far two sides are apart, and how large they are; Refusal if they cannot be compared."""
    if set(a.names) != set(b.names):
        for left, right, where in ((a, b, "left"), (b, a, "right")):
            lost = [n for n in left.names if n not in right.names]
            if lost and not right.literal:
                raise Refusal("index", f"the index {', '.join(lost)} is free on the {where} only")
    literal = (is_scalar(a) and a.literal) or (is_scalar(b) and b.literal)
    if a.slots != b.slots and literal:
        gap = _pointwise(np.subtract, a, b, b.slots if is_scalar(a) else a.slots)
    else:
        gap = _pointwise(np.subtract, a, b, join_slots(a, b, "the two sides are"))
    sizes = [float(np.max(np.abs(x), initial=0.0)) for x in (gap.data, a.data, b.data)]
    if not np.isfinite(sizes).all():
        raise Refusal("value", "a side is not finite")
    return sizes[0], max(sizes[1:])
