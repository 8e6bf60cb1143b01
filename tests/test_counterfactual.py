"""Covering parts: the right pixels, the right controls, and scores that come from the network."""

import numpy as np
import pytest
from PIL import Image
from test_real_photographs import SAME, SIMILAR

from diml_core import explain, load_photo
from diml_core.counterfactual import COVERS, counterfactual, covered_photo, same_shape_elsewhere
from diml_core.errors import InputError


@pytest.mark.parametrize("cover", COVERS)
def test_only_the_chosen_parts_are_covered(examples, cover):
    photo = load_photo(examples / "heron.jpg")
    before, after = (
        np.asarray(p.image) for p in (photo, covered_photo(photo, (4, 5), [0, 7], cover))
    )
    changed = (before != after).any(-1)
    height, width = changed.shape
    inside = np.zeros_like(changed)
    inside[: round(height / 4), : round(width / 5)] = True
    inside[round(height / 4) : round(height / 2), round(2 * width / 5) : round(3 * width / 5)] = (
        True
    )
    assert not changed[~inside].any()
    assert changed[inside].mean() > 0.9
    if cover == "mean":
        assert after[0, 0].tolist() == before.mean((0, 1)).round().tolist()
    if cover == "grey":
        assert after[0, 0].tolist() == [128, 128, 128]
    if cover == "blur":
        assert after[inside].std() < before[inside].std()


def test_the_scores_are_the_networks(model, examples):
    a, b = (model.extract(load_photo(examples / name)) for name in ("heron.jpg", "harrier.jpg"))
    options = model.options(grid=5)
    result = counterfactual(model, a, b, options, "b", [3, 4, 4], "grey")
    before = explain(model, a, b, grid=5)
    assert result.parts == (3, 4)
    assert result.before.similarity == before.similarity
    assert result.promised == pytest.approx(before.contribution[:, [3, 4]].sum() / 2)
    covered = covered_photo(b.photo, before.grid_b, [3, 4], "grey")
    by_hand = explain(model, a.photo, Image.fromarray(np.asarray(covered.image)), grid=5)
    assert result.after.similarity == pytest.approx(by_hand.similarity, abs=1e-6)
    assert result.fall == pytest.approx(before.similarity - by_hand.similarity, abs=1e-6)
    assert 1 <= len(result.controls) <= 4


def test_covering_what_matters_costs_more(vit, examples):
    """On the whole: a single pair may well not care (heron and harrier do not)."""
    falls, largest_elsewhere = [], []
    for pair in SAME + SIMILAR:
        a, b = (vit.extract(load_photo(examples / f"{name}.jpg")) for name in pair)
        strongest = explain(vit, a, b).contribution.sum(1).argsort()[::-1][:6]
        result = counterfactual(vit, a, b, vit.options(), "a", [int(part) for part in strongest])
        falls.append(result.fall)
        largest_elsewhere.append(max(result.controls))
    assert np.mean(falls) > np.mean(largest_elsewhere)


@pytest.mark.parametrize("cover", ["grey", "blur"])
def test_covering_what_speaks_against_the_pair_costs_less_than_covering_anything(
    model, examples, cover
):
    """On the whole: among parts drawn at random some speak for it."""
    against, anything = [], []
    random = np.random.default_rng(0)
    for pair in SAME + SIMILAR:
        a, b = (model.extract(load_photo(examples / f"{name}.jpg")) for name in pair)
        before = explain(model, a, b)
        count = len(before.against_a)
        some = round(0.15 * count)
        worst = before.against_a.argsort()[::-1][:some]

        def fall(parts, a=a, b=b, before=before):
            covered = covered_photo(a.photo, before.grid_a, parts, cover)
            return before.similarity - explain(model, covered, b).similarity

        against.append(fall(worst))
        anything.append(np.mean([fall(random.permutation(count)[:some]) for _ in range(2)]))
    assert np.mean(against) < np.mean(anything)


def test_controls_have_the_shape_and_do_not_touch_the_region():
    grid, region = (6, 6), (7, 8, 13)
    places = same_shape_elsewhere(region, grid, 4)
    assert len(places) == 4
    for place in places:
        assert not set(place) & set(region)
        assert {p - place[0] for p in place} == {0, 1, 6}
        assert all(0 <= p < 36 for p in place)
    assert same_shape_elsewhere(range(36), grid, 4) == []
    assert same_shape_elsewhere(region, grid, 0) == []


@pytest.mark.parametrize("parts", [[], [-1], [25]])
def test_parts_outside_the_grid_are_refused(cnn, examples, parts):
    a = cnn.extract(load_photo(examples / "cat.jpg"))
    with pytest.raises(InputError, match="Choose parts to cover"):
        counterfactual(cnn, a, a, cnn.options(grid=5), "a", parts)


def test_unknown_words_are_refused(cnn, examples):
    a = cnn.extract(load_photo(examples / "cat.jpg"))
    with pytest.raises(InputError, match="grey, blur, mean"):
        counterfactual(cnn, a, a, cnn.options(), "a", [0], "paint")
    with pytest.raises(InputError, match="of 'a' or of 'b'"):
        counterfactual(cnn, a, a, cnn.options(), "c", [0])
