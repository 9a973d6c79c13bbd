"""Losses: each returns the scalar J and the first cotangent of the backward pass.

Every loss is a mean over the B rows of the batch, so the factor 1/B enters here, once, and the
delta rules below it only add. Two kinds:

- `squared_error(A, T)` and `huber(A, T)` look at the output `A` and return (J, dJ/dA);
- `binary_cross_entropy(Z, T)` and `softmax_cross_entropy(Z, T)` look at the logits `Z`, fuse the
  output activation into the loss, and return (J, dJ/dZ): the error signal itself.
  Their attribute `fuses` names the activation.

Each takes `check=True`; a training loop that has checked its targets once (`targets`) skips it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .graph import Op

Array = np.ndarray
TABLE: dict[str, Callable[..., tuple[Any, Array]]] = {}


def _loss(fuses: str | None) -> Callable:
    def enter(function: Any) -> Any:
        function.fuses = fuses
        TABLE[function.__name__] = function
        return function

    return enter


@_loss(fuses=None)
def squared_error(A: Array, T: Array, *, check: bool = True) -> tuple[Any, Array]:
    """Return J = sum((A - T)**2) / (2 B) and dJ/dA = (A - T) / B.

    Shapes: A and T (B, K); J in the dtype of A. Raises ValueError for other shapes or an empty
    batch: (B,) against (B, 1) would broadcast to (B, B) and train on nonsense.
    """
    if check:
        T = _like("squared_error", A, T)
    B = A.shape[0]
    R = A - T
    J = _over(2 * B, _inner(R, R))
    R /= B
    return J, R


@_loss(fuses=None)
def huber(A: Array, T: Array, threshold: float = 1.0, *, check: bool = True) -> tuple[Any, Array]:
    """Return Huber's loss, quadratic up to `threshold` and linear beyond, and dJ/dA (Huber 1964).

    With R = A - T: J = mean over rows of the sum of R**2 / 2 where |R| <= threshold, else
    threshold * (|R| - threshold / 2); dJ/dA = clip(R, -threshold, threshold) / B.
    Shapes: A and T (B, K). Raises ValueError for other shapes, an empty batch, threshold <= 0.
    """
    if check:
        T = _like("huber", A, T)
        if not threshold > 0:
            raise ValueError(f"huber: threshold must be > 0, got {threshold}.")
    B = A.shape[0]
    R = A - T
    C = np.clip(R, -threshold, threshold)
    J = _over(B, _inner(C, R - 0.5 * C))  # where |R| <= threshold, C = R: the quadratic
    C /= B
    return J, C


@_loss(fuses="sigmoid")
def binary_cross_entropy(Z: Array, T: Array, *, check: bool = True) -> tuple[Any, Array]:
    """Return the cross-entropy of sigmoid(Z) with T and its error signal (sigmoid(Z) - T) / B.

    J = mean over rows of the sum of T * softplus(-Z) + (1 - T) * softplus(Z): no logarithm of a
    rounded probability, so nothing overflows and small losses keep their digits.
    Shapes: logits Z (B, K); T (B, K) in [0, 1], or integer labels 0 and 1 of shape (B,) if K = 1.
    Raises ValueError for other labels or shapes, or an empty batch.
    """
    if check:
        T = binary_targets(T, Z.shape, Z.dtype)
    B = Z.shape[0]
    positive = Z >= 0
    E = np.exp(np.where(positive, -Z, Z))  # e^-|z|, never above 1
    # softplus(z) = max(z, 0) + log1p(e^-|z|), and the same with -z
    wrong_side = np.where(positive, (1 - T) * Z, -T * Z)
    J = _over(B, (wrong_side + np.log1p(E)).sum())
    Delta = 1 / (1 + E)
    np.multiply(Delta, E, out=Delta, where=~positive)  # e^z / (1 + e^z) for z < 0
    Delta -= T
    Delta /= B
    return J, Delta


@_loss(fuses="softmax")
def softmax_cross_entropy(Z: Array, T: Array, *, check: bool = True) -> tuple[Any, Array]:
    """Return the cross-entropy of softmax(Z) with T and its error signal (P - T) / B.

    J = mean over rows of -sum(T * log P), P = softmax(Z), each logarithm taken after subtracting
    the row's largest logit (log-sum-exp), so logits of any size, and masks of -inf, are safe.
    Shapes: logits Z (B, K); T (B, K) rows that sum to 1, or integer labels (B,) in 0..K-1.
    Raises ValueError for other labels or shapes, an empty batch or K = 0.
    """
    if check:
        T = softmax_targets(T, Z.shape, Z.dtype)
    B = Z.shape[0]
    S = Z - Z.max(axis=1, keepdims=True)
    Delta = np.exp(S)
    total = Delta.sum(axis=1, keepdims=True)
    S -= np.log(total)  # now log P
    J = _over(-B, _inner_masked(T, S))
    Delta /= total
    Delta -= T
    Delta /= B
    return J, Delta


def one_hot(labels: Any, K: int, dtype: Any = np.float64) -> Array:
    """Return rows with a 1 at each label: integer labels (B,) in 0..K-1 become T (B, K).

    Raises ValueError when the batch is empty, K < 1, a label is no integer or out of range.
    """
    labels = np.asarray(labels)
    if K < 1:
        raise ValueError(f"one_hot: there must be at least 1 class, got K = {K}.")
    if labels.ndim != 1 or labels.shape[0] == 0:
        raise ValueError(f"one_hot: labels must be (B,) with B >= 1, got shape {labels.shape}.")
    if labels.dtype.kind not in "iu":
        raise ValueError(
            f"one_hot: labels must be integers, got {labels.dtype}; "
            "if they are class numbers, cast them with labels.astype(int)."
        )
    low, high = labels.min(), labels.max()
    if low < 0 or high >= K:
        bad = int(np.flatnonzero((labels < 0) | (labels >= K))[0])
        raise ValueError(
            f"one_hot: labels must lie in 0..{K - 1} for K = {K} classes, "
            f"got {labels[bad]} in row {bad}."
        )
    T = np.zeros((labels.shape[0], K), dtype)
    T[np.arange(labels.shape[0]), labels] = 1
    return T


def softmax_targets(T: Any, shape: tuple[int, ...], dtype: Any) -> Array:
    """Return T as rows (B, K) of `dtype` that sum to 1, from such rows or from integer labels.

    `shape` is the shape (B, K) of the logits. Raises ValueError as `one_hot` does, and for rows of
    another shape, with a negative or non-finite entry, or with a sum that is not 1.
    """
    op = "softmax_cross_entropy"
    B, K = _batch(op, shape)
    if K < 1:
        raise ValueError(f"{op}: there must be at least 1 class, got logits of shape {shape}.")
    T = _real(op, T)
    if T.ndim == 1:
        if T.shape[0] != B:
            raise ValueError(f"{op}: {B} rows of logits need {B} labels, got {T.shape[0]}.")
        return one_hot(T, K, dtype)
    if T.shape != shape:
        raise ValueError(
            f"{op}: targets must be integer labels ({B},) or rows {shape}, got shape {T.shape}."
        )
    T = T.astype(dtype, copy=False)
    if not (T >= 0).all():
        raise ValueError(f"{op}: the entries of a target row must be >= 0 and not NaN.")
    off = np.abs(T.sum(axis=1) - 1)
    if not (off <= 1e-3).all():
        row = int(np.argmax(~(off <= 1e-3)))
        raise ValueError(
            f"{op}: every target row must sum to 1, row {row} sums to {T[row].sum():.6g}; "
            "the error signal P - T holds only then."
        )
    return T


def binary_targets(T: Any, shape: tuple[int, ...], dtype: Any) -> Array:
    """Return T as (B, K) of `dtype` with entries in [0, 1]; labels 0/1 of shape (B,) if K = 1.

    Raises ValueError for any other shape, entries outside [0, 1] or NaN, or an empty batch.
    """
    op = "binary_cross_entropy"
    B, K = _batch(op, shape)
    if K < 1:
        raise ValueError(f"{op}: there must be at least 1 output, got logits of shape {shape}.")
    T = _real(op, T)
    if T.ndim == 1 and T.shape[0] == B and K == 1 and T.dtype.kind in "biu":
        T = T[:, np.newaxis]
    if T.shape != shape:
        raise ValueError(
            f"{op}: targets must have the shape {shape} of the logits "
            f"(or be {B} integer labels 0 and 1 when K = 1), got {T.dtype} of shape {T.shape}. "
            "Float targets need their second axis written out: T[:, None]."
        )
    T = T.astype(dtype, copy=False)
    if not ((T >= 0) & (T <= 1)).all():
        raise ValueError(f"{op}: targets must lie in [0, 1] and not be NaN.")
    return T


def targets(loss: Callable, T: Any, shape: tuple[int, ...], dtype: Any) -> Array:
    """Return T checked and converted once for `loss`, so that the loop may pass `check=False`.

    `shape` is the shape (B, K) of the network's output over the same rows.
    Raises ValueError as the loss itself would.
    """
    fuses = fused_activation(loss)
    if fuses == "softmax":
        return softmax_targets(T, shape, dtype)
    if fuses == "sigmoid":
        return binary_targets(T, shape, dtype)
    return _like(getattr(loss, "__name__", "loss"), np.empty(shape, dtype), T)


def fused_activation(loss: Callable) -> str | None:
    """Return the name of the output activation that `loss` contains, or None.

    Looks through `functools.partial`, so `partial(huber, threshold=0.1)` is a loss too.
    """
    return getattr(getattr(loss, "func", loss), "fuses", None)


def get(loss: str | Callable) -> Callable:
    """Return the loss called `loss`, or `loss` itself when it is a function already.

    Raises ValueError for an unknown name, listing the known ones.
    """
    if callable(loss):
        return loss
    if loss not in TABLE:
        raise ValueError(f"losses: no loss is called {loss!r}; there are {', '.join(TABLE)}.")
    return TABLE[loss]


def _inner(a: Array, b: Array) -> Any:
    # The sum of the products in one pass, without an array of them.
    return np.dot(a.reshape(-1), b.reshape(-1))


def _inner_of_logarithms(T: Array, S: Array) -> Any:
    total = np.vdot(T, S)  # unlike dot it does not warn of 0 * inf
    if total == total:
        return total
    # A masked class has log P = -inf and target 0, and contributes 0, not 0 * inf.
    return np.multiply(T, S, out=np.zeros_like(S), where=T != 0).sum()


# It looks at a number to choose, so a plan takes it whole, as one step.
_inner_masked = Op("targets . log P", _inner_of_logarithms, (), ())


def _over(B: int, total: Any) -> Any:
    # NumPy 1 would promote a float32 scalar divided by a Python number to float64.
    return total / total.dtype.type(B)


def _batch(op: str, shape: tuple[int, ...]) -> tuple[int, ...]:
    if len(shape) != 2:
        raise ValueError(f"{op}: a batch has shape (B, K), got {shape}.")
    if shape[0] == 0:
        raise ValueError(f"{op}: the mean over an empty batch is not defined, got shape {shape}.")
    return shape


def _real(op: str, T: Any) -> Array:
    T = np.asarray(T)
    if T.dtype.kind not in "biuf":
        raise ValueError(f"{op}: targets must be real numbers, got dtype {T.dtype}.")
    return T


def _like(op: str, A: Array, T: Any) -> Array:
    _batch(op, A.shape)
    T = _real(op, T)
    if T.shape != A.shape:
        raise ValueError(
            f"{op}: targets must have the shape {A.shape} of the output, got {T.shape}; "
            "broadcasting them would average over pairs of different samples."
        )
    return T.astype(A.dtype, copy=False)
