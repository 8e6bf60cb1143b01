"""The linked viewer in a real browser: what it shows is what the library computed, at the right place."""

import dataclasses
import json
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from gradio_client import Client, handle_file
from PIL import Image
from visiting import busy, comparing

from app.examples import example_pairs
from diml_core import explain, load_model, load_photo
from diml_core.counterfactual import counterfactual
from diml_core.evaluation.faithfulness import curves_steps
from diml_core.network.checkpoints import DEFAULT_MODEL, shipped_models
from diml_core.steps import result_of

SHOWN = 0.0501  # of points with one decimal, which agree to 1e-4


@pytest.fixture(scope="module")
def models():
    return {name: load_model(name) for name in shipped_models()}


def place(page, side, part, grid):
    """Page coordinates of the middle of a part."""
    frame = page.page.locator(f"#viewer [data-role=frame-{side}]")
    frame.scroll_into_view_if_needed()
    box = frame.bounding_box()
    row, column = divmod(part, grid[1])
    return (
        box["x"] + (column + 0.5) * box["width"] / grid[1],
        box["y"] + (row + 0.5) * box["height"] / grid[0],
    )


def point_at(page, side, part, grid):
    page.page.mouse.move(*place(page, side, part, grid))
    page.page.wait_for_selector(".diml-readout table")


def named_cell(text):
    """(row, column), counted from 0, of the viewer's 'row 3, column 5'."""
    words = text.replace(",", "").split()
    return int(words[1]) - 1, int(words[3]) - 1


def first_target(page):
    cells = (
        page.page.locator("#viewer .diml-readout tbody tr")
        .first.locator("th, td")
        .all_text_contents()
    )
    return named_cell(cells[0]), [float(cell.rstrip("%")) for cell in cells[1:]]


def outlined_cell(page, side, grid):
    """The cell whose outline is painted, found in the pixels of the overlay: black and white strokes."""
    pixels = page.page.locator(f"#viewer [data-role=overlay-{side}]").evaluate(
        """canvas => { const d = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
        const xs = [], ys = [];
        for (let k = 0; k < d.length; k += 4) if (d[k] > 250 && d[k + 1] > 250 && d[k + 2] > 250 && d[k + 3] > 250) {
          xs.push((k / 4) % canvas.width); ys.push(Math.floor(k / 4 / canvas.width)); }
        const mid = (v) => (Math.min(...v) + Math.max(...v)) / 2;
        return [mid(ys) / canvas.height, mid(xs) / canvas.width]; }"""
    )
    return int(pixels[0] * grid[0]), int(pixels[1] * grid[1])


@pytest.mark.parametrize("model", ["dinov2-s14", "efficientnet-lite0"])
def test_the_target_shown_is_the_argmax_of_the_plan(visit, models, examples, model):
    page = visit(f"?a=heron.jpg&b=harrier.jpg&model={model}&layer=none&lines=0")
    page.wait_for_pair("heron")
    expected = explain(models[model], examples / "heron.jpg", examples / "harrier.jpg")
    for side, plan, contribution in (
        ("a", expected.plan, expected.contribution),
        ("b", expected.plan.T, expected.contribution.T),
    ):
        grids = (expected.grid_a, expected.grid_b)
        here, there = grids if side == "a" else grids[::-1]
        for part in np.argsort(-contribution.sum(1))[:4]:
            point_at(page, side, part, here)
            target = int(plan[part].argmax())
            cell, (mass, cosine, points, share) = first_target(page)
            assert cell == divmod(target, there[1])
            assert mass == pytest.approx(100 * plan[part, target], abs=6e-3)  # per cent
            added = 50 * contribution[part, target]
            assert points == pytest.approx(added, abs=6e-3)
            assert share == pytest.approx(added / expected.similarity, abs=0.06)
            assert -1 <= cosine <= 1
            page.page.wait_for_timeout(50)
            assert outlined_cell(page, "b" if side == "a" else "a", there) == cell


