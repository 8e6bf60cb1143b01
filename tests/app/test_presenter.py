"""Presenter mode in a real browser: in front of a class, from the back row."""

import pytest

from app.examples import example_pairs


@pytest.fixture
def presenting(visit):
    def present(query="", **context):
        page = visit(query, viewport={"width": 1366, "height": 768}, **context)
        page.page.click("#viewer [data-role=present]")
        return page

    return present


def current(page):
    """The pair that the strip marks."""
    return page.page.get_attribute("#examples [aria-current]", "data-pair")


def test_the_arrow_keys_go_to_the_next_pair_and_back(presenting):
    page = presenting()
    pairs = example_pairs()
    assert current(page) == pairs[0].id
    for key, at in (("ArrowRight", 1), ("PageDown", 2), ("ArrowLeft", 1)):
        page.page.keyboard.press(key)
        page.wait_for_pair(pairs[at].a.name)
        assert current(page) == pairs[at].id
    # Faster than the network answers: three steps on, from the one that is chosen.
    for _ in range(3):
        page.page.keyboard.press("ArrowRight")
    page.wait_for_pair(pairs[4].a.name)
    page.page.wait_for_timeout(1000)
    assert current(page) == pairs[4].id
    page.page.click("#examples [data-turn='-1']")
    page.wait_for_pair(pairs[3].a.name)
    page.shot("presenter-strip")


def test_the_arrow_keys_stay_with_a_part_that_has_the_focus(presenting):
    page = presenting()
    page.page.focus("#viewer [data-role=frame-a]")
    page.page.keyboard.press("ArrowRight")
    page.page.wait_for_selector("#viewer .diml-readout table")
    page.page.wait_for_timeout(500)
    assert current(page) == example_pairs()[0].id
    page.page.focus("#viewer [data-layer=contribution]")
    page.page.keyboard.press("ArrowRight")
    assert page.page.get_attribute("#viewer [data-layer=marginals]", "aria-checked") == "true"
    page.page.wait_for_timeout(500)
    assert current(page) == example_pairs()[0].id


@pytest.mark.parametrize("pair", ["neuschwanstein", "kingfisher-macaw", "giraffe-scale"])
def test_score_photos_and_readout_are_above_the_fold_and_large(presenting, pair):
    chosen = next(each for each in example_pairs() if each.id == pair)
    page = presenting(f"?a={chosen.a.name}&b={chosen.b.name}&parts=a88")
    page.wait_for_pair(chosen.a.name)
    page.page.wait_for_selector("#viewer .diml-readout table")
    page.page.wait_for_timeout(300)
    for part in (".diml-total", ".diml-bar", ".diml-readout"):
        box = page.page.locator(f"#viewer {part}").bounding_box()
        assert box["y"] >= 0
        assert box["y"] + box["height"] <= 768, part
    boxes = [page.page.locator(f"#viewer [data-role=frame-{side}]").bounding_box() for side in "ab"]
    assert boxes[0]["height"] == pytest.approx(boxes[1]["height"], abs=1)
    assert boxes[0]["height"] >= 300
    sizes = page.page.evaluate(
        """() => [...document.querySelectorAll('#viewer .diml-body *, #examples .turn')]
        .filter((node) => node.checkVisibility() && [...node.childNodes].some((n) => n.nodeType === 3 && n.data.trim()))
        .filter((node) => !node.closest('.diml-actions, .diml-unseen, details'))
        .map((node) => parseFloat(getComputedStyle(node).fontSize)).filter(Boolean)"""
    )
    assert len(sizes) > 20
    assert min(sizes) >= 18  # px, on a projector of 1366


@pytest.mark.parametrize(
    "beside", ["c=heron.jpg", "beside=settings&beside_mass=0.5", "beside=dinov2-s14"]
)
def test_two_viewers_are_above_the_fold_left_and_right(presenting, beside):
    page = presenting(f"?a=cat.jpg&b=kitten.jpg&parts=a88&{beside}")
    page.page.wait_for_selector("#second-viewer .diml[data-state=ready]")
    page.page.wait_for_timeout(500)
    boxes = {}
    for viewer in ("#viewer", "#second-viewer"):
        for part in (
            ".diml-total",
            ".diml-bar",
            "[data-role=frame-a]",
            "[data-role=frame-b]",
            ".diml-readout",
        ):
            box = boxes[viewer, part] = page.page.locator(f"{viewer} {part}").bounding_box()
            assert box["y"] >= 0
            assert box["y"] + box["height"] <= 768, (viewer, part)
        assert boxes[viewer, "[data-role=frame-a]"]["height"] >= 200
    first, second = (
        boxes[viewer, "[data-role=frame-a]"] for viewer in ("#viewer", "#second-viewer")
    )
    assert first["x"] + first["width"] < second["x"]
    assert first["height"] == pytest.approx(second["height"], abs=1)


@pytest.mark.parametrize("query", ["", "?a=kingfisher.jpg&b=macaw.jpg"])
def test_photos_are_equally_high_whatever_their_shapes(visit, query):
    page = visit(query)
    page.wait_for_pair("kingfisher" if query else "neuschwanstein")
    boxes = [page.page.locator(f"#viewer [data-role=frame-{side}]").bounding_box() for side in "ab"]
    assert boxes[0]["height"] == pytest.approx(boxes[1]["height"], abs=1)


def test_the_page_fills_the_screen_or_says_why_not(presenting):
    page = presenting()
    button = page.page.locator("#viewer [data-role=fullscreen]")
    button.click()
    # The element is there a frame before the page hears of it.
    page.page.wait_for_selector("#viewer [data-role=fullscreen]:text-is('Leave full screen')")
    assert page.page.evaluate("document.fullscreenElement === document.documentElement")
    button.click()
    page.page.wait_for_selector("#viewer [data-role=fullscreen]:text-is('Full screen')")
    page.page.evaluate(
        "() => { Element.prototype.requestFullscreen = () => Promise.reject(new TypeError()); }"
    )
    button.click()
    page.page.wait_for_selector("#viewer [data-role=present-note]:has-text('press F11')")
    page.page.keyboard.press("Escape")
    assert button.is_hidden()
    assert page.page.locator("#viewer [data-role=present-note]").is_hidden()
    # Out of the mode, arrow keys are the page's again.
    page.page.keyboard.press("ArrowRight")
    page.page.wait_for_timeout(500)
    assert current(page) == example_pairs()[0].id
