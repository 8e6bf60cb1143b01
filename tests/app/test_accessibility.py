"""The page for everyone: axe-core finds nothing serious on it, in any dress."""

import pytest

axe = pytest.importorskip("axe_playwright_python.sync_playwright")

SERIOUS = {"serious", "critical"}


def findings(page):
    page.page.wait_for_timeout(300)  # colours fade in, and axe would measure them half-way
    found = axe.Axe().run(page.page).response["violations"]
    return [
        (each["id"], each["nodes"][0]["html"][:200]) for each in found if each["impact"] in SERIOUS
    ]


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
    assert findings(page) == []
    page.page.click("role=tab[name='Retrieve']")
    page.page.locator("#queries button").nth(2).click()
    page.page.wait_for_selector(".found[data-state=ready]", timeout=90_000)
    page.page.locator(".found-ask").first.click()
    for viewer in ("#result-viewer", "#other-viewer"):
        page.page.wait_for_selector(f"{viewer} .diml[data-state=ready]", timeout=30_000)
    page.page.wait_for_selector(".mistakes[data-state=ready]", timeout=300_000)
    assert findings(page) == []
