"""The exercises of chapter 12. The oracles walk from number to number, count, or try."""

import math
from fractions import Fraction

import numpy as np

from bplib.equations import Letters, positive
from bplib.exercises import Exercise, Wrong, checker, right_side

KINDS = {11: np.float16, 24: np.float32, 53: np.float64}
TOP = 65504


def _numbers(rng):
    return [(float(kind(2.0 ** rng.uniform(-8, 12))), p) for p, kind in KINDS.items()] + [
        (8.0, 11),
        (1.5, 24),
    ]


def _gap(x, p):
    kind = KINDS[p]
    return float(np.nextafter(kind(x), kind(np.inf))) - x


def _counter(p=4):
    """Add 1 with p digits, exactly, until nothing changes."""
    total = Fraction(0)
    for _ in range(1000):
        exact = total + 1
        e = math.floor(math.log2(exact))
        unit = Fraction(2) ** (e - p + 1)
        rounded = round(exact / unit) * unit  # ties to even
        if rounded == total:
            break
        total = rounded
    return float(total)


def _pairs(rng):
    s = np.float32(rng.uniform(1e3, 1e5, size=6) * rng.choice([-1, 1], size=6))
    return [(s, np.float32(rng.normal(size=6)))]


def _lost(s, x):
    """In float64 the sum of two float32 numbers of these sizes is exact."""
    exact = s.astype(float) + x.astype(float)
    return exact - exact.astype(np.float32).astype(float)


def _to_cut(rng):
    return [(np.float32(rng.normal(size=60) * 10.0 ** rng.integers(-3, 4, size=60)),)]


def _cut(x):
    """Eight binary digits, toward zero, by arithmetic."""
    m, e = np.frexp(x.astype(float))
    return np.trunc(m * 256) / 256 * 2.0**e


def _rounded(x):
    bits = x.view(np.uint32)
    return ((bits + 0x8000) & 0xFFFF0000).view(np.float32)


def _gradients(rng):
    g = np.float32(rng.normal(size=200) * 10.0 ** rng.uniform(-11, -4, size=200))
    g[:20] = 0
    return [(g, 1.0), (g, 64.0), (g, 2.0**14)]


def _gone(g, S):
    """Let the machine convert, one at a time."""
    return np.mean([v != 0 and np.float16(S * v) == 0 for v in g.tolist()])


def _spread(rng):
    draws = [(rng.normal(size=30) * 10.0 ** rng.uniform(-9, 3),) for _ in range(4)]
    return [*draws, (np.array([1.0, -300.0, 20.0]),)]


def _fits(g):
    S = 2.0**-40
    while np.abs(2 * S * g).max() <= TOP:
        S = 2 * S
    return S


def _states(rng):
    return [
        (1024.0, 3, True, 10),
        (1024.0, 9, True, 10),
        (2.0**20, 5, False, 10),
        (8.0, 0, True, 1),
        (64.0, 1, True, 2),
        (16.0, 1, False, 2),
    ]


def _next(S, good, finite, patience):
    """Two shifts of an exponent and a counter, without a branch on the result."""
    k = math.log2(S)
    full = finite and good + 1 >= patience
    return 2.0 ** (k + full - (not finite)), (good + 1) * (finite and not full)


def _stream(rng):
    return [
        (np.float16(rng.uniform(size=300)), 20),
        (np.float16(rng.uniform(size=100)), 7),
        (np.ones(5000, np.float16), 70),
    ]


def _one_by_one(x):
    t = np.float16(0)
    for a in x:
        t = np.float16(float(t) + float(a))
    return t


def _blocks(x, k):
    return float(_one_by_one([_one_by_one(x[i : i + k]) for i in range(0, len(x), k)]))


# The minimum of the bound, found by search.
_printed = right_side(
    r"E^\star",
    Letters(
        tol=1e-6,
        c=positive(),
        sfu=positive(),
        E_star=lambda c, sfu: _minimum(lambda h: h / 2 + 2 * c * sfu / h),
    ),
    without=("E", "partial"),
    otherwise="Give a formula in c and \\mathsf u only.",
)


def _minimum(E):
    low, high = 1e-4, 1e4
    for _ in range(12):
        h = np.geomspace(low, high, 401)
        k = int(np.argmin(E(h)))
        low, high = h[max(k - 1, 0)], h[min(k + 1, 400)]
    return float(E(h[k]))


