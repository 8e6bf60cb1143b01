"""What strangers send: a sentence comes back, nothing is fetched, told or left behind."""

import json
import logging
import os
import socket
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from launching import launched
from visiting import Visitor, endpoint, events_of, tiny_photo

from app import files
from app.door import MOST_JSON
from app.galleries import Galleries
from app.service import Explorer
from diml_core.photo.images import DEFAULT_LIMITS, load_photo

ROOT = Path(__file__).resolve().parents[2]
CNN = "efficientnet-lite0"
CALLS = 25  # in one example; times 48 examples, 1,200
TELLTALE = ("Traceback", 'File "', "site-packages", str(ROOT), "root:x:0", "Error(", "Exception")
PATHS = [
    "/etc/passwd", "../../etc/passwd", "app.py", "a\0b", "/proc/self/environ", "", ".", "x" * 5000, "<img src=x>",
    "http://example.com/a.jpg", "https://example.com/a.jpg", "HTTP://127.0.0.1:1/", "ftp://example.com/a",
    "file:///etc/passwd", "data:image/png;base64,AAAA", "data:,é", "assets/examples/heron.jpg",
]  # fmt: skip


@pytest.fixture(scope="module")
def outside():
    """Addresses beyond this machine that anything in this process asked for."""
    asked, real, resolve = [], socket.socket.connect, socket.getaddrinfo

    def is_here(host):
        return host in ("127.0.0.1", "::1", "localhost", "0.0.0.0", None, "")

    def connect(self, address):
        if isinstance(address, tuple) and not is_here(address[0]):
            asked.append(address)
            raise OSError("no network in this test")
        return real(self, address)

    def getaddrinfo(host, *rest, **more):
        if not is_here(host):
            asked.append(host)
            raise OSError("no network in this test")
        return resolve(host, *rest, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", connect)
        patch.setattr(socket, "getaddrinfo", getaddrinfo)
        yield asked


@pytest.fixture(scope="module")
def page(outside, tmp_path_factory):
    """The app in this process, without the built-in gallery, which takes a while."""
    explorer = Explorer()
    galleries = Galleries(explorer, tmp_path_factory.mktemp("cache"))
    with launched(explorer, galleries) as page:
        yield page


@pytest.fixture
def noted(caplog):
    """What the app and its server logged."""
    caplog.set_level(logging.WARNING)
    return caplog


def left_behind():
    return {path for name in files.MOST_BYTES for path in (files.root() / name).iterdir()}


def is_clean(text):
    return not [word for word in TELLTALE if word in text]


leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 40),
    st.sampled_from([10**400, -(10**30), 1e308, float("nan"), float("inf"), 0.5, "", "a", CNN, "dinov2-s14", "product"]),
    st.sampled_from(PATHS),
    st.text(max_size=8),
)  # fmt: skip
KEYS = ["path", "url", "orig_name", "meta", "_type", "size", "id", "side", "parts", "cover", "model", "digests",
        "rivals", "rival", "options", "grid", "pair", "photo", "query", "value", "__type__", "is_stream"]  # fmt: skip
junk = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.sampled_from(KEYS), inner, max_size=4)
    ),
    max_leaves=8,
)


def compare_values(a, b, grid=None):
    return [a, b, CNN, grid, *[None] * 6, "summary", False]


def file_data(path):
    return {"path": path, "meta": {"_type": "gradio.FileData"}, "orig_name": "<b>x</b>.png"}


