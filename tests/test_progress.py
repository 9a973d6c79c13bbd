"""The bar is there for a reader and leaves nothing behind."""

from __future__ import annotations

import io
import queue
import sys

import pytest

from bplib.progress import watch


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture(params=["tqdm", "plain"])
def drawn_by(request, monkeypatch):
    if request.param == "tqdm":
        pytest.importorskip("tqdm", reason="the plain bar is tested beside it")
    else:
        monkeypatch.setitem(sys.modules, "tqdm", None)


def test_the_bar_fills_and_is_erased(drawn_by):
    stream = Terminal()
    note = lambda item: f"item {item}"  # noqa: E731
    seen = list(watch([1, 2, 3], "epoch", note=note, terminal=stream))
    assert seen == [1, 2, 3]
    drawn = stream.getvalue().split("\r")
    assert [f"{n}/3" in line for n, line in enumerate(drawn[1:5])] == [True] * 4
    assert "epoch" in drawn[1]
    assert "item 3" in drawn[4]
    assert drawn[5].strip() == ""
    assert len(drawn[5]) == max(map(len, drawn[1:5]))
    assert drawn[6:] == [""]


def test_a_generator_is_watched_with_its_total_or_without(drawn_by):
    for total, words in ((2, "2/2"), (None, "2")):
        stream = Terminal()
        assert list(watch(iter("ab"), total=total, terminal=stream)) == ["a", "b"]
        assert words in stream.getvalue()


def test_the_bar_is_erased_when_the_loop_is_left_or_fails():
    stream = Terminal()
    for item in watch([1, 2, 3], terminal=stream):
        if item == 2:
            break
    assert stream.getvalue().endswith(" \r")
    with pytest.raises(ZeroDivisionError):
        [1 / (item - 2) for item in watch([1, 2, 3], terminal=stream)]


def test_nothing_is_drawn_where_nobody_looks():
    stream = io.StringIO()
    assert list(watch([1, 2], terminal=stream)) == [1, 2]
    assert stream.getvalue() == ""


def test_no_items():
    assert list(watch([], terminal=Terminal())) == []


@pytest.fixture(scope="module")
def kernel():
    from jupyter_client.manager import start_new_kernel

    manager, client = start_new_kernel()
    yield client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def messages(client, allow_stdin):
    code = "from bplib.progress import watch\nfor i in watch(range(3), 'epoch'):\n    pass"
    request = client.execute(code, allow_stdin=allow_stdin)
    found = []
    while True:
        try:
            message = client.get_iopub_msg(timeout=30)
        except queue.Empty:  # pragma: no cover
            pytest.fail("the kernel fell silent")
        if message["parent_header"].get("msg_id") != request:
            continue
        kind = message["msg_type"]
        if kind == "status" and message["content"]["execution_state"] == "idle":
            return found
        if kind not in ("status", "execute_input"):
            found.append((kind, message["content"]))


@pytest.mark.filterwarnings("ignore")  # of the client's event loop, not ours
def test_a_notebook_shows_the_bar_to_a_person_and_clears_it(kernel):
    kinds = [kind for kind, _ in messages(kernel, allow_stdin=True)]
    assert kinds == ["display_data", *["update_display_data"] * 4, "clear_output"]


@pytest.mark.filterwarnings("ignore")
def test_a_notebook_executed_in_batch_stores_nothing(kernel):
    assert messages(kernel, allow_stdin=False) == []
