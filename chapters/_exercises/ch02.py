"""The exercises of chapter 2. The oracles differentiate the whole by the complex step."""

import numpy as np

from bplib.check import complex_step
from bplib.exercises import Exercise, Wrong, checker


def _bar(f, x, y_bar):
    """The cotangent of x, as the derivative of <y_bar, f(x)> by the complex step."""
    return complex_step(lambda v: np.sum(y_bar * f(v)), x)


def _numbers(rng):
    return [(float(v),) for v in rng.normal(size=4)]


def _three_jacobians(rng):
    return [
        tuple(rng.normal(size=s) for s in ((2, 4), (3, 2), (4, 5))),
        tuple(rng.normal(size=(3, 4, 4))),
    ]


def _cyclic(rng):
    return [(rng.normal(size=n), rng.normal(size=n)) for n in (3, 4, 6)]


def _pairs(rng):
    cases = []
    for m, n in ((3, 4), (4, 4)):
        M, N = rng.normal(size=(2, m, n))
        u, v = rng.normal(size=n), rng.normal(size=m)
        cases.append((lambda u, M=M: M @ u, lambda v, M=M: v @ M, u, v))
        cases.append((lambda u, M=M: M @ u, lambda v, N=N: v @ N, u, v))
    return cases


def _vector_and_width(rng):
    return [(rng.normal(size=n), m) for n, m in ((4, 3), (2, 5), (3, 3))]


def _kron_oracle(u, m):
    return complex_step(lambda w: w.reshape(len(u), m).T @ u, np.zeros(len(u) * m))


def _sandwich(rng):
    sizes = ((5, 4, 3, 2), (3, 3, 3, 3))
    return [
        (rng.normal(size=(a, b)), rng.normal(size=(c, d)), rng.normal(size=(a, d)))
        for a, b, c, d in sizes
    ]


def _gram(rng):
    return [(rng.normal(size=(a, b)), rng.normal(size=(b, b))) for a, b in ((5, 3), (4, 4), (2, 3))]


def _inverse(rng):
    return [(4 * np.eye(n) + rng.normal(size=(n, n)), rng.normal(size=(n, n))) for n in (2, 3, 4)]


def _gather(rng):
    cases = []
    for n, picks in ((4, [0, 2, 2, 3, 2]), (3, [1, 1]), (5, [4, 3, 2, 1, 0])):
        cases.append((n, np.array(picks), rng.normal(size=len(picks))))
    return cases


def _assign(n, index, y_bar):
    out = np.zeros(n)
    out[index] = y_bar
    return out


def _scatter_add(n, index, y_bar):
    out = np.zeros(n)
    np.add.at(out, index, y_bar)
    return out


def _scatter_mean(n, index, y_bar):
    return _scatter_add(n, index, y_bar) / np.maximum(np.bincount(index, minlength=n), 1)


def _unit(x):
    return x / np.sqrt(np.sum(x * x))


