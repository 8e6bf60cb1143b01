"""Where a score stands among those of other pairs."""

import math

import numpy as np
import pytest

from diml_core import InputError, explain, load_model
from diml_core.comparison.scale import BINS, Scale, histogram
from diml_core.network.checkpoint_files import SCALE, read_scale
from diml_core.network.checkpoints import SHIPPED, shipped_models


def counts(start, end, each):
    return tuple(each if start <= k < end else 0 for k in range(BINS))


MADE = Scale(
    photographs=9, kinds=3, different=counts(100, 150, 2), same=counts(140, 180, 1), options={}
)


def test_a_score_stands_where_the_histograms_say():
    # 0.455 lies in the middle of bin 145: 45.5 of 50 bins of different pairs are below, 34.5 of 40 of like ones above.
    assert MADE.standing(0.455)[:2] == pytest.approx((0.91, 0.8625))
    assert MADE.standing(-1)[:2] == (0, 1)
    assert MADE.standing(1)[:2] == (1, 0)


def test_a_standing_says_from_where_on_few_are_wrong_and_of_what_pairs():
    # The upper hundredth of 50 bins of different pairs is half a bin: above 0.495, in the middle of bin 149. Of the 40
    # bins of pairs of one kind 30.5 lie above it.
    standing = MADE.standing(0.455)
    assert standing.threshold == pytest.approx(0.495)
    assert standing.same_above_threshold == pytest.approx(30.5 / 40)
    assert standing[4:] == (9, 3, 100, 40)


@pytest.mark.parametrize("share", [0.01, 0.05, 0.3])
def test_a_threshold_is_exceeded_by_that_share_of_different_pairs(share):
    assert 1 - MADE.standing(MADE.threshold(share)).different_below == pytest.approx(share)


def test_many_scores_stand_as_they_are_sorted():
    rng = np.random.default_rng(0)
    same, different = rng.normal(0.6, 0.1, 2000).clip(-1, 1), rng.normal(0.2, 0.1, 9000)
    scale = Scale(
        photographs=9, kinds=3, same=tuple(histogram(same)), different=tuple(histogram(different)), options={}
    )  # fmt: skip
    for score in (0.1, 0.25, 0.4, 0.61):
        standing = scale.standing(score)
        # Within a bin of 0.01 scores are taken to be spread evenly: off by a bin at most.
        near = [abs(score - x) < 0.01 for x in np.concatenate([same, different])]
        most = np.mean(near) + 0.02
        assert standing.different_below == pytest.approx((different < score).mean(), abs=most)
        assert standing.same_above == pytest.approx((same > score).mean(), abs=most)


@pytest.mark.parametrize(
    "change", [{"same": [1, 2]}, {"different": ["a"] * BINS}, {"kinds": 1}, {"more": 1}]
)
def test_a_damaged_scale_is_one_sentence(change):
    with pytest.raises(InputError):
        Scale.from_dict(MADE.to_dict() | change)


def test_a_scale_that_is_no_json_names_its_checkpoint(tmp_path):
    (tmp_path / SCALE).write_text("{")
    with pytest.raises(InputError, match=r"scale\.json of 'mine' cannot be read"):
        read_scale(tmp_path, "mine")


@pytest.mark.parametrize("name", shipped_models())
def test_every_shipped_model_has_a_scale_for_its_defaults(name, examples):
    assert (SHIPPED / name / SCALE).is_file()
    model = load_model(name)
    assert model.scale.serves(model.options())
    alike = explain(model, examples / "cat.jpg", examples / "kitten.jpg")
    other = explain(model, examples / "cat.jpg", examples / "taj-mahal-near.jpg")
    assert alike.standing.different_below > 0.95 > other.standing.different_below
    told = alike.to_dict()["standing"]
    assert told == alike.standing._asdict()
    assert told["pairs_different"] + told["pairs_same"] == math.comb(told["photographs"], 2)
    assert explain(model, examples / "cat.jpg", examples / "kitten.jpg", grid=3).standing is None
