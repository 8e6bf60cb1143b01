"""What axe-core finds on a page, for the tests that look for barriers."""

import pytest

SERIOUS = {"serious", "critical"}


def findings(page):
    """Serious findings on a page of Playwright: rule and HTML of each. Skips the test where there is no axe."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    page.wait_for_timeout(300)  # colours fade in, and axe would measure them half-way
    # It is put in by the browser's own tools, which no policy of a page binds.
    found = axe.Axe().run(page).response["violations"]
    return [
        (each["id"], each["nodes"][0]["html"][:200]) for each in found if each["impact"] in SERIOUS
    ]
