"""The exercises of chapter 9. The oracles build matrices entry by entry, or run loops."""

import itertools

import numpy as np

from bplib.check import complex_step
from bplib.exercises import Exercise, Wrong, checker


def _transposed(f, shape, y_bar):
    """The pull of a linear f, from its matrix: one column for each entry of the input."""
    size = int(np.prod(shape))
    units = np.eye(size).reshape(size, *shape)
    M = np.stack([np.ravel(f(unit)) for unit in units], axis=1)
    return (M.T @ np.ravel(y_bar)).reshape(shape)


def _columns(rng):
    return [(rng.normal(size=(B, n)), rng.normal(size=(B, n))) for B, n in [(4, 3), (3, 3), (1, 5)]]


def _blocks(rng):
    return [(rng.normal(size=B), rng.normal(size=(B, n))) for B, n in [(4, 3), (3, 3), (2, 5)]]


def _axes(rng):
    cases = []
    for axes, shape in [
        ((1, 0), (2, 3)),
        ((2, 0, 1), (3, 3, 3)),
        ((1, 2, 0), (2, 3, 4)),
        ((1, 3, 0, 2), (2, 3, 2, 4)),
    ]:
        cases.append((rng.normal(size=[shape[a] for a in axes]), axes))
    return cases


def _axes_oracle(Y_bar, axes):
    """Entry by entry: the entry of Y at `place` came from X at `source`."""
    shape = [0] * len(axes)
    for i, a in enumerate(axes):
        shape[a] = Y_bar.shape[i]
    X_bar = np.zeros(shape)
    for place in np.ndindex(*Y_bar.shape):
        source = [0] * len(axes)
        for i, a in enumerate(axes):
            source[a] = place[i]
        X_bar[tuple(source)] = Y_bar[place]
    return X_bar


def _pull_differences(d_bar):
    x_bar = np.zeros(len(d_bar) + 1)
    x_bar[1:] += d_bar
    x_bar[:-1] -= d_bar
    return x_bar


def _tables(rng):
    return [
        (rng.normal(size=(5, 3)), np.array([2, 0, 2, 2, 4]), 6),
        (rng.normal(size=(3, 2)), np.array([1, 1, 0]), 2),
    ]


def _table_oracle(Y_bar, c, V):
    E_bar = np.zeros((V, Y_bar.shape[1]))
    for s, v in enumerate(c):
        E_bar[v] += Y_bar[s]
    return E_bar


def _plus_equals(Y_bar, c, V):
    E_bar = np.zeros((V, Y_bar.shape[1]))
    E_bar[c] += Y_bar
    return E_bar


def _scores_oracle():
    """Try every word of three letters, and compare with loops."""
    rng = np.random.default_rng(1)
    b, q, k, d = 2, 3, 4, 5
    S_bar, Q = rng.normal(size=(b, q, k)), rng.normal(size=(b, q, d))
    want = np.zeros((b, k, d))
    for at in np.ndindex(b, q, k, d):
        want[at[0], at[2], at[3]] += S_bar[at[0], at[1], at[2]] * Q[at[0], at[1], at[3]]
    for letters in itertools.permutations("bqkd", 3):
        word = "".join(letters)
        got = np.einsum(f"bqk,bqd->{word}", S_bar, Q)
        if got.shape == want.shape and np.allclose(got, want):
            return word
    raise AssertionError("no word fits")


def _windows(rng):
    return [
        (rng.normal(size=n - m + 1), rng.normal(size=n), rng.normal(size=m))
        for n, m in [(6, 3), (5, 1), (5, 2)]
    ]


def _window(x, w):
    n = len(x) - len(w) + 1
    return sum(w[j] * x[j : j + n] for j in range(len(w)))


def _window_oracle(y_bar, x, w):
    x_bar = complex_step(lambda x: y_bar @ _window(x, w), x)
    w_bar = complex_step(lambda w: y_bar @ _window(x, w), w)
    return x_bar, w_bar


