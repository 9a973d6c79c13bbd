"""Small wrong changes of Python code, by its syntax tree.

Lambdas, decorated functions and nested functions are reached like any other code: derivative rules
live there.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Change:
    """One changed statement list: which line, what kind, before and after, and the new code."""

    line: int
    kind: str
    before: str
    after: str
    code: str


def _swap_operator(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    match node:
        case ast.BinOp(op=ast.Add()):
            yield "sign", ast.BinOp(node.left, ast.Sub(), node.right)
            yield "dropped term", node.left
        case ast.BinOp(op=ast.Sub()):
            yield "sign", ast.BinOp(node.left, ast.Add(), node.right)
        case ast.BinOp(op=ast.Mult()):
            yield "dropped factor", node.left
            yield "dropped factor", node.right
        case ast.BinOp(op=ast.Div()):
            yield "dropped divisor", node.left
        case ast.BinOp(op=ast.MatMult()):
            yield "factors", ast.BinOp(node.right, ast.MatMult(), node.left)
        case ast.BinOp(op=ast.Pow(), right=ast.Constant(value=int(n))):
            yield "power", ast.BinOp(node.left, ast.Pow(), ast.Constant(n + 1))
        case ast.UnaryOp(op=ast.USub()) if not isinstance(node.operand, ast.Constant):
            yield "sign", node.operand
        case ast.Attribute(attr="T"):
            yield "transpose", node.value
        case ast.Compare(ops=[ast.Gt()]):
            yield "comparison", ast.Compare(node.left, [ast.Lt()], node.comparators)
        case ast.Compare(ops=[ast.Lt()]):
            yield "comparison", ast.Compare(node.left, [ast.Gt()], node.comparators)
        case ast.Call(func=ast.Attribute(attr="sum") as f):
            yield "mean", ast.Call(ast.Attribute(f.value, "mean", ast.Load()), node.args,
                                   node.keywords)  # fmt: skip
            if node.args and isinstance(node.args[0], ast.Constant):
                axis = ast.Constant(1 - node.args[0].value if node.args[0].value in (0, 1) else 0)
                yield "axis", ast.Call(f, [axis, *node.args[1:]], node.keywords)
        case ast.Call(func=ast.Attribute(attr="mean") as f):
            yield "sum", ast.Call(ast.Attribute(f.value, "sum", ast.Load()), node.args,
                                  node.keywords)  # fmt: skip
        case ast.Subscript(slice=ast.BinOp(op=ast.Sub() | ast.Add(), right=ast.Constant()) as s):
            yield "layer", ast.Subscript(node.value, s.left, node.ctx)
        case ast.Name(id=name, ctx=ast.Load()) if name in _DERIVATIVES:
            yield "lost prime", ast.Name(name[1:], ast.Load())


_DERIVATIVES = {"dphi", "dtanh", "dsigmoid", "drelu", "dsoftplus", "dsin"}


def _published(statement: ast.stmt) -> bool:
    """Whether a statement computes something; assertions and displays are the judges."""
    if isinstance(statement, (ast.Assert, ast.Import, ast.ImportFrom)):
        return False
    if isinstance(statement, ast.Expr):
        return False
    return not any(
        isinstance(part, ast.Name) and part.id in ("equation", "Letters", "plt", "raises")
        for part in ast.walk(statement)
    )


def changes(code: str, wanted: Callable[[ast.stmt], bool] = _published) -> list[Change]:
    """All single changes of a module or cell, statement by statement."""
    tree = ast.parse(code)
    result = []
    for number, statement in enumerate(tree.body):
        if not wanted(statement):
            continue
        sites = list(_sites(statement))
        for index, (path, node) in enumerate(sites):
            for kind, new in _swap_operator(node):
                body = copy.deepcopy(tree)
                _replace(body.body[number], path, new)
                ast.fix_missing_locations(body)
                try:
                    text = ast.unparse(body)
                except (ValueError, AttributeError):
                    continue
                result.append(
                    Change(
                        getattr(node, "lineno", 0), kind, ast.unparse(node), ast.unparse(new), text
                    )
                )
            del index
    return result


Path = tuple[tuple[str, int | None], ...]


def _sites(node: ast.AST, path: Path = ()) -> Iterator[tuple[Path, ast.AST]]:
    for field, value in ast.iter_fields(node):
        if field in ("annotation", "returns", "decorator_list", "type_params") or isinstance(
            node, (ast.Assert, ast.Raise)
        ):
            continue
        items = value if isinstance(value, list) else [value]
        for i, item in enumerate(items):
            if isinstance(item, ast.AST):
                step = (field, i if isinstance(value, list) else None)
                yield (*path, step), item
                yield from _sites(item, (*path, step))


def _replace(node: ast.AST, path: Path, new: ast.AST) -> None:
    for field, i in path[:-1]:
        node = getattr(node, field) if i is None else getattr(node, field)[i]
    field, i = path[-1]
    if i is None:
        setattr(node, field, copy.deepcopy(new))
    else:
        getattr(node, field)[i] = copy.deepcopy(new)
