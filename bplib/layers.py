"""Normalization and dropout: each as a function, and its delta rule written out.

The functions take arrays or traced nodes, so a graph derives their backward pass by itself; the
rules beside them are the same derivative as a few lines on arrays. A batch is rows: *layer*
normalization works along a row, one sample at a time, *batch* normalization down a column, one unit
over the whole batch.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from bplib import ops

Array = Any  # a NumPy array or, inside a transformation, a traced node
EPS = 1e-5  # the usual one: far below a healthy variance, and no division by zero in float32


class Deltas(NamedTuple):
    """What a normalization's rule returns: dJ/dZ, dJ/dgain and dJ/dshift."""

    Z: Array
    gain: Array
    shift: Array


def standardize(Z: Array, axis: int = 1, eps: float = EPS) -> tuple[Array, Array]:
    """Return N = (Z - mean) / s with s = sqrt(variance + eps) along an axis, and s.

    Shapes: Z and N (B, n); s (B, 1) for axis 1, (1, n) for axis 0. The dtype of Z is kept.
    Raises ValueError for another number of axes, and for a batch of one row along axis 0.
    """
    shape = ops.shape(Z)
    if len(shape) != 2 or axis not in (0, 1):
        raise ValueError(f"standardize: Z must be rows (B, n) and axis 0 or 1, got {shape}, {axis}")
    if axis == 0 and shape[0] < 2:
        raise ValueError(
            f"standardize: the variance over a batch needs two rows or more, got shape {shape}; "
            "give batch_norm the `fixed` statistics of the training data instead"
        )
    C = Z - ops.mean(Z, axis=axis, keepdims=True)
    s = ops.sqrt(ops.mean(C * C, axis=axis, keepdims=True) + eps)
    return C / s, s


def standardize_delta(G: Array, N: Array, s: Array, axis: int = 1) -> Array:
    """Return dJ/dZ = (G - mean(G) - N * mean(G * N)) / s for G = dJ/dN (eq-softmax-norm).

    The two means are what the mean and the deviation of Z, which moved too, take back.
    """
    back = ops.mean(G, axis=axis, keepdims=True) + N * ops.mean(G * N, axis=axis, keepdims=True)
    return (G - back) / s


def layer_norm(Z: Array, gain: Array = 1.0, shift: Array = 0.0, eps: float = EPS) -> Array:
    """Return gain * N + shift, every row of N with mean 0 and variance 1 (Ba et al. 2016).

    Shapes: Z (B, n); gain and shift (n,) or numbers. Raises ValueError as `standardize`.
    """
    return standardize(Z, 1, eps)[0] * gain + shift


def layer_norm_deltas(G: Array, Z: Array, gain: Array = 1.0, eps: float = EPS) -> Deltas:
    """Return the gradients of `layer_norm` for G = dJ/dA: of Z (B, n), of gain and shift (n,)."""
    return _deltas(G, Z, gain, 1, eps)


def batch_norm(
    Z: Array, gain: Array = 1.0, shift: Array = 0.0, *, fixed: Any = None, eps: float = EPS
) -> Array:
    """Return gain * N + shift, every column of N with mean 0 and variance 1 over the batch.

    In use there may be one sample only: `fixed=(mean, variance)`, each (n,), are then taken for the
    batch's own, as `statistics` gives them for the training data (Ioffe and Szegedy 2015).
    Shapes: Z (B, n); gain and shift (n,) or numbers. Raises ValueError as `standardize`.
    """
    if fixed is None:
        return standardize(Z, 0, eps)[0] * gain + shift
    mean, variance = fixed
    return (Z - mean) / ops.sqrt(variance + eps) * gain + shift


def batch_norm_deltas(G: Array, Z: Array, gain: Array = 1.0, eps: float = EPS) -> Deltas:
    """Return the gradients of `batch_norm` for G = dJ/dA: of Z (B, n), of gain and shift (n,).

    Unlike everywhere else, a sample's error signal depends on the other samples of the batch.
    """
    return _deltas(G, Z, gain, 0, eps)


def _deltas(G: Array, Z: Array, gain: Array, axis: int, eps: float) -> Deltas:
    N, s = standardize(Z, axis, eps)
    return Deltas(standardize_delta(G * gain, N, s, axis), (G * N).sum(axis=0), G.sum(axis=0))


def statistics(Z: Array) -> tuple[Array, Array]:
    """Return the mean and the variance (n,) of every column of Z (B, n), for `fixed`."""
    return Z.mean(axis=0), Z.var(axis=0)


def dropout_mask(
    shape: tuple[int, ...], rate: float, rng: np.random.Generator, dtype: Any = np.float64
) -> np.ndarray:
    """Return a mask M of zeros, each with probability `rate`, and of 1 / (1 - rate) elsewhere.

    A * M has the expectation of A, so nothing is to be scaled when the mask is left out in use
    (Srivastava et al. 2014). The rule is as short: dJ/dA = G * M, with the same M.
    Raises ValueError unless 0 <= rate < 1.
    """
    if not 0 <= rate < 1:
        raise ValueError(f"dropout_mask: rate must lie in [0, 1), got {rate!r}")
    return (rng.random(shape) >= rate).astype(dtype) / np.dtype(dtype).type(1 - rate)
