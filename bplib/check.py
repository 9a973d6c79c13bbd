"""Independent oracles for derivatives: finite difference, complex step, adjoint test.

None of them knows a derivative rule. The finite difference needs nothing but the function; the
complex step is exact to rounding where the function is analytic; the adjoint test compares the two
modes with each other. `gradient` puts them together and explains its verdict.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal, NamedTuple

import numpy as np

from bplib import calculus, graph, ops
from bplib.graph import Node, Op
from bplib.ops import Binary, Unary
from bplib.ops.nodes import ARITHMETIC

EPS = float(np.finfo(np.float64).eps)
# Central differences err by h^2 f'''/6 + eps f/h, least at (3 eps)^(1/3); two of them combined
# (Richardson) err by h^4 f'''''/30 + 2 eps f/h, least near eps^(1/5).
STEP = EPS ** (1 / 5)


def finite_difference(
    f: Callable[..., Any], x: Any, step: float | None = None
) -> np.ndarray[Any, Any]:
    """Return the Jacobian of `f` at `x`, of shape output.shape + x.shape, from values of `f` only.

    Central differences with steps h and h/2 combined so that the h^2 error cancels. `step` is h
    relative to max(1, |entry|); float64 only, TypeError otherwise.
    """
    x = _float64("finite_difference", x)
    columns = [_directional(f, x, index, step or STEP)[0] for index in np.ndindex(x.shape)]
    return _assemble(columns, f, x)


def complex_step(f: Callable[..., Any], x: Any, step: float = 1e-30) -> np.ndarray[Any, Any]:
    """Return the Jacobian Im f(x + ih)/h of an analytic `f`, exact to rounding.

    No difference is taken, so h can be tiny. `f` runs on plain complex arrays; abs, max, sort and
    whatever else compares or conjugates is not analytic: TypeError if the result comes back real.
    """
    x = _float64("complex_step", x)
    columns = []
    for index in np.ndindex(x.shape):
        z = x.astype(complex)
        z[index] += 1j * step
        y = np.asarray(f(z if z.ndim else z[()]))
        if y.dtype.kind != "c":
            raise TypeError(
                "complex_step: the function gave a real result for complex input, so it is not "
                "analytic as written (abs, real, comparison?); use finite_difference"
            )
        columns.append(y.imag / step)
    return _assemble(columns, f, x)


def _float64(name: str, x: Any) -> np.ndarray[Any, Any]:
    given = np.asarray(x)
    if given.dtype.kind == "f" and given.dtype.itemsize < 8:
        raise TypeError(
            f"{name}: in {given.dtype} the rounding error of a difference is as large as the "
            "derivative's digits; check in float64: x.astype(np.float64)"
        )
    ops.check_dtype(name, given.dtype)
    return given.astype(np.float64)


def _assemble(columns: Sequence[Any], f: Callable[..., Any], x: Any) -> np.ndarray[Any, Any]:
    if not columns:
        return np.zeros(np.shape(f(x)) + x.shape)
    return np.stack(columns, axis=-1).reshape(np.shape(columns[0]) + x.shape)


def _directional(
    f: Callable[..., Any], x: np.ndarray[Any, Any], index: tuple[int, ...], step: float
) -> tuple[Any, float, float]:
    """Return the derivative by one entry, the step used, and how far the two sides disagree."""
    h = 2.0 ** round(np.log2(step * max(1.0, abs(float(x[index])))))  # x + h is then exact enough

    def at(offset: float) -> Any:
        moved = x.copy()
        moved[index] += offset
        return np.asarray(f(moved if moved.ndim else float(moved)), dtype=float)

    far, near = (at(h) - at(-h)) / (2 * h), (at(h / 2) - at(-h / 2)) / h
    middle, tiny = at(0.0), h / 64
    one_sided = (at(tiny) - middle) / tiny - (middle - at(-tiny)) / tiny
    return (4 * near - far) / 3, h, float(np.max(np.abs(one_sided), initial=0.0))


def adjoint(f: Callable[..., Any], *args: Any, seed: int = 0) -> float:
    """Return how far <v, Ju> and <J^T v, u> differ for random u and v, relative to their size.

    The pushforward and the pullback of `f` at `args` must be transposes of each other: about 1e-15
    when they are. It says nothing about an elementwise rule, which serves both modes.
    """
    rng = np.random.default_rng(seed)
    us = tuple([_random_like(rng, x) for x in args])
    y, push = calculus.linearize(f, *args)
    vs = _random_like(rng, y)
    _, pull = calculus.vjp(f, *args)
    left, size_left = _inner(vs, push(*us))
    right, size_right = _inner(calculus._pack(pull(vs)) if len(args) == 1 else pull(vs), us)
    return abs(left - right) / max(size_left, size_right, np.finfo(float).tiny)


def _random_like(rng: np.random.Generator, tree: Any) -> Any:
    draw = [rng.standard_normal(np.shape(x)) for x in calculus.leaves(tree)]
    return calculus.rebuild(tree, iter(draw))


def _inner(a: Any, b: Any) -> tuple[float, float]:
    terms = [
        np.ravel(np.asarray(x) * np.asarray(y))
        for x, y in zip(calculus.leaves(a), calculus.leaves(b), strict=True)
    ]
    every = np.concatenate(terms) if terms else np.zeros(0)
    return float(every.sum()), float(np.abs(every).sum())


class Verdict(NamedTuple):
    """The outcome of a gradient check; true if it passed, and it says why if not."""

    passed: bool
    message: str
    argument: int | None = None
    entry: tuple[int, ...] | None = None
    expected: float | None = None
    got: float | None = None
    step: float | None = None
    near_kink: bool = False
    entries: int = 0

    def __bool__(self) -> bool:
        return self.passed

    def __str__(self) -> str:
        return self.message

    def __repr__(self) -> str:
        return self.message


def gradient(
    f: Callable[..., Any], *args: Any, claimed: Any = None, rtol: float = 1e-7, seed: int = 0
) -> Verdict:
    """Return a verdict on the derivatives of `f` at `args`, against finite differences.

    Every argument is a float or a float64 array. Every entry of every argument is compared, in
    reverse and in forward mode; an array output is combined with random weights. With `claimed`
    (one gradient, or a tuple of one per argument) those numbers are checked instead, of a scalar
    function that may be plain NumPy. The error allowed is `rtol` times the largest derivative
    plus the rounding error of the difference itself. At a kink a number may agree by convention:
    the verdict then passes with `near_kink` set. Raises TypeError for float32.
    """
    arrays = [_float64("check.gradient", x) for x in args]
    y = ops.value(f(*args))
    weights = np.random.default_rng(seed).uniform(0.5, 1.5, np.shape(y)) if np.ndim(y) else 1.0

    def scalar(*xs: Any) -> float:
        return float(np.sum(weights * np.asarray(ops.value(f(*xs)))))

    size = abs(scalar(*args))
    suspect: Verdict | None = None
    entries = 0
    for mode, argument, claims in _claims(f, args, weights, claimed):
        x = arrays[argument]
        if np.shape(claims) != x.shape:
            return Verdict(False, f"{mode}: argument {argument} has shape {x.shape}, "
                           f"its gradient {np.shape(claims)}", argument)  # fmt: skip
        for index in np.ndindex(x.shape):
            entries += 1

            def along(moved: Any, argument: int = argument) -> float:
                return scalar(*args[:argument], moved, *args[argument + 1 :])

            got = float(np.asarray(claims)[index])
            passed, expected, step, kink = _judge(along, x, index, got, size, rtol)
            if not passed or kink:
                where = (mode, argument, index, expected, got, step, kink, entries)
                if not passed:
                    return _explain(False, *where)
                suspect = _explain(True, *where)
    return suspect or Verdict(True, f"passed: {entries} derivatives agree", entries=entries)


def _claims(
    f: Callable[..., Any], args: tuple[Any, ...], weights: Any, claimed: Any
) -> Iterator[tuple[str, int, Any]]:
    """Yield (mode, argument, derivatives by its entries) for everything there is to check."""
    if claimed is not None:
        for i, claim in enumerate(claimed if isinstance(claimed, tuple) else (claimed,)):
            yield "claimed", i, claim
        return
    _, pull = calculus.vjp(f, *args)
    like = weights if isinstance(weights, np.ndarray) else 1.0
    bars = pull(like)
    for i, bar in enumerate(bars if len(args) > 1 else (bars,)):
        yield "reverse", i, bar
    _, push = calculus.linearize(f, *args)
    zeros = [np.zeros(np.shape(x)) for x in args]
    for i, x in enumerate(args):
        column = np.zeros(np.shape(x))
        for index in np.ndindex(column.shape):
            e = np.zeros(np.shape(x))
            e[index] = 1
            column[index] = np.sum(weights * np.asarray(push(*zeros[:i], e, *zeros[i + 1 :])))
        yield "forward", i, column


def _judge(
    along: Callable[[Any], float], x: Any, index: Any, got: float, size: float, rtol: float
) -> tuple[bool, float, float, bool]:
    """Return whether `got` is right, what a difference gives, its step, and if a kink is near."""
    passed, first, kink = False, (0.0, 0.0, 0.0), False
    for k in range(5):  # a shorter step if the first was too long for the curvature
        expected, h, sides = _directional(along, x, index, STEP / 8**k)
        expected = float(expected)
        scale = max(abs(expected), 1e-3 * size, 1e-3)
        if k == 0:
            first = (expected, h, sides)
        # f' jumps if the sides keep disagreeing as the step shrinks; a curve's sides would meet.
        kink = sides > 1e-3 * scale and sides > 0.5 * first[2]
        passed = abs(got - expected) <= rtol * scale + 8 * EPS * size / h
        if (passed or kink) and (k > 0 or sides <= 1e-3 * scale):
            break
    return passed, first[0], first[1], kink


def _explain(
    passed: bool,
    mode: str, argument: int, entry: Any, expected: float, got: float, step: float, kink: bool,
    entries: int,
) -> Verdict:  # fmt: skip
    where = f"argument {argument}" + (f", entry {entry}" if entry else "")
    message = (
        f"{'passed' if passed else 'failed'} in {mode} mode: {where}: expected {expected:.10g} "
        f"by finite difference, got {got:.10g}, step {step:.2g}"
    )
    if kink:
        message += (
            "; near a kink? the one-sided differences disagree and go on disagreeing as the step "
            "shrinks, so no derivative exists there: check away from it"
        )
    elif expected and abs(got / expected) not in (0.0, 1.0):
        message += f"; the ratio got/expected is {got / expected:.6g}"
    return Verdict(passed, message, argument, tuple(entry), expected, got, step, kink, entries)


# Tracing a NaN to its origin


@contextmanager
def explain_nan() -> Iterator[None]:
    """Raise FloatingPointError at the first operation that makes a NaN, forward or backward.

    The message names the operation, the first entry, and what its inputs held there. It checks
    every value recorded inside the `with` block; outside it costs nothing. Nestable; it applies
    to all threads while it is on.
    """
    makers: list[tuple[Any, str]] = [(kind, "__call__") for kind in (Op, Unary, Binary)]
    makers += [(Node, f"__{r}{name}__") for r in ("", "r") for name in ARITHMETIC]
    originals = [getattr(owner, name) for owner, name in makers]
    watching = graph.watch

    def checking(make: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any, **params: Any) -> Any:
            node = make(*args, **params)
            if type(node) is Node and not any(_has_nan(x) for x in node.inputs):
                _complain(node.data, node.op.name if node.op else "leaf", node.inputs)
            return node

        return run

    def watch(node: Node, i: int, g: Any, t: Any) -> None:
        if node.op is not None and not any(_has_nan(x) for x in (g, *node.inputs)):
            made_by = f"{node.op.name}: its derivative rule for argument {i}"
            _complain(t, made_by, (*node.inputs, g))

    try:
        graph.watch = watch
        for (owner, name), make in zip(makers, originals, strict=True):
            setattr(owner, name, checking(make))
        yield
    finally:
        graph.watch = watching
        for (owner, name), make in zip(makers, originals, strict=True):
            setattr(owner, name, make)


def _has_nan(x: Any) -> bool:
    x = ops.value(x)
    parts = x if isinstance(x, tuple) else (x,)
    return any(bool(np.isnan(part).any()) for part in parts if np.asarray(part).dtype.kind == "f")


def _complain(result: Any, made_by: str, inputs: Sequence[Any]) -> None:
    if not _has_nan(result):
        return
    y = ops.value(result)
    y = next(p for p in y if _has_nan(p)) if isinstance(y, tuple) else y
    first = tuple(int(i) for i in np.argwhere(np.isnan(np.asarray(y)))[0])
    held = []
    for x in (np.asarray(ops.value(x)) for x in inputs):
        if x.shape == np.shape(y):
            held.append(f"{x[first]:.6g}")
        else:
            held.append(
                f"an array {x.shape}" + (f" of {x.min():.3g}..{x.max():.3g}" if x.size else "")
            )
    raise FloatingPointError(
        f"{made_by} made the first NaN, at entry {first} of shape {np.shape(y)}, from finite "
        f"or infinite inputs holding there: {', '.join(held)}"
    )


@contextmanager
def errstate(what: Literal["raise", "warn", "ignore"] = "raise") -> Iterator[None]:
    """Set what division by zero, overflow and invalid operations do: raise, warn or ignore.

    With "raise", FloatingPointError names the operation.
    """
    with np.errstate(divide=what, over=what, invalid=what):
        yield
