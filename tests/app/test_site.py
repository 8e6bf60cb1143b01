"""The page without a server, as a browser meets it on a static host."""

import base64
import csv
import io
import json
import re
import shutil
import struct
import subprocess
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlencode

import numpy as np
import pytest
from PIL import Image

from diml_core import Explanation, explain, load_model, load_photo
from diml_core.counterfactual import counterfactual
from diml_core.evaluation.faithfulness import RANKINGS, curves_steps
from diml_core.steps import result_of
from scripts.site.models import MODELS

CHROMIUM = shutil.which("chromium")
ROOT = Path(__file__).resolve().parents[2]
PARITY = 1e-4  # of a score
SHOWN = PARITY + 5e-4  # of one that is shown in points, with one decimal
EXIF_TURNED = "turned.jpg"  # lies on its side, and says so

# Every photo that an example pair has, in pairs of different shapes; more pairs across them, and one that EXIF turns.
MORE = [
    ("crocodile.jpg", "koala.jpg"),
    ("giraffes.jpg", "red-panda.jpg"),
    (EXIF_TURNED, "koala.jpg"),
]

# A worker of the test's own, and the model of that name.
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

SCORES = (
    "async ({ pairs, files, name }) => {"
    + ASK
    + """
  const { payloadOf } = await import("./page/payload.js");
  const { explain } = await import("./viewer/engine/explain.js");
  const { decodeFeatures } = await import("./viewer/engine/decode.js");
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
)

QUESTIONS = (
    "async ({ pair, name, options, questions }) => {"
    + ASK
    + """
  const photoOf = async (name) => ({ name, file: await (await fetch(`examples/${name}`)).blob() });
  const looked = await ask("look", { model, photos: await Promise.all(pair.map(photoOf)) });
  const about = { model, digests: looked.map(({ digest }) => digest), options: { ...model.defaults, ...options } };
  const answers = [];
  for (const question of questions) answers.push(await ask(question.about, { ...about, ...question }));
  return answers;
}"""
)

# Gives up after three words of progress, then waits for a question that takes as long.
GIVEN_UP = (
    "async ({ pair, name, question }) => {"
    + """
  const counted = [];
  const Plain = Worker;
  window.Worker = class extends Plain {
    constructor(...how) {
      super(...how);
      this.addEventListener("message", ({ data }) => counted.push(data));
    }
  };
