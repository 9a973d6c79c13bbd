"""The exercises of chapter 8. The oracles use the complex step, loops and direct evaluation."""

import numpy as np

from bplib.check import complex_step
from bplib.exercises import Exercise, Wrong, checker


def _lowest(u, F, M):
    """The minimum of M h^2 / 6 + u F / h: the only positive root of its derivative."""
    roots = np.roots([M / 3, 0, 0, -u * F])
    return float(roots[np.argmin(np.abs(roots.imag))].real)


def _quadratic(shape, rng):
    """A function whose central difference is exact up to rounding, of an array of that shape."""
    n = int(np.prod(shape))
    M, c = rng.normal(size=(n, n)), rng.normal(size=n)

    def f(x):
        v = np.asarray(x).reshape(-1)
        return v @ M @ v + c @ v

    return f


def _differences(rng):
    return [
        (_quadratic(shape, rng), rng.normal(size=shape), h)
        for shape, h in (((3,), 0.25), ((2, 4), 0.5), ((3, 3), 0.125))
    ]


def _along(rng):
    return [
        (_quadratic((n,), rng), rng.normal(size=n), 3 * rng.normal(size=n), h)
        for n, h in ((4, 0.25), (1, 0.5), (6, 0.125))
    ]


def _numeric(f, x, h):
    d = np.zeros(x.shape)
    for i in np.ndindex(x.shape):
        e = np.zeros(x.shape)
        e[i] = h
        d[i] = (f(x + e) - f(x - e)) / (2 * h)
    return d


def _forward_difference(f, x, h):
    d = np.zeros(x.shape)
    for i in np.ndindex(x.shape):
        e = np.zeros(x.shape)
        e[i] = h
        d[i] = (f(x + e) - f(x)) / h
    return d


def _flat(f, x, h):
    return _numeric(f, x, h).reshape(-1)


def _pairs(rng):
    d = rng.normal(size=(3, 4))
    return [(d + 1e-3 * rng.normal(size=d.shape), d), (np.zeros(3), np.zeros(3)), (-d, d)]


def _array_error(g, d):
    off, size = np.abs(g - d).max(), np.abs(d).max()
    return 0.0 if off == 0 else off / size


def _worst_pair(g, d):
    """The oracle: by loops over the entries."""
    largest = max(abs(float(v)) for v in d.flat)
    off = max(abs(float(a) - float(b)) for a, b in zip(g.flat, d.flat, strict=True))
    return off / largest if off else 0.0


def _count_directions(tau, q):
    k, p = 0, 1.0
    while p > q:
        k, p = k + 1, p * tau * np.sqrt(2 / np.pi)
    return k


def _digits(n):
    """The oracle: the binary digits as Python writes them, lowest first."""
    K = len(f"{n - 1:b}")
    return np.array([[int(f"{i:b}".zfill(K)[::-1][k]) for i in range(n)] for k in range(K)])