@pytest.mark.parametrize("kind", ["portrait", "landscape", "exif-turned"])
def test_parts_lie_at_the_right_place_whatever_the_shape(visit, examples, tmp_path, kind):
    """A photo against itself moved: the part that is pointed at must find its own place again."""
    with Image.open(examples / "heron.jpg") as image:
        image = image.convert("RGB").crop(
            (0, 0, 600, 400) if kind != "portrait" else (100, 0, 400, 420)
        )
    file = tmp_path / f"{kind}.jpg"
    if kind == "exif-turned":
        exif = Image.Exif()
        exif[0x0112] = 6  # stored lying on its side; a viewer turns it upright
        image.transpose(Image.Transpose.ROTATE_90).save(file, exif=exif, quality=95)
    else:
        image.save(file, quality=95)
    page = visit()
    page.upload("a", file)
    page.upload("b", file)
    frame = page.page.locator("#viewer [data-role=frame-a]").bounding_box()
    assert frame["width"] / frame["height"] == pytest.approx(image.width / image.height, rel=0.02)
    model = load_model(DEFAULT_MODEL)
    upright = load_photo(file)
    assert upright.size == image.size
    expected = explain(model, file, file)
    for part in np.argsort(-expected.contribution.sum(1))[:5]:
        point_at(page, "a", part, expected.grid_a)
        cell, _ = first_target(page)
        assert cell == divmod(int(expected.plan[part].argmax()), expected.grid_b[1])
        assert cell == divmod(int(part), expected.grid_a[1])


def write_report(explanation, tmp_path):
    explanation.to_html(tmp_path / "report.html")
    return tmp_path / "report.html"


@pytest.fixture
def open_report(browser):
    contexts = []

    def open_file(path):
        context = browser.new_context(offline=True, viewport={"width": 1200, "height": 900})
        contexts.append(context)
        page = context.new_page()
        page.failures = []
        page.on("pageerror", lambda error: page.failures.append(str(error)))
        page.on("requestfailed", lambda request: page.failures.append(request.url))
        page.goto(path.as_uri())
        page.wait_for_selector(".diml[data-state=ready]")
        return page

    yield open_file
    for context in contexts:
        context.close()


def test_a_transport_that_has_not_settled_is_marked(open_report, models, examples, tmp_path):
    explanation = explain(
        models["efficientnet-lite0"], examples / "heron.jpg", examples / "harrier.jpg"
    )
    page = open_report(write_report(explanation, tmp_path))
    assert page.locator(".diml-unsettled").count() == 0
    off = dataclasses.replace(explanation, marginal_error=0.01, observed=None)
    page = open_report(write_report(off, tmp_path))
    assert "not settled (marginal error 1e-2)" in page.text_content(".diml-unsettled")


@pytest.mark.parametrize("model", ["dinov2-s14", "efficientnet-lite0"])
def test_the_report_says_what_the_library_says_and_goes_on_saying_it(
    open_report, models, examples, tmp_path, model
):
    """With the network off its options move; every number is computed there, from the features inside."""
    photos = [examples / "heron.jpg", examples / "harrier.jpg"]
    page = open_report(write_report(explain(models[model], *photos), tmp_path))
    page.click("[data-role=options-drawer] summary")
    page.click("[data-role=formula-drawer] summary")
    moved = {}
    for options in ({}, {"grid": 5}, {"mass": 0.65}, {"epsilon": 0.02}, {"marginals": "uniform"}):
        for name, value in options.items():
            field = page.locator(f"[data-role={name}]")
            field.select_option(value) if name == "marginals" else field.fill(str(value))
        moved |= options
        expected = explain(models[model], *photos, **moved)
        sums = [expected.global_similarity, expected.structural_similarity, expected.similarity]
        page.wait_for_function(
            "text => document.querySelector('[data-role=formula]').textContent.includes(text)",
            arg=f"= {expected.similarity:.6f}"[:-1],
            timeout=5_000,
        )
        text = page.text_content("[data-role=formula]")
        shown = re.search(r"\((-?[\d.]+) \+ (-?[\d.]+)\) / 2 = (-?[\d.]+)", text).groups()
        assert [float(n) for n in shown] == pytest.approx(sums, abs=1.6e-6)  # six digits are shown
    assert page.failures == []


def test_the_report_works_alone_with_the_network_off(open_report, models, examples, tmp_path):
    hostile = tmp_path / "<img src=x onerror=document.title='ran'> ${1} </script>'\".jpg".replace(
        "/", ""
    )
    hostile.write_bytes((examples / "heron.jpg").read_bytes())
    explanation = explain(models["dinov2-s14"], hostile, examples / "harrier.jpg", grid=16)
    path = write_report(explanation, tmp_path)
    assert path.stat().st_size < 3_000_000
    page = open_report(path)
    assert "ran" not in page.title().split(":")[0].split("document")[0]
    assert page.locator("figcaption img").count() == 0
    box = page.locator("[data-role=frame-a]").bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_selector(".diml-readout table")
    assert page.locator("[data-role=cover] button").count() == 0  # no network here to ask
    assert page.locator("[data-role=trial-drawer]").is_hidden()
    assert page.locator("[data-role=rivals]").is_hidden()
    assert page.failures == []


