"""The Retrieve tab in a real browser: built-in and own galleries, both orders, and the pair behind a result."""

import re
import shutil
import time
from datetime import timedelta

import gradio as gr
import pytest
from gradio.state_holder import StateHolder
from PIL import Image

from app import files
from app.galleries import MOST_UPLOADS, Galleries, photo_of, search_payload
from app.inputs import Upload
from app.service import Explorer
from app.tabs import retrieve
from diml_core.errors import InputError

# Texts and buttons of the results that lie on each other, by more than the slack of a line's height.
OVERLAPS = """() => {
  const all = [...document.querySelectorAll('.found b, .found small, .found-rank, .found-up, .found-down, .found-ask')];
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


def test_a_query_gives_both_orders_and_a_pair(visit):
    page = open_tab(visit)
    page.page.locator("#queries button").nth(0).click()
    wait_for_results(page)
    for order in ("global", "diml"):
        assert ranks(page, order) == list(range(1, 11))
        scores = page.page.locator(f"[data-order={order}] .found-text b").all_text_contents()
        assert [float(s) for s in scores] == sorted(map(float, scores), reverse=True)
    assert page.page.locator(".found-lines path").count() >= 10
    page.page.locator("[data-order=diml] .found-open").first.click()
    page.page.wait_for_selector("#result-viewer .diml[data-state=ready]", timeout=30_000)
    total = float(page.page.text_content("#result-viewer .diml-total"))
    listed = float(page.page.locator("[data-order=diml] .found-text b").first.text_content())
    assert total == pytest.approx(listed, abs=2e-3)  # stored as float16
    page.shot("retrieve")


def test_why_one_overtook_another(visit):
    page = open_tab(visit)
    for k in range(5):
        page.page.locator("#queries button").nth(k).click()
        page.page.wait_for_timeout(1500)
        wait_for_results(page)
        if page.page.locator(".found-ask").count():
            break
    page.page.locator(".found-ask").first.click()
    sums = page.page.locator(".found-sum p").all_text_contents()
    assert len(sums) == 2
    for text in sums:
        total, global_part, structural_part = map(float, re.findall(r"\d\.\d{4}", text))
        assert total == pytest.approx(global_part + structural_part, abs=2e-4)
    winner, loser = (float(re.search(r"\d\.\d{4}", text).group()) for text in sums)
    assert winner > loser
    page.shot("retrieve-why")


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
    assert (
        page.page.locator("[data-order=diml] li").count() == 4
    )  # a title, and 3 beside the query itself
    first = page.page.locator("[data-order=diml] .found-text small").first.text_content()
    assert "kitten" in first
    assert page.page.locator("[data-order=diml] small b").count() == 0  # a name is text, not markup


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


def test_recall_is_shown_where_classes_are_known(explorer, gallery, examples):
    scene = sorted((examples / "scenes").glob("*/*.jpg"))[5]
    payload = search_payload(explorer, gallery, "efficientnet-lite0", scene)
    siblings = len(list(scene.parent.glob("*.jpg"))) - 1
    first_ten = [item for item in payload["items"] if item["rank"] <= 10]
    hits = sum(item["same"] for item in first_ten)
    assert f"{hits} of {siblings} of its class in the first 10" in payload["recall"]["diml"]
    assert ("first result right" in payload["recall"]["diml"]) == first_ten[0]["same"]
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
    (uploaded,) = (block for block in page.blocks.values() if isinstance(block, gr.State))
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
