"""The exercises of chapter 11. The oracles fill and empty a memory, or try every schedule."""

import math
from functools import cache
from heapq import heappop, heappush
from itertools import combinations

import numpy as np

from bplib.check import complex_step
from bplib.exercises import Exercise, Wrong, checker
from bplib.figures.check import schedule


def _bytes_oracle(widths, B):
    """Make the arrays and ask them."""
    activations = [np.zeros((B, n), np.float32) for n in widths]
    return sum(A.nbytes for A in activations[:-1])


def _elu_cases(rng):
    x = rng.normal(size=6)
    x[:2] = 1.5, -0.7
    return [(rng.normal(size=6), np.where(x > 0, x, np.expm1(x)))]


def _elu_oracle(y_bar, y):
    """Undo the function, entry by entry, and differentiate it there."""
    x = [v if v > 0 else math.log1p(v) for v in y]
    elu = lambda u: u if u.real > 0 else np.exp(u) - 1  # noqa: E731
    return np.array([g * complex_step(elu, v) for g, v in zip(y_bar, x, strict=True)])


def _age_oracle(L, m):
    """Fill the memory, then sweep down to layer m."""
    memory = set(range(1, L + 1))
    for layer in range(L, m - 1, -1):
        memory.discard(layer)
    return len(memory)


def _segment_oracle(L):
    return min(schedule(L, range(s, L, s))["peak"] for s in range(1, L + 1) if L % s == 0)


@cache
def _uneven_oracle(L):
    """The smallest peak over all choices of checkpoints."""
    return min(
        schedule(L, marks)["peak"] for r in range(L) for marks in combinations(range(1, L), r)
    )


def _least_peak(L):
    k = 1
    while k * (k + 1) // 2 < L:
        k += 1
    return k + 1


def _portions(rng):
    cases = []
    for sizes in ((4, 4, 2), (1, 5), (3,)):
        cases.append(([rng.normal(size=(2, 3)) for _ in sizes], list(sizes)))
    return cases


def _portions_oracle(gradients, sizes):
    """One row for each sample, and a plain mean over them."""
    rows = [g for g, s in zip(gradients, sizes, strict=True) for _ in range(s)]
    return np.mean(rows, axis=0)


@cache
def _repeats(n, c):
    if n == 1 or c == 1:
        return n - 1
    return min(max(1 + _repeats(k, c), _repeats(n - k, c - 1)) for k in range(1, n))


def _reach_oracle(c, r):
    n = 1
    while _repeats(n + 1, c) <= r:
        n += 1
    return n


@cache
def _cheapest(n, c):
    """The fewest advances over all schedules, by trying them."""
    queue, seen = [(0, n, 0, (0,))], set()
    while queue:
        cost, end, at, kept = state = heappop(queue)
        if end == 0:
            return cost
        if state[1:] in seen:
            continue
        seen.add(state[1:])
        moves = [(cost, end, k, kept) for k in kept]
        moves += [(cost + 1, end, at + 1, kept)] * (at + 1 < end)
        moves += [(cost, end - 1, at, kept)] * (at == end - 1)
        for gone in (None, *kept):
            new = tuple(sorted({*kept, at} - {gone}))
            moves += [(cost, end, at, new)] * (len(new) <= c)
        for move in moves:
            heappush(queue, move)
    raise AssertionError("every chain can be swept")


@cache
def _fewest(n, c):
    if n == 1 or c == 1:
        return n * (n - 1) // 2
    return min(k + _fewest(n - k, c - 1) + _fewest(k, c) for k in range(1, n))


@cache
def _greedy(n, c):
    """Always to the middle."""
    if n == 1 or c == 1:
        return n * (n - 1) // 2
    return n // 2 + _greedy(n - n // 2, c - 1) + _greedy(n // 2, c)


@cache
def _without_the_walk(n, c):
    if n == 1 or c == 1:
        return n * (n - 1) // 2
    return min(_without_the_walk(n - k, c - 1) + _without_the_walk(k, c) for k in range(1, n))


def _momentum_cases(rng):
    H = rng.normal(size=(3, 3))
    slope = lambda w: H @ w  # noqa: E731
    return [
        (rng.normal(size=3), rng.normal(size=3), 0.9, 0.1, slope),
        (rng.normal(size=3), rng.normal(size=3), 0.5, 0.3, slope),
    ]


