"""The exercises of chapter 1; oracles: limits of quotients, bisection, the complex step."""

import numpy as np

from bplib.check import complex_step
from bplib.exercises import Exercise, Wrong, checker


def _vanishing(candidates):
    """The letters of those functions whose quotient by the step is tiny at a tiny step."""
    return "".join(sorted(k for k, g in candidates.items() if abs(g(1e-200) / 1e-200) < 1e-6))


_CANDIDATES = {
    "A": lambda p: 0.001 * p,
    "B": lambda p: p**2,
    "C": lambda p: p**1.5,
    "D": lambda p: np.sqrt(p),
    "E": lambda p: p * np.log(p),
}

_ABSOLUTE = {
    "A": lambda x: np.abs(x),
    "B": lambda x: np.sqrt(x * x),
    "C": lambda x: np.where(x.real < 0, -x, x),
    "D": lambda x: np.sqrt(x.conj() * x),
}


def _survives():
    """The letters of the lines whose imaginary part carries the slope of |x| at -2, which is -1."""
    z = np.array(-2 + 1e-30j)
    return "".join(k for k, g in _ABSOLUTE.items() if np.isclose(np.imag(g(z)) / 1e-30, -1))


def _points(rng):
    return [(rng.normal(size=2),) for _ in range(4)]


def _slopes(rng):
    return [
        (lambda x: np.sum(np.sin(x)) * x[0], rng.normal(size=4), 3 * rng.normal(size=4)),
        (lambda x: np.tanh(x) * x[::-1], rng.normal(size=3), rng.normal(size=3)),
    ]


def _two_matrices(rng):
    return [(rng.normal(size=(n, n)), rng.normal(size=(n, n))) for n in (2, 3, 4)]


def _quadratic(rng):
    return [(rng.normal(size=(n, n)), rng.normal(size=n)) for n in (2, 3, 5)]


def _sizes(rng):
    return [(f0, f2, u) for (f0, f2), u in zip(rng.uniform(0.5, 3, (3, 2)), (1e-16, 6e-8, 1e-3))]  # noqa: B905


def _least(error):
    """The step at which an error formula is least: its slope, by the complex step, bisected."""
    low, high = -20.0, 5.0
    for _ in range(200):
        middle = (low + high) / 2
        slope = complex_step(lambda t: error(np.exp(t)), middle)
        low, high = (low, middle) if slope > 0 else (middle, high)
    return float(np.exp(low))


def _two_steps(rng):
    """Quotients at h and h/2 whose only error is c h^2, and the step itself."""
    cases = []
    for _ in range(3):
        slope, c, h = rng.normal(), 5 * rng.normal(), rng.uniform(0.2, 0.5)
        cases.append((slope + c * h**2, slope + c * (h / 2) ** 2, h))
    return cases


def _extrapolated(coarse, fine, h):
    """The value at step 0 of the straight line in h^2 through both quotients."""
    return np.polynomial.Polynomial.fit([h**2, h**2 / 4], [coarse, fine], 1)(0.0)


def _metric(rng):
    cases = []
    for n in (2, 3, 4):
        R = rng.normal(size=(n, n))
        cases.append((rng.normal(size=n), R @ R.T + np.eye(n)))
    return cases


def _representer(d, M):
    """The g with g^T M v = d^T v for every v, by solving for the unit vectors."""
    return np.linalg.lstsq(M.T, d, rcond=None)[0]


def _inverse(rng):
    return [(4 * np.eye(n) + rng.normal(size=(n, n)), rng.normal(size=(n, n))) for n in (2, 3, 4)]


