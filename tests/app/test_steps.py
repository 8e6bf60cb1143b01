"""How it works, step by step: each step opens, and what it marks and says is what the library found."""

import pytest
from standing_alone import next_frames

from diml_core import Explanation, explain
from diml_core.viewer.texts import text

axe = pytest.importorskip("axe_playwright_python.sync_playwright")

STEPS = (
    "photos",
    "parts",
    "attention",
    "similarity",
    "importance",
    "transport",
    "contribution",
    "score",
)
OF_CNN = tuple(step for step in STEPS if step != "attention")
CURRENT = ".diml-how-list [aria-current=step]"
# The box of what is outlined on a photo, in fractions of it: outlines are the only pure white there.
MARKED = """(side) => {
  const canvas = document.querySelector(`.diml-how [data-picture=${side}] canvas`);
  const { width, height } = canvas;
  const pixels = canvas.getContext('2d').getImageData(0, 0, width, height).data;
  let [left, top, right, bottom] = [1, 1, 0, 0];
  for (let k = 0; k < width * height; k++) {
    if (Math.min(pixels[4 * k], pixels[4 * k + 1], pixels[4 * k + 2], pixels[4 * k + 3]) < 250) continue;
    const [x, y] = [(k % width) / width, Math.floor(k / width) / height];
    [left, top, right, bottom] = [Math.min(left, x), Math.min(top, y), Math.max(right, x), Math.max(bottom, y)];
  }
  return [left, top, right, bottom]; }"""
POINTS = 0.0501  # of points with one decimal, which agree to 1e-4
NEAR = 0.04  # of a photo: the width of an outline


@pytest.fixture
def explained(vit, examples):
    return explain(vit, examples / "heron.jpg", examples / "harrier.jpg")


def opened(alone, step, pair="birds", model="dinov2-s14", **context):
    page = alone(f"?one={pair}&a=heron.jpg&b=harrier.jpg&model={model}&step={step}", **context)
    page.wait_for_selector(CURRENT)
    next_frames(page)
    return page


def current(page):
    next_frames(page)
    return page.get_attribute(CURRENT, "data-step")


def value(page, term):
    return page.text_content(f".diml-how-terms [data-term={term}] .diml-how-value")


def number(page, term):
    return float(value(page, term).split()[0].rstrip("%").replace("−", "-"))


def point_at_cell(page, matrix, i, j, explanation):
    field = page.locator(f".diml-how [data-picture={matrix}] .diml-how-field")
    field.scroll_into_view_if_needed()
    box = field.bounding_box()
    rows, columns = explanation.plan.shape
    page.mouse.move(
        box["x"] + (j + 0.5) / columns * box["width"], box["y"] + (i + 0.5) / rows * box["height"]
    )
    next_frames(page)


def assert_marked(page, side, part, grid):
    row, column = divmod(part, grid[1])
    box = [column / grid[1], row / grid[0], (column + 1) / grid[1], (row + 1) / grid[0]]
    assert page.evaluate(MARKED, side) == pytest.approx(box, abs=NEAR)


@pytest.mark.parametrize("step", STEPS)
def test_a_link_opens_a_step_and_the_address_keeps_it(alone, step):
    page = opened(alone, step)
    assert current(page) == step
    assert page.text_content(".diml-how-title") == text(f"steps.{step}.title", B="B")
    top = page.locator("[data-role=steps-drawer]").bounding_box()["y"]
    end = page.evaluate("document.documentElement.scrollHeight - innerHeight")
    assert abs(top) < 1 or page.evaluate("scrollY") >= end - 1  # there, or as far as the page goes
    page.wait_for_url(f"**step={step}*")
    page.click("[data-role=steps-drawer] summary")
    page.wait_for_function("!location.search.includes('step=')")
    before = page.text_content(".diml-how")
    page.click("[data-role=options-drawer] summary")
    page.fill("[data-role=grid]", "3")
    next_frames(page)
    assert page.text_content(".diml-how") == before  # nobody sees it, so nothing is computed for it


