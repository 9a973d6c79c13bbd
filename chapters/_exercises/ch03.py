"""The exercises of chapter 3: what is asked, how it is judged, and which slips are known.

The oracles walk paths, differentiate by the complex step or count; none of them sweeps a graph.
"""

import numpy as np

from bplib.check import complex_step
from bplib.exercises import Exercise, Wrong, checker


def _contributions(rng):
    return [(rng.normal(size=c), rng.normal(size=c)) for c in (2, 3, 5, 1)]


def _listening(slopes, bars):
    """One node moved, its consumers moved, and a loss that hears each consumer in its own way."""

    def loss(v):
        return np.sum(bars * (slopes * v))

    return complex_step(loss, np.zeros(1))[0]


def _edge_matrices(rng):
    cases = []
    for n in (3, 5, 6):
        E = np.tril(rng.normal(size=(n, n)) * (rng.uniform(size=(n, n)) < 0.7), -1)
        E[n - 1, :2] = rng.normal(size=2)
        cases.append((E,))
    return cases


def _walk(E, j):
    """The sum over all paths from node j to the last, walked one by one."""
    n = len(E)
    return 1.0 if j == n - 1 else sum(E[i, j] * _walk(E, i) for i in range(n) if E[i, j] != 0)


def _read_matrices(rng):
    cases = []
    for n in (3, 5, 7):
        R = np.tril(rng.integers(0, 2, size=(n, n)), -1)
        R[1:, 0] = 1
        R[n - 1, :] = [1] * (n - 1) + [0]
        cases.append((R,))
    return cases


def _paths_by_walking(R):
    def walk(j):
        return 1 if j == len(R) - 1 else sum(walk(i) for i in range(len(R)) if R[i, j])

    return walk(0)


def _orders(rng):
    """Graphs whose numbers are shuffled, so that the numbering itself is no topological order."""
    cases = []
    for n in (4, 6, 8):
        names = rng.permutation(n)
        R = np.zeros((n, n), int)
        for i in range(1, n):
            for j in range(i):
                R[names[i], names[j]] = j == i - 1 if n == 4 else rng.uniform() < 0.4
        cases.append((R,))
    return cases


def _smallest_first(R):
    """The order in which, again and again, the smallest node that can be made is made."""
    done = []
    while len(done) < len(R):
        ready = [i for i in range(len(R)) if i not in done and set(np.flatnonzero(R[i])) <= {*done}]
        done.append(min(ready))
    return np.array(done)


def _depth_first(R):
    order = []

    def visit(i):
        if i not in order:
            for j in np.flatnonzero(R[i]):
                visit(j)
            order.append(i)

    for i in range(len(R)):
        visit(i)
    return np.array(order)


def _seeds(rng):
    return [
        (rng.normal(size=a), rng.normal(size=(a, b)), rng.normal(size=b))
        for a, b in ((4, 3), (1, 2), (3, 3))
    ]


def _sequences(rng):
    return [(rng.normal(), rng.normal(size=K)) for K in (1, 3, 6)]


def _state(w, xs):
    h = 0.0
    for x in xs:
        h = np.tanh(w * h + x)
    return h


def _recurrent(w, xs, last_only=False, first_only=False, linear=False):
    h = [0.0]
    for x in xs:
        h.append(np.tanh(w * h[-1] + x))
    g, total = 1.0, 0.0
    for k in range(len(xs), 0, -1):
        d = g if linear else g * (1 - h[k] ** 2)
        if not (last_only and k < len(xs)) and not (first_only and k > 2):
            total += d * h[k - 1]
        g = d * w
    return total


_ORDERS = {"A": "pqJr", "B": "prqJ", "C": "qprJ", "D": "Jrqp"}
_READS = {"p": "", "q": "", "r": "pq", "J": "rp"}


def _reads_nothing_early(order):
    return all(set(_READS[k]) <= set(order[:i]) for i, k in enumerate(order))


