"""Reading scenes: images in order, masks and warps beside them, and what is said of a damaged set."""

import json

import numpy as np
import pytest
from PIL import Image

from diml_core import InputError
from diml_core.data import known_truth, load_dataset
from diml_core.data.scenes import load_truth

SIDE = 8


@pytest.fixture
def scenes(tmp_path):
    """Two test classes of two views, one training class; every view has a warp of its own."""
    views = {}
    for count, name in enumerate(
        ["test/owl/00", "test/owl/01", "test/ant/00", "test/ant/01", "train/bee/00", "train/bee/01"]
    ):
        warp = np.array([[0.5, 0.1 * count, 0.2], [0, 0.4 + 0.1 * count, 0.3], [0, 0, 1]])
        views[name] = {"warp": warp.tolist(), "background": 0}
        for path in (tmp_path / f"{name}.jpg", tmp_path / "masks" / f"{name}.png"):
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.new("L", (SIDE, SIDE), 40 * count).save(path)
    (tmp_path / "manifest.json").write_text(json.dumps({"format": 1, "views": views}))
    return tmp_path


def test_a_split_is_read_by_class_and_view(scenes):
    dataset = load_dataset("scenes", scenes, "test")
    assert dataset.classes == ("ant", "owl")
    assert [s.path.relative_to(scenes).as_posix() for s in dataset.samples] == [
        "test/ant/00.jpg", "test/ant/01.jpg", "test/owl/00.jpg", "test/owl/01.jpg",
    ]  # fmt: skip
    assert load_dataset("scenes", scenes, "train").classes == ("bee",)


def test_masks_and_warps_come_in_the_order_of_the_samples(scenes):
    truth = load_truth(load_dataset("scenes", scenes, "test").samples, scenes)
    assert truth.masks[:, 0, 0].tolist() == [80, 120, 0, 40]
    assert truth.masks.shape == (4, SIDE, SIDE)
    assert truth.warps[:, 1, 1] == pytest.approx([0.6, 0.7, 0.4, 0.5])


def test_a_point_of_the_object_is_followed_from_view_to_view(scenes):
    truth = load_truth(load_dataset("scenes", scenes, "test").samples, scenes)
    point = np.array([0.3, 0.7, 1])
    a, b = np.array([0, 2]), np.array([1, 3])
    moved = (truth.between(a, b) @ (truth.warps[a] @ point)[..., None])[..., 0]
    np.testing.assert_allclose(moved, truth.warps[b] @ point, atol=1e-12)


def test_what_is_wrong_with_a_set_is_said(scenes, tmp_path):
    with pytest.raises(InputError, match="python -m diml_core scenes"):
        load_dataset("scenes", tmp_path / "nowhere", "test")
    samples = load_dataset("scenes", scenes, "test").samples
    (scenes / "masks" / "test" / "owl" / "00.png").unlink()
    with pytest.raises(InputError, match="'test/owl/00'"):
        load_truth(samples, scenes)
    (scenes / "test" / "ant" / "01.jpg").unlink()
    with pytest.raises(InputError, match=r"01\.jpg' is missing"):
        load_dataset("scenes", scenes, "test")
    for text in ("{", "[]", '{"format": 2, "views": {}}', "[" * 200_000):
        (scenes / "manifest.json").write_text(text)
        with pytest.raises(InputError, match="not the manifest"):
            load_dataset("scenes", scenes, "test")


def test_truth_is_asked_of_the_data_set_that_has_it(scenes):
    images = load_dataset("scenes", scenes, "test")
    np.testing.assert_array_equal(
        known_truth(images, scenes).warps, load_truth(images.samples, scenes).warps
    )
    assert known_truth(load_dataset("folder", scenes / "test", "test", ratio=0), scenes) is None
