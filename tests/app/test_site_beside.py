"""The page without a server: what stands beside the pair, and the links that bring it back."""

import re
from urllib.parse import parse_qs

import pytest
from barriers import findings
from lesson import QUERIES
from static_site import PARITY, upload, wait_for_name

from app.beside import PHOTO_C, SETTINGS, example_triples
from app.examples import example_pairs
from diml_core import explain, load_model
from diml_core.network.checkpoints import DEFAULT_MODEL
from diml_core.viewer.texts import text

TRIPLE = example_triples()[0]
TENTH = 0.05 + 100 * PARITY  # a number in points, as far as it may be from the library's
READY = "#second-viewer .diml[data-state=ready]"


@pytest.fixture
def visit(visit_site):
    return visit_site


@pytest.fixture(scope="module")
def model():
    return load_model(DEFAULT_MODEL)


def balance(page):
    """Total, global, gains and losses as the panel shows them."""
    page.wait_for_selector("#beside .diml-beside .diml-total", timeout=120_000)
    shown = page.locator("#beside :is(.diml-total, .diml-term b)").all_text_contents()
    return [float(number.replace("−", "-")) for number in shown]


def assert_balance(found, first, second):
    total, whole, gains, losses = found
    assert total == pytest.approx(whole + gains + losses, abs=1e-9)
    # The difference of two scores as they are shown.
    assert total == pytest.approx(100 * (first.similarity - second.similarity), abs=2 * TENTH)
    assert whole == pytest.approx(
        50 * (first.global_similarity - second.global_similarity), abs=TENTH
    )


def test_a_triple_is_one_click_and_its_link_brings_it_back(visit, model, examples):
    page = visit()
    assert page.locator("#photo-c").is_hidden()
    page.select_option("#second select", PHOTO_C)
    page.click(f"#triples button:has-text('{TRIPLE.title}')")
    wait_for_name(page, "a", TRIPLE.a.name)
    wait_for_name(page, "b", TRIPLE.c.name, "second-viewer")
    like, unlike = (explain(model, TRIPLE.a, other) for other in (TRIPLE.b, TRIPLE.c))
    found = balance(page)
    assert_balance(found, like, unlike)
    assert TRIPLE.look_for in page.text_content("#beside p")
    assert page.text_content("#second-viewer [data-role=letter-b]") == "C"
    for viewer in ("#viewer", "#second-viewer"):
        page.wait_for_selector(f"{viewer} [data-layer=difference][aria-checked=true]")
    page.wait_for_function("name => location.search.includes(`c=${name}`)", arg=TRIPLE.c.name)

    again = visit(page.url[page.url.index("?") :])
    assert balance(again) == found
    assert again.input_value("#second select") == PHOTO_C

    # A photo of one's own, which no link can name.
    upload(page, "c", "own.jpg", (examples / "rocket.jpg").read_bytes())
    wait_for_name(page, "b", "own.jpg", "second-viewer")
    assert_balance(balance(page), like, explain(model, TRIPLE.a, examples / "rocket.jpg"))
    page.wait_for_function("() => !location.search.includes('c=')")
    upload(page, "c", "notes.txt", b"no photo")
    page.wait_for_selector("#second-viewer [data-role=error]:has-text('not an image')")
    assert page.locator("#viewer [data-role=error-box]").is_hidden()


def test_settings_come_from_a_link_and_go_with_the_choice(visit, model, examples):
    page = visit(
        "?a=heron.jpg&b=harrier.jpg&mass=0.9&beside=settings&beside_mass=0.5&beside_grid=4"
    )
    photos = (examples / "heron.jpg", examples / "harrier.jpg")
    first, second = explain(model, *photos, mass=0.9), explain(model, *photos, mass=0.5, grid=4)
    assert_balance(balance(page), second, first)
    assert "transported mass 0.5 instead of 0.9" in page.text_content("#beside b")
    assert page.input_value("#second select") == SETTINGS
    page.fill("#second-viewer [data-role=mass]", "0.9")
    page.wait_for_function("() => !location.search.includes('beside_mass')")
    assert "beside_grid=4" in page.url
    page.select_option("#second select", "")
    page.wait_for_selector("#beside .diml-beside", state="detached")
    assert page.locator("#second-viewer").is_hidden()
    page.wait_for_function("() => !location.search.includes('beside')")
    assert page.locator("#viewer [data-layer=difference]").is_hidden()