"""
    + ASK
    + """
  const photoOf = async (name) => ({ name, file: await (await fetch(`examples/${name}`)).blob() });
  const looked = await ask("look", { model, photos: await Promise.all(pair.map(photoOf)) });
  const about = { model, digests: looked.map(({ digest }) => digest), options: { ...model.defaults, grid: 4 } };
  const words = [];
  const leaving = new AbortController();
  const gone = new Promise((resolve) => leaving.signal.addEventListener("abort", resolve));
  counted.length = 0;
  ask("curves", { ...about, ...question }, (told) => words.push(told) === 3 && leaving.abort(), leaving.signal);
  await gone;
  const { id } = counted.at(-1);
  const { curves } = await ask("curves", { ...about, ...question });
  return [words.length, counted.filter((each) => each.id === id).length, curves.length === 6];
}"""
)


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


def score(page):
    """Of -1 to 1, as the library has it."""
    return float(page.text_content("#viewer .diml-total")) / 100


def upload(page, side, name, photo):
    file = {"name": name, "mimeType": "image/jpeg", "buffer": photo}
    page.set_input_files(f"#photo-{side} input", file)


def wait_for_name(page, side, name):
    page.wait_for_function(
        "([side, name]) => document.querySelector(`#viewer [data-role=name-${side}]`).textContent.startsWith(name)",
        arg=[side, name],
        timeout=120_000,
    )


def test_after_one_visit_it_needs_no_host(visit, host, examples, turned):
    page = visit()
    page.evaluate("navigator.serviceWorker.ready")  # all is kept
    assert "one core" in page.text_content("#engine")
    _, stop = host
    stop()
    page.reload()
    page.wait_for_selector("#viewer .diml[data-state=ready]", timeout=120_000)
    assert page.evaluate("crossOriginIsolated")
    upload(page, "a", EXIF_TURNED, turned)
    upload(page, "b", "<b>ear</b>.jpg", (examples / "koala.jpg").read_bytes())
    wait_for_name(page, "a", EXIF_TURNED)
    wait_for_name(page, "b", "<b>ear</b>.jpg")
    expected = explain(load_model(MODELS[0]), turned, examples / "koala.jpg").similarity
    assert score(page) == pytest.approx(expected, abs=SHOWN)
    page.click("#examples button >> nth=1")
    wait_for_name(page, "a", "cat.jpg")
    # A model that nobody has loaded yet is still to be had where there is a connection only.
    page.click(f"#models input[value={MODELS[1]}]")
    page.wait_for_selector("#viewer [data-role=error]:has-text('connect to the internet')")
    page.failures.clear()  # the browser's own word on a host that is gone


def test_a_link_opens_the_larger_model_where_its_options_stood(visit, examples):
    page = visit(
        "?a=cat.jpg&b=kitten.jpg&model=dinov2-s14&grid=5&mass=0.9&start_block=7&layer=rollout&parts=a7"
    )
    options = {"grid": 5, "mass": 0.9, "start_block": 7}
    expected = explain(
        load_model("dinov2-s14"), examples / "cat.jpg", examples / "kitten.jpg", **options
    )
    assert score(page) == pytest.approx(expected.similarity, abs=SHOWN)
    page.wait_for_selector("[data-role=legends]:has-text('Attention of this part (A)')")
    page.click("#swap")
    wait_for_name(page, "a", "kitten.jpg")
    assert page.evaluate("new URLSearchParams(location.search).get('grid')") == "5"


@pytest.mark.parametrize("cover", ["grey", "blur", "mean"])
def test_the_network_looks_again_at_a_covered_photo(visit, examples, cover):
    page = visit("?a=cat.jpg&b=kitten.jpg&parts=a45.46.57.58")
    names = {"grey": "grey", "blur": "blur", "mean": "mean colour"}
    page.click(f"#viewer [data-role=cover] button:text-is('{names[cover]}')")
    page.wait_for_selector(".diml-cover-result", timeout=60_000)
    model = load_model(MODELS[0])
    a, b = (model.extract(load_photo(examples / name)) for name in ("cat.jpg", "kitten.jpg"))
    expected = counterfactual(model, a, b, model.options(), "a", [45, 46, 57, 58], cover)
    shown = page.text_content(".diml-cover-result")
    after = float(re.search(r"→ (\d+\.\d+)", shown)[1]) / 100
    promised, measured, others = (
        -float(number.replace("−", "-")) / 100
        for number in page.locator(".diml-fall b").all_text_contents()
    )
    assert after == pytest.approx(expected.after.similarity, abs=SHOWN)
    assert promised == pytest.approx(expected.promised, abs=SHOWN)
    # A fall is the difference of two scores as they are shown.
    assert measured == pytest.approx(expected.fall, abs=2 * SHOWN)
    assert others == pytest.approx(sum(expected.controls) / len(expected.controls), abs=SHOWN)


@pytest.mark.parametrize(
    ("name", "side", "rivals"),
    [
        ("efficientnet-lite0", "b", ["best-match", "second-order"]),
        ("dinov2-s14", "a", ["rollout", "nearest"]),
    ],
)
def test_other_methods_say_and_score_what_they_do_in_the_library(
    visit, examples, name, side, rivals
):
    pair, options = ("cat.jpg", "kitten.jpg"), {"grid": 4}
    questions = [{"about": "rival", "rival": key} for key in [*rivals, "marginals"]]
    questions.append({"about": "curves", "rivals": rivals, "side": side, "cover": "blur"})
    asked = {"pair": pair, "name": name, "options": options, "questions": questions}
    *says, tested = visit().evaluate(QUESTIONS, asked)
    model = load_model(name)
    photos = [model.extract(load_photo(examples / each)) for each in pair]
    chosen = model.options(**options)
    for question, said in zip(questions, says, strict=False):
        expected = RANKINGS[question["rival"]].weights(model, *photos, chosen)
        for each, weights in zip("ab", expected, strict=True):
            scaled = (weights - weights.min()) / np.ptp(weights)
            # As many times less exact as the weights lie closer together than scores do.
            most = PARITY / min(1, np.ptp(weights))
            np.testing.assert_allclose(said[each], scaled, atol=most, err_msg=question["rival"])
    curves = result_of(curves_steps(model, *photos, chosen, ["diml", *rivals], side=side))
    found = tested["curves"]
    assert [(c["key"], c["kind"]) for c in found] == [(c.key, c.kind) for c in curves]
    for one, other in zip(found, curves, strict=True):
        assert one["fractions"] == pytest.approx(other.fractions)
        assert one["scores"] == pytest.approx(other.overall, abs=PARITY)
        assert one["area"] == pytest.approx(other.area, abs=PARITY)


def test_an_explanation_is_tested_without_a_server(visit, screenshots):
    page = visit("?a=cat.jpg&b=kitten.jpg&grid=6")
    page.click("#viewer [data-role=trial-drawer] summary")
    drawer = page.locator("#viewer [data-role=trial]")
    said = drawer.locator("p[role=status]")
    drawer.get_by_role("button", name="Start").click()
    drawer.locator(".diml-charts").wait_for(timeout=60_000)
    drawer.get_by_role("button", name="Stop").click()
    assert "Stopped" in said.text_content()
    drawer.get_by_role("button", name="Start").click()
    drawer.get_by_text("On this pair only").wait_for(timeout=60_000)
    assert drawer.locator("tbody tr").count() == 3
    page.screenshot(path=screenshots / "site-tested.png", full_page=True)
    page.locator("#viewer [data-role=rivals] select").select_option("second-order")
    page.wait_for_selector("#viewer [data-role=legends]:has-text('global similarity')")


def test_the_worker_looks_no_longer_for_who_has_gone(visit):
    """What it says comes from behind the page's back: the page itself listens no more."""
    question = {"about": "curves", "rivals": ["nearest", "marginals"], "side": "a", "cover": "grey"}
    asked = {"pair": ("cat.jpg", "kitten.jpg"), "name": MODELS[0], "question": question}
    before, after, answered = visit().evaluate(GIVEN_UP, asked)
    assert before == 3
    assert after <= before + 1  # one may have been on its way
    assert answered  # a question that came after is


