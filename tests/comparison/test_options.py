"""Options: defaults, and one sentence for every value that no model can serve."""

import pytest

from diml_core.comparison.options import ExplainOptions, validated
from diml_core.errors import InputError


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"grid": 0}, "grid must be a whole number from 1 to 16, not 0"),
        ({"grid": 17}, "grid must be a whole number from 1 to 16, not 17"),
        ({"grid": 2.5}, "grid must be a whole number"),
        ({"grid": "many"}, "grid"),
        ({"grid": float("nan")}, "grid"),
        ({"marginals": "entropy"}, "choose one of cross-correlation"),
        ({"mass": 0}, "transported mass must be above 0 and at most 1, not 0"),
        ({"mass": 1.01}, "transported mass"),
        ({"mass": float("nan")}, "transported mass"),
        ({"mass": None}, "transported mass"),
        ({"start_block": 12}, "start block must be a whole number from -12 to 11"),
        ({"head_fusion": "sum"}, "choose one of mean, max, min"),
        ({"kept_mass": 0}, "kept rollout mass"),
        ({"epsilon": 0.001}, "epsilon must be at least 0.005"),
        ({"tolerance": 0}, "tolerance"),
    ],
)
def test_bad_values_get_one_sentence(change, words):
    with pytest.raises(InputError) as caught:
        validated(ExplainOptions(**change), max_grid=16, attention_blocks=12)
    assert words in str(caught.value)
    assert str(caught.value).count("\n") == 0
    assert str(caught.value).endswith(".")


def test_numbers_are_normalised():
    options = validated(ExplainOptions(grid=8.0, start_block=-2), 16, 12)
    assert (options.grid, options.start_block) == (8, 10)
    assert isinstance(options.grid, int)
    assert validated(ExplainOptions(), 16, 12).start_block == 0


@pytest.mark.parametrize(
    "change", [{"start_block": 3}, {"marginals": "rollout"}, {"marginals": "product"}]
)
def test_a_model_without_attention_says_so(change):
    with pytest.raises(InputError, match="no attention rollout"):
        validated(ExplainOptions(**change), 7, 0)


def test_model_defaults_and_overrides(vit, cnn):
    assert vit.options().grid == 8
    assert vit.options(grid=None, mass=0.7).mass == 0.7
    assert cnn.options().start_block is None
    with pytest.raises(InputError, match="no such option"):
        vit.options(gird=4)
    with pytest.raises(InputError, match="from 1 to 14"):
        cnn.options(grid=15)
