"""The page without a server as ``scripts.build_site`` writes it, on a static host of its own, and what tests ask of it."""

import subprocess
import sys
import threading
from functools import partial
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest
from standing_alone import QuietHandler

ROOT = Path(__file__).resolve().parents[2]
PARITY = 1e-4  # of a score
SHOWN = PARITY + 5e-4  # of one that is shown in points, with one decimal

# For a script of a page: a worker of its own, and the model of that `name`.
ASK = """
  const { startWorker } = await import("./page/client.js");
  const base = new URL("./", location.href);
  const whole = (path) => new URL(path, base).href;
  const { models, runtimes } = await (await fetch("models.json")).json();
  const model = models.find((each) => each.name === name);
  model.file.url = whole(model.file.url);
  const { wasm } = runtimes;
  runtimes.wasm = { script: whole(wasm.script), glue: whole(wasm.glue), wasm: { ...wasm.wasm, url: whole(wasm.wasm.url) } };
  const ask = startWorker(new URL("page/worker.js", base));
  await ask("site", { base: base.href, runtimes, wanted: "wasm" });
"""


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """What the command writes, below a path as on a host that serves many."""
    root = tmp_path_factory.mktemp("host")
    run = subprocess.run(
        [sys.executable, "-m", "scripts.build_site", "-o", str(root / "some" / "place")],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    return root / "some" / "place"


@pytest.fixture
def host(folder):
    """The site's address, and what takes it off the net."""
    root = folder.parents[1]
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=root))
    threading.Thread(target=server.serve_forever, daemon=True).start()

    def stop():
        server.shutdown()
        server.server_close()

    yield f"http://127.0.0.1:{server.server_port}/some/place/", stop
    stop()


@pytest.fixture
def visit_site(browser, host):
    """Opens the site, waits for its first pair, and finds in the end that nothing failed or asked elsewhere."""
    url, _ = host
    pages = []

    def open_page(query="", **context):
        context = browser.new_context(**({"viewport": {"width": 1366, "height": 768}} | context))
        context.asked = []
        context.on("request", lambda request: context.asked.append(request.url))
        page = context.new_page()
        page.failures = []
        page.on("pageerror", lambda error: page.failures.append(str(error)))
        page.on("console", lambda said: said.type == "error" and page.failures.append(said.text))
        pages.append(page)
        page.goto(url + query)
        page.wait_for_selector("#viewer .diml[data-state=ready]", timeout=120_000)
        return page

    yield open_page
    for page in pages:
        elsewhere = [x for x in page.context.asked if not x.startswith((url, "blob:", "data:"))]
        page.context.close()
        assert elsewhere == []
        assert page.failures == []


def score(page):
    """Of -1 to 1, as the library has it."""
    return float(page.text_content("#viewer .diml-total")) / 100


def upload(page, side, name, photo):
    """Put a file into an upload: its name and its bytes."""
    file = {"name": name, "mimeType": "image/jpeg", "buffer": photo}
    page.set_input_files(f"#photo-{side} input", file)


def wait_for_name(page, side, name, viewer="viewer"):
    """Until the photo of that side is shown."""
    page.wait_for_function(
        "([viewer, side, name]) => document.querySelector(`#${viewer} [data-role=name-${side}]`)?.textContent.startsWith(name)",
        arg=[viewer, side, name],
        timeout=120_000,
    )
