"""Elementwise primitives: one line gives the function and its derivative in both modes.

A rule is `t * phi'(x)`, in terms of the tangent or cotangent `t`, the output `y` and the input
`x`. Rules are written with operators and functions of bplib only, so that they run on arrays and,
for higher derivatives, on Nodes.
"""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np

from bplib.ops.base import FOREIGN, UFUNCS, WEAK, Array, Unary, elementwise, value, weak

__all__ = [
    "abs", "add", "arccos", "arccosh", "arcsin", "arcsinh", "arctan", "arctan2", "arctanh",
    "clip", "cos", "cosh", "divide", "exp", "expm1", "gelu", "identity", "leaky_relu", "log",
    "log1p", "log2", "log10", "logaddexp", "maximum", "minimum", "multiply", "negative", "power",
    "reciprocal", "relu", "sigmoid", "sign", "silu", "sin", "sinh", "softplus", "sqrt", "square",
    "subtract", "tan", "tanh", "where",
]  # fmt: skip


# fmt: off
# Arithmetic. The rules of add and subtract read nothing, so nothing is kept for them.
identity: Unary = elementwise("identity", lambda x: x, lambda t, y, x: t, scalar=float, reads=False)
negative: Unary = elementwise(
    "negative", np.negative, lambda t, y, x: -t, scalar=operator.neg, reads=False)
add = elementwise("add", operator.add, lambda t, y, a, b: t, lambda t, y, a, b: t, reads=False)
subtract = elementwise(
    "subtract", operator.sub, lambda t, y, a, b: t, lambda t, y, a, b: -t, reads=False)
multiply = elementwise(
    "multiply", operator.mul, lambda t, y, a, b: t * b, lambda t, y, a, b: t * a)
divide = elementwise(
    "divide", operator.truediv, lambda t, y, a, b: t / b, lambda t, y, a, b: -t * y / b)
# fmt: on


def _power(a: Any, b: Any) -> Any:
    # Python gives a complex number for (-8.0) ** 0.5, and floats raise where IEEE has an answer.
    return math.pow(a, b) if type(a) in WEAK and type(b) in WEAK else a**b


def _power_a(t: Array, y: Array, a: Array, b: Array) -> Array:
    if type(b) in WEAK:  # the common constant exponents, without a logarithm or a 0 * inf
        if b == 0:
            return t * 0.0
        return t if b == 1 else t * (2 * a) if b == 2 else t * (b * power(a, b - 1))
    # d(a**b)/da = b a**(b-1) is 0 for 0**0, though 0**-1 is not. The base is replaced there and
    # only there: replacing it wherever b = 0 would lose the mixed derivative 1/a.
    base = where((value(a) == 0) & (value(b) == 0), 1.0, a)
    return t * (b * power(base, b - 1))


def _power_b(t: Array, y: Array, a: Array, b: Array) -> Array:
    return t * (y * log(where(value(a) == 0, 1.0, a)))  # the limit 0 at a = 0


power = elementwise("power", _power, _power_a, _power_b)

# fmt: off
# Exponentials, logarithms, roots
exp: Unary = elementwise("exp", np.exp, lambda t, y, x: t * y)
expm1: Unary = elementwise("expm1", np.expm1, lambda t, y, x: t * (y + 1))
log: Unary = elementwise("log", np.log, lambda t, y, x: t / x)
log1p: Unary = elementwise("log1p", np.log1p, lambda t, y, x: t / (1 + x))
log2: Unary = elementwise("log2", np.log2, lambda t, y, x: t / (x * math.log(2)))
log10: Unary = elementwise("log10", np.log10, lambda t, y, x: t / (x * math.log(10)))
sqrt: Unary = elementwise("sqrt", np.sqrt, lambda t, y, x: t / (2 * y))
square: Unary = elementwise(
    "square", np.square, lambda t, y, x: t * (2 * x), scalar=lambda x: x * x)
reciprocal: Unary = elementwise(
    "reciprocal", np.reciprocal, lambda t, y, x: -t * (y * y), scalar=lambda x: 1.0 / x)

# Trigonometric and hyperbolic
sin: Unary = elementwise("sin", np.sin, lambda t, y, x: t * cos(x))
cos: Unary = elementwise("cos", np.cos, lambda t, y, x: -t * sin(x))
tan: Unary = elementwise("tan", np.tan, lambda t, y, x: t * (1 + y * y))
arcsin: Unary = elementwise("arcsin", np.arcsin, lambda t, y, x: t / sqrt((1 - x) * (1 + x)))
arccos: Unary = elementwise("arccos", np.arccos, lambda t, y, x: -t / sqrt((1 - x) * (1 + x)))
arctan: Unary = elementwise("arctan", np.arctan, lambda t, y, x: t / (1 + x * x))
sinh: Unary = elementwise("sinh", np.sinh, lambda t, y, x: t * cosh(x))
cosh: Unary = elementwise("cosh", np.cosh, lambda t, y, x: t * sinh(x))
tanh: Unary = elementwise("tanh", np.tanh, lambda t, y, x: t * (1 - y * y))
arcsinh: Unary = elementwise("arcsinh", np.arcsinh, lambda t, y, x: t / sqrt(x * x + 1))
arccosh: Unary = elementwise("arccosh", np.arccosh, lambda t, y, x: t / sqrt((x - 1) * (x + 1)))
arctanh: Unary = elementwise("arctanh", np.arctanh, lambda t, y, x: t / ((1 - x) * (1 + x)))
arctan2 = elementwise(
    "arctan2", weak(np.arctan2),
    lambda t, y, a, b: t * (b / (a * a + b * b)), lambda t, y, a, b: -t * (a / (a * a + b * b)))
