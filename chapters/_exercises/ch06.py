"""The exercises of chapter 6: what is asked, how it is judged, and which slips are known.

The oracles differentiate the loss itself by the complex step, in its plainest form, or evaluate it
through `logaddexp`. None contains a softmax Jacobian.
"""

import numpy as np

from bplib.check import complex_step
from bplib.equations import Letters, normal
from bplib.exercises import Exercise, Wrong, checker, right_side


def softmax(Z):
    """Along the last axis, plain: for the moderate logits of the oracles."""
    E = np.exp(Z)
    return E / E.sum(axis=-1, keepdims=True)


def _safe(Z):
    E = np.exp(Z - Z.max(axis=1, keepdims=True))
    return E / E.sum(axis=1, keepdims=True)


def _lse(Z):
    return np.logaddexp.reduce(Z, axis=1)


def _one_hot(rng, B, n):
    return np.eye(n)[rng.integers(0, n, size=B)]


SIZES = (5, 4), (1, 3), (4, 4)


def _logits(rng):
    """Moderate rows, rows far apart from one another, and rows with very large differences."""
    Z = [rng.normal(size=size) for size in SIZES]
    far = rng.normal(size=(3, 4)) + np.array([[1000.0], [0.0], [-1000.0]])
    wide = np.array([[0.0, -800.0, 3.0], [1000.0, -1000.0, 999.0]])
    return [(M,) for M in (*Z, far, wide)]


def _p_g(rng):
    return [(softmax(rng.normal(size=s)), rng.normal(size=s)) for s in SIZES]


def _z_labels(rng):
    cases = [(Z, rng.integers(0, Z.shape[1], size=len(Z))) for (Z,) in _logits(rng)]
    widest = cases[-1][0]
    return [*cases, (widest, widest.argmin(axis=1))]  # confident and wrong: a loss of 800 and more


def _z_bits(rng):
    return [(Z, (rng.random(Z.shape) < 0.5) * 1.0) for (Z,) in _logits(rng)]


def _weighted(rng):
    return [
        (softmax(rng.normal(size=(B, n))), _one_hot(rng, B, n), rng.uniform(0.2, 3, size=B))
        for B, n in SIZES
    ]


def _weighted_oracle(P, T, w):
    return complex_step(lambda Z: -np.sum(w[:, None] * T * np.log(softmax(Z))) / len(Z), np.log(P))


def _tempered(rng):
    return [
        (rng.normal(size=(B, n)), _one_hot(rng, B, n), tau)
        for (B, n), tau in zip(SIZES, (2.0, 0.5, 4.0), strict=True)
    ]


def _row(rng):
    return [(rng.normal(size=n),) for n in (2, 4, 7)]


def _row_g(rng):
    return [(rng.normal(size=n), rng.normal(size=n)) for n in (2, 4, 7)]


def _row_label(rng):
    return [(rng.normal(size=n), int(rng.integers(0, n))) for n in (2, 4, 7)]


def _entropy_parts(z):
    log_p = z - np.log(np.exp(z).sum())
    p = np.exp(log_p)
    return p, log_p, -(p * log_p).sum()


def _twice(z, t):
    p = softmax(z)
    g = softmax(p)
    g[t] -= 1
    return p, g


_printed = right_side(
    r"\frac{\partial \log p_k}{\partial z_j}",
    Letters(z=normal("n"), p=lambda z: softmax(z), sizes={"n": (2, 6)}),
    without=("partial", "log"),
    otherwise="Give a formula in p, k and j without derivatives and logarithms.",
)


