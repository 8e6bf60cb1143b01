"""The page in a real browser. Screenshots go to ``ci-output/`` (or ``$DIML_SCREENSHOTS``) to be looked at."""

import os
import re
import shutil
from pathlib import Path

import pytest
from PIL import Image

sync_api = pytest.importorskip("playwright.sync_api")

CHROMIUM = shutil.which("chromium")
ROOT = Path(__file__).resolve().parents[2]
SCREENSHOTS = Path(os.environ.get("DIML_SCREENSHOTS", ROOT / "ci-output"))

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium here: apt-get install chromium"),
]


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


class Page:
    """The page and what the tests ask of it."""

    def __init__(self, browser, url, **context):
        self.errors = []
        self.page = browser.new_context(accept_downloads=True, **context).new_page()
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("dialog", lambda dialog: self.errors.append(f"dialog: {dialog.message}"))
        self.page.goto(url)
        self.wait("ready")

    def wait(self, state):
        self.page.wait_for_selector(f".diml[data-state={state}]", timeout=30_000)

    @property
    def score(self):
        return float(self.page.text_content(".diml-total"))

    def score_after(self, action):
        before = self.page.text_content(".diml-total")
        action()
        self.page.wait_for_function(
            "before => document.querySelector('.diml-total').textContent !== before",
            arg=before,
            timeout=30_000,
        )
        return self.score

    def clear(self, side):
        self.page.click(f"#photo-{side} button:is([aria-label='Clear'], [aria-label='Remove Image'])")
        self.wait("empty")

    def upload(self, side, path, state="ready"):
        """Put a file into an upload; waits until the viewer has answered to it."""
        if self.page.get_attribute(".diml", "data-state") == "ready":
            self.clear(side)
        self.page.set_input_files(f"#photo-{side} input[type=file]", path)
        self.wait(state)

    def open_options(self):
        self.page.click("#options button")
        self.page.wait_for_selector("#grid input[type=number]")

    def set_number(self, control, value):
        field = self.page.locator(f"#{control} input[type=number]")
        field.fill(str(value))
        field.press("Enter")

    def shot(self, name):
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)


@pytest.fixture
def visit(browser, server):
    pages = []

    def open_page(**context):
        pages.append(Page(browser, server, **({"viewport": {"width": 1366, "height": 900}} | context)))
        return pages[-1]

    yield open_page
    for page in pages:
        page.page.context.close()
        assert not page.errors


def shown_numbers(page):
    text = page.page.text_content(".diml-sum")
    return [float(n) for n in re.findall(r"-?\d+\.\d{4}", text)]


def test_the_page_opens_with_a_solved_example_whose_sum_is_right(visit):
    page = visit()
    total, global_part, structural_part = shown_numbers(page)
    assert total == pytest.approx(global_part + structural_part, abs=1e-9)
    assert page.page.locator(".strip button").count() >= 8
    assert page.page.locator("[data-role=img-a]").evaluate("image => image.naturalWidth") > 100
    assert "carry" in page.page.text_content(".diml-note")
    page.shot("desktop-light")


def test_the_overlay_and_the_lines_are_really_painted(visit):
    page = visit()
    painted = """canvas => new Set(canvas.getContext('2d')
        .getImageData(0, 0, canvas.width, canvas.height).data).size"""
    for role in ("overlay-a", "overlay-b", "flow"):
        assert page.page.locator(f"[data-role={role}]").evaluate(painted) > 8
    page.page.click("[data-layer=none]")
    page.page.locator("[data-role=lines]").fill("0")
    page.page.wait_for_timeout(200)
    for role in ("overlay-a", "flow"):
        assert page.page.locator(f"[data-role={role}]").evaluate(painted) == 1


def test_two_uploads_give_new_results(visit, examples, tmp_path):
    page = visit()
    with Image.open(examples / "coffee.jpg") as image:
        image.rotate(90, expand=True).save(tmp_path / "turned coffee.png")
    first = page.score
    page.upload("a", tmp_path / "turned coffee.png")
    second = page.score
    assert second != first
    assert "coffee" in page.page.text_content("[data-role=name-a]")
    page.upload("b", examples / "coffee.jpg")
    assert page.score != second
    page.shot("uploads")


def test_swapping_changes_sides_but_not_the_score(visit):
    page = visit()
    score, name = page.score, page.page.text_content("[data-role=name-a]")
    page.page.click("#swap")
    page.page.wait_for_function(
        "name => document.querySelector('[data-role=name-b]').textContent === name", arg=name
    )
    assert page.score == pytest.approx(score, abs=2e-4)


def test_the_model_and_every_slider_change_the_result(visit):
    page = visit()
    page.open_options()
    page.score_after(lambda: page.set_number("grid", 5))
    page.score_after(lambda: page.set_number("mass", 0.9))
    page.score_after(lambda: page.set_number("start-block", 2))
    page.score_after(lambda: page.page.locator("#model label").nth(1).click())
    assert page.page.locator("#start-block").is_hidden()
    assert page.page.locator("[data-layer=rollout]").is_disabled()
    assert page.page.locator("#grid input[type=number]").get_attribute("max") == "7"
    page.shot("options-cnn")


def test_an_example_pair_is_one_click(visit):
    page = visit()
    page.score_after(lambda: page.page.locator(".strip button[data-pair=kingfisher-itself]").click())
    assert page.score > 0.9
    assert page.page.text_content("[data-role=name-a]") == page.page.text_content("[data-role=name-b]")
    page.shot("identical")


def test_a_broken_file_shows_the_sentence_and_loses_nothing(visit, tmp_path, examples):
    broken = tmp_path / "broken.jpg"
    broken.write_bytes((examples / "heron.jpg").read_bytes()[:3000])
    page = visit()
    page.upload("a", broken, state="error")
    sentence = page.page.text_content("[data-role=error]")
    assert "broken.jpg" in sentence
    assert sentence.count("\n") == 0
    page.shot("broken-file")
    page.upload("a", examples / "heron.jpg")
    assert "heron" in page.page.text_content("[data-role=name-a]")


@pytest.mark.parametrize(
    "name", ["<img src=x onerror=alert(1)>.jpg", "${alert(1)}.jpg", "{{value}} 'a' \"b\".jpg"]
)
def test_a_file_name_never_runs_as_code(visit, examples, tmp_path, name):
    hostile = tmp_path / name
    hostile.write_bytes((examples / "heron.jpg").read_bytes())
    page = visit()
    page.upload("a", hostile)
    assert page.page.locator(".diml figcaption img").count() == 0
    assert "alert" not in page.page.evaluate("document.title")


@pytest.mark.parametrize("format", ["png", "svg", "json", "npz"])
def test_downloads_arrive(visit, format):
    page = visit()
    page.page.click("#downloads button")
    with page.page.expect_download(timeout=30_000) as download:
        page.page.click(f"#make-{format}")
    assert download.value.suggested_filename.endswith(f".{format}")
    assert Path(download.value.path()).stat().st_size > 5_000


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_shows_everything_without_sideways_scrolling(visit, scheme):
    page = visit(viewport={"width": 390, "height": 844}, color_scheme=scheme, has_touch=True)
    assert page.page.evaluate("document.documentElement.scrollWidth") <= 390
    boxes = [page.page.locator(f"[data-role=frame-{side}]").bounding_box() for side in "ab"]
    assert all(box["width"] > 300 for box in boxes)
    page.shot(f"phone-{scheme}")


def test_dark_mode_is_dark(visit):
    page = visit(color_scheme="dark")
    page.shot("desktop-dark")
    colour = page.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert sum(map(int, re.findall(r"\d+", colour)[:3])) < 200
