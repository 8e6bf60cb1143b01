"""Making and updating a gallery: what is in it, and that history leaves no trace in it."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tiny import saved_model, tiny_config, write_photos

from diml_core import InputError, load_photo
from diml_core.network.checkpoints import load_model
from diml_core.network.model import DimlModel
from diml_core.retrieval import Gallery, indexing
from diml_core.retrieval.indexing import index_photos
from diml_core.retrieval.store import Store

ROOT = Path(__file__).resolve().parents[2]


def contents(folder):
    """Every file of a gallery with its bytes."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def assert_alike(gallery, other):
    """The same files with the same bytes, but for numbers of photos that were embedded in other batches.

    The network's agree to 1e-5, as those of two processes do. A float16 is within 2**-11 of the number that it
    stands for, so two of them within 2**-10 more. A cosine of such unit vectors is then within 2**-10 + 1e-5 *
    sqrt(D) per vector, if all its numbers were to err at once in one direction.
    """
    found, expected = contents(gallery), contents(other)
    assert found.keys() == expected.keys()
    for name, content in found.items():
        dtype = {"f16": np.float16, "f32": np.float32}.get(name.rpartition(".")[2])
        if dtype is None:
            assert content == expected[name], name
            continue
        a, b = (np.frombuffer(x, dtype).astype(float) for x in (content, expected[name]))
        step = 2.0**-10 if dtype == np.float16 else 0
        assert (abs(a - b) <= 1e-5 + step * np.maximum(abs(a), abs(b))).all(), name


@pytest.fixture
def some_photos(tmp_path):
    return write_photos(tmp_path / "photos", 10)


def test_a_gallery_names_its_model_so_that_it_loads_from_elsewhere(
    some_photos, cnn_folder, tmp_path, monkeypatch
):
    monkeypatch.chdir(cnn_folder.parent)
    index_photos(some_photos, tmp_path / "named", model=cnn_folder.name)
    index_photos(some_photos, tmp_path / "loaded", model=load_model(cnn_folder.name))
    monkeypatch.chdir(tmp_path)
    query = next(some_photos.glob("*.png"))
    for gallery in ("named", "loaded"):
        assert Gallery.open(tmp_path / gallery).search(query, top_k=3)


def test_a_gallery_of_a_model_without_a_name_asks_for_it(model, some_photos, tmp_path):
    model = DimlModel(model.config)  # not loaded
    index_photos(some_photos, tmp_path / "gallery", model=model)
    with pytest.raises(InputError, match="no name to load it by"):
        Gallery.open(tmp_path / "gallery")
    assert len(Gallery.open(tmp_path / "gallery", model=model)) == 10


def test_rows_hold_the_embeddings_of_the_photos(model, some_photos, tmp_path):
    report = index_photos(some_photos, tmp_path / "gallery", model=model)
    assert (report.photos, report.embedded, report.broken) == (10, 10, ())
    store = Store(tmp_path / "gallery")
    assert [r.path for r in store.records] == sorted(r.path for r in store.records)
    grids = set()
    for row, record in enumerate(store.records):
        features = model.extract(load_photo(store.photo_path(row)))
        embedding = model.embedder(model.options())(features)
        count = len(embedding.parts)
        assert record.grid == embedding.grid
        stored = store.vectors[row].numpy()
        assert stored[:count] == pytest.approx(embedding.parts.numpy(), abs=5e-4)
        assert stored[-1] == pytest.approx(embedding.pooled.numpy(), abs=5e-4)
        assert not store.vectors[row, count:-1].any()
        assert (store.pooled[row] == store.vectors[row, -1]).all()
        if model.has_rollout:
            assert store.weights[row, :count].numpy() == pytest.approx(embedding.rollout.numpy())
            assert not store.weights[row, count:].any()
        grids.add(record.grid)
    assert len(grids) > 1  # so that padding was tested


def test_a_second_run_computes_nothing_and_changes_nothing(vit_folder, some_photos, tmp_path):
    gallery = tmp_path / "gallery"
    index_photos(some_photos, gallery, model=str(vit_folder))
    before = contents(gallery)
    report = index_photos(some_photos, gallery, model=str(vit_folder))
    assert (report.embedded, report.reused, report.removed) == (0, 10, 0)
    assert contents(gallery) == before


