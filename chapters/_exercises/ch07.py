"""The exercises of chapter 7: what is asked, how it is judged, and which slips are known.

Oracles run the process itself, step by step, or the library's optimizers; closed forms are what
the reader is asked for.
"""

import numpy as np

from bplib import optim
from bplib.exercises import Exercise, Wrong, checker


def _symmetric(rng, n):
    A = rng.normal(size=(n, n))
    return A @ A.T / n + 0.2 * np.eye(n)


def _bowl(rng):
    return [
        (_symmetric(rng, n), rng.normal(size=n), eta, k)
        for n, eta, k in ((2, 0.1, 7), (4, 0.3, 3), (3, 0.05, 1))
    ]


def _walk(H, theta, eta, k):
    for _ in range(k):
        theta = theta - eta * (H @ theta)
    return theta


def _gradients(rng):
    return [(rng.normal(size=(K, n)), mu) for K, n, mu in ((5, 3, 0.9), (4, 4, 0.5), (1, 2, 0.9))]


def _heavy_ball(G, mu):
    ball, theta = optim.Momentum(1.0, momentum=mu), np.zeros(G.shape[1])
    for g in G:
        ball.step([theta], [g])
    return ball.slots["v"][0]


def _parts(rng):
    return [
        (rng.normal(size=(len(sizes), n)), np.array(sizes))
        for sizes, n in (([32, 32, 5], 4), ([10, 1], 2), ([7, 20, 3, 9], 4))
    ]


def _pooled(means, sizes):
    """Every sample of a part given that part's mean: their mean is the whole batch's."""
    return np.repeat(means, sizes, axis=0).mean(axis=0)


def _adam_cases(rng):
    cases = []
    for n, k in ((3, 1), (4, 2), (2, 50)):
        m, v = (0 * rng.normal(size=n), np.zeros(n)) if k == 1 else (None, None)
        if m is None:
            m, v = 0.1 * rng.normal(size=n), 0.01 * rng.uniform(0.1, 1, size=n)
        cases.append((rng.normal(size=n), rng.normal(size=n), m, v, k))
    return cases


def _adam(theta, g, m, v, k):
    adam, moved = optim.Adam(0.01), theta.copy()
    adam.load_state((k - 1, {"m": [m], "v": [v]}))
    adam.step([moved], [g])
    return moved


def _adam_by_hand(theta, g, m, v, k, *, correct=True, root=True, fresh=True):
    if fresh:
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
    c1, c2 = (1 - 0.9**k, 1 - 0.999**k) if correct else (1, 1)
    size = v / c2
    return theta - 0.01 * (m / c1) / ((np.sqrt(size) if root else size) + 1e-8)


def _decay_cases(rng):
    return [(rng.normal(size=s), rng.normal(size=s), 0.05, 0.3) for s in ((4, 3), (2, 2), (1, 5))]


def _adamw(W, G, eta, lam):
    moved = W.copy()
    optim.AdamW(eta, eps=1e-300, weight_decay=lam).step([moved], [G])
    return moved


def _reports(rng):
    cases = []
    for n in (4, 6, 9):
        validation, test = rng.uniform(0.9, 1, size=n), rng.uniform(0.9, 1, size=n)
        test[validation.argmax()] = 0.5 * (test.min() + test.max()) - 1e-4  # no extreme
        cases.append((validation, test))
    return cases


def _lists(rng):
    short = [0.01 * rng.normal(size=(2, 3)), 0.01 * rng.normal(size=3)]
    long = [5 * rng.normal(size=(4, 2)), 3 * rng.normal(size=2), rng.normal(size=(2, 2))]
    mixed = [9 * rng.normal(size=(3, 3)), 0.01 * rng.normal(size=3)]
    return [(short, 1.0), (long, 2.0), (mixed, 1.0)]


def _clip(grads, limit):
    copies = [g.copy() for g in grads]
    optim.clip_by_norm(copies, limit)
    return tuple(copies)


def _norm(grads):
    return np.sqrt(sum(np.sum(g * g) for g in grads))


