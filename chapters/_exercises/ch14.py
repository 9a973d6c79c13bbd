"""The exercises of chapter 14. The oracles use the complex step, loops, counts and dense tables."""

from itertools import pairwise

import numpy as np

from bplib.check import complex_step
from bplib.exercises import Exercise, Wrong, checker


def _gradient_of(M):
    """The gradient of (x M x)^2 / 4 + sum(cos x), for a symmetric M; runs on complex arrays."""

    def g(x):
        return (x @ M @ x) * (M @ x) - np.sin(x)

    return g


def _symmetric(rng, n):
    M = rng.normal(size=(n, n))
    return (M + M.T) / 2


def _gradients(rng):
    return [
        (_gradient_of(_symmetric(rng, n)), rng.normal(size=n), rng.normal(size=n))
        for n in (3, 5, 1)
    ]


def _linear_oracle(X):
    """The complex step of the gradient of the loss, with targets that must not matter."""
    t = np.linspace(-1.0, 2.0, len(X))
    return complex_step(lambda w: X.T @ (X @ w - t) / len(X), np.zeros(X.shape[1]))


def _worst(M):
    worst = largest = 0.0
    for i in range(len(M)):
        for j in range(len(M)):
            worst = max(worst, abs(float(M[i, j]) - float(M[j, i])))
            largest = max(largest, abs(float(M[i, j])))
    return worst / largest


def _layers(rng):
    cases = []
    for B, n, m in ((3, 4, 2), (2, 3, 3), (4, 4, 4)):
        shapes = [(B, m), (B, m), (n, m), (n, m), (B, n), (B, n)]
        cases.append(tuple(rng.normal(size=s) for s in shapes))
    return cases


def _delta_oracle(Delta, Delta_dot, W, W_dot, Z, Z_dot):
    """Everything moved at once by an imaginary step."""
    h = 1e-30
    moved = (Delta + 1j * h * Delta_dot) @ (W + 1j * h * W_dot).T
    return (moved / np.cosh(Z + 1j * h * Z_dot) ** 2).imag / h


def _delta_dot(Delta, Delta_dot, W, W_dot, Z, Z_dot):
    a = np.tanh(Z)
    s = 1 - a * a
    return (Delta_dot @ W.T + Delta @ W_dot.T) * s - 2 * a * s * Z_dot * (Delta @ W.T)


def _count(n, B):
    """The products of gradient and dots, one by one."""
    gradient = both = 0
    for layer, (a, b) in enumerate(pairwise(n)):
        size = B * a * b
        first = layer == 0
        gradient += size * (2 if first else 3)  # forward, weights, and the way down
        # Each product of two moving factors becomes two; the data does not move.
        both += size * (4 if first else 9)
    return gradient, both


def _powers(rng):
    cases = []
    for eigenvalues in ((3.0, 1.0, 0.2), (-4.0, 1.5, 1.0, 0.3), (2.0, -1.0)):
        U, _ = np.linalg.qr(rng.normal(size=(len(eigenvalues),) * 2))
        H = U @ np.diag(eigenvalues) @ U.T
        cases.append((lambda v, H=H: H @ v, rng.normal(size=len(eigenvalues)), 25))
    return cases


def _power_oracle(multiply, v, steps):
    """All products first, and one division at the end."""
    for _ in range(steps):
        v = multiply(v)
    return float(v @ multiply(v) / (v @ v))


def _power(multiply, v, steps):
    for _ in range(steps):
        v = multiply(v)
        v = v / np.linalg.norm(v)
    return v @ multiply(v)


def _norm_power(multiply, v, steps):
    for _ in range(steps):
        v = multiply(v)
        v = v / np.linalg.norm(v)
    return np.linalg.norm(multiply(v))


def _product_only(multiply, v, steps):
    for _ in range(steps):
        v = multiply(v)
    return v @ multiply(v)


