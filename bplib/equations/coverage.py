"""Which numbered equations of a book are bound: a test of the build, and an appendix of the book.

A chapter's code is run as far as its equation checks need it: the statements that call
`equation(...)` and, backwards, those that define what these use.  Nothing is drawn or trained for
the sake of a check that does not need it.
"""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

from . import check as _check
from .check import Check
from .source import Book, EquationError, Source

_CELL = re.compile(r"^```\{code-cell\}[^\n]*\n(.*?)^```\s*$", re.MULTILINE | re.DOTALL)


def cells(path: Path) -> list[tuple[int, str]]:
    """The code cells of a MyST chapter, with the line of their first code line.

    Options (`:tags:` or a `---` block) and lines of IPython magic become empty lines.
    """
    text = path.read_text(encoding="utf-8")
    result = []
    for match in _CELL.finditer(text):
        lines = match[1].split("\n")
        number = text[: match.start(1)].count("\n") + 1
        i = 0
        if lines and lines[0].strip() == "---":
            closing = next((k for k, x in enumerate(lines[1:], 1) if x.strip() == "---"), 0)
            for k in range(closing + 1):
                lines[k] = ""
            i = closing + 1
        while i < len(lines) and re.match(r":[\w-]+:", lines[i]):
            lines[i] = ""
            i += 1
        lines = ["" if re.match(r"\s*[%!]", x) else x for x in lines]
        result.append((number, "\n".join(lines)))
    return result


def _names(node: ast.AST, store: bool) -> set[str]:
    """Names a statement defines or changes (`store`), or uses."""
    found: set[str] = set()
    for part in ast.walk(node):
        if isinstance(part, ast.Name):
            if store == isinstance(part.ctx, ast.Store):
                found.add(part.id)
        elif store and isinstance(part, (ast.FunctionDef, ast.ClassDef)):
            found.add(part.name)
        elif store and isinstance(part, (ast.Import, ast.ImportFrom)):
            found |= {(a.asname or a.name).split(".")[0] for a in part.names}
        elif store and isinstance(part, (ast.Subscript, ast.Attribute)):
            if isinstance(part.ctx, ast.Store) and isinstance(part.value, ast.Name):
                found.add(part.value.id)
        elif (
            store
            and isinstance(part, ast.Call)
            and isinstance(part.func, ast.Attribute)
            and isinstance(part.func.value, ast.Name)
            and part.func.attr in _CHANGING
        ):
            found.add(part.func.value.id)
    return found


_CHANGING = {"append", "extend", "update", "insert", "pop", "setdefault", "sort", "fill"}


def _binds(node: ast.AST) -> bool:
    return any(
        isinstance(part, ast.Call)
        and (
            (isinstance(part.func, ast.Name) and part.func.id == "equation")
            or (isinstance(part.func, ast.Attribute) and part.func.attr == "equation")
        )
        for part in ast.walk(node)
    )


def needed(path: Path) -> ast.Module:
    """The statements of a chapter that its equation checks need, at their own line numbers."""
    statements: list[ast.stmt] = []
    for line, code in cells(path):
        try:
            tree = ast.parse(code)
        except SyntaxError as error:
            raise EquationError(
                f"{path.name}:{line + (error.lineno or 1) - 1}: this cell is not Python: "
                f"{error.msg}"
            ) from None
        for statement in tree.body:
            statements.append(ast.increment_lineno(statement, line - 1))
    wanted: set[str] = set()
    kept: list[ast.stmt] = []
    for statement in reversed(statements):
        defines = _names(statement, store=True)
        star = isinstance(statement, ast.ImportFrom) and "*" in defines
        if _binds(statement) or defines & wanted or star:
            kept.append(statement)
            wanted |= _names(statement, store=False) | (defines - {"*"})
    return ast.Module(body=kept[::-1], type_ignores=[])


@contextmanager
def _in_folder(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def run_chapter(path: str | Path) -> dict[str, Check]:
    """Make all the equation checks of one chapter; the checks, by label.

    Raises what the chapter raises: an equation that does not hold, a wrong form that is accepted.
    """
    path = Path(path).resolve()
    module = needed(path)
    before = dict(_check._SESSION)
    _check._SESSION.clear()
    namespace: dict[str, Any] = {"__name__": "__main__"}
    try:
        with _in_folder(path.parent), redirect_stdout(StringIO()):
            exec(compile(module, str(path), "exec"), namespace)
        return dict(_check._SESSION)
    finally:
        _check._SESSION.clear()
        _check._SESSION.update(before)


@dataclass(frozen=True)
class Row:
    """One numbered equation and the state of its check; `problem` is '' when all is well."""

    source: Source
    state: str
    summary: str
    problem: str = ""


def coverage(path: str | Path, made: dict[str, Check] | None = None) -> list[Row]:
    """One row for each numbered equation of a chapter or of a folder of chapters.

    `made` are the checks of the chapter where they have been run already.

    A check that fails is not a row but an exception.  A bound equation without a refused wrong form
    is a problem too: such a check may be one that cannot fail.
    """
    book = Book(path)
    checks: dict[str, Check] = dict(made or {})
    for file in book.files if made is None else ():
        if any(source.file == file.name for source in book):
            checks |= run_chapter(file)
    return [_row(source, checks.get(source.label)) for source in book]


def _row(source: Source, check: Check | None) -> Row:
    if check is None:
        return Row(source, "unbound", "", "bind it with equation(...).holds(...), or say why not")
    problem = ""
    if check.state != "unchecked" and not check.refused:
        problem = "show at least one wrong form that its check rejects"
    return Row(source, check.state, check.summary, problem)


def problems(rows: list[Row]) -> list[str]:
    """What stands between these equations and a green build, one line each."""
    return [
        f"{r.source.file}:{r.source.line}: {r.source.label} ({r.state}): {r.problem}"
        for r in rows
        if r.problem
    ]


def report(rows: list[Row]) -> str:
    """The index of equations as Markdown: every numbered equation with the state of its check."""
    count = {s: sum(r.state == s for r in rows) for s in dict.fromkeys(r.state for r in rows)}
    parts = [f"{n} {_WORDS.get(s, s)}" for s, n in count.items()]
    lines = [f"{len(rows)} numbered equations: {', '.join(parts) or 'none'}.", ""]
    lines += ["| equation | chapter | state of its check |", "|---|---|---|"]
    for r in rows:
        summary = (r.summary or "not bound").replace("|", "\\|")
        chapter = r.source.file.removesuffix(".md")
        lines.append(f"| {{eq}}`{r.source.label}` `{r.source.label}` | {chapter} | {summary} |")
    return "\n".join(lines) + "\n"


_WORDS = {
    "checked": "evaluated from their own LaTeX",
    "definition": "definitions, evaluated too",
    "code": "bound by code",
    "unchecked": "left unchecked for a written reason",
    "unbound": "not bound",
}
