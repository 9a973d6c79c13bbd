"""The bar is there for a reader and leaves nothing behind."""

from __future__ import annotations

import io
import queue

import pytest

from bplib.progress import bar_text, watch


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_the_bar_fills_and_is_erased():
    stream = Terminal()
    assert list(watch([1, 2, 3], "epoch", terminal=stream)) == [1, 2, 3]
    drawn = stream.getvalue()
    assert bar_text(3, 3, "epoch") in drawn
    last = drawn.rsplit("\r", 2)[1]
    assert last.strip() == ""
    assert len(last) == len(bar_text(3, 3, "epoch"))


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
    assert kinds == ["display_data", *["update_display_data"] * 3, "clear_output"]


@pytest.mark.filterwarnings("ignore")
def test_a_notebook_executed_in_batch_stores_nothing(kernel):
    assert messages(kernel, allow_stdin=False) == []
