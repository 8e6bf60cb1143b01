"""What the viewer is given: a small object, and files with exactly what the network saw."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from diml_core.comparison.marginals import MARGINALS
from diml_core.embedding.features import as_float16
from diml_core.embedding.pooling import GRID_POOLINGS
from diml_core.errors import InputError
from diml_core.explain import explain, explain_features
from diml_core.photo.images import load_photo
from diml_core.viewer import pair as viewer_pair
from diml_core.viewer.pair import fixed_pair, live_pair


class Kept:
    """A place for files: keeps them in memory, by URL."""

    def __init__(self):
        self.files = {}

    def __call__(self, ending, key, content):
        self.files[f"{ending}:{key}"] = content()
        return f"{ending}:{key}"


@pytest.fixture(params=["vit", "cnn"])
def model(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def seen(model, examples):
    return explain(model, examples / "heron.jpg", examples / "cat.jpg").observed


def test_a_pair_is_a_few_kilobytes_and_names_its_files(model, seen):
    place = Kept()
    pair = live_pair(*seen, model.options(), place)
    assert len(json.dumps(pair)) < 8000
    named = {pair[s][k] for s in "ab" for k in ("photo", "features", "attention")} - {None}
    assert named == set(place.files)


def test_the_features_are_those_of_the_network_bit_by_bit(model, seen):
    place = Kept()
    options = model.options()
    pair = live_pair(*seen, options, place)
    for side, features in (("a", seen.a), ("b", seen.b)):
        content = place.files[pair[side]["features"]]
        cells, size = math.prod(features.map.shape[:2]), features.map.numel()
        sent = np.frombuffer(content, "<f2", size).reshape(features.map.shape)
        assert (torch.from_numpy(sent.astype(np.float32)) == features.map).all()
        rollouts = np.frombuffer(content, "<f4", offset=2 * size).reshape(-1, cells)
        blocks = range(pair["model"]["firstBlock"], pair["model"]["blocks"])
        assert len(rollouts) == len(blocks)
        for row, block in zip(rollouts, blocks, strict=True):
            embedder = model.embedder(replace(options, start_block=block))
            assert (torch.tensor(row) == embedder.rollout_weights(features.attentions)).all()


def test_attention_is_within_half_a_step_of_the_networks(vit, examples):
    seen = explain(vit, examples / "heron.jpg", examples / "cat.jpg", start_block=0).observed
    place = Kept()
    pair = live_pair(*seen, vit.options(), place)
    tokens, blocks = pair["a"]["tokens"], pair["model"]["blocks"]
    content = place.files[pair["a"]["attention"]]
    steps = np.frombuffer(content, "u1").reshape(blocks, tokens, tokens)
    for block, attention in enumerate(seen.a.attentions):
        fused = attention.mean(0).numpy()
        off = np.abs(steps[block] / 255 - fused / fused.max(1, keepdims=True))
        assert (off <= 0.5 / 255 + 1e-6).all()


def test_features_without_attention_are_a_pair_without_rollout(vit, examples):
    place = Kept()
    photos = [load_photo(examples / name) for name in ("heron.jpg", "cat.jpg")]
    a, b = (vit.extract(photo, attention_from=None) for photo in photos)
    pair = live_pair(vit, a, b, vit.options(marginals="uniform"), place)
    assert pair["model"]["blocks"] == 0
    assert pair["model"]["marginals"] == ["cross-correlation", "uniform"]
    assert len(place.files[pair["a"]["features"]]) == 2 * math.prod(pair["a"]["map"])


def test_other_fusions_and_truncations_are_other_files(vit, seen):
    if seen.model is not vit:
        pytest.skip("this model has no attention")
    features = [
        live_pair(*seen, vit.options(**options), Kept())["a"]["features"]
        for options in ({}, {"head_fusion": "max"}, {"kept_mass": 0.5})
    ]
    assert len(set(features)) == 3


def test_without_features_the_one_explanation_is_sent_whole(model, seen, examples):
    explanation = explain_features(*seen, model.options())
    values = explanation.to_dict()
    pair = fixed_pair(values, seen.a.photo, seen.b.photo, Kept())
    assert pair["fixed"]["gridA"] == list(explanation.grid_a)
    assert pair["a"]["features"] is None
    assert json.loads(json.dumps(pair)) == pair


@pytest.mark.parametrize("scale", [1e-9, 1.0, 3e4, 1e9])
def test_rounding_to_float16_turns_no_vector(scale):
    feature_map = scale * torch.randn(5, 7, 16, generator=torch.Generator().manual_seed(0))
    rounded = as_float16(feature_map)
    assert (rounded.half().float() == rounded).all()
    unit = [
        torch.nn.functional.normalize(x.double(), dim=-1, eps=1e-30) for x in (feature_map, rounded)
    ]
    cosine = (unit[0] * unit[1]).sum(-1)
    assert (1 - cosine).max() < 2.0**-21  # 11 bits: an angle of at most 2 ** -11 per entry


def test_the_viewer_computes_whatever_ships():
    # Each is compared with the library's own by parity.test.js.
    assert set(viewer_pair.MARGINALS) == set(MARGINALS)
    assert set(viewer_pair.POOLINGS) == set(GRID_POOLINGS)


def test_marginals_that_the_viewer_does_not_know_are_refused_and_not_offered(
    model, seen, monkeypatch, tmp_path
):
    monkeypatch.setitem(MARGINALS, "equal", MARGINALS["uniform"])
    assert "equal" not in live_pair(*seen, model.options(), Kept())["model"]["marginals"]
    with pytest.raises(InputError, match="does not compute 'equal' marginals"):
        live_pair(*seen, model.options(marginals="equal"), Kept())
    explain_features(*seen, model.options(marginals="equal")).to_html(tmp_path / "pair.html")
    assert '"fixed": {' in (tmp_path / "pair.html").read_text(encoding="utf-8")
