"""A real Chromium for the pages. Without one these tests are skipped, in one loud line."""

import contextlib
import functools
import http.server
import os
import shutil
import threading
from pathlib import Path
from typing import ClassVar

import pytest
from playwright.sync_api import sync_playwright

SITE = Path(__file__).resolve().parents[2] / "_build" / "html"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # The network is unplugged: only this machine and the files of the site answer.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]
HERE = ("file:", "data:", "blob:", "about:", "http://127.0.0.1:", "ws://127.0.0.1:")
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
HOW = (
    "NO CHROMIUM: the browser tests did not run. Install it (Debian, Ubuntu: apt install chromium) "
    "or name one: BOOK_CHROMIUM=/path/to/chrome make test"
)


def chromium_path() -> str | None:
    """Return the path of a Chromium on this machine, None where there is none."""
    named = os.environ.get("BOOK_CHROMIUM")
    return named or next(filter(None, map(shutil.which, NAMES)), None)


def pytest_collection_modifyitems(items):
    # The hook is handed every item of the session, not only those beside this file.
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def browser():
    path = chromium_path()
    if path is None:
        # CI sets BOOK_REQUIRE_BROWSER: there, a missing browser is a failure and no skip.
        (pytest.fail if os.environ.get("BOOK_REQUIRE_BROWSER") else pytest.skip)(HOW)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def tab(browser):
    """A tab for each kind of reader, kept from test to test: a new one costs most of a second."""
    kept = {}

    def of(**options):
        key = repr(sorted(options.items()))
        if key not in kept:
            kept[key] = browser.new_context(**options).new_page()
        return kept[key]

    return of


@pytest.fixture(scope="session")
def site() -> Path:
    if not (SITE / "index.html").exists():
        pytest.fail(f"{SITE} is not built: run `make html` first")
    return SITE


class Handler(http.server.SimpleHTTPRequestHandler):
    """Files that no tab remembers, so that a page weighs the same at every visit."""

    headers_too: ClassVar[dict[str, str]] = {"Cache-Control": "no-store"}

    def end_headers(self):
        for name, value in self.headers_too.items():
            self.send_header(name, value)
        super().end_headers()

    def log_message(self, format, *args):
        pass


@contextlib.contextmanager
def serving(folder, handler=Handler):
    """The address of a folder on a free loopback port."""
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(handler, directory=str(folder))
    )
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="session")
def served(site):
    """The site's address."""
    with serving(site) as address:
        yield address


class Visit:
    """A page as opened, and all that was said or asked for meanwhile."""

    def __init__(self, tab, options):
        self.options = {
            "viewport": {"width": 1200, "height": 900},
            "color_scheme": "light",
        } | options
        self.page = tab(**self.options)
        self.said: list[str] = []
        self.elsewhere: list[str] = []
        self.answers: list = []
        self.hear = {
            "console": self._console,
            "pageerror": lambda error: self.said.append(str(error)),
            "request": self._request,
            "response": lambda answer: self.answers.append(answer),
        }
        for event, heard in self.hear.items():
            self.page.on(event, heard)

    def _console(self, message):
        # The theme tells which of its modes is on, the toggle buttons how many they are.
        if not message.text.startswith(("[PST]", "[togglebutton]")):
            self.said.append(f"{message.type}: {message.text}")

    def _request(self, request):
        if not request.url.startswith(HERE):
            self.elsewhere.append(request.url)

    def open(self, url: str):
        self.page.goto(url, wait_until="load")
        self.page.wait_for_timeout(150)
        return self.page

    def close(self):
        """Leave the tab as it was found, for the next test."""
        for event, heard in self.hear.items():
            self.page.remove_listener(event, heard)
        if not self.page.url.startswith("about:"):
            self.page.evaluate("localStorage.clear(); sessionStorage.clear()")
        self.page.goto("about:blank")
        self.page.emulate_media(media="null", color_scheme=self.options["color_scheme"])
        self.page.set_viewport_size(self.options["viewport"])


@pytest.fixture
def visit(tab):
    """Open pages as one kind of reader; every tab is as before when the test ends."""
    visits = []

    def opened(**options) -> Visit:
        visits.append(Visit(tab, options))
        return visits[-1]

    yield opened
    for one in visits:
        one.close()
