"""The exercises of chapter 0. The oracles use plain loops and the complex step."""

import numpy as np

from bplib.check import complex_step
from bplib.exercises import Exercise, Wrong, checker

SIZES = (5, 4, 3), (1, 2, 6), (4, 4, 4)  # (B, n_in, n_out), one of them square


def _layer(rng):
    return [
        (rng.normal(size=(B, m)), rng.normal(size=(m, n)), rng.normal(size=n)) for B, m, n in SIZES
    ]


def _torch(rng):
    return [(rng.normal(size=(n, m)), rng.normal(size=n)) for _, m, n in SIZES]


def _columns(rng):
    return [
        (rng.normal(size=(B, m)), rng.normal(size=(n, m)), rng.normal(size=n)) for B, m, n in SIZES
    ]


def _sum(rng):
    return [(rng.normal(size=(B, n)), rng.normal(size=(m, n))) for B, m, n in SIZES]


def _one(rng):
    return [(rng.normal(size=(B, n)),) for B, _, n in SIZES]


def _two(rng):
    return [(rng.normal(size=(B, n)), rng.normal(size=(B, n))) for B, _, n in SIZES]


def _three(rng):
    return [
        (rng.normal(size=(B, 2)), rng.normal(size=(B, m)), rng.normal(size=(n, 2)))
        for B, m, n in ((5, 4, 3), (1, 3, 3))
    ] + [tuple(rng.normal(size=(3, 4, 4)))]


def _loop_layer(A, W, b):
    return [[sum(a[j] * W[j, k] for j in range(len(a))) + b[k] for k in range(len(b))] for a in A]


