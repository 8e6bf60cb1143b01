"""What a visitor sees first, in a real browser: the pair, large and high on the page."""

import pytest

PICTURES = """() => [...document.querySelectorAll('img')].filter((image) => image.checkVisibility())
  .map((image) => [image.dataset.role ?? '', image.getBoundingClientRect().width * image.getBoundingClientRect().height])"""
CUT = """() => [...document.querySelectorAll('#examples b, .title *, #viewer .diml-caption, #viewer .diml-layers button, #viewer .diml-actions button')]
  .filter((node) => node.checkVisibility() && node.scrollWidth > node.clientWidth + 1 && getComputedStyle(node).display !== 'inline')
  .map((node) => node.textContent)"""


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("", "neuschwanstein-near.jpg"),
        ("?a=kingfisher.jpg&b=macaw.jpg", "kingfisher.jpg"),
        ("?a=heron.jpg&b=harrier.jpg", "heron.jpg"),
    ],
)
def test_the_photos_of_the_pair_are_the_largest_and_high_on_a_laptop(visit, query, first):
    visited = visit(query, viewport={"width": 1366, "height": 768})
    visited.wait_for_pair(first)
    page = visited.page
    areas = dict.fromkeys(("img-a", "img-b", ""), 0)
    for role, area in page.evaluate(PICTURES):
        areas[role if role in areas else ""] = max(areas.get(role, 0), area)
    assert min(areas["img-a"], areas["img-b"]) > 3 * areas[""]
    for side in "ab":
        box = page.locator(f"#viewer [data-role=frame-{side}]").bounding_box()
        assert box["y"] <= 480  # nearly 300 of the 768 pixels are theirs
    words = page.locator("#viewer .diml-term")
    assert words.nth(0).bounding_box()["y"] == pytest.approx(
        words.nth(1).bounding_box()["y"], abs=1
    )
    assert page.evaluate(CUT) == []


def test_on_a_phone_score_and_photo_begin_on_the_first_screen(visit):
    page = visit("", viewport={"width": 390, "height": 844}, has_touch=True).page
    assert page.locator("#viewer .diml-total").bounding_box()["y"] < 844 / 2 + 90
    assert page.locator("#viewer [data-role=frame-a]").bounding_box()["y"] < 844 - 80
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.evaluate(CUT) == []
