"""Small data sets, generated or bundled, and standardizing. Nothing is ever downloaded."""

from __future__ import annotations

import warnings
from typing import NamedTuple

import numpy as np

Array = np.ndarray


class Split(NamedTuple):
    """Data to learn from and data held out: rows X (B, n_0) and integer labels t (B,)."""

    X: Array
    t: Array
    X_test: Array
    t_test: Array


def digits(held_out: int = 360, seed: int = 0) -> Split:
    """Return scikit-learn's 1,797 handwritten digits, 8 x 8 gray levels scaled to [0, 1], split.

    X (1797 - held_out, 64) and labels 0..9; `held_out` images, drawn with `seed` and with every
    digit in proportion, are kept apart for testing.
    Raises ImportError when scikit-learn is missing (`pip install bplib[book]`).
    """
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        raise ImportError(
            "bplib.data.digits: the images come with scikit-learn, which is not installed; "
            "install it with the book's other needs: pip install 'bplib[book]'."
        ) from None
    images, labels = load_digits(return_X_y=True)
    return split(images / 16.0, labels, held_out, seed)


def two_moons(B: int = 400, noise: float = 0.15, seed: int = 0) -> tuple[Array, Array]:
    """Return B points (B, 2) on two interleaving half circles of radius 1, and labels 0 and 1.

    `noise` is the standard deviation added to both coordinates. Rows are in random order.
    Raises ValueError for B < 2 or a negative noise.
    """
    if B < 2 or not noise >= 0:
        raise ValueError(f"two_moons: needs B >= 2 and noise >= 0, got B = {B}, noise = {noise}.")
    rng = np.random.default_rng(seed)
    t = rng.permutation(np.arange(B) % 2)
    angle = rng.uniform(0.0, np.pi, B)
    upper = np.column_stack([np.cos(angle), np.sin(angle)])
    lower = np.column_stack([1 - np.cos(angle), 0.5 - np.sin(angle)])
    X = np.where(t[:, None] == 0, upper, lower) + noise * rng.standard_normal((B, 2))
    return X, t


def split(X: Array, t: Array, held_out: int, seed: int = 0) -> Split:
    """Return the rows split at random, each class in proportion, `held_out` of them for testing.

    Raises ValueError unless 0 < held_out < B.
    """
    B = X.shape[0]
    if t.shape != (B,) or not 0 < held_out < B:
        raise ValueError(
            f"split: needs labels ({B},) and 0 < held_out < {B}, got {t.shape} and {held_out}."
        )
    order = np.random.default_rng(seed).permutation(B)
    order = order[np.argsort(t[order], kind="stable")]  # shuffled inside every class
    # Evenly spaced positions of the sorted list take from every class in proportion.
    position = (np.arange(held_out) * B) // held_out
    test = np.zeros(B, bool)
    test[order[position]] = True
    return Split(X[~test], t[~test], X[test], t[test])


def standardize(X: Array, *others: Array) -> tuple[Array, ...]:
    """Return X, and others, minus the column means of X and over the column deviations of X.

    The first argument is the training data: means and deviations of held-out rows are never used.
    A constant column is divided by 1, with a warning that numbers the columns.
    Shapes: all (B, n) with the same n; float32 stays float32. Raises ValueError for other shapes.
    """
    for other in (X, *others):
        if other.ndim != 2 or other.shape[1] != X.shape[1] or other.shape[0] == 0:
            raise ValueError(
                f"standardize: every argument must be non-empty rows (B, {X.shape[-1]}), "
                f"got shape {other.shape}."
            )
    mean, scale = X.mean(axis=0), X.std(axis=0)
    # The deviation of a constant column can be rounding instead of 0.
    constant = X.max(axis=0) == X.min(axis=0)
    if constant.any():
        columns = np.flatnonzero(constant)
        warnings.warn(
            f"standardize: {columns.size} constant columns divided by 1: {columns.tolist()}",
            stacklevel=2,
        )
        scale[constant] = 1
    return tuple((other - mean) / scale for other in (X, *others))