def _pull_window(y_bar, x, w):
    n = len(y_bar)
    x_bar, w_bar = np.zeros(len(x)), np.zeros(len(w))
    for j in range(len(w)):
        x_bar[j : j + n] += w[j] * y_bar
        w_bar[j] = x[j : j + n] @ y_bar
    return x_bar, w_bar


def _window_reversed(y_bar, x, w):
    x_bar, w_bar = _pull_window(y_bar, x, w[::-1])
    return x_bar, w_bar


def _window_overwrites(y_bar, x, w):
    n = len(y_bar)
    x_bar, w_bar = np.zeros(len(x)), np.zeros(len(w))
    for j in range(len(w)):
        x_bar[j : j + n] = w[j] * y_bar
        w_bar[j] = x[j : j + n] @ y_bar
    return x_bar, w_bar


def _polar_cases(rng):
    x = rng.normal(size=4)
    return [
        (0.7, rng.normal(size=4), x),
        (None, rng.normal(size=4), x),
        (-1.3, None, x),
        (0.5, rng.normal(size=2), np.array([3.0, -4.0])),
    ]


def _polar_oracle(r_bar, u_bar, x):
    def loss(x):
        r = np.sqrt(np.sum(x * x))
        total = 0.0 * r
        if r_bar is not None:
            total = total + r_bar * r
        if u_bar is not None:
            total = total + np.sum(u_bar * x / r)
        return total

    return complex_step(loss, x)


def _pull_polar(r_bar, u_bar, x, project=True, divide=True):
    r_bar = 0.0 if r_bar is None else r_bar
    u_bar = np.zeros_like(x) if u_bar is None else u_bar
    r = np.sqrt(x @ x)
    u = x / r
    across = u_bar - u * (u @ u_bar) if project else u_bar
    return r_bar * u + (across / r if divide else across)


def _crashes(r_bar, u_bar, x):
    r = np.sqrt(x @ x)
    u = x / r
    return r_bar * u + (u_bar - u * (u @ u_bar)) / r


def _overwrite_oracle():
    """Overwrite each array in turn after the forward pass and run the rules."""
    rng = np.random.default_rng(5)
    x, w = rng.normal(size=3), rng.normal(size=3)

    def backward(spoiled):
        kept = {"a": x + 1}
        kept["b"] = kept["a"] * w
        kept["c"] = np.tanh(kept["b"])
        kept["d"] = kept["c"] + kept["b"]
        if spoiled:
            kept[spoiled] = kept[spoiled] + 100.0
        d_bar = np.ones(3)
        b_bar = d_bar + d_bar * (1 - kept["c"] ** 2)
        return np.concatenate([b_bar * w, b_bar * kept["a"]])

    fair = backward(None)
    return "".join(name for name in "abcd" if np.array_equal(backward(name), fair))


