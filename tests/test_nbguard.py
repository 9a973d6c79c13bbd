"""The guard over nbval: each way a notebook can lie is shown to turn the suite red."""

import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from copy import deepcopy
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import nbformat
import pytest
from _book import notebooks
from nbval import plugin as nbval

from tests import nbguard

ROOT = Path(__file__).resolve().parent.parent
CHAPTERS = ROOT / "chapters"
HEAD = (CHAPTERS / "_book" / "template.md").read_text(encoding="utf-8").split("# {{title}}")[0]


def source(*cells: str) -> str:
    blocks = (f"```{{code-cell}} ipython3\n{cell}\n```\n" for cell in cells)
    return HEAD + "# A title\n\n" + "\n".join(blocks)


HONEST = source("x = 2 ** 0.5\nprint(f'{x:.6g}')", "x > 1")


@cache
def honestly_run(text: str) -> nbformat.NotebookNode:
    """The notebook of a source, run once however many lies are told about it."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "page.md"
        path.write_text(text, encoding="utf-8")
        return notebooks.run(path)


def stored(folder: Path, name: str, text: str = HONEST) -> tuple[Path, nbformat.NotebookNode]:
    """Write a chapter with its honestly run notebook; return the notebook for a lie to be told."""
    path = folder / f"{name}.md"
    path.write_text(text, encoding="utf-8")
    return path.with_suffix(".ipynb"), deepcopy(honestly_run(text))


def change_number(notebook):
    notebook.cells[1].outputs[0].text = (
        notebook.cells[1].outputs[0].text.replace("1.41421", "1.41431")
    )


def change_last_digit_within_tolerance(notebook):
    notebook.cells[1].outputs[0].text = (
        notebook.cells[1].outputs[0].text.replace("1.41421", "1.41422")
    )


def change_truth(notebook):
    notebook.cells[2].outputs[0].data["text/plain"] = "False"


def never_run(notebook):
    notebook.cells[1].execution_count, notebook.cells[1].outputs = None, []


def out_of_order(notebook):
    notebook.cells[1].execution_count, notebook.cells[2].execution_count = 2, 1


def misspelt_tag(notebook):
    notebook.cells[1].metadata["tags"] = ["raise-exception"]


def drop_output(notebook):
    notebook.cells[1].outputs = []


def out_of_sync(notebook):
    notebook.cells[1].source += "  # edited in the notebook only"


def widget_state(notebook):
    notebook.metadata["widgets"] = {}


def nothing(notebook):
    pass


RAISES = source("1 / 0").replace("ipython3\n", "ipython3\n:tags: [raises-exception]\n", 1)
# name: (source, the lie, the words the failure must hold; None where the suite must stay green)
CASES = {
    "honest": (HONEST, nothing, None),
    "last_digit": (HONEST, change_last_digit_within_tolerance, None),
    "number": (HONEST, change_number, "1.41431"),
    "truth": (HONEST, change_truth, "False"),
    "never_run": (HONEST, never_run, "cell 1: was never run"),
    "order": (HONEST, out_of_order, "out of order"),
    "tag": (HONEST, misspelt_tag, "unknown tag 'raise-exception'"),
    "dropped": (HONEST, drop_output, "Unexpected output fields"),
    "twin": (HONEST, out_of_sync, "twin.md:"),
    "state": (HONEST, widget_state, "stores widget state"),
    "raises": (RAISES, nothing, None),
}


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory) -> dict[str, str]:
    """Run the guarded nbval once over every case; return the failure texts by notebook."""
    folder = tmp_path_factory.mktemp("guarded")
    for name, (text, lie, _) in CASES.items():
        path, notebook = stored(folder, name, text)
        lie(notebook)
        nbformat.write(notebook, path)
    # These two cannot be run honestly first.
    path, notebook = stored(folder, "dies", source("x = 1"))
    deadly = "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)"
    notebook.cells[1].source = deadly
    nbformat.write(notebook, path)
    path.with_suffix(".md").write_text(source(deadly), encoding="utf-8")
    path, notebook = stored(folder, "silent", RAISES)
    notebook.cells[1].source = "1 / 1;"
    nbformat.write(notebook, path)
    path.with_suffix(".md").write_text(RAISES.replace("1 / 0", "1 / 1;"), encoding="utf-8")
    return run_guarded(folder)


def run_guarded(folder: Path) -> dict[str, str]:
    report = folder / "report.xml"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "tests.nbguard", "-p", "no:cacheprovider",
         "--nbval", "--nbval-cell-timeout", "60", "--rootdir", str(folder), "-c", "/dev/null",
         "-o", f"pythonpath={CHAPTERS} {ROOT}", f"--junitxml={report}", str(folder)],
        cwd=ROOT, capture_output=True, text=True, timeout=180, check=False,
    )  # fmt: skip
    failures: dict[str, str] = {"": done.stdout}
    for case in ElementTree.parse(report).iter("testcase"):
        name = re.split(r"[.:]", case.get("classname") + "." + case.get("name"))
        notebook = next(part for part in name if (folder / f"{part}.ipynb").exists())
        failures.setdefault(notebook, "")
        for failure in [*case.iter("failure"), *case.iter("error")]:
            failures[notebook] += failure.text or ""
            failures[f"{notebook} seconds"] = case.get("time") or ""
    return failures


@pytest.mark.parametrize("name", CASES)
def test_each_lie_is_noticed_and_nothing_else(outcomes, name):
    words = CASES[name][2]
    if words is None:
        assert outcomes[name] == ""
    else:
        assert words in outcomes[name]


def test_dead_kernel_fails_within_seconds(outcomes):
    assert "kernel died" in outcomes["dies"]
    assert float(outcomes["dies seconds"]) < 15


def test_cell_that_should_raise_and_does_not(outcomes):
    assert "Missing output fields" in outcomes["silent"]
    assert "ename" in outcomes["silent"]


def test_number_of_compared_cells_is_printed(outcomes):
    found = re.search(r"(\d+) cells compared with their stored output, (\d+) ran", outcomes[""])
    assert found
    assert int(found[1]) >= 2


# Not of numbers below 1e-9: there the change would be within the absolute tolerance.
DECIMAL = re.compile(r"(?<![\d.])(\d\.\d)(\d)(?=\d)(?!\d+e-[1-9]\d)")


def changed_numbers(outputs):
    """The outputs of a cell once for each decimal number it prints, with that number changed."""
    for place, output in enumerate(outputs):
        for found in DECIMAL.finditer(output.text if output.output_type == "stream" else ""):
            other = deepcopy(outputs)
            digit = str((int(found[2]) + 1) % 10)
            other[place].text = output.text[: found.start(2)] + digit + output.text[found.end(2) :]
            yield other


def test_changed_number_in_a_real_chapter_is_noticed(tmp_path):
    """The chapter that prints a decimal number soonest, run up to there, with the number changed.

    What the comparison makes of the numbers of all chapters is the next test.
    """
    begun = {}
    for path in sorted(CHAPTERS.glob("*.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        for index, cell in enumerate(notebook.cells):
            other = next(changed_numbers(cell.get("outputs", [])), None)
            if other:
                cell.outputs = other
                # What follows is left out of the run, and of the source beside it.
                notebook.cells = notebook.cells[: index + 1]
                begun[path] = notebook
                break
    assert begun, "no chapter prints a decimal number"
    path = min(begun, key=lambda p: sum(c.cell_type == "code" for c in begun[p].cells))
    nbformat.write(begun[path], tmp_path / path.name)
    for folder in ("_exercises", "_figures"):
        if (CHAPTERS / folder).exists():
            (tmp_path / folder).symlink_to(CHAPTERS / folder)
    for page in CHAPTERS.glob("*.md"):
        (tmp_path / page.name).symlink_to(page)
    outcomes = run_guarded(tmp_path)
    assert "Cell outputs differ" in outcomes[path.stem], outcomes[path.stem][-800:]


@pytest.mark.parametrize("path", sorted(CHAPTERS.glob("*.ipynb")), ids=lambda path: path.stem)
def test_no_printed_number_of_a_chapter_may_change(request, path):
    """Each number of each cell; that a fresh run prints what is stored is `make notebooks`."""
    nbguard.pytest_configure(request.config)
    notebook = nbval.IPyNbFile.from_parent(request.session, path=path)
    cells = [item for item in notebook.collect() if isinstance(item, nbval.IPyNbCell)]
    nbguard.pytest_collection_modifyitems(cells)
    assert cells
    for item in cells:
        stored = item.cell.outputs
        assert item.options["check"]
        assert not item.options["skip"]
        assert item.compare_outputs(stored, stored)
        for other in changed_numbers(stored):
            assert not item.compare_outputs(stored, other), (item.name, other)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("loss 0.123456", "loss 0.123457", True),
        ("loss 0.123456", "loss 0.123556", False),
        ("−1.5e-3", "-1.50001e-3", True),
        ("1.5", "-1.5", False),
        ("epoch 10", "epoch 11", False),
        ("shape (3, 4)", "shape (4, 3)", False),
        ("x2 = 1.0", "x3 = 1.0", False),
        ("0.5 apples", "0.5 pears", False),
        ("0.0", "1e-13", True),
        ("0.0", "1e-9", False),
        ("nan", "0.5", False),
    ],
)
def test_tolerance(one, other, same):
    assert (nbguard.Tolerant(one) == nbguard.Tolerant(other)) is same
    assert (nbguard.Tolerant(one) != nbguard.Tolerant(other)) is not same


def test_progress_bar_that_erased_itself_leaves_nothing():
    bar = {"output_type": "stream", "name": "stderr", "text": "50%\r100%\r     \r"}
    words = {"output_type": "stream", "name": "stderr", "text": "a warning\n"}
    assert nbguard.without_erased_progress([bar, words]) == [words]


def test_stored_notebooks_are_json_that_nbformat_accepts():
    for path in CHAPTERS.glob("*.ipynb"):
        nbformat.validate(json.loads(path.read_text(encoding="utf-8")))
