"""Memory for time: keep some values, compute the others again, and see what is kept for whom.

The backward sweep needs the forward values in reverse order. `checkpoint` wraps a function so that
only its inputs are kept and its inside is computed again when the sweep arrives. For a chain of n
steps, `segmented` keeps about sqrt(n) states and runs every step twice; `revolve` keeps any number
of states and runs the fewest steps that this number allows (Griewank and Walther 2000).

Recomputation repeats the same calls on the same values, so gradients keep their bits.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cache, partial
from itertools import count, pairwise
from typing import Any, NamedTuple

import numpy as np

from bplib.calculus import Tree, jvp, leaves, rebuild, vjp
from bplib.graph import Node, Op, state
from bplib.plan import Plan, compile

_regions = count(1).__next__


class _Afresh:
    """Inside, a plan computes again what it has computed already: that is the purpose here."""

    def __enter__(self) -> None:
        self.before = getattr(state, "region", 0)
        state.region = _regions()

    def __exit__(self, *_: Any) -> None:
        state.region = self.before


def checkpoint(f: Callable[..., Any]) -> Callable[..., Any]:
    """Return `f` with its inside forgotten and computed again in the backward sweep.

    f takes arrays and returns one array; keyword arguments are options. What f needs of its
    arguments only is kept: their values. Derivatives of any order pass through, and the numbers are
    the same bits as without. Arrays that f takes from outside are constants: a traced value must
    come in as an argument, or the sweep raises TypeError.
    """
    name = getattr(f, "__name__", "checkpoint")

    def run(*xs: Any, **options: Any) -> Any:
        y = f(*xs, **options)
        if type(y) is Node:
            raise TypeError(
                f"checkpoint: {name} uses a traced value that is not among its arguments, and its "
                "derivative would be lost; pass it as an argument"
            )
        return y

    def wrapped(*xs: Any, **options: Any) -> Any:
        traced = [i for i, x in enumerate(xs) if type(x) is Node]
        if not traced:
            return f(*xs, **options)
        found: dict[int, Any] = {}  # argument -> its cotangent, from the one sweep for all of them
        seed: list[Any] = [None]

        def pull(i: int, g: Any, y: Any, *xs: Any, **options: Any) -> Any:
            if seed[0] is not g or i not in found:
                with _Afresh():
                    fill = lambda *some: f(*_replace(xs, traced, some), **options)  # noqa: E731
                    _, back = vjp(fill, *[xs[j] for j in traced])
                    bars = back(g)
                found.update(zip(traced, bars if len(traced) > 1 else (bars,), strict=True))
                seed[0] = g
            bar = found.pop(i)
            if not found:
                seed[0] = None
            return bar

        def push(i: int, t: Any, y: Any, *xs: Any, **options: Any) -> Any:
            with _Afresh():
                return jvp(lambda a: f(*_replace(xs, [i], (a,)), **options), (xs[i],), (t,))[1]

        n = range(len(xs))
        vjps = tuple([partial(pull, i) for i in n])
        jvps = tuple([partial(push, i) for i in n])
        return Op(f"checkpoint of {name}", run, vjps, jvps, kind="custom")(*xs, **options)

    wrapped.__name__, wrapped.__doc__ = name, f.__doc__
    return wrapped


def _replace(xs: Sequence[Any], at: Sequence[int], values: Sequence[Any]) -> list[Any]:
    new = list(xs)
    for i, x in zip(at, values, strict=True):
        new[i] = x
    return new


# Chains: y = steps[n-1](... steps[1](steps[0](x, p_0), p_1) ..., p_{n-1})

Step = Callable[..., Any]


def segmented(steps: Sequence[Step], segments: int | None = None) -> Callable[..., Any]:
    """Return the chain of `steps` as one function (x, *params), a checkpoint for every segment.

    `steps[i](x, p_i)` gives the next x, p_i an array or a tree of arrays. With s segments about
    s + n / s states are held at a time, the fewest for s = sqrt(n), which is the default; every
    step is run twice. Raises ValueError unless 1 <= segments <= n.
    """
    n = len(steps)
    segments = max(1, round(math.sqrt(n))) if segments is None else segments
    if not 1 <= segments <= max(n, 1):
        raise ValueError(f"segmented: segments must lie in 1..{n}, got {segments}")
    bounds = [n * k // segments for k in range(segments + 1)]

    def run(x: Any, *params: Any) -> Any:
        if len(params) != n:
            raise ValueError(f"segmented: {n} steps need {n} parameters, got {len(params)}")
        for start, stop in pairwise(bounds):
            part = list(params[start:stop])
            flat = leaves(part)

            def segment(x: Any, *flat: Any, part: Any = part, start: int = start) -> Any:
                for i, p in enumerate(rebuild(part, iter(flat)), start):
                    x = steps[i](x, p)
                return x

            x = checkpoint(segment)(x, *flat)
        return x

    return run


@cache
def fewest_steps(n: int, states: int) -> int:
    """Return how many steps a chain of n costs forward, at least, if `states` states can be kept.

    The recorded run of a step in the backward pass is not counted. With r the most often that any
    step is run, it is r n - binomial(states + r, r - 1) (Griewank and Walther 2000, Proposition 1;
    the state at the start is one of `states`).
    """
    r = 0
    while math.comb(states + r, states) < n:
        r += 1
    return r * n - math.comb(states + r, r - 1) if r else 0


def revolve(n: int, states: int) -> list[tuple[str, int, int]]:
    """Return the optimal schedule for a chain of n steps if `states` states can be kept.

    Actions: ("keep", i, slot) stores state i; ("advance", i, j) runs the steps i..j-1 without
    recording; ("back", i, 0) runs step i once more, recorded, and pulls the cotangent back through
    it; ("load", i, slot) returns to a stored state. Raises ValueError for n or states below 1.
    """
    if n < 1 or states < 1:
        raise ValueError(f"revolve: needs n >= 1 steps and states >= 1, got {n} and {states}")
    actions: list[tuple[str, int, int]] = [("keep", 0, 0)]
    # Each task: pull back through steps start..stop-1 with `free` slots, state `start` in `slot`.
    stack = [(0, n, states - 1, 0, False)]
    while stack:
        start, stop, free, slot, away = stack.pop()
        if away:
            actions.append(("load", start, slot))
        if stop - start == 1:
            actions.append(("back", start, 0))
        elif free == 0:  # nothing to keep: from the start again for every step
            for i in range(stop - 1, start, -1):
                actions += [("advance", start, i), ("back", i, 0), ("load", start, slot)]
            actions.append(("back", start, 0))
        else:
            middle = start + _cut(stop - start, free + 1)
            actions += [("advance", start, middle), ("keep", middle, slot + 1)]
            stack.append((start, middle, free, slot, True))
            stack.append((middle, stop, free - 1, slot + 1, False))
    return actions


@cache
def _cut(n: int, states: int) -> int:
    """Where to keep the next state: the smallest of the optimal places, by the closed form."""
    best, place = None, 1
    for m in range(1, n):
        cost = m + fewest_steps(m, states) + fewest_steps(n - m, states - 1)
        if best is None or cost < best:
            best, place = cost, m
    return place


class Reversed(NamedTuple):
    """What `chain_gradient` returns: J, dJ/dx, dJ/dp per step, and the steps run forward."""

    J: Any
    x: Any
    params: list[Any]
    advanced: int


def chain_gradient(
    steps: Sequence[Step], params: Sequence[Tree], x: Any, loss: Callable[[Any], Any], states: int
) -> Reversed:
    """Return the gradient of loss(chain(x)) with at most `states` states kept, by `revolve`.

    `steps[i](x, params[i])` gives the next x. The numbers are the bits of the sweep that keeps all.
    Beside the states kept, memory is needed for the state under way and for the one step that is
    recorded and swept: it does not grow with n.
    Raises ValueError for another number of parameters than steps, or states below 1.
    """
    n = len(steps)
    if len(params) != n:
        raise ValueError(f"chain_gradient: {n} steps need {n} parameters, got {len(params)}")
    kept: dict[int, Any] = {}
    bars: list[Any] = [None] * n
    J, bar, at, advanced = None, None, x, 0
    for action, i, j in revolve(n, states):
        if action == "keep":
            kept[j] = at
        elif action == "load":
            at = kept[j]
            for slot in [s for s in kept if s > j]:
                del kept[slot]
        elif action == "advance":
            for k in range(i, j):
                at = steps[k](at, params[k])
            advanced += j - i
        else:
            turn = bar is None  # the last step and the loss are swept together
            y, pull = vjp(_then(steps[i], loss) if turn else steps[i], at, params[i])
            if turn:
                J, bar = y, 1.0 if type(y) is float else np.ones((), np.asarray(y).dtype)
            del y  # what is not needed by the sweep is not there while it runs
            bar, bars[i] = pull(bar)
            del pull
    return Reversed(J, bar, bars, advanced)


def _then(step: Step, loss: Callable[[Any], Any]) -> Step:
    return lambda x, p: loss(step(x, p))


# Who keeps what


class Kept(NamedTuple):
    """One buffer of a plan: its maker, when it is first and last needed, by whom, its bytes."""

    maker: str
    born: int
    last: int
    reader: str
    nbytes: int


class Liveness(NamedTuple):
    """Bytes in use during every step of a plan, their peak, and the buffers, the largest first."""

    bytes: list[int]
    peak: int
    kept: list[Kept]

    def table(self, rows: int = 10) -> str:
        """Return the buffers that are kept the longest for their size, as text."""
        order = sorted(self.kept, key=lambda k: -k.nbytes * (k.last - k.born + 1))[:rows]
        lines = [f"{'made by':<24}{'steps':>12}  {'kept for':<24}{'bytes':>14}"]
        for k in order:
            span = f"{k.born + 1}-{k.last + 1}"
            lines.append(f"{k.maker:<24}{span:>12}  {k.reader:<24}{k.nbytes:>14,}")
        return "\n".join(lines)


def liveness(f: Callable[..., Any] | Plan, *args: Any, **kwargs: Any) -> Liveness:
    """Return which buffers the plan of f(*args) holds, from which step to which, and for whom.

    f is called once, or a `Plan` is given. Bytes count what the plan computes into: not its
    arguments, nor what it returns.
    """
    if isinstance(f, Plan):
        program = f.program
    else:
        compiled = compile(f)
        compiled(*args, **kwargs)
        program = compiled.plan().program
    readers: dict[int, str] = {}
    for call in program.calls:
        for v in call.reads():
            if call.kind != "view":
                readers[v.root.number] = call.name
    kept = [
        Kept(
            call.name,
            program.born[call.out.number],
            program.last.get(call.out.number, program.born[call.out.number]),
            readers.get(call.out.number, "nobody"),
            call.out.nbytes,
        )
        for call in program.calls
        if call.out.number in program.place
    ]
    kept.sort(key=lambda k: -k.nbytes)
    return Liveness(list(program.live), max(program.live, default=0), kept)
