"""What a teacher finds alike stays alike."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import normalize

from diml_core import InputError
from diml_core.learning.learner import Learner
from diml_core.learning.preservation import own_embeddings, preservation_loss, region_embeddings
from diml_core.learning.split_network import SplitNetwork
from diml_core.learning.start import classifier_head
from diml_core.network.model import DimlModel
from diml_core.network.model_config import InputConfig, ModelConfig


def unit(*shape, seed=0):
    return normalize(torch.randn(*shape, generator=torch.Generator().manual_seed(seed)), dim=-1)


def test_it_is_the_mean_square_of_what_cosines_differ_by():
    pooled, teachers = unit(4, 6), unit(4, 2, 5, seed=1)
    expected = []
    for i in range(4):
        for j in range(4):
            wanted = np.mean([float(teachers[i, t] @ teachers[j, t]) for t in range(2)])
            expected.append((float(pooled[i] @ pooled[j]) - wanted) ** 2)
    assert preservation_loss(pooled, teachers).item() == pytest.approx(np.mean(expected), abs=1e-6)


def test_pairs_count_by_the_product_of_their_weights():
    pooled, teachers = unit(3, 6), unit(3, 1, 5, seed=1)
    squares = (pooled @ pooled.mT - teachers[:, 0] @ teachers[:, 0].mT).square()
    weights = torch.tensor([1.0, 0.5, 0.0])
    expected = squares[0, 0] + squares[0, 1] / 2 + squares[1, 0] / 2 + squares[1, 1] / 4
    found = preservation_loss(pooled, teachers, weights)
    torch.testing.assert_close(found, expected / 2.25)
    assert preservation_loss(pooled, teachers, torch.zeros(3)) == 0


def test_turning_all_embeddings_alike_costs_nothing():
    pooled = unit(5, 6)
    turned = pooled @ torch.linalg.qr(torch.randn(6, 6))[0]
    assert preservation_loss(turned, pooled[:, None]).item() == pytest.approx(0, abs=1e-10)


def features(fine=0):
    """50 images of 4 cells: channels that vary, then twelve that a classifier of 20 classes sees."""
    random = torch.Generator().manual_seed(3)
    return torch.randn(50, 4, fine + 12, generator=random) + 1


def test_a_whole_head_has_the_metric_of_features_and_classes():
    torch.manual_seed(0)
    classifier, head, seen = nn.Linear(12, 20), nn.Linear(12, 12), features()
    classifier_head(head, classifier, seen, centre=0.0, seed=0)
    weight = classifier.weight.detach().double()
    weight = weight - weight.mean(0)
    metric = torch.eye(12).double() + weight.T @ weight / (weight.square().sum() / 12)
    got = head.weight.detach().double()
    got = got.T @ got
    torch.testing.assert_close(got / got.trace(), metric / metric.trace(), atol=1e-6, rtol=0)


def test_the_mean_is_taken_off_as_far_as_asked():
    torch.manual_seed(0)
    classifier, head, seen = nn.Linear(12, 20), nn.Linear(12, 8), features()
    classifier_head(head, classifier, seen, centre=1.0, seed=0)
    assert head(seen.mean((0, 1))).norm().item() == pytest.approx(0, abs=1e-5)


def test_finer_maps_in_front_leave_the_global_embedding_alone():
    torch.manual_seed(0)
    classifier, plain, joined = nn.Linear(12, 20), nn.Linear(12, 8), nn.Linear(17, 8)
    seen = features(5)
    seen[..., :5] -= seen[..., :5].mean(1, keepdim=True)  # as joined maps are
    classifier_head(plain, classifier, seen[..., 5:], centre=0.3, seed=0)
    classifier_head(joined, classifier, seen, centre=0.3, seed=0)
    with torch.no_grad():
        one, other = (
            normalize(m, dim=-1) for m in (plain(seen[..., 5:]).mean(1), joined(seen).mean(1))
        )
        torch.testing.assert_close(one @ one.T, other @ other.T, atol=1e-5, rtol=0)
        assert (joined(seen) - joined(torch.cat([0 * seen[..., :5], seen[..., 5:]], -1))).norm() > 1


def test_features_that_are_not_the_classifiers_are_refused():
    with pytest.raises(InputError, match="'final' be the last of the layers"):
        classifier_head(nn.Linear(9, 4), nn.Linear(12, 20), features()[..., :9], centre=0, seed=0)


def test_regions_are_the_quarters_of_the_grid():
    parts = unit(2, 16, 6)
    packed = torch.cat([parts.mT, torch.zeros(2, 6, 1)], 2)
    regions = region_embeddings(packed, 6)
    lower_left = parts.view(2, 4, 4, 6)[:, 2:, :2].mean((1, 2))
    torch.testing.assert_close(regions[:, 2], normalize(lower_left, dim=-1))
    with_rollout = torch.cat([packed, torch.rand(2, 1, 17)], 1)
    torch.testing.assert_close(region_embeddings(with_rollout, 6), regions)


class _Activations:
    """Views of a fixed map, as :class:`Activations` hands them out."""

    def __init__(self, states):
        self.states = states[:, None].numpy()

    def fetch(self, rows, views, device):
        return torch.from_numpy(self.states[rows, views])


@pytest.fixture
def learner():
    config = ModelConfig(
        name="tiny",
        architecture="test_efficientnet",
        input=InputConfig(size=64),
        head=8,
        defaults={"grid": 2},
    )
    torch.manual_seed(0)
    model = DimlModel(config)
    return Learner(SplitNetwork(model, 0, model.options()), "float32")


def test_of_a_composite_the_object_alone_is_kept(learner):
    images = torch.randn(3, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    states = learner.split.enter(images)
    activations = _Activations(states)
    whole, regions = own_embeddings(learner, activations, None, False)
    with torch.no_grad():
        feature_map, _ = learner.split.cells(states, (2, 2))
    cells = feature_map.flatten(1, 2)
    np.testing.assert_allclose(whole[:, 0, 0], normalize(cells.mean(1), dim=-1), atol=1e-3)
    assert regions.shape == (3, 1, 4, 8)
    # The object of the first is its top left cell, the second is object all over, in the third it is not in view.
    coverage = torch.tensor([[1.0, 0, 0, 0], [1, 1, 1, 1], [0, 0, 0, 0]])
    kept, _ = own_embeddings(learner, activations, lambda rows, views: coverage[rows], False)
    np.testing.assert_allclose(kept[0, 0, 0], normalize(cells[0, 0], dim=-1), atol=1e-3)
    np.testing.assert_allclose(kept[1:], whole[1:], atol=1e-3)