def _sign_rows(rng):
    cases = []
    for n, rows in ((3, 4), (5, 7), (2, 1)):
        H, U = _symmetric(rng, n), rng.choice([-1.0, 1.0], size=(rows, n))
        cases.append((U, U @ H))
    return cases


def _diagonal_oracle(U, HU):
    total = np.zeros(U.shape[1])
    for u, p in zip(U, HU, strict=True):
        for i in range(len(u)):
            total[i] += u[i] * p[i]
    return total / len(U)


def _softmax_cases(rng):
    cases = []
    for K, n in ((3, 4), (2, 2), (4, 4)):
        p = np.exp(rng.normal(size=K))
        cases.append((rng.normal(size=(K, n)), p / p.sum(), rng.normal(size=n)))
    return cases


def _indefinite(rng):
    return [(_symmetric(rng, n), rng.normal(size=n)) for n in (3, 4, 2)] + [
        (np.diag([2.0, 0.5]), np.array([1.0, -1.0])),
        (np.diag([2.0, -0.5]), np.array([1.0, -1.0])),
    ]


def _step_by_eigenvectors(H, g):
    values, U = np.linalg.eigh(H)
    return U @ (-(U.T @ g) / (values + 1 + max(0.0, -values[0])))


def _damped(H, g, lam):
    return np.linalg.solve(H + lam * np.eye(len(g)), -g)


