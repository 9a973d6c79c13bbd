"""Chapters as notebooks: read the source, run it, store it so that a second run changes no byte.

The Markdown twin is the source. The notebook beside it holds the outputs: it is what is published,
and what the tests compare with a fresh run.
"""

import base64
import hashlib
import io
import os
import re
import subprocess
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from PIL import Image

from _book.contents import BookError

KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
METADATA = {"kernelspec": KERNEL, "language_info": {"name": "python", "pygments_lexer": "ipython3"}}
CELL_METADATA = ("tags", "mystnb")
CELL_SECONDS = 120
PALETTE = 48

_OVERWRITTEN = re.compile(r"^.*\r(?=[^\n])", re.MULTILINE)


def read_source(source: Path) -> nbformat.NotebookNode:
    """Return the Markdown source as a notebook without outputs, its cell ids made from its text."""
    notebook = jupytext.reads(source.read_text(encoding="utf-8"), fmt="md:myst")
    notebook.metadata = nbformat.from_dict(METADATA)
    taken: set[str] = set()
    for cell in notebook.cells:
        cell.metadata = nbformat.from_dict(
            {key: cell.metadata[key] for key in CELL_METADATA if key in cell.metadata}
        )
        cell.id = _cell_id(cell.source, taken)
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    return notebook


def _cell_id(text: str, taken: set[str]) -> str:
    # From the text, so that inserting a cell renames no other.
    copies = 0
    while True:
        name = hashlib.sha256(f"{copies}\0{text}".encode()).hexdigest()[:12]
        if name not in taken:
            taken.add(name)
            return name
        copies += 1


def cell_lines(source: Path) -> list[int]:
    """Return, for each cell of a Markdown notebook, the line of the source it begins on."""
    text = source.read_text(encoding="utf-8")
    lines, at = [], 0
    for cell in read_source(source).cells:
        first = next((part for part in cell.source.splitlines() if part.strip()), "")
        found = text.find(first, at) if first else -1
        at = at if found < 0 else found
        lines.append(text.count("\n", 0, at) + 1)
        at += len(first)
    return lines


def twin_difference(source: Path, notebook: Path) -> str | None:
    """Return where a notebook departs from its Markdown source, None where they agree."""
    if not notebook.exists():
        return f"{source.name}: has no notebook beside it; run `make refresh`"
    wanted = read_source(source)
    stored = nbformat.read(notebook, as_version=4)
    for index, (want, have) in enumerate(zip(wanted.cells, stored.cells, strict=False)):
        same = (
            want.cell_type == have.cell_type
            and want.source == have.source
            and want.metadata == {k: have.metadata[k] for k in CELL_METADATA if k in have.metadata}
        )
        if not same:
            line = cell_lines(source)[index]
            return (
                f"{source.name}:{line}: differs from cell {index} of {notebook.name}; "
                "edit the .md and run `make refresh`"
            )
    if len(wanted.cells) != len(stored.cells):
        return (
            f"{source.name}: has {len(wanted.cells)} cells and {notebook.name} "
            f"{len(stored.cells)}; edit the .md and run `make refresh`"
        )
    return None


def run(source: Path) -> nbformat.NotebookNode:
    """Execute a chapter in a fresh kernel; BookError names the line, the cell and the exception."""
    notebook = read_source(source)
    client = NotebookClient(
        notebook,
        timeout=CELL_SECONDS,
        kernel_name="python3",
        resources={"metadata": {"path": str(source.parent)}},
        # Without it nbclient fails on widgets; the state itself is never stored.
        store_widget_state=True,
    )
    # One kernel, one thread count, no user settings: what is stored depends on the source alone.
    environment = os.environ | {
        "PYTHONHASHSEED": "0",
        "PYTHONWARNINGS": "error::DeprecationWarning",
    }
    try:
        # What the kernel itself says to its terminal is not the chapter's.
        client.execute(env=environment, stderr=subprocess.DEVNULL)
    except CellExecutionError as error:
        raise BookError(_failure(source, notebook, f"{error.ename}: {error.evalue}")) from None
    except CellTimeoutError:
        raise BookError(
            _failure(source, notebook, f"ran for more than {CELL_SECONDS} seconds")
        ) from None
    except DeadKernelError:
        raise BookError(_failure(source, notebook, "the kernel died")) from None
    return normalized(notebook)


def _failure(source: Path, notebook: nbformat.NotebookNode, what: str) -> str:
    code = [i for i, cell in enumerate(notebook.cells) if cell.cell_type == "code"]
    started = [i for i in code if notebook.cells[i].metadata.get("execution")]
    index = started[-1] if started else code[0]
    line = cell_lines(source)[index]
    text = "\n".join(f"    {part}" for part in notebook.cells[index].source.splitlines())
    return f"{source.name}:{line}: this cell failed: {what}\n{text}"


def visible_stream(text: str) -> str:
    """Return what a stream leaves on the screen; a progress bar that erased itself: nothing."""
    shown = _OVERWRITTEN.sub("", text)
    return shown if shown.strip() else ""


def normalized(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Return an executed notebook without anything that differs from one run to the next."""
    notebook.metadata = nbformat.from_dict(METADATA)
    count = 0
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type != "code":
            continue
        count += 1
        cell.execution_count = count
        cell.outputs = _merged(cell.outputs)
        for output in cell.outputs:
            if output.output_type == "execute_result":
                output.execution_count = count
            if "data" in output:
                _steady(output.data)
    return notebook


def _merged(outputs: list) -> list:
    kept: list = []
    streams: dict[str, nbformat.NotebookNode] = {}
    for output in outputs:
        if output.output_type != "stream":
            kept.append(output)
        elif output.name in streams:
            streams[output.name].text += output.text
        else:
            streams[output.name] = output
            kept.append(output)
    for stream in streams.values():
        stream.text = visible_stream(stream.text)
    return [o for o in kept if o.output_type != "stream" or o.text]


def _steady(data: dict) -> None:
    if "image/png" in data:
        data["image/png"] = lighter(data["image/png"])
    # A widget's model id is drawn anew in each kernel, and points to nothing once it has ended.
    if "application/vnd.jupyter.widget-view+json" in data:
        data["application/vnd.jupyter.widget-view+json"] = {
            "model_id": "0" * 32,
            "version_major": 2,
            "version_minor": 0,
        }


def lighter(picture: str) -> str:
    """Return a base64 PNG with a palette of PALETTE colors where that is smaller, else as it is.

    A plot has few colors, so the eye sees no difference, and the page weighs a third.
    """
    raw = base64.b64decode(picture)
    with Image.open(io.BytesIO(raw)) as image:
        if image.mode == "P":
            return picture
        small = io.BytesIO()
        # Maximum coverage keeps the rare colors, which carry roles; the means bring them closer.
        few = image.convert("RGB").quantize(
            PALETTE, Image.Quantize.MAXCOVERAGE, kmeans=4, dither=Image.Dither.NONE
        )
        few.save(small, "png", optimize=True, dpi=image.info.get("dpi", (72, 72)))
    return base64.b64encode(min(raw, small.getvalue(), key=len)).decode()


def refresh(source: Path) -> bool:
    """Run a chapter and store its notebook; return whether a byte of it changed."""
    target = source.with_suffix(".ipynb")
    text = nbformat.writes(run(source), version=4) + "\n"
    if target.exists() and target.read_text(encoding="utf-8") == text:
        return False
    scratch = target.with_name(target.name + ".tmp")
    scratch.write_text(text, encoding="utf-8")
    scratch.replace(target)
    return True
