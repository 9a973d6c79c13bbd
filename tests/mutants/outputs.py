"""One digit changed in every stored output of a notebook: would the comparison notice?"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from pathlib import Path

from .common import ROOT, Result, progress

_NUMBER = re.compile(r"(?<![\w.])\d[\d.]*(?:e[+-]?\d+)?")


def change_digit(text: str, salt: int) -> str | None:
    """The text with one digit of one of its numbers changed; None when there is no number."""
    numbers = [m for m in _NUMBER.finditer(text) if any(c in "123456789" for c in m[0])]
    if not numbers:
        return None
    number = numbers[salt % len(numbers)]
    digits = [i for i in range(*number.span()) if text[i] in "123456789"]
    place = digits[salt // 7 % len(digits)]
    new = str(int(text[place]) % 9 + 1)
    return text[:place] + new + text[place + 1 :]


def _texts(cell: dict) -> list[tuple[dict, str]]:
    """The places in a cell's outputs that hold compared text: (holder, key)."""
    found: list[tuple[dict, str]] = []
    for output in cell.get("outputs", []):
        if output["output_type"] == "stream" and output.get("name") == "stdout":
            found.append((output, "text"))
        elif output["output_type"] in ("execute_result", "display_data"):
            data = output["data"]
            if "text/plain" in data and not any(k.startswith("image/") for k in data):
                found.append((data, "text/plain"))
    return found


def mutate(notebook: Path, salt: int) -> dict[int, str]:
    """Change a digit in each code cell that shows a number; {cell number: what was changed}."""
    document = json.loads(notebook.read_text(encoding="utf-8"))
    changed: dict[int, str] = {}
    code = [c for c in document["cells"] if c["cell_type"] == "code"]
    for n, cell in enumerate(code):
        for holder, key in _texts(cell):
            text = "".join(holder[key])
            new = change_digit(text, salt + n)
            if new is not None and n not in changed:
                holder[key] = new
                where = next(i for i in range(len(text)) if text[i] != new[i])
                changed[n] = f"{text[max(0, where - 12) : where + 6]!r}"
    notebook.write_text(json.dumps(document, ensure_ascii=False, indent=1), encoding="utf-8")
    return changed


def run(chapters: list[Path], rounds: int = 1) -> list[Result]:
    """Change a digit in every output of each notebook and run the comparison once a round."""
    results = []
    notebooks = [p.with_suffix(".ipynb") for p in chapters if p.with_suffix(".ipynb").exists()]
    tasks = [(n, r) for n in notebooks for r in range(rounds)]
    for notebook, salt in progress(tasks, len(tasks), "outputs"):
        with tempfile.TemporaryDirectory() as top:
            folder = Path(top) / "chapters"
            shutil.copytree(
                notebook.parent, folder, ignore=shutil.ignore_patterns("_static", "__pycache__")
            )
            copy = folder / notebook.name
            changed = mutate(copy, 13 * salt)
            if not changed:
                continue
            failed = _failing_cells(copy, Path(top) / "report.xml")
        for n, text in changed.items():
            how = "by the comparison" if n in failed else "survived"
            results.append(Result(f"{notebook.name} cell {n}", "digit", text, how))
    return results


def _failing_cells(notebook: Path, report: Path) -> set[int]:
    command = [
        sys.executable, "-m", "pytest", "-q", "-p", "tests.nbguard", "-p", "no:cacheprovider",
        "--nbval", "--nbval-cell-timeout", "60", f"--junitxml={report}", str(notebook),
    ]  # fmt: skip
    path = os.pathsep.join([str(ROOT), str(ROOT / "chapters")])
    subprocess.run(
        command, cwd=ROOT, env={**os.environ, "PYTHONPATH": path}, capture_output=True,
        timeout=1200, check=False,
    )  # fmt: skip
    if not report.exists():
        raise RuntimeError(f"the comparison of {notebook.name} did not run")
    failed = set()
    for case in ET.parse(report).iter("testcase"):
        number = re.search(r"Cell (\d+)", case.get("name", ""))
        if number and any(child.tag in ("failure", "error") for child in case):
            failed.add(int(number[1]))
    return failed
