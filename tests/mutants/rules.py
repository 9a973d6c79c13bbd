"""Code mutants in the library: would the unit tests of that module notice?

Each worker has a copy of the library and the tests in a temporary folder, changes one module there
and runs the tests that belong to it.
"""

from __future__ import annotations

import os
import queue
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from .code import Change, changes
from .common import ROOT, Result, progress, thin

# Where derivative rules and the book's formulas live; the rest has tests of another kind.
MODULES = [
    "bplib/dense.py", "bplib/losses.py", "bplib/optim.py", "bplib/init.py", "bplib/calculus.py",
    "bplib/check.py", "bplib/graph.py", "bplib/ops/*.py",
]  # fmt: skip


def tests_of(module: Path) -> list[str]:
    """The test files named after a module or its package, relative to the root."""
    stem = module.parent.name if module.parent.name == "ops" else module.stem
    found = {p for p in (ROOT / "tests").glob("test_*.py") if stem in p.stem.split("_")}
    if stem in ("ops", "graph"):
        found |= set((ROOT / "tests").glob("test_calculus*.py"))
    if stem == "init":
        found |= set((ROOT / "tests").glob("test_nn.py"))
    # The table of primitives first: it is where most wrong rules are noticed.
    names = (str(p.relative_to(ROOT)) for p in found)
    return sorted(names, key=lambda name: ("table" not in name, name))


def run(jobs: int, sample: int | None) -> tuple[list[Result], list[str]]:
    """The results, and the modules for which there is no test file."""
    plan: list[tuple[Path, Change]] = []
    untested = []
    for pattern in MODULES:
        for module in sorted(ROOT.glob(pattern)):
            relative = module.relative_to(ROOT)
            made = changes(module.read_text(encoding="utf-8"))
            if made and not tests_of(relative):
                untested.append(str(relative))
            elif made:
                plan += [(relative, change) for change in made]
    plan = thin(plan, sample)
    folders: queue.Queue[Path] = queue.Queue()
    with tempfile.TemporaryDirectory() as top:
        for n in range(jobs):
            folder = Path(top) / str(n)
            for part in ("bplib", "tests"):
                shutil.copytree(
                    ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__")
                )
            shutil.copy(ROOT / "pyproject.toml", folder)
            folders.put(folder)

        def one(task: tuple[Path, Change]) -> Result:
            module, change = task
            folder = folders.get()
            target = folder / module
            original = target.read_text(encoding="utf-8")
            try:
                target.write_text(change.code, encoding="utf-8")
                how = _pytest(folder, tests_of(module))
            finally:
                target.write_text(original, encoding="utf-8")
                folders.put(folder)
            text = f"{change.before}  ->  {change.after}"
            return Result(f"{module}:{change.line}", change.kind, text, how)

        with ThreadPoolExecutor(jobs) as pool:
            results = list(progress(pool.map(one, plan), len(plan), "library"))
    return results, untested


def _pytest(folder: Path, tests: list[str]) -> str:
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
    environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, timeout=300, check=False
        )
    except subprocess.TimeoutExpired:
        return "timeout"
    if done.returncode == 0:
        return "survived"
    return "by a test" if done.returncode == 1 else "by an import"
