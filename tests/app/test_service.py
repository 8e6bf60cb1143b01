"""What visitors share, under several threads: models, features, files; and what they do not."""

import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from app import files
from app.asking import answering
from app.cover import cover_steps
from app.lanes import LANES, side_by_side
from app.service import Explorer
from diml_core.errors import InputError
from diml_core.explain import explain
from diml_core.network.checkpoints import load_model
from diml_core.photo.images import load_photo

ROOT = Path(__file__).resolve().parents[2]
CNN = "efficientnet-lite0"
VIT = "dinov2-s14"


class Request:
    """What ``gr.Request`` is asked for."""

    def __init__(self, session):
        self.session_hash = session


class Event:
    def __init__(self, data):
        self._data = data


def photo(seed):
    pixels = np.random.default_rng(seed).integers(0, 256, (32, 32, 3), np.uint8)
    return load_photo(Image.fromarray(pixels), name=f"{seed}.png")


@pytest.fixture
def explorer():
    return Explorer()


def question(explorer, session, **changes):
    a, b = photo(1), photo(2)
    for each in (a, b):
        explorer.features(CNN, each, session)
    return {
        "id": 7,
        "model": CNN,
        "digests": [a.digest, b.digest],
        "options": {"grid": 4},
        "side": "a",
        "parts": [5],
        "cover": "grey",
    } | changes


def test_a_photo_that_two_threads_ask_for_goes_through_the_network_once(explorer):
    model, passes = explorer.model(CNN), []
    model.register_forward_hook(lambda *_: passes.append(1))
    with ThreadPoolExecutor(8) as pool:
        maps = [f.map for f in pool.map(lambda _: explorer.features(CNN, photo(1)), range(16))]
    assert len(passes) == 1
    assert all(each is maps[0] for each in maps)


def test_a_failure_reaches_everybody_who_waits_and_is_not_kept(explorer, monkeypatch):
    model = explorer.model(CNN)
    with monkeypatch.context() as patch:
        patch.setattr(model, "extract", lambda photo: 1 / 0)
        for _ in range(2):
            with pytest.raises(ZeroDivisionError):
                explorer.features(CNN, photo(1))
    assert explorer.features(CNN, photo(1)).map.ndim == 3


def test_loading_a_model_does_not_hold_up_another():
    loading, go_on = threading.Event(), threading.Event()

    def slow():
        loading.set()
        assert go_on.wait(30)
        return load_model("efficientnet-lite0-imagenet")

    explorer = Explorer({CNN: lambda: load_model(CNN), "slow": slow})
    explorer.model(CNN)
    loader = threading.Thread(target=explorer.model, args=("slow",))
    loader.start()
    assert loading.wait(30)
    assert explorer.compare(CNN, photo(1), photo(2)).similarity <= 1  # while the other waits
    assert loader.is_alive()
    go_on.set()
    loader.join()


def test_as_many_photos_are_looked_at_at_once_as_there_are_lanes(explorer):
    model, inside, most = explorer.model(CNN), [], []

    def enter(*_):
        inside.append(1)
        most.append(len(inside))
        time.sleep(0.05)

    def leave(*_):
        inside.pop()

    model.backbone.register_forward_pre_hook(enter)
    model.backbone.register_forward_hook(leave)
    with ThreadPoolExecutor(2 * LANES) as pool:
        list(pool.map(lambda seed: explorer.features(CNN, photo(seed)), range(4 * LANES)))
    assert len(most) == 4 * LANES
    assert max(most) == LANES


def test_a_pair_is_looked_at_side_by_side_and_comes_in_its_order(explorer):
    seeds = list(range(6))
    found = explorer.features_of(CNN, [photo(seed) for seed in seeds])
    assert [each.photo.name for each in found] == [f"{seed}.png" for seed in seeds]
    alone = Explorer()
    for seed, each in zip(seeds, found, strict=True):
        expected = alone.features(CNN, photo(seed)).map
        torch.testing.assert_close(each.map, expected, rtol=2**-10, atol=1e-5)


def test_who_asks_is_known_wherever_a_photo_is_looked_at():
    asked = ContextVar("asked", default="nobody")
    asked.set("me")
    assert side_by_side(lambda _: asked.get(), [1, 2, 3]) == ["me"] * 3


def test_of_several_failures_the_first_is_told():
    with pytest.raises(InputError, match=r"'1\.png'"):
        side_by_side(lambda name: load_photo(name), ["1.png", "2.png"])


@pytest.mark.parametrize("threads", [1, 2])
def test_the_lanes_share_the_processors(threads):
    code = (
        "import torch; from app import lanes; found = torch.get_num_threads(); lanes.share_processors(); "
        "print(found, *lanes.side_by_side(lambda _: lanes.LANES * torch.get_num_threads(), [1, 2]))"
    )
    environment = os.environ | {"OMP_NUM_THREADS": str(threads)}
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    found, *taken = map(int, run.stdout.split())
    assert len(taken) == 2, run.stderr
    assert all(found / 2 < each <= found for each in taken)