EXERCISES = [
    Exercise(
        "00-shape",
        "a pair of whole numbers",
        oracle=lambda: (np.zeros((32, 64)) @ np.zeros((64, 10))).shape,
        right=(32, 10),
        proves="One row per image, one column per unit.",
        wrong=(
            Wrong((10, 32), "That is the transpose: a batch is rows."),
            Wrong((64, 10), "That is the shape of W."),
            Wrong((32, 64), "That is the shape of the images."),
        ),
    ),
    Exercise(
        "00-index",
        "a pair (j, k) of whole numbers",
        oracle=lambda: (1 - 1, 3 - 1),
        right=(0, 2),
        proves="From the first unit to the third.",
        wrong=(
            Wrong((2, 0), "S2 writes out x in; this book writes in x out."),
            Wrong((1, 3), "The order is right, but Python counts from 0."),
            Wrong((3, 1), "S2 writes out x in, and Python counts from 0."),
        ),
    ),
    Exercise(
        "00-layer",
        "a function layer(A, W, b) that returns an array of shape (B, n_out)",
        oracle=_loop_layer,
        cases=_layer,
        right=lambda A, W, b: A @ W + b,
        proves="It agrees with the sum over j, entry by entry.",
        placeholder=lambda A, W, b: None,
        wrong=(
            Wrong(lambda A, W, b: A @ W, "The bias is missing."),
            Wrong(lambda A, W, b: A @ (W + b), "The bias is added to Z, not to every weight."),
            Wrong(lambda A, W, b: A @ W.T + b, "W is in x out: it needs no transpose here."),
        ),
    ),
    Exercise(
        "00-torch",
        "a function from_torch(weight, bias) that returns the pair (W, b)",
        oracle=lambda weight, bias: (
            [[weight[k, j] for k in range(weight.shape[0])] for j in range(weight.shape[1])],
            bias,
        ),
        cases=_torch,
        right=lambda weight, bias: (weight.T, bias),
        proves="The rows have become columns, entry by entry.",
        placeholder=lambda weight, bias: None,
        wrong=(
            Wrong(
                lambda weight, bias: (weight.reshape(weight.shape[::-1]), bias),
                "reshape cuts the same sequence of numbers anew; it does not transpose.",
            ),
            Wrong(lambda weight, bias: (weight, bias), "weight is still out x in."),
            Wrong(lambda weight, bias: (weight.T, -bias), "The bias keeps its sign."),
        ),
    ),
    Exercise(
        "00-columns",
        "a function rows(X, V, c) that returns an array of shape (B, n_out)",
        oracle=lambda X, V, c: [
            [sum(V[k, j] * x[j] for j in range(len(x))) + c[k] for k in range(len(c))] for x in X
        ],
        cases=_columns,
        right=lambda X, V, c: X @ V.T + c,
        proves="Every row is the text's layer for one sample.",
        placeholder=lambda X, V, c: None,
        wrong=(
            Wrong(lambda X, V, c: X @ V + c, "V is out x in; only a square V lets this run."),
            Wrong(lambda X, V, c: (V @ X.T).T, "The bias is missing."),
            Wrong(
                lambda X, V, c: V @ X.T + c[:, None],
                "The numbers are right, but the samples stand in columns.",
            ),
        ),
    ),
    Exercise(
        "00-sum",
        "a function read_the_sum(D, W) that returns an array of shape (B, n_in)",
        oracle=lambda D, W: [[np.dot(ds, ws) for ws in W] for ds in D],
        cases=_sum,
        right=lambda D, W: D @ W.T,
        proves="The second index of both is summed.",
        placeholder=lambda D, W: None,
        wrong=(
            Wrong(lambda D, W: W @ D.T, "That is the transpose of what was asked."),
            Wrong(lambda D, W: D @ W, "This sums the first index of W, and only a square W runs."),
            Wrong(
                lambda D, W: np.einsum("sk,jk->sj", D, W) / W.shape[1], "It is a sum, not a mean."
            ),
        ),
    ),
    Exercise(
        "00-ones",
        "a function ones_at_work(Delta) that returns an array of shape (n,)",
        oracle=lambda D: [sum(D[s, k] for s in range(len(D))) for k in range(D.shape[1])],
        cases=_one,
        right=lambda D: D.sum(axis=0),
        proves="Ones on the right of a transpose sum the rows.",
        placeholder=lambda D: None,
        wrong=(
            Wrong(lambda D: D.sum(axis=1), "That sums along each row and leaves one per sample."),
            Wrong(lambda D: D.mean(axis=0), "There is no division in a product with ones."),
            Wrong(lambda D: D.sum(), "That sums everything."),
        ),
    ),
    Exercise(
        "00-loss",
        "a function half_squared(A, T) that returns a number",
        oracle=lambda A, T: np.vdot(A - T, A - T) / (2 * A.shape[0]),
        cases=_two,
        right=lambda A, T: np.sum((A - T) ** 2) / (2 * len(A)),
        proves="A mean over samples, a sum over units.",
        placeholder=lambda A, T: None,
        wrong=(
            Wrong(lambda A, T: np.mean((A - T) ** 2) / 2, "The mean runs over samples only."),
            Wrong(lambda A, T: np.sum((A - T) ** 2) / len(A), "The factor 1/2 is missing."),
            Wrong(lambda A, T: np.sum((A - T) ** 2) / 2, "The mean over the batch is missing."),
            Wrong(lambda A, T: np.sum(A - T) ** 2 / (2 * len(A)), "Square each difference first."),
        ),
    ),
    Exercise(
        "00-gradient",
        "a function M_bar(C, P, Q) that returns an array of the shape of M",
        oracle=lambda C, P, Q: complex_step(
            lambda M: np.sum(C * (P @ M @ Q)), np.zeros((P.shape[1], Q.shape[0]))
        ),
        cases=_three,
        right=lambda C, P, Q: P.T @ C @ Q.T,
        proves="Each factor changes sides once, transposed.",
        placeholder=lambda C, P, Q: None,
        wrong=(
            Wrong(lambda C, P, Q: Q @ C.T @ P, "That is the transpose of what was asked."),
            Wrong(lambda C, P, Q: P @ C @ Q, "A factor that changes sides is transposed."),
            Wrong(lambda C, P, Q: -P.T @ C @ Q.T, "Nothing here changes the sign."),
        ),
    ),
]

check = checker(EXERCISES)