EXERCISES = [
    Exercise(
        "08-step",
        "a function best_step(u, F, M) that returns a number",
        oracle=_lowest,
        cases=lambda rng: [(0.1, 2.0, 3.0), (0.02, 1.0, 0.5), (0.5, 0.3, 4.0)],
        right=lambda u, F, M: (3 * u * F / M) ** (1 / 3),
        proves="There truncation and rounding balance.",
        placeholder=lambda u, F, M: None,
        wrong=(
            Wrong(
                lambda u, F, M: (3 * u * F / M) ** (1 / 2),
                "A square root belongs to one-sided differences, whose error falls like h.",
            ),
            Wrong(
                lambda u, F, M: (u * F / M) ** (1 / 3),
                "The 3 is missing: differentiate the bound once more.",
            ),
            Wrong(
                lambda u, F, M: (3 * u * M / F) ** (1 / 3),
                "F and M are exchanged: a curvier function wants a shorter step.",
            ),
        ),
    ),
    Exercise(
        "08-central",
        "a function numeric_gradient(f, x, h) that returns an array of the shape of x",
        oracle=lambda f, x, h: complex_step(f, x),
        cases=_differences,
        right=_numeric,
        proves="Exact for quadratic functions, whatever the step: their third derivative is zero.",
        placeholder=lambda f, x, h: None,
        wrong=(
            Wrong(
                _forward_difference,
                "That is the one-sided difference; its error falls only like h.",
            ),
            Wrong(
                lambda f, x, h: 2 * _numeric(f, x, h),
                "The two points are 2h apart, not h.",
            ),
            Wrong(
                lambda f, x, h: _numeric(f, x, h).sum(),
                "That is one number; a gradient has one for each entry.",
            ),
        ),
    ),
    Exercise(
        "08-fates",
        "one letter, A to D",
        oracle=lambda: "B",
        right="B",
        proves="Its error stays at 0.01, whatever the step.",
        placeholder="",
        wrong=(
            Wrong("A", "A falls by the square of h: truncation, and a right formula."),
            Wrong("C", "C drops off a cliff: a kink within reach of the long steps."),
            Wrong("D", "D is right; at the shortest step its check hears rounding."),
        ),
    ),
    Exercise(
        "08-relative",
        "a function array_error(g, d) that returns a number",
        oracle=_worst_pair,
        cases=_pairs,
        right=_array_error,
        proves="One scale for the array, and no alarm for zero against zero.",
        placeholder=lambda g, d: None,
        wrong=(
            Wrong(
                lambda g, d: (
                    np.abs(g - d).max() / np.maximum(np.abs(g).max(), 1e-300) if np.any(g) else 0.0
                ),
                "The scale is that of the check's array d, not of the claim.",
            ),
            Wrong(
                lambda g, d: np.max(np.abs(g - d) / np.where(d == 0, 1, np.abs(d))),
                "That compares each entry with itself; one scale was asked.",
            ),
            Wrong(lambda g, d: np.abs(g - d).max(), "That is the absolute error."),
        ),
    ),
    Exercise(
        "08-direction",
        "a function slope_along(J, theta, u, h) that returns a number",
        oracle=lambda J, theta, u, h: float(np.sum(complex_step(J, theta) * u)),
        cases=_along,
        right=lambda J, theta, u, h: (J(theta + h * u) - J(theta - h * u)) / (2 * h),
        proves="Two runs, whatever the number of parameters.",
        placeholder=lambda J, theta, u, h: None,
        wrong=(
            Wrong(
                lambda J, theta, u, h: (
                    (J(theta + h * u) - J(theta - h * u)) / (2 * h) / np.sqrt(np.sum(u * u))
                ),
                "The direction must not be normalized: the other side of the equation is not.",
            ),
            Wrong(
                lambda J, theta, u, h: (J(theta + h * u) - J(theta)) / h,
                "That is the one-sided difference; its error falls only like h.",
            ),
            Wrong(
                lambda J, theta, u, h: (J(theta + h * u) - J(theta - h * u)) / h,
                "The two points are 2h apart, not h.",
            ),
        ),
    ),
    Exercise(
        "08-miss",
        "a function directions(tau, q) that returns a whole number",
        oracle=_count_directions,
        cases=lambda rng: [(0.1, 1e-6), (0.5, 1e-3), (1e-5, 1e-9), (0.01, 0.5)],
        right=lambda tau, q: int(np.ceil(np.log(q) / np.log(tau * np.sqrt(2 / np.pi)))),
        proves="Misses of independent directions multiply.",
        placeholder=lambda tau, q: None,
        wrong=(
            Wrong(
                lambda tau, q: int(np.floor(np.log(q) / np.log(tau * np.sqrt(2 / np.pi)))),
                "Rounded down, the last direction is missing.",
            ),
            Wrong(
                lambda tau, q: int(np.ceil(np.log(q) / np.log(tau))),
                "The factor sqrt(2/pi) of the bound is missing.",
            ),
            Wrong(
                lambda tau, q: int(np.ceil(tau * np.sqrt(2 / np.pi) / q)),
                "Independent misses multiply; they do not add.",
            ),
        ),
    ),
    Exercise(
        "08-blind",
        "some of the letters A to E, in alphabetical order",
        oracle=lambda: "BD",
        right="BD",
        proves="What both sides share, the test cannot see.",
        placeholder="",
        wrong=(
            Wrong("B", "There is one more: what do both sides of the test begin with?"),
            Wrong("D", "There is one more: which slip is read by both sweeps?"),
            Wrong("BDE", "E changes the sign of one side only."),
            Wrong("ABCDE", "The test compares the sweeps; a slip in one of them shows."),
        ),
    ),
    Exercise(
        "08-adjoint",
        "a function pull_diff(v) that returns an array with one entry more than v",
        oracle=lambda v: complex_step(lambda x: np.sum(v * np.diff(x)), np.zeros(len(v) + 1)),
        cases=lambda rng: [(rng.normal(size=n),) for n in (4, 1, 7)],
        right=lambda v: np.concatenate([[0.0], v]) - np.concatenate([v, [0.0]]),
        proves="The transpose of a difference is a difference, with the sign reversed.",
        placeholder=lambda v: None,
        wrong=(
            Wrong(
                lambda v: np.concatenate([v, [0.0]]) - np.concatenate([[0.0], v]),
                "The sign is the wrong way round: x_i enters y_i with -1.",
            ),
            Wrong(
                lambda v: np.concatenate([[0.0], v]) + np.concatenate([v, [0.0]]),
                "The two listeners have opposite signs.",
            ),
            Wrong(
                lambda v: np.concatenate([[0.0], np.cumsum(v)]),
                "That is the inverse of the difference; its transpose was asked.",
            ),
            Wrong(lambda v: np.diff(v), "The result must have one entry more than v."),
        ),
    ),
    Exercise(
        "08-kink",
        "a function relu_difference(x, h) that returns a number",
        oracle=lambda x, h: (max(x + h, 0.0) - max(x - h, 0.0)) / (2 * h),
        cases=lambda rng: [(0.5, 1.0), (-0.3, 0.5), (2.0, 0.25), (-3.0, 1.0), (0.0, 0.5)],
        right=lambda x, h: float(np.clip(0.5 + x / (2 * h), 0, 1)),
        proves="The share of the interval on which the slope is 1.",
        placeholder=lambda x, h: None,
        wrong=(
            Wrong(
                lambda x, h: 0.5 + x / (2 * h),
                "True within reach of the kink; farther away the slope is 0 or 1.",
            ),
            Wrong(
                lambda x, h: float(x > 0),
                "That is the derivative; near the kink the difference returns something else.",
            ),
            Wrong(
                lambda x, h: float(np.clip(0.5 - x / (2 * h), 0, 1)),
                "The sign is the wrong way round: to the right of 0 more of the reach is sloped.",
            ),
        ),
    ),
    Exercise(
        "08-bits",
        "a function masks(n) that returns an array of zeros and ones of shape (K, n)",
        oracle=_digits,
        cases=lambda rng: [(8,), (5,), (2,), (20,)],
        right=lambda n: np.array(
            [[i // 2**k % 2 for i in range(n)] for k in range(int(n - 1).bit_length())]
        ),
        proves="Each index has a pattern of its own, so the failures spell it.",
        placeholder=lambda n: None,
        wrong=(
            Wrong(
                lambda n: np.array(
                    [[i // 2**k % 2 for i in range(n)] for k in range(int(n - 1).bit_length())]
                )[::-1],
                "The rows are in the wrong order: the lowest digit comes first.",
            ),
            Wrong(
                lambda n: np.array(
                    [
                        [(i + 1) // 2**k % 2 for i in range(n)]
                        for k in range(int(n - 1).bit_length())
                    ]
                ),
                "Entries are counted from 0.",
            ),
            Wrong(
                lambda n: np.eye(n),
                "That is one check for each entry, n of them.",
            ),
        ),
    ),
]

check = checker(EXERCISES)