def test_new_changed_removed_moved_and_copied_photos(vit_folder, some_photos, tmp_path):
    model = load_model(vit_folder)
    gallery = tmp_path / "gallery"
    index_photos(some_photos, gallery, model=model)
    Image.effect_noise((64, 64), 90).convert("RGB").save(some_photos / "000-new.png")  # sorts first
    Image.effect_noise((64, 64), 50).convert("RGB").save(some_photos / "002.png")
    (some_photos / "004.png").unlink()
    (some_photos / "005.png").rename(some_photos / "zzz.png")
    shutil.copy(some_photos / "007.png", some_photos / "007 copy.png")
    report = index_photos(some_photos, gallery, model=model)
    assert (report.photos, report.embedded, report.removed) == (11, 2, 2)
    index_photos(some_photos, tmp_path / "scratch", model=model)
    assert_alike(gallery, tmp_path / "scratch")


def test_copies_that_are_under_way_together_are_stored_once(cnn_folder, some_photos, tmp_path):
    for name in ("a.png", "b.png", "c.png"):
        shutil.copy(some_photos / "002.png", some_photos / name)
    report = index_photos(some_photos, tmp_path / "gallery", model=str(cnn_folder))
    assert (report.photos, report.embedded, report.reused) == (13, 10, 3)
    store = Store(tmp_path / "gallery")
    rows = [row for row, r in enumerate(store.records) if r.path in ("002.png", "a.png", "c.png")]
    assert len(rows) == 3
    assert (store.vectors[rows] == store.vectors[rows[0]]).all()


def test_too_small_a_disk_is_refused_at_once_but_not_where_nothing_is_new(
    cnn_folder, some_photos, tmp_path, monkeypatch
):
    full = shutil.disk_usage(tmp_path)._replace(free=100)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: full)
    gallery = tmp_path / "gallery"
    with pytest.raises(InputError, match="make room"):
        index_photos(some_photos, gallery, model=str(cnn_folder))
    monkeypatch.undo()
    index_photos(some_photos, gallery, model=str(cnn_folder))
    monkeypatch.setattr(shutil, "disk_usage", lambda _: full)
    assert index_photos(some_photos, gallery, model=str(cnn_folder)).reused == 10


def test_broken_files_are_reported_skipped_and_healed(cnn_folder, some_photos, tmp_path):
    model = load_model(cnn_folder)
    whole = (some_photos / "002.png").read_bytes()
    (some_photos / "002.png").write_bytes(whole[:200])
    (some_photos / "empty.jpg").touch()
    (some_photos / "notes.txt").write_text("not a photo")
    for embedded in (9, 0):  # remembered, and still reported, by the second run
        report = index_photos(some_photos, tmp_path / "gallery", model=model)
        assert report.embedded == embedded
        assert [record.path for record in report.broken] == ["002.png", "empty.jpg"]
        assert "damaged" in report.broken[0].problem
    (some_photos / "002.png").write_bytes(whole)
    report = index_photos(some_photos, tmp_path / "gallery", model=model)
    assert (report.photos, report.embedded, len(report.broken)) == (10, 1, 1)


def test_a_gallery_inside_the_photo_folder_does_not_index_itself(cnn_folder, some_photos):
    model = load_model(cnn_folder)
    gallery = some_photos / "gallery"
    gallery.mkdir()
    Image.new("RGB", (32, 32)).save(gallery / "thumbnail.png")
    assert index_photos(some_photos, gallery, model=model).photos == 10


def test_an_empty_folder_makes_an_empty_gallery(cnn_folder, tmp_path):
    (tmp_path / "photos").mkdir()
    assert index_photos(tmp_path / "photos", tmp_path / "g", model=str(cnn_folder)).photos == 0
    assert len(Store(tmp_path / "g")) == 0