def test_what_is_pinned_stays_when_something_comes_beside_the_pair(visit):
    page = visit("?a=cat.jpg&b=kitten.jpg&parts=a45")
    pinned = page.text_content("#viewer .diml-readout")
    page.select_option("#second select", SETTINGS)
    page.wait_for_selector(READY)
    page.wait_for_selector("#beside b:has-text('both sides stand at the same ones')")
    assert page.text_content("#viewer .diml-readout") == pinned
    assert page.text_content("#second-viewer .diml-readout") == pinned


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("c=nowhere.jpg", text("site.link.unknown")),
        ("beside=resnet", text("site.link.unknown")),
        ("beside=settings&beside_grid=99", text("site.link.option", name="grid")),
        ("beside=settings&beside_marginals=rollout", text("site.link.option", name="marginals")),
        ("beside=dinov2-s14&beside_start_block=12", text("site.link.option", name="start_block")),
    ],
)
def test_a_link_that_asks_for_what_there_is_not_says_so_above_a_whole_example(visit, query, said):
    page = visit(f"?a=cat.jpg&b=kitten.jpg&{query}")
    page.wait_for_selector(f"#viewer [data-role=error]:has-text('{said}')")
    first = example_pairs()[0].a.name
    wait_for_name(page, "a", first)
    assert page.locator("#second-viewer").is_hidden()
    assert page.input_value("#second select") == ""
    page.wait_for_function("name => location.search.includes(`a=${name}`)", arg=first)
    assert not re.search(r"[?&](c|beside)", page.url)


def test_every_link_of_the_lesson_opens_what_it_asks_for(visit, host):
    page = visit()
    for query in QUERIES:
        page.goto(f"{host[0]}?{query}")
        asked = {key: values[0] for key, values in parse_qs(query).items()}
        wait_for_name(page, "a", asked["a"])
        wait_for_name(page, "b", asked["b"])
        if "c" in asked:
            wait_for_name(page, "b", asked["c"], "second-viewer")
        elif "beside" in asked:
            wait_for_name(page, "b", asked["b"], "second-viewer")
        else:
            assert page.locator("#second-viewer").is_hidden(), query
        related = "c" in asked or asked.get("beside") == SETTINGS
        page.wait_for_selector("#beside .diml-beside", state="attached" if related else "detached")
        for key, value in asked.items():
            if key.startswith("beside_"):
                role = key.removeprefix("beside_")
                assert page.input_value(f"#second-viewer [data-role={role}]") == value, query
        if "layer" in asked:
            layer = f"#viewer [data-layer={asked['layer']}]"
            assert page.get_attribute(layer, "aria-checked") == "true", query
        if "lines" in asked:
            assert page.input_value("#viewer [data-role=lines]") == asked["lines"], query
        if "parts" in asked:
            assert (
                page.evaluate("new URLSearchParams(location.search).get('parts')") == asked["parts"]
            )
            assert re.search(r"\d\.\d point", page.text_content("#viewer .diml-readout")), query
        if "step" in asked:
            page.wait_for_selector(f"#viewer .diml-how[data-step={asked['step']}]")
        assert page.locator("[data-role=error-box]:visible").count() == 0, query


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1366])
def test_axe_finds_nothing_serious_beside_a_pair(visit, screenshots, width, scheme):
    page = visit(
        f"?a={TRIPLE.a.name}&b={TRIPLE.b.name}&c={TRIPLE.c.name}",
        viewport={"width": width, "height": 768},
        color_scheme=scheme,
    )
    balance(page)
    page.wait_for_timeout(300)  # colours fade in
    page.screenshot(path=screenshots / f"site-triple-{width}-{scheme}.png", full_page=True)
    assert findings(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
