"""Two viewers side by side in a real browser: three photos, and one pair at two settings."""

import re

import pytest
from visiting import busy, comparing

from app.beside import example_triples
from app.examples import example_pairs
from diml_core import explain, load_model
from diml_core.network.checkpoints import DEFAULT_MODEL

READY = "#second-viewer .diml[data-state=ready]"


@pytest.fixture(scope="module")
def model():
    return load_model(DEFAULT_MODEL)


def number(text):
    return float(text.replace("−", "-"))


def balance(page):
    """Total, global, gains and losses as the panel shows them."""
    page.page.wait_for_selector("#beside .diml-beside .diml-total")
    shown = page.page.locator("#beside :is(.diml-total, .diml-term b)").all_text_contents()
    return [number(text) for text in shown]


# All that is read or heard in an element, but for formulas.
WORDS = """root => {
  const words = [];
  for (const node of [root, ...root.querySelectorAll("*")]) {
    if (node.closest("math")) continue;
    words.push(node.ariaLabel ?? "", node.title ?? "");
    for (const child of node.childNodes) if (child.nodeType === Node.TEXT_NODE) words.push(child.data);
  }
  return words.join(" ");
}"""


def choose(page, label):
    page.page.click("#second-model input")
    page.page.click(f"[role=option]:has-text('{label}')")


def test_the_third_photo_is_called_c_in_every_step_and_drawer(visit):
    triple = example_triples()[0]
    page = visit(f"?a={triple.a.name}&b={triple.b.name}&c={triple.c.name}")
    page.page.wait_for_selector(READY, timeout=60_000)
    viewer = page.page.locator("#second-viewer")
    viewer.locator("[data-role=steps-drawer] > summary").click()
    viewer.locator("[data-step=score]").first.wait_for()
    steps = viewer.locator(".diml-how-list button")
    for step in steps.all():
        step.click()
        viewer.locator(".diml-how-list [aria-current=step]").wait_for()
        words = viewer.locator("[data-role=steps]").evaluate(WORDS)
        assert re.search(r"\bC\b", words)
        assert not re.search(r"\bB\b", words), words
    for drawer in ("formula", "trial"):
        viewer.locator(f"[data-role={drawer}-drawer] > summary").click()
        viewer.locator(f"[data-role={drawer}] :text-matches('\\\\bC\\\\b')").first.wait_for(
            state="attached"
        )
        words = viewer.locator(f"[data-role={drawer}]").evaluate(WORDS)
        assert not re.search(r"\bB\b", words), words


def test_three_photos_say_what_makes_the_difference(visit, model, examples):
    triple = example_triples()[0]
    page = visit(f"?a={triple.a.name}&b={triple.b.name}&c={triple.c.name}")
    page.page.wait_for_selector(READY, timeout=60_000)
    like, unlike = (explain(model, triple.a, other) for other in (triple.b, triple.c))
    total, whole, gains, losses = balance(page)
    assert total == pytest.approx(whole + gains + losses, abs=1e-9)
    # Each score is rounded to a tenth.
    assert total == pytest.approx(100 * (like.similarity - unlike.similarity), abs=0.1 + 1e-9)
    assert whole == pytest.approx(
        50 * (like.global_similarity - unlike.global_similarity), abs=0.05 + 1e-9
    )
    parts = 50 * (like.contribution.sum(1) - unlike.contribution.sum(1))
    assert losses == pytest.approx(parts[parts < 0].sum(), abs=0.05 + 1e-9)
    assert page.page.get_attribute("#viewer [data-layer=difference]", "aria-checked") == "true"
    # The strongest part, pressed, is marked in both viewers, with what it adds to each score.
    page.page.locator("#beside button").first.click()
    row, column = divmod(int(parts.argmax()), like.grid_a[1])
    for viewer in ("#viewer", "#second-viewer"):
        page.page.wait_for_selector(
            f"{viewer} .diml-readout:has-text('row {row + 1}, column {column + 1}')"
        )
    assert "of A" in page.page.text_content("#second-viewer .diml-readout")
    said = re.findall(r"[-+−]?\d+\.\d+", page.page.text_content("#beside .diml-note"))
    expected = [50 * each.contribution.sum(1)[parts.argmax()] for each in (like, unlike)]
    assert [number(text) for text in said[:2]] == pytest.approx(expected, abs=0.05 + 1e-9)
    assert page.page.text_content("#second-viewer [data-role=letter-b]") == "C"
    assert f"c={triple.c.name}" in page.page.url
    page.shot("triple")


