"""The Retrieve tab in a real browser: built-in and own galleries, both orders, and the pair behind a result."""

import json
import re
import shutil
import time
from datetime import timedelta

import gradio as gr
import pytest
from gradio.state_holder import StateHolder
from PIL import Image
from visiting import busy

from app import files
from app.galleries import MOST_UPLOADS, Galleries, photo_of, search_payload
from app.inputs import Upload
from app.result_pairs import captions, items_of
from app.service import Explorer
from app.tabs import retrieve
from diml_core.errors import InputError

# Texts and buttons of the results that lie on each other, by more than the slack of a line's height.
OVERLAPS = """() => {
  const all = [...document.querySelectorAll('.found-head, .found-rank, .found-name, .found-scores, .found-move, .found-ask, .mistakes-words')];
  const boxes = all.map((e) => [e.textContent, e.getBoundingClientRect()]).filter(([, box]) => box.width);
  return boxes.flatMap(([text, a], k) => boxes.slice(k + 1).filter(([, b]) =>
    Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1 && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 3
  ).map(([other]) => [text, other])); }"""


@pytest.fixture(scope="module")
def explorer():
    return Explorer()


@pytest.fixture(scope="module")
def gallery(explorer, tmp_path_factory):
    return Galleries(explorer, tmp_path_factory.mktemp("cache")).build("efficientnet-lite0")


def open_tab(visit):
    page = visit()
    page.page.click("role=tab[name='Retrieve']")
    page.page.click("#retrieve-model label:has-text('EfficientNet')")
    return page


def wait_for_results(page, state="ready"):
    page.page.wait_for_selector(f".found[data-state={state}]", timeout=90_000)


def ranks(page, order):
    return [
        int(t) for t in page.page.locator(f"[data-order={order}] .found-rank").all_text_contents()
    ]


def search(page, number):
    """The results of a query of the strip."""
    page.page.locator("#queries button").nth(number).click()
    wait_for_results(page)


def wait_for_pairs(page, count):
    """Until that many pairs are shown, and the page has gone there."""
    page.page.wait_for_function(
        """(count) => {
          const shown = [...document.querySelectorAll('#result-viewers .diml[data-state=ready]')];
          return shown.length === count && document.activeElement.id === 'back';
        }""",
        arg=count,
        timeout=30_000,
    )


def test_a_query_gives_both_orders_and_a_pair(visit):
    page = open_tab(visit)
    search(page, 0)
    for order, name in (("global", "global"), ("diml", "overall")):
        assert ranks(page, order) == list(range(1, 11))
        column = page.page.locator(f"[data-order={order}]")
        scores = column.locator(".found-score").all_text_contents()
        assert [float(s) for s in scores] == sorted(map(float, scores), reverse=True)
        ranked_by = column.locator(".found-scores > span:has(.found-score)").all_text_contents()
        assert all(text.startswith(f"{name} ") for text in ranked_by)
        assert column.get_attribute("aria-label") == f"Ranked by {name} similarity"
    assert page.page.locator(".found-lines path").count() >= 10
    page.page.locator("[data-order=diml] .found-open").first.click()
    wait_for_pairs(page, 1)
    total = float(page.page.text_content("#result-viewer .diml-total"))
    listed = float(page.page.locator("[data-order=diml] .found-score").first.text_content())
    assert total == pytest.approx(listed, abs=0.3)  # stored as float16, and rounded twice
    page.shot("retrieve")


def test_a_photo_has_the_same_two_scores_and_the_same_move_in_both_columns(visit):
    page = open_tab(visit)
    search(page, 2)
    both = page.page.evaluate(
        """() => [...document.querySelectorAll('[data-order=global] li')].flatMap((left) => {
          const right = document.querySelector(`[data-order=diml] li[data-photo="${left.dataset.photo}"]`);
          const of = (line) => [line.querySelector('.found-scores').textContent,
                                line.querySelector('.found-move').textContent.match(/up \\d+|down \\d+|same place/)[0]];
          return right ? [[of(left), of(right)]] : [];
        })"""
    )
    assert both
    for left, right in both:
        assert left == right
    gone = page.page.locator("[data-order=global] .found-crossing").all_text_contents()
    come = page.page.locator("[data-order=diml] .found-crossing").all_text_contents()
    assert gone == ["leaves these 10"] * (10 - len(both))
    assert come == ["new here"] * (10 - len(both))