EXERCISES = [
    Exercise(
        "12-gap",
        "a function gap(x, p) that returns a number",
        oracle=_gap,
        cases=_numbers,
        right=lambda x, p: 2.0 ** (math.frexp(x)[1] - p),
        proves="The gap doubles at every power of two.",
        placeholder=lambda x, p: None,
        wrong=(
            Wrong(
                lambda x, p: 2.0 ** (math.frexp(x)[1] - p + 1),
                "Twice too large: the exponent of frexp is one more than ours.",
            ),
            Wrong(
                lambda x, p: 2.0 ** (math.frexp(x)[1] - p - 1),
                "That is half the gap, the largest error of rounding.",
            ),
            Wrong(lambda x, p: 2.0 ** (1 - p), "That is the gap above 1; it grows with x."),
            Wrong(lambda x, p: x * 2.0 ** (1 - p), "The gap is a power of two, not a share of x."),
        ),
    ),
    Exercise(
        "12-counter",
        "a number",
        oracle=_counter,
        right=16,
        proves="At 2^p the gap is 2, and the tie goes to the even number.",
        wrong=(
            Wrong(8, "At 8 the gap is still 1: 9 exists."),
            Wrong(15, "15 has four digits, and so has 16."),
            Wrong(17, "17 has five digits."),
            Wrong(448, "That is the largest number of the format; the counter does not get there."),
        ),
    ),
    Exercise(
        "12-lost",
        "a function lost(s, x) that returns an array of the shape of s",
        oracle=_lost,
        cases=_pairs,
        right=lambda s, x: x - ((s + x) - s),
        proves="Both subtractions are exact, so nothing is lost twice.",
        placeholder=lambda s, x: None,
        wrong=(
            Wrong(
                lambda s, x: ((s + x) - s) - x,
                "The sign: that is what the computed sum has too much.",
            ),
            Wrong(lambda s, x: (s + x) - s, "That is what arrived of x, not what was lost of it."),
            Wrong(
                lambda s, x: np.zeros_like(s),
                "Algebra says zero. Floating-point arithmetic does not.",
            ),
        ),
    ),
    Exercise(
        "12-truncate",
        "a function truncate(x) that returns a float32 array of the shape of x",
        oracle=_cut,
        cases=_to_cut,
        right=lambda x: (x.view(np.uint32) & 0xFFFF0000).view(np.float32),
        proves="The upper half of a float32 is a bfloat16.",
        placeholder=lambda x: None,
        wrong=(
            Wrong(_rounded, "That rounds to nearest; here the bits are cut off."),
            Wrong(
                lambda x: x.astype(np.float16).astype(np.float32),
                "That is float16, with another range.",
            ),
            Wrong(
                lambda x: (x.view(np.uint32) & 0xFF000000).view(np.float32),
                "Sixteen bits go, not twenty-four.",
            ),
        ),
    ),
    Exercise(
        "12-vanish",
        "a function vanishing(g, S) that returns a number",
        oracle=_gone,
        cases=_gradients,
        right=lambda g, S: np.mean((g != 0) & (np.abs(S * g.astype(float)) <= 2.0**-25)),
        proves="Half of the smallest number, and below, rounds to zero.",
        placeholder=lambda g, S: None,
        wrong=(
            Wrong(
                lambda g, S: np.mean((g != 0) & (np.abs(S * g.astype(float)) < 2.0**-14)),
                "Below 2^-14 the numbers lose digits; they do not vanish yet.",
            ),
            Wrong(
                lambda g, S: np.mean((g != 0) & (np.abs(S * g.astype(float)) < 2.0**-24)),
                "Above half of the smallest number one rounds up to it.",
            ),
            Wrong(
                lambda g, S: np.mean(np.abs(S * g.astype(float)) <= 2.0**-25),
                "What is zero already does not vanish.",
            ),
            Wrong(
                lambda g, S: np.mean((g != 0) & (np.abs(g.astype(float)) <= 2.0**-25)),
                "The scale comes first.",
            ),
        ),
    ),
    Exercise(
        "12-scale",
        "a function scale_for(g) that returns a number",
        oracle=_fits,
        cases=_spread,
        right=lambda g: 2.0 ** np.floor(np.log2(TOP / np.abs(g).max())),
        proves="The largest entry decides, and a power of two costs no digit.",
        placeholder=lambda g: None,
        wrong=(
            Wrong(
                lambda g: TOP / np.abs(g).max(),
                "That is no power of two: every entry would be rounded once more.",
            ),
            Wrong(
                lambda g: 2.0 ** np.ceil(np.log2(TOP / np.abs(g).max())),
                "Rounded up, the largest entry overflows.",
            ),
            Wrong(
                lambda g: 2.0 ** np.floor(np.log2(TOP / np.abs(g).mean())),
                "The largest entry decides, not the average one.",
            ),
            Wrong(
                lambda g: 2.0 ** np.floor(np.log2(TOP / g.max())),
                "A large negative entry overflows as well.",
            ),
        ),
    ),
    Exercise(
        "12-order",
        "one letter",
        oracle=lambda: "D",
        right="D",
        proves="Divide first: only then is the norm the norm of the gradient.",
        wrong=(
            Wrong("C", "Clipping is to stay after the division, so it is the other that moves up."),
            Wrong("E", "The step comes last."),
            Wrong("B", "The conversion to float32 is where it belongs: before the division."),
        ),
    ),
    Exercise(
        "12-dynamic",
        "a function next_scale(S, good, finite, patience) that returns a pair",
        oracle=_next,
        cases=_states,
        right=lambda S, good, finite, patience: (
            (S / 2, 0)
            if not finite
            else (2 * S, 0)
            if good + 1 == patience
            else (
                S,
                good + 1,
            )
        ),
        proves="Down at once, up with patience.",
        placeholder=lambda S, good, finite, patience: None,
        wrong=(
            Wrong(
                lambda S, good, finite, patience: (
                    (S / 2, good)
                    if not finite
                    else (2 * S, 0)
                    if good + 1 == patience
                    else (
                        S,
                        good + 1,
                    )
                ),
                "After an overflow the good steps are counted from 0 again.",
            ),
            Wrong(
                lambda S, good, finite, patience: (
                    (S / 2, 0)
                    if not finite
                    else (2 * S, 0)
                    if good == patience
                    else (
                        S,
                        good + 1,
                    )
                ),
                "This step is a good one too: it belongs to the count.",
            ),
            Wrong(
                lambda S, good, finite, patience: (
                    (2 * S, 0)
                    if not finite
                    else (S / 2, 0)
                    if good + 1 == patience
                    else (S, good + 1)
                ),
                "The wrong way round: an overflow calls for a smaller scale.",
            ),
        ),
    ),
    Exercise(
        "12-printed",
        "the right side of the formula, in LaTeX",
        oracle=None,
        refuses=_printed,
        right=r"2 \sqrt{c \, \mathsf u}",
        proves="Compared with the minimum of the bound, found by search.",
        placeholder="",
        wrong=(
            Wrong(r"2 c \sqrt{\mathsf u}", "The factor belongs under the root."),
            Wrong(r"2 \sqrt{\mathsf u}", "The longer program must have a higher floor."),
            Wrong(
                r"\frac{1}{2} (3 c \, \mathsf u)^{2/3}", "That is the floor of central differences."
            ),
            Wrong(r"\sqrt{c \, \mathsf u}", "The 2 is lost."),
        ),
    ),
    Exercise(
        "12-blocks",
        "a function in_blocks(x, k) that returns a number",
        oracle=_blocks,
        cases=_stream,
        right=lambda x, k: float(
            _one_by_one([_one_by_one(x[i : i + k]) for i in range(0, len(x), k)])
        ),
        proves="About k + n/k additions a term, instead of n.",
        placeholder=lambda x, k: None,
        wrong=(
            Wrong(lambda x, k: float(_one_by_one(x)), "One block only: the sum stalls."),
            Wrong(
                lambda x, k: float(np.sum(x.astype(np.float64))),
                "That adds in float64; everything here is to be rounded to float16.",
            ),
            Wrong(
                lambda x, k: float(
                    _one_by_one([_one_by_one(x[i : i + k]) for i in range(0, len(x) - k + 1, k)])
                ),
                "The last block, which may be shorter, is missing.",
            ),
        ),
    ),
]

check = checker(EXERCISES)