def test_a_report_stays_interactive_without_the_site(visit, browser, tmp_path):
    page = visit("?a=heron.jpg&b=harrier.jpg")
    page.click("#viewer [data-role=options-drawer] summary")
    page.fill("#viewer [data-role=mass]", "0.6")
    page.wait_for_url("**mass=0.6**")
    shown = page.text_content("#viewer .diml-total")
    with page.expect_download() as download:
        page.click("#downloads [value=html]")
    assert download.value.suggested_filename == "heron--harrier.html"
    download.value.save_as(tmp_path / "report.html")
    context = browser.new_context(offline=True)
    report = context.new_page()
    report.goto((tmp_path / "report.html").as_uri())
    report.wait_for_selector(".diml[data-state=ready]")
    assert report.text_content(".diml-total") == shown
    report.click("[data-role=options-drawer] summary")
    report.fill("[data-role=mass]", "1")
    report.wait_for_function(
        "shown => document.querySelector('.diml-total').textContent !== shown", arg=shown
    )
    context.close()


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("efficientnet-lite0", {}),  # stands on its scale, and has no attention
        ("dinov2-s14", {"grid": 5, "mass": 0.9, "start_block": 7}),
    ],
)
def test_saved_numbers_are_the_librarys(visit, examples, tmp_path, name, options):
    query = urlencode({"a": "cat.jpg", "b": "kitten.jpg", "model": name} | options)
    page = visit(f"?{query}")
    for ending in ("json", "csv"):
        with page.expect_download() as download:
            page.click(f"#downloads [value={ending}]")
        assert download.value.suggested_filename == f"cat--kitten.{ending}"
        download.value.save_as(tmp_path / f"saved.{ending}")
    expected = explain(load_model(name), examples / "cat.jpg", examples / "kitten.jpg", **options)
    saved = json.loads((tmp_path / "saved.json").read_text(encoding="utf-8"))
    assert_same(saved, expected.to_dict())
    found = Explanation.from_json(tmp_path / "saved.json")
    for key in ("similarity", "global_similarity", "structural_similarity", "mass"):
        assert getattr(found, key) == pytest.approx(getattr(expected, key), abs=PARITY)
    arrays = ["plan", "part_similarity", "contribution", "marginals_a", "marginals_b"]
    if expected.rollout_a is not None:
        arrays += ["rollout_a", "rollout_b", "rollout_map_a", "rollout_map_b"]
    for key in arrays:
        assert np.abs(getattr(found, key) - getattr(expected, key)).max() <= PARITY, key
    # The table is that of the numbers that were saved beside it, in the library's own words.
    found.to_csv(tmp_path / "again.csv")
    tables = []
    for path in ("saved.csv", "again.csv"):
        with open(tmp_path / path, encoding="utf-8", newline="") as file:
            tables.append(list(csv.reader(file)))
    (head, *rows), (head_again, *rows_again) = tables
    assert head == head_again
    assert len(rows) == len(rows_again)
    # Where two contributions agree to the last digits of a sum, either may stand first.
    by_cell = [sorted([float(x) for x in row] for row in each) for each in (rows, rows_again)]
    assert np.abs(np.array(by_cell[0]) - np.array(by_cell[1])).max() <= 1e-9


def assert_same(found, expected, where="saved"):
    """The same keys, lengths and kinds of values; numbers of JSON are one kind, apart from truth values."""
    if isinstance(expected, dict):
        assert found.keys() == expected.keys(), where
        for key in expected:
            assert_same(found[key], expected[key], f"{where}.{key}")
    elif isinstance(expected, list):
        assert len(found) == len(expected), where
        for k, each in enumerate(expected):
            assert_same(found[k], each, f"{where}[{k}]")
    elif isinstance(expected, str | bool | None):
        assert found == expected, where
    else:
        assert type(found) in (int, float), where