def test_number_keys_and_buttons_lead_through_all_steps(alone):
    page = opened(alone, "photos")
    for count, step in enumerate(STEPS, start=1):
        page.keyboard.press(str(count))
        assert current(page) == step
        assert text(f"steps.{step}.title", B="B") in page.text_content("[data-role=live]")
    page.click(".diml-how-nav > button >> nth=0")
    assert current(page) == STEPS[-2]
    for _ in range(3):
        page.click(".diml-how-nav > button >> nth=1", force=True)  # the last of them leads nowhere
    assert current(page) == STEPS[-1]
    page.click("[data-role=options-drawer] summary")
    page.focus("[data-role=grid]")
    page.keyboard.press("5")  # is typed there
    assert current(page) == STEPS[-1]


def test_what_a_network_has_not_is_no_step_of_it(alone):
    page = opened(alone, "attention", "cnn-birds", "efficientnet-lite0")
    names = page.locator(".diml-how-list button").evaluate_all(
        "all => all.map((b) => b.dataset.step)"
    )
    assert tuple(names) == OF_CNN
    assert current(page) == "parts"


def test_a_cell_of_the_similarities_marks_both_of_its_parts(alone, explained):
    page = opened(alone, "similarity")
    i, j = 20, 33
    point_at_cell(page, "S", i, j, explained)
    assert number(page, "S") == pytest.approx(explained.part_similarity[i, j].item(), abs=6e-4)
    assert_marked(page, "a", i, explained.grid_a)
    assert_marked(page, "b", j, explained.grid_b)
    # Kept by a click, and moved on by the keyboard.
    page.mouse.down()
    page.mouse.up()
    page.mouse.move(0, 0)
    next_frames(page)
    assert_marked(page, "a", i, explained.grid_a)
    page.focus(".diml-how [data-picture=S] .diml-how-field")
    page.keyboard.press("ArrowRight")
    next_frames(page)
    assert number(page, "S") == pytest.approx(explained.part_similarity[i, j + 1].item(), abs=6e-4)
    assert_marked(page, "b", j + 1, explained.grid_b)


def test_a_part_lights_the_terms_it_belongs_to_and_a_term_its_part(alone, explained):
    page = opened(alone, "importance")
    frame = page.locator(".diml-how [data-picture=b] .diml-frame")
    frame.scroll_into_view_if_needed()
    frame.hover()
    next_frames(page)
    lit = page.locator(".diml-how-terms .diml-on")
    assert lit.evaluate_all("all => all.map((each) => each.dataset.term)") == ["v"]
    page.focus(".diml-how-terms [data-term=u]")
    next_frames(page)
    dim = page.locator(".diml-how .diml-how-dim")
    assert dim.evaluate_all("all => all.map((each) => each.dataset.picture)") == ["b", "v"]
    strongest = int(explained.contribution.argmax()) // explained.contribution.shape[1]
    page.mouse.move(0, 0)
    page.keyboard.press("Escape")
    page.focus(".diml-how-terms [data-term=u]")
    next_frames(page)
    assert number(page, "u") == pytest.approx(
        100 * explained.marginals_a[strongest].item(), abs=6e-3
    )
    assert_marked(page, "a", strongest, explained.grid_a)


def test_the_transport_settles_and_its_heaps_fill_up(alone):
    page = opened(alone, "transport", "cnn-birds", "efficientnet-lite0")
    before = value(page, "T")
    slider = page.locator(".diml-how-settle input")
    slider.fill("0")
    next_frames(page)
    assert "100%" not in page.text_content(".diml-how-status")
    assert value(page, "T") != before
    slider.fill("5")
    next_frames(page)
    assert page.text_content(".diml-how-status").count("100%") == 2
    assert value(page, "T") == before
    for term in ("u", "v"):
        sent, importance = value(page, term).split(" of ")
        assert sent == importance
    page.click(".diml-how-settle button")
    page.wait_for_function("document.querySelector('.diml-how-settle output').textContent === '2'")
    page.keyboard.press("1")  # who leaves stops it where it is
    page.wait_for_timeout(1500)
    assert page.input_value("[data-role=iterations]") == "2"


