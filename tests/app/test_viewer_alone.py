"""The viewer on a page of its own, without Gradio: what it computes, what it waits for, and how it is reached."""

import pytest
from standing_alone import host, next_frames

from diml_core import explain
from diml_core.viewer.texts import glossary

SHOWN = 0.0501  # of points with one decimal, which agree to 1e-4
NAME = "[data-role=name-a]"


def click_on(page, side="a", at=(0.45, 0.35), viewer="#one"):
    frame = page.locator(f"{viewer} [data-role=frame-{side}]")
    frame.scroll_into_view_if_needed()
    box = frame.bounding_box()
    page.mouse.click(box["x"] + at[0] * box["width"], box["y"] + at[1] * box["height"])
    next_frames(page)


def test_the_options_move_the_score_at_once_and_ask_nothing_of_the_server(alone, vit, examples):
    page = alone()
    requests = []
    page.on("request", lambda request: requests.append(request.url))
    page.click("[data-role=options-drawer] summary")
    page.click("[data-role=reproduce-drawer] summary")
    options = {"grid": 5, "mass": 0.9, "epsilon": 0.2, "start_block": vit.options().start_block}
    for name in ("grid", "mass", "epsilon"):
        page.fill(f"[data-role={name}]", str(options[name]))
    page.select_option("[data-role=marginals]", "uniform")
    next_frames(page)
    expected = explain(
        vit, examples / "heron.jpg", examples / "harrier.jpg", marginals="uniform", **options
    )
    shown = float(page.text_content(".diml-total"))
    assert shown == pytest.approx(100 * expected.similarity, abs=SHOWN)
    told = host(page, "options")
    assert {name: told[name] for name in options} == options
    code = page.text_content("[data-role=reproduce]")
    assert "epsilon=0.2" in code
    assert "grid=5" in code
    page.click("[data-role=reset]")
    next_frames(page)
    defaults = explain(vit, examples / "heron.jpg", examples / "harrier.jpg")
    shown = float(page.text_content(".diml-total"))
    assert shown == pytest.approx(100 * defaults.similarity, abs=SHOWN)
    assert requests == []


def test_a_slider_computes_once_a_frame_however_fast_it_moves(alone):
    page = alone()
    told = page.evaluate(
        """async () => {
        const slider = document.querySelector('[data-role=mass-slider]');
        const before = hosts.one.writes.filter((key) => key === 'options').length;
        for (let k = 1; k <= 40; k++) {
          slider.value = k / 40;
          slider.dispatchEvent(new Event('input'));
        }
        await new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(r)));
        return hosts.one.writes.filter((key) => key === 'options').length - before; }"""
    )
    assert told == 1


def test_a_number_out_of_range_waits_and_is_then_brought_into_it(alone):
    page = alone()
    page.click("[data-role=options-drawer] summary")
    before = host(page, "options")["grid"]
    page.fill("[data-role=grid]", "99")
    next_frames(page)
    assert host(page, "options")["grid"] == before
    page.locator("[data-role=grid]").blur()
    next_frames(page)
    assert host(page, "options")["grid"] == 16
    assert page.input_value("[data-role=grid]") == "16"


def test_what_is_kept_stays_at_its_place_in_a_finer_grid(alone):
    page = alone()
    page.click("[data-role=options-drawer] summary")
    page.fill("[data-role=grid]", "4")
    next_frames(page)
    click_on(page)
    assert len(host(page, "selected")["parts"]) == 1
    page.fill("[data-role=grid]", "16")
    next_frames(page)
    assert len(host(page, "selected")["parts"]) > 1


def test_the_newest_pair_wins_and_no_half_of_one_is_ever_shown(alone):
    page = alone()
    before = page.text_content(NAME)
    page.evaluate(
        """async () => {
        const [cats, birds] = [await payload('cats'), await payload('birds')];
        const get = window.fetch;
        // The features come late; those of the first pair later than those of the second.
        window.fetch = async (url) => {
          await new Promise((r) => setTimeout(r, url.startsWith('late') ? 900 : 300));
          return get(url.replace('late', ''));
        };
        const late = (side) => ({ ...side, name: 'older.jpg', features: 'late' + side.features });
        hosts.one.give({ ...cats, a: late(cats.a), b: late(cats.b) });
        hosts.one.give({ ...birds, a: { ...cats.a, name: 'newer.jpg' } }); }"""
    )
    assert page.text_content(NAME) == before
    assert page.get_attribute(".diml", "data-busy") is not None
    page.wait_for_selector(f"{NAME}:has-text('newer.jpg')")
    assert page.get_attribute(".diml", "data-busy") is None
    page.wait_for_timeout(900)  # the older pair is here by now
    assert "newer.jpg" in page.text_content(NAME)


