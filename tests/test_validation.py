"""Settings: immutable values as dataclasses are, and one sentence for what cannot be, whichever class refuses."""

from dataclasses import FrozenInstanceError, asdict, replace

import numpy as np
import pytest

from diml_core.comparison.options import ExplainOptions
from diml_core.errors import InputError
from diml_core.network.model_config import InputConfig, ModelConfig
from diml_core.retrieval.records import PhotoRecord
from diml_core.retrieval.spec import GallerySpec
from diml_core.scenes.settings import SceneSettings

SPEC = {"model": "m", "fingerprint": "f", "options": {"grid": 2}, "parts": 4, "dim": 8, "has_rollout": True}  # fmt: skip


def model_config(**change):
    return ModelConfig.from_dict({"name": "a", "architecture": "b"} | change)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: ExplainOptions(mass=0), "The transported mass must be above 0 and at most 1, not 0."),
        (lambda: ExplainOptions(mass="0.5"),
            "The transported mass must be a number above 0 and at most 1, not '0.5'."),
        (lambda: ExplainOptions(grid=True), "The grid must be a whole number, not True."),
        (lambda: replace(ExplainOptions(), epsilon=2),
            "The epsilon must be at least 0.005 and at most 1, not 2."),
        (lambda: ExplainOptions(head_fusion=["mean"]),
            "The head fusion cannot be ['mean']: choose one of mean, max, min."),
        (lambda: model_config(title="x", head=0),
            "The model config is not valid: 'head' must be a whole number from 1 to 65,536 or null, not 0."),
        (lambda: model_config(layer=["first"]),
            "The model config is not valid: 'layer' must be a whole number from -1,000 to 1,000 or 'final' "
            "or a list of whole numbers from -1,000 to 1,000 or 'final', not ['first']."),
        (lambda: model_config(input={"std": [1, 1, 0]}),
            "The model config is not valid: In 'input': 'std' must be a list of 3 numbers above 0, not [1, 1, 0]."),
        (lambda: model_config(input=3),
            "The model config is not valid: In 'input': An object with names and values is needed, not 3."),
        (lambda: model_config(format=2), "The model config is not valid: 'format' must be 1, not 2."),
        (lambda: SceneSettings(1), "'views' must be a whole number from 2 to 10,000, not 1."),
        (lambda: SceneSettings(20, 0, size="big"), "'size' must be a whole number from 32 to 2,048, not 'big'."),
        (lambda: GallerySpec.from_dict(SPEC | {"parts": 0}), "'parts' must be a whole number from 1, not 0."),
        (lambda: GallerySpec.from_dict(SPEC | {"options": {"gird": 2}}),
            "In 'options': There is no such option as 'gird': did you mean 'grid'?"),
        (lambda: PhotoRecord.from_line('{"path": 3, "size": 1, "mtime_ns": 1, "sha256": ""}'),
            "'path' must be a text, not 3."),
        (lambda: PhotoRecord.from_line("[]"), "An object with names and values is needed, not []."),
    ],
)  # fmt: skip
def test_what_cannot_be_is_one_sentence(make, sentence):
    with pytest.raises(InputError) as caught:
        make()
    assert str(caught.value) == sentence


def test_a_long_value_is_shortened_and_stays_on_one_line():
    with pytest.raises(InputError) as caught:
        SceneSettings(views=np.zeros((30, 30)))
    said = str(caught.value)
    assert "\n" not in said
    assert len(said) <= len("'views' must be a whole number from 2 to 10,000, not .") + 60


def test_numbers_of_numpy_are_numbers():
    options = ExplainOptions(grid=np.int64(8), mass=np.float32(0.5), start_block=-2.0)
    assert options == ExplainOptions(8, mass=0.5, start_block=-2)
    assert [type(value) for value in (options.grid, options.mass, options.start_block)] == [
        int,
        float,
        int,
    ]


def test_settings_are_values():
    options = ExplainOptions(grid=4)
    assert hash(options) == hash(replace(ExplainOptions(), grid=4))
    assert ExplainOptions(**asdict(options)) == options
    with pytest.raises(FrozenInstanceError):
        options.grid = 5


def test_an_input_is_taken_as_an_object_or_as_itself():
    given = {"size": 64, "mean": [0, 0.5, 1]}
    config = ModelConfig("a", "b", input=InputConfig(64, (0, 0.5, 1)))
    assert model_config(input=given) == config
    assert ModelConfig.from_dict(config.to_dict()) == config
    assert hash(config.input) == hash(InputConfig(**given))