EXERCISES = [
    Exercise(
        "03-order",
        "one letter, A to D",
        oracle=lambda: next(k for k, order in _ORDERS.items() if _reads_nothing_early(order)),
        right="C",
        proves="Nothing is read before it is made, and so many orders would do.",
        placeholder="",
        wrong=(
            Wrong("A", "In A, J is made before r, which it reads."),
            Wrong("B", "In B, r is made before q, which it reads."),
            Wrong("D", "D is an order for the way back: every node before what it reads."),
        ),
    ),
    Exercise(
        "03-by-hand",
        "a number",
        # J = u v + u with u = x y and v = sin(u) at x = 2, y = 0.5
        oracle=lambda: complex_step(lambda x: x * 0.5 * np.sin(x * 0.5) + x * 0.5, 2.0),
        right=0.5 * (np.sin(1.0) + np.cos(1.0) + 1.0),
        proves="Three consumers of u, one factor y.",
        wrong=(
            Wrong(
                np.sin(1.0) + np.cos(1.0) + 1.0,
                "That is the adjoint of u; x moves u only y times as fast.",
            ),
            Wrong(0.5 * (np.sin(1.0) + 1.0), "The path through the sine is missing."),
            Wrong(0.5 * (np.sin(1.0) + np.cos(1.0)), "The path straight into the sum is missing."),
            Wrong(0.5 * (np.sin(1.0) * np.cos(1.0) + 1.0), "Two paths were multiplied; they add."),
        ),
    ),
    Exercise(
        "03-consumers",
        "a function adjoint(slopes, bars) that returns a number",
        oracle=_listening,
        cases=_contributions,
        right=lambda slopes, bars: np.sum(slopes * bars),
        proves="One product for each consumer, and their sum.",
        placeholder=lambda slopes, bars: None,
        wrong=(
            Wrong(
                lambda slopes, bars: np.sum(slopes) * np.sum(bars),
                "That multiplies two sums: every slope met every adjoint.",
            ),
            Wrong(
                lambda slopes, bars: slopes[-1] * bars[-1],
                "Only the last consumer is heard: that is = in place of +=.",
            ),
            Wrong(lambda slopes, bars: np.prod(slopes * bars), "Contributions add."),
            Wrong(lambda slopes, bars: np.mean(slopes * bars), "A sum, not a mean."),
        ),
    ),
    Exercise(
        "03-slip",
        "one letter, A to E",
        oracle=lambda: "C",
        right="C",
        proves="The last contribution would erase the others.",
        placeholder="",
        wrong=(
            Wrong("A", "Line A is the seed."),
            Wrong("B", "Newest first is right."),
            Wrong("D", "Line D hands the dictionary back; nothing is kept on the nodes."),
            Wrong("E", "There is a slip: try the graph of x * x."),
        ),
    ),
    Exercise(
        "03-count",
        "a function number_of_paths(R) that returns a whole number",
        oracle=_paths_by_walking,
        cases=_read_matrices,
        right=lambda R: round(np.linalg.solve(np.eye(len(R)) - R.T, np.eye(len(R))[-1])[0]),
        proves="Adjoints with every local derivative 1 count paths.",
        placeholder=lambda R: None,
        wrong=(
            Wrong(lambda R: int(R.sum()), "That is the number of edges."),
            Wrong(lambda R: int(R[:, 0].sum()), "That is the number of consumers of node 0."),
            Wrong(
                lambda R: 2 ** (len(R) - 1),
                "That is the number for a graph in which everyone reads everyone, doubled.",
            ),
        ),
    ),
    Exercise(
        "03-system",
        "a function all_adjoints(E) that returns an array of shape (n,)",
        oracle=lambda E: np.array([_walk(E, j) for j in range(len(E))]),
        cases=_edge_matrices,
        right=lambda E: np.linalg.solve(np.eye(len(E)) - E.T, np.eye(len(E))[-1]),
        proves="It agrees with a walk along every path.",
        placeholder=lambda E: None,
        wrong=(
            Wrong(
                lambda E: np.linalg.solve(np.eye(len(E)) - E, np.eye(len(E))[-1]),
                "E is not transposed: row i of E says what operation i reads.",
            ),
            Wrong(
                lambda E: np.linalg.solve(np.eye(len(E)) - E.T, np.eye(len(E))[0]),
                "The seed is at the first node; the loss is the last.",
            ),
            Wrong(
                lambda E: E.T @ np.eye(len(E))[-1],
                "Those are the paths with one edge only.",
            ),
            Wrong(
                lambda E: np.linalg.solve(np.eye(len(E)) + E.T, np.eye(len(E))[-1]),
                "The sign: the adjoints are E^T times themselves plus the seed.",
            ),
        ),
    ),
    Exercise(
        "03-twice",
        "a number",
        # counted by running the storing sweep twice on a chain of five identities
        oracle=lambda: float(_storing_twice(5)),
        right=6,
        proves="Every node on the way adds its excess once.",
        wrong=(
            Wrong(2, "It would be 2 if the intermediate nodes had been reset."),
            Wrong(5, "Count the first sweep too."),
            Wrong(32, "The excess adds up along the chain; it does not double at every node."),
        ),
    ),
    Exercise(
        "03-seed",
        "a function x_bar(x, W, seed) that returns an array of the shape of x",
        oracle=lambda x, W, s: complex_step(lambda u: np.sum(s * np.tanh(u @ W)), x),
        cases=_seeds,
        right=lambda x, W, s: W @ (s * (1 - np.tanh(x @ W) ** 2)),
        proves="The slopes, then the transposed matrix; no Jacobian was built.",
        placeholder=lambda x, W, s: None,
        wrong=(
            Wrong(
                lambda x, W, s: W @ (1 - np.tanh(x @ W) ** 2),
                "That is the seed of ones.",
            ),
            Wrong(lambda x, W, s: W @ s, "The slope of tanh is missing."),
            Wrong(
                lambda x, W, s: (1 - np.tanh(x @ W) ** 2) * s,
                "That has arrived before the matrix, at x @ W; one more step.",
            ),
            Wrong(
                lambda x, W, s: W @ (s * (1 - np.tanh(np.tanh(x @ W)) ** 2)),
                "The slope was taken at the output; it belongs at x @ W.",
            ),
        ),
    ),
    Exercise(
        "03-sort",
        "a function order(R) that returns the nodes, smallest first among those that are ready",
        oracle=_smallest_first,
        cases=_orders,
        right=_smallest_first,
        proves="Every node comes after what it reads.",
        placeholder=lambda R: None,
        wrong=(
            Wrong(
                lambda R: np.arange(len(R)),
                "That is the order of the numbers; node i may read a node with a larger number.",
            ),
            Wrong(
                lambda R: _smallest_first(R.T),
                "That is an order in which every node comes before what it reads.",
            ),
            Wrong(
                lambda R: np.argsort(R.sum(axis=1), kind="stable"),
                "Sorted by how many nodes each reads: that can put a node before its only input.",
            ),
        ),
    ),
    Exercise(
        "03-recurrent",
        "a function slope_in_time(w, xs) that returns a number",
        oracle=lambda w, xs: complex_step(lambda u: _state(u, xs), w),
        cases=_sequences,
        right=_recurrent,
        proves="Every use of w is heard, the early ones through all later steps.",
        placeholder=lambda w, xs: None,
        wrong=(
            Wrong(
                lambda w, xs: _recurrent(w, xs, last_only=True),
                "Only the last use of w is counted; the earlier ones act through h.",
            ),
            Wrong(
                lambda w, xs: _recurrent(w, xs, first_only=True),
                "Only the first two uses of w are counted.",
            ),
            Wrong(
                lambda w, xs: _recurrent(w, xs, linear=True),
                "The slope of tanh is missing.",
            ),
        ),
    ),
]


def _storing_twice(length: int) -> float:
    grad = [0.0] * (length + 1)
    for _ in range(2):
        grad[-1] = 1.0
        for i in range(length, 0, -1):
            grad[i - 1] += grad[i]
    return grad[0]


check = checker(EXERCISES)
