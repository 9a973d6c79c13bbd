"""The exercises of chapter 10. The oracles walk to both sides of a kink, or loop."""

import numpy as np

import bplib
from bplib.exercises import Exercise, Wrong, checker

STEP = 2.0**-20


def _entrywise(f, y_bar, x):
    """The derivative of sum(y_bar * f(x)), entry by entry; the points lie off the kinks."""
    return np.array(
        [g * (f(v + STEP) - f(v - STEP)) / (2 * STEP) for g, v in zip(y_bar, x, strict=True)]
    )


def _grid(rng, n=6):
    """Points that are multiples of 1/8, so that the oracle's differences of lines are exact."""
    x = rng.integers(1, 24, size=n) / 8 * rng.choice([-1, 1], size=n)
    x[:2] = 1.25, -0.75
    return x


def _signed(rng):
    y_bar = rng.integers(-8, 9, size=6) / 4
    y_bar[:3] = -1.5, 2.0, -0.25
    return y_bar


def _relu(v):
    return max(v, 0.0)


def _leaky_output(rng):
    x = _grid(rng)
    return [(_signed(rng), np.where(x > 0, x, 0.1 * x))]


def _leaky_oracle(y_bar, y):
    """Undo the function, entry by entry, and differentiate it there."""
    x = [v if v > 0 else v / 0.1 for v in y]
    return np.array([g * (1.0 if v > 0 else 0.1) for g, v in zip(y_bar, x, strict=True)])


def _two_slopes(c):
    """What the library returns for a ReLU whose rule gives c at zero."""
    phi = bplib.custom_vjp(lambda g, y, x: g * ((x > 0) + c * (x == 0)))(
        lambda x: np.maximum(x, 0.0)
    )
    return bplib.grad(lambda x: 3 * phi(x) - 2 * phi(-x))(0.0)


def _rows(rng):
    return [
        (1.5, np.array([1.0, 3.0, 3.0, -2.0])),
        (-2.0, rng.normal(size=5)),
        (0.5, np.array([2.0, 2.0, 2.0])),
    ]


def _shares(y_bar, x):
    """Each winner in turn: 1 / (number of winners)."""
    top = sorted(x)[-1]
    winners = [i for i in range(len(x)) if x[i] == top]
    return np.array([y_bar / len(winners) if i in winners else 0.0 for i in range(len(x))])


def _lengths(rng):
    return [(rng.normal(size=2),), (np.zeros(2),), (np.array([3.0, -4.0]),)]


def _length_oracle(x):
    r = float(np.hypot(*x))
    return np.array([v / r if r else 0.0 for v in x])


def _preactivations(rng):
    Z = rng.normal(size=(6, 4))
    Z[:, 1] = -np.abs(Z[:, 1])
    Z[:, 2] = 0.0
    Z[:, 3] = -np.abs(Z[:, 3])
    Z[2, 3] = 0.5
    Z[0, 0] = 1.0
    return [(Z,)]


def _dead(Z):
    return np.array([float(not any(v > 0 for v in column)) for column in Z.T])


def _clip_points(rng):
    y_bar = _signed(rng)
    return [(y_bar, np.array([0.5, -2.0, 3.0, 1.0, -1.0, 0.0]))]


def _clip_oracle(y_bar, x):
    """The derivative from the inside, which at a bound is the convention asked for."""
    slopes = []
    for v in x:
        inner = v - STEP if v > 0 else v + STEP
        clip = lambda u: min(max(u, -1.0), 1.0)  # noqa: E731
        slopes.append((clip(v) - clip(inner)) / (v - inner))
    return y_bar * np.array(slopes)


def _around_zero():
    """The slopes of phi(x) - 2 phi(-x) at points beside zero, smallest and largest."""
    f = lambda v: max(v, 0.0) - 2 * max(-v, 0.0)  # noqa: E731
    slopes = [f(v) / v for v in (-STEP, STEP)]
    return min(slopes), max(slopes)


def _pairs(rng):
    """Numbers with speeds: apart both ways, and three ties."""
    p, q = rng.integers(-8, 9, size=2) / 4
    return [
        (1.0, 2.5, p, q),
        (2.5, 1.0, -0.5, 1.5),
        (1.5, 1.5, -0.5, 2.0),
        (1.5, 1.5, 1.0, -3.0),
        (0.0, 0.0, -1.0, -2.0),
    ]


def _one_step(a, b, p, q):
    """A short walk; the numbers are exact, since all are multiples of powers of two."""
    return (max(a + STEP * p, b + STEP * q) - max(a, b)) / STEP


def _swings(rng):
    r = float(rng.integers(20, 60)) / 8 + 1 / 32
    return [(r, 0.25, k) for k in (0, 3, 60, 61)] + [(0.1, 0.25, 1), (0.1, 0.25, 2)]