def test_an_error_does_not_keep_a_pair_away_that_is_still_loading(alone):
    """A link that cannot be served is refused before the page's own pair is there: both are shown."""
    page = alone()
    page.evaluate(
        """async () => {
        const birds = await payload('birds');
        hosts.one.give(birds);
        hosts.one.give({ error: 'There is no such model here.' }); }"""
    )
    page.wait_for_function(
        "() => document.querySelector('#one [data-role=name-a]').textContent.startsWith('heron')"
    )
    assert page.text_content("#one [data-role=error]") == "There is no such model here."
    assert page.is_visible("#one [data-role=error]")
    assert page.get_attribute("#one .diml", "data-state") == "ready"
    assert page.get_attribute("#one .diml", "data-busy") is None


def test_an_error_lies_above_the_last_good_pair_until_it_is_closed_or_another_comes(alone):
    page = alone()
    score = page.text_content(".diml-total")
    gone = "(async () => { const pair = await payload('cats'); pair.b.features = 'none.bin'; hosts.one.give(pair); })()"
    for fail, words in (
        ("hosts.one.give({ error: 'No <b>photo</b>.' })", "No <b>photo</b>."),
        (gone, "no longer on the server: choose the photos again."),
    ):
        page.evaluate(fail)
        page.wait_for_selector("[data-role=error]:visible")
        assert words in page.text_content("[data-role=error]")
        assert page.get_attribute(".diml", "data-state") == "ready"
        assert page.get_attribute(".diml", "data-busy") is None
        assert page.text_content(".diml-total") == score
        page.click("[data-role=close-error]")
        assert page.is_hidden("[data-role=error]")
    page.evaluate("hosts.one.give({ error: 'No.' })")
    page.evaluate("(async () => hosts.one.give(await payload('cats')))()")
    page.wait_for_selector(f"{NAME}:has-text('cat.jpg')")
    assert page.is_hidden("[data-role=error]")
    page.evaluate("hosts.one.give({})")
    assert page.get_attribute(".diml", "data-state") == "empty"
    page.evaluate("hosts.one.give({ error: 'No.' })")
    assert page.get_attribute(".diml", "data-state") == "error"


def test_an_answer_is_shown_only_while_its_question_stands(alone):
    page = alone()
    page.evaluate(
        """() => {
        const scores = { similarity: 0.5, global: 0.5, structural: 0.5 };
        window.ask = (question, onProgress) => {
          window.question = question;
          onProgress('Two others are before you.');
          return new Promise((resolve) => (window.answer = () => resolve({
            before: scores, after: scores, promised: 0, expected: 0, controls: [0], photo: 'data:,' })));
        }; }"""
    )
    click_on(page)
    page.click("[data-role=cover] button >> nth=1")
    assert "Two others are before you." in page.text_content("[data-role=cover]")
    page.click("[data-role=options-drawer] summary")
    page.fill("[data-role=mass]", "0.7")
    next_frames(page)
    page.evaluate("answer()")
    next_frames(page)
    assert page.locator(".diml-cover-result").count() == 0
    page.click("[data-role=cover] button >> nth=1")
    asked = page.evaluate("question")
    assert asked["options"] | {"model": asked["model"]} == host(page, "options")
    assert asked["options"]["mass"] == 0.7
    assert {"side": asked["side"], "parts": asked["parts"]} == host(page, "selected")
    assert asked["cover"] == "blur"
    page.evaluate("answer()")
    page.wait_for_selector(".diml-cover-result")
    page.evaluate("() => { window.ask = () => Promise.reject(new Error()); }")
    page.click("[data-role=cover] button >> nth=0")
    page.wait_for_selector("[data-role=cover]:has-text('did not reach the network')")


def test_all_viewers_enter_and_leave_presenter_mode_together(alone):
    page = alone("?one=birds&two=cats")

    def said():
        buttons = page.locator("[data-role=present]")
        assert buttons.all_text_contents()[0] == buttons.all_text_contents()[1]
        return buttons.evaluate_all("buttons => buttons.map((button) => button.ariaPressed)")

    page.click("#one [data-role=present]")
    assert said() == ["true", "true"]
    click_on(page, viewer="#two")
    page.keyboard.press("Escape")  # lets go of the part, in whichever viewer it is
    assert said() == ["true", "true"]
    page.keyboard.press("Escape")
    assert said() == ["false", "false"]
    page.click("#two [data-role=present]")
    page.click("#one [data-role=present]")
    assert said() == ["false", "false"]
    assert not page.evaluate("document.documentElement.classList.contains('diml-presenting')")


def test_where_a_part_looked_is_fetched_when_it_is_first_wanted(alone):
    page = alone()
    fetched = []
    page.on("request", lambda request: fetched.append(request.url))
    click_on(page)
    page.click("[data-layer=rollout]")
    page.wait_for_selector("[data-role=legends]:has-text('Attention of this part (A)')")
    click_on(page, at=(0.6, 0.6))
    assert len(fetched) == 1
    page.evaluate(
        """async () => {
        const pair = await payload('cats');
        hosts.one.give({ ...pair, a: { ...pair.a, attention: 'none.bin' } }); }"""
    )
    page.wait_for_selector(f"{NAME}:has-text('cat.jpg')")
    click_on(page)
    page.wait_for_selector("[data-role=legends]:has-text('own attention is no longer here')")


