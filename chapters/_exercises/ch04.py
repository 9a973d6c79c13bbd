"""The exercises of chapter 4: what is asked, how it is judged, and which slips are known.

The oracles differentiate by the complex step, multiply matrices and count, or try every bracketing.
"""

import itertools

import numpy as np

from bplib.check import complex_step
from bplib.exercises import Exercise, Wrong, checker


def _numbers(rng):
    return [tuple(rng.uniform(0.5, 2.0, 4) * (1, 1, rng.choice([-1, 1]), 1)) for _ in range(3)]


def _along(f, at, by):
    return complex_step(lambda h: f(*(a + h * d for a, d in zip(at, by, strict=True))), 0.0)


def _layers(rng):
    return [
        tuple(rng.normal(size=s) for s in 2 * ((B, m), (m, n), (n,)))
        for B, m, n in ((5, 4, 3), (1, 2, 6), (4, 4, 4))
    ]


def _layer(A, W, b):
    return np.tanh(A @ W + b)


def _widths(rng):
    lists = [[3, 5, 2], [30, 30, 1, 30, 30], [4, 50, 2, 50, 3], [2, 50, 50, 50, 1], [1, 20, 30, 40]]
    return [(n,) for n in [*lists, [int(k) for k in rng.integers(1, 9, size=6)]]]


def _multiply_from(n, end):
    """Count the multiplications of a chain of matrices multiplied from one end, by their shapes."""
    shapes = [(b, a) for a, b in itertools.pairwise(n)]  # J_l is n_l by n_{l-1}
    cost = 0
    while len(shapes) > 1:
        k = 0 if end == "input" else len(shapes) - 2
        (rows, inner), (_, columns) = shapes[k + 1], shapes[k]
        cost += rows * inner * columns
        shapes[k : k + 2] = [(rows, columns)]
    return cost


def _least(n):
    """The least cost over all orders in which neighbors can be joined."""
    if len(n) == 2:
        return 0
    return min(
        n[k - 1] * n[k] * n[k + 1] + _least(n[:k] + n[k + 1 :]) for k in range(1, len(n) - 1)
    )


def _greedy(n):
    """Join away the widest inner dimension first."""
    n, cost = list(n), 0
    while len(n) > 2:
        k = max(range(1, len(n) - 1), key=lambda i: n[i])
        cost += n[k - 1] * n[k] * n[k + 1]
        del n[k]
    return cost


def _vectors(rng):
    x = rng.normal(size=6)
    zero = rng.normal(size=5)
    zero[2] = 0.0
    return [(rng.normal(size=2),), (x,), (zero,)]


def _before_after(x):
    before = np.concatenate([[1.0], np.cumprod(x[:-1])])
    after = np.concatenate([np.cumprod(x[:0:-1])[::-1], [1.0]])
    return before, after


def _directions(rng):
    return [(rng.normal(size=S), rng.choice([-1.0, 1.0], size=(S, n))) for S, n in ((4, 3), (3, 3))]


def _points(rng):
    return [(float(x),) for x in rng.uniform(0.3, 1.5, 3)]


def _taylor(x):
    """By Cauchy's formula on a circle around x, from values of the function alone."""
    angles = 2 * np.pi * np.arange(64) / 64
    turn = np.exp(1j * angles)
    values = np.sin((x + 0.3 * turn) ** 2)
    return tuple(float(np.mean(values * turn**-k).real / 0.3**k) for k in range(3))


def _operations(x, y):
    """Run u = x y, v = sin u, w = u v and the way back, each operation through one counter."""
    done = []

    def call(f, *args):
        done.append(f)
        return f(*args)

    u = call(np.multiply, x, y)
    v = call(np.sin, u)
    call(np.multiply, u, v)
    w_bar = 1.0
    u_bar, v_bar = call(np.multiply, v, w_bar), call(np.multiply, u, w_bar)
    u_bar = call(np.add, u_bar, call(np.multiply, call(np.cos, u), v_bar))
    gradient = call(np.multiply, y, u_bar), call(np.multiply, x, u_bar)
    truth = complex_step(lambda a: a * y * np.sin(a * y), x)
    if not np.isclose(gradient[0], truth):
        raise AssertionError("the program that is counted does not compute the gradient")
    return len(done)


