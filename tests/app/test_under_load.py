"""Many visitors at once: nobody waits for somebody else's abandoned question, and everybody gets his own answer."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
from launching import launched
from visiting import Visitor, endpoint, events_of, tiny_photo

from app.galleries import Galleries
from app.lanes import LANES
from app.page import MOST_WAITING
from app.service import Explorer
from diml_core.errors import InputError

CNN = "efficientnet-lite0"
OTHER = "efficientnet-lite0-imagenet"


@pytest.fixture(scope="module")
def explorer():
    return Explorer()


@pytest.fixture(scope="module")
def galleries(explorer, tmp_path_factory):
    return Galleries(explorer, tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="module")
def page(explorer, galleries):
    with launched(explorer, galleries) as page:
        yield page


@pytest.fixture
def visit(page):
    visitors = []

    def arrive():
        visitors.append(Visitor(page.local_url))
        return visitors[-1]

    yield arrive
    for visitor in visitors:
        visitor.leave()


@pytest.fixture
def passes(explorer):
    """Forward passes of the network so far, a list to count."""
    done = []
    hook = explorer.model(CNN).register_forward_hook(lambda *_: done.append(1))
    yield done
    hook.remove()


def compare(visitor, config, *seeds, grid=4):
    photos = [visitor.upload(tiny_photo(seed)) for seed in seeds]
    return visitor.call(
        endpoint(config, "compare"), [*photos, CNN, grid, *[None] * 6, "full", False]
    )[0]


def cover_question(config, number):
    pair = next(
        c["props"]["value"] for c in config["components"] if c["props"].get("elem_id") == "viewer"
    )
    return {
        "id": number,
        "model": CNN,
        "digests": [pair[side]["digest"] for side in "ab"],
        "options": {"grid": 8},
        "side": "a",
        "parts": [0],
        "cover": "grey",
    }


def test_a_cover_of_the_first_pair_is_answered_with_its_progress(visit):
    visitor = visit()
    config = visitor.config()
    number = events_of(config, "viewer", "cover")[0]
    assert visitor.ask(number, [], cover_question(config, 3)).status_code == 200
    messages = list(visitor.messages())
    assert any(m["msg"] == "process_generating" for m in messages)
    *_, last = (m for m in messages if m["msg"] == "process_completed")
    assert last["success"]
    (answer,) = visitor.call(number, [], cover_question(config, 4))
    assert answer["id"] == 4
    assert answer["answer"]["before"]["similarity"] != answer["answer"]["after"]["similarity"]


def test_covers_that_were_left_do_not_hold_up_a_comparison(visit, page, passes):
    config = visit().config()
    number = events_of(config, "viewer", "cover")[0]
    for k in range(40):
        leaving = visit()
        assert leaving.ask(number, [], cover_question(config, k)).status_code == 200
        stream = leaving.http.stream(
            "GET", "/gradio_api/queue/data", params={"session_hash": leaving.session}
        )
        with stream as response:  # opened and closed, as by a tab
            next(response.iter_lines())
    before = len(passes)
    staying = visit()
    assert compare(staying, config, 101, 102)["model"] == CNN
    # Two of its own, and one of each cover that was under way while it waited, not up to five of forty.
    assert len(passes) - before <= 2 + 10
    deadline = time.monotonic() + 30
    while len(page._queue) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert len(page._queue) == 0
    assert len(passes) - before < 40


def test_two_visitors_at_once_get_their_own_answers(visit):
    config = visit().config()

    def one(k):
        visitor = visit()
        alone = compare(visitor, config, k, k + 50)
        return [compare(visitor, config, k, k + 50, grid=g)["grid"] for g in (2, 3, 5)], alone

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(one, range(8)))
    for k, (grids, answer) in enumerate(results):
        assert grids == [{"a": [g, g], "b": [g, g]} for g in (2, 3, 5)]
        again = compare(visit(), config, k, k + 50)
        assert again["similarity"] == answer["similarity"]
    assert len({answer["similarity"] for _, answer in results}) == 8


def test_preparing_a_gallery_does_not_hold_up_a_comparison(visit, explorer, galleries, passes):
    config = visit().config()
    model = explorer.model(OTHER)
    embedding = threading.Event()
    hook = model.register_forward_hook(lambda *_: embedding.set())
    builder = threading.Thread(target=galleries.build, args=(OTHER,), daemon=True)
    builder.start()
    assert embedding.wait(60)
    searching = visit()
    search = events_of(config, "results", "again")[0]
    waiting = searching.call(search, [None, OTHER, "built-in", None])[0]
    assert "is being prepared" in waiting["preparing"]
    assert " of " in waiting["preparing"]
    with pytest.raises(InputError, match="being prepared"):
        galleries.built_in(OTHER)
    assert compare(visit(), config, 201, 202)["model"] == CNN
    assert builder.is_alive()  # the comparison did not wait for its end
    hook.remove()
    builder.join(240)
    photo = searching.upload(tiny_photo(1))
    found = searching.call(search, [photo, OTHER, "built-in", None])[0]
    assert len(found["items"]) >= 10
    thumbnail = found["items"][0]["thumbnail"]
    answer = searching.http.get(thumbnail)
    assert answer.headers["content-type"] == "image/jpeg"


def test_a_full_queue_is_told_in_a_sentence(visit, explorer, page):
    config = visit().config()
    number = endpoint(config, "compare")
    visitors = [visit() for _ in range(4)]
    photo = visitors[0].upload(tiny_photo(300))
    data = [photo, photo, CNN, *[None] * 7, "summary", False]
    with ExitStack() as stack:
        for _ in range(LANES):  # nothing gets done meanwhile
            stack.enter_context(explorer._network)
        fresh = visitors[0].upload(tiny_photo(301))
        refused = [
            visitors[k % 4].ask(number, [fresh, *data[1:]]) for k in range(MOST_WAITING + 10)
        ]
    codes = [answer.status_code for answer in refused]
    assert codes.count(200) >= MOST_WAITING
    assert set(codes) == {200, 503}
    full = next(answer for answer in refused if answer.status_code == 503)
    assert "full" in full.json()["detail"]
