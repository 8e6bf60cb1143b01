"""The viewer on a page of its own, without Gradio: a folder that is served, and pages that open it."""

import json
import shutil
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from diml_core import load_photo
from diml_core.viewer import modules
from diml_core.viewer.pair import live_pair

PAGE = Path(__file__).resolve().parents[1] / "viewer" / "page.html"


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture(scope="session")
def site(tmp_path_factory, examples, vit, cnn):
    """URL of a folder with the page, the viewer's modules, the transformer's pairs "birds" and "cats", and the other
    network's "cnn-birds"."""
    folder = tmp_path_factory.mktemp("site")
    shutil.copy(PAGE, folder / "index.html")
    shutil.copytree(modules.FOLDER, folder / "viewer")

    def place(ending, key, content):
        name = f"{key.replace('/', '_')}.{ending}"
        (folder / name).write_bytes(content())
        return name

    birds = ("heron.jpg", "harrier.jpg")
    for name, model, files in (
        ("birds", vit, birds),
        ("cats", vit, ("cat.jpg", "kitten.jpg")),
        ("cnn-birds", cnn, birds),
    ):
        a, b = (model.extract(load_photo(examples / file)) for file in files)
        pair = live_pair(model, a, b, model.options(), place)
        for side in "ab":
            pair[side]["example"] = True
        (folder / f"{name}.json").write_text(json.dumps(pair))
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


@pytest.fixture
def alone(browser, site):
    """Opens the page with one pair or two, waits until they are shown, and finds no error in the end."""
    pages = []

    def open_page(query="?one=birds", **context):
        page = browser.new_context(
            **({"viewport": {"width": 1366, "height": 900}} | context)
        ).new_page()
        page.failures = []
        page.on("pageerror", lambda error: page.failures.append(str(error)))
        pages.append(page)
        page.goto(site + query)
        page.wait_for_function("window.mounted")
        for host in page.evaluate("Object.keys(hosts)"):
            page.wait_for_selector(f"#{host} .diml[data-state=ready]")
        return page

    yield open_page
    for page in pages:
        page.context.close()
        assert not page.failures


def next_frames(page):
    """Until what was asked for in one frame has been computed, drawn and told."""
    page.evaluate("() => new Promise(r => requestAnimationFrame(() => requestAnimationFrame(r)))")


def host(page, key, name="one"):
    return page.evaluate(f"hosts.{name}.values.{key}")