def test_a_thousand_calls_end_in_answers_or_sentences(page, outside, noted, capfd):
    first = Visitor(page.local_url)
    config = first.config()
    kinds = {c["id"]: c["type"] for c in config["components"]}
    questions = [{"model": CNN, "digests": ["0" * 64] * 2, "options": {}, "side": "a", "parts": [0], "cover": "grey"},
                 {"model": CNN, "digests": ["0" * 64] * 2, "options": {}, "side": "a", "rivals": ["random", "marginals"],
                  "cover": "blur"}, {"model": CNN, "digests": ["0" * 64] * 2, "options": {}, "rival": "grad-cam"}, {"id": 1},
                 {"source": "examples", "model": CNN, "kind": "part", "seen": []}, {"source": "own", "model": CNN, "kind": "pair", "seen": []},
                 {"link": "a=heron.jpg&b=harrier.jpg&parts=a90"}, {"pair": "herons"}, {"photo": "heron.jpg"}, {"query": "a=heron.jpg&b=harrier.jpg&grid=3"}]  # fmt: skip
    photos = [first.upload(tiny_photo(seed)) for seed in range(2)]
    photos.append(first.upload(b"%PDF no photo", "<b>notes.pdf"))
    files_of_others = [file_data(path) for path in PATHS]
    likely = {
        "image": st.sampled_from([*photos, *files_of_others]),
        "file": st.one_of(
            st.lists(st.sampled_from([*photos, *files_of_others]), max_size=3),
            st.sampled_from([200, 201, 1001, 20_000]).map(lambda count: photos[:1] * count),
        ),
        "radio": st.sampled_from([CNN, "uploads", "built-in"]),
        "slider": st.integers(-1, 20),
        "api": st.sampled_from([*photos, *files_of_others, 3, 0.5]),
    }

    @st.composite
    def calls(draw):
        dependency = draw(st.sampled_from(config["dependencies"]))
        data = [
            draw(st.one_of(likely.get(kinds[number], junk), junk))
            for number in dependency["inputs"]
        ]
        if draw(st.integers(0, 9)) == 0:
            data = draw(junk)
        event = draw(st.one_of(st.sampled_from(questions), junk))
        trigger = draw(st.one_of(st.sampled_from([*kinds]), st.integers(-1, 10**6)))
        return dependency["id"], data, event, trigger

    made, answered = [], []

    @settings(
        max_examples=48,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.lists(calls(), min_size=CALLS, max_size=CALLS))
    def send(batch):
        visitor = Visitor(page.local_url)
        visitor.session = first.session if len(made) % 2 else visitor.session
        waiting = 0
        for number, data, event, trigger in batch:
            response = visitor.ask(number, data, event, trigger)
            made.append(number)
            assert response.status_code in (200, 400, 422, 503), response.text
            assert is_clean(response.text), response.text
            waiting += response.status_code == 200
        for message in visitor.messages() if waiting else ():
            if message["msg"] != "process_completed":
                continue
            answered.append(message)
            error = message["output"].get("error")
            assert message["success"] or (isinstance(error, str) and len(error) < 600), message
            assert is_clean(json.dumps(message)), message
        visitor.leave()

    send()
    first.leave()
    assert len(made) >= 1000
    assert len(answered) > len(made) / 2  # the others were refused before the queue
    assert sum(message["success"] for message in answered) > 50
    assert outside == []
    assert not [r.getMessage() for r in noted.records if r.levelno >= logging.ERROR]
    assert "Traceback" not in "".join(capfd.readouterr())
    files.sweep(time.time() + 2 * files.KEEP_SECONDS)
    assert left_behind() <= files._kept


def routes(router):
    for route in router.routes:
        for method in getattr(route, "methods", None) or ():
            yield method, route.path
        if included := getattr(route, "original_router", None):  # of a newer FastAPI
            yield from routes(included)


def test_every_other_way_in_is_closed_or_answers_in_a_sentence(
    page, visitor, outside, noted, capfd
):
    endless = ("/heartbeat", "/upload_progress")
    ways = sorted(set(routes(page.app)))
    assert ("POST", "/gradio_api/component_server") in ways
    for method, path in ways:
        if any(part in path for part in endless) or method not in ("GET", "POST"):
            continue
        for value in ("x", "0", "../../etc/passwd", "http://example.com/", "%00"):
            url = "/".join(
                value if part.startswith("{") else part.split("{")[0] + value * ("{" in part)
                for part in path.split("/")
            )
            answer = visitor.http.request(
                method, url, content=b'{"data": 5}' if method == "POST" else None
            )
            assert answer.status_code != 500, (method, url, answer.text)
            if not answer.headers.get("content-type", "").startswith("text/html"):
                assert is_clean(answer.text), (method, url, answer.text)
    unknown = visitor.http.get("/gradio_api/queue/data", params={"session_hash": "nobody"})
    assert "session_not_found" in unknown.text
    assert outside == []
    assert not [r.getMessage() for r in noted.records if r.levelno >= logging.ERROR]
    assert "Traceback" not in "".join(capfd.readouterr())