EXERCISES = [
    Exercise(
        "01-multiplier",
        "a number",
        oracle=lambda: 10 + (-2) * 0.05,
        right=9.9,
        proves="Value plus multiplier times step.",
        wrong=(
            Wrong(10.1, "The multiplier is negative: the value falls."),
            Wrong(9.95, "The step was subtracted without its multiplier."),
            Wrong(-0.1, "That is the change; the value was asked."),
            Wrong(8.0, "That is the change for a step of 1."),
        ),
    ),
    Exercise(
        "01-little-o",
        "a text with the letters that qualify, such as 'AD'",
        oracle=lambda: _vanishing(_CANDIDATES),
        right="BC",
        proves="Only these two, divided by p, go to zero.",
        placeholder="",
        wrong=(
            Wrong("ABC", "A divided by p is 0.001 at every p: small, but it does not go to 0."),
            Wrong("B", "C divided by p is the square root of p, which goes to 0 as well."),
            Wrong("BCE", "E divided by p is log p, which grows without bound."),
            Wrong("BCD", "D divided by p is 1 over the square root of p: it grows."),
        ),
    ),
    Exercise(
        "01-jacobian",
        "a function jac(x) that returns an array of shape (3, 2)",
        oracle=lambda x: complex_step(
            lambda v: np.stack([v[0] ** 2 * v[1], np.exp(v[1]), v[0] - v[1]]), x
        ),
        cases=_points,
        right=lambda x: np.array([[2 * x[0] * x[1], x[0] ** 2], [0, np.exp(x[1])], [1, -1]]),
        proves="A row for each output, a column for each input.",
        placeholder=lambda x: None,
        wrong=(
            Wrong(
                lambda x: np.array([[2 * x[0] * x[1], x[0] ** 2], [0, np.exp(x[1])], [1, -1]]).T,
                "That is its transpose: rows belong to outputs.",
            ),
            Wrong(
                lambda x: np.array([[2 * x[0] * x[1], x[0] ** 2], [0, np.exp(x[1])], [1, 1]]),
                "The last entry has the wrong sign.",
            ),
            Wrong(
                lambda x: np.array([[2 * x[0], x[0] ** 2], [0, np.exp(x[1])], [1, -1]]),
                "In the first entry the other input was held at 1 instead of where it is.",
            ),
        ),
    ),
    Exercise(
        "01-slope",
        "a function slope(f, x, v) that returns what f(x) returns",
        oracle=lambda f, x, v: complex_step(f, x) @ v,
        cases=_slopes,
        right=lambda f, x, v: np.imag(f(x + 1e-30j * v)) / 1e-30,
        proves="All inputs move at once: one run, however many there are.",
        placeholder=lambda f, x, v: None,
        wrong=(
            Wrong(
                lambda f, x, v: np.imag(f(x + 1e-30j * v / np.linalg.norm(v))) / 1e-30,
                "The direction was scaled to length 1; the derivative is linear in v as it is.",
            ),
            Wrong(
                lambda f, x, v: np.real(f(x + 1e-30j * v)) / 1e-30,
                "The slope is in the imaginary part.",
            ),
            Wrong(
                lambda f, x, v: np.imag(f(x + 1e-30j)) / 1e-30,
                "That moves every input by the same amount; v is missing.",
            ),
            Wrong(
                lambda f, x, v: (f(x + 1e-7 * v) - f(x)) / 1e-7,
                "A difference quotient loses half of the digits.",
            ),
        ),
    ),
    Exercise(
        "01-cube",
        "a function d_cube(X, P) that returns an array of the shape of X",
        oracle=lambda X, P: complex_step(lambda r: (X + r * P) @ (X + r * P) @ (X + r * P), 0.0),
        cases=_two_matrices,
        right=lambda X, P: P @ X @ X + X @ P @ X + X @ X @ P,
        proves="One term for each factor that may move.",
        placeholder=lambda X, P: None,
        wrong=(
            Wrong(lambda X, P: 3 * X @ X @ P, "That would be right if X and P commuted."),
            Wrong(
                lambda X, P: P @ X @ X + X @ X @ P, "The middle factor moves as well: a third term."
            ),
            Wrong(lambda X, P: 3 * X**2 * P, "That is the derivative of the entrywise cube."),
            Wrong(
                lambda X, P: 3 * P @ X @ X,
                "That would be right if X and P commuted, see the order.",
            ),
        ),
    ),
    Exercise(
        "01-quadratic",
        "a function grad_quadratic(M, x) that returns an array of the shape of x",
        oracle=lambda M, x: complex_step(lambda v: v @ M @ v, x),
        cases=_quadratic,
        right=lambda M, x: (M + M.T) @ x,
        proves="Two factors x, two terms.",
        placeholder=lambda M, x: None,
        wrong=(
            Wrong(lambda M, x: 2 * M @ x, "That is right for symmetric M only."),
            Wrong(lambda M, x: M @ x, "x occurs twice; only one of its places was counted."),
            Wrong(lambda M, x: M.T @ x, "x occurs twice; only one of its places was counted, too."),
            Wrong(lambda M, x: 2 * M.T @ x, "That is right for symmetric M only, too."),
        ),
    ),
    Exercise(
        "01-metric",
        "a function gradient_in(d, M) that returns an array of the shape of d",
        oracle=_representer,
        cases=_metric,
        right=lambda d, M: np.linalg.solve(M, d),
        proves="The derivative is the same; the vector that stands for it changes with the ruler.",
        placeholder=lambda d, M: None,
        wrong=(
            Wrong(lambda d, M: M @ d, "M is on the wrong side: g^T M v must equal d^T v."),
            Wrong(lambda d, M: d, "That is the gradient for the usual inner product."),
            Wrong(
                lambda d, M: d / np.diag(M),
                "Dividing by the diagonal is right only if M is diagonal.",
            ),
        ),
    ),
    Exercise(
        "01-one-sided",
        "a function best_step(f0, f2, u) that returns a number",
        oracle=lambda f0, f2, u: _least(lambda h: h / 2 * f2 + 2 * u * f0 / h),
        cases=_sizes,
        right=lambda f0, f2, u: 2 * np.sqrt(u * f0 / f2),
        proves="In float64 about 1e-8, with an error of the same size: half of the digits.",
        placeholder=lambda f0, f2, u: None,
        wrong=(
            Wrong(
                lambda f0, f2, u: np.sqrt(u * f0 / f2),
                "A factor is missing: solve h^2 = 4 u f0/f2.",
            ),
            Wrong(
                lambda f0, f2, u: (3 * u * f0 / f2) ** (1 / 3),
                "That is the central difference's step, with f'' in place of f'''.",
            ),
            Wrong(lambda f0, f2, u: 4 * u * f0 / f2, "The root is missing."),
        ),
    ),
    Exercise(
        "01-two-steps",
        "a function extrapolate(coarse, fine, h) that returns a number",
        oracle=_extrapolated,
        cases=_two_steps,
        right=lambda coarse, fine, h: (4 * fine - coarse) / 3,
        proves="The h^2 error is gone, and h was not needed; what remains is of order h^4.",
        placeholder=lambda coarse, fine, h: None,
        wrong=(
            Wrong(
                lambda coarse, fine, h: 2 * fine - coarse,
                "That cancels an error proportional to h; this one is proportional to h^2.",
            ),
            Wrong(lambda coarse, fine, h: (coarse + fine) / 2, "A mean keeps the error."),
            Wrong(
                lambda coarse, fine, h: 4 * fine - coarse,
                "The error is gone, but the weights must add up to 1.",
            ),
            Wrong(
                lambda coarse, fine, h: (4 * coarse - fine) / 3,
                "Coarse and fine are exchanged: the better value gets the larger weight.",
            ),
        ),
    ),
    Exercise(
        "01-absolute",
        "a text with the letters that qualify, such as 'AD'",
        oracle=_survives,
        right="BC",
        proves="Both are analytic away from zero and equal to |x| on the real line.",
        placeholder="",
        wrong=(
            Wrong(
                "ABC", "np.abs returns a real number: the imaginary part, and the slope, is lost."
            ),
            Wrong("BCD", "A number times its conjugate is real: the slope is lost."),
            Wrong(
                "C", "The root of a square is analytic away from zero; look at its imaginary part."
            ),
            Wrong("B", "The comparison looks at the real part only and passes x on untouched."),
        ),
    ),
    Exercise(
        "01-inverse",
        "a function d_inverse(X, P) that returns an array of the shape of X",
        oracle=lambda X, P: complex_step(lambda r: np.linalg.inv(X + r * P), 0.0),
        cases=_inverse,
        right=lambda X, P: -np.linalg.inv(X) @ P @ np.linalg.inv(X),
        proves="In one dimension this is the derivative of 1/x.",
        placeholder=lambda X, P: None,
        wrong=(
            Wrong(
                lambda X, P: -np.linalg.inv(X) @ np.linalg.inv(X) @ P,
                "P must stand between the two inverses: matrices do not commute.",
            ),
            Wrong(
                lambda X, P: np.linalg.inv(X) @ P @ np.linalg.inv(X),
                "The sign is the wrong way round.",
            ),
            Wrong(lambda X, P: -np.linalg.inv(P), "That is no linear function of P."),
            Wrong(
                lambda X, P: -P @ np.linalg.inv(X) @ np.linalg.inv(X),
                "P must stand between the two inverses: the order matters.",
            ),
        ),
    ),
]

check = checker(EXERCISES)