def test_why_is_asked_of_risers_only_and_shows_whom_they_overtook(visit):
    page = open_tab(visit)
    search(page, 2)
    rows = page.page.locator("[data-order=diml] li")
    risers = rows.filter(has=page.page.locator(".found-up"))
    assert 0 < risers.count() < 10
    assert page.page.locator(".found-ask").count() == risers.count()
    assert risers.locator(".found-ask").count() == risers.count()
    ask = page.page.locator(".found-ask").first
    names = [image.get_attribute("alt") for image in ask.locator("img").all()]
    assert len(set(names)) == 2
    ask.click()
    wait_for_pairs(page, 2)
    captions = page.page.locator("#result-viewers [data-role=caption]").all_text_contents()
    totals = []
    for caption, name in zip(captions, names, strict=True):
        assert caption.startswith(f"{name}, from place ")
        total, whole, parts = map(float, re.findall(r"(?<![+−])\b\d+\.\d\b", caption)[:3])
        assert total == pytest.approx(whole + parts, abs=1e-9)
        totals.append(total)
    assert totals[0] >= totals[1]
    page.shot("retrieve-why")


def test_an_opened_pair_leaves_the_list_and_back_returns_to_the_same_place(visit):
    page = open_tab(visit)
    search(page, 2)
    last = page.page.locator("[data-order=diml] .found-open").last
    last.focus()
    last.scroll_into_view_if_needed()
    before = last.bounding_box()["y"]
    page.page.keyboard.press("Enter")
    wait_for_pairs(page, 1)
    assert ranks(page, "diml") == list(range(1, 11))
    pair = page.page.locator("#result-pair").bounding_box()
    assert pair["y"] + pair["height"] <= page.page.locator("#results").bounding_box()["y"]
    page.page.keyboard.press("Enter")  # the way back has the focus
    page.page.wait_for_selector("#result-viewers .diml", state="detached")
    page.page.wait_for_function("() => document.activeElement.matches('.found-open')")
    assert last.evaluate("node => node === document.activeElement")
    page.page.wait_for_timeout(200)
    assert last.bounding_box()["y"] == pytest.approx(before, abs=2)


def test_a_photo_that_has_the_focus_is_lit_in_both_columns(visit):
    page = open_tab(visit)
    search(page, 0)
    first = page.page.locator("[data-order=global] .found-open").first
    first.focus()
    photo = page.page.locator("[data-order=global] li").first.get_attribute("data-photo")
    lit = page.page.locator(".found .found-lit")
    shown = page.page.locator(f".found [data-photo='{photo}']").count()
    assert [each.get_attribute("data-photo") for each in lit.all()] == [photo] * shown
    first.blur()
    assert lit.count() == 0


def test_what_re_ranking_fixes_and_breaks_opens_as_a_search_and_its_pairs(visit):
    page = open_tab(visit)
    page.page.wait_for_selector(".mistakes[data-state=ready]", timeout=300_000)
    counted = re.search(
        r"fixes (\w+) and breaks (\w+)", page.page.text_content(".mistakes-summary")
    )
    rows = page.page.locator(".mistakes li")
    lists = page.page.locator(".mistakes ul")
    assert [str(lists.nth(k).locator("li").count()) for k in range(2)] == list(counted.groups())
    row = rows.first
    names = row.locator(".mistakes-words > span").all_text_contents()
    query, before, after = (name.removeprefix("✗ ").removeprefix("✓ ") for name in names)
    row.locator("button").click()
    wait_for_pairs(page, 2)
    wait_for_results(page)
    for order, name in (("global", before), ("diml", after)):
        first = page.page.locator(f"[data-order={order}] .found-name").first.text_content()
        assert first.removeprefix("✓ ") == name
    assert query.split()[0] in page.page.text_content(".found-summary")
    page.page.click("#back")
    page.page.wait_for_selector("#result-viewers .diml", state="detached")
    page.page.wait_for_function("() => document.activeElement.closest('.mistakes li') !== null")
    page.shot("retrieve-mistakes")
    page.page.click("#gallery-source label:has-text('Your photos')")
    page.page.wait_for_selector(".mistakes[data-state=empty]", state="attached")


