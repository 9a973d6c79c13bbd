"""Random expressions, printed to LaTeX and read back, agree with direct evaluation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bplib.equations import EquationError, Letters, elementwise, formula

SIZES = {"m": 2, "n": 3, "p": 4}
RNG = np.random.RandomState(0)

# Letters by shape: a scalar, columns and matrices of every pair of sizes.
ARRAYS: dict[str, tuple[tuple[str, str], np.ndarray]] = {}
for letter in "abc":
    ARRAYS[letter] = (("1", "1"), RNG.standard_normal(()))
for name, rows in zip("xyzuvw", "mnpmnp", strict=True):
    ARRAYS[name] = ((rows, "1"), RNG.standard_normal(SIZES[rows]))
for name, rows, columns in zip("ABCDEFGHK", "mmmnnnppp", "mnpmnpmnp", strict=True):
    ARRAYS[name] = ((rows, columns), RNG.standard_normal((SIZES[rows], SIZES[columns])))

FUNCTIONS = {r"\tanh": np.tanh, r"\arctan": np.arctan, r"\sin": np.sin, r"\phi": np.arctan}
DERIVED = {r"\phi": lambda x: 1 / (1 + x * x), r"\tanh": lambda x: 1 / np.cosh(x) ** 2}


def two_axes(shape, array):
    """Columns as n x 1, scalars as 1 x 1: the direct evaluation is all in matrices."""
    array = np.asarray(array)
    return array.reshape((*array.shape, *[1] * (2 - array.ndim)))


def leaf(shape):
    fitting = [(name, two_axes(s, value), 9) for name, (s, value) in ARRAYS.items() if s == shape]
    return st.sampled_from(fitting) if fitting else st.nothing()


def bracket(part, level):
    text, _, own = part
    return text if own > level else rf"\left({text}\right)"


@st.composite
def expressions(draw, shape, depth):
    """(LaTeX, value, precedence): 9 an atom, 3 a product, 2 an entrywise product, 1 a sum."""
    rows, columns = shape
    transposable = (columns, rows) != shape and shape != ("1", "1")
    choices = ["leaf"] if shape[0] != "1" or shape == ("1", "1") else []
    if not choices and depth <= 0:
        choices = ["transpose"]
    if depth > 0:
        choices += ["sum", "difference", "negative", "odot", "product", "scale", "function"]
        if transposable:
            choices.append("transpose")
        if shape == ("1", "1"):
            choices += ["inner", "fraction", "trace", "norm", "power"]
        if rows == columns != "1":
            choices.append("diag")
        if rows == "1" and columns != "1":
            choices = [c for c in choices if c != "leaf"]
    kind = draw(st.sampled_from(choices))
    sub = lambda s: draw(expressions(s, depth - 1))  # noqa: E731
    other = lambda: draw(st.sampled_from(list(SIZES)))  # noqa: E731
    match kind:
        case "leaf":
            return draw(leaf(shape))
        case "transpose":
            inner = sub((columns, rows))
            style = draw(st.sampled_from([r"^{\mathsf T}", r"^\top", r"^{\mathrm{T}}"]))
            body = inner[0] if inner[2] == 9 and len(inner[0]) == 1 else rf"({inner[0]})"
            return body + style, inner[1].T, 9
        case "sum":
            a, b = sub(shape), sub(shape)
            return f"{a[0]} + {bracket(b, 1)}", a[1] + b[1], 1
        case "difference":
            a, b = sub(shape), sub(shape)
            return f"{a[0]} - {bracket(b, 1)}", a[1] - b[1], 1
        case "negative":
            a = sub(shape)
            return f"-{bracket(a, 1)}", -a[1], 1
        case "odot":
            a, b = sub(shape), sub(shape)
            return rf"{bracket(a, 1)} \odot {bracket(b, 2)}", a[1] * b[1], 2
        case "product":
            inner = other()
            a, b = sub((rows, inner)), sub((inner, columns))
            return rf"{bracket(a, 2)}\, {bracket(b, 3)}", a[1] @ b[1], 3
        case "scale":
            a, b = sub(("1", "1")), sub(shape)
            return rf"{bracket(a, 2)} \cdot {bracket(b, 3)}", a[1] * b[1], 3
        case "function":
            name = draw(st.sampled_from(sorted(FUNCTIONS)))
            a = sub(shape)
            if name in DERIVED and draw(st.booleans()):
                return f"{name}'({a[0]})", DERIVED[name](a[1]), 9.5
            return f"{name}({a[0]})", FUNCTIONS[name](a[1]), 9.5
        case "inner":
            s = (other(), "1") if draw(st.booleans()) else (other(), other())
            a, b = sub(s), sub(s)
            return rf"\langle {a[0]}, {b[0]}\rangle", np.sum(a[1] * b[1]).reshape(1, 1), 9.5
        case "trace":
            n = other()
            a = sub((n, n))
            return rf"\operatorname{{tr}}({a[0]})", np.trace(a[1]).reshape(1, 1), 9.5
        case "norm":
            a = sub((other(), other()))
            return rf"\lVert {a[0]} \rVert_F^2", np.sum(a[1] ** 2).reshape(1, 1), 9.5
        case "fraction":
            a, b = sub(("1", "1")), sub(("1", "1"))
            return rf"\frac{{{a[0]}}}{{2 + ({b[0]})^2}}", a[1] / (2 + b[1] ** 2), 9.5
        case "power":
            a = sub(("1", "1"))
            return rf"({a[0]})^2", a[1] ** 2, 9.5
        case "diag":
            a = sub((rows, "1"))
            return rf"\operatorname{{diag}}({a[0]})", np.diag(a[1][:, 0]), 9.5
    raise AssertionError(kind)


SHAPES = [("1", "1"), ("m", "1"), ("n", "1"), ("1", "p"), ("m", "n"), ("n", "n"), ("p", "m")]


def letters_with(value, shape):
    value = np.asarray(value)
    right = value[:, 0] if shape[1] == "1" else value
    right = float(right[0]) if shape == ("1", "1") else right
    named = {name: np.asarray(array) for name, (_, array) in ARRAYS.items()}
    return Letters(**named, phi=elementwise(np.arctan), R=right, draws=1, tol=1e-9)


@settings(max_examples=120, deadline=None)
@given(st.data(), st.sampled_from(SHAPES))
def test_matrix_expressions_read_back(data, shape):
    latex, value, _ = data.draw(expressions(shape, 4))
    if not np.isfinite(value).all() or np.abs(value).max() > 1e8:
        return
    letters = letters_with(value, shape)
    formula(f"R = {latex}" if shape != ("1", "p") else f"({latex})^{{\\top}} = r").holds(
        letters if shape != ("1", "p") else letters.extend(r=np.asarray(value)[0])
    )


@settings(max_examples=60, deadline=None)
@given(st.data(), st.sampled_from([("m", "n"), ("n", "1"), ("1", "1")]))
def test_a_changed_value_is_refused(data, shape):
    """The reader must not merely agree with everything."""
    latex, value, _ = data.draw(expressions(shape, 3))
    if not np.isfinite(value).all() or np.abs(value).max() > 1e8:
        return
    wrong = np.array(value, dtype=float)
    wrong.flat[-1] += 1e-3 * (1 + np.abs(wrong).max())
    with pytest.raises(EquationError, match="does not hold: by value"):
        formula(f"R = {latex}").holds(letters_with(wrong, shape))


@st.composite
def index_products(draw):
    """A product of indexed letters, its summed indices, and what einsum says."""
    ranges = {"i": "m", "j": "n", "k": "p", "s": "m", "r": "n"}
    by_shape: dict[tuple[str, ...], list[str]] = {}
    for name, (shape, value) in ARRAYS.items():
        by_shape.setdefault(shape[: np.ndim(value)], []).append(name)
    factors, subscripts, arrays = [], [], []
    for _ in range(draw(st.integers(1, 4))):
        axes = draw(st.lists(st.sampled_from(sorted(ranges)), min_size=1, max_size=2))
        name = draw(st.sampled_from(by_shape[tuple(ranges[a] for a in axes)]))
        factors.append(f"{name}_{{{''.join(axes)}}}")
        subscripts.append("".join(axes))
        arrays.append(ARRAYS[name][1])
    used = sorted(set("".join(subscripts)))
    free = draw(st.lists(st.sampled_from(used), unique=True, max_size=2))
    summed = [u for u in used if u not in free]
    body = r" ".join(factors)
    if draw(st.booleans()) and len(factors) > 1:
        body = rf"{factors[0]} \cdot {' '.join(factors[1:])}"
    stated = draw(st.booleans())
    sums = "".join(
        rf"\sum_{{{u}=1}}^{{{SIZES[ranges[u]]}}} " if stated else rf"\sum_{u} " for u in summed
    )
    value = np.einsum(f"{','.join(subscripts)}->{''.join(free)}", *arrays)
    return sums + body, free, value


@settings(max_examples=120, deadline=None)
@given(index_products())
def test_index_expressions_read_back(case):
    latex, free, value = case
    left = f"R_{{{''.join(free)}}}" if free else "R"
    formula(f"{left} = {latex}").holds(letters_with_index(value))


def letters_with_index(value):
    named = {name: np.asarray(array) for name, (_, array) in ARRAYS.items()}
    return Letters(**named, R=np.asarray(value, dtype=float), draws=1, tol=1e-9)


@settings(max_examples=60, deadline=None)
@given(index_products())
def test_a_lost_sum_is_refused(case):
    latex, free, value = case
    if r"\sum" not in latex:
        return
    _, _, rest = latex.partition(r"\sum_")
    rest = rest[rest.index(" ") + 1 :]
    left = f"R_{{{''.join(free)}}}" if free else "R"
    with pytest.raises(EquationError, match="does not hold: by index"):
        formula(f"{left} = {rest}").holds(letters_with_index(value))