@pytest.mark.parametrize("how", ["announced", "in pieces"])
def test_a_body_that_is_too_large_is_not_parsed(visitor, how):
    body = b"x" * (MOST_JSON + 1)
    content = body if how == "announced" else iter([body[: 1 << 20]] * (1 + (MOST_JSON >> 20)))
    answer = visitor.http.post("/gradio_api/queue/join", content=content)
    assert answer.status_code == 413
    assert "4 MiB" in answer.json()["detail"]


def test_what_was_sent_does_not_stay_in_the_state(page, visitor):
    number = endpoint(visitor.config(), "compare")
    long = {"url": "data:image/png;base64," + "A" * (3 << 20)}
    answer = visitor.call(number, compare_values(long, long["url"][: 1 << 19]))
    assert "not an image we can read" in answer
    state = page.app.state_holder[visitor.session]
    kept = [config["props"].get("value") for config in state.config_values.values()]
    before = page.default_config.blocks
    known = [getattr(block, "value", None) for block in before.values()]
    assert max(len(repr(value)) for value in kept) <= max(len(repr(v)) for v in known) + 1000


def test_an_upload_that_is_no_photo_takes_no_room_and_is_refused_by_name(visitor):
    sent = visitor.upload(b"%PDF-1.7" + bytes(1 << 20), "notes.pdf")
    assert os.path.getsize(sent["path"]) == 256
    number = endpoint(visitor.config(), "compare")
    answer = visitor.call(number, compare_values(sent, sent))
    assert "'notes.pdf' is a PDF" in answer


def test_a_photo_is_uploaded_as_it_is(visitor):
    photo = tiny_photo(5)
    assert Path(visitor.upload(photo)["path"]).read_bytes() == photo


def test_more_files_than_anybody_needs_are_not_looked_at(page, visitor):
    config = visitor.config()
    photo = visitor.upload(tiny_photo(6))
    question = {"id": 1, "source": "own", "model": CNN, "kind": "pair", "seen": []}
    (number,) = events_of(config, "guess", "round")
    (answer,) = visitor.call(number, [[photo] * 201, None], question)
    assert "These are 201 files" in answer["error"]
    start = time.monotonic()
    assert "20000 files" in visitor.call(number, [[photo] * 20_000, None], question)
    assert time.monotonic() - start < 5  # Gradio would look each of them up


@pytest.mark.parametrize("key", ["path", "url"])
@pytest.mark.parametrize("address", ["http://example.com/a.jpg", "HTTPS://example.com/a.jpg"])
def test_no_address_is_fetched(page, visitor, outside, key, address):
    photo = {"path": "", key: address, "meta": {"_type": "gradio.FileData"}}
    calls = {
        "compare": compare_values(photo, [photo]),
        "search": [photo, CNN, 10],
        "embed": [photo, CNN, None, True],
    }
    for name, values in calls.items():
        answer = visitor.call(endpoint(visitor.config(), name), values)
        assert isinstance(answer, str)
        assert answer.endswith(".")
    assert visitor.http.get(f"/gradio_api/file={address}").status_code == 404
    assert outside == []