def test_a_gallery_of_ones_own(visit, examples, tmp_path):
    files = []
    for name in ("cat.jpg", "kitten.jpg", "rocket.jpg", "heron.jpg"):
        files.append(shutil.copy(examples / name, tmp_path / f"<b>{name}"))
    (tmp_path / "broken.jpg").write_bytes(b"no picture")
    page = open_tab(visit)
    page.page.click("#gallery-source label:has-text('Your photos')")
    page.page.wait_for_selector("#gallery-files input[type=file]", state="attached")
    page.page.set_input_files("#gallery-files input[type=file]", [*files, tmp_path / "broken.jpg"])
    page.page.locator("#queries button[data-photo='cat.jpg']").click()
    page.page.wait_for_function(
        "() => document.querySelector('.found-summary')?.textContent.startsWith('4 photos')",
        timeout=90_000,
    )
    assert page.page.locator("[data-order=diml] li").count() == 3  # without the query itself
    name = page.page.locator("[data-order=diml] .found-name").first
    assert "kitten" in name.text_content()
    assert name.locator("b").count() == 0  # a name is text, not markup
    assert page.page.locator(".found-crossing").count() == 0  # nothing but these three to leave for


def test_an_error_stands_above_the_last_results_and_does_not_erase_them(visit):
    page = open_tab(visit)
    search(page, 0)
    page.page.click("#query button:is([aria-label='Clear'], [aria-label='Remove Image'])")
    wait_for_results(page, "empty")
    assert not page.page.is_visible(".found-body")  # nothing was asked: nothing is shown
    search(page, 2)
    page.page.locator("[data-order=diml] .found-open").first.click()
    wait_for_pairs(page, 1)
    rows = page.page.locator(".found-body").text_content()
    page.page.click("#gallery-source label:has-text('Your photos')")
    wait_for_results(page, "error")
    error, body = page.page.locator(".found-error"), page.page.locator(".found-body")
    assert "Upload the photos to search in first" in error.text_content()
    assert body.text_content() == rows
    assert body.is_visible()
    assert page.page.locator("#result-viewer .diml").is_visible()
    assert error.bounding_box()["y"] < body.bounding_box()["y"]
    page.page.set_viewport_size({"width": 1200, "height": 900})
    page.page.wait_for_timeout(200)
    assert page.page.locator(".found-lines path").count() >= 10  # redrawn, without a failure
    page.page.click("#gallery-source label:has-text('Built-in')")
    wait_for_results(page)
    assert not error.is_visible()


def test_a_query_chosen_while_a_mistake_is_searched_for_stays_chosen(visit, server):
    page = open_tab(visit)
    page.page.wait_for_selector(".mistakes[data-state=ready]", timeout=300_000)
    with busy(server, "search", lambda photo: [photo, "dinov2-s14", 10]) as is_busy:
        page.page.locator(".mistakes li button").first.click()
        page.page.wait_for_selector("#query img")  # at once, whoever else asks
        page.page.click("#queries button[data-photo='cat.jpg']")
        page.page.wait_for_selector("#query img[src$='/cat.jpg']")
        assert is_busy()
        wait_for_results(page)
    page.page.wait_for_timeout(1500)  # whatever was asked before has been answered by now
    assert page.page.get_attribute("#query img", "src").endswith("/cat.jpg")
    # Of what a cat alone shows no kind is known; of the photo of a mistake it is.
    assert page.page.text_content("[data-recall=diml]") == ""
    assert page.page.locator("#result-viewers .diml").count() == 0


def test_search_needs_photos_to_search_in(visit):
    page = open_tab(visit)
    page.page.click("#gallery-source label:has-text('Your photos')")
    page.page.locator("#queries button").nth(0).click()
    wait_for_results(page, "error")
    assert "Upload the photos to search in first" in page.page.text_content(".found-error")


def test_a_phone_shows_both_orders(visit):
    page = visit(viewport={"width": 360, "height": 780}, has_touch=True, is_mobile=True)
    page.page.click("role=tab[name='Retrieve']")
    page.page.click("#retrieve-model label:has-text('EfficientNet')")
    page.page.locator("#queries button").nth(0).click()
    wait_for_results(page)
    assert page.page.evaluate("document.documentElement.scrollWidth") <= 360
    assert page.page.evaluate(OVERLAPS) == []
    page.shot("retrieve-phone")


