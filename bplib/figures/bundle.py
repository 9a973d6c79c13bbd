"""Build the front-end: join the modules in ``js/`` into two files, with nothing but Python.

``figures.js`` is an ES module for the widget; ``mount.js`` is the same code as a classic script,
because a page opened from ``file://`` may not import modules. Run ``python -m
bplib.figures.bundle`` after a change in ``js/``, ``tokens.json`` or ``words.json``; a test rebuilds
and compares.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

HERE = Path(__file__).parent
OUT = HERE / "static"
ORDER = [
    "data",
    "fmt",
    "tensor",
    "ops",
    "layout",
    "style",
    "ui",
    "graph",
    "fig_graph",
    "fig_bench",
    "fig_chain",
    "fig_check",
    "fig_more",
    "main",
]
NOTE = "/* Figures of 'Every Gradient Checked'. MIT licence. Built by bplib.figures.bundle. */\n"


def data_module() -> str:
    """Return ``data.mjs``: the tokens and the words of the ops as one JavaScript module."""
    lines = ["// Written by bplib.figures.bundle from tokens.json and words.json."]
    for name in ("tokens", "words"):
        value = json.loads((HERE / f"{name}.json").read_text(encoding="utf-8"))
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        lines.append(f"export const {name.upper()} = {text};")
    return "\n".join(lines) + "\n"


def body() -> str:
    """Return all modules as one script body, imports and exports taken off.

    Raises ValueError where two modules define the same top-level name, which joining would
    confuse.
    """
    seen: dict[str, str] = {}
    out = []
    for name in ORDER:
        source = data_module() if name == "data" else _read(name)
        source = re.sub(r"^import [^;]*;\n", "", source, flags=re.MULTILINE)
        source = re.sub(r"^export \{[^}]*\};\n", "", source, flags=re.MULTILINE)
        source = re.sub(r"^export ", "", source, flags=re.MULTILINE)
        for found in re.findall(
            r"^(?:async )?(?:const|let|function\*?|class) ([\w$]+)", source, re.MULTILINE
        ):
            if found in seen:
                raise ValueError(f"{name}.mjs and {seen[found]}.mjs both define {found}")
            seen[found] = name
        # Whole-line comments and indentation go; nothing here parses JavaScript.
        source = re.sub(r"^\s*//.*\n", "", source, flags=re.MULTILINE)
        source = re.sub(r"^[ \t]+", "", source, flags=re.MULTILINE)
        out.append(re.sub(r"\n{2,}", "\n", source).strip("\n"))
    return "\n".join(out) + "\n"


def _read(name: str) -> str:
    return (HERE / "js" / f"{name}.mjs").read_text(encoding="utf-8")


def build() -> dict[str, str]:
    """Return the built files as a mapping from their path under ``bplib/figures`` to their text."""
    from . import visual

    code = body()
    mount = (
        f'{NOTE}(() => {{\n"use strict";\n{code}'
        "globalThis.bpFigures = { mountAll, mountNow, pageModel, render };\n"
        "const start = () => mountAll();\n"
        'document.readyState === "loading"'
        ' ? addEventListener("DOMContentLoaded", start) : start();\n'
        "})();\n"
    )
    ops = re.findall(r"^  (\w+): ", _read("ops").split("export const OPS")[1], re.MULTILINE)
    return {
        "js/data.mjs": data_module(),
        "static/ops.json": json.dumps(sorted(ops)) + "\n",
        "static/figures.js": f"{NOTE}{code}export default {{ render }};\n",
        "static/mount.js": mount,
        **visual.files(),
    }


def main() -> None:
    """Write the built files."""
    OUT.mkdir(exist_ok=True)
    for name, text in build().items():
        (HERE / name).write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
