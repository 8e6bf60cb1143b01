"""The page without a server, as a browser meets it on a static host."""

import base64
import io
import json
import subprocess
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from PIL import Image

from diml_core import explain, load_model, load_photo
from scripts.site.models import MODELS

ROOT = Path(__file__).resolve().parents[2]
MEBIBYTE = 2**20
PARITY = 1e-4  # of a score
EXIF_TURNED = "turned.jpg"  # lies on its side, and says so

# Every photo that an example pair has, in pairs of different shapes; more pairs across them, and one that EXIF turns.
MORE = [
    ("crocodile.jpg", "koala.jpg"),
    ("giraffes.jpg", "red-panda.jpg"),
    (EXIF_TURNED, "koala.jpg"),
]

SCORES = """async ({ pairs, files, name }) => {
  const { startWorker } = await import("./page/client.js");
  const { payloadOf } = await import("./page/payload.js");
  const { explain } = await import("./viewer/engine/explain.js");
  const { decodeFeatures } = await import("./viewer/engine/decode.js");
  const base = new URL("./", location.href);
  const whole = (path) => new URL(path, base).href;
  const { models, runtimes } = await (await fetch("models.json")).json();
  const model = models.find((each) => each.name === name);
  model.file.url = whole(model.file.url);
  const { wasm } = runtimes;
  runtimes.wasm = { script: whole(wasm.script), glue: whole(wasm.glue), wasm: { ...wasm.wasm, url: whole(wasm.wasm.url) } };
  const ask = startWorker(new URL("page/worker.js", base));
  await ask("site", { base: base.href, runtimes, wanted: "wasm" });
  const given = (text) => new Blob([Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0))]);
  const photoOf = async (name) => ({ name, file: files[name] ? given(files[name]) : await (await fetch(`examples/${name}`)).blob() });
  const scores = [];
  for (const pair of pairs) {
    const [a, b] = await ask("look", { model, photos: await Promise.all(pair.map(photoOf)) });
    const payload = payloadOf(model, a, b, model.defaults);
    const features = async (side) => decodeFeatures(await side.features.arrayBuffer(), side, payload.model);
    const found = explain(payload, { a: await features(a), b: await features(b) }, model.defaults);
    scores.push([found.similarity, found.global, found.structural, a.size, b.size]);
  }
  return scores;
}"""


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


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
def visit(browser, host):
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


@pytest.fixture(scope="session")
def turned(examples):
    """A photo as a phone stores it that was held upright: pixels on their side, and a note of that."""
    with Image.open(examples / "moose.jpg") as photo:
        sideways = photo.transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise
    file = io.BytesIO()
    sideways.save(file, "JPEG", quality=90, exif=exif)
    return file.getvalue()


def test_the_networks_are_small_enough_to_wait_for(folder):
    most = {"efficientnet-lite0": 10, "dinov2-s14": 45}
    described = json.loads((folder / "models.json").read_text(encoding="utf-8"))["models"]
    assert [each["name"] for each in described] == list(MODELS) == list(most)
    for each in described:
        size = (folder / each["file"]["url"]).stat().st_size
        assert size == each["file"]["bytes"]
        assert size <= most[each["name"]] * 1e6


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_scores_are_the_librarys_on_twenty_pairs(visit, examples, turned, name):
    pairs = json.loads((examples / "pairs.json").read_text(encoding="utf-8"))
    pairs = [(each["a"], each["b"]) for each in pairs] + MORE
    assert len(pairs) == 20
    files = {EXIF_TURNED: base64.b64encode(turned).decode()}
    found = visit().evaluate(SCORES, {"pairs": pairs, "files": files, "name": name})
    model = load_model(name)
    sources = {EXIF_TURNED: turned}
    differences = []
    for (a, b), (*scores, size_a, size_b) in zip(pairs, found, strict=True):
        photos = [load_photo(sources.get(each, examples / each)) for each in (a, b)]
        assert [size_a, size_b] == [list(photo.size) for photo in photos]
        one = explain(model, *photos)
        expected = one.similarity, one.global_similarity, one.structural_similarity
        differences += [abs(x - y) for x, y in zip(scores, expected, strict=True)]
    assert max(differences) <= PARITY, sorted(differences)[-10:]
