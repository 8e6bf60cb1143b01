"""The page without a server, as a browser meets it on a static host."""

import base64
import io
import json
import re
import shutil
import struct
import threading
from http.server import ThreadingHTTPServer

import pytest
from barriers import findings
from PIL import Image
from standing_alone import QuietHandler
from static_site import ASK, PARITY, SHOWN, score, upload, wait_for_name

from diml_core import explain, load_model, load_photo
from diml_core.counterfactual import counterfactual
from scripts.site.models import MODELS

CHROMIUM = shutil.which("chromium")
EXIF_TURNED = "turned.jpg"  # lies on its side, and says so

FROM_A_PHONE = "phone.jpg"  # of 4032 pixels, which are made fewer
FOR_PRINT = "print.jpg"  # in CMYK

# Every photo that an example pair has, in pairs of different shapes; more pairs across them, and files as others make
# them.
MORE = [
    ("crocodile.jpg", "koala.jpg"),
    ("giraffes.jpg", "red-panda.jpg"),
    (EXIF_TURNED, "koala.jpg"),
    (FROM_A_PHONE, "koala.jpg"),
    (FOR_PRINT, "koala.jpg"),
]

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


@pytest.fixture
def visit(visit_site):
    return visit_site


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


@pytest.fixture(scope="session")
def made(examples, turned):
    """The files of :data:`MORE` that are no examples, by name."""

    def jpeg(photo):
        file = io.BytesIO()
        photo.save(file, "JPEG", quality=90)
        return file.getvalue()

    with Image.open(examples / "moose.jpg") as photo:
        large = photo.resize((4032, round(4032 * photo.height / photo.width)))
        return {
            EXIF_TURNED: turned,
            FROM_A_PHONE: jpeg(large),
            FOR_PRINT: jpeg(photo.convert("CMYK")),
        }


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
def test_scores_are_the_librarys_on_twenty_pairs_and_more(visit, examples, made, name):
    pairs = json.loads((examples / "pairs.json").read_text(encoding="utf-8"))
    pairs = [(each["a"], each["b"]) for each in pairs] + MORE
    assert len(pairs) == 22
    files = {each: base64.b64encode(data).decode() for each, data in made.items()}
    found = visit().evaluate(SCORES, {"pairs": pairs, "files": files, "name": name})
    model = load_model(name)
    differences = []
    for (a, b), (*scores, size_a, size_b) in zip(pairs, found, strict=True):
        photos = [load_photo(made.get(each, examples / each)) for each in (a, b)]
        assert [size_a, size_b] == [list(photo.size) for photo in photos]
        one = explain(model, *photos)
        expected = one.similarity, one.global_similarity, one.structural_similarity
        differences += [abs(x - y) for x, y in zip(scores, expected, strict=True)]
    assert max(differences) <= PARITY, sorted(differences)[-10:]


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
    page = visit(
        "?a=cat.jpg&b=kitten.jpg&parts=a45",
        viewport={"width": width, "height": 768},
        color_scheme=scheme,
    )
    page.wait_for_timeout(300)  # colours fade in
    page.screenshot(path=screenshots / f"site-{width}-{scheme}.png", full_page=True)
    assert findings(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