# What plays a graphics card where there is none: slow, but another engine, with sums in another order.
PLAYED = (
    "--enable-unsafe-webgpu",
    "--use-webgpu-adapter=swiftshader",
    "--enable-features=Vulkan",
    "--use-vulkan=swiftshader",
)


@pytest.mark.slow
def test_a_graphics_card_gives_the_same_score(browser, host, examples):
    url, _ = host
    chromium = browser.browser_type.launch(executable_path=CHROMIUM, args=["--no-sandbox", *PLAYED])
    page = chromium.new_page()
    page.goto(url + "manifest.webmanifest")
    if not page.evaluate("navigator.gpu?.requestAdapter().then(Boolean)"):
        chromium.close()
        pytest.skip("this chromium plays no graphics card")
    page.goto(url + "?a=cat.jpg&b=kitten.jpg&engine=webgpu")
    page.wait_for_selector("#engine:has-text('graphics card')", timeout=240_000)
    expected = explain(load_model(MODELS[0]), examples / "cat.jpg", examples / "kitten.jpg")
    assert score(page) == pytest.approx(expected.similarity, abs=SHOWN)
    chromium.close()


def header_of_png(width, height):
    """A PNG that announces a size and has no more."""
    with io.BytesIO() as file:
        Image.new("L", (1, 1)).save(file, "PNG")
        data = file.getvalue()
    return data[:16] + struct.pack(">II", width, height) + data[24:]


def test_what_is_no_photo_gets_a_sentence_and_the_last_pair_stays(visit):
    page = visit()
    shown = score(page)
    for name, data, word in [
        ("notes.txt", b"no photo", "not an image"),
        ("none.jpg", b"", "is empty"),
        ("wide.png", header_of_png(60_000, 60_000), "60000 × 60000 pixels"),
        ("half.png", header_of_png(20, 20), "damaged"),
        ("cut.jpg", b"\xff\xd8\xff\xe0", "damaged"),
    ]:
        upload(page, "a", name, data)
        page.wait_for_selector(f"#viewer [data-role=error]:has-text(\"'{name}'\")")
        assert word in page.text_content("#viewer [data-role=error]")
        assert score(page) == shown
    page.evaluate(
        """() => {
        const transfer = new DataTransfer();
        transfer.items.add(new File([new Uint8Array(64 * 2 ** 20 + 1)], "big.jpg"));
        document.querySelector("#photo-a").dispatchEvent(new DragEvent("drop", { dataTransfer: transfer })); }"""
    )
    page.wait_for_selector("#viewer [data-role=error]:has-text('larger than 64 MiB')")


def test_the_policy_lets_neither_page_nor_worker_reach_another_address(visit):
    page = visit()
    script = """async (address) => {
      const source = `fetch(${JSON.stringify(address)}).then(() => postMessage("reached"), () => postMessage("refused"))`;
      const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
      const worker = new Promise((resolve) => (new Worker(url, { type: "module" }).onmessage = ({ data }) => resolve(data)));
      const here = fetch(address).then(() => "reached", () => "refused");
      return [await here, await worker]; }"""
    # Where somebody does answer, and would let anybody ask.
    server = ThreadingHTTPServer(("127.0.0.1", 0), Open)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}/"
    assert page.evaluate(script, address) == ["refused", "refused"]
    assert len(page.failures) >= 2  # the browser says what its policy stopped
    page.failures.clear()
    server.shutdown()
    server.server_close()


class Open(QuietHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Access-Control-Allow-Origin", "*")
        self.end_headers()


def test_it_can_be_installed(visit, folder):
    page = visit()
    protocol = page.context.new_cdp_session(page)
    found = protocol.send("Page.getAppManifest")
    assert found["errors"] == []
    for icon in json.loads(found["data"])["icons"]:
        with Image.open(folder / icon["src"]) as image:
            assert f"{image.width}x{image.height}" == icon["sizes"]
    errors = protocol.send("Page.getInstallabilityErrors")["installabilityErrors"]
    assert {error["errorId"] for error in errors} <= {"in-incognito"}  # as every test's page is


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 768, 1366])
def test_axe_finds_nothing_serious(visit, screenshots, width, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    page = visit(
        "?a=cat.jpg&b=kitten.jpg&parts=a45",
        viewport={"width": width, "height": 768},
        color_scheme=scheme,
    )
    page.wait_for_timeout(300)  # colours fade in
    page.screenshot(path=screenshots / f"site-{width}-{scheme}.png", full_page=True)
    # axe is put in by the browser's own tools, which no policy binds.
    found = axe.Axe().run(page).response["violations"]
    serious = [each for each in found if each["impact"] in ("serious", "critical")]
    assert [(each["id"], each["nodes"][0]["html"][:200]) for each in serious] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
