"""The page for everyone: axe-core finds nothing serious on it, in any dress."""

import pytest
from barriers import findings
from test_guess import ASKING, guess


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1366])
def test_axe_finds_nothing_serious(visit, scheme, width):
    page = visit(
        "?a=cat.jpg&b=kitten.jpg&model=dinov2-s14&layer=rollout&parts=a30",
        viewport={"width": width, "height": 900},
        color_scheme=scheme,
    )
    page.wait_for_pair("cat")
    page.page.evaluate("document.querySelectorAll('details').forEach((each) => (each.open = true))")
    page.page.click("#viewer [data-role=trial] button:has-text('Start')")
    page.page.wait_for_selector(
        "#viewer [data-role=trial]:has-text('On this pair only')", timeout=90_000
    )
    page.page.focus("#viewer .diml-sum .diml-word")
    page.page.wait_for_selector("[role=tooltip]")
    assert findings(page.page) == []
    page.page.click("role=tab[name='Retrieve']")
    page.page.locator("#queries button").nth(2).click()
    page.page.wait_for_selector(".found[data-state=ready]", timeout=90_000)
    page.page.locator(".found-ask").first.click()
    for viewer in ("#result-viewer", "#other-viewer"):
        page.page.wait_for_selector(f"{viewer} .diml[data-state=ready]", timeout=30_000)
    page.page.wait_for_selector(".mistakes[data-state=ready]", timeout=300_000)
    assert findings(page.page) == []


def beside(page):
    """A third photo, chosen from the triples, and a part that is covered."""
    page.page.click("#second-model input")
    page.page.click("[role=option]:has-text('a third photo')")
    page.page.click("#triples button[data-triple=trucks]")
    page.page.wait_for_selector(
        "#second-viewer .diml[data-state=ready] [data-role=name-b]:has-text('taj-mahal-near')"
    )
    page.page.locator("#viewer [data-role=frame-a]").click()
    page.page.click("#viewer [data-role=cover] button >> nth=0")
    page.page.wait_for_selector("#viewer .diml-cover-result", timeout=30_000)


def question(page):
    page.page.locator("#viewer [data-role=frame-a]").click()
    page.page.click("#viewer [data-role=make-question]")
    page.page.wait_for_selector("#viewer [data-link]")


def broken_link(page):
    page.page.goto(f"{page.page.url.partition('?')[0]}?a=nowhere.jpg&b=heron.jpg")
    page.page.wait_for_selector("#viewer [data-role=error]", state="visible")


def no_photos_to_search(page):
    page.page.click("role=tab[name='Retrieve']")
    page.page.locator("#queries button").nth(2).click()
    page.page.wait_for_selector(".found[data-state=ready]", timeout=90_000)
    page.page.click("#gallery-source label:has-text('Your photos')")
    page.page.wait_for_selector(".found[data-state=error]")


def presenter(page):
    page.page.click("#viewer [data-role=present]")
    page.page.wait_for_selector(".diml-presenting")


def end_of_the_quiz(page):
    page.page.click("role=tab[name='Guess']")
    for _ in range(10):
        page.page.wait_for_selector(ASKING, timeout=120_000)
        guess(page)
        page.page.click(".quiz-next")
    page.page.wait_for_selector(".quiz[data-state=done]")


def quiz_error(page):
    page.page.click("role=tab[name='Guess']")
    page.page.wait_for_selector(ASKING, timeout=60_000)
    page.page.select_option(".quiz-settings select >> nth=0", "own")
    page.page.wait_for_selector(".quiz-error:has-text('at least 2 photos')", timeout=60_000)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    "go",
    [beside, question, broken_link, no_photos_to_search, presenter, end_of_the_quiz, quiz_error],
)
def test_axe_finds_nothing_serious_wherever_a_visitor_gets(visit, go, scheme):
    page = visit(color_scheme=scheme)
    go(page)
    assert findings(page.page) == []
