"""Interleaved timing: contenders take turns, so what slows the machine slows them all alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np


def interleave(
    steps: Mapping[str, Callable[[], Any]], seconds: float = 4.0, rounds: int = 25
) -> dict[str, list[float]]:
    """Return for every contender the seconds of one call, measured once in each of the rounds.

    A call shorter than a millisecond is repeated within its turn. `seconds` is shared by all.
    """
    turn = seconds / (rounds * max(len(steps), 1))
    repeats = {}
    for name, step in steps.items():
        step()
        step()
        start = time.perf_counter()
        step()
        once = max(time.perf_counter() - start, 1e-7)
        repeats[name] = max(1, min(100_000, int(min(turn, 0.05) / once)))
    times: dict[str, list[float]] = {name: [] for name in steps}
    names = list(steps)
    for k in range(rounds):
        for name in names if k % 2 == 0 else names[::-1]:
            step, n = steps[name], repeats[name]
            start = time.perf_counter()
            for _ in range(n):
                step()
            times[name].append((time.perf_counter() - start) / n)
    return times


def ratio(a: list[float], b: list[float]) -> dict[str, float]:
    """Return the ratio of the medians and the quartiles of the ratios round by round."""
    each = np.asarray(a) / np.asarray(b)
    low, high = np.quantile(each, [0.25, 0.75])
    return {
        "ratio": float(np.median(a) / np.median(b)), "low": float(low), "high": float(high),
    }  # fmt: skip
