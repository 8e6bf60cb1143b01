"""The notebook's widget in a browser, without a notebook: its one module, and a model that says to Python what it is told."""

import json

import pytest

from diml_core import explain, widget

pytest.importorskip("anywidget", reason="no anywidget here: pip install anywidget")

ADDRESS = "http://notebook.invalid/"  # nothing is fetched: what is asked of it is answered below
SHOWN = 0.0501  # of points with one decimal, which agree to 1e-4
# A notebook's side of a widget: `render(id)` shows it in an element, `give` brings what Python has set.
NOTEBOOK = """
<!doctype html><link rel="icon" href="data:,"><style>%s</style>
<body data-jp-theme-light="false"><div id="one"></div><div id="two"></div></body>
<script type="module">
const values = %s;
const listeners = {};
let changed = {};
const model = {
  get: (key) => values[key],
  set: (key, value) => {
    values[key] = changed[key] = value;
    for (const listener of listeners[`change:${key}`] ?? []) listener();
  },
  save_changes: () => {
    toPython(JSON.stringify(changed));
    changed = {};
  },
  on: (event, listener) => (listeners[event] ??= new Set()).add(listener),
  off: (event, listener) => listeners[event].delete(listener),
};
window.listening = () => Object.values(listeners).reduce((sum, all) => sum + all.size, 0);
window.give = (key, value) => {
  values[key] = value;
  for (const listener of listeners[`change:${key}`] ?? []) listener();
};
const { default: { render } } = await import("./widget.js");
window.render = (id) => render({ model, el: document.getElementById(id) });
window.leave = render({ model, el: document.getElementById("one") });
</script>
"""


@pytest.fixture
def shown(cnn, examples):
    return widget(explain(cnn, examples / "heron.jpg", examples / "harrier.jpg"))


@pytest.fixture
def page(browser, shown):
    """The widget on a page, ready; whatever fails there fails the test."""
    page = browser.new_context(viewport={"width": 1366, "height": 900}).new_page()
    failures = []
    page.on("pageerror", lambda error: failures.append(str(error)))
    page.on("requestfailed", lambda request: failures.append(request.url[:100]))
    state = json.dumps({key: getattr(shown, key) for key in ("pair", "options", "selected")})
    page.route(
        f"{ADDRESS}widget.js",
        lambda route: route.fulfill(body=shown._esm, content_type="text/javascript"),
    )
    page.route(
        ADDRESS,
        lambda route: route.fulfill(body=NOTEBOOK % (shown._css, state), content_type="text/html"),
    )
    page.expose_function("toPython", lambda changed: shown.set_state(json.loads(changed)))
    page.goto(ADDRESS)
    page.wait_for_selector("#one .diml[data-state=ready]")
    next_frames(page)
    yield page
    page.context.close()
    assert not failures


def next_frames(page):
    """Until what was asked for in one frame has been computed, drawn and told."""
    page.evaluate("() => new Promise(r => requestAnimationFrame(() => requestAnimationFrame(r)))")


def said(page, viewer="#one"):
    return page.text_content(f"{viewer} [data-role=readout]")


def test_the_part_that_is_clicked_is_selected_in_python_until_it_is_let_go(page, shown):
    box = page.locator("[data-role=frame-b]").bounding_box()
    rows, columns = shown.explanation.grid_b
    row, column = rows // 2, columns // 3
    page.mouse.click(
        box["x"] + (column + 0.5) / columns * box["width"],
        box["y"] + (row + 0.5) / rows * box["height"],
    )
    next_frames(page)
    assert shown.selected == {"side": "b", "parts": [row * columns + column]}
    page.keyboard.press("Escape")
    next_frames(page)
    assert shown.selected is None


def test_what_python_selects_is_kept_in_the_viewer(page, shown):
    told = []
    shown.observe(lambda change: told.append(change["new"]), names="selected")
    shown.selected = {"side": "a", "parts": [20, 21]}
    page.evaluate("value => give('selected', value)", shown.selected)
    next_frames(page)
    assert "2 parts of A" in said(page)
    page.evaluate("give('selected', null)")
    next_frames(page)
    assert "2 parts of A" not in said(page)
    assert told == [{"side": "a", "parts": [20, 21]}, None]


def test_the_explanation_in_python_follows_the_controls(page, shown):
    page.click("[data-role=options-drawer] summary")
    for name, value in {"grid": 5, "mass": 0.7}.items():
        page.fill(f"[data-role={name}]", str(value))
    next_frames(page)
    assert (shown.options["grid"], shown.options["mass"]) == (5, 0.7)
    total = float(page.text_content(".diml-total"))
    assert total == pytest.approx(100 * shown.explanation.similarity, abs=SHOWN)


def test_a_second_view_starts_where_the_first_stands_and_both_select_together(page, shown):
    page.click("[data-role=options-drawer] summary")
    page.fill("[data-role=grid]", "4")
    next_frames(page)
    page.evaluate("give('selected', {side: 'b', parts: [5]})")
    page.evaluate(
        "() => { window.leaveTwo = render('two'); }"
    )  # a function as a value would be called
    page.wait_for_selector("#two .diml[data-state=ready]")
    next_frames(page)
    assert shown.options["grid"] == 4
    assert shown.selected == {"side": "b", "parts": [5]}
    assert said(page, "#two") == said(page) != ""
    page.evaluate("leave(); leaveTwo()")  # with the focus in a field of the first
    next_frames(page)
    assert page.evaluate("listening()") == 0
    assert page.locator(".diml").count() == 0


def test_a_dark_notebook_gets_the_dark_viewer(page):
    ink = "getComputedStyle(document.querySelector('.diml')).colorScheme"
    assert page.evaluate(ink) == "dark"


def test_the_steps_are_inside_and_come_when_they_are_opened(page):
    page.click("#one [data-role=open-steps]")
    page.wait_for_selector("#one .diml-how-list [aria-current=step]")
    page.keyboard.press("7")
    next_frames(page)
    assert page.locator("#one .diml-how").get_attribute("data-step") == "score"