EXERCISES = [
    Exercise(
        "14-by-hand",
        "two rows of two numbers",
        oracle=lambda: np.array([[4.0, 2.0], [2.0, 12.0]]),
        right=np.array([[4.0, 2.0], [2.0, 12.0]]),
        proves="Symmetric, as it must be; the mixed entries are 2x.",
        wrong=(
            Wrong(
                np.array([[4.0, 2.0], [4.0, 12.0]]),
                "The two mixed entries differ; one of them is not the derivative you wanted.",
            ),
            Wrong(
                np.array([[4.0, 13.0], [13.0, 12.0]]),
                "Those are first derivatives off the diagonal: differentiate once more.",
            ),
            Wrong(
                np.array([[16.0, 52.0], [52.0, 169.0]]),
                "That is the gradient times itself transposed, not a second derivative.",
            ),
        ),
    ),
    Exercise(
        "14-product",
        "a function product_of(g, theta, v) that returns an array of the shape of theta",
        oracle=lambda g, theta, v: complex_step(g, theta) @ v,
        cases=_gradients,
        right=lambda g, theta, v: g(theta + 1e-30j * v).imag / 1e-30,
        proves="A forward sweep over the gradient, on borrowed hardware.",
        placeholder=lambda g, theta, v: None,
        wrong=(
            Wrong(
                lambda g, theta, v: g(theta + 1e-30j * v).imag,
                "The imaginary part still holds the step: divide by it.",
            ),
            Wrong(
                lambda g, theta, v: v * (g(theta + 1e-30j).imag / 1e-30),
                "The step must go along v, not along all ones.",
            ),
            Wrong(
                lambda g, theta, v: np.dot(g(theta), v) * v,
                "That is the part of the gradient along v; how the gradient changes was asked.",
            ),
        ),
    ),
    Exercise(
        "14-linear",
        "a function linear_hessian(X) that returns an array",
        oracle=_linear_oracle,
        cases=lambda rng: [(rng.normal(size=s),) for s in ((5, 3), (4, 4), (2, 3))],
        right=lambda X: X.T @ X / len(X),
        proves="The same bowl everywhere, whatever the targets.",
        placeholder=lambda X: None,
        wrong=(
            Wrong(lambda X: X.T @ X, "The mean over the batch is missing."),
            Wrong(lambda X: 2 * X.T @ X / len(X), "The 1/2 of the loss cancels the 2."),
            Wrong(lambda X: X @ X.T / len(X), "That has a row for each sample, not each weight."),
        ),
    ),
    Exercise(
        "14-symmetric",
        "a function asymmetry_of(M) that returns a number",
        oracle=_worst,
        cases=lambda rng: [
            (rng.normal(size=(3, 3)),),
            (_symmetric(rng, 4) + 1e-3 * rng.normal(size=(4, 4)),),
            (-2.0 - rng.uniform(size=(3, 3)),),
        ],
        right=lambda M: np.abs(M - M.T).max() / np.abs(M).max(),
        proves="One number that only a gradient program without inconsistencies makes small.",
        placeholder=lambda M: None,
        wrong=(
            Wrong(
                lambda M: np.abs(M - M.T).max(),
                "The size of M matters: divide by its largest entry.",
            ),
            Wrong(
                lambda M: np.abs(M - M.T).mean() / np.abs(M).mean(),
                "A mean hides one wrong entry among many right ones.",
            ),
            Wrong(
                lambda M: np.abs(M - M.T).max() / np.abs(M.max()),
                "The largest entry in size: take the absolute value before the maximum.",
            ),
        ),
    ),
    Exercise(
        "14-delta",
        "a function delta_dot(Delta, Delta_dot, W, W_dot, Z, Z_dot) that returns an array",
        oracle=_delta_oracle,
        cases=_layers,
        right=_delta_dot,
        proves="Three factors move, three terms.",
        placeholder=lambda Delta, Delta_dot, W, W_dot, Z, Z_dot: None,
        wrong=(
            Wrong(
                lambda D, Dd, W, Wd, Z, Zd: (Dd @ W.T + D @ Wd.T) * (1 - np.tanh(Z) ** 2),
                "The unit slides along its curve: the term with phi'' is missing.",
            ),
            Wrong(
                lambda D, Dd, W, Wd, Z, Zd: (
                    _delta_dot(D, Dd, W, Wd, Z, Zd) - (D @ Wd.T) * (1 - np.tanh(Z) ** 2)
                ),
                "The weights above move too: a term with W_dot is missing.",
            ),
            Wrong(
                lambda D, Dd, W, Wd, Z, Zd: _delta_dot(D, Dd, W, Wd, Z, -Zd),
                "The sign of the term with phi'' is reversed.",
            ),
            Wrong(
                lambda D, Dd, W, Wd, Z, Zd: _delta_dot(D, Dd, W, Wd, Z, np.ones_like(Zd)),
                "phi'' must be multiplied by how fast Z moves.",
            ),
        ),
    ),
    Exercise(
        "14-cost",
        "a function two_costs(n, B) that returns a pair of numbers",
        oracle=_count,
        cases=lambda rng: [([5, 4, 3, 2], 6), ([3, 7], 2), ([1, 2, 3, 4, 5], 1)],
        right=lambda n, B: (
            B * (3 * sum(a * b for a, b in pairwise(n)) - n[0] * n[1]),
            B * (9 * sum(a * b for a, b in pairwise(n)) - 5 * n[0] * n[1]),
        ),
        proves="Never more than three gradients.",
        placeholder=lambda n, B: None,
        wrong=(
            Wrong(
                lambda n, B: (
                    3 * B * sum(a * b for a, b in pairwise(n)),
                    9 * B * sum(a * b for a, b in pairwise(n)),
                ),
                "The first layer is cheaper: the data has no gradient and no dot.",
            ),
            Wrong(
                lambda n, B: (
                    B * (3 * sum(a * b for a, b in pairwise(n)) - n[0] * n[1]),
                    B * (8 * sum(a * b for a, b in pairwise(n)) - 5 * n[0] * n[1]),
                ),
                "That is the product alone; the pair asks for gradient and product together.",
            ),
            Wrong(
                lambda n, B: (
                    3 * sum(a * b for a, b in pairwise(n)) - n[0] * n[1],
                    9 * sum(a * b for a, b in pairwise(n)) - 5 * n[0] * n[1],
                ),
                "That is for one sample; every row of the batch takes as much.",
            ),
        ),
    ),
    Exercise(
        "14-largest",
        "a function steepest_curvature(multiply, v, steps) that returns a number",
        oracle=_power_oracle,
        cases=_powers,
        right=_power,
        proves="The quotient keeps the sign.",
        placeholder=lambda multiply, v, steps: None,
        wrong=(
            Wrong(_norm_power, "A norm has no sign: for a downward bend this is wrong."),
            Wrong(_product_only, "Divide by the length, or the number grows with every step."),
            Wrong(
                lambda multiply, v, steps: v @ multiply(v) / (v @ v),
                "That is the curvature along the start: no step was made.",
            ),
        ),
    ),
    Exercise(
        "14-diagonal",
        "a function diagonal_estimate(U, HU) that returns an array, one entry for each weight",
        oracle=_diagonal_oracle,
        cases=_sign_rows,
        right=lambda U, HU: (U * HU).mean(axis=0),
        proves="What is off the diagonal averages out.",
        placeholder=lambda U, HU: None,
        wrong=(
            Wrong(lambda U, HU: HU.mean(axis=0), "Without the factor u everything averages out."),
            Wrong(lambda U, HU: (U * HU).sum(axis=0), "That is the sum over the rows."),
            Wrong(lambda U, HU: (U * HU).sum(axis=1), "One number for each weight, not each row."),
        ),
    ),
    Exercise(
        "14-gauss-newton",
        "a function softmax_product(Jz, p, v) that returns an array of the shape of v",
        oracle=lambda Jz, p, v: Jz.T @ (np.diag(p) - np.outer(p, p)) @ (Jz @ v),
        cases=_softmax_cases,
        right=lambda Jz, p, v: Jz.T @ (p * (Jz @ v) - p * (p @ (Jz @ v))),
        proves="Down through the network, across the softmax, and back.",
        placeholder=lambda Jz, p, v: None,
        wrong=(
            Wrong(
                lambda Jz, p, v: Jz.T @ (p * (Jz @ v)),
                "The probabilities are tied together: the term with p p^T is missing.",
            ),
            Wrong(lambda Jz, p, v: Jz.T @ (Jz @ v), "The loss bends too: Q is missing."),
            Wrong(
                lambda Jz, p, v: Jz.T @ (p * (Jz @ v) - p * (Jz @ v).sum()),
                "p p^T u is p times the inner product of p and u, not times the sum of u.",
            ),
        ),
    ),
    Exercise(
        "14-damped",
        "a function damped_step(H, g) that returns an array of the shape of g",
        oracle=_step_by_eigenvectors,
        cases=_indefinite,
        right=lambda H, g: _damped(H, g, 1 + max(0.0, -np.linalg.eigvalsh(H)[0])),
        proves="All damped curvatures are at least 1, so it goes down.",
        placeholder=lambda H, g: None,
        wrong=(
            Wrong(lambda H, g: np.linalg.solve(H, -g), "Undamped: it may go up."),
            Wrong(lambda H, g: _damped(H, g, 1.0), "Not enough where a curvature is below -1."),
            Wrong(
                lambda H, g: -_damped(H, g, 1 + max(0.0, -np.linalg.eigvalsh(H)[0])),
                "The sign: one walks against the gradient.",
            ),
            Wrong(
                lambda H, g: _damped(H, g, 1 - np.linalg.eigvalsh(H)[0]),
                "Where no curvature is negative, only 1 is to be added.",
            ),
        ),
    ),
    Exercise(
        "14-confused",
        "a number",
        oracle=lambda: 5.0,
        right=5.0,
        proves="One epsilon for two derivatives.",
        wrong=(
            Wrong(6.0, "That is the true derivative; the untagged D does not find it."),
            Wrong(3.0, "That is the inner derivative, as it should have been at x = 3."),
            Wrong(15.0, "That is the value of x times the confused inner derivative."),
        ),
    ),
]

check = checker(EXERCISES)
