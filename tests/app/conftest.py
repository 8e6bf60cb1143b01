"""The app as a visitor meets it: started by ``python app.py`` on a free port, once per session, and driven in
Debian's chromium. Screenshots go to ``ci-output/`` (or ``$DIML_SCREENSHOTS``) to be looked at."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from standing_alone import alone, site  # noqa: F401 - fixtures
from static_site import folder, host, visit_site  # noqa: F401 - fixtures
from visiting import Visitor

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = shutil.which("chromium")
SCREENSHOTS = Path(os.environ.get("DIML_SCREENSHOTS", ROOT / "ci-output"))


def pytest_collection_modifyitems(items):
    """Whatever needs a browser says so by using one; where there is none it is skipped, with the reason."""
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.browser)
            if CHROMIUM is None:
                reason = "no chromium here: apt-get install chromium"
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def start(tmp_path_factory):
    """Starts ``python app.py`` with more environment variables, for a ``with`` block that gets its URL; at the end its
    log must be free of tracebacks."""

    @contextlib.contextmanager
    def started(**variables):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        log = tmp_path_factory.mktemp("server") / "log.txt"
        environment = os.environ | {
            "GRADIO_SERVER_PORT": str(port),
            "GRADIO_SERVER_NAME": "127.0.0.1",
            "HF_HUB_OFFLINE": "1",
        }
        with log.open("w") as output:
            process = subprocess.Popen(
                [sys.executable, "app.py"],
                cwd=ROOT,
                env=environment | variables,
                stdout=output,
                stderr=output,
            )
        url = f"http://127.0.0.1:{port}/"
        try:
            _wait_until_up(url, process, log)
            yield url
        finally:
            process.terminate()
            process.wait(timeout=60)  # it may be in the middle of a gallery
        assert "Traceback" not in log.read_text(), log.read_text()

    return started


@pytest.fixture(scope="session")
def server(start):
    """URL of the running app."""
    with start() as url:
        yield url


def _wait_until_up(url, process, log, seconds=120):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        assert process.poll() is None, f"app.py ended:\n{log.read_text()}"
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.3)
    raise AssertionError(f"app.py did not answer in {seconds} s:\n{log.read_text()}")


@pytest.fixture(scope="session")
def browser():
    """Chromium, one for all tests."""
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


class Page:
    """The page and what the tests ask of it."""

    def __init__(self, browser, url, state="ready", **context):
        self.errors = []
        self.page = browser.new_context(accept_downloads=True, **context).new_page()
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("dialog", lambda dialog: self.errors.append(f"dialog: {dialog.message}"))
        self.page.goto(url)
        if state:
            self.wait(state)

    def wait(self, state):
        self.page.wait_for_selector(f".diml[data-state={state}]", timeout=30_000)

    @property
    def score(self):
        return float(self.page.text_content(".diml-total"))

    def score_after(self, action):
        before = self.page.text_content(".diml-sum")  # a total in one decimal may stay as it is
        action()
        self.page.wait_for_function(
            "before => document.querySelector('.diml-sum').textContent !== before",
            arg=before,
            timeout=30_000,
        )
        return self.score

    def clear(self, side):
        self.page.click(
            f"#photo-{side} button:is([aria-label='Clear'], [aria-label='Remove Image'])"
        )
        self.wait("empty")

    def upload(self, side, path, state="ready"):
        """Put a file into an upload; waits until the viewer has answered to it."""
        if self.page.get_attribute(".diml", "data-state") == "ready":
            self.clear(side)
        self.page.set_input_files(f"#photo-{side} input[type=file]", path)
        self.wait(state)

    def open_options(self):
        self.page.click("#viewer [data-role=options-drawer] summary")
        self.page.wait_for_selector("#viewer [data-role=grid]", state="visible")

    def set_number(self, control, value):
        self.page.fill(f"#viewer [data-role={control}]", str(value))

    def wait_for_pair(self, name):
        """Until the pair whose photo A has that name is shown."""
        self.page.wait_for_function(
            "name => document.querySelector('#viewer [data-role=name-a]').textContent.startsWith(name)",
            arg=name,
            timeout=30_000,
        )

    def shot(self, name):
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)


@pytest.fixture
def visitor(page):
    """Somebody without a browser, on the page that the test's own file has launched."""
    visitor = Visitor(page.local_url)
    yield visitor
    visitor.leave()


@pytest.fixture
def screenshots():
    """Folder for pictures of pages, to be looked at."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    return SCREENSHOTS


@pytest.fixture
def visit(browser, server):
    pages = []

    def open_page(query="", **context):
        context = {"viewport": {"width": 1366, "height": 900}} | context
        pages.append(Page(browser, server + query, **context))
        return pages[-1]

    yield open_page
    for page in pages:
        page.page.context.close()
        assert not page.errors