def test_a_region_is_pinned_as_one_and_escape_lets_go(visit, models, examples):
    page = visit("?a=heron.jpg&b=harrier.jpg&model=efficientnet-lite0&layer=contribution&lines=0")
    page.wait_for_pair("heron")
    expected = explain(
        models["efficientnet-lite0"], examples / "heron.jpg", examples / "harrier.jpg"
    )
    columns = expected.grid_a[1]
    page.page.mouse.move(*place(page, "a", columns + 4, expected.grid_a))
    page.page.mouse.down()
    page.page.mouse.move(*place(page, "a", 2 * columns + 6, expected.grid_a), steps=6)
    page.page.mouse.up()
    page.page.mouse.move(5, 5)
    parts = [row * columns + column for row in (1, 2) for column in (4, 5, 6)]
    text = page.page.text_content("#viewer .diml-readout")
    assert f"{len(parts)} parts of A" in text
    added = 50 * expected.contribution[parts].sum()
    share = added / expected.similarity
    assert added > 1  # below it, two decimals are shown
    total = f"{100 * expected.similarity:.1f}"
    assert f"add {added:.1f} points ({share:.1f}%) of {total}." in text
    # A part without mass has no length in the bar.
    carrying = [part for part in parts if expected.contribution[part].sum() > 0]
    assert 0 < len(carrying) < len(parts)
    lit = page.page.locator("#viewer .diml-bar-part.diml-on")
    lit_parts = lit.evaluate_all("all => all.map(e => Number(e.dataset.part))")
    assert sorted(lit_parts) == carrying
    page.shot("region")
    page.page.keyboard.press("Escape")
    page.page.wait_for_selector("#viewer .diml-readout table", state="detached")


def test_the_keyboard_is_enough(visit):
    page = visit()
    page.page.focus("#viewer [data-role=frame-a]")
    live = "() => document.querySelector('#viewer [data-role=live]').textContent"
    page.page.keyboard.press("ArrowRight")
    first = page.page.evaluate(live)
    assert first.startswith("row")
    assert re.search(r"adds \d+\.\d+ points \(\d+\.\d{1,2}%\) of \d+\.\d\.$", first)
    page.page.keyboard.press("ArrowDown")
    assert named_cell(page.page.evaluate(live))[0] == named_cell(first)[0] + 1
    page.page.keyboard.press("Enter")
    assert page.page.evaluate(live).startswith("Kept: row")
    page.page.keyboard.press("Shift+ArrowRight")
    page.page.keyboard.press("Shift+ArrowDown")
    assert page.page.evaluate(live).startswith("Kept: 4 parts")
    page.page.keyboard.press("Tab")
    assert page.page.evaluate("document.activeElement.textContent").endswith(" parts")  # a word
    page.page.keyboard.press("Tab")
    assert page.page.evaluate("document.activeElement.dataset.role") == "frame-b"
    page.page.keyboard.press("Escape")
    assert page.page.evaluate(live) == "Nothing is selected."


def test_a_bar_of_the_score_and_its_part_light_up_together(visit):
    page = visit()
    segment = page.page.locator("#viewer .diml-bar-part").nth(2)
    segment.hover()
    note = page.page.text_content("#viewer .diml-note")
    assert "The 3 strongest of the" in note
    row, column = named_cell(segment.get_attribute("title"))
    assert f"row {row + 1}, column {column + 1} of A" in page.page.text_content(
        "#viewer .diml-readout"
    )


def test_a_part_that_takes_away_from_the_score_is_told(visit, models, examples):
    expected = explain(
        models["dinov2-s14"], examples / "neuschwanstein-far.jpg", examples / "macaw.jpg"
    )
    sums = expected.contribution.sum(1)
    lowering = sums[sums < 0]
    assert len(lowering) > 1
    page = visit("?a=neuschwanstein-far.jpg&b=macaw.jpg&model=dinov2-s14")
    page.wait_for_pair("neuschwanstein-far")
    points = 50 * lowering.sum()
    told = f"{len(lowering)} parts below zero: −{-points:.{2 if points > -1 else 1}f} points"
    assert told in page.page.text_content("#viewer .diml-note")


