"""The exercises of chapter 5: what is asked, how it is judged, and which slips are known.

Every oracle differentiates the loss itself by the complex step. None contains a delta rule.
"""

import numpy as np

from bplib.check import complex_step
from bplib.equations import Letters, gradient, normal
from bplib.exercises import Exercise, Wrong, checker, right_side


def dtanh(z):
    return 1 - np.tanh(z) ** 2


def _layers(rng):
    """Sizes (B, n_in, n_out): unequal ones, and a square case in which shapes cannot tell."""
    return (5, 4, 3), (1, 2, 6), (4, 4, 4)


def _delta(rng):
    return [(rng.normal(size=(B, n)),) for B, _, n in _layers(rng)]


def _a_delta(rng):
    return [(rng.normal(size=(B, m)), rng.normal(size=(B, n))) for B, m, n in _layers(rng)]


def _one_down(rng):
    return [
        (rng.normal(size=(B, n)), rng.normal(size=(m, n)), rng.normal(size=(B, m)))
        for B, m, n in _layers(rng)
    ]


def _z_t(rng):
    return [(rng.normal(size=(B, n)), rng.normal(size=(B, n))) for B, _, n in _layers(rng)]


def _decay(rng):
    return [(a, d, rng.normal(size=(a.shape[1], d.shape[1])), 0.3) for a, d in _a_delta(rng)]


def _skip(rng):
    return [
        (
            rng.normal(size=(B, n)),
            rng.normal(size=(B, n)),
            rng.normal(size=(n, n)),
            rng.normal(size=n),
        )
        for B, n in ((5, 3), (4, 4), (1, 2))
    ]


def _tied(rng):
    return [(rng.normal(size=(B, m)), rng.normal(size=(m, n))) for B, m, n in _layers(rng)]


def _tied_parts(X, W):
    H = np.tanh(X @ W)
    D2 = (H @ W.T - X) / len(X)
    return X, H, (D2 @ W) * (1 - H**2), D2


# The letters of a layer stored out x in.
_printed = right_side(
    r"\frac{\partial J}{\partial A}",
    Letters(
        A=normal("B", "m"),
        V=normal("n", "m"),
        b=normal("n"),
        Z=lambda A, V, b: A @ V.T + b,
        J=lambda Z: np.sum(np.tanh(Z) ** 3),
        Delta=gradient("J", "Z"),
    ),
    without=("partial", "J"),
    otherwise="Give a formula in A, V and \\Delta only.",
)


