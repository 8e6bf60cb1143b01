"""``train --set``: values reach the config as if the file had them, and errors say which they were."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

from diml_core.__main__ import main
from diml_core.errors import InputError
from diml_core.learning.config import TrainConfig
from diml_core.learning.settings import with_settings
from diml_core.network.checkpoints import save_model
from diml_core.network.model import DimlModel
from diml_core.network.model_config import InputConfig, ModelConfig

FILE = {"start": "tiny", "model": {"head": 128, "title": "Tiny"}, "data": "folder", "steps": 400}


@pytest.fixture
def file(tmp_path):
    (tmp_path / "tiny.json").write_text(json.dumps(FILE))
    return tmp_path / "tiny.json"


@pytest.mark.parametrize(
    ("setting", "change"),
    [
        ("steps=800", {"steps": 800}),
        ("model.head=256", {"model": {"head": 256, "title": "Tiny"}}),
        ("model.defaults.grid=7", {"model": FILE["model"] | {"defaults": {"grid": 7}}}),
        ("loss_settings.alpha=2.5", {"loss_settings": {"alpha": 2.5}}),
        ("loss=null", {"loss": None}),
        ("depthwise=false", {"depthwise": False}),
        ("loss=proxy-anchor", {"loss": "proxy-anchor"}),
        ('loss="proxy-anchor"', {"loss": "proxy-anchor"}),
        ('model={"head": 8}', {"model": {"head": 8}}),
        ("model.title=a = b", {"model": {"head": 128, "title": "a = b"}}),
        ("start=", {"start": ""}),
        ("seed=NaN", {"seed": "NaN"}),
        ("seed=" + "[" * 200_000, {"seed": "[" * 200_000}),
    ],
)
def test_a_setting_changes_its_value_and_nothing_else(setting, change):
    before = json.dumps(FILE)
    assert with_settings(FILE, [setting]) == FILE | change
    assert json.dumps(FILE) == before


def test_the_last_of_two_settings_wins():
    assert with_settings(FILE, ["steps=1", "steps=2"])["steps"] == 2


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("steps", "write key=value"),
        ("=3", "write key=value"),
        ("model.=3", "write key=value"),
        ("steps.x=3", "'steps' is 400, not an object"),
    ],
)
def test_what_sets_nothing_is_refused(setting, words):
    with pytest.raises(InputError, match=words):
        with_settings(FILE, [setting])


def test_a_config_is_what_the_file_with_the_values_would_be(file, tmp_path):
    (tmp_path / "other.json").write_text(
        json.dumps(FILE | {"steps": 9, "loss": None, "preserve": 2})
    )
    read = TrainConfig.read(file, ["steps=9", "loss=null", "preserve=2"])
    assert read == TrainConfig.read(tmp_path / "other.json")


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("steps=-1", "'steps' must be"),
        ("steps=many", "'steps' must be"),
        ("precision=float16", "bfloat16"),
        ("stepz=3", "'stepz'"),
        ("loss=null", "nothing to learn"),
        ("steps", "write key=value"),
    ],
)
def test_the_command_says_what_the_config_says_and_which_settings(
    file, tmp_path, capsys, setting, words
):
    pytest.importorskip("accelerate")
    command = ["train", str(file), "--root", str(tmp_path), "--set", "views=3", "--set", setting]
    assert main(command) == 2
    err = capsys.readouterr().err
    assert words in err
    assert f"--set views=3 --set {setting}" in err
    assert len(err.strip().splitlines()) == 1


def test_a_file_that_holds_no_object_is_still_refused_by_the_config(tmp_path):
    (tmp_path / "list.json").write_text("[]")
    with pytest.raises(InputError):
        TrainConfig.read(tmp_path / "list.json", ["steps=3"])


def test_the_run_folder_holds_the_result(tmp_path):
    pytest.importorskip("accelerate")
    torch.manual_seed(0)
    model = ModelConfig(
        name="tiny", architecture="test_resnet", architecture_options={}, input=InputConfig(size=64)
    )
    save_model(DimlModel(model), tmp_path / "start")
    random = np.random.default_rng(0)
    for name in ("a", "b", "c", "d"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for index in range(2):
            noise = random.integers(0, 256, (64, 64, 3)).astype(np.uint8)
            Image.fromarray(noise).save(tmp_path / "photos" / name / f"{index}.png")
    (tmp_path / "tiny.json").write_text(json.dumps(FILE | {"start": str(tmp_path / "start")}))
    settings = [
        "steps=1", "views=1", "classes_per_batch=2", "images_per_class=2", "validation_share=0",
        "model.head=8", "model.defaults.grid=2",
    ]  # fmt: skip
    command = ["train", tmp_path / "tiny.json", "--root", tmp_path / "photos"]
    command += ["--run", tmp_path / "run"]
    command += [text for setting in settings for text in ("--set", setting)]
    assert main(list(map(str, command))) == 0
    written = json.loads((tmp_path / "run" / "config.json").read_text())
    assert written["steps"] == 1
    assert written["model"] == {"head": 8, "title": "Tiny", "defaults": {"grid": 2}}
    assert json.loads((tmp_path / "run" / "model" / "config.json").read_text())["head"] == 8