def test_photos_and_gallery_can_move_together(cnn_folder, tmp_path):
    write_photos(tmp_path / "old" / "photos", 2)
    index_photos(tmp_path / "old" / "photos", tmp_path / "old" / "gallery", model=str(cnn_folder))
    (tmp_path / "old").rename(tmp_path / "new")
    assert all(Store(tmp_path / "new" / "gallery").photo_path(row).is_file() for row in range(2))


def test_refusals_are_one_sentence(cnn_folder, some_photos, tmp_path):
    gallery = tmp_path / "gallery"
    with pytest.raises(InputError, match="no folder"):
        index_photos(tmp_path / "nowhere", gallery, model=str(cnn_folder))
    with pytest.raises(InputError, match="no finished gallery"):
        Store(gallery)
    index_photos(some_photos, gallery, model=str(cnn_folder))
    config = tiny_config("other", "test_resnet", head=24, defaults={"grid": 2})
    other = saved_model(tmp_path / "other", config, seed=1)  # same shape, other weights
    with pytest.raises(InputError, match="made with another model"):
        index_photos(some_photos, gallery, model=str(other))
    with pytest.raises(InputError, match="other options"):
        index_photos(some_photos, gallery, model=str(cnn_folder), grid=1)
    vectors = next(gallery.glob("vectors-*.f16"))
    vectors.write_bytes(vectors.read_bytes()[:-2])
    with pytest.raises(InputError, match="is damaged"):
        Store(gallery)


@pytest.fixture(scope="module")
def sound(cnn_folder, tmp_path_factory):
    """A gallery that opens."""
    folder = tmp_path_factory.mktemp("sound")
    photos = write_photos(folder / "photos", 3)
    (photos / "empty.jpg").touch()
    index_photos(photos, folder / "gallery", model=str(cnn_folder))
    assert len(Store(folder / "gallery")) == 3
    return folder / "gallery"


@pytest.mark.parametrize(
    "change",
    [
        b"", b"{", b"\x93\xff\x00", b"[" * 200_000, b'{"format": ' + b"[" * 200_000, b"[]", b"3", b"null", b'"text"', b"{}",
        {"format": 2}, {"format": None}, {"format": []},
        {"spec": 3}, {"spec": {}}, {"spec": {"parts": 0}}, {"spec": {"dim": "x"}}, {"spec": {"has_rollout": 2}},
        {"spec": {"options": []}}, {"spec": {"nope": 1}}, {"spec": {"parts": 10**30}}, {"spec": {"has_rollout": True}},
        {"photos": 3}, {"photos": None},
        {"files": []}, {"files": {}}, {"files": {"vectors": 3}}, {"files": {"vectors": "nowhere"}},
        {"files": {"records": ""}}, {"files": {"pooled": None}},
        {"broken": 3}, {"broken": [3]}, {"broken": [{}]}, {"broken": [{"path": 3}]}, {"broken": {"a": 1}},
    ],
    ids=lambda change: repr(change)[:40],
)  # fmt: skip
def test_a_damaged_manifest_is_one_sentence(sound, tmp_path, change):
    gallery = tmp_path / "gallery"
    shutil.copytree(sound, gallery)
    file = gallery / "manifest.json"
    if isinstance(change, bytes):
        file.write_bytes(change)
    else:
        values = json.loads(file.read_text())
        for name, value in change.items():
            merged = name in ("spec", "files") and isinstance(value, dict) and value
            values[name] = values[name] | value if merged else value
        file.write_text(json.dumps(values))
    with pytest.raises(InputError) as caught:
        Store(gallery)
    assert str(gallery) in str(caught.value)
    assert "index the photos again" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 700


