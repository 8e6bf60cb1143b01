"""The file of a training run: whatever is in it, it is understood or refused in one sentence."""

import json

import pytest

from diml_core.errors import InputError
from diml_core.learning.config import TrainConfig


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"model": 3}, "'model' must be an object, not 3."),
        ({"teachers": "x"}, "'teachers' must be a list of texts, not 'x'."),
        ({"teachers": [3]}, "'teachers' must be a list of texts, not [3]."),
        ({"loss_settings": []}, "'loss_settings' must be an object, not []."),
        ({"grid": "8"}, "'grid' must be a whole number from 1 or null, not '8'."),
        ({"steps": 2.5}, "'steps' must be a whole number from 1, not 2.5."),
        ({"steps": "many"}, "'steps' must be a whole number from 1, not 'many'."),
        ({"steps": True}, "'steps' must be a whole number from 1, not True."),
        ({"loss": 5}, "'loss' must be a text or null, not 5."),
        ({"data": 7}, "'data' must be a text, not 7."),
        ({"start": None}, "'start' must be a text, not None."),
        ({"depthwise": "yes"}, "'depthwise' must be true or false, not 'yes'."),
        ({"seed": 1.5}, "'seed' must be a whole number from 0 to 2,147,483,648, not 1.5."),
        ({"precision": []}, "'precision' cannot be []: choose one of float32, bfloat16."),
        ({"head_start": "x"}, "'head_start' cannot be 'x': choose one of pca, classifier, kept."),
        ({"trained_blocks": -2}, "'trained_blocks' must be a whole number from -1, not -2."),
        ({"clip": float("nan")}, "'clip' must be at least 0, not nan."),
        ({"clip": float("inf")}, "'clip' must be at least 0, not inf."),
        ({"clip": "5"}, "'clip' must be a number of at least 0, not '5'."),
        ({"ema": 1}, "'ema' must be at least 0 and below 1, not 1."),
        ({"least_crop": 0}, "'least_crop' must be at least 0.05 and at most 1, not 0."),
        ({"stpes": 4}, "There is no such option as 'stpes': did you mean 'steps'?"),
        ({"zoom": 2}, "There is no such option as 'zoom': leave it out."),
        ({"loss": None}, "There is nothing to learn: give a loss, or a weight for "
            "correspondence, object_mass or preserve."),
    ],
)  # fmt: skip
def test_a_setting_that_cannot_be_is_one_sentence(change, sentence, tmp_path):
    values = {"start": "efficientnet-lite0"} | change
    with pytest.raises(InputError) as caught:
        TrainConfig(**values)
    assert str(caught.value) == sentence
    file = tmp_path / "config.json"
    file.write_text(json.dumps(values))
    with pytest.raises(InputError) as caught:
        TrainConfig.read(file)
    assert str(caught.value) == f"In '{file}': {sentence}"


def test_a_config_without_a_start_is_told_so():
    with pytest.raises(InputError, match="'start' is missing"):
        TrainConfig()


@pytest.mark.parametrize(
    "content", ["[]", '["start"]', '"text"', "3", "null", "{", "", '{"a": }', "[" * 200_000]
)
def test_a_file_that_is_no_config_is_one_sentence(content, tmp_path):
    file = tmp_path / "config.json"
    file.write_text(content)
    with pytest.raises(InputError) as caught:
        TrainConfig.read(file)
    assert str(file) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "__init__" not in str(caught.value)


def test_what_was_written_is_read_again(tmp_path):
    chosen = TrainConfig("any", {"head": 8}, grid=8.0, preserve=400, teachers=["a", "b"])
    file = tmp_path / "config.json"
    file.write_text(json.dumps(chosen.to_dict()))
    assert TrainConfig.read(file) == chosen
    assert isinstance(chosen.grid, int)
    assert isinstance(chosen.preserve, float)
