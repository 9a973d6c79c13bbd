"""Code mutants in the chapters' own cells: would an assertion or a stored output notice?

A chapter is run cell by cell; at each cell a child process takes over with one changed cell, runs
the rest of the chapter and stops at the first thing a test would see: an exception, or an output
that is not the one stored.  If neither happens and no number in the namespace moved by more than
1e-9, the mutant is equivalent; if a number moved and nothing noticed, it survived.
"""

from __future__ import annotations

import ast
import contextlib
import io
import os
import select
import signal
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from bplib.equations.coverage import cells

from .code import Change, changes
from .common import Result, progress, thin

TIMEOUT = 120.0


def execute(code: str, namespace: dict[str, Any]) -> str:
    """Run one cell; what it would show, as text."""
    out = io.StringIO()
    tree = ast.parse(code)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
        exec(compile(tree, "<cell>", "exec"), namespace)
        if last is not None:
            value = eval(compile(ast.Expression(last.value), "<cell>", "eval"), namespace)
            if value is not None:
                print(_shown(value))
    return _without_addresses(out.getvalue())


def _shown(value: Any) -> str:
    """What a notebook stores of a value and the comparison reads: its text, not its picture."""
    if hasattr(value, "_repr_mimebundle_"):
        bundle = value._repr_mimebundle_()
        data = bundle[0] if isinstance(bundle, tuple) else bundle
        if data and "text/plain" in data:
            return str(data["text/plain"])
    return repr(value)


def _without_addresses(text: str) -> str:
    import re

    return re.sub(r"0x[0-9a-f]+", "0x", text)


def numbers(namespace: dict[str, Any]) -> dict[str, np.ndarray]:
    """Every number and array of numbers a namespace holds, lists included."""
    found: dict[str, np.ndarray] = {}

    def visit(name: str, value: Any, depth: int) -> None:
        if isinstance(value, (int, float, np.ndarray, np.generic)):
            array = np.asarray(value)
            if array.dtype.kind in "fiub" and array.size < 1_000_000:
                found[name] = array.astype(float)
        elif isinstance(value, (list, tuple)) and depth < 3 and len(value) < 1000:
            for i, item in enumerate(value):
                visit(f"{name}[{i}]", item, depth + 1)
        elif isinstance(value, dict) and depth < 3 and len(value) < 1000:
            for place, (key, item) in enumerate(value.items()):
                # An object as a key has another address in every run: count it instead.
                shown = repr(key) if isinstance(key, (str, int, float, tuple)) else f"#{place}"
                visit(f"{name}[{shown}]", item, depth + 1)

    for name, value in list(namespace.items()):
        if not name.startswith("__"):
            visit(name, value, 0)
    return found


def moved(a: dict[str, np.ndarray], b: dict[str, np.ndarray]) -> bool:
    for name, x in a.items():
        y = b.get(name)
        if y is None or x.shape != y.shape:
            return True
        with np.errstate(invalid="ignore"):
            near = np.abs(x - y) <= 1e-9 * (1 + np.abs(x))
        if not np.all(near | (np.isnan(x) & np.isnan(y)) | (x == y)):
            return True
    return False


def run_chapter(path: Path, jobs: int, sample: int | None) -> list[Result]:
    """All code mutants of one chapter."""
    sources = [(line, code) for line, code in cells(path)]
    plan: list[tuple[int, Change]] = []
    for n, (_, code) in enumerate(sources):
        if "equation(" in code:
            continue
        plan += [(n, change) for change in changes(code)]
    plan = thin(plan, sample)
    before = Path.cwd()
    os.chdir(path.parent)
    warnings.simplefilter("ignore")
    os.environ.setdefault("MPLBACKEND", "Agg")
    sys.path.insert(0, str(path.parent))
    try:
        shown, final = [], {"__name__": "__main__"}
        for _, code in sources:
            shown.append(execute(code, final))
        expected = numbers(final)
        results: list[Result] = []
        namespace: dict[str, Any] = {"__name__": "__main__"}
        running: dict[int, tuple[int, Change, int, float]] = {}  # pipe: pid, change, cell, since

        def collect(wait: bool) -> None:
            while running and (wait or len(running) >= jobs):
                ready, _, _ = select.select(list(running), [], [], 0.2)
                for pipe in list(running):
                    pid, change, n, since = running[pipe]
                    late = time.monotonic() - since > TIMEOUT
                    if pipe not in ready and not late:
                        continue
                    if late and pipe not in ready:
                        os.kill(pid, signal.SIGKILL)
                        how = "timeout"
                    else:
                        how = os.read(pipe, 200).decode() or "crash"
                    os.close(pipe)
                    os.waitpid(pid, 0)
                    del running[pipe]
                    line = sources[n][0] + change.line - 1
                    results.append(
                        Result(f"{path.name}:{line}", change.kind,
                               f"{change.before}  ->  {change.after}", how)
                    )  # fmt: skip

        at = 0
        bar = progress(plan, len(plan), path.stem)
        for n, change in bar:
            while at < n:
                execute(sources[at][1], namespace)
                at += 1
            collect(wait=False)
            read, write = os.pipe()
            pid = os.fork()
            if pid == 0:
                os.close(read)
                how = "crash"
                try:
                    how = _verdict(change, n, sources, namespace, shown, expected)
                finally:
                    os.write(write, how.encode())
                    os._exit(0)
            os.close(write)
            running[read] = (pid, change, n, time.monotonic())
        collect(wait=True)
        return sorted(results, key=lambda r: (r.place, r.change))
    finally:
        os.chdir(before)
        sys.path.remove(str(path.parent))


def _verdict(change: Change, n: int, sources, namespace, shown, expected) -> str:
    try:
        for k in range(n, len(sources)):
            code = change.code if k == n else sources[k][1]
            if execute(code, namespace) != shown[k]:
                return "by its output"
    except AssertionError:
        return "by an assertion"
    except BaseException as error:
        return f"by {type(error).__name__}"
    return "survived" if moved(expected, numbers(namespace)) else "equivalent"


def run(chapters: list[Path], jobs: int, sample: int | None) -> list[Result]:
    results: list[Result] = []
    for path in chapters:
        if any("equation(" not in code for _, code in cells(path)):
            results += run_chapter(path, jobs, sample)
    return results
