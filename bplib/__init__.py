"""bplib: the small library behind the book *Every Gradient Checked*."""

from bplib import calculus, check, graph, ops
from bplib.calculus import (
    custom_jvp,
    custom_vjp,
    grad,
    hessian,
    hvp,
    jacobian,
    jvp,
    linearize,
    stop_gradient,
    value_and_grad,
    vjp,
)
from bplib.check import errstate, explain_nan
from bplib.graph import Node

__version__ = "0.1.0"
__all__ = [
    "Node",
    "calculus",
    "check",
    "custom_jvp",
    "custom_vjp",
    "errstate",
    "explain_nan",
    "grad",
    "graph",
    "hessian",
    "hvp",
    "jacobian",
    "jvp",
    "linearize",
    "ops",
    "stop_gradient",
    "value_and_grad",
    "vjp",
]