def test_the_payload_is_the_gallerys_answer(explorer, gallery, examples):
    payload = search_payload(explorer, gallery, "efficientnet-lite0", examples / "cat.jpg")
    found = [r for r in gallery.search(examples / "cat.jpg") if r.path.name != "cat.jpg"]
    items = sorted(payload["items"], key=lambda item: item["rank"])
    assert [item["similarity"] for item in items][:10] == [r.similarity for r in found][:10]
    for item in items:
        total = (item["global"] + item["structural"]) / 2
        assert item["similarity"] == pytest.approx(total, abs=1e-6)
    assert photo_of(gallery, items[0]["photo"]) == found[0].path


def test_a_thumbnail_is_as_sharp_as_the_screen(explorer, gallery, examples):
    payload = search_payload(explorer, gallery, "efficientnet-lite0", examples / "cat.jpg")
    for item in payload["items"]:
        place = item["thumbnail"].removeprefix("/gradio_api/file=")
        photo = photo_of(gallery, item["photo"])
        with Image.open(place) as small, Image.open(photo) as large:
            # 80 px wide on the page, cut to 80 x 62: two pixels for each, as far as the photo has them.
            assert min(small.size) >= min(2 * 62, *large.size)


def test_photos_are_called_what_people_call_them(explorer, gallery, examples):
    payload = search_payload(
        explorer, gallery, "efficientnet-lite0", examples / "scenes" / "chemparathi" / "00.jpg"
    )
    assert "“pink hibiscus”" in payload["summary"]
    assert {item["label"] for item in payload["items"] if item["same"]} & {
        f"pink hibiscus {number:02}" for number in (1, 2, 3)
    }


def test_every_name_is_of_a_kind_in_the_gallery_and_its_own(examples):
    names = json.loads((examples / "names.json").read_text(encoding="utf-8"))
    kinds = {folder.name for folder in (examples / "scenes").iterdir() if folder.is_dir()}
    assert set(names) <= kinds
    called = [names.get(kind, kind) for kind in kinds]
    assert len(set(called)) == len(called)


def test_photos_of_one_kind_have_names_of_their_own(explorer, gallery, examples):
    scene = sorted((examples / "scenes").glob("*/*.jpg"))[5]
    payload = search_payload(explorer, gallery, "efficientnet-lite0", scene)
    labels = [item["label"] for item in payload["items"]]
    assert len(set(labels)) == len(labels)
    assert payload["query"] == scene.relative_to(examples).as_posix()


def test_a_pair_says_what_moved_it():
    riser = {
        "label": "new",
        "rank": 1,
        "globalRank": 3,
        "similarity": 0.7,
        "global": 0.6,
        "structural": 0.8,
    }
    other = {
        "label": "old",
        "rank": 2,
        "globalRank": 1,
        "similarity": 0.65,
        "global": 0.7,
        "structural": 0.6,
    }
    first, second = captions([riser, other])
    assert first["title"] == "new, from place 3 up to 1"
    assert "70.0 points = 30.0 by the whole photo + 40.0 by the parts" in first["text"]
    assert "−5.0 by the whole photo, +10.0 by the parts, together +5.0" in first["text"]
    assert second["title"] == "old, from place 1 down to 2"
    assert captions([riser | {"globalRank": 1}])[0]["title"] == "new, place 1 in both orders"


def test_only_results_are_opened_and_at_most_two():
    found = {
        "items": [{"photo": key, "rank": n, "globalRank": n} for n, key in enumerate("abc", 1)]
    }
    assert [item["photo"] for item in items_of(found, "c a")] == ["c", "a"]
    for keys in ("", "a b c", "d", "a d"):
        with pytest.raises(InputError, match="not among these results"):
            items_of(found, keys)