def test_a_second_writer_is_kept_out(cnn_folder, some_photos, tmp_path):
    fcntl = pytest.importorskip("fcntl", reason="there is no file lock on this system")
    gallery = tmp_path / "gallery"
    gallery.mkdir()
    with (gallery / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(InputError, match="Another process"):
            index_photos(some_photos, gallery, model=str(cnn_folder))


# Runs index_photos again and again in forked children. A child is killed (SIGKILL) by itself at its
# n-th dealing with the disk: for ever larger n until one survives, with a whole run after each
# ("each"), or for random n with each run continuing the last ("chain"). All must end alike, though
# their batches are others than those of a run that nobody killed.
KILLER = """
import os, random, signal, sys
import torch
torch.set_num_threads(1)  # no thread pool, so that forking is safe
from diml_core.network.checkpoints import load_model
from diml_core.retrieval import Gallery, indexing
from diml_core.retrieval.indexing import index_photos

indexing.batch_size = lambda *_: 3
mode, model_folder, photos, gallery = sys.argv[1:]
model = load_model(model_folder)

def run(gallery, fatal):
    child = os.fork()
    if child == 0:
        count = 0
        def step(*_):
            nonlocal count
            count += 1
            if count == fatal:
                os.kill(os.getpid(), signal.SIGKILL)
        def on_event(event, _):
            if event in ("open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate"):
                step()
        sys.addaudithook(on_event)
        fsync = os.fsync
        os.fsync = lambda file: (step(), fsync(file), step())
        index_photos(photos, gallery, model=model)
        os._exit(0)
    return os.waitpid(child, 0)[1] == 0

kills = 0
if mode == "chain":
    chance = random.Random(0)
    while not run(gallery, chance.randint(10, 50)):
        kills += 1
else:
    for fatal in range(1, 10_000, 7):
        survived = run(f"{gallery}-{fatal}", fatal)
        if survived:
            break
        kills += 1
        assert run(f"{gallery}-{fatal}", None)
print(kills)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork to kill many runs quickly")
@pytest.mark.parametrize("mode", ["each", "chain"])
@pytest.mark.parametrize("update", [False, True], ids=["fresh", "update"])
def test_killed_at_any_moment_it_ends_alike(vit_folder, tmp_path, mode, update):
    photos = write_photos(tmp_path / "photos", 20)
    (photos / "broken.jpg").write_bytes(b"\xff\xd8\xff")
    model = load_model(vit_folder)
    index_photos(photos, tmp_path / "reference", model=model)
    galleries = [tmp_path / "killed"]
    if mode == "each":
        galleries = [tmp_path / f"killed-{fatal}" for fatal in range(1, 400, 7)]
    if update:  # the killed runs start from a gallery with other photos
        other = write_photos(tmp_path / "photos-before", 12, seed=3)
        for path in sorted(photos.rglob("*.png"))[::2]:
            shutil.copy(path, other / f"copy of {path.name}")
        index_photos(other, tmp_path / "before", model=model)
        for gallery in galleries:
            shutil.copytree(tmp_path / "before", gallery)
    killer = [sys.executable, "-c", KILLER, mode, str(vit_folder), str(photos)]
    killer.append(str(tmp_path / "killed"))
    done = subprocess.run(killer, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= (8 if mode == "each" else 2)
    made = [gallery for gallery in tmp_path.glob("killed*") if (gallery / ".lock").exists()]
    compared = 0
    for gallery in made:
        if update and contents(gallery) == contents(tmp_path / "before"):
            continue  # prepared, and not needed
        assert_alike(gallery, tmp_path / "reference")
        compared += 1
    assert compared >= int(done.stdout) if mode == "each" else compared == 1


def test_work_is_not_lost_when_interrupted(vit_folder, tmp_path):
    """Only a block and a batch are computed twice, also if the folder changed in between."""
    photos = write_photos(tmp_path / "photos", 60)
    model = load_model(vit_folder)
    embedded = 0
    original = indexing.pack_photos

    def failing(model, images, spec):
        nonlocal embedded
        if embedded > 40:
            raise KeyboardInterrupt
        embedded += len(images)
        return original(model, images, spec)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(indexing, "batch_size", lambda *_: 4)
        patch.setattr(indexing, "pack_photos", failing)
        with pytest.raises(KeyboardInterrupt):
            index_photos(photos, tmp_path / "gallery", model=model)
    Image.fromarray(np.full((64, 64, 3), 77, np.uint8)).save(photos / "000-first.png")
    report = index_photos(photos, tmp_path / "gallery", model=model)
    assert report.photos == 61
    # Of what went through the network, all but the last incomplete block of 16 was kept.
    assert report.embedded <= 60 - (embedded - 15) + 1
