"""The delta rules of chapter 5 for a dense layer, as plain functions of arrays.

A batch is rows. With `A_prev` of shape (B, n_in), `W` (n_in, n_out) and `b` (n_out,), a layer
computes `Z = A_prev @ W + b`. Its error signal `Delta = dJ/dZ` has the shape of `Z`, and every
gradient of the layer follows from it in one line. These same functions are the forward and the
rules of the graph's `affine`, so a loop over them and a sweep over a graph do the same arithmetic.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = Any  # a NumPy array or, inside a transformation, a traced node


def affine(A_prev: Array, W: Array, b: Array | None = None) -> Array:
    """Return the preactivation `Z = A_prev @ W + b` of a dense layer.

    Shapes: A_prev (B, n_in), W (n_in, n_out) in x out, b (n_out,) or None; Z (B, n_out).
    The dtype is NumPy's promotion of the arguments: float32 stays float32.
    Raises ValueError when the shapes do not chain.
    """
    if A_prev.ndim != 2 or W.ndim != 2 or A_prev.shape[1] != W.shape[0]:
        raise ValueError(
            "affine: A_prev (B, n_in) and W (n_in, n_out) must chain, "
            f"got A_prev {A_prev.shape} and W {W.shape}. "
            "A batch is rows and weights are in x out; give one sample as a row of shape (1, n_in)."
        )
    Z = A_prev @ W
    if b is None:
        return Z
    if b.shape != W.shape[1:]:
        # Broadcasting would accept (1,) or (B, n_out) in silence, and the sum over rows be wrong.
        raise ValueError(f"affine: b must have shape {W.shape[1:]} (n_out,), got {b.shape}.")
    if type(Z) is np.ndarray and type(b) is np.ndarray and Z.dtype == b.dtype:
        Z += b  # Z is ours: the same numbers as Z + b without a second array
        return Z
    return Z + b


def weight_gradient(A_prev: Array, Delta: Array) -> Array:
    """Return dJ/dW = A_prev.T @ Delta, the sum over the batch of (input) x (error signal).

    Shapes: A_prev (B, n_in), Delta (B, n_out); the result is (n_in, n_out), like W.
    Raises ValueError unless both are batches of the same B.
    """
    _same_batch("weight_gradient", A_prev, Delta)
    return A_prev.T @ Delta  # BLAS reads the transpose through a flag: no copy is made


def bias_gradient(Delta: Array) -> Array:
    """Return dJ/db = Delta.sum(axis=0): every row got the same bias, so its gradient sums the rows.

    Shapes: Delta (B, n_out); the result is (n_out,), like b.
    """
    return Delta.sum(axis=0)


def input_gradient(Delta: Array, W: Array) -> Array:
    """Return dJ/dA_prev = Delta @ W.T, the error signal carried back through the weights.

    Shapes: Delta (B, n_out), W (n_in, n_out); the result is (B, n_in), like A_prev.
    Raises ValueError when Delta does not have the n_out columns of W. For a square W no shape can
    tell W from W.T: there only the order of the axes, in x out, is right.
    """
    if Delta.shape[-1] != W.shape[-1]:
        raise ValueError(
            "input_gradient: Delta (B, n_out) and W (n_in, n_out) must share n_out, "
            f"got Delta {Delta.shape} and W {W.shape}."
        )
    return Delta @ W.T


def output_delta(G: Array, activation: Any, A: Array, Z: Array) -> Array:
    """Return the error signal of the last layer, `G * phi'(Z)` with G = dJ/dA.

    Shapes: G, A, Z (B, n_L). `activation` is a primitive with `rule(t, y, x)`, A = activation(Z).
    """
    return activation.rule(G, A, Z)


def hidden_delta(Delta_next: Array, W_next: Array, activation: Any, A: Array, Z: Array) -> Array:
    """Return `Delta = (Delta_next @ W_next.T) * phi'(Z)`, the error signal one layer further down.

    Shapes: Delta_next (B, n_next), W_next (n, n_next), A and Z (B, n); the result is (B, n).
    `activation` is a primitive of `bplib.ops`: its `rule(t, y, x)` is t * phi'(x) given y = phi(x).
    """
    return activation.rule(input_gradient(Delta_next, W_next), A, Z)


def _same_batch(op: str, A_prev: Array, Delta: Array) -> None:
    if A_prev.ndim != 2 or Delta.ndim != 2 or A_prev.shape[0] != Delta.shape[0]:
        raise ValueError(
            f"{op}: A_prev (B, n_in) and Delta (B, n_out) must be batches of the same B, "
            f"got A_prev {A_prev.shape} and Delta {Delta.shape}."
        )