def test_a_link_brings_everything_back(visit):
    page = visit("?a=cat.jpg&b=kitten.jpg&model=dinov2-s14")
    page.page.wait_for_function("() => location.search.includes('layer=')")
    page.open_options()
    page.score_after(lambda: page.set_number("grid", 6))
    page.page.click("#viewer [data-layer=rollout]")
    page.page.locator("#viewer [data-role=lines]").fill("7")
    page.page.mouse.click(*place(page, "b", 14, (6, 6)))
    page.page.wait_for_function("() => location.search.includes('parts=b')")
    score, readout, address = page.score, page.page.text_content(".diml-readout"), page.page.url

    again = visit(address[address.index("?") :])
    again.page.wait_for_function(
        "text => document.querySelector('.diml-readout').textContent === text", arg=readout
    )
    assert again.score == score
    assert again.page.url == address
    again.open_options()
    assert again.page.input_value("#viewer [data-role=grid]") == "6"
    assert again.page.get_attribute("[data-layer=rollout]", "aria-checked") == "true"
    assert again.page.input_value("#viewer [data-role=lines]") == "7"


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("?a=nowhere.jpg&b=heron.jpg", "not among the examples"),
        ("?a=heron.jpg&b=harrier.jpg&model=gpt", "no model"),
        ("?a=heron.jpg&b=harrier.jpg&grid=99", "from 1 to"),
        ("?a=heron.jpg&b=harrier.jpg&mass=lots", "not a number"),
        ("?a=heron.jpg&b=harrier.jpg&layer=x&parts=a9999&step=nine", "marked parts, step."),
    ],
)
def test_a_broken_link_says_what_is_wrong(visit, query, words):
    page = visit(query)
    page.page.wait_for_selector("#viewer [data-role=error]", state="visible")
    assert words in page.page.text_content("#viewer [data-role=error]")
    assert page.score > 0  # the pair that the page opens with stays


def test_uploads_are_not_put_into_the_address(visit, examples, tmp_path):
    private = tmp_path / "private holiday.jpg"
    with Image.open(examples / "coffee.jpg") as image:
        image.rotate(90, expand=True).save(private)
    page = visit()
    page.upload("a", private)
    page.page.wait_for_function("() => !location.search.includes('a=')")
    assert "holiday" not in page.page.url
    assert page.page.is_disabled("#viewer [data-role=link]")


def test_the_newest_choice_wins_on_a_busy_server(visit, server, examples, tmp_path):
    """Examples clicked faster than the network answers: in the end photos, words and numbers are the last one's."""
    page = visit()
    page.page.click("#model label:has-text('DINOv2')")
    page.page.wait_for_function("() => location.search.includes('dinov2')")
    photos = []
    for number in range(16):
        photos.append(tmp_path / f"{number}.jpg")
        with Image.open(examples / "coffee.jpg") as image:
            image.crop((number, number, 300, 300)).save(photos[-1])

    def keep_busy(k):
        client = Client(server, verbose=False)
        client.predict(
            *map(handle_file, photos[k : k + 2]), model="dinov2-s14", api_name="/compare"
        )

    seen = page.page.evaluate_handle(
        """() => { const seen = new Set(), root = document.querySelector('#viewer');
        const look = () => seen.add(['caption-title', 'name-a', 'name-b'].map((r) => root.querySelector(`[data-role=${r}]`).textContent.split(' ·')[0]).join('|'));
        new MutationObserver(look).observe(root, { subtree: true, childList: true, characterData: true, attributes: true });
        return seen; }"""
    )
    with ThreadPoolExecutor(8) as pool:
        busy = [pool.submit(keep_busy, k) for k in range(0, 16, 2)]
        page.page.wait_for_timeout(500)
        wanted = example_pairs()[2:5]
        for pair in wanted:
            page.page.click(f".strip button[data-pair={pair.id}]")
            page.page.wait_for_timeout(700)
        page.wait_for_pair(wanted[-1].a.name)
        for each in busy:
            each.result()
    page.page.wait_for_timeout(1500)  # whatever was asked before has been answered by now
    last = wanted[-1]
    expected = explain(load_model("dinov2-s14"), last.a, last.b)
    assert page.score == pytest.approx(100 * expected.similarity, abs=SHOWN)
    assert page.page.text_content("#viewer [data-role=name-b]").startswith(last.b.name)
    sources = [page.page.get_attribute(f"#photo-{side} img", "src") for side in "ab"]
    assert [source.rsplit("/", 1)[-1] for source in sources] == [last.a.name, last.b.name]
    # At no moment the words of one pair stood above the photos of another.
    known = {f"{p.title}.|{p.a.name}|{p.b.name}" for p in example_pairs()}
    assert set(seen.evaluate("seen => [...seen]")) <= known