logaddexp = elementwise(
    "logaddexp", weak(np.logaddexp),
    lambda t, y, a, b: t * sigmoid(a - b), lambda t, y, a, b: t * sigmoid(b - a))
# fmt: on

# Activations. exp(-|x|) cannot overflow; choosing by the real part keeps them analytic, so that
# the complex step works on them.


def _fold(x: Any) -> tuple[Any, Any]:
    positive = np.real(x) >= 0
    return positive, np.exp(np.where(positive, -x, x))


def _sigmoid(x: Any) -> Any:
    positive, e = _fold(x)
    return np.where(positive, 1, e) / (1 + e)


def _sigmoid_of_float(x: float) -> float:
    e = math.exp(-math.fabs(x))
    return 1 / (1 + e) if x >= 0 else e / (1 + e)


def _softplus(x: Any) -> Any:
    positive, e = _fold(x)
    return np.where(positive, x, 0) + np.log1p(e)


def _tanh_argument(x: Array) -> Array:
    return 0.7978845608028654 * (x + 0.044715 * (x * x * x))  # sqrt(2/pi) (x + 0.044715 x^3)


def _gelu_rule(t: Array, y: Array, x: Array) -> Array:
    u = tanh(_tanh_argument(x))
    slope = 0.7978845608028654 * (1 + 0.134145 * (x * x))
    return t * (0.5 * (1 + u) + 0.5 * x * (1 - u * u) * slope)


def _silu_rule(t: Array, y: Array, x: Array) -> Array:
    s = sigmoid(x)
    return t * (s + y * (1 - s))


# fmt: off
sigmoid: Unary = elementwise(
    "sigmoid", _sigmoid, lambda t, y, x: t * (y * (1 - y)), scalar=_sigmoid_of_float)
softplus: Unary = elementwise("softplus", _softplus, lambda t, y, x: t * sigmoid(x))
relu: Unary = elementwise(
    "relu", lambda x: np.maximum(x, 0.0), lambda t, y, x: t * (x > 0.0),
    scalar=lambda x: x if x > 0.0 or x != x else 0.0)
leaky_relu = elementwise(
    "leaky_relu", lambda x, slope=0.01: np.where(np.real(x) > 0, x, slope * x)[()],
    lambda t, y, x, slope=0.01: where(x > 0, t, slope * t))
gelu: Unary = elementwise(
    "gelu", lambda x: 0.5 * x * (1 + np.tanh(_tanh_argument(x))), _gelu_rule,
    doc="x times the normal distribution function, in its usual tanh approximation")
silu: Unary = elementwise("silu", lambda x: x * _sigmoid(x), _silu_rule)
# fmt: on

# Choices. Their conventions at ties and kinks are listed in `bplib.ops.CONVENTIONS`.


def _where(a: Any, b: Any, cond: Any) -> Any:
    if type(a) in WEAK and type(b) in WEAK and np.ndim(cond) == 0:
        return float(a if cond else b)
    return np.where(cond, a, b)[()]


_choose = elementwise(
    "where", _where, lambda t, y, a, b, cond: where(cond, t, 0.0),
    lambda t, y, a, b, cond: where(cond, 0.0, t), reads=False,
)  # fmt: skip


def where(cond: Any, a: Array, b: Array) -> Array:
    """Return `a` where `cond` holds and `b` elsewhere; no derivative flows through `cond`.

    Both branches are computed: a NaN in the branch not taken stays out of the value but not out
    of the gradient (0 times inf). Guard the argument as well: `where(c, f(where(c, x, 1)), 0)`.
    """
    cond = value(cond)
    known = type(cond) is bool or type(cond) in FOREIGN
    return _choose(a, b, cond=cond if known else np.array(cond, dtype=bool))


def _sign(x: float) -> float:
    return float(x > 0) - float(x < 0) if x == x else x


sign: Unary = elementwise("sign", np.sign, lambda t, y, x: t * 0.0, scalar=_sign, reads=False)
abs: Unary = elementwise("abs", np.absolute, lambda t, y, x: t * sign(x), scalar=math.fabs)


def _clip(x: Any, lo: Any = None, hi: Any = None) -> Any:
    return x if lo is None and hi is None else np.clip(x, lo, hi)


# Inside is where nothing was changed.
_clip_op = elementwise("clip", _clip, lambda t, y, x, lo=None, hi=None: t * (value(y) == value(x)))


def clip(x: Array, lo: Any = None, hi: Any = None) -> Array:
    """Return `x` limited to lo..hi, constants or None; the derivative is 1 on lo <= x <= hi."""
    return _clip_op(x, lo=np.array(value(lo)) if np.ndim(value(lo)) else value(lo), hi=value(hi))


def _chosen(t: Array, won: Any, a: Array, b: Array) -> Array:
    tie = value(a) == value(b)
    if type(tie) not in FOREIGN and not np.any(tie):
        return t * won
    return where(tie, 0.5 * t, t * won)


# fmt: off
maximum = elementwise(
    "maximum", weak(np.maximum),
    lambda t, y, a, b: _chosen(t, a > b, a, b), lambda t, y, a, b: _chosen(t, b > a, a, b))
minimum = elementwise(
    "minimum", weak(np.minimum),
    lambda t, y, a, b: _chosen(t, a < b, a, b), lambda t, y, a, b: _chosen(t, b < a, a, b))
# fmt: on
UFUNCS |= {np.positive: identity, np.float_power: power, np.true_divide: divide, np.fabs: abs}