EXERCISES = [
    Exercise(
        "02-gears",
        "a number",
        oracle=lambda: complex_step(
            lambda x: 1 + 4 * ((5 + 3 * (x - 2)) - 5) + 7 * ((5 + 3 * (x - 2)) - 5) ** 2, 2.0
        ),
        right=12.0,
        proves="The multipliers multiply, each taken where its function stands.",
        wrong=(
            Wrong(21.0, "The outer derivative was taken at x; it belongs at y = g(x)."),
            Wrong(7.0, "The two multipliers were added."),
            Wrong(4.0, "The inner multiplier is missing."),
            Wrong(20.0, "The outer derivative was multiplied by g(2) in place of g'(2)."),
        ),
    ),
    Exercise(
        "02-paths",
        "a function total(x) that returns a number",
        oracle=lambda x: complex_step(lambda v: v * np.sin(v), x),
        cases=_numbers,
        right=lambda x: np.sin(x) + x * np.cos(x),
        proves="Two paths, two terms.",
        placeholder=lambda x: None,
        wrong=(
            Wrong(lambda x: x * np.cos(x), "That is the path through y alone."),
            Wrong(lambda x: np.sin(x), "That is the direct path alone."),
            Wrong(lambda x: np.sin(x) * np.cos(x), "Paths are added, not multiplied."),
            Wrong(lambda x: np.sin(x) - x * np.cos(x), "The derivative of sin is +cos."),
        ),
    ),
    Exercise(
        "02-three",
        "a function jacobian(Jf, Jg, Jh) that returns one matrix",
        oracle=lambda Jf, Jg, Jh: complex_step(
            lambda x: Jg @ (Jf @ (Jh @ x)), np.zeros(Jh.shape[1])
        ),
        cases=_three_jacobians,
        right=lambda Jf, Jg, Jh: Jg @ Jf @ Jh,
        proves="The function that runs first stands on the right.",
        placeholder=lambda Jf, Jg, Jh: None,
        wrong=(
            Wrong(
                lambda Jf, Jg, Jh: Jh @ Jf @ Jg,
                "That is the order in which they run; the first stands on the right.",
            ),
            Wrong(
                lambda Jf, Jg, Jh: Jf @ Jg @ Jh,
                "That is alphabetical order. Which function runs first, and which last?",
            ),
            Wrong(
                lambda Jf, Jg, Jh: (Jg @ Jf @ Jh).T,
                "That is the transpose, which carries cotangents.",
            ),
        ),
    ),
    Exercise(
        "02-cyclic",
        "a function pull(x, y_bar) that returns an array of the shape of x",
        oracle=lambda x, y_bar: _bar(lambda v: v * np.roll(v, -1), x, y_bar),
        cases=_cyclic,
        right=lambda x, y_bar: y_bar * np.roll(x, -1) + np.roll(y_bar * x, 1),
        proves="Each input is heard by two outputs, and no matrix was built.",
        placeholder=lambda x, y_bar: None,
        wrong=(
            Wrong(
                lambda x, y_bar: y_bar * np.roll(x, -1),
                "x_i is also the right-hand factor of the output before it.",
            ),
            Wrong(
                lambda x, y_bar: y_bar * np.roll(x, -1) + y_bar * x,
                "The second contribution comes from the neighbor's output, with its own factor.",
            ),
            Wrong(
                lambda x, y_bar: y_bar * np.roll(x, -1) + np.roll(y_bar * x, -1),
                "The second contribution was shifted the wrong way.",
            ),
            Wrong(
                lambda x, y_bar: y_bar * np.roll(x, -1) + np.roll(y_bar, -1) * x,
                "That is the JVP of the direction y_bar: outputs gather. Here inputs gather.",
            ),
        ),
    ),
    Exercise(
        "02-adjoint",
        "a function gap(push, pull, u, v) that returns a number",
        oracle=lambda push, pull, u, v: float(
            sum(a * b for a, b in zip(v, push(u), strict=True))
            - sum(a * b for a, b in zip(pull(v), u, strict=True))
        ),
        cases=_pairs,
        right=lambda push, pull, u, v: v @ push(u) - pull(v) @ u,
        proves="Zero for a transposed pair, and not for another.",
        placeholder=lambda push, pull, u, v: None,
        wrong=(
            Wrong(
                lambda push, pull, u, v: u @ pull(v) - v @ push(u),
                "The sign is the wrong way round: left side minus right side was asked.",
            ),
            Wrong(lambda push, pull, u, v: v @ push(u), "That is the left side only."),
            Wrong(
                lambda push, pull, u, v: np.sum(push(u)) - np.sum(pull(v)),
                "The two directions are missing from the inner products.",
            ),
        ),
    ),
    Exercise(
        "02-kronecker",
        "a function big_jacobian(u, m) that returns an array of shape (m, len(u) * m)",
        oracle=_kron_oracle,
        cases=_vector_and_width,
        right=lambda u, m: np.kron(u[None, :], np.eye(m)),
        proves="In x out and row by row: the order of the factors is that of out x in by columns.",
        placeholder=lambda u, m: None,
        wrong=(
            Wrong(
                lambda u, m: np.kron(np.eye(m), u[None, :]),
                "That is for W read column by column; NumPy's ravel goes row by row.",
            ),
            Wrong(
                lambda u, m: np.kron(u[:, None], np.eye(m)),
                "The shape is transposed in part: u must be a row here.",
            ),
            Wrong(
                lambda u, m: np.kron(np.ones((1, len(u))), np.eye(m)),
                "The numbers of u are missing.",
            ),
        ),
    ),
    Exercise(
        "02-sandwich",
        "a function pull(A, B, Y_bar) that returns an array of the shape of X",
        oracle=lambda A, B, Y_bar: _bar(
            lambda X: A @ X @ B, np.zeros((A.shape[1], B.shape[0])), Y_bar
        ),
        cases=_sandwich,
        right=lambda A, B, Y_bar: A.T @ Y_bar @ B.T,
        proves="Each factor leaves on its own side, transposed.",
        placeholder=lambda A, B, Y_bar: None,
        wrong=(
            Wrong(
                lambda A, B, Y_bar: B.T @ Y_bar @ A.T,
                "The factors changed sides; a left factor must leave to the left.",
            ),
            Wrong(lambda A, B, Y_bar: A @ Y_bar @ B, "The transposes are missing."),
            Wrong(
                lambda A, B, Y_bar: (A.T @ Y_bar @ B.T).T,
                "That is the transpose of it: a gradient has the shape of its variable.",
            ),
            Wrong(lambda A, B, Y_bar: A.T @ Y_bar @ B, "B did not get its transpose."),
        ),
    ),
    Exercise(
        "02-gram",
        "a function pull(X, Y_bar) that returns an array of the shape of X",
        oracle=lambda X, Y_bar: _bar(lambda V: V.T @ V, X, Y_bar),
        cases=_gram,
        right=lambda X, Y_bar: X @ (Y_bar + Y_bar.T),
        proves="X occurs twice, and Y_bar need not be symmetric.",
        placeholder=lambda X, Y_bar: None,
        wrong=(
            Wrong(lambda X, Y_bar: 2 * X @ Y_bar, "That is right for symmetric Y_bar only."),
            Wrong(lambda X, Y_bar: X @ Y_bar, "X occurs twice; this is the second place only."),
            Wrong(lambda X, Y_bar: X @ Y_bar.T, "X occurs twice; this is the first place only."),
            Wrong(
                lambda X, Y_bar: 2 * X @ Y_bar.T,
                "That is right for symmetric Y_bar only, too.",
            ),
        ),
    ),
    Exercise(
        "02-gather",
        "a function pull(n, index, y_bar) that returns an array of shape (n,)",
        oracle=lambda n, index, y_bar: _bar(lambda v: v[index], np.zeros(n), y_bar),
        cases=_gather,
        right=_scatter_add,
        proves="An entry that is read three times collects three contributions.",
        placeholder=lambda n, index, y_bar: None,
        wrong=(
            Wrong(
                _assign,
                "Only the last contribution to a place was kept (out[index] += y_bar does that, "
                "too): use np.add.at.",
            ),
            Wrong(_scatter_mean, "Contributions of several reads are added, not averaged."),
            Wrong(lambda n, index, y_bar: y_bar[index % len(y_bar)], "That gathers once more."),
        ),
    ),
    Exercise(
        "02-inverse",
        "a function pull(X, Y_bar) that returns an array of the shape of X",
        oracle=lambda X, Y_bar: _bar(np.linalg.inv, X, Y_bar),
        cases=_inverse,
        right=lambda X, Y_bar: -np.linalg.inv(X).T @ Y_bar @ np.linalg.inv(X).T,
        proves="Both inverses leave, each transposed.",
        placeholder=lambda X, Y_bar: None,
        wrong=(
            Wrong(
                lambda X, Y_bar: -np.linalg.inv(X) @ Y_bar @ np.linalg.inv(X),
                "That is the JVP, for a step; the VJP has the transposes.",
            ),
            Wrong(
                lambda X, Y_bar: np.linalg.inv(X).T @ Y_bar @ np.linalg.inv(X).T,
                "The sign is the wrong way round.",
            ),
            Wrong(
                lambda X, Y_bar: -np.linalg.inv(X).T @ np.linalg.inv(X).T @ Y_bar,
                "One inverse stood on the right of dX and must leave on that side.",
            ),
        ),
    ),
    Exercise(
        "02-unit",
        "a function pull(x, y_bar) that returns an array of the shape of x",
        oracle=lambda x, y_bar: _bar(_unit, x, y_bar),
        cases=_cyclic,
        right=lambda x, y_bar: (y_bar - _unit(x) * (_unit(x) @ y_bar)) / np.linalg.norm(x),
        proves="What pushes along x itself is lost: the length was divided out.",
        placeholder=lambda x, y_bar: None,
        wrong=(
            Wrong(
                lambda x, y_bar: y_bar / np.linalg.norm(x),
                "The length depends on x as well: a second path is missing.",
            ),
            Wrong(
                lambda x, y_bar: y_bar - _unit(x) * (_unit(x) @ y_bar),
                "The division by the length is missing.",
            ),
            Wrong(
                lambda x, y_bar: (y_bar - x * (x @ y_bar)) / np.linalg.norm(x),
                "The projection needs the unit vector y, not x.",
            ),
            Wrong(
                lambda x, y_bar: (y_bar + _unit(x) * (_unit(x) @ y_bar)) / np.linalg.norm(x),
                "The second path has the wrong sign: a longer x means a larger divisor.",
            ),
        ),
    ),
    Exercise(
        "02-scores",
        "a function pull(Q, K, S_bar) that returns a pair (Q_bar, K_bar)",
        oracle=lambda Q, K, S_bar: (
            _bar(lambda V: V @ K.T / np.sqrt(K.shape[1]), Q, S_bar),
            _bar(lambda V: Q @ V.T / np.sqrt(K.shape[1]), K, S_bar),
        ),
        cases=lambda rng: [
            (rng.normal(size=(a, d)), rng.normal(size=(b, d)), rng.normal(size=(a, b)))
            for a, b, d in ((5, 4, 3), (4, 4, 4))
        ],
        right=lambda Q, K, S_bar: (
            S_bar @ K / np.sqrt(K.shape[1]),
            S_bar.T @ Q / np.sqrt(K.shape[1]),
        ),
        proves="The scores of attention, one of its two products; nothing new was needed.",
        placeholder=lambda Q, K, S_bar: None,
        wrong=(
            Wrong(
                lambda Q, K, S_bar: (S_bar @ K, S_bar.T @ Q),
                "The division by the root of d is missing.",
            ),
            Wrong(
                lambda Q, K, S_bar: (
                    S_bar @ K / np.sqrt(K.shape[1]),
                    S_bar @ Q / np.sqrt(K.shape[1]),
                ),
                "K entered transposed, so its cotangent is that of K^T, turned back.",
            ),
            Wrong(
                lambda Q, K, S_bar: (
                    S_bar @ K / K.shape[1],
                    S_bar.T @ Q / K.shape[1],
                ),
                "The divisor is the root of d, not d.",
            ),
        ),
    ),
]

check = checker(EXERCISES)
