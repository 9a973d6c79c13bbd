"""Products and solutions: matmul, einsum and what is built on them, and small linear algebra."""

from __future__ import annotations

import builtins
import string
from typing import Any

import numpy as np

from bplib.graph import Indexed, Op
from bplib.ops.base import Array, bilinear, outputs_of, primitive, shape
from bplib.ops.reductions import sum
from bplib.ops.shaping import diagonal, expand_dims, reshape, swapaxes, transpose, tril

__all__ = [
    "cholesky", "det", "dot", "einsum", "inner", "inv", "matmul", "outer", "slogdet",
    "solve", "tensordot", "trace",
]  # fmt: skip


def _t(x: Array) -> Array:
    return x.T if len(shape(x)) == 2 else swapaxes(x, -1, -2)


def _matmul_a(g: Array, a: Array, b: Array) -> Array:
    if len(shape(b)) == 1:
        return g * b if len(shape(a)) == 1 else expand_dims(g, -1) * b
    if len(shape(a)) == 1:
        return (b @ expand_dims(g, -1)).reshape(shape(b)[:-1])
    return g @ _t(b)


def _matmul_b(g: Array, a: Array, b: Array) -> Array:
    if len(shape(a)) == 1:
        return g * a if len(shape(b)) == 1 else expand_dims(a, -1) * expand_dims(g, -2)
    if len(shape(b)) == 1:
        return (_t(a) @ expand_dims(g, -1)).reshape((*shape(a)[:-2], shape(a)[-1]))
    return _t(a) @ g


matmul = bilinear("matmul", np.matmul, _matmul_a, _matmul_b)


def trace(x: Array) -> Array:
    """Return the sum of the diagonal of the last two axes."""
    return sum(diagonal(x), axis=-1)


def dot(a: Array, b: Array) -> Array:
    """Return NumPy's `dot`: the product of numbers, of vectors, of matrices."""
    if not shape(a) or not shape(b):
        return a * b
    if len(shape(b)) <= 2:
        return matmul(a, b)
    return tensordot(a, b, (-1, -2))


def outer(a: Array, b: Array) -> Array:
    """Return the matrix a_i b_j of two vectors."""
    return reshape(a, (-1, 1)) * reshape(b, (1, -1))


def inner(a: Array, b: Array) -> Array:
    """Return the sum of products over the last axes."""
    if not shape(a) or not shape(b):
        return a * b
    return tensordot(a, b, (-1, -1))


def tensordot(a: Array, b: Array, axes: Any = 2) -> Array:
    """Return the sum of products over pairs of axes; an int n pairs the last n with the first n."""
    na, nb = len(shape(a)), len(shape(b))
    if isinstance(axes, int):
        axes = (range(na - axes, na), range(axes))
    over_a, over_b = [
        [i % n for i in np.atleast_1d(s)] for s, n in zip(axes, (na, nb), strict=True)
    ]
    free_a = [i for i in range(na) if i not in over_a]
    free_b = [i for i in range(nb) if i not in over_b]
    if [shape(a)[i] for i in over_a] != [shape(b)[i] for i in over_b]:
        raise ValueError(
            f"tensordot: the paired axes differ in length: {shape(a)} over {over_a} "
            f"and {shape(b)} over {over_b}"
        )
    rows, columns = [shape(a)[i] for i in free_a], [shape(b)[i] for i in free_b]
    n = int(np.prod([shape(a)[i] for i in over_a], dtype=int))
    left = reshape(transpose(a, free_a + over_a), (int(np.prod(rows, dtype=int)), n))
    right = reshape(transpose(b, over_b + free_b), (n, int(np.prod(columns, dtype=int))))
    return reshape(left @ right, (*rows, *columns))


# einsum is linear in every operand: its JVP replaces one, its VJP exchanges one with the output.


def _einsum_vjp(i: int, g: Array, y: Array, *xs: Array, subscripts: str) -> Array:
    left, out = subscripts.split("->")
    terms = left.split(",")
    others = [x for j, x in enumerate(xs) if j != i]
    names = [term for j, term in enumerate(terms) if j != i]
    want, dtype = "", getattr(xs[i], "dtype", None)
    for letter, n in zip(terms[i], shape(xs[i]), strict=True):
        if letter in want:  # a repeated letter reads a diagonal: the adjoint fills one
            spare = next(c for c in string.ascii_letters if c not in subscripts + want)
            names, others = [*names, letter + spare], [*others, np.eye(n, dtype=dtype)]
            letter = spare
        elif not builtins.any(letter in term for term in (out, *names)):
            names, others = [*names, letter], [*others, np.ones(n, dtype)]  # it was summed away
        want += letter
    return _einsum(g, *others, subscripts=",".join([out, *names]) + "->" + want)


