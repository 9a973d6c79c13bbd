"""Rearranging: linear primitives that move entries about, each with its transpose."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Any

import numpy as np

from bplib.graph import Indexed, Op
from bplib.ops.base import Array, linear, outputs_of, primitive, shape, unbroadcast, value

__all__ = [
    "astype", "broadcast_to", "col2im", "concatenate", "diag", "diagonal", "expand_dims",
    "flip", "getitem", "im2col", "moveaxis", "pad", "ravel", "repeat", "reshape", "roll",
    "scatter", "sort", "split", "squeeze", "stack", "swapaxes", "take", "tile", "transpose",
    "tril", "triu",
]  # fmt: skip


Shape = int | tuple[int, ...]
_shape = shape  # where an argument is called `shape`, as NumPy calls it

# fmt: off
_reshape = linear("reshape", np.reshape, lambda g, x, shape: reshape(g, _shape(x)))
_broadcast_to = linear("broadcast_to", np.broadcast_to, lambda g, x, shape: unbroadcast(g, x))
_transpose = linear("transpose", np.transpose, lambda g, x, axes=None: transpose(
    g, None if axes is None else np.argsort(np.mod(axes, len(axes))).tolist()))
_astype = linear("astype", lambda x, dtype: np.asarray(x).astype(dtype)[()],
                 lambda g, x, dtype: astype(g, getattr(x, "dtype", float)))
_flip: Op = linear("flip", np.flip, lambda g, x, axis: _flip(g, axis=axis))
_roll: Op = linear("roll", np.roll, lambda g, x, shift, axis: _roll(
    g, shift=tuple([-s for s in shift]) if isinstance(shift, tuple) else -shift, axis=axis))
_pad = linear("pad", lambda x, widths: np.pad(x, widths), lambda g, x, widths: getitem(
    g, tuple([slice(a, a + n) for (a, _), n in zip(widths, _shape(x), strict=True)])))
_triu: Op = linear("triu", lambda x, k: np.triu(x, k), lambda g, x, k: _triu(g, k=k))
_tril: Op = linear("tril", lambda x, k: np.tril(x, k), lambda g, x, k: _tril(g, k=k))
# fmt: on


def reshape(x: Array, shape: Shape) -> Array:
    """Return `x` with the same entries in a new shape; one length may be -1."""
    return _reshape(x, shape=shape)


def ravel(x: Array) -> Array:
    """Return `x` as a vector."""
    return reshape(x, (-1,))


def squeeze(x: Array, axis: Shape | None = None) -> Array:
    """Return `x` without its axes of length 1, or without the given ones."""
    return reshape(x, np.squeeze(np.empty(_shape(x), bool), axis=axis).shape)


def expand_dims(x: Array, axis: Shape) -> Array:
    """Return `x` with new axes of length 1 at the given positions."""
    return reshape(x, np.expand_dims(np.empty(_shape(x), bool), axis).shape)


def broadcast_to(x: Array, shape: Shape) -> Array:
    """Return `x` repeated to a larger shape."""
    return _broadcast_to(x, shape=shape)


def transpose(x: Array, axes: Sequence[int] | None = None) -> Array:
    """Return `x` with its axes in the given order, reversed if none is given."""
    return _transpose(x, axes=None if axes is None else tuple(axes))


def astype(x: Array, dtype: Any) -> Array:
    """Return `x` rounded to another floating dtype."""
    if np.dtype(dtype).kind != "f":
        raise TypeError(f"astype: a traced value stays floating, got dtype {np.dtype(dtype)}")
    return _astype(x, dtype=np.dtype(dtype))


def swapaxes(x: Array, a: int, b: int) -> Array:
    """Return `x` with two axes exchanged."""
    axes = list(range(len(_shape(x))))
    axes[a], axes[b] = axes[b], axes[a]
    return transpose(x, axes)


def moveaxis(x: Array, source: Shape, destination: Shape) -> Array:
    """Return `x` with some axes moved to new positions."""
    n = len(_shape(x))
    # Let NumPy place the axes: move those of an array whose lengths are their own numbers.
    marked = np.moveaxis(np.empty(tuple(range(n)), bool), source, destination)
    return transpose(x, marked.shape)


def flip(x: Array, axis: Shape | None = None) -> Array:
    """Return `x` reversed along the given axes, along all if None."""
    return _flip(x, axis=axis)


def roll(x: Array, shift: Shape, axis: Shape | None = None) -> Array:
    """Return `x` shifted along an axis, what falls off coming back at the other end."""
    return _roll(x, shift=shift, axis=axis)


def pad(x: Array, widths: Any, mode: str = "constant") -> Array:
    """Return `x` with zeros around it: `widths` is n, (before, after), or a pair per axis."""
    if mode != "constant":
        raise ValueError(f"pad: only mode='constant' with zeros, got {mode!r}; index x instead")
    pairs = np.broadcast_to(widths, (len(_shape(x)), 2))
    return _pad(x, widths=tuple([(int(a), int(b)) for a, b in pairs]))


def triu(x: Array, k: int = 0) -> Array:
    """Return `x` with zeros below diagonal k."""
    return _triu(x, k=k)


def tril(x: Array, k: int = 0) -> Array:
    """Return `x` with zeros above diagonal k."""
    return _tril(x, k=k)


# Indexing. Reading entries and adding into them are transposes of each other.


def _scatter(g: Any, index: Any, shape: tuple[int, ...]) -> Any:
    out = np.zeros(shape, np.asarray(g).dtype)
    if _is_basic(index):
        out[index] = g
    elif isinstance(index, np.ndarray) and index.dtype.kind in "iu" and index.size and out.size:
        _add_rows(out, index.ravel() % shape[0], np.reshape(g, (-1, *shape[1:])))
    else:
        np.add.at(out, index, g)  # an entry read twice collects twice
    return out


def _add_rows(out: Any, rows: Any, g: Any) -> None:
    """Add whole rows `g` to `out[rows]`, many times faster than np.add.at."""
    order = np.argsort(rows, kind="stable")
    targets, starts, counts = np.unique(rows[order], return_index=True, return_counts=True)
    if counts.max() > 16:  # runs of equal rows, side by side
        out[targets] = np.add.reduceat(g[order], starts, axis=0)
        return
    out[targets] = g[order[starts]]
    for k in range(1, counts.max()):  # then every row's second, third, ... in turn
        more = counts > k
        out[targets[more]] += g[order[starts[more] + k]]


def _is_basic(index: Any) -> bool:
    parts = index if isinstance(index, tuple) else (index,)
    basic = int | np.integer | slice | type(None) | type(Ellipsis)
    return all(isinstance(i, basic) and not isinstance(i, bool) for i in parts)


_getitem: Op = linear("getitem", lambda x, index: x[index], lambda g, x, index: _scatter_op(
    g, index=index, shape=_shape(x)))  # fmt: skip
_scatter_op: Op = linear("scatter", _scatter, lambda g, x, index, shape: getitem(g, index))


def _own(i: Any) -> Any:
    """Return a copy of an index that nobody can write to."""
    if isinstance(i, tuple):
        return tuple([_own(part) for part in i])
    i = value(i)
    if isinstance(i, np.ndarray | list):
        i = np.array(i)
        if i.size == 0 and i.dtype.kind == "f":
            i = i.astype(int)
    return i


def getitem(x: Array, index: Any) -> Array:
    """Return x[index] for any index NumPy takes: numbers, slices, arrays with repeats, masks."""
    return _getitem(x, index=_own(index))


def scatter(g: Array, index: Any, shape: tuple[int, ...]) -> Array:
    """Return zeros of the given shape with `g` added at `index`, repeats adding up."""
    return _scatter_op(g, index=_own(index), shape=shape)


def take(x: Array, indices: Any, axis: int | None = None) -> Array:
    """Return the entries of `x` at integer `indices` along `axis`, of x.ravel() if None."""
    if axis is None:
        return getitem(ravel(x), np.asarray(value(indices)))
    return getitem(x, (slice(None),) * (axis % len(_shape(x))) + (np.asarray(value(indices)),))


def repeat(x: Array, repeats: Any, axis: int | None = None) -> Array:
    """Return `x` with each entry along `axis` repeated, of x.ravel() if None."""
    x, axis = (ravel(x), 0) if axis is None else (x, axis)
    return take(x, np.repeat(np.arange(_shape(x)[axis]), repeats), axis=axis)


def tile(x: Array, reps: Shape) -> Array:
    """Return copies of `x` laid out in a grid; `reps` counts them along each axis."""
    reps = (reps,) if isinstance(reps, int) else tuple(reps)
    n = builtins.max(len(reps), len(_shape(x)))
    reps = (1,) * (n - len(reps)) + reps
    old = (1,) * (n - len(_shape(x))) + _shape(x)
    spread = [k for pair in zip(reps, old, strict=True) for k in pair]
    grid = reshape(x, tuple([k for length in old for k in (1, length)]))
    new = tuple([r * length for r, length in zip(reps, old, strict=True)])
    return reshape(broadcast_to(grid, tuple(spread)), new)


def diagonal(x: Array, k: int = 0) -> Array:
    """Return diagonal k of the last two axes."""
    n, m = _shape(x)[-2:]
    rows, columns = np.nonzero(np.eye(n, m, k=k))
    return getitem(x, (Ellipsis, rows, columns))


def diag(x: Array, k: int = 0) -> Array:
    """Return the matrix with the vector `x` on diagonal k, or diagonal k of a matrix."""
    if len(_shape(x)) == 2:
        return diagonal(x, k)
    n = _shape(x)[0] + builtins.abs(k)
    return scatter(x, np.nonzero(np.eye(n, k=k)), (n, n))


def sort(x: Array, axis: int = -1) -> Array:
    """Return `x` in ascending order along `axis`; equal entries keep their order."""
    order = np.argsort(value(x), axis=axis, kind="stable")
    index: list[Any] = list(np.indices(order.shape, sparse=True))
    index[axis] = order
    return getitem(x, tuple(index))


# Several arguments, several outputs


def _slice_of(i: int, g: Array, y: Array, *xs: Array, axis: int) -> Array:
    a = axis % len(_shape(y))
    start = builtins.sum(_shape(x)[a] for x in xs[:i])
    return getitem(g, (slice(None),) * a + (slice(start, start + _shape(xs[i])[a]),))


def _only(i: int, t: Array, y: Array, *xs: Array, axis: int) -> Array:
    zeros = [np.zeros(_shape(x), getattr(x, "dtype", None)) for x in xs]
    return _concatenate(*zeros[:i], t, *zeros[i + 1 :], axis=axis)


_concatenate = primitive(
    "concatenate", lambda *xs, axis: np.concatenate(xs, axis=axis), Indexed(_slice_of),
    Indexed(_only), reads=False,
)  # fmt: skip


def concatenate(xs: Sequence[Array], axis: int = 0) -> Array:
    """Return the arrays joined along an existing axis."""
    return _concatenate(*xs, axis=axis)


def stack(xs: Sequence[Array], axis: int = 0) -> Array:
    """Return the arrays joined along a new axis."""
    return _concatenate(*[expand_dims(x, axis) for x in xs], axis=axis)


_split = primitive(
    "split", lambda x, sections, axis: tuple(np.split(x, sections, axis=axis)),
    [lambda g, y, x, sections, axis: concatenate(g, axis=axis)],
    [lambda t, y, x, sections, axis: split(t, sections, axis=axis)], outputs=True, reads=False,
)  # fmt: skip


def split(x: Array, sections: Any, axis: int = 0) -> tuple[Array, ...]:
    """Return `x` cut along `axis` into equal parts, or before the given positions."""
    sections = sections if isinstance(sections, int) else tuple([int(i) for i in sections])
    return outputs_of(_split(x, sections=sections, axis=axis))


# Patches of images, for convolution as one matrix product


def _im2col(x: Any, size: tuple[int, int], stride: int) -> Any:
    view = np.lib.stride_tricks.sliding_window_view(x, size, axis=(1, 2))
    patches = np.moveaxis(view[:, ::stride, ::stride], 3, 5)  # (B, H', W', h, w, C)
    return patches.reshape(*patches.shape[:3], -1)


def _col2im(g: Any, shape: tuple[int, ...], size: tuple[int, int], stride: int) -> Any:
    out = np.zeros(shape, g.dtype)
    rows, columns = g.shape[1:3]
    g = g.reshape(*g.shape[:3], *size, shape[3])
    for i in range(size[0]):
        for j in range(size[1]):
            window = np.s_[:, i : i + stride * rows : stride, j : j + stride * columns : stride]
            out[window] += g[:, :, :, i, j]
    return out


_im2col_op = linear("im2col", _im2col, lambda g, x, size, stride: _col2im_op(
    g, shape=_shape(x), size=size, stride=stride))  # fmt: skip
_col2im_op: Op = linear("col2im", _col2im, lambda g, x, shape, size, stride: _im2col_op(
    g, size=size, stride=stride))  # fmt: skip


def im2col(x: Array, size: tuple[int, int], stride: int = 1) -> Array:
    """Return the patches of images `x` (B, H, W, C), one per row: (B, H', W', h w C).

    `size` is (h, w); a convolution is `im2col(x, (h, w)) @ K` with K of shape (h w C, channels).
    """
    return _im2col_op(x, size=tuple(size), stride=stride)


def col2im(g: Array, shape: tuple[int, ...], size: tuple[int, int], stride: int = 1) -> Array:
    """Return images (B, H, W, C) with the patches `g` added where `im2col` read them."""
    return _col2im_op(g, shape=tuple(shape), size=tuple(size), stride=stride)