EXERCISES = [
    Exercise(
        "06-by-hand",
        "three numbers, [.., .., ..]",
        oracle=lambda: complex_step(
            lambda z: -np.log(softmax(z)[1]), np.log(np.array([1.0, 2.0, 5.0]))
        ),
        right=[0.125, -0.75, 0.625],
        proves="One entry below zero, for the right class; together they balance.",
        placeholder=None,
        wrong=(
            Wrong([0.125, 0.25, 0.625], "Those are the probabilities; the target is missing."),
            Wrong([-0.125, 0.75, -0.625], "Target minus probability points downhill."),
            Wrong([0, -0.75, 0], "That is the diagonal only: the other classes are left out."),
            Wrong([0, -4, 0], "That is the derivative with respect to p, -t/p."),
        ),
    ),
    Exercise(
        "06-stable",
        "a function softmax_rows(Z) that returns an array of the shape of Z",
        oracle=lambda Z: np.exp(Z - _lse(Z)[:, None]),
        cases=_logits,
        right=_safe,
        proves="Finite for every row, and equal to softmax where softmax is finite.",
        placeholder=lambda Z: None,
        wrong=(
            Wrong(
                lambda Z: (lambda E: E / np.maximum(E.sum(axis=1, keepdims=True), 1e-300))(
                    np.exp(Z - Z.max())
                ),
                "One maximum was taken for the whole batch; rows far below it underflow.",
            ),
            Wrong(
                lambda Z: (lambda E: E / E.sum())(np.exp(Z - Z.max(axis=1, keepdims=True))),
                "The sum runs over the whole batch; each row adds up to 1 by itself.",
            ),
            Wrong(
                lambda Z: (lambda E: E / E.sum(axis=0))(np.exp(Z - Z.max(axis=0))),
                "That is softmax down the columns: it compares samples, not classes.",
            ),
            Wrong(
                lambda Z: softmax(np.clip(Z, -700, 700)),
                "Clipping the logits changes their differences, and so the probabilities.",
            ),
        ),
    ),
    Exercise(
        "06-vjp",
        "a function through_softmax(P, G) that returns an array of the shape of P",
        oracle=lambda P, G: complex_step(lambda Z: np.sum(G * softmax(Z)), np.log(P)),
        cases=_p_g,
        right=lambda P, G: P * (G - (G * P).sum(axis=1, keepdims=True)),
        proves="Each row's cotangent, minus its mean under the probabilities.",
        placeholder=lambda P, G: None,
        wrong=(
            Wrong(
                lambda P, G: P * (1 - P) * G,
                "That is the diagonal of the Jacobian only.",
            ),
            Wrong(lambda P, G: P * G, "The off-diagonal part, -p p^T, is missing."),
            Wrong(
                lambda P, G: P * (G - (G * P).sum()),
                "One inner product was taken for the whole batch; each row has its own.",
            ),
            Wrong(
                lambda P, G: P * (G - G.mean(axis=1, keepdims=True)),
                "The mean must be weighted by the probabilities.",
            ),
        ),
    ),
    Exercise(
        "06-printed",
        "the right side of the formula, in LaTeX",
        oracle=None,
        refuses=_printed,
        right=r"\delta_{kj} - p_j",
        proves="Evaluated from your print, on two dozen random rows.",
        placeholder="",
        wrong=(
            Wrong(
                r"p_k (\delta_{kj} - p_j)",
                "That is the derivative of p_k; its logarithm has the factor 1/p_k.",
            ),
            Wrong(r"\delta_{kj} - p_k", "Log-sum-exp moves by p_j, the one whose logit moved."),
            Wrong(r"1 - p_j", "Only the logit k itself gives the 1."),
            Wrong(r"\frac{1}{p_k}", "That is the derivative with respect to p_k."),
        ),
    ),
    Exercise(
        "06-loss",
        "a function mean_loss(Z, t) that returns a number",
        oracle=lambda Z, t: np.mean(_lse(Z) - Z[np.arange(len(Z)), t]),
        cases=_z_labels,
        right=lambda Z, t: np.mean(
            Z.max(axis=1)
            + np.log(np.exp(Z - Z.max(axis=1)[:, None]).sum(axis=1))
            - Z[np.arange(len(Z)), t]
        ),
        proves="No probability was rounded to zero on the way.",
        placeholder=lambda Z, t: None,
        wrong=(
            Wrong(
                lambda Z, t: np.sum(_lse(Z) - Z[np.arange(len(Z)), t]),
                "That is the sum over the batch; the mean was asked.",
            ),
            Wrong(
                lambda Z, t: np.mean(-np.log(np.maximum(_safe(Z)[np.arange(len(Z)), t], 1e-12))),
                "A probability was kept away from 0 by force: a loss above 27.6 is cut off, "
                "and its gradient with it.",
            ),
            Wrong(
                lambda Z, t: np.mean(
                    np.log(np.exp(Z - Z.max(axis=1)[:, None]).sum(axis=1)) - Z[np.arange(len(Z)), t]
                ),
                "The maximum was subtracted inside and not put back.",
            ),
            Wrong(
                lambda Z, t: np.mean(_lse(Z)[:, None] - Z),
                "That averages over all classes; only the right class of each row counts.",
            ),
        ),
    ),
    Exercise(
        "06-weights",
        "a function weighted_delta(P, T, w) that returns an array of the shape of P",
        oracle=_weighted_oracle,
        cases=_weighted,
        right=lambda P, T, w: w[:, None] * (P - T) / len(P),
        proves="The weight multiplies the whole row.",
        placeholder=lambda P, T, w: None,
        wrong=(
            Wrong(
                lambda P, T, w: (P - w[:, None] * T) / len(P),
                "The weighted target adds up to w, so p carries the factor w too.",
            ),
            Wrong(lambda P, T, w: (P - T) / len(P), "The weights are missing."),
            Wrong(
                lambda P, T, w: w[:, None] * (P - T) / w.sum(),
                "That divides by the sum of the weights, as some libraries do; J has 1/B here.",
            ),
            Wrong(lambda P, T, w: w[:, None] * (P - T), "1/B is missing."),
        ),
    ),
    Exercise(
        "06-temperature",
        "a function tempered_delta(Z, T, tau) that returns an array of the shape of Z",
        oracle=lambda Z, T, tau: complex_step(
            lambda V: -np.sum(T * np.log(softmax(V / tau))) / len(V), Z
        ),
        cases=_tempered,
        right=lambda Z, T, tau: (softmax(Z / tau) - T) / (tau * len(Z)),
        proves="p minus t at z/tau, and one more link in the chain.",
        placeholder=lambda Z, T, tau: None,
        wrong=(
            Wrong(
                lambda Z, T, tau: (softmax(Z / tau) - T) / len(Z),
                "That is the derivative with respect to z/tau; the factor 1/tau is missing.",
            ),
            Wrong(
                lambda Z, T, tau: (softmax(Z) - T) / (tau * len(Z)),
                "The probabilities are those of z/tau.",
            ),
            Wrong(
                lambda Z, T, tau: tau * (softmax(Z / tau) - T) / len(Z),
                "The chain rule divides by tau here.",
            ),
        ),
    ),
    Exercise(
        "06-slip",
        "one letter, A to E",
        # Only line E keeps the rows of Delta from adding up to zero: the tests run the program.
        oracle=lambda: "E",
        right="E",
        proves="G goes through the whole Jacobian, not its diagonal.",
        placeholder="",
        wrong=(
            Wrong("A", "Line A shifts every row by its own maximum, as it should."),
            Wrong("B", "Line B is softmax; numerator and denominator have the same shift."),
            Wrong("C", "Line C takes log-softmax of the shifted logits: the shift cancels."),
            Wrong("D", "Line D is right on paper: the derivative with respect to P."),
        ),
    ),
    Exercise(
        "06-bce",
        "a function binary_loss(Z, T) that returns a number",
        oracle=lambda Z, T: np.sum(np.logaddexp(0, Z) - T * Z) / len(Z),
        cases=_z_bits,
        right=lambda Z, T: np.sum(np.maximum(Z, 0) + np.log1p(np.exp(-np.abs(Z))) - T * Z) / len(Z),
        proves="Exact for logits of any size.",
        placeholder=lambda Z, T: None,
        wrong=(
            Wrong(
                lambda Z, T: np.mean(np.maximum(Z, 0) + np.log1p(np.exp(-np.abs(Z))) - T * Z),
                "That is a mean over all entries; the classes of one sample are added.",
            ),
            Wrong(
                lambda Z, T: np.sum(T * np.logaddexp(0, -Z)) / len(Z),
                "The classes that are off are missing: they cost log(1 + e^z).",
            ),
            Wrong(
                lambda Z, T: np.sum(np.maximum(Z, 0) - T * Z) / len(Z),
                "The logarithm is missing; near zero it is not small.",
            ),
        ),
    ),
    Exercise(
        "06-entropy",
        "a function entropy_gradient(z) that returns an array of the shape of z",
        oracle=lambda z: complex_step(lambda v: -np.sum(softmax(v) * np.log(softmax(v))), z),
        cases=_row,
        right=lambda z: (lambda p, log_p, H: -p * (log_p + H))(*_entropy_parts(z)),
        proves="Zero when all classes are equally likely, where the entropy is largest.",
        placeholder=lambda z: None,
        wrong=(
            Wrong(
                lambda z: (lambda p, log_p, H: -log_p - 1)(*_entropy_parts(z)),
                "That is the derivative with respect to p; it has not passed through softmax.",
            ),
            Wrong(
                lambda z: (lambda p, log_p, H: -p * (log_p + 1))(*_entropy_parts(z)),
                "That is p times g; the mean of g under p is not subtracted.",
            ),
            Wrong(
                lambda z: (lambda p, log_p, H: -p * (1 - p) * (log_p + 1))(*_entropy_parts(z)),
                "That is the diagonal of the Jacobian only.",
            ),
            Wrong(
                lambda z: (lambda p, log_p, H: p * (log_p + H))(*_entropy_parts(z)),
                "The sign is the wrong way round.",
            ),
        ),
    ),
    Exercise(
        "06-rms",
        "a function rms_vjp(z, g) that returns an array of the shape of z",
        oracle=lambda z, g: complex_step(lambda v: np.sum(g * v / np.sqrt(np.mean(v * v))), z),
        cases=_row_g,
        right=lambda z, g: (lambda r: (g - z / r * np.mean(g * z / r)) / r)(
            np.sqrt(np.mean(z * z))
        ),
        proves="What would change the length is taken out: the length is fixed.",
        placeholder=lambda z, g: None,
        wrong=(
            Wrong(
                lambda z, g: g / np.sqrt(np.mean(z * z)),
                "The root mean square was treated as a constant.",
            ),
            Wrong(
                lambda z, g: (lambda r: (g - g.mean() - z / r * np.mean(g * z / r)) / r)(
                    np.sqrt(np.mean(z * z))
                ),
                "That is layer normalization's formula; here no mean is subtracted.",
            ),
            Wrong(
                lambda z, g: (lambda r: (g - z / r * np.sum(g * z / r)) / r)(
                    np.sqrt(np.mean(z * z))
                ),
                "The root mean square holds a mean, so its derivative does too; this is a sum.",
            ),
            Wrong(
                lambda z, g: (lambda r: (g - z * np.mean(g * z)) / r)(np.sqrt(np.mean(z * z))),
                "The a of the formula is the normalized one, z/r.",
            ),
        ),
    ),
    Exercise(
        "06-twice",
        "a function twice_gradient(z, t) that returns an array of the shape of z",
        oracle=lambda z, t: complex_step(lambda v: -np.log(softmax(softmax(v))[t]), z),
        cases=_row_label,
        right=lambda z, t: (lambda p, g: p * (g - g @ p))(*_twice(z, t)),
        proves="The second softmax cancels its logarithm; the first one has none to cancel.",
        placeholder=lambda z, t: None,
        wrong=(
            Wrong(
                lambda z, t: _twice(z, t)[1],
                "That is the derivative with respect to p; the first softmax is missing.",
            ),
            Wrong(
                lambda z, t: softmax(z) - np.eye(len(z))[t],
                "That is the error signal for one softmax.",
            ),
            Wrong(
                lambda z, t: (lambda p, g: p * (1 - p) * g)(*_twice(z, t)),
                "That is the diagonal of the first softmax's Jacobian only.",
            ),
        ),
    ),
]

check = checker(EXERCISES)