def _einsum_jvp(i: int, t: Array, y: Array, *xs: Array, subscripts: str) -> Array:
    return _einsum(*xs[:i], t, *xs[i + 1 :], subscripts=subscripts)


_einsum = primitive(
    "einsum", lambda *xs, subscripts: np.einsum(subscripts, *xs, optimize=len(xs) > 2),
    Indexed(_einsum_vjp), Indexed(_einsum_jvp),
)  # fmt: skip


def einsum(subscripts: str, *xs: Array) -> Array:
    """Return Einstein's sum, `einsum("ij,jk->ik", A, B)`; `...` stands for equal leading axes."""
    if not isinstance(subscripts, str):
        raise TypeError(f"einsum: the subscripts come first, as a string, got {type(subscripts)}")
    text = subscripts.replace(" ", "")
    terms = text.split("->")[0].split(",")
    if len(terms) != len(xs):
        raise ValueError(f"einsum: {subscripts!r} names {len(terms)} operands, got {len(xs)}")
    # The longest ... decides how many letters it stands for; shorter ones are the last of them.
    extra = [len(shape(x)) - len(t) + 3 for t, x in zip(terms, xs, strict=True) if "..." in t]
    spare = [c for c in string.ascii_uppercase if c not in text]
    dots = "".join(spare[: builtins.max(extra, default=0)])
    terms = [
        t.replace("...", dots[len(dots) - (len(shape(x)) - len(t) + 3) :])
        for t, x in zip(terms, xs, strict=True)
    ]
    if "->" in text:
        out = text.split("->")[1].replace("...", dots)
    else:  # the letters that occur once, in order of the alphabet
        joined = "".join(terms)
        out = dots + "".join(sorted(c for c in set(joined) - set(dots) if joined.count(c) == 1))
    return _einsum(*xs, subscripts=",".join(terms) + "->" + out)


# Linear algebra on the last two axes


def _solve_a(g: Array, y: Array, a: Array, b: Array) -> Array:
    w = solve(_t(a), g)
    return -(expand_dims(w, -1) * expand_dims(y, -2)) if len(shape(b)) == 1 else -(w @ _t(y))


# fmt: off
solve: Op = primitive(
    "solve", np.linalg.solve, [_solve_a, lambda g, y, a, b: solve(_t(a), g)],
    [lambda t, y, a, b: -solve(a, t @ y), lambda t, y, a, b: solve(a, t)], fits=True,
    doc="the solution y of a y = b")
inv = primitive(
    "inv", np.linalg.inv, [lambda g, y, x: -(_t(y) @ g @ _t(y))], [lambda t, y, x: -(y @ t @ y)],
    doc="the inverse matrix")
# fmt: on


def _entries(g: Array) -> Array:
    return expand_dims(expand_dims(g, -1), -1) if shape(g) else g


def _trace_of_product(a: Array, t: Array) -> Array:
    return sum(_t(a) * t, axis=(-2, -1))


# fmt: off
det = primitive(
    "det", np.linalg.det, [lambda g, y, x: _entries(g * y) * _t(inv(x))],
    [lambda t, y, x: y * _trace_of_product(inv(x), t)],
    doc="the determinant of an invertible matrix (Jacobi's formula)")
_slogdet = primitive(
    "slogdet", lambda x: tuple(np.linalg.slogdet(x)),
    [lambda g, y, x: _entries(g[1]) * _t(inv(x))],
    [lambda t, y, x: (y[0] * 0.0, _trace_of_product(inv(x), t))], outputs=True,
    doc="sign and logarithm of the absolute value of the determinant")
# fmt: on


def slogdet(x: Array) -> tuple[Array, ...]:
    """Return (sign, log |det x|)."""
    return outputs_of(_slogdet(x))


def _phi(x: Array) -> Array:
    """The lower triangle with half the diagonal."""
    return tril(x) - 0.5 * (x * np.eye(shape(x)[-1], dtype=x.dtype))


def _cholesky_vjp(g: Array, y: Array, x: Array) -> Array:
    inverse = inv(y)
    s = _t(inverse) @ _phi(_t(y) @ g) @ inverse
    return 0.5 * (s + _t(s))


def _cholesky_jvp(t: Array, y: Array, x: Array) -> Array:
    inverse = inv(y)
    return y @ _phi(inverse @ (0.5 * (t + _t(t))) @ _t(inverse))


cholesky = primitive(
    "cholesky", lambda x: np.linalg.cholesky(0.5 * (x + np.swapaxes(x, -1, -2))),
    [_cholesky_vjp], [_cholesky_jvp], doc="the lower triangular L with L L^T = (x + x^T) / 2",
)  # fmt: skip
