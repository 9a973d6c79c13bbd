"""A Sphinx extension: `{api} bplib.graph`, the public names of a module from its docstrings.

Sphinx's own autodoc reads the modules. The library's docstrings are plain sentences rather than
reStructuredText, so `as_markup` makes them that on the way: code in backticks, every other sign
as it stands, and aligned columns (a name, two spaces, what it is) as a list.
"""

import importlib
import inspect
import json
import re
from functools import cache
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

import bplib
from bplib import ops
from bplib.graph import Op

COLUMN = re.compile(r"^([\w\[\](), ]{1,24}?):?  +(?=\S)")
ITEM = re.compile(r"^(?:-|\\\*|\d+\.) ")
SPECIAL = re.compile(r"([\\*`|_<>])")


def public(name: str) -> dict[str, object]:
    """Return the public names of a module: `__all__`, or the functions and classes it defines.

    A package speaks for its parts, so `bplib.ops` has all primitives.
    """
    module = importlib.import_module(name)
    everything = {n: o for n, o in vars(module).items() if not n.startswith("_")}
    if hasattr(module, "__all__"):
        return {n: everything[n] for n in module.__all__}
    package = hasattr(module, "__path__")
    found = {}
    for n, thing in everything.items():
        home = getattr(thing, "__module__", None) or getattr(type(thing), "__module__", "")
        primitive = isinstance(thing, Op)
        here = home == name or (package and (primitive or home.startswith(name + ".")))
        if here and (primitive or inspect.isroutine(thing) or inspect.isclass(thing)):
            found[n] = thing
    return found


def as_markup(lines: list[str]) -> list[str]:
    """Return a plain docstring as reStructuredText that reads the same."""
    out: list[str] = []
    listed = False  # inside a list, whose entries go on with indented lines
    for line in _escape(inspect.cleandoc("\n".join(lines))).split("\n"):
        text, indented = line.strip(), line.startswith(" ")
        column, item = COLUMN.match(text), ITEM.match(text)
        if (column or item) and not indented:
            if column:
                text = f"``{column[1].replace(chr(92), '')}``: {text[column.end() :]}"
            out += ["", f"* {text if column else text[item.end() :]}"]
            listed = True
        elif listed and indented:
            out.append(f"  {text}")
        else:
            ends = listed and bool(text)
            out += [""] * (ends and out[-1] != "") + [text]
            listed = listed and not ends
    return [*out, ""]


def _escape(text: str) -> str:
    parts = re.split(r"(``[^`]+``|`[^`]+`)", text)
    # A literal stays on one line, so that no line of it is taken for a column.
    code = [re.sub(r"\s*\n\s*", " ", part.strip("`")) for part in parts]
    return "".join(
        f"``{code[i]}``" if i % 2 else SPECIAL.sub(r"\\\1", part) for i, part in enumerate(parts)
    )


def _plain(_app, _what, _name, _thing, _options, lines: list[str]) -> None:
    lines[:] = as_markup(lines) if lines else lines


def _skip(_app, _what, name: str, thing: object, skip: bool, _options) -> bool | None:
    # A field of a named tuple says no more than its class does, nor do traits without a text.
    field = type(thing).__name__ == "_tuplegetter"
    return True if field or name in ("spec", "state", "knobs") else skip


class Api(SphinxDirective):
    """One module: what it is for, and its public names with their docstrings."""

    required_arguments = 1

    def run(self):
        name = self.arguments[0]
        module = importlib.import_module(name)
        purpose = " ".join((module.__doc__ or "").split("\n\n")[0].split())
        rst: list[str] = [f".. py:module:: {name}", "   :no-index-entry:", ""]
        for short, thing in public(name).items():
            rst += self.entry(name, short, thing)
        text = [purpose, "", "````{eval-rst}", *rst, "````"]
        self.env.note_dependency(str(module.__file__))
        return self.parse_text_to_nodes("\n".join(text))

    def entry(self, module: str, short: str, thing: object) -> list[str]:
        name, options = f"{module}.{short}", ["   :no-index-entry:", ""]
        home = getattr(thing, "__module__", None)
        if inspect.ismodule(thing):
            return []  # it has a section of its own
        if module == "bplib":
            return [f".. py:data:: {short}", *options, f"   ``{home}.{short}``", ""]
        if inspect.isclass(thing):
            return [f".. autoclass:: {name}", "   :members:", *options]
        if inspect.isroutine(thing):
            return [f".. autofunction:: {name}", *options]
        if isinstance(thing, Op):
            call = f".. py:function:: {short}{_arguments(thing)}"
            return [call, *options, f"   {_primitive(thing)}", ""]
        return [f".. py:data:: {short}", *options, f"   A {type(thing).__name__}.", ""]


def _primitive(op) -> str:
    """Return what the table of primitives and the words of the figures say of an operation."""
    words = _words().get(op.name, {})
    slopes = [_letters(slope) for slope in words.get("local", []) if slope]
    numpy = sorted({f"np.{f.__name__}" for f, g in _of_numpy() if g is op})
    said = [_escape(op.doc.rstrip(".")) if op.doc else f"Primitive, {op.kind}"]
    if slopes:
        said.append("local derivative " + " and ".join(f"``{slope}``" for slope in slopes))
    if numpy:
        said.append("also called by " + ", ".join(f"``{n}``" for n in numpy))
    return "; ".join(said) + "."


def _arguments(op) -> str:
    """Return how a primitive is called: by its own signature, or by the letters a and b."""
    own = inspect.signature(op)
    if any(p.kind is p.VAR_POSITIONAL for p in own.parameters.values()):
        return {1: "(a)", 2: "(a, b)"}.get(op.arity, "(*xs)")
    plain = [p.replace(annotation=p.empty) for p in own.parameters.values()]
    return str(inspect.Signature(plain))


@cache
def _words() -> dict:
    return json.loads(Path(bplib.__file__).with_name("figures").joinpath("words.json").read_text())


def _of_numpy() -> list[tuple]:
    return [*ops.UFUNCS.items(), *ops.FUNCTIONS.items()]


def _letters(slope: str) -> str:
    return slope.replace("{0}", "a").replace("{1}", "b").replace("{y}", "y")


def setup(app: Sphinx) -> dict:
    app.setup_extension("sphinx.ext.autodoc")
    app.add_directive("api", Api)
    app.connect("autodoc-process-docstring", _plain)
    app.connect("autodoc-skip-member", _skip)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