def test_what_pairs_add_and_the_last_step_are_the_score(alone, explained):
    page = opened(alone, "contribution")
    k = int(explained.contribution.argmax())
    points = 50 * explained.contribution.flatten()[k].item()
    assert number(page, "p") == pytest.approx(points, abs=POINTS)
    structural = number(page, "all")
    of_part = 50 * explained.contribution.sum(1)[k // explained.contribution.shape[1]].item()
    page.keyboard.press("8")
    next_frames(page)
    assert number(page, "row") == pytest.approx(of_part, abs=POINTS)
    assert number(page, "all") == structural
    assert number(page, "g") == pytest.approx(50 * explained.global_similarity, abs=POINTS)
    assert number(page, "s") == pytest.approx(100 * explained.similarity, abs=POINTS)
    assert number(page, "g") + structural == pytest.approx(number(page, "s"), abs=1e-9)


def test_an_open_step_follows_the_options_and_the_pair(alone, vit, examples):
    page = opened(alone, "contribution")
    page.click("[data-role=options-drawer] summary")
    page.fill("[data-role=grid]", "16")
    page.fill("[data-role=mass]", "1")
    next_frames(page)
    finer = explain(vit, examples / "heron.jpg", examples / "harrier.jpg", grid=16, mass=1.0)
    structural = 50 * finer.structural_similarity
    assert number(page, "all") == pytest.approx(structural, abs=2 * POINTS)
    assert page.is_hidden(".diml-how-terms [data-term=m]")
    size = page.locator(".diml-how [data-picture=C] .diml-how-cells").evaluate(
        "c => [c.height, c.width]"
    )
    assert tuple(size) == tuple(finer.plan.shape)
    page.evaluate("(async () => hosts.one.give(await payload('cats')))()")
    page.wait_for_selector(".diml-how [data-picture=a] figcaption:has-text('cat.jpg')")
    assert current(page) == "contribution"
    cats = explain(vit, examples / "cat.jpg", examples / "kitten.jpg")
    assert number(page, "all") == pytest.approx(50 * cats.structural_similarity, abs=2 * POINTS)


def test_the_last_block_alone_is_what_truncation_to_it_leaves(alone):
    page = opened(alone, "attention")
    page.wait_for_selector(".diml-how-show .diml-hint", state="hidden")
    slider = page.locator(".diml-how-show input")
    slider.fill(slider.get_attribute("max"))
    next_frames(page)
    one, cut, all_blocks = (
        page.locator(f".diml-how [data-picture=a{reading}] canvas").evaluate("c => c.toDataURL()")
        for reading in ("one", "cut", "all")
    )
    assert one != all_blocks
    difference = page.evaluate(
        """async (urls) => {
        const [one, cut] = await Promise.all(urls.map(async (url) => {
          const image = new Image();
          image.src = url;
          await image.decode();
          const canvas = document.createElement('canvas');
          [canvas.width, canvas.height] = [image.width, image.height];
          const context = canvas.getContext('2d');
          context.drawImage(image, 0, 0);
          return context.getImageData(0, 0, image.width, image.height).data; }));
        let most = 0;
        for (let k = 0; k < one.length; k++) most = Math.max(most, Math.abs(one[k] - cut[k]));
        return most; }""",
        [one, cut],
    )
    assert difference <= 12  # of 255: attention travels in steps of 1/255 of a row's largest


@pytest.mark.parametrize("saved", [False, True])
def test_a_report_has_the_steps_inside(browser, explained, tmp_path, saved):
    """One of a saved explanation, too, of which no features are left."""
    if saved:
        explained.to_npz(tmp_path / "pair.npz")
        explained = Explanation.from_npz(tmp_path / "pair.npz")
    explained.to_html(tmp_path / "pair.html")
    page = browser.new_page()
    failures = []
    page.on("pageerror", lambda error: failures.append(str(error)))
    page.goto((tmp_path / "pair.html").as_uri())
    page.wait_for_selector(".diml[data-state=ready]")
    page.click("[data-role=open-steps]")
    page.wait_for_selector(CURRENT)
    for count, step in enumerate(OF_CNN if saved else STEPS, start=1):
        page.keyboard.press(str(count))
        assert current(page) == step
        shown = page.text_content(".diml-how")
        assert "NaN" not in shown
        assert "undefined" not in shown
    assert number(page, "s") == pytest.approx(100 * explained.similarity, abs=POINTS)
    page.close()
    assert failures == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1366])
def test_every_step_is_for_everyone(alone, scheme, width):
    query = "birds&dark" if scheme == "dark" else "birds"
    page = opened(alone, "photos", query, viewport={"width": width, "height": 900})
    for count, step in enumerate(STEPS, start=1):
        page.keyboard.press(str(count))
        assert current(page) == step
        page.wait_for_timeout(200)  # what was dim comes back
        found = axe.Axe().run(page, context=".diml-how").response["violations"]
        assert [(each["id"], each["nodes"][0]["html"][:200]) for each in found] == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
