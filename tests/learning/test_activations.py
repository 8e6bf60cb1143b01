"""What is kept of every view belongs to the images as they are, and to nothing else."""

import collections
import os
import shutil

import numpy as np
import pytest
import torch
from PIL import Image

from diml_core.data.base import LabelledImages
from diml_core.errors import InputError
from diml_core.learning import activations
from diml_core.learning.activations import ViewPlan, compute_activations
from diml_core.learning.preservation import teacher_embeddings
from diml_core.learning.split_network import SplitNetwork
from diml_core.network.model import DimlModel
from diml_core.network.model_config import InputConfig, ModelConfig

PLAN = ViewPlan(2, least_crop=0.5, seed=3)


@pytest.fixture(scope="module")
def split():
    config = ModelConfig(
        name="tiny", architecture="test_efficientnet", input=InputConfig(size=64), head=8
    )
    torch.manual_seed(0)
    model = DimlModel(config)
    return SplitNetwork(model, 1, model.options(grid=2))


def paint(path, seed):
    noise = np.random.default_rng(seed).integers(0, 256, (48, 48, 3), np.uint8)
    Image.fromarray(noise).save(path)


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(5):
        paint(folder / f"{number}.png", number)
    return folder


def read(photos):
    pairs = [("things", path) for path in sorted(photos.glob("*.png"))]
    return LabelledImages.from_pairs("folder", "train", pairs)


@pytest.fixture
def drawn(monkeypatch):
    """The rows that views are drawn of from now on."""
    rows = []
    original = activations.planned_views

    def noting(photo, row, plan):
        rows.append(row)
        return original(photo, row, plan)

    monkeypatch.setattr(activations, "planned_views", noting)
    return rows


def computed(split, photos, folder):
    return compute_activations(split, read(photos), PLAN, folder, progress=False)


def test_what_is_kept_is_what_would_be_computed(split, photos, tmp_path, drawn):
    """An image is replaced under its name, size and time, one is added, one is removed."""
    kept = tmp_path / "kept"
    computed(split, photos, kept)

    def replaced():
        path = photos / "1.png"
        times = path.stat()
        paint(path, 77)
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))

    changes = {
        replaced: [1],
        lambda: paint(photos / "9.png", 9): [5],
        lambda: paint(photos / "3a.png", 10): [4, 5, 6],  # those behind it have other places now
        (photos / "3a.png").unlink: [4, 5],
        lambda: None: [],
    }
    for number, (change, expected) in enumerate(changes.items()):
        change()
        drawn.clear()
        found = computed(split, photos, kept)
        assert drawn == expected
        fresh = computed(split, photos, tmp_path / f"fresh {number}")
        np.testing.assert_array_equal(found.states, fresh.states)
        np.testing.assert_array_equal(found.warps, fresh.warps)


def test_an_interruption_costs_what_was_not_finished(split, photos, tmp_path, drawn, monkeypatch):
    monkeypatch.setattr(activations, "_BATCH", 2)  # an image at a time
    (photos / "3.png").write_bytes(b"\x89PNG broken")
    with pytest.raises(InputError, match=r"3\.png"):
        computed(split, photos, tmp_path / "kept")
    paint(photos / "3.png", 3)
    drawn.clear()
    computed(split, photos, tmp_path / "kept")
    assert drawn == [3, 4]


def test_an_image_that_is_gone_is_one_sentence(split, photos, tmp_path):
    images = read(photos)
    (photos / "2.png").unlink()
    with pytest.raises(InputError, match=r"2\.png' cannot be read"):
        compute_activations(split, images, PLAN, tmp_path / "kept", progress=False)


@pytest.mark.parametrize("name", ["states.f16", "warps.f64", "images.sha256", "key.json"])
@pytest.mark.parametrize("damage", [lambda data: data[:-7], lambda _: b"", None])
def test_files_that_were_cut_short_are_made_again(split, photos, tmp_path, name, damage):
    whole = computed(split, photos, tmp_path / "kept")
    expected = np.array(whole.states), whole.warps
    file = tmp_path / "kept" / name
    data = file.read_bytes()
    file.unlink()
    if damage is not None:
        file.write_bytes(damage(data))
    found = computed(split, photos, tmp_path / "kept")
    np.testing.assert_array_equal(found.states, expected[0])
    np.testing.assert_array_equal(found.warps, expected[1])


def test_too_little_room_is_said_before_anything_is_computed(
    split, photos, tmp_path, drawn, monkeypatch
):
    usage = collections.namedtuple("usage", "total used free")
    states = computed(split, photos, tmp_path / "kept").states
    row = states[0].nbytes + 2 * 9 * 8 + 32
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(0, 0, 2 * row - 1))
    drawn.clear()
    with pytest.raises(InputError, match=r"views of 5 images .* GiB are free: lower 'views'"):
        computed(split, photos, tmp_path / "other")
    paint(photos / "0.png", 70)
    computed(split, photos, tmp_path / "kept")  # there is room for one
    paint(photos / "0.png", 71)
    paint(photos / "1.png", 72)
    with pytest.raises(InputError, match="views of 2 images"):
        computed(split, photos, tmp_path / "kept")
    assert drawn == [0]


def test_much_room_is_named_in_the_progress_line(split, photos, tmp_path, monkeypatch, capsys):
    monkeypatch.delenv("TQDM_DISABLE", raising=False)
    monkeypatch.setattr(activations, "_WORTH_SAYING", 1000)
    compute_activations(split, read(photos), PLAN, tmp_path / "kept", progress=True)
    assert "views (0.0 GiB)" in capsys.readouterr().err


def test_teachers_are_asked_again_about_an_image_that_changed(split, photos, tmp_path):
    file = tmp_path / "kept" / "teachers.npy"

    def taught():
        cpu = torch.device("cpu")
        return teacher_embeddings([split.model], read(photos), PLAN, file, cpu, False)

    before = taught()
    paint(photos / "1.png", 77)
    after = taught()
    differs = (before != after).any((1, 2, 3))
    np.testing.assert_array_equal(differs, [False, True, False, False, False])
    file.write_bytes(file.read_bytes()[:-9])
    np.testing.assert_array_equal(taught(), after)