def test_three_photos_stay_at_the_same_options(visit, model):
    triple = example_triples()[0]
    page = visit(f"?a={triple.a.name}&b={triple.b.name}&c={triple.c.name}")
    page.page.wait_for_selector(READY, timeout=60_000)
    balance(page)
    page.open_options()
    page.score_after(lambda: page.set_number("grid", 5))
    like, unlike = (explain(model, triple.a, other, grid=5) for other in (triple.b, triple.c))
    page.page.wait_for_function(
        "score => Math.abs(parseFloat(document.querySelector('#beside .diml-total').textContent.replace('−', '-')) - score) < 0.11",
        arg=100 * (like.similarity - unlike.similarity),
    )
    assert page.page.input_value("#second-viewer [data-role=grid]") == "5"


def test_a_triple_is_one_click_and_an_own_third_photo_works_too(visit, tmp_path, examples):
    page = visit()
    assert page.page.locator("#photo-c").is_hidden()
    choose(page, "a third photo")
    page.page.click("#triples button[data-triple=trucks]")
    page.wait_for_pair("fire-engine")
    page.page.wait_for_selector(f"{READY} [data-role=name-b]:has-text('taj-mahal-near.jpg')")
    before = balance(page)
    page.page.click("#photo-c button:is([aria-label='Clear'], [aria-label='Remove Image'])")
    page.page.wait_for_selector(READY, state="detached")
    page.page.wait_for_selector("#beside .diml-beside", state="detached")
    page.page.set_input_files("#photo-c input[type=file]", examples / "rocket.jpg")
    page.page.wait_for_selector(f"{READY} [data-role=name-b]:has-text('rocket.jpg')")
    assert balance(page) != before


def test_the_newest_triple_wins_on_a_busy_server_and_so_does_a_pair_after_it(visit, server, model):
    """Whatever is clicked meanwhile: photos, numbers and words are those of the last choice."""
    page = visit()
    choose(page, "a third photo")
    first, second, third = example_triples()[:3]
    pair = next(each for each in example_pairs() if each.a not in (second.a, third.a))

    def shown():
        sources = [page.page.get_attribute(f"#photo-{side} img", "src") for side in "abc"]
        names = [
            page.page.text_content(f"{viewer} [data-role=name-{side}]")
            for viewer, side in (("#viewer", "a"), ("#viewer", "b"), ("#second-viewer", "b"))
        ]
        assert page.page.text_content("#second-viewer [data-role=name-a]") == names[0]
        return [source.rsplit("/", 1)[-1] for source in sources], [n.split(" ·")[0] for n in names]

    for clicked, wanted in (
        ((first, second, third), (third.a, third.b, third.c)),
        ((first, second, pair), (pair.a, pair.b, second.c)),
    ):
        with busy(server, "compare", comparing) as is_busy:
            for choice in clicked:
                kind = "pair" if choice is pair else "triple"
                page.page.click(f"button[data-{kind}={choice.id}]")
                page.page.wait_for_timeout(300)
            assert is_busy()
            page.wait_for_pair(wanted[0].name)
        page.page.wait_for_selector(f"{READY} [data-role=name-b]:has-text('{wanted[2].name}')")
        page.page.wait_for_timeout(1500)  # whatever was asked before has been answered by now
        names = [photo.name for photo in wanted]
        assert shown() == (names, names)
        like, unlike = (explain(model, wanted[0], other) for other in wanted[1:])
        points = 100 * (like.similarity - unlike.similarity)
        assert balance(page)[0] == pytest.approx(points, abs=0.1 + 1e-9)