def test_only_who_has_shown_a_photo_is_told_of_it(explorer):
    shown = photo(1)
    explorer.features(CNN, shown, "one")
    assert explorer.remembered(CNN, shown.digest, "one").photo.digest == shown.digest
    sentences = set()
    for session, digest in (("two", shown.digest), ("two", "0" * 64), (None, shown.digest)):
        with pytest.raises(InputError) as refusal:
            explorer.remembered(CNN, digest, session)
        sentences.add(str(refusal.value))
    assert len(sentences) == 1


def test_everybody_may_ask_about_what_the_page_shows(explorer):
    explorer.publish(photo(1))
    assert explorer.remembered(CNN, photo(1).digest, None).photo.name == "1.png"


def test_covering_tells_its_progress_and_answers(explorer):
    *progress, last = answering(explorer, cover_steps)(
        Event(question(explorer, "me")), Request("me")
    )
    assert [set(each) for each in progress] == [{"id", "progress"}] * 5  # and four other places
    assert {each["id"] for each in (*progress, last)} == {7}
    answer = last["answer"]
    assert answer["photo"].startswith("data:image/jpeg;base64,")
    assert len(answer["controls"]) == 4
    assert answer["before"]["similarity"] != answer["after"]["similarity"]


def test_a_question_that_is_left_stops_at_the_next_forward_pass(explorer):
    asked = question(explorer, "me")
    passes = []
    explorer.model(CNN).register_forward_hook(lambda *_: passes.append(1))
    answers = answering(explorer, cover_steps)(Event(asked), Request("me"))
    next(answers)
    next(answers)
    answers.close()
    assert len(passes) == 1


def test_covering_leaves_the_network_to_others_between_two_passes(explorer):
    answers = answering(explorer, cover_steps)(Event(question(explorer, "me")), Request("me"))
    next(answers)
    next(answers)
    done = ThreadPoolExecutor(1).submit(explorer.features, CNN, photo(3))
    assert done.result(timeout=30).map.ndim == 3


@pytest.mark.parametrize(
    "wrong",
    [
        {"model": "../../etc"},
        {"model": 5},
        {"digests": ["0" * 64]},
        {"digests": [[], {}]},
        {"digests": ["0" * 64] * 2},
        {"options": {"grid": 10**400}},
        {"options": {"colour": 1}},
        {"options": []},
        {"side": "c"},
        {"side": []},
        {"parts": []},
        {"parts": [10**400]},
        {"parts": ["5"]},
        {"parts": "5"},
        {"cover": "paint"},
        {"cover": {}},
    ],
)
def test_a_wrong_question_is_answered_with_one_sentence(explorer, wrong, caplog):
    asked = question(explorer, "me", **wrong)
    (answer,) = answering(explorer, cover_steps)(Event(asked), Request("me"))
    assert answer["id"] == 7
    assert answer["error"].endswith(".")
    assert not caplog.records


@pytest.mark.parametrize("nothing", [None, 5, "cover", [], {}, {"id": {}}])
def test_what_is_no_question_is_answered_too(explorer, nothing, caplog):
    (answer,) = answering(explorer, cover_steps)(Event(nothing), Request("me"))
    assert answer == {"id": None, "error": answer["error"]}
    assert not caplog.records


def test_a_failure_of_ours_is_noted_and_told_in_a_sentence(explorer, monkeypatch, caplog):
    asked = question(explorer, "me")
    monkeypatch.setattr(explorer.model(CNN), "extract", lambda *_: 1 / 0)
    *_, last = answering(explorer, cover_steps)(Event(asked), Request("me"))
    assert "went wrong" in last["error"]
    assert "division" not in last["error"]
    assert "ZeroDivisionError" in caplog.text


def test_a_file_is_written_once_and_its_name_says_nothing():
    calls = []

    def write():
        calls.append(1)
        return b"bytes"

    path = files.by_digest("test.bin", "key", write)
    assert files.by_digest("test.bin", "key", write) == path
    assert path.read_bytes() == b"bytes"
    assert len(calls) == 1
    assert "key" not in path.name
    assert path != files.by_digest("test.bin", "other", write)
    assert files.root() in path.parents


def test_what_nobody_uses_goes_and_then_the_oldest(monkeypatch, tmp_path):
    monkeypatch.setattr(files, "_root", tmp_path)
    monkeypatch.setattr(files, "_kept", set())
    for name in files.MOST_BYTES:
        (tmp_path / name).mkdir()
    paths = [files.by_digest("test.bin", f"sweep {k}", lambda: bytes(1000)) for k in range(3)]
    now = time.time()
    files.sweep(now)
    assert all(path.exists() for path in paths)
    for age, path in zip((30, 20, 10), paths, strict=True):
        files.os.utime(path, (now - age, now - age))
    monkeypatch.setitem(files.MOST_BYTES, "shown", 2500)
    files.sweep(now)
    assert [path.exists() for path in paths] == [False, True, True]
    monkeypatch.setattr(files, "_kept", {paths[1]})
    files.sweep(now + files.KEEP_SECONDS)
    assert [path.exists() for path in paths] == [False, True, False]
    folder = files.folder("test")
    (folder / "file").write_bytes(b"x")
    monkeypatch.setattr(files, "_kept", set())
    files.sweep(now + 2 * files.KEEP_SECONDS)
    assert not folder.exists()
    assert not paths[1].exists()


