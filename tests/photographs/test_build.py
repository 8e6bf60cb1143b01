"""From recipe to folder: only the very photographs, whatever was there before; and the sets themselves."""

import hashlib
import itertools
import json
import re
import tarfile
from io import BytesIO

import pytest

from diml_core import InputError
from diml_core.__main__ import main
from diml_core.commands import photos as command
from diml_core.data import load_dataset
from diml_core.data import photos as dataset
from diml_core.photographs.build import build_photographs
from diml_core.photographs.recipe import REGISTRIES, Package, Photograph, Recipe

CONTENT = {
    "owl/1.jpg": b"owl one",
    "owl/2.jpg": b"owl two",
    "ant/1.jpg": b"ant one",
    "ant/2.jpg": b"ant 2",
}


@pytest.fixture
def recipe():
    photographs = tuple(
        Photograph("pack", name, hashlib.sha256(content).hexdigest(), name.split("/")[0])
        for name, content in CONTENT.items()
    )
    packages = {"pack": Package("npm", "pack", "1", "pack-1.tgz", "MIT")}
    return Recipe(packages, photographs, {"validation": ("owl",), "test": ("ant",)})


def archive(folder, content):
    folder.mkdir(exist_ok=True)
    with tarfile.open(folder / "pack-1.tgz", "w:gz") as tar:
        for name, data in content.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, BytesIO(data))


def files(out):
    return sorted(p for p in out.rglob("*.jpg"))


def test_every_photograph_lies_in_its_split_and_kind(recipe, tmp_path):
    archive(tmp_path / "archives", CONTENT)
    assert build_photographs(recipe, tmp_path / "out", tmp_path / "archives") == []
    found = files(tmp_path / "out")
    assert [p.relative_to(tmp_path / "out").parts[:2] for p in found] == [
        ("test", "ant"), ("test", "ant"), ("validation", "owl"), ("validation", "owl"),
    ]  # fmt: skip
    assert {p.read_bytes() for p in found} == set(CONTENT.values())


def test_what_is_damaged_or_missing_is_fetched_again_and_nothing_else(recipe, tmp_path):
    archive(tmp_path / "archives", CONTENT)
    build_photographs(recipe, tmp_path / "out", tmp_path / "archives")
    damaged, missing, whole, _ = files(tmp_path / "out")
    damaged.write_bytes(b"damaged")
    missing.unlink()
    before = whole.stat().st_mtime_ns
    assert build_photographs(recipe, tmp_path / "out", tmp_path / "archives") == []
    assert {p.read_bytes() for p in files(tmp_path / "out")} == set(CONTENT.values())
    assert whole.stat().st_mtime_ns == before


def test_another_photo_under_the_same_name_is_not_taken(recipe, tmp_path, monkeypatch, capsys):
    archive(tmp_path / "archives", CONTENT | {"owl/1.jpg": b"a newer owl"})
    absent = build_photographs(recipe, tmp_path / "out", tmp_path / "archives")
    assert [p.member for p in absent] == ["owl/1.jpg"]
    monkeypatch.setattr(command.Recipe, "named", lambda name: recipe)
    assert main(["photos", str(tmp_path / "out"), "--archives", str(tmp_path / "archives")]) == 2
    assert "1 of 4 photographs could not be had, from pack" in capsys.readouterr().err


def test_the_data_set_has_the_halves_and_is_never_trained_on(recipe, tmp_path, monkeypatch):
    monkeypatch.setattr(dataset.Recipe, "named", lambda name: recipe)
    out = tmp_path / "out"
    with pytest.raises(InputError, match="run 'python -m diml_core photos"):
        load_dataset("photos", out, "test")
    archive(tmp_path / "archives", CONTENT)
    build_photographs(recipe, out, tmp_path / "archives")
    assert load_dataset("photos", out, "validation").classes == ("owl",)
    assert load_dataset("photos", out, "test").classes == ("ant",)
    with pytest.raises(InputError, match="Nothing of 'photos' is trained on"):
        load_dataset("photos", out, "train")
    with pytest.raises(InputError, match="no validation split"):
        load_dataset("scenes", out, "validation")


def test_the_set_that_judges_is_as_large_and_as_balanced_as_it_says():
    recipe = Recipe.named("photos")
    kinds = [p.kind for p in recipe.photographs]
    assert len(kinds) >= 80
    assert len(set(kinds)) >= 18
    assert min(kinds.count(kind) for kind in set(kinds)) >= 2
    assert set(kinds) == set(recipe.split_of)
    assert not set(recipe.splits["validation"]) & set(recipe.splits["test"])


def test_nothing_of_it_is_in_the_set_to_train_on():
    judges, trains = (Recipe.named(name) for name in ("photos", "varied"))
    assert not {p.sha256 for p in judges.photographs} & {p.sha256 for p in trains.photographs}
    assert not any(p.package.startswith("gcompris") for p in trains.packages.values())
    # Of GCompris only what the example photos draw on is looked at.
    seen = {p.member.split("/")[0] for p in judges.photographs if p.package == "gcompris"}
    assert seen <= {
        "erase",
        "explore_monuments",
        "explore_world_animals",
        "explore_farm_animals",
        "details",
    }


@pytest.mark.parametrize("name", ["photos", "varied"])
def test_every_photograph_can_be_found_and_has_a_place_of_its_own(name):
    recipe = Recipe.named(name)
    assert {p.package for p in recipe.photographs} == set(recipe.packages)
    assert {p.registry for p in recipe.packages.values()} <= set(REGISTRIES)
    places = [recipe.place(p) for p in recipe.photographs]
    assert len(set(places)) == len(places)
    assert all(len(p.sha256) == 64 for p in recipe.photographs)
    for package in recipe.packages.values():
        for word in (package.package, package.version, package.archive):
            assert re.fullmatch(r"[\w.+~:@/%-]+", word), (word, "is part of an address")
    for one, other in itertools.combinations(recipe.packages.values(), 2):
        assert one.archive != other.archive
    json.dumps([str(p) for p in places])