def test_what_the_panel_says_belongs_to_the_photos_that_are_shown(visit):
    """At no moment the sentence of one triple stands above the photos of another."""
    page = visit("?a=heron.jpg&b=harrier.jpg&c=kingfisher.jpg")
    page.page.wait_for_selector(READY, timeout=60_000)
    balance(page)
    seen = page.page.evaluate_handle(
        """() => { const seen = new Set();
        const name = (viewer, side) => document.querySelector(`${viewer} [data-role=name-${side}]`)?.textContent.split(' ·')[0];
        const look = () => { const panel = document.querySelector('#beside .diml-beside');
          if (!panel) return;
          seen.add([panel.querySelector('b').textContent, name('#viewer', 'a'), name('#viewer', 'b'), name('#second-viewer', 'a'), name('#second-viewer', 'b')].join('|')); };
        new MutationObserver(() => setTimeout(look)).observe(document.querySelector('#see'), { subtree: true, childList: true, characterData: true, attributes: true });
        return seen; }"""
    )
    for pair in example_pairs()[1:4]:
        page.page.click(f"#examples button[data-pair={pair.id}]")
        page.page.wait_for_timeout(300)
    page.wait_for_pair(example_pairs()[3].a.name)
    page.page.wait_for_timeout(2000)
    rows = [text.split("|") for text in seen.evaluate("seen => [...seen]")]
    assert rows
    for said, *names in rows:
        assert names[0] == names[2], names
        assert names[3] == "kingfisher.jpg"
        scores = re.findall(r"\((\d+\.\d)\)", said)
        model = load_model(DEFAULT_MODEL)
        folder = example_pairs()[0].a.parent
        expected = [
            100 * explain(model, folder / names[0], folder / name).similarity
            for name in (names[1], names[3])
        ]
        assert [float(text) for text in scores] == pytest.approx(expected, abs=0.051)


def test_one_pair_at_two_settings_says_what_changed(visit, model, examples):
    page = visit("?a=heron.jpg&b=harrier.jpg")
    page.wait_for_pair("heron")
    choose(page, "this model, other settings")
    page.page.wait_for_selector(READY, timeout=60_000)
    page.page.wait_for_selector("#beside b:has-text('both sides stand at the same ones')")
    grid = page.page.locator("#second-viewer [data-role=grid]")
    grid.wait_for(state="visible")  # its own drawer is open
    grid.fill("4")
    page.page.wait_for_selector("#beside b:has-text('grid 4 instead of')")
    photos = (examples / "heron.jpg", examples / "harrier.jpg")
    usual, coarse = explain(model, *photos), explain(model, *photos, grid=4)
    total, whole, gains, losses = balance(page)
    assert total == pytest.approx(whole + gains + losses, abs=1e-9)
    assert total == pytest.approx(100 * (coarse.similarity - usual.similarity), abs=0.1 + 1e-9)
    assert page.page.input_value("#viewer [data-role=grid]") != "4"
    assert "The strongest move: " in page.page.text_content("#beside .diml-note")
    page.page.wait_for_function("() => location.search.includes('beside_grid=4')")
    page.shot("settings")

    again = visit(page.page.url[page.page.url.index("?") :])
    again.page.wait_for_selector(READY, timeout=60_000)
    assert balance(again) == [total, whole, gains, losses]
    # Another pair: its own settings stay on the right.
    again.page.click("#examples button[data-pair=cat-kitten]")
    again.wait_for_pair("cat")
    again.page.wait_for_selector(f"{READY} [data-role=name-a]:has-text('cat.jpg')")
    again.page.wait_for_selector("#beside b:has-text('grid 4 instead of')")
    choose(again, "nothing")
    again.page.wait_for_selector(READY, state="detached")
    again.page.wait_for_function("() => !location.search.includes('beside')")
    assert again.page.locator("#viewer [data-layer=difference]").is_hidden()