EXERCISES = [
    Exercise(
        "09-column",
        "a function pull_column(Y_bar, X) that returns an array of shape (B, 1)",
        oracle=lambda Y_bar, X: _transposed(lambda c: X * c, (len(X), 1), Y_bar),
        cases=_columns,
        right=lambda Y_bar, X: (Y_bar * X).sum(axis=1, keepdims=True),
        proves="Summed over the index that a column does not have.",
        placeholder=lambda Y_bar, X: None,
        wrong=(
            Wrong(
                lambda Y_bar, X: (Y_bar * X).sum(axis=1),
                "The gradient has the shape of its variable: keep the axis of length 1.",
            ),
            Wrong(
                lambda Y_bar, X: Y_bar.sum(axis=1, keepdims=True),
                "That is the rule of X + c; here each copy was multiplied by its entry of X.",
            ),
            Wrong(
                lambda Y_bar, X: (Y_bar * X).mean(axis=1, keepdims=True),
                "Effects on one loss add up; a mean divides them.",
            ),
            Wrong(
                lambda Y_bar, X: (Y_bar * X).sum(axis=0, keepdims=True).T,
                "That sums over the rows; c has one entry for each row.",
            ),
        ),
    ),
    Exercise(
        "09-mean",
        "a function pull_mean(y_bar, X) that returns an array of the shape of X",
        oracle=lambda y_bar, X: _transposed(lambda X: X.mean(axis=1), X.shape, y_bar),
        cases=_blocks,
        right=lambda y_bar, X: np.broadcast_to(y_bar[:, None], X.shape) / X.shape[1],
        proves="Copied along the axis that was lost, divided once.",
        placeholder=lambda y_bar, X: None,
        wrong=(
            Wrong(
                lambda y_bar, X: np.broadcast_to(y_bar[:, None], X.shape),
                "That is the rule of the sum; the mean divides.",
            ),
            Wrong(
                lambda y_bar, X: np.broadcast_to(y_bar[:, None], X.shape) / X.shape[0],
                "The mean was taken over axis 1: divide by its length.",
            ),
            Wrong(
                lambda y_bar, X: np.broadcast_to(y_bar, X.shape) / X.shape[1],
                "The lost axis must be put back first, or the copy runs along the other one.",
            ),
        ),
    ),
    Exercise(
        "09-axes",
        "a function pull_axes(Y_bar, axes) that returns an array of the shape of X",
        oracle=_axes_oracle,
        cases=_axes,
        right=lambda Y_bar, axes: Y_bar.transpose(np.argsort(axes)),
        proves="The inverse permutation brings every entry home.",
        placeholder=lambda Y_bar, axes: None,
        wrong=(
            Wrong(
                lambda Y_bar, axes: Y_bar.transpose(axes),
                "That moves the axes once more; a circle of three needs the inverse.",
            ),
            Wrong(
                lambda Y_bar, axes: Y_bar.transpose(axes[::-1]),
                "Reading the axes backward does not invert the permutation.",
            ),
            Wrong(lambda Y_bar, axes: Y_bar.T, "That reverses all axes, whatever was done."),
        ),
    ),
    Exercise(
        "09-differences",
        "a function pull_differences(d_bar) that returns one entry more than d_bar",
        oracle=lambda d_bar: _transposed(lambda x: x[1:] - x[:-1], (len(d_bar) + 1,), d_bar),
        cases=lambda rng: [(rng.normal(size=n),) for n in (4, 1, 2)],
        right=_pull_differences,
        proves="Each slice's pull adds into zeros.",
        placeholder=lambda d_bar: None,
        wrong=(
            Wrong(
                lambda d_bar: -_pull_differences(d_bar),
                "The later neighbor enters with plus, the earlier with minus.",
            ),
            Wrong(
                lambda d_bar: np.concatenate([[0.0], d_bar]),
                "That is the first slice only.",
            ),
            Wrong(
                lambda d_bar: np.concatenate([-d_bar, [0.0]]),
                "That is the second slice only.",
            ),
            Wrong(
                lambda d_bar: np.cumsum(np.concatenate([[0.0], d_bar])),
                "That undoes the differences; the pull is the transpose, not the inverse.",
            ),
        ),
    ),
    Exercise(
        "09-cumsum",
        "a function pull_cumsum(y_bar) that returns an array of the same shape",
        oracle=lambda y_bar: _transposed(np.cumsum, y_bar.shape, y_bar),
        cases=lambda rng: [(rng.normal(size=n),) for n in (4, 3, 6)],
        right=lambda y_bar: np.cumsum(y_bar[::-1])[::-1],
        proves="The sum from i on: an upper triangle of ones.",
        placeholder=lambda y_bar: None,
        wrong=(
            Wrong(lambda y_bar: np.cumsum(y_bar), "That is the forward pass once more."),
            Wrong(
                lambda y_bar: np.diff(y_bar, prepend=0.0),
                "That undoes the running sum; the pull is the transpose, not the inverse.",
            ),
            Wrong(
                lambda y_bar: np.cumsum(y_bar[::-1]),
                "Turn the result round again.",
            ),
        ),
    ),
    Exercise(
        "09-table",
        "a function pull_table(Y_bar, c, V) that returns an array with V rows",
        oracle=_table_oracle,
        cases=_tables,
        right=lambda Y_bar, c, V: np.eye(V)[c].T @ Y_bar,
        proves="A row read three times has collected three.",
        placeholder=lambda Y_bar, c, V: None,
        wrong=(
            Wrong(
                _plus_equals,
                "`+=` with a list writes each place once: repeats are lost.",
            ),
            Wrong(
                lambda Y_bar, c, V: (
                    np.eye(V)[c].T @ Y_bar / np.maximum(np.bincount(c, minlength=V), 1)[:, None]
                ),
                "Repeats add up; a mean divides them.",
            ),
            Wrong(
                lambda Y_bar, c, V: np.eye(V)[c].T @ np.ones_like(Y_bar),
                "That counts the reads; the cotangents are to be added.",
            ),
        ),
    ),
    Exercise(
        "09-scores",
        'three letters, such as "bqk"',
        oracle=_scores_oracle,
        right="bkd",
        proves="Run on random arrays and compared with four loops.",
        placeholder="",
        wrong=(
            Wrong("bqk", "Those are the letters of the scores."),
            Wrong("bqd", "Those are the letters of the queries: nothing is summed over q."),
            Wrong("kbd", "A gradient is laid out as its variable is."),
            Wrong("bdk", "A gradient is laid out as its variable is; that one is turned over."),
        ),
    ),
    Exercise(
        "09-window",
        "a function pull_window(y_bar, x, w) that returns the tuple (x_bar, w_bar)",
        oracle=_window_oracle,
        cases=_windows,
        right=_pull_window,
        proves="Slices add into zeros, and each weight is an inner product.",
        placeholder=lambda y_bar, x, w: None,
        wrong=(
            Wrong(
                _window_reversed,
                "The weights are in the wrong order: w[j] goes with the slice that starts at j.",
            ),
            Wrong(_window_overwrites, "The slices overlap: add, do not overwrite."),
            Wrong(
                lambda y_bar, x, w: (_pull_window(y_bar, x, w)[0], np.full(len(w), y_bar.sum())),
                "Each copy of a weight was multiplied by an entry of x.",
            ),
        ),
    ),
    Exercise(
        "09-polar",
        "a function pull_polar(r_bar, u_bar, x) that returns an array of the shape of x",
        oracle=_polar_oracle,
        cases=_polar_cases,
        right=_pull_polar,
        proves="Both outputs, either of them unused.",
        placeholder=lambda r_bar, u_bar, x: None,
        wrong=(
            Wrong(_crashes, "An unused output has the cotangent zero, not None."),
            Wrong(
                lambda r_bar, u_bar, x: _pull_polar(r_bar, None, x),
                "The second output is forgotten.",
            ),
            Wrong(
                lambda r_bar, u_bar, x: _pull_polar(r_bar, u_bar, x, project=False),
                "Moving x along itself does not turn it: take that part of u_bar away.",
            ),
            Wrong(
                lambda r_bar, u_bar, x: _pull_polar(r_bar, u_bar, x, divide=False),
                "The farther away x is, the less it turns: divide by r.",
            ),
        ),
    ),
    Exercise(
        "09-overwrite",
        'letters, such as "ad"',
        oracle=_overwrite_oracle,
        right="bd",
        proves="Each was spoiled in turn, and the gradients compared.",
        placeholder="",
        wrong=(
            Wrong("abd", "The product's rule for w reads a."),
            Wrong("abcd", "Rules read a and c."),
            Wrong("d", "Nobody needs b either: tanh reads its output."),
            Wrong("acd", "The other way round: b is free, a and c are read."),
            Wrong("b", "Nobody reads d: a sum's rule reads nothing."),
        ),
    ),
]

check = checker(EXERCISES)