def test_an_upload_that_was_broken_off_stays_for_minutes_only(monkeypatch, tmp_path):
    monkeypatch.setattr(files, "_root", tmp_path)
    monkeypatch.setattr(files, "_kept", set())
    for name in files.MOST_BYTES:
        (tmp_path / name).mkdir()
    stray, whole = files.uploads() / "tmpabc", files.uploads() / ("0" * 64) / "tmpabc"
    whole.parent.mkdir()
    for path in (stray, whole):
        path.write_bytes(b"x")
    now = time.time()
    files.sweep(now + 60)  # it may still be arriving
    assert stray.exists()
    files.sweep(now + 600)
    assert not stray.exists()
    assert whole.exists()


HOLD = """
import sys, time
from app import files
print(files.root(), flush=True)
sys.stdin.read() and time.sleep(60)
"""


def test_the_temporary_root_goes_with_the_process_and_a_killed_ones_with_the_next():
    def start():
        process = subprocess.Popen(
            [sys.executable, "-c", HOLD], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        return process, Path(process.stdout.readline().decode().strip())

    killed, first = start()
    ended, second = start()
    assert first.is_dir()  # it lives, so the second leaves it alone
    killed.kill()
    killed.communicate()
    ended.communicate()
    assert first.is_dir()
    assert not second.exists()
    again, third = start()
    assert not first.exists()
    again.communicate()
    assert not third.exists()


def test_only_who_compared_a_photo_is_told_that_it_was_seen(explorer):
    own, public = photo(3), photo(4)
    explorer.publish(public)
    for each in (own, public):
        assert not explorer.has_features(CNN, each, "one")
        explorer.features(CNN, each, "one")
        assert explorer.has_features(CNN, each, "one")
    for stranger in ("another", "", None):
        assert not explorer.has_features(CNN, own, stranger)
        assert explorer.has_features(CNN, public, stranger)


def test_where_features_had_to_go_the_network_looks_again():
    """At a photo of one's own; what a visitor asks for next must not hang on how busy the others are."""
    explorer = Explorer(cache_bytes=12 << 20)
    seen = []
    for seed in range(8):
        pixels = np.random.default_rng(seed).integers(0, 256, (700, 700, 3), np.uint8)
        seen.append(explorer.features(CNN, load_photo(Image.fromarray(pixels)), "one"))
    keys = [(CNN, each.photo.digest) for each in seen]
    whole = [key in explorer._features for key in keys]
    assert whole == sorted(whole)  # the oldest had to go
    assert whole[-1]
    assert 1 <= len(explorer._photos) <= (12 << 20) / 4 / (3 * 700 * 700)
    assert not explorer._photos.keys() & explorer._features.keys()
    again = next(each for each, key in zip(seen, keys, strict=True) if key in explorer._photos)
    with pytest.raises(InputError, match="no longer in memory"):
        explorer.remembered(CNN, again.photo.digest, "another")
    found = explorer.remembered(CNN, again.photo.digest, "one")
    assert found is not again
    assert torch.allclose(found.map, again.map, atol=2e-3 * float(again.map.abs().max()))
    with pytest.raises(InputError, match="no longer in memory"):
        explorer.remembered(CNN, seen[0].photo.digest, "one")


@pytest.mark.parametrize("fusion", ["mean", "max"])
def test_what_is_kept_has_one_head_and_explains_as_all_do(examples, fusion):
    explorer = Explorer()
    paths = [examples / name for name in ("heron.jpg", "harrier.jpg")]
    found = explorer.compare(VIT, *paths, head_fusion=fusion)
    expected = explain(explorer.model(VIT), *paths, head_fusion=fusion)
    assert found.similarity == pytest.approx(expected.similarity, abs=1e-6)
    np.testing.assert_allclose(found.rollout_a, expected.rollout_a, atol=1e-6)
    kept = explorer.features(VIT, load_photo(paths[0]))
    assert {a.shape[0] for a in kept.attentions if a is not None} == {1}


def test_the_cache_is_bounded_with_the_photos_in_it():
    explorer = Explorer(cache_bytes=5 << 20)
    for seed in range(8):
        pixels = np.random.default_rng(seed).integers(0, 256, (700, 700, 3), np.uint8)
        explorer.features(CNN, load_photo(Image.fromarray(pixels)))
    assert 1 <= len(explorer._features) <= (5 << 20) // (3 * 700 * 700)