def test_every_endpoint_refuses_what_is_no_photo_by_its_name(visitor):
    sent = visitor.upload(b"%PDF-1.7", "notes.pdf")
    config = visitor.config()
    for name, values in (("search", [sent, CNN, 10]), ("embed", [sent, CNN, None, True])):
        assert "'notes.pdf' is a PDF" in visitor.call(endpoint(config, name), values)
    for model in (None, 5, {}, [], "../../etc", "timm:resnet18"):
        for name, rest in (("search", [10]), ("embed", [None, True])):
            told = visitor.call(endpoint(config, name), [sent, model, *rest])
            assert "no model of that name" in told, (name, model, told)


def test_a_file_name_is_text_in_a_toast(visitor):
    config = visitor.config()
    (number,) = events_of(config, "make-json", "click")
    photo = visitor.upload(b"no photo", "photo.gif") | {"orig_name": "<img src=x>.gif"}
    values = {
        c["id"]: photo if c["type"] == "image" else c["props"].get("value")
        for c in config["components"]
    }
    inputs = next(d["inputs"] for d in config["dependencies"] if d["id"] == number)
    toast = visitor.call(number, [values[each] for each in inputs])
    assert toast.startswith("'&lt;img src=x&gt;.gif' is of an unknown kind")
    plain = visitor.call(endpoint(config, "compare"), compare_values(photo, photo))
    assert plain.startswith("'<img src=x>.gif' is of an unknown kind")  # a program shows text


def test_a_stranger_does_not_learn_whose_photos_were_asked_about(page, visitor):
    config = visitor.config()
    question = {"id": 1, "model": CNN, "options": {}, "side": "a", "parts": [0], "cover": "grey"}
    question |= {"rivals": ["random", "marginals"], "rival": "random"}
    compare = endpoint(visitor.config(), "compare")
    photo = visitor.upload(tiny_photo(7))
    visitor.call(compare, compare_values(photo, photo, grid=2))
    known = load_photo(Path(photo["path"])).digest
    stranger = Visitor(page.local_url)
    for event in ("cover", "rival", "curves"):
        (number,) = events_of(config, "viewer", event)
        answers = [
            stranger.call(number, [], question | {"digests": [digest] * 2})
            for digest in (known, "0" * 64)
        ]
        assert answers[0] == answers[1]
        assert "no longer in memory" in answers[0][0]["error"]


@pytest.mark.parametrize(
    ("size", "ending"), [(17 << 20, ""), (DEFAULT_LIMITS.max_bytes + 1, "\r\n--end--\r\n")]
)
def test_an_upload_that_fails_leaves_nothing_behind(visitor, monkeypatch, size, ending):
    monkeypatch.setattr(files, "_STRAY_SECONDS", -1)
    head = 'content-disposition: form-data; name="files"; filename="a.jpg"'
    body = f"--end\r\n{head}\r\n\r\n".encode() + bytes(size) + ending.encode()
    kind = {"content-type": "multipart/form-data; boundary=end"}
    before = left_behind()
    answer = visitor.http.post("/gradio_api/upload", content=body, headers=kind)
    assert answer.status_code == 413 or answer.json() == []
    until = time.monotonic() + 30
    while (
        left_behind() != before and time.monotonic() < until
    ):  # whoever uploads need not wait for it
        time.sleep(0.05)
    assert left_behind() == before


def test_a_preview_of_an_upload_is_kept_by_browsers(visitor):
    photo = visitor.upload(tiny_photo(11))
    answer = visitor.http.get(f"/gradio_api/file={photo['path']}")
    assert answer.content == tiny_photo(11)
    assert "immutable" in answer.headers["cache-control"]
    other = visitor.upload(tiny_photo(12))["path"]
    assert Path(other).parent != Path(photo["path"]).parent  # the address says what is in it


def test_photos_and_features_are_kept_by_browsers_and_the_page_is_compressed(visitor):
    path = files.by_digest("test.jpg", "cached", lambda: b"\xff\xd8\xff")
    answer = visitor.http.get(files.url(path))
    assert answer.content == b"\xff\xd8\xff"
    assert "immutable" in answer.headers["cache-control"]
    assert visitor.http.get("/").headers["content-encoding"] == "gzip"