def _momentum_oracle(w_new, v_new, mu, eta, g):
    """The step is linear here, so solve for what it started from."""
    n = len(w_new)
    one = np.eye(n)
    H = np.stack([g(e) for e in one], axis=1)
    M = np.block([[one - eta * H, -eta * mu * one], [H, mu * one]])
    both = np.linalg.solve(M, np.concatenate([w_new, v_new]))
    return both[:n], both[n:]


def _undo(w_new, v_new, mu, eta, g):
    w = w_new + eta * v_new
    return w, (v_new - g(w)) / mu


EXERCISES = [
    Exercise(
        "11-bytes",
        "a function bytes_kept(widths, B) that returns a number",
        oracle=_bytes_oracle,
        cases=lambda rng: [([3, 4, 2], 5), ([784, 100, 10], 32), ([7, 7], 1)],
        right=lambda widths, B: 4 * B * sum(widths[:-1]),
        proves="The arrays were made and asked for their bytes.",
        placeholder=lambda widths, B: None,
        wrong=(
            Wrong(
                lambda widths, B: 4 * B * sum(widths),
                "The output is the input of no weighted sum.",
            ),
            Wrong(
                lambda widths, B: 4 * B * sum(widths[1:]),
                "The data are read by the first layer's gradient too.",
            ),
            Wrong(
                lambda widths, B: 8 * B * sum(widths[:-1]),
                "A float32 has four bytes.",
            ),
            Wrong(lambda widths, B: 4 * sum(widths[:-1]), "Every row of the batch has its own."),
        ),
    ),
    Exercise(
        "11-elu",
        "a function pull_elu(y_bar, y) that returns an array of the shape of y",
        oracle=_elu_oracle,
        cases=_elu_cases,
        right=lambda y_bar, y: np.where(y > 0, 1.0, y + 1.0) * y_bar,
        proves="The input may be forgotten.",
        placeholder=lambda y_bar, y: None,
        wrong=(
            Wrong(
                lambda y_bar, y: np.where(y > 0, 1.0, np.exp(y)) * y_bar,
                "exp(x) was asked for, and x is forgotten: y is not x.",
            ),
            Wrong(
                lambda y_bar, y: np.where(y > 0, 1.0, y) * y_bar,
                "On the left exp(x) is y + 1.",
            ),
            Wrong(lambda y_bar, y: (y > 0) * y_bar, "That is ReLU; on the left there is a slope."),
        ),
    ),
    Exercise(
        "11-age",
        "a function still_there(L, m) that returns a number",
        oracle=_age_oracle,
        cases=lambda rng: [(8, 5), (8, 1), (3, 3), (10, 2)],
        right=lambda L, m: m - 1,
        proves="What waits for its own sweep.",
        placeholder=lambda L, m: None,
        wrong=(
            Wrong(lambda L, m: m, "The output of layer m has been read for the last time."),
            Wrong(lambda L, m: L - m, "Those are the ones that may go: first made, last needed."),
            Wrong(lambda L, m: L - m + 1, "Those have been swept."),
        ),
    ),
    Exercise(
        "11-segment",
        "a function best_peak(L) that returns a number",
        oracle=_segment_oracle,
        cases=lambda rng: [(36,), (12,), (7,), (20,)],
        right=lambda L: min(L // s + s for s in range(1, L + 1) if L % s == 0),
        proves="The checker moved activations in and out of a memory.",
        placeholder=lambda L: None,
        wrong=(
            Wrong(lambda L: 2 * math.sqrt(L), "The root need not be whole, nor divide L."),
            Wrong(
                lambda L: min(
                    range(1, L + 1), key=lambda s: L // s + s if L % s == 0 else math.inf
                ),
                "That is the best s; the peak was asked for.",
            ),
            Wrong(
                lambda L: min(L // s + s for s in range(1, L + 1)),
                "Only segment lengths that divide L are allowed.",
            ),
        ),
    ),
    Exercise(
        "11-uneven",
        "a function least_peak(L) that returns a number",
        oracle=_uneven_oracle,
        cases=lambda rng: [(3,), (6,), (7,), (10,), (11,)],
        right=_least_peak,
        proves="No choice of checkpoints does better: all were tried.",
        placeholder=lambda L: None,
        wrong=(
            Wrong(lambda L: _least_peak(L) - 1, "The input takes a place too."),
            Wrong(
                lambda L: min(L // s + s for s in range(1, L + 1) if L % s == 0),
                "That is the best of the equal segments.",
            ),
            Wrong(
                lambda L: math.isqrt(2 * L) + 1,
                "Almost: the sum of 1 to k is k (k + 1) / 2, not k squared over 2.",
            ),
        ),
    ),
    Exercise(
        "11-time",
        "a function slowdown(L, s) that returns a number",
        oracle=lambda L, s: (3 * L + schedule(L, range(s, L, s))["again"]) / (3 * L),
        cases=lambda rng: [(36, 6), (12, 3), (16, 8), (9, 1)],
        right=lambda L, s: 1 + (L / s - 1) * (s - 1) / (3 * L),
        proves="Counted, layer by layer.",
        placeholder=lambda L, s: None,
        wrong=(
            Wrong(lambda L, s: 4 / 3, "That is the bound; the last segment is not run again."),
            Wrong(
                lambda L, s: 1 + (L - s) / (3 * L),
                "The checkpoints themselves need not be computed again.",
            ),
            Wrong(
                lambda L, s: 1 + (L / s - 1) * (s - 1) / L,
                "The whole step, forward and backward, is 3 L.",
            ),
        ),
    ),
    Exercise(
        "11-portions",
        "a function whole_batch(gradients, sizes) that returns an array",
        oracle=_portions_oracle,
        cases=_portions,
        right=lambda gradients, sizes: (
            sum(s * g for s, g in zip(sizes, gradients, strict=True)) / sum(sizes)
        ),
        proves="Every sample counts the same.",
        placeholder=lambda gradients, sizes: None,
        wrong=(
            Wrong(
                lambda gradients, sizes: sum(gradients) / len(gradients),
                "A mean of means: right for equal portions only.",
            ),
            Wrong(lambda gradients, sizes: sum(gradients), "That adds up means."),
            Wrong(
                lambda gradients, sizes: sum(s * g for s, g in zip(sizes, gradients, strict=True)),
                "Divide by the number of rows at the end.",
            ),
        ),
    ),
    Exercise(
        "11-reach",
        "a function longest(c, r) that returns a number",
        oracle=_reach_oracle,
        cases=lambda rng: [(1, 4), (3, 2), (2, 5), (4, 3), (5, 0)],
        right=lambda c, r: math.comb(c + r, c),
        proves="Pascal's triangle, found without it.",
        placeholder=lambda c, r: None,
        wrong=(
            Wrong(lambda c, r: c * r, "It grows much faster than that."),
            Wrong(
                lambda c, r: math.comb(c + r, c + 1),
                "A neighbor in the triangle: with r = 0 one layer can be swept, not none.",
            ),
            Wrong(lambda c, r: (r + 1) ** c, "The parts share the repetitions and the places."),
        ),
    ),
    Exercise(
        "11-fewest",
        "a function fewest(n, c) that returns a number",
        oracle=_cheapest,
        cases=lambda rng: [(1, 2), (5, 1), (6, 2), (8, 2), (9, 2), (9, 3), (7, 4)],
        right=_fewest,
        proves="No schedule at all takes fewer: all were tried.",
        placeholder=lambda n, c: None,
        wrong=(
            Wrong(_greedy, "The middle is not always the best place for the next one."),
            Wrong(_without_the_walk, "Walking to the kept activation counts."),
            Wrong(
                lambda n, c: n * (n - 1) // 2,
                "That is the count when only the input is kept.",
            ),
        ),
    ),
    Exercise(
        "11-momentum",
        "a function undo(w_new, v_new, mu, eta, g) that returns the tuple (w, v)",
        oracle=_momentum_oracle,
        cases=_momentum_cases,
        right=_undo,
        proves="The way back, without a record of the way.",
        placeholder=lambda w_new, v_new, mu, eta, g: None,
        wrong=(
            Wrong(
                lambda w_new, v_new, mu, eta, g: (
                    w_new + eta * v_new,
                    (v_new - g(w_new)) / mu,
                ),
                "g was run at the old weights: recover them first.",
            ),
            Wrong(
                lambda w_new, v_new, mu, eta, g: (
                    w_new - eta * v_new,
                    (v_new - g(w_new - eta * v_new)) / mu,
                ),
                "The step was subtracted, so it must be added.",
            ),
            Wrong(
                lambda w_new, v_new, mu, eta, g: (
                    w_new + eta * v_new,
                    v_new - g(w_new + eta * v_new),
                ),
                "The old velocity was multiplied by mu.",
            ),
        ),
    ),
]

check = checker(EXERCISES)
