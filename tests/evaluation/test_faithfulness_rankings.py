"""Ways to rank parts: they are found, they are what their names say, and a bad one is refused in a sentence."""

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from diml_core import load_model
from diml_core.counterfactual import counterfactual
from diml_core.errors import InputError
from diml_core.evaluation.faithfulness import RANKINGS, rankings_for
from diml_core.evaluation.faithfulness.cells import on_parts
from diml_core.evaluation.faithfulness.ranking import Ranking, order_of
from diml_core.evaluation.faithfulness.rivals.nearest import nearest_plan
from diml_core.evaluation.faithfulness.rivals.rise import masks
from diml_core.explain import explain_features

ROOT = Path(__file__).resolve().parent.parent.parent
CHEAP = ("diml", "marginals", "best-match", "nearest", "random", "second-order", "grad-cam")


def test_every_module_of_the_folder_is_a_ranking(tmp_path):
    """Adding one touches one file: here in a copy of the folder."""
    folder = tmp_path / "diml_core" / "evaluation" / "faithfulness" / "rivals"
    shutil.copytree(ROOT / "diml_core", tmp_path / "diml_core")
    (folder / "upper_left.py").write_text(
        (folder / "random.py").read_text("utf-8").replace('"random"', '"upper left"'), "utf-8"
    )
    code = "from diml_core.evaluation.faithfulness import RANKINGS as r; print(r['upper-left'].name, len(r))"
    run = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert run.stdout.split("\n")[0] == f"upper left {len(RANKINGS) + 1}", run.stderr


def test_what_costs_nothing_comes_first_and_diml_before_all():
    costs = [float("inf") if r.passes is None else r.passes for r in RANKINGS.values()]
    assert next(iter(RANKINGS)) == "diml"
    assert costs == sorted(costs)
    assert set(CHEAP) < set(RANKINGS)


def test_rollout_is_for_models_with_attention(tiny, pair):
    assert ("rollout" in rankings_for(tiny)) == tiny.has_rollout
    if not tiny.has_rollout:
        with pytest.raises(InputError, match="needs a model with attention"):
            RANKINGS["rollout"].weights(tiny, *pair, tiny.options())


@pytest.mark.parametrize("key", RANKINGS)
def test_every_ranking_weighs_every_part_and_the_same_each_time(key, tiny, pair):
    if key not in rankings_for(tiny):
        pytest.skip("not for this model")
    options = tiny.options()
    explanation = explain_features(tiny, *pair, options)
    weights, again = (RANKINGS[key].weights(tiny, *pair, options) for _ in range(2))
    for side, marginals in zip(
        weights, (explanation.marginals_a, explanation.marginals_b), strict=True
    ):
        assert side.shape == marginals.shape
        assert side.dtype == np.float64
    assert all(map(np.array_equal, weights, again))


@pytest.mark.parametrize("key", [k for k in RANKINGS if k not in ("random", "marginals", "rise")])
def test_swapping_the_photos_swaps_the_weights(key, tiny, pair):
    if key not in rankings_for(tiny):
        pytest.skip("not for this model")
    options = tiny.options()
    in_a, in_b = RANKINGS[key].weights(tiny, *pair, options)
    swapped_b, swapped_a = RANKINGS[key].weights(tiny, *pair[::-1], options)
    # Batches of the network differ by float32's rounding, and so may the transport within its tolerance.
    assert np.allclose(in_a, swapped_a, atol=1e-5)
    assert np.allclose(in_b, swapped_b, atol=1e-5)


def test_diml_adds_up_to_the_structural_and_second_order_to_the_global_similarity(tiny, pair):
    options = tiny.options()
    explanation = explain_features(tiny, *pair, options)
    for key, score in (
        ("diml", explanation.structural_similarity),
        ("second-order", explanation.global_similarity),
    ):
        for side in RANKINGS[key].weights(tiny, *pair, options):
            assert side.sum() == pytest.approx(score, abs=1e-6)


@pytest.mark.parametrize("pooling", ["mean", "grid"])
def test_second_order_is_the_second_derivative_times_both_maps(pooling, cnn_folder, photos):
    """By automatic differentiation of the unnormalised product of the two sums of cells."""
    model = load_model(cnn_folder)
    model.config = replace(model.config, pooling=pooling)
    options = model.options()
    a, b = (model.extract(photo) for photo in photos)
    weights, _ = RANKINGS["second-order"].weights(model, a, b, options)

    def pooled(cells):
        if pooling == "mean":
            return cells.mean((0, 1))
        areas = on_areas(cells, options.grid)
        return areas.mean(0)

    def on_areas(cells, side):
        columns = [on_parts(cells[..., d], side) for d in range(cells.shape[-1])]
        ones = on_parts(torch.ones(cells.shape[:2], dtype=cells.dtype), side)
        return torch.stack(columns, -1) / ones[:, None]

    cells_a, cells_b = (f.map.double().clone().requires_grad_() for f in (a, b))
    lengths = [pooled(cells).norm().detach() for cells in (cells_a, cells_b)]
    product = pooled(cells_a) @ pooled(cells_b) / lengths[0] / lengths[1]
    (gradient,) = torch.autograd.grad(
        product, cells_a
    )  # linear in B: its derivative times B is itself
    by_cell = (gradient * cells_a).sum(-1).detach()
    assert np.allclose(weights, on_parts(by_cell, options.grid).numpy(), atol=1e-9)


