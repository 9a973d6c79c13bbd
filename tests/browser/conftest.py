"""A real Chromium for the pages. Without one these tests are skipped, in one loud line."""

import functools
import http.server
import os
import shutil
import threading
from pathlib import Path

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
]
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
def site() -> Path:
    if not (SITE / "index.html").exists():
        pytest.fail(f"{SITE} is not built: run `make html` first")
    return SITE


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format, *args):
        pass


@pytest.fixture(scope="session")
def served(site):
    """The site's address on a free loopback port."""
    handler = functools.partial(_Quiet, directory=str(site))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


class Visit:
    """A page as opened, and all that was said or asked for meanwhile."""

    def __init__(self, browser, width=1200, theme="light", script=True, motion="no-preference"):
        self.context = browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme=theme,
            java_script_enabled=script,
            reduced_motion=motion,
        )
        self.page = self.context.new_page()
        self.said: list[str] = []
        self.elsewhere: list[str] = []
        self.answers: list = []
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("response", lambda answer: self.answers.append(answer))
        self.context.route("**/*", self._guard)

    def _console(self, message):
        if message.type in ("error", "warning"):
            self.said.append(f"{message.type}: {message.text}")

    def _guard(self, route):
        # The network is unplugged: only this machine and the files of the site answer.
        url = route.request.url
        if url.startswith(("file:", "data:", "blob:", "http://127.0.0.1:")):
            route.continue_()
        else:
            self.elsewhere.append(url)
            route.abort()

    def open(self, url: str):
        self.page.goto(url, wait_until="load")
        self.page.wait_for_timeout(150)
        return self.page


@pytest.fixture
def visit(browser):
    """Open pages; every context is closed when the test ends."""
    visits = []

    def opened(**settings) -> Visit:
        visits.append(Visit(browser, **settings))
        return visits[-1]

    yield opened
    for one in visits:
        one.context.close()