def _walk(r, eta, k):
    """The path itself, step by step, on the line through the target."""
    x = r
    for _ in range(k):
        x -= eta * float(np.sign(x))
    return abs(x)


def _closed(r, eta, k):
    n = int(r // eta)
    rest = r - n * eta
    return r - k * eta if k <= n else (rest if (k - n) % 2 == 0 else eta - rest)


EXERCISES = [
    Exercise(
        "10-gate",
        "a function pull_relu(y_bar, x) that returns an array of the shape of x",
        oracle=lambda y_bar, x: _entrywise(_relu, y_bar, x),
        cases=lambda rng: [(_signed(rng), _grid(rng)) for _ in range(3)],
        right=lambda y_bar, x: (x > 0) * y_bar,
        proves="The gate is set by the input of the forward pass.",
        placeholder=lambda y_bar, x: None,
        wrong=(
            Wrong(
                lambda y_bar, x: (y_bar > 0) * y_bar,
                "That thresholds the gradient: the sentence of the first note.",
            ),
            Wrong(
                lambda y_bar, x: (x > 0) * (y_bar > 0) * y_bar,
                "That is guided backpropagation; negative derivatives must pass.",
            ),
            Wrong(lambda y_bar, x: np.maximum(x, 0) * y_bar, "The gate is 0 or 1, not the output."),
            Wrong(lambda y_bar, x: y_bar, "The gate is missing."),
        ),
    ),
    Exercise(
        "10-output",
        "a function pull_leaky(y_bar, y) that returns an array of the shape of y",
        oracle=_leaky_oracle,
        cases=_leaky_output,
        right=lambda y_bar, y: np.where(y > 0, 1.0, 0.1) * y_bar,
        proves="Output and input have the same sign.",
        placeholder=lambda y_bar, y: None,
        wrong=(
            Wrong(lambda y_bar, y: (y > 0) * y_bar, "On the left the slope is 0.1, not 0."),
            Wrong(
                lambda y_bar, y: np.where(y_bar > 0, 1.0, 0.1) * y_bar,
                "The gate is set by the forward pass, not by the gradient.",
            ),
            Wrong(
                lambda y_bar, y: np.where(y > 0, 1.0, 10.0) * y_bar,
                "That is the slope of the inverse function.",
            ),
        ),
    ),
    Exercise(
        "10-slopes",
        "a function at_zero(c) that returns a number",
        oracle=_two_slopes,
        cases=lambda rng: [(0.5,), (1.0,), (0.25,)],
        right=lambda c: 5 * c,
        proves="Two minus signs meet in the second term.",
        placeholder=lambda c: None,
        wrong=(
            Wrong(lambda c: c, "The minus of the program and the minus inside make a plus."),
            Wrong(lambda c: 3 * c, "Both terms are at their kink."),
            Wrong(lambda c: 2.5, "The sweep does not take the mean of the two slopes."),
            Wrong(lambda c: 6 * c**2, "The terms are added, so their derivatives are."),
        ),
    ),
    Exercise(
        "10-ties",
        "a function pull_max(y_bar, x) that returns an array of the shape of x",
        oracle=_shares,
        cases=_rows,
        right=lambda y_bar, x: y_bar * (x == x.max()) / (x == x.max()).sum(),
        proves="The shares add up to 1.",
        placeholder=lambda y_bar, x: None,
        wrong=(
            Wrong(
                lambda y_bar, x: y_bar * (x == x.max()),
                "Each winner gets the whole: the shares add up to more than 1.",
            ),
            Wrong(
                lambda y_bar, x: y_bar * (np.arange(len(x)) == np.argmax(x)),
                "The first winner gets all; the tie was to be shared.",
            ),
            Wrong(
                lambda y_bar, x: y_bar * np.ones(len(x)) / len(x),
                "The losers get nothing: moving them does not move the maximum.",
            ),
        ),
    ),
    Exercise(
        "10-interval",
        "a pair (smallest, largest)",
        oracle=lambda: tuple((2 * max(v, 0.0) + abs(v)) / v for v in (-STEP, STEP)),
        right=(-1.0, 3.0),
        proves="From the slope on the left to the slope on the right.",
        wrong=(
            Wrong((0.0, 2.0), "The absolute value has slopes too."),
            Wrong((-1.0, 1.0), "The ReLU counts twice."),
            Wrong((3.0, -1.0), "The smallest comes first."),
            Wrong((1.0, 3.0), "To the left the absolute value falls: its slope there is -1."),
        ),
    ),
    Exercise(
        "10-norm",
        "a function grad_length(x) that returns an array of the shape of x",
        oracle=_length_oracle,
        cases=_lengths,
        right=lambda x: x / (np.sqrt(np.sum(x**2)) if np.any(x) else 1.0),
        proves="Zeros at the origin, and no NaN on the way.",
        placeholder=lambda x: None,
        wrong=(
            Wrong(
                lambda x: x / (np.sqrt(np.sum(x**2)) + 1e-3),
                "A constant in the denominator spoils the result everywhere else.",
            ),
            Wrong(
                lambda x: x / (np.sum(x**2) if np.any(x) else 1.0),
                "The denominator is the length, not its square.",
            ),
            Wrong(lambda x: x, "The gradient of a length has the length 1."),
        ),
    ),
    Exercise(
        "10-dead",
        "a function dead(Z) that returns an array of zeros and ones, one entry for each unit",
        oracle=_dead,
        cases=_preactivations,
        right=lambda Z: 1.0 * np.all(Z <= 0, axis=0),
        proves="No sample opens their gate.",
        placeholder=lambda Z: None,
        wrong=(
            Wrong(
                lambda Z: 1.0 * np.all(Z < 0, axis=0),
                "At exactly 0 the gate is shut as well.",
            ),
            Wrong(
                lambda Z: 1.0 * np.any(Z <= 0, axis=0),
                "One shut gate is normal; dead means shut on every sample.",
            ),
            Wrong(
                lambda Z: 1.0 * np.all(Z <= 0, axis=1),
                "That is one entry for each sample; units are columns.",
            ),
        ),
    ),
    Exercise(
        "10-clip",
        "a function pull_clip(y_bar, x) that returns an array of the shape of x",
        oracle=_clip_oracle,
        cases=_clip_points,
        right=lambda y_bar, x: (np.abs(x) <= 1) * y_bar,
        proves="Inside, the bounds included, the output moves with the input.",
        placeholder=lambda y_bar, x: None,
        wrong=(
            Wrong(
                lambda y_bar, x: (np.abs(x) < 1) * y_bar,
                "By this convention the bounds belong to the inside.",
            ),
            Wrong(
                lambda y_bar, x: np.clip(y_bar, -1, 1),
                "That clips the gradient; the values were clipped.",
            ),
            Wrong(lambda y_bar, x: (x <= 1) * y_bar, "There is a lower bound too."),
        ),
    ),
    Exercise(
        "10-slip",
        "one letter, A to D",
        oracle=lambda: "C",
        right="C",
        proves="The branch not taken still computes, so it must be given the safe argument.",
        placeholder="",
        wrong=(
            Wrong("A", "Line A is an ordinary comparison, constant almost everywhere."),
            Wrong("B", "Line B makes a harmless argument; look at who uses it."),
            Wrong("D", "Line D chooses the right branch; the harm is done before it."),
        ),
    ),
    Exercise(
        "10-clarke",
        "a pair (smallest, largest)",
        oracle=_around_zero,
        right=(1.0, 2.0),
        proves="The slopes beside the kink, and all between them.",
        wrong=(
            Wrong((0.0, 3.0), "That is the sum of the two sets; the set of the sum is smaller."),
            Wrong((0.0, 0.0), "That is what a sweep returns, and no slope beside the kink."),
            Wrong((-2.0, 1.0), "Two minus signs meet on the left."),
            Wrong((2.0, 1.0), "The smallest comes first."),
        ),
    ),
    Exercise(
        "10-tangent",
        "a function push_max(a, b, p, q) that returns a number",
        oracle=_one_step,
        cases=_pairs,
        right=lambda a, b, p, q: p if a > b else q if b > a else max(p, q),
        proves="At a tie the faster one wins at once.",
        placeholder=lambda a, b, p, q: None,
        wrong=(
            Wrong(
                lambda a, b, p, q: p if a > b else q if b > a else (p + q) / 2,
                "Half of each is the convention of a reverse rule; the maximum follows the faster.",
            ),
            Wrong(
                lambda a, b, p, q: p if a >= b else q,
                "At a tie it depends on the speeds, not on the order.",
            ),
            Wrong(
                lambda a, b, p, q: max(p, q),
                "Away from a tie only the larger number counts, whatever its speed.",
            ),
        ),
    ),
    Exercise(
        "10-swing",
        "a function distance_after(r, eta, k) that returns a number",
        oracle=_walk,
        cases=_swings,
        right=_closed,
        proves="It walks up to the point and then swings around it.",
        placeholder=lambda r, eta, k: None,
        wrong=(
            Wrong(
                lambda r, eta, k: max(r - k * eta, 0.0),
                "It does not stop at the point: the step has a fixed length.",
            ),
            Wrong(lambda r, eta, k: abs(r - k * eta), "It turns around; it does not walk on."),
            Wrong(
                lambda r, eta, k: r - k * eta if k <= r // eta else r % eta,
                "Every other time it is on the far side, at the rest of a step.",
            ),
        ),
    ),
]

check = checker(EXERCISES)