def test_an_example_chosen_while_a_link_is_looked_at_stays_chosen(visit, server):
    wanted = example_pairs()[2]
    with busy(server, "compare", comparing) as is_busy:
        page = visit("?a=cat.jpg&b=kitten.jpg&model=dinov2-s14")
        page.page.wait_for_selector("#photo-a img[src$='/cat.jpg']")  # at once, whoever else asks
        page.page.click(f".strip button[data-pair={wanted.id}]")
        page.page.wait_for_selector(f"#photo-a img[src$='/{wanted.a.name}']")
        assert is_busy()
        page.wait_for_pair(wanted.a.name)
    page.page.wait_for_timeout(1500)  # whatever was asked before has been answered by now
    expected = explain(load_model("dinov2-s14"), wanted.a, wanted.b)
    assert page.score == pytest.approx(100 * expected.similarity, abs=SHOWN)
    for side, photo in (("a", wanted.a), ("b", wanted.b)):
        assert page.page.get_attribute(f"#photo-{side} img", "src").endswith(f"/{photo.name}")
        name = page.page.text_content(f"#viewer [data-role=name-{side}]")
        assert name.startswith(photo.name)


def test_a_model_chosen_while_an_example_is_looked_at_looks_at_that_example(visit):
    page = visit()
    page.page.click(".strip button[data-pair=cat-kitten]")
    page.page.click("#model label:has-text('DINOv2')")
    page.page.wait_for_function(
        "() => location.search.includes('dinov2') && location.search.includes('kitten')"
    )
    page.page.wait_for_timeout(1500)
    assert page.page.text_content("#viewer [data-role=name-a]").startswith("cat.jpg")
    source = page.page.get_attribute("#photo-a img", "src")
    assert source.endswith("/cat.jpg")


def test_covering_a_region_asks_the_network_again(visit, models, examples):
    page = visit("?a=heron.jpg&b=harrier.jpg&model=efficientnet-lite0&parts=a84.85")
    page.page.click("#viewer [data-role=cover] button >> nth=0")
    page.page.wait_for_selector("#viewer .diml-cover-result", timeout=30_000)
    text = page.page.text_content("#viewer [data-role=cover]")
    model = models["efficientnet-lite0"]
    photos = [model.extract(load_photo(examples / name)) for name in ("heron.jpg", "harrier.jpg")]
    result = counterfactual(model, *photos, model.options(), "a", [84, 85], "grey")
    # What is covered had promised this: readout, bar, cover and formula say so in one unit.
    promised = 100 * result.promised
    digits = 2 if promised < 1 else 1
    before, after = (round(100 * e.similarity, digits) for e in (result.before, result.after))
    assert f"{before:.{digits}f} → {after:.{digits}f}" in text
    assert f"promised by the parts−{promised:.{digits}f}" in text
    assert f"measured by the network{after - before:+.{digits}f}".replace("-", "−") in text
    share = promised / result.before.similarity
    added = f"{promised:.{digits}f} points ({share:.{2 if share < 1 else 1}f}%)"
    assert f"add {added} of" in page.page.text_content("#viewer .diml-readout")
    page.page.click("#viewer [data-role=formula-drawer] summary")
    page.page.wait_for_selector(f"#viewer [data-role=formula]:has-text('= {added} of')")
    page.shot("covered")