def test_recall_is_shown_where_classes_are_known(explorer, gallery, examples):
    scene = sorted((examples / "scenes").glob("*/*.jpg"))[5]
    payload = search_payload(explorer, gallery, "efficientnet-lite0", scene)
    siblings = len(list(scene.parent.glob("*.jpg"))) - 1
    first_ten = [item for item in payload["items"] if item["rank"] <= 10]
    hits = sum(item["same"] for item in first_ten)
    assert f"{hits} of {siblings} of its kind in the first 10" in payload["recall"]["diml"]
    assert ("First result right" in payload["recall"]["diml"]) == first_ten[0]["same"]
    unknown = search_payload(explorer, gallery, "efficientnet-lite0", examples / "cat.jpg")
    assert unknown["recall"] is None


@pytest.mark.parametrize("key", ["", "../../etc/passwd", "0" * 16])
def test_only_photos_of_the_gallery_can_be_opened(gallery, key):
    with pytest.raises(InputError, match="not in this gallery"):
        photo_of(gallery, key)


def test_too_many_or_no_photos_are_refused(explorer, tmp_path):
    galleries = Galleries(explorer, tmp_path)
    file = tmp_path / "one.jpg"
    Image.new("RGB", (40, 40)).save(file)
    here = left_behind()
    with pytest.raises(InputError, match="Choose photos first"):
        galleries.of_uploads([], "efficientnet-lite0")
    with pytest.raises(InputError, match=str(MOST_UPLOADS)):
        galleries.of_uploads([Upload(file, None)] * (MOST_UPLOADS + 1), "efficientnet-lite0")
    (tmp_path / "text.jpg").write_text("text")
    with pytest.raises(InputError, match="None of these files is a photo"):
        galleries.of_uploads([Upload(tmp_path / "text.jpg", None)], "efficientnet-lite0")
    assert left_behind() == here


def test_a_gallery_goes_when_its_visitor_has_gone_and_says_so(explorer, tmp_path):
    galleries = Galleries(explorer, tmp_path)
    file = tmp_path / "one.jpg"
    Image.new("RGB", (40, 40), "red").save(file)
    steps = []
    folder = galleries.of_uploads(
        [Upload(file, None)] * 2, "efficientnet-lite0", lambda *step: steps.append(step)
    )
    assert steps[-1] == (2, 2)
    found = galleries.open(folder, "efficientnet-lite0").search(file)
    assert len(found) == 2
    files.sweep(time.time() + 2 * files.KEEP_SECONDS)
    assert not folder.exists()
    with pytest.raises(InputError, match="no longer here"):
        galleries.open(folder, "efficientnet-lite0")


def test_a_gallery_that_is_in_use_stays_however_long_ago_it_was_made(explorer, tmp_path):
    galleries = Galleries(explorer, tmp_path)
    file = tmp_path / "one.jpg"
    Image.new("RGB", (40, 40), "red").save(file)
    folder = galleries.of_uploads([Upload(file, None)], "efficientnet-lite0")
    with gr.Blocks() as page, gr.Tab() as tab:
        retrieve.build(explorer, galleries, "cover", tab)
    states = (block for block in page.blocks.values() if isinstance(block, gr.State))
    (uploaded,) = (state for state in states if state.delete_callback is retrieve._forget)
    sessions = StateHolder()
    sessions.set_blocks(page)
    sessions["visitor"][uploaded._id] = str(folder)
    kept, made = sessions["visitor"]._state_ttl[uploaded._id]
    long_ago = made - timedelta(seconds=2 * files.KEEP_SECONDS)
    sessions["visitor"]._state_ttl[uploaded._id] = (kept, long_ago)
    galleries.open(folder, "efficientnet-lite0")
    sessions.delete_all_expired_state()
    files.sweep()
    assert sessions["visitor"][uploaded._id] == str(folder)
    assert len(galleries.open(folder, "efficientnet-lite0")) == 1


def left_behind():
    return {path for name in files.MOST_BYTES for path in (files.root() / name).iterdir()}


def test_a_gallery_that_cannot_be_built_says_why(explorer, tmp_path, monkeypatch):
    galleries = Galleries(explorer, tmp_path)
    reason = "There is no room here."

    def fail(name):
        raise InputError(reason)

    monkeypatch.setattr(galleries, "build", fail)
    galleries.build_ahead()
    galleries._builder.join(30)
    with pytest.raises(InputError, match=reason):
        galleries.built_in("efficientnet-lite0")