EXERCISES = [
    Exercise(
        "04-dual",
        "a number",
        oracle=lambda: complex_step(lambda h: (3 + 2 * h) * (4 - h), 0.0),
        right=5,
        proves="Each factor moves once.",
        wrong=(
            Wrong(-2, "That is the product of the two tangents, which stands at the square."),
            Wrong(1, "The tangents were added; each is multiplied by the other number's value."),
            Wrong(11, "The sign of the second tangent is lost."),
            Wrong(2, "Each tangent was multiplied by its own value."),
        ),
    ),
    Exercise(
        "04-which",
        "one letter, A to D",
        # sweeps (forward, reverse): A 10^6 and 1, B 3 and 1000, C 500 and 1, D 10^4 and 1
        oracle=lambda: min("ABCD", key={"A": 10**6, "B": 3 / 1000, "C": 500, "D": 10**4}.get),
        right="B",
        proves="Three sweeps against a thousand.",
        placeholder="",
        wrong=(
            Wrong("A", "One output: one reverse sweep, a million forward ones."),
            Wrong("C", "That product is what one reverse sweep delivers."),
            Wrong("D", "One output: one reverse sweep."),
        ),
    ),
    Exercise(
        "04-quotient",
        "a function quotient(a, a_dot, b, b_dot) that returns two numbers",
        oracle=lambda a, da, b, db: (a / b, _along(lambda p, q: p / q, (a, b), (da, db))),
        cases=_numbers,
        right=lambda a, da, b, db: (a / b, (da - a / b * db) / b),
        proves="The product rule, solved for the quotient.",
        placeholder=lambda a, da, b, db: None,
        wrong=(
            Wrong(
                lambda a, da, b, db: (a / b, da / db),
                "The derivative of a quotient is not the quotient of derivatives.",
            ),
            Wrong(
                lambda a, da, b, db: (a / b, (da * b + a * db) / b**2),
                "The sign: a larger denominator makes the quotient smaller.",
            ),
            Wrong(
                lambda a, da, b, db: (a / b, (da * b - a * db) / b),
                "One division by b is missing.",
            ),
        ),
    ),
    Exercise(
        "04-layer",
        "a function layer_tangent(A, W, b, A_dot, W_dot, b_dot) that returns an array",
        oracle=lambda A, W, b, dA, dW, db: _along(_layer, (A, W, b), (dA, dW, db)),
        cases=_layers,
        right=lambda A, W, b, dA, dW, db: (1 - np.tanh(A @ W + b) ** 2) * (dA @ W + A @ dW + db),
        proves="Three things move, one at a time, and nothing is transposed.",
        placeholder=lambda A, W, b, dA, dW, db: None,
        wrong=(
            Wrong(
                lambda A, W, b, dA, dW, db: (1 - np.tanh(A @ W + b) ** 2) * (A @ dW + db),
                "The layer below moves as well.",
            ),
            Wrong(
                lambda A, W, b, dA, dW, db: (1 - np.tanh(A @ W + b) ** 2) * (dA @ dW + db),
                "The factors of a product move one at a time.",
            ),
            Wrong(
                lambda A, W, b, dA, dW, db: dA @ W + A @ dW + db,
                "That is the tangent of the preactivation; the slope of tanh is missing.",
            ),
            Wrong(
                lambda A, W, b, dA, dW, db: np.tanh(dA @ W + A @ dW + db),
                "A tangent is multiplied by the slope; the function is not applied to it.",
            ),
        ),
    ),
    Exercise(
        "04-ends",
        "a function two_ends(n) that returns two whole numbers",
        oracle=lambda n: (_multiply_from(n, "input"), _multiply_from(n, "output")),
        cases=_widths,
        right=lambda n: (
            n[0] * sum(a * b for a, b in itertools.pairwise(n[1:])),
            n[-1] * sum(a * b for a, b in itertools.pairwise(n[:-1])),
        ),
        proves="Counted by multiplying shapes.",
        placeholder=lambda n: None,
        wrong=(
            Wrong(
                lambda n: (
                    n[0] * sum(a * b for a, b in itertools.pairwise(n)),
                    n[-1] * sum(a * b for a, b in itertools.pairwise(n)),
                ),
                "L matrices take L - 1 products: one pair too many in each sum.",
            ),
            Wrong(
                lambda n: (
                    n[-1] * sum(a * b for a, b in itertools.pairwise(n[:-1])),
                    n[0] * sum(a * b for a, b in itertools.pairwise(n[1:])),
                ),
                "The two are exchanged: forward carries the columns of the input.",
            ),
            Wrong(
                lambda n: (
                    sum(a * b for a, b in itertools.pairwise(n[1:])),
                    sum(a * b for a, b in itertools.pairwise(n[:-1])),
                ),
                "That is for a single direction; a Jacobian has as many as it has columns or rows.",
            ),
        ),
    ),
    Exercise(
        "04-count",
        "a number",
        oracle=lambda: _operations(0.8, 1.1),
        right=10,
        proves="Three forward, seven back.",
        wrong=(
            Wrong(9, "The cosine or the addition at the shared node is missing."),
            Wrong(7, "That is the way back alone; the value is computed too."),
            Wrong(15, "That is the bound 5 times 3, not the count."),
            Wrong(12, "The first contribution to a store needs no addition."),
        ),
    ),
    Exercise(
        "04-product",
        "a function product_gradient(x) that returns an array of the shape of x",
        oracle=lambda x: complex_step(np.prod, x),
        cases=_vectors,
        right=lambda x: np.multiply(*_before_after(x)),
        proves="It holds with a zero among the factors, too.",
        placeholder=lambda x: None,
        wrong=(
            Wrong(
                lambda x: np.prod(x) * x,
                "Entry j holds every factor but the j-th.",
            ),
            Wrong(lambda x: _before_after(x)[0], "The factors after j are missing."),
            Wrong(
                lambda x: np.prod(x) / np.where(x == 0, np.inf, x),
                "Dividing by x[j] loses the one derivative that is not zero when x[j] is.",
            ),
        ),
    ),
    Exercise(
        "04-cheapest",
        "a function least(n) that returns a whole number",
        oracle=_least,
        cases=_widths,
        right=_least,
        proves="It agrees with trying every order.",
        placeholder=lambda n: None,
        wrong=(
            Wrong(
                lambda n: min(_multiply_from(n, "input"), _multiply_from(n, "output")),
                "That is the better of the two ends; try widths that are narrow in the middle.",
            ),
            Wrong(_greedy, "Joining the widest place first is a good guess, and not always best."),
            Wrong(
                lambda n: _multiply_from(n, "output"),
                "That is the reverse order.",
            ),
        ),
    ),
    Exercise(
        "04-guess",
        "a function estimate(d, U) that returns an array with one entry per column of U",
        oracle=lambda d, U: np.mean([a * u for a, u in zip(d, U, strict=True)], axis=0),
        cases=_directions,
        right=lambda d, U: d @ U / len(d),
        proves="The mean over the directions.",
        placeholder=lambda d, U: None,
        wrong=(
            Wrong(lambda d, U: d @ U, "A sum over the directions; a mean was asked."),
            Wrong(lambda d, U: U.mean(axis=0), "The sweeps' results are not used."),
            Wrong(
                lambda d, U: np.mean(d) * U.mean(axis=0),
                "The mean of products is not the product of means.",
            ),
            Wrong(
                lambda d, U: d[:, None] * U,
                "One estimate per direction; they remain to be averaged.",
            ),
        ),
    ),
    Exercise(
        "04-second",
        "a function two_orders(x) that returns three numbers",
        oracle=_taylor,
        cases=_points,
        right=lambda x: (
            np.sin(x * x),
            2 * x * np.cos(x * x),
            np.cos(x * x) - 2 * x * x * np.sin(x * x),
        ),
        proves="Two orders in one run.",
        placeholder=lambda x: None,
        wrong=(
            Wrong(
                lambda x: (
                    np.sin(x * x),
                    2 * x * np.cos(x * x),
                    2 * np.cos(x * x) - 4 * x * x * np.sin(x * x),
                ),
                "That is the second derivative; the coefficient is half of it.",
            ),
            Wrong(
                lambda x: (np.sin(x * x), 2 * x * np.cos(x * x), -2 * x * x * np.sin(x * x)),
                "The square of x + e has a second-order part of its own.",
            ),
            Wrong(
                lambda x: (np.sin(x * x), np.cos(x * x), -np.sin(x * x) / 2),
                "Those are the coefficients of the sine at x squared, without the inner function.",
            ),
        ),
    ),
]

check = checker(EXERCISES)