def test_an_explanation_is_tested_against_other_methods(visit, models, examples):
    """Curves grow, can be stopped, are walked through from the keyboard, and end when the options move."""
    page = visit("?a=cat.jpg&b=kitten.jpg&model=efficientnet-lite0&grid=6")
    page.wait_for_pair("cat")
    page.page.click("#viewer [data-role=trial-drawer] summary")
    drawer = page.page.locator("#viewer [data-role=trial]")
    drawer.get_by_label("and with").select_option("random")
    drawer.get_by_role("button", name="Start").click()
    drawer.locator(".diml-charts").wait_for(timeout=60_000)
    drawer.get_by_role("button", name="Stop").click()
    assert "Stopped" in drawer.locator("p[role=status]").text_content()
    drawer.get_by_role("button", name="Start").click()
    drawer.get_by_text("On this pair only").wait_for(timeout=60_000)
    model = models["efficientnet-lite0"]
    photos = [model.extract(load_photo(examples / name)) for name in ("cat.jpg", "kitten.jpg")]
    steps = curves_steps(model, *photos, model.options(grid=6), ["diml", "grad-cam", "random"])
    expected = result_of(steps)
    shown = drawer.locator("tbody td").all_text_contents()
    areas = [100 * curve.area for curve in expected]
    assert [float(text) for text in shown] == pytest.approx(areas, abs=0.06)
    drawer.locator("input[type=range]").focus()
    scores = []
    for _ in range(3):  # at the third point it stands first
        scores.append(drawer.locator("figure", has_text="DIML").last.text_content())
        page.page.keyboard.press("ArrowRight")
    for text, score in zip(scores, expected[0].overall[2:5], strict=True):
        assert float(text.split()[-1]) == pytest.approx(100 * score, abs=0.06)
    page.shot("tested")
    page.page.locator("#viewer [data-role=rivals] select").select_option("grad-cam")
    page.page.wait_for_selector(
        "#viewer [data-role=legends]:has-text('last features')", timeout=30_000
    )
    page.open_options()
    page.score_after(lambda: page.set_number("grid", 5))
    assert drawer.locator(".diml-charts").count() == 0


def test_two_models_point_at_the_same_place(visit):
    page = visit("?a=heron.jpg&b=harrier.jpg&model=dinov2-s14")
    page.wait_for_pair("heron")
    page.page.click("#second-model input")
    page.page.click("[role=option]:has-text('EfficientNet')")
    page.page.wait_for_selector("#second-viewer .diml[data-state=ready]", timeout=30_000)
    frame = page.page.locator("#second-viewer [data-role=frame-b]")
    frame.scroll_into_view_if_needed()
    box = frame.bounding_box()
    page.page.mouse.click(box["x"] + box["width"] * 0.62, box["y"] + box["height"] * 0.37)
    cells = {}
    for viewer in ("#viewer", "#second-viewer"):
        page.page.wait_for_selector(f"{viewer} .diml-readout table")
        text = page.page.text_content(f"{viewer} .diml-readout b")
        assert text.startswith("Part at row")
        assert text.endswith("of B")
        grid = page.page.get_attribute(f"{viewer} [data-role=frame-b]", "aria-label")
        rows, columns = (int(word) for word in grid.split() if word.isdigit())
        row, column = named_cell(text.removeprefix("Part at "))
        cells[viewer] = ((row + 0.5) / rows, (column + 0.5) / columns)
    for first, second in zip(*cells.values(), strict=True):
        assert first == pytest.approx(second, abs=0.13)
    page.shot("two-models")


def test_presenter_mode_leaves_only_the_pair(visit):
    page = visit()
    page.page.click("#viewer [data-role=present]")
    assert page.page.locator("#choose").is_hidden()
    width = page.page.locator("#viewer").bounding_box()["width"]
    assert width > 1200
    page.shot("presenter")
    page.page.keyboard.press("Escape")
    assert page.page.locator("#choose").is_visible()


def test_the_snippets_give_the_numbers_on_the_page(visit, tmp_path, examples):
    page = visit("?a=heron.jpg&b=harrier.jpg&model=dinov2-s14&epsilon=0.1")
    page.wait_for_pair("heron")
    page.open_options()
    page.score_after(lambda: page.set_number("grid", 5))
    page.score_after(lambda: page.set_number("mass", 0.7))
    page.page.click("#viewer [data-role=reproduce-drawer] summary")
    page.page.wait_for_selector("#viewer [data-role=reproduce]:has-text('mass=0.7')")
    python, shell = page.page.locator("#viewer [data-role=reproduce] pre").all_text_contents()
    root = examples.parents[1]
    run = subprocess.run(
        [sys.executable, "-c", python], cwd=root, capture_output=True, text=True, check=True
    )
    assert 100 * float(run.stdout) == pytest.approx(page.score, abs=SHOWN)
    command = (
        shell.replace("python ", f"{sys.executable} ", 1) + f" --json {tmp_path / 'pair.json'}"
    )
    subprocess.run(command, shell=True, cwd=root, check=True, capture_output=True)
    written = json.loads((tmp_path / "pair.json").read_text())
    assert 100 * written["similarity"] == pytest.approx(page.score, abs=SHOWN)
    assert written["options"]["epsilon"] == 0.1