def test_layers_and_bar_are_one_tab_stop_each_in_which_arrows_move(alone):
    page = alone()
    assert page.locator("[data-role=layers] [tabindex='0']").count() == 1
    page.focus("[data-layer=contribution]")
    focused = "document.activeElement.dataset.layer + document.activeElement.ariaChecked"
    for key, layer in (("ArrowRight", "marginals"), ("ArrowLeft", "contribution")):
        page.keyboard.press(key)
        next_frames(page)
        assert page.evaluate(focused) == f"{layer}true"
    page.focus("[role=listbox]")
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    next_frames(page)
    assert "The 3 strongest" in page.text_content(".diml-score .diml-note")
    lit = page.locator(".diml-bar-part.diml-on")
    assert lit.count() == 1
    assert lit.get_attribute("id") == page.get_attribute("[role=listbox]", "aria-activedescendant")
    assert lit.get_attribute("aria-label").startswith("row ")
    page.keyboard.press("Enter")
    assert host(page, "selected")["parts"] == [int(lit.get_attribute("data-part"))]


def test_a_finger_scrolls_or_taps_or_rests_and_drags_a_region(alone):
    page = alone(viewport={"width": 390, "height": 700}, has_touch=True)
    touches = page.context.new_cdp_session(page)
    page.locator("[data-role=frame-a]").scroll_into_view_if_needed()

    def finger(rest, step, count):
        """Put down, left to rest for so many ms, moved by a step so often, lifted; gives how far the page went."""
        box = page.locator("[data-role=frame-a]").bounding_box()
        x, y = box["x"] + 100, box["y"] + 100
        before = page.evaluate("scrollY")

        def touch(kind, *points):
            touches.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": list(points)})

        touch("touchStart", {"x": x, "y": y})
        page.wait_for_timeout(rest)
        for k in range(1, count + 1):
            touch("touchMove", {"x": x + k * step[0], "y": y + k * step[1]})
            page.wait_for_timeout(16)
        touch("touchEnd")
        page.wait_for_timeout(300)  # until the page has come to rest
        return page.evaluate("scrollY") - before

    assert finger(0, (0, -8), 12) > 0
    assert host(page, "selected") is None
    page.locator("[data-role=frame-a]").scroll_into_view_if_needed()
    assert finger(60, (0, 0), 0) == 0
    assert len(host(page, "selected")["parts"]) == 1
    finger(60, (0, 0), 0)
    assert host(page, "selected") is None
    assert finger(600, (10, 10), 9) == 0
    assert len(host(page, "selected")["parts"]) > 3


def test_two_viewers_are_linked_until_one_is_taken_away_with_all_it_listens_to(alone):
    page = alone("?one=birds&two=birds")
    click_on(page)
    assert host(page, "selected", "two") == host(page, "selected")
    page.evaluate("hosts.one.leave()")
    assert page.locator("#one *").count() == 0
    assert page.evaluate("hosts.one.listeners.size") == 0
    page.keyboard.press("Escape")
    assert host(page, "selected", "two") is None
    assert host(page, "selected") is not None


def test_the_address_follows_the_options_and_keeps_what_others_put_there(alone):
    page = alone("?one=birds&__theme=light#here")
    page.click("[data-role=options-drawer] summary")
    page.fill("[data-role=epsilon]", "0.3")
    page.wait_for_url("**epsilon=0.3**")
    assert "one=birds" in page.url
    assert "__theme=light" in page.url
    assert page.url.endswith("#here")


def test_a_word_says_what_it_means_to_the_pointer_and_the_keyboard(alone):
    page = alone()
    click_on(page)
    word = page.locator("#one .diml-sum .diml-word").last
    tip = page.locator("[role=tooltip]")
    word.hover()
    assert tip.text_content() == " ".join(glossary()["structural_part"])
    assert word.get_attribute("aria-describedby") == tip.get_attribute("id")
    tip.hover()  # who magnifies the page must be able to go there
    page.wait_for_timeout(400)
    assert tip.count() == 1
    page.mouse.move(5, 5)
    tip.wait_for(state="detached")
    word.focus()
    at, said = word.bounding_box(), tip.bounding_box()
    assert said["y"] + said["height"] <= at["y"] or said["y"] >= at["y"] + at["height"]
    page.keyboard.press("Escape")
    assert tip.count() == 0
    assert host(page, "selected") is not None  # it had its own thing to close
    page.keyboard.press("Escape")
    assert host(page, "selected") is None


def test_a_word_says_what_it_means_to_a_finger_inside_the_screen(alone):
    page = alone(viewport={"width": 390, "height": 700}, has_touch=True)
    tip = page.locator("[role=tooltip]")
    for word in page.locator("#one .diml-score .diml-word").all():
        word.tap()
        said = tip.bounding_box()
        assert said["x"] >= 0
        assert said["x"] + said["width"] <= 390
        assert said["y"] >= 0
    page.touchscreen.tap(200, 690)
    tip.wait_for(state="detached")