EXERCISES = [
    Exercise(
        "07-by-hand",
        "two numbers, [.., ..]",
        oracle=lambda: _walk(np.diag([1.0, 10.0]), np.array([4.0, 1.0]), 0.15, 1),
        right=[3.4, -0.5],
        proves="One coordinate creeps, the other has jumped across.",
        wrong=(
            Wrong([4.6, 2.5], "That step goes uphill: the sign is plus."),
            Wrong([3.4, 0.85], "The curvature 10 is missing from the gradient."),
            Wrong([0.6, 1.5], "That is the step itself; it is subtracted from the start."),
            Wrong([0, -9], "The learning rate is missing."),
        ),
    ),
    Exercise(
        "07-border",
        "two numbers, [plain, with momentum]",
        oracle=lambda: np.array([2 / 50, 2 * (1 + 0.9) / 50]),
        right=[0.04, 0.076],
        proves="The steepest direction sets the limit for all.",
        wrong=(
            Wrong([1, 1.9], "Those are the borders of the flattest direction."),
            Wrong([0.02, 0.038], "That is where descent is fastest in the steepest direction."),
            Wrong([0.04, 0.4], "Momentum multiplies the border by 1 + mu, not by 1/(1 - mu)."),
            Wrong([0.04, 0.04], "With momentum the border lies further out, by 1 + mu."),
        ),
    ),
    Exercise(
        "07-quadratic",
        "a function after_k_steps(H, theta, eta, k) that returns an array of the shape of theta",
        oracle=_walk,
        cases=_bowl,
        right=lambda H, theta, eta, k: (lambda lam, U: U @ ((1 - eta * lam) ** k * (U.T @ theta)))(
            *np.linalg.eigh(H)
        ),
        proves="Each direction has its own factor per step.",
        placeholder=lambda H, theta, eta, k: None,
        wrong=(
            Wrong(
                lambda H, theta, eta, k: theta - k * eta * (H @ theta),
                "That takes k times the first step; the gradient changes on the way.",
            ),
            Wrong(
                lambda H, theta, eta, k: (lambda lam, U: U @ ((1 - eta * lam) * (U.T @ theta)))(
                    *np.linalg.eigh(H)
                ),
                "That is one step; the factor must be taken to the power k.",
            ),
            Wrong(
                lambda H, theta, eta, k: (
                    lambda lam, U: U.T @ ((1 - eta * lam) ** k * (U @ theta))
                )(*np.linalg.eigh(H)),
                "The eigenvectors are the columns of U: first U^T, then U.",
            ),
            Wrong(
                lambda H, theta, eta, k: (1 - eta * np.diag(H)) ** k * theta,
                "That treats H as if it were diagonal.",
            ),
        ),
    ),
    Exercise(
        "07-momentum",
        "a function velocity(G, mu) that returns an array of shape (n,)",
        oracle=_heavy_ball,
        cases=_gradients,
        right=lambda G, mu: (mu ** np.arange(len(G))[::-1]) @ G,
        proves="A sum that fades, the latest gradient with weight 1.",
        placeholder=lambda G, mu: None,
        wrong=(
            Wrong(
                lambda G, mu: (mu ** np.arange(len(G))) @ G,
                "The oldest gradient has weight 1 here; it should be the latest.",
            ),
            Wrong(
                lambda G, mu: (1 - mu) * (mu ** np.arange(len(G))[::-1]) @ G,
                "That is a fading average; the heavy ball is a sum.",
            ),
            Wrong(lambda G, mu: G.sum(axis=0), "Nothing fades: mu is missing."),
            Wrong(
                lambda G, mu: (mu ** (1 + np.arange(len(G))[::-1])) @ G,
                "The latest gradient enters undiminished.",
            ),
        ),
    ),
    Exercise(
        "07-parts",
        "a function whole_batch(means, sizes) that returns an array of shape (n,)",
        oracle=_pooled,
        cases=_parts,
        right=lambda means, sizes: sizes @ means / sizes.sum(),
        proves="Every sample counts once, whichever part it was in.",
        placeholder=lambda means, sizes: None,
        wrong=(
            Wrong(
                lambda means, sizes: means.mean(axis=0),
                "Equal weights let the samples of a small part count more.",
            ),
            Wrong(lambda means, sizes: means.sum(axis=0), "A sum of means is no mean."),
            Wrong(
                lambda means, sizes: sizes @ means / len(sizes),
                "Divide by the number of samples, not of parts.",
            ),
            Wrong(lambda means, sizes: sizes @ means, "That is the gradient of the sum."),
        ),
    ),
    Exercise(
        "07-adam",
        "a function adam_step(theta, g, m, v, k) that returns an array of the shape of theta",
        oracle=_adam,
        cases=_adam_cases,
        right=_adam_by_hand,
        proves="At the first step, at the second and at the fiftieth.",
        placeholder=lambda theta, g, m, v, k: None,
        wrong=(
            Wrong(
                lambda *a: _adam_by_hand(*a, correct=False),
                "The bias correction is missing: divide by 1 - beta^k.",
            ),
            Wrong(
                lambda *a: _adam_by_hand(*a, root=False),
                "The step is divided by the root of v-hat, not by v-hat.",
            ),
            Wrong(
                lambda theta, g, m, v, k: 2 * theta - _adam_by_hand(theta, g, m, v, k),
                "The sign is the wrong way round: this climbs.",
            ),
            Wrong(
                lambda theta, g, m, v, k: _adam_by_hand(theta, g, m, v, k + 1),
                "The first step is number 1, so its correction is 1 - beta.",
            ),
        ),
    ),
    Exercise(
        "07-bias",
        "a number",
        oracle=lambda: (1 - 0.9) / np.sqrt(1 - 0.999),
        right=0.1 / np.sqrt(0.001),
        proves="More than three times too long, just when the gradients are least known.",
        wrong=(
            Wrong(100, "The denominator is a root: sqrt(v), not v."),
            Wrong(0.1, "That is the numerator alone."),
            Wrong(np.sqrt(0.001) / 0.1, "That is the quotient upside down."),
            Wrong(1, "With the corrections it would be 1; here they are left out."),
        ),
    ),
    Exercise(
        "07-decoupled",
        "a function adamw_first(W, G, eta, lam) that returns an array of the shape of W",
        oracle=_adamw,
        cases=_decay_cases,
        right=lambda W, G, eta, lam: (1 - eta * lam) * W - eta * np.sign(G),
        proves="The decay is outside of Adam's quotient.",
        placeholder=lambda W, G, eta, lam: None,
        wrong=(
            Wrong(
                lambda W, G, eta, lam: W - eta * np.sign(G + lam * W),
                "That is L2 in the gradient: the decay was divided away.",
            ),
            Wrong(
                lambda W, G, eta, lam: (1 - lam) * W - eta * np.sign(G),
                "The decay is eta times lambda.",
            ),
            Wrong(
                lambda W, G, eta, lam: (1 - eta * lam) * W - eta * G,
                "That is plain descent; Adam's first step has the length eta in each weight.",
            ),
            Wrong(
                lambda W, G, eta, lam: (1 - eta * lam) * (W - eta * np.sign(G)),
                "The weights decay before the step; the step itself does not.",
            ),
        ),
    ),
    Exercise(
        "07-slip",
        "one letter, A to E",
        oracle=lambda: "D",
        right="D",
        proves="An optimizer has a memory, and here it is thrown away after every step.",
        placeholder="",
        wrong=(
            Wrong("A", "Line A is an ordinary loop over epochs."),
            Wrong("B", "Line B draws a new order for each epoch, as it should."),
            Wrong("C", "Line C cuts the order into batches of 32; the last may be smaller."),
            Wrong("E", "Line E takes all gradients from the old weights, in the right order."),
        ),
    ),
    Exercise(
        "07-report",
        "a function report(validation, test) that returns a number",
        oracle=lambda validation, test: test[int(np.argsort(validation)[-1])],
        cases=_reports,
        right=lambda validation, test: test[np.argmax(validation)],
        proves="Chosen by validation, reported from the test.",
        placeholder=lambda validation, test: None,
        wrong=(
            Wrong(
                lambda validation, test: test.max(),
                "That chooses by the test, which makes it a part of the training.",
            ),
            Wrong(
                lambda validation, test: validation.max(),
                "The validation part was used for choosing; its best score flatters.",
            ),
            Wrong(
                lambda validation, test: test.mean(),
                "One setting is to be reported, the chosen one.",
            ),
        ),
    ),
    Exercise(
        "07-count",
        "a whole number",
        oracle=lambda: 1164,
        right=1164,
        proves="Three times as many as the test part of this chapter.",
        wrong=(
            Wrong(6, "The deviation is p(1-p)/N under a root: square it before solving."),
            Wrong(38800, "That is p divided by the square; the factor 1 - p is missing."),
            Wrong(1200, "That is (1 - p) divided by the square; the factor p is missing."),
            Wrong(360, "With 360 digits the deviation is nearly one percent."),
        ),
    ),
    Exercise(
        "07-clip",
        "a function clipped(grads, limit) that returns a list of arrays",
        oracle=_clip,
        cases=_lists,
        right=lambda grads, limit: [g * min(1, limit / _norm(grads)) for g in grads],
        proves="Shorter, in the same direction; and untouched when short enough.",
        placeholder=lambda grads, limit: None,
        wrong=(
            Wrong(
                lambda grads, limit: tuple(g * min(1, limit / np.linalg.norm(g)) for g in grads),
                "One norm for each array changes the direction of the whole.",
            ),
            Wrong(
                lambda grads, limit: tuple(g * limit / _norm(grads) for g in grads),
                "A short gradient was lengthened; it should be left alone.",
            ),
            Wrong(
                lambda grads, limit: tuple(np.clip(g, -limit, limit) for g in grads),
                "That limits each entry and changes the direction.",
            ),
        ),
    ),
]

check = checker(EXERCISES)