def test_grad_cam_is_captums(tiny, photos):
    """Captum's layer Grad-CAM of the same similarity; the layer is one through which the map passes unchanged."""
    captum = pytest.importorskip("captum.attr", reason="no captum here: pip install captum")
    options = tiny.options()
    a, b = (tiny.extract(photo) for photo in photos)
    embedder = tiny.embedder(options)
    concept = embedder(b).pooled
    rollout = embedder.rollout_weights(a.attentions)

    class Similarity(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = torch.nn.Identity()

        def forward(self, images):
            activations = self.layer(tiny.backbone(images, None).map)
            cells = tiny.head(activations.permute(0, 2, 3, 1)).double()
            counted = None if rollout is None else rollout.double()[None]
            return embedder.pool(cells, counted).pooled @ concept

    network = Similarity()
    image = tiny.preprocess(a.photo)[None]
    cam = captum.LayerGradCam(network, network.layer).attribute(image, relu_attributions=True)
    expected = on_parts(cam[0, 0].detach(), options.grid).numpy()
    found, _ = RANKINGS["grad-cam"].weights(tiny, a, b, options)
    assert expected.max() > 0
    assert np.allclose(found, expected, atol=1e-5 * expected.max())


def test_a_models_features_may_be_inference_tensors_and_gradients_off(tiny, pair):
    with torch.inference_mode():
        inside = RANKINGS["grad-cam"].weights(tiny, *pair, tiny.options())
    outside = RANKINGS["grad-cam"].weights(tiny, *pair, tiny.options())
    assert np.array_equal(inside[0], outside[0])
    assert all(parameter.grad is None for parameter in tiny.parameters())


def test_nearest_neighbours_go_both_ways():
    similarity = np.array([[0.9, 0.1], [0.8, 0.2], [0.0, 0.3]])
    plan = nearest_plan(similarity)
    assert plan.sum() == pytest.approx(1)
    # A's three parts send a sixth each to their nearest, B's two a quarter.
    assert np.allclose(plan, [[1 / 6 + 1 / 4, 0], [1 / 6, 0], [0, 1 / 6 + 1 / 4]])


def test_covering_ranks_by_what_the_network_says_of_each_part(tiny, pair):
    options = tiny.options()
    in_a, in_b = RANKINGS["covering"].weights(tiny, *pair, options)
    for side, weights in (("a", in_a), ("b", in_b)):
        for part in (0, len(weights) - 1):
            alone = counterfactual(tiny, *pair, options, side, [part], "blur", controls=0)
            assert weights[part] == pytest.approx(alone.fall, abs=1e-5)


def test_rises_masks_show_half_and_differ():
    shown = masks(200, 60, 90)
    assert shown.shape == (200, 60, 90)
    assert 0 <= shown.min() < 0.01 < 0.99 < shown.max() <= 1
    # The mean of 200 masks of at least 49 independent halves has a standard deviation below 0.5 / sqrt(9,800).
    assert abs(float(shown.mean()) - 0.5) < 4 * 0.5 / 9800**0.5
    assert not torch.equal(shown[0], shown[1])


def test_parts_of_one_weight_come_in_no_reading_order():
    order = order_of(np.zeros(49))
    assert sorted(order) == list(range(49))
    assert order.tolist() != list(range(49))
    assert order_of(np.array([0.1, 0.3, 0.2])).tolist() == [1, 2, 0]


def test_what_lies_on_cells_is_shared_out_to_parts_whole():
    cells = torch.rand(7, 5, dtype=torch.float64)
    for side in (1, 3, 4):
        assert on_parts(cells, side).sum() == pytest.approx(float(cells.sum()), abs=1e-6)
    assert on_parts(torch.tensor([[1.0, 2.0], [3.0, 4.0]]), 2).tolist() == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (lambda *_: 1 / 0, "'mine' failed .ZeroDivisionError: division by zero"),
        (lambda *_: (np.ones(1), np.ones(2)), "gave no finite number for each"),
        (lambda model, a, b, options: [np.full(12, np.nan)] * 2, "gave no finite number for each"),
        (lambda *_: None, "'mine' failed .TypeError"),
    ],
)
def test_a_ranking_that_fails_is_refused_in_one_sentence(given, said, tiny, pair):
    with pytest.raises(InputError, match=said):
        Ranking("mine", "A ranking of my own.", 0, given).weights(tiny, *pair, tiny.options())


def test_chance_is_of_the_photos_and_not_of_a_last_digit_that_the_network_gave(tiny, pair):
    nudged = [replace(features, map=features.map + 2**-10) for features in pair]
    weigh = RANKINGS["random"].weights
    drawn = weigh(tiny, *pair, tiny.options())
    assert all(map(np.array_equal, drawn, weigh(tiny, *nudged, tiny.options())))
    turned = weigh(tiny, *reversed(pair), tiny.options())
    assert not np.array_equal(drawn[0], turned[0])