EXERCISES = [
    Exercise(
        "05-by-hand",
        "a number",
        oracle=lambda: complex_step(
            lambda z: np.sum(
                1 / (1 + np.exp(-z)) * np.array([0.5, -1, 2]) * np.array([0.2, 0.1, -0.4])
            ),
            np.zeros(1),
        )[0],
        right=-0.2,
        proves="Three contributions, one factor.",
        wrong=(
            Wrong(
                -0.8,
                "That is the derivative at the activation; the unit's own factor is missing.",
            ),
            Wrong(
                -0.0375,
                "Two sums were multiplied; each listener has its own product.",
            ),
            Wrong(-0.4, "The activation itself was taken for its derivative."),
            Wrong(0.2, "The sign is the wrong way round."),
        ),
    ),
    Exercise(
        "05-bias",
        "a function grad_b(Delta) that returns an array of shape (n,)",
        oracle=lambda D: complex_step(lambda b: np.sum(D * (0 * D + b)), np.zeros(D.shape[1])),
        cases=_delta,
        right=lambda D: D.sum(axis=0),
        proves="The sum over the rows: what is copied forward is summed backward.",
        placeholder=lambda D: None,
        wrong=(
            Wrong(
                lambda D: D,
                "That is Delta itself, one row per sample; b has one entry per unit.",
            ),
            Wrong(
                lambda D: D.mean(axis=0),
                "A mean divides by B a second time: 1/B is in Delta already.",
            ),
            Wrong(
                lambda D: D.sum(axis=1),
                "That sums over the units and leaves one number per sample.",
            ),
            Wrong(
                lambda D: D.sum(axis=0, keepdims=True),
                "The numbers are right, but b has the shape (n,), not (1, n).",
            ),
        ),
    ),
    Exercise(
        "05-weights",
        "a function grad_W(A_prev, Delta) that returns an array of shape (n_in, n_out)",
        oracle=lambda A, D: complex_step(
            lambda W: np.sum(D * (A @ W)), np.zeros((A.shape[1], D.shape[1]))
        ),
        cases=_a_delta,
        right=lambda A, D: A.T @ D,
        proves="It holds for square matrices too, where seven other products have the right shape.",
        placeholder=lambda A, D: None,
        wrong=(
            Wrong(
                lambda A, D: D.T @ A,
                "That is the gradient in the layout out x in: the transpose of what was asked.",
            ),
            Wrong(
                lambda A, D: A.T @ D / len(A), "This divides by B, which Delta has done already."
            ),
            Wrong(
                lambda A, D: A @ D,
                "This fits only when B, n_in and n_out happen to be equal. Which index is summed?",
            ),
            Wrong(
                lambda A, D: np.einsum("sj,sk->sjk", A, D),
                "That is one gradient per sample; they remain to be added.",
            ),
        ),
    ),
    Exercise(
        "05-hidden",
        "a function hidden_delta(Delta_next, W_next, Z) that returns an array of the shape of Z",
        oracle=lambda D, W, Z: complex_step(lambda V: np.sum(D * (np.tanh(V) @ W)), Z),
        cases=_one_down,
        right=lambda D, W, Z: (D @ W.T) * dtanh(Z),
        proves="The listeners' sum, then the unit's own factor at Z.",
        placeholder=lambda D, W, Z: None,
        wrong=(
            Wrong(
                lambda D, W, Z: D @ W.T,
                "That is the derivative with respect to the activations; phi' is missing.",
            ),
            Wrong(
                lambda D, W, Z: (D @ W.T) * dtanh(np.tanh(Z)),
                "phi' was evaluated at the activation; it belongs at Z.",
            ),
            Wrong(lambda D, W, Z: (D @ W.T) * dtanh(Z) / len(Z), "1/B has entered a second time."),
            Wrong(
                lambda D, W, Z: (D @ W) * dtanh(Z),
                "W_next is not transposed; this fits square matrices only, and is wrong there too.",
            ),
        ),
    ),
    Exercise(
        "05-out-in",
        "a function grad_V(A_prev, Delta) that returns an array of shape (n_out, n_in)",
        oracle=lambda A, D: complex_step(
            lambda V: np.sum(D * (A @ V.T)), np.zeros((D.shape[1], A.shape[1]))
        ),
        cases=_a_delta,
        right=lambda A, D: D.T @ A,
        proves="This is what PyTorch stores in weight.grad.",
        placeholder=lambda A, D: None,
        wrong=(
            Wrong(
                lambda A, D: A.T @ D,
                "That is the gradient for W, in x out; V is stored the other way round.",
            ),
            Wrong(
                lambda A, D: (A.T @ D).reshape(D.shape[1], A.shape[1]),
                "The shape is right, the entries are misplaced: reshape does not transpose.",
            ),
            Wrong(
                lambda A, D: D.T @ A / len(A), "This divides by B, which Delta has done already."
            ),
        ),
    ),
    Exercise(
        "05-printed",
        "the right side of the formula, in LaTeX",
        oracle=None,
        refuses=_printed,
        right=r"\Delta V",
        proves="Evaluated from your print, on two dozen random layers.",
        placeholder="",
        wrong=(
            Wrong(r"\Delta V^{\mathsf T}", "That is the form for weights in x out."),
            Wrong(r"V \Delta", "That is the form for columns, and there V would be transposed."),
            Wrong(r"V^{\mathsf T} \Delta", "That is the form for columns; a batch is rows here."),
            Wrong(r"-\Delta V", "Nothing here changes the sign."),
        ),
    ),
    Exercise(
        "05-mse",
        "a function last_delta(Z, T) that returns an array of the shape of Z",
        oracle=lambda Z, T: complex_step(lambda V: np.sum((np.tanh(V) - T) ** 2) / T.size, Z),
        cases=_z_t,
        right=lambda Z, T: 2 * (np.tanh(Z) - T) / Z.size * dtanh(Z),
        proves="Twice the error over the number of entries, times the unit's own factor.",
        placeholder=lambda Z, T: None,
        wrong=(
            Wrong(
                lambda Z, T: (np.tanh(Z) - T) / len(Z) * dtanh(Z),
                "That belongs to this book's loss, with 1/2 and a mean over samples only.",
            ),
            Wrong(
                lambda Z, T: (np.tanh(Z) - T) / Z.size * dtanh(Z),
                "The 2 of the square is missing: this loss has no 1/2 to cancel it.",
            ),
            Wrong(
                lambda Z, T: 2 * (np.tanh(Z) - T) / len(Z) * dtanh(Z),
                "The mean is over all entries, not over samples only.",
            ),
            Wrong(
                lambda Z, T: 2 * (T - np.tanh(Z)) / Z.size * dtanh(Z),
                "The sign is the wrong way round: target minus output points downhill.",
            ),
            Wrong(
                lambda Z, T: 2 * (np.tanh(Z) - T) / Z.size,
                "That is the derivative with respect to the activations; phi' is missing.",
            ),
        ),
    ),
    Exercise(
        "05-slip",
        "one letter, A to E",
        # Line D is the only one whose change to a sum makes every gradient agree: tests run it.
        oracle=lambda: "D",
        right="D",
        proves="The mean divides by B a second time.",
        placeholder="",
        wrong=(
            Wrong("A", "Line A is the last layer's formula with its single 1/B."),
            Wrong("B", "The sweep must go down from L to 1, and it does."),
            Wrong("C", "Line C is right, in x out."),
            Wrong("E", "Line E is right: the old weights, transposed, and phi' at Z."),
        ),
    ),
    Exercise(
        "05-decay",
        "a function grad_W_total(A_prev, Delta, W, lam) that returns an array of the shape of W",
        oracle=lambda A, D, W, lam: complex_step(
            lambda V: np.sum(D * (A @ V)) + lam / 2 * np.sum(V**2), W
        ),
        cases=_decay,
        right=lambda A, D, W, lam: A.T @ D + lam * W,
        proves="Two paths, two terms.",
        placeholder=lambda A, D, W, lam: None,
        wrong=(
            Wrong(
                lambda A, D, W, lam: A.T @ D + 2 * lam * W,
                "The 1/2 in front cancels the 2 of the square.",
            ),
            Wrong(lambda A, D, W, lam: A.T @ D, "The price on large weights is missing."),
            Wrong(
                lambda A, D, W, lam: A.T @ D + lam * W / len(A),
                "The added term is no mean over samples.",
            ),
            Wrong(
                lambda A, D, W, lam: A.T @ D - lam * W,
                "The sign of the second term is the wrong way round.",
            ),
            Wrong(lambda A, D, W, lam: lam * W, "The first path, through the data, is missing."),
        ),
    ),
    Exercise(
        "05-skip",
        "a function shortcut(G, A, W, b) that returns an array of the shape of A",
        oracle=lambda G, A, W, b: complex_step(lambda V: np.sum(G * (V + np.tanh(V @ W + b))), A),
        cases=_skip,
        right=lambda G, A, W, b: G + (G * dtanh(A @ W + b)) @ W.T,
        proves="Two listeners, two terms, one of them undiminished.",
        placeholder=lambda G, A, W, b: None,
        wrong=(
            Wrong(
                lambda G, A, W, b: (G * dtanh(A @ W + b)) @ W.T,
                "One listener is missing: the sum hears A directly.",
            ),
            Wrong(
                lambda G, A, W, b: (G + G * dtanh(A @ W + b)) @ W.T,
                "The direct path does not pass through W.",
            ),
            Wrong(
                lambda G, A, W, b: G + (G @ W.T) * dtanh(A @ W + b),
                "phi' belongs to the layer's own Z, before W^T carries the signal down.",
            ),
            Wrong(lambda G, A, W, b: G + (G * dtanh(A @ W + b)) @ W, "W is not transposed."),
            Wrong(lambda G, A, W, b: G, "The path through the layer is missing."),
        ),
    ),
    Exercise(
        "05-per-sample",
        "a function per_sample_norms(A_prev, Delta) that returns an array of shape (B,)",
        oracle=lambda A, D: np.array(
            [np.sum(np.outer(a, d) ** 2) for a, d in zip(A, D, strict=True)]
        ),
        cases=_a_delta,
        right=lambda A, D: (A**2).sum(axis=1) * (D**2).sum(axis=1),
        proves="Without one matrix of the shape of W.",
        placeholder=lambda A, D: None,
        wrong=(
            Wrong(
                lambda A, D: (A**2).sum(axis=1) + (D**2).sum(axis=1),
                "The two sums are multiplied, not added.",
            ),
            Wrong(
                lambda A, D: np.sum((A.T @ D) ** 2),
                "That is the norm of the whole batch's gradient, one number.",
            ),
            Wrong(
                lambda A, D: np.sqrt((A**2).sum(axis=1) * (D**2).sum(axis=1)),
                "That is the norm; its square was asked.",
            ),
            Wrong(
                lambda A, D: (A**2).sum(axis=0).sum() * (D**2).sum(axis=1),
                "The input's sum runs over all samples; each sample has its own.",
            ),
        ),
    ),
    Exercise(
        "05-tied",
        "a function grad_tied(X, W) that returns an array of the shape of W",
        oracle=lambda X, W: complex_step(
            lambda V: np.sum((np.tanh(X @ V) @ V.T - X) ** 2) / (2 * len(X)), W
        ),
        cases=_tied,
        right=lambda X, W: (lambda X, H, D1, D2: X.T @ D1 + D2.T @ H)(*_tied_parts(X, W)),
        proves="Both uses of the matrix are heard.",
        placeholder=lambda X, W: None,
        wrong=(
            Wrong(
                lambda X, W: (lambda X, H, D1, D2: X.T @ D1)(*_tied_parts(X, W)),
                "Only the first use is counted.",
            ),
            Wrong(
                lambda X, W: (lambda X, H, D1, D2: D2.T @ H)(*_tied_parts(X, W)),
                "Only the second use is counted.",
            ),
            Wrong(
                lambda X, W: (lambda X, H, D1, D2: X.T @ D1 - D2.T @ H)(*_tied_parts(X, W)),
                "The contributions of two uses add.",
            ),
            Wrong(
                lambda X, W: (lambda X, H, D1, D2: len(X) * (X.T @ D1 + D2.T @ H))(
                    *_tied_parts(X, W)
                ),
                "1/B is missing.",
            ),
        ),
    ),
]

check = checker(EXERCISES)
