"""The library's shape: imports in one direction, NumPy alone, quick to import, nothing unsafe."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LIBRARY = ROOT / "bplib"
MODULES = sorted(LIBRARY.rglob("*.py"))
# Each layer may import from the layers before it, and within itself only where a package is one.
LAYERS = [
    {"graph"},
    {"ops"},
    {"calculus"},
    {"check", "plan"},
    {"checkpoint"},
    {"dense", "layers", "losses", "init", "optim"},
    {"nn"},
    {"train", "store", "data"},
]
OPTIONAL = {
    "matplotlib",
    "ipywidgets",
    "anywidget",
    "sklearn",
    "tqdm",
    "lark",
    "sympy",
    "IPython",
    "traitlets",
}


def imports(path: Path):
    """Yield (module, at top level?) for each import statement."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    top = {id(node) for node in tree.body}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, id(node) in top) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = ["bplib", *path.relative_to(LIBRARY).parts[:-1]]
            base = package[: len(package) - node.level + 1] if node.level else []
            name = ".".join([*base, node.module] if node.module else base)
            if name == "bplib" or (node.level and not node.module):
                yield from ((f"{name}.{alias.name}", id(node) in top) for alias in node.names)
            else:
                yield name, id(node) in top


def module_of(path: Path) -> str:
    return path.relative_to(LIBRARY).parts[0].removesuffix(".py")


def rank(module: str) -> int | None:
    return next((i for i, layer in enumerate(LAYERS) if module in layer), None)


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(LIBRARY)))
def test_imports_point_one_way(path):
    here = module_of(path)
    for name, _ in imports(path):
        if not name.startswith("bplib.") or rank(here) is None:
            continue
        there = name.split(".")[1]
        if there == here or rank(there) is None:
            assert there == here or there not in ("widgets", "figures"), (here, there)
            continue
        assert rank(there) < rank(here), f"{here} imports {there}, which stands above it"


def test_importing_the_library_needs_numpy_only():
    code = (
        "import sys, importlib.abc\n"
        "class Refuse(importlib.abc.MetaPathFinder):\n"
        "    def find_spec(self, name, path, target=None):\n"
        f"        if name.split('.')[0] in {sorted(OPTIONAL)!r}:\n"
        "            raise ImportError(name)\n"
        "sys.meta_path.insert(0, Refuse())\n"
        "import bplib, bplib.nn, bplib.train, bplib.losses, bplib.check\n"
        "assert not {'bplib.widgets', 'bplib.figures'} & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(LIBRARY)))
def test_nothing_unsafe_is_used(path):
    for name, _ in imports(path):
        root = name.split(".")[0]
        assert root not in (
            "pickle",
            "dill",
            "marshal",
            "shelve",
            "urllib",
            "requests",
            "socket",
        ), name
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.keyword) and node.arg == "allow_pickle":
            assert isinstance(node.value, ast.Constant), node.value
            assert node.value.value is False


def exported(path: Path) -> set[str] | None:
    """Return the names a package puts on its front page; None outside a package."""
    front = path.parent / "__init__.py"
    if path.parent == LIBRARY:
        return None
    tree = ast.parse(front.read_text(encoding="utf-8"))
    return {
        a.asname or a.name for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) for a in n.names
    }


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(LIBRARY)))
def test_public_names_say_what_they_do(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree), "a module says what its one job is"
    public = exported(path)
    silent = [
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
        and (public is None or node.name in public)
        and not ast.get_docstring(node)
    ]
    assert not silent, silent
