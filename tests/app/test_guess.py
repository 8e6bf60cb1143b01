"""The Guess tab in a real browser: ten rounds of every kind, a teacher's link, one's own photos."""

import re

import pytest
from barriers import findings

ASKING = ".quiz[data-state=asking]"
ANSWERED = ".quiz[data-state=answered]"


def open_tab(visit, **context):
    page = visit(**context)
    page.page.click("role=tab[name='Guess']")
    page.page.wait_for_selector(ASKING, timeout=60_000)
    return page


def words(page, name):
    return page.page.text_content(f".quiz [data-quiz={name}]")


def kind_of(page):
    if not page.page.locator(".quiz-card").count():
        return "part"
    return "model" if "drawing" in words(page, "question") else "pair"


def guess(page):
    """Answer the round, a part by the keyboard; its marks."""
    if kind_of(page) == "part":
        page.page.focus(".quiz-target")
        page.page.keyboard.press("ArrowRight")
        page.page.keyboard.press("Enter")
    else:
        page.page.keyboard.press("2")
    page.page.wait_for_selector(ANSWERED)
    return int(re.search(r"(\d+) of 10 marks", words(page, "result"))[1])


def test_on_a_phone_the_hints_are_for_fingers(visit):
    page = open_tab(visit, viewport={"width": 390, "height": 780}, has_touch=True, is_mobile=True)
    assert re.search(r"\bTap\b", words(page, "hint"))


def test_a_game_of_ten_rounds_is_scored_and_every_kind_is_explained(visit):
    page = open_tab(visit)
    kinds, total = [], 0
    for number in range(1, 11):
        page.page.wait_for_selector(ASKING, timeout=120_000)
        assert words(page, "count") == f"Round {number} of 10"
        kind = kind_of(page)
        if kind not in kinds:
            page.shot(f"guess-{kind}")
        marks = guess(page)
        kinds.append(kind)
        total += marks
        assert words(page, "marks") == f"{total} of {10 * number} marks"
        told = words(page, "result")
        if kind == "part":
            share, *others = map(int, re.findall(r"(\d+)%", told))
            best = max([share, *others])
            assert (
                abs(marks - 10 * share / best) <= 0.5 + 10 / best
            )  # shares are shown in whole per cent
            # The viewer that explains it has that part pinned.
            page.page.wait_for_selector("#guess .diml[data-state=ready] .diml-readout table")
        elif kind == "pair":
            scores = [
                float(re.match(r"[\d.]+", text)[0])
                for text in page.page.locator(".quiz-said").all_text_contents()
            ]
            assert (marks == 10) == (scores[1] > scores[0])
            assert abs(scores[0] - scores[1]) >= 7.9  # two rounded numbers
            page.page.click(".quiz-buttons button >> nth=1")
            page.page.wait_for_selector("#guess .diml[data-state=ready]")
        else:
            right = page.page.locator(".quiz-card").nth(1).get_attribute("class")
            assert (marks == 10) == ("quiz-right" in right)
            title = page.page.locator(".quiz-right .quiz-said").text_content()
            assert title in words(page, "question")
        if kinds.count(kind) == 1:
            page.shot(f"guess-{kind}-told")
        if kind == "part":  # the focus is on "Next round"
            page.page.keyboard.press("Enter")
        else:
            page.page.click(".quiz-next")
    assert set(kinds) == {"part", "pair", "model"}
    page.page.wait_for_selector(".quiz[data-state=done]")
    assert f"You got {total} of 100 marks" in words(page, "end")
    page.shot("guess-end")


def test_a_teachers_link_asks_its_question_and_nothing_of_it_stays(visit):
    teacher = visit()
    teacher.page.click("#viewer button:has-text('Make this a question')")
    teacher.page.wait_for_selector(".quiz-made:has-text('Choose a part of a photo first')")
    teacher.page.locator("#viewer [data-role=frame-b]").click()
    teacher.page.click("#viewer button:has-text('Make this a question')")
    link = teacher.page.wait_for_selector("[data-link]").get_attribute("data-link")
    pupil = visit("?" + link.partition("?")[2], state=None)  # the viewer is behind the quiz
    pupil.page.wait_for_selector(ASKING, timeout=60_000)
    assert words(pupil, "question").startswith("Which part of A will ")
    assert words(pupil, "count") == "One question"
    assert pupil.page.locator("#guess .diml").count() == 0
    guess(pupil)
    pinned = pupil.page.wait_for_selector("#guess .diml-readout:has(table)").text_content()
    assert pinned.startswith(teacher.page.text_content("#viewer .diml-readout b"))
    assert "guess=" not in pupil.page.url
    pupil.shot("guess-link")
    pupil.page.click("text=Play ten rounds")
    pupil.page.wait_for_selector(f"{ASKING}:has-text('Round 1 of 10')", timeout=60_000)


def test_a_link_that_names_no_photo_says_so_and_offers_a_game(visit):
    page = visit("?guess=a%3Dnone.jpg%26b%3Dheron.jpg%26parts%3Da1", state=None)
    page.page.wait_for_selector(".quiz[data-state=error]", timeout=60_000)
    assert "a photo that is not here" in words(page, "error")
    page.page.click(".quiz-error button")
    page.page.wait_for_selector(ASKING, timeout=60_000)


def test_photos_of_ones_own_are_asked_about_here_and_not_linked(visit, examples, tmp_path):
    names = []
    for name in ("cat", "kitten", "red-panda"):
        names.append(tmp_path / f"my {name}.jpg")
        names[-1].write_bytes((examples / f"{name}.jpg").read_bytes())
    page = visit()
    page.upload("a", names[0])
    page.page.locator("#viewer [data-role=frame-a]").click()
    page.page.click("#viewer button:has-text('Make this a question')")
    page.page.wait_for_selector(".quiz-made:has-text('Photos of yours are not kept')")
    assert page.page.locator("[data-link]").count() == 0
    page.page.click("text=Ask it here")
    page.page.wait_for_selector(ASKING, timeout=60_000)
    assert words(page, "count") == "One question"
    guess(page)
    page.page.select_option(".quiz-settings select >> nth=0", "own")
    page.page.wait_for_selector(".quiz-error:has-text('at least 2 photos')", timeout=60_000)
    page.page.set_input_files("#guess-files input[type=file]", names)
    page.page.wait_for_selector(ASKING, timeout=60_000)
    assert "the marked part of" in words(page, "question")


def test_of_two_choices_the_newer_is_played(visit):
    page = open_tab(visit)
    page.page.evaluate(
        """() => {
          const source = document.querySelector('.quiz-settings select');
          for (const value of ['examples', 'built-in', 'own', 'built-in']) {
            source.value = value;
            source.dispatchEvent(new Event('change'));
          }
        }"""
    )
    page.page.wait_for_selector(ASKING, timeout=60_000)
    page.page.wait_for_timeout(1500)  # what was asked for before might come now
    assert page.page.get_attribute(".quiz", "data-source") == "built-in"
    assert "the marked part of" in words(page, "question")  # that of an example has a name
    assert words(page, "count") == "Round 1 of 10"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1366])
def test_axe_finds_nothing_serious_in_a_game(visit, scheme, width):
    page = open_tab(visit, viewport={"width": width, "height": 900}, color_scheme=scheme)
    for _ in range(2):  # a part, two pairs
        page.page.wait_for_selector(ASKING, timeout=60_000)
        assert findings(page.page) == []
        guess(page)
        assert findings(page.page) == []
        assert page.page.evaluate("document.documentElement.scrollWidth") <= width
        page.page.click(".quiz-next")
