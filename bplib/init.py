"""Random starting weights whose variance is chosen from the widths of a layer.

Every function takes `(fan_in, fan_out, rng)` and returns a matrix in x out. Numbers are drawn in
float64 and cast last, so a seed gives the same start (rounded) in every dtype.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Rng = np.random.Generator


def _draw(variance: float, shape: tuple[int, int], rng: Rng, distribution: str) -> np.ndarray:
    if distribution == "normal":
        return rng.standard_normal(shape) * variance**0.5
    if distribution == "uniform":
        bound = (3.0 * variance) ** 0.5  # a uniform on (-c, c) has variance c^2 / 3
        return rng.uniform(-bound, bound, shape)
    raise ValueError(f"init: distribution must be 'normal' or 'uniform', got {distribution!r}.")


def glorot(
    fan_in: int,
    fan_out: int,
    rng: Rng,
    *,
    gain: float = 1.0,
    distribution: str = "uniform",
    dtype: Any = np.float64,
) -> np.ndarray:
    """Return weights of variance gain^2 * 2 / (fan_in + fan_out) (Glorot and Bengio 2010, eq. 16).

    Shape (fan_in, fan_out). Keeps signals and gradients level through layers that are linear
    near zero (tanh), as a compromise between the two directions.
    """
    variance = gain**2 * 2.0 / max(fan_in + fan_out, 1)
    return _draw(variance, (fan_in, fan_out), rng, distribution).astype(dtype)


def he(
    fan_in: int,
    fan_out: int,
    rng: Rng,
    *,
    gain: float = 1.0,
    distribution: str = "normal",
    dtype: Any = np.float64,
) -> np.ndarray:
    """Return weights of variance gain^2 * 2 / fan_in (He et al. 2015, eq. 10).

    Shape (fan_in, fan_out). The 2 makes up for the half of the signal that a ReLU sets to zero.
    """
    variance = gain**2 * 2.0 / max(fan_in, 1)
    return _draw(variance, (fan_in, fan_out), rng, distribution).astype(dtype)


def lecun(
    fan_in: int,
    fan_out: int,
    rng: Rng,
    *,
    gain: float = 1.0,
    distribution: str = "normal",
    dtype: Any = np.float64,
) -> np.ndarray:
    """Return weights of variance gain^2 / fan_in (LeCun et al. 1998, eq. 16).

    Shape (fan_in, fan_out). Preactivations then have the variance of standardized inputs.
    """
    variance = gain**2 / max(fan_in, 1)
    return _draw(variance, (fan_in, fan_out), rng, distribution).astype(dtype)


def orthogonal(
    fan_in: int, fan_out: int, rng: Rng, *, gain: float = 1.0, dtype: Any = np.float64
) -> np.ndarray:
    """Return gain times a random matrix with orthonormal rows or columns (Saxe et al. 2014).

    Shape (fan_in, fan_out): `W.T @ W = gain^2 I` when fan_in >= fan_out, else `W @ W.T = gain^2 I`.
    """
    tall = rng.standard_normal((max(fan_in, fan_out), min(fan_in, fan_out)))
    Q, R = np.linalg.qr(tall)
    # QR leaves the signs of R's diagonal to the machine; fixing them makes Q uniform and stable.
    Q *= np.where(np.diagonal(R) < 0, -1.0, 1.0)
    W = Q if fan_in >= fan_out else Q.T
    return np.ascontiguousarray(gain * W).astype(dtype)


def zeros(
    fan_in: int, fan_out: int, rng: Rng | None = None, *, gain: float = 1.0, dtype: Any = np.float64
) -> np.ndarray:
    """Return all-zero weights: the start that no hidden unit ever leaves (chapter 15 shows why).

    Shape (fan_in, fan_out); `rng` and `gain` are accepted for the table's sake and do nothing.
    """
    return np.zeros((fan_in, fan_out), dtype)


TABLE: dict[str, Callable[..., np.ndarray]] = {
    f.__name__: f for f in (glorot, he, lecun, orthogonal, zeros)
}
