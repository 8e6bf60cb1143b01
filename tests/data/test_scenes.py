"""Scenes from a few generated photographs: repeatable, resumable, split apart, warped as they say."""

import json

import cv2
import numpy as np
import pytest

from diml_core.__main__ import main
from diml_core.data import load_dataset
from diml_core.data.scenes import is_photograph, load_truth
from diml_core.scenes.compose import compose
from diml_core.scenes.plan import plan_view

VIEWS, SIZE = 3, 64


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Six cut-outs of different shapes and five noisy backgrounds."""
    root = tmp_path_factory.mktemp("photos")
    random = np.random.default_rng(0)
    for folder in ("cutouts", "backgrounds"):
        (root / folder).mkdir()
    for index in range(6):
        cutout = np.zeros((80, 60 + 30 * index, 4), np.uint8)
        cutout[10:-10, 10:-10, :3] = random.integers(0, 256, 3)
        cutout[10:-10, 10:-10, 3] = 255
        cv2.imwrite(str(root / "cutouts" / f"thing{index}.png"), cutout)
    for index in range(5):
        cells = random.integers(0, 256, (12, 12, 3)).astype(np.uint8)
        photo = cv2.resize(cells, (640, 640), interpolation=cv2.INTER_LINEAR)
        cv2.imwrite(str(root / "backgrounds" / f"place{index}.png"), photo)
    return root


def build(photos, out, *more):
    return main(
        ["scenes", str(out), "--cutouts", str(photos / "cutouts"), "--backgrounds",
         str(photos / "backgrounds"), "--views", str(VIEWS), "--size", str(SIZE), *more]
    )  # fmt: skip


def contents(out):
    return {str(p.relative_to(out)): p.read_bytes() for p in out.rglob("*") if p.is_file()}


@pytest.fixture(scope="module")
def built(photos, tmp_path_factory):
    out = tmp_path_factory.mktemp("built") / "set"
    assert build(photos, out) == 0
    return out


def test_every_view_has_image_mask_and_warp(built):
    views = json.loads((built / "manifest.json").read_text())["views"]
    assert len(views) == 6 * VIEWS
    for name in views:
        assert cv2.imread(str(built / f"{name}.jpg")).shape == (SIZE, SIZE, 3)
        mask = cv2.imread(str(built / "masks" / f"{name}.png"), cv2.IMREAD_GRAYSCALE)
        assert mask.shape == (SIZE, SIZE)
        assert mask.max() == 255
        assert mask.min() == 0
    assert cv2.imread(str(built / "contact_sheet.png")) is not None


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(photos, built, tmp_path):
    assert build(photos, tmp_path / "again") == 0
    assert contents(tmp_path / "again") == contents(built)
    assert build(photos, tmp_path / "other", "--seed", "1") == 0
    assert contents(tmp_path / "other") != contents(built)


def test_a_build_that_was_cut_short_is_completed(photos, built, tmp_path):
    out = tmp_path / "set"
    assert build(photos, out) == 0
    images = sorted(out.glob("t*/*/*.jpg"))
    images[0].rename(images[0].with_name(images[0].name + ".partial"))  # as a kill leaves it
    sorted((out / "masks").rglob("*.png"))[-1].unlink()
    (out / "contact_sheet.png").unlink()
    kept = images[1].stat().st_mtime_ns
    assert build(photos, out) == 0
    assert contents(out) == contents(built)
    assert images[1].stat().st_mtime_ns == kept  # what was whole was not drawn again


def test_classes_and_backgrounds_are_split_apart(built):
    manifest = json.loads((built / "manifest.json").read_text())
    for kind, total, train in (("classes", 6, 4), ("backgrounds", 5, 3)):
        split = manifest[kind]
        assert not set(split["train"]) & set(split["test"])
        assert (len(split["train"]), len(split["test"])) == (train, total - train)
    for name, view in manifest["views"].items():
        split, label, _ = name.split("/")
        assert label in manifest["classes"][split]
        assert 0 <= view["background"] < len(manifest["backgrounds"][split])


@pytest.mark.parametrize("index", range(6))
def test_the_warp_sends_each_corner_where_the_mask_has_it(index):
    cutout = np.full((60, 90, 4), 255, np.uint8)
    view = plan_view(0, "box", index, 90 / 60, 1)
    _, mask = compose(cutout, np.zeros((256, 256, 3), np.uint8), view, 256)
    corners = np.array([[0, 0, 1], [1, 0, 1], [1, 1, 1], [0, 1, 1]]) @ view.warp.T * 256
    drawn = np.zeros_like(mask)
    cv2.fillPoly(drawn, [(corners[:, :2] - 0.5).round().astype(np.int32)], 255)
    both = ((mask > 127) & (drawn > 0)).sum()
    assert both / ((mask > 127) | (drawn > 0)).sum() > 0.96


def refused(code, capsys):
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert code == 2
    assert "Traceback" not in error
    return error


def test_folders_that_cannot_work_are_refused(photos, tmp_path, capsys):
    empty = tmp_path / "empty"
    empty.mkdir()
    good, places = str(photos / "cutouts"), str(photos / "backgrounds")
    for more, message in (
        (["--cutouts", good], "both"),
        (["--cutouts", str(tmp_path / "none"), "--backgrounds", places], "does not exist"),
        (["--cutouts", str(empty), "--backgrounds", places], "0 usable cut-outs"),
        (["--cutouts", good, "--backgrounds", str(empty)], "0 usable backgrounds"),
        (["--views", "1"], "views"),
    ):
        assert message in refused(main(["scenes", str(tmp_path / "out"), *more]), capsys)
    assert not (tmp_path / "out").exists()


def test_a_folder_with_another_set_is_left_alone(photos, built, capsys):
    before = contents(built)
    assert "other settings" in refused(build(photos, built, "--seed", "9"), capsys)
    assert contents(built) == before


def test_crops_of_photographs_are_training_classes_under_known_warps(photos, tmp_path):
    out = tmp_path / "set"
    more = tmp_path / "more"
    more.mkdir()
    ramp = np.zeros(
        (90, 160, 3), np.uint8
    )  # red tells where a point was from left to right, green from the top
    ramp[..., 2] = np.linspace(0, 255, 160)[None]
    ramp[..., 1] = np.linspace(0, 255, 90)[:, None]
    cv2.imwrite(str(more / "ramp.png"), ramp)
    assert build(photos, out, "--photographs", str(more), "--photograph-views", "6") == 0
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["photographs"] == ["ramp.png", *manifest["backgrounds"]["train"]]
    images = load_dataset("scenes", out, "train")
    crops = [s for s in images.samples if is_photograph(s)]
    assert len(crops) == 6 * len(manifest["photographs"])
    truth = load_truth(tuple(crops[:6]), out)
    assert (truth.masks == 255).all()
    for sample, warp in zip(crops[:6], truth.warps, strict=True):
        crop = cv2.imread(str(sample.path)).astype(float) / 255
        for x, y in ((0.3, 0.4), (0.5, 0.5), (0.7, 0.6)):
            was = np.linalg.inv(warp) @ [x, y, 1]
            seen = crop[round(y * SIZE - 0.5), round(x * SIZE - 0.5)]
            # A pixel of the crop, JPEG and rounding: within 3% of the photograph.
            assert seen[2] == pytest.approx(was[0], abs=0.03)
            assert seen[1] == pytest.approx(was[1], abs=0.03)
    assert not any(is_photograph(s) for s in load_dataset("scenes", out, "test").samples)


def test_photographs_without_crops_are_refused(photos, tmp_path, capsys):
    more = ["--photographs", str(photos / "backgrounds")]
    assert "--photograph-views" in refused(build(photos, tmp_path / "out", *more), capsys)
    more = ["--photographs", str(tmp_path), "--photograph-views", "2"]
    assert "no photographs in" in refused(build(photos, tmp_path / "out", *more), capsys)
