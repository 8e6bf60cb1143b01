"""The loss on marginal mass beside the object."""

import math

import numpy as np
import pytest
import torch
from torch.nn.functional import normalize

from diml_core.learning.object_mass import object_coverage, object_mass_loss

PAIRS = (torch.tensor([0, 1]), torch.tensor([1, 0]))


def batch(cosines):
    """Two alike images whose parts have these cosines with the global embedding."""
    cosines = torch.tensor(cosines)
    parts = torch.stack([cosines, (1 - cosines**2).sqrt()])  # [2, R]
    pooled = torch.tensor([[1.0], [0]])
    return torch.cat([parts, pooled], 1).repeat(2, 1, 1)


def test_it_is_the_divergence_from_the_object():
    packed = batch([0.6, 0.2, -0.3])  # marginal 3/4, 1/4, 0
    coverage = torch.tensor([[1.0, 0.5, 0], [0, 0, 1]])  # two thirds and one third of the object
    for_a = object_mass_loss(
        packed, (PAIRS[0][:1], PAIRS[1][:1]), coverage, "cross-correlation", False
    )
    expected = 2 / 3 * math.log((2 / 3) / (3 / 4)) + 1 / 3 * math.log((1 / 3) / (1 / 4))
    assert for_a.item() == pytest.approx(expected, abs=1e-6)


def test_rollout_counts_where_the_marginal_is_a_product():
    packed = batch([0.5, 0.5])
    seen = torch.tensor([[0.9, 0.1, 0.0]]).repeat(2, 1)[:, None]
    coverage = torch.tensor([[1.0, 0], [1, 0]])
    loss = object_mass_loss(torch.cat([packed, seen], 1), PAIRS, coverage, "product", True)
    assert loss.item() == pytest.approx(-math.log(0.9), abs=1e-6)


def test_a_marginal_on_one_part_of_the_object_is_no_match():
    coverage = torch.tensor([[1.0, 1, 0], [1, 1, 0]])
    narrow, even = (
        object_mass_loss(batch(cosines), PAIRS, coverage, "cross-correlation", False).item()
        for cosines in ([0.9, 0.01, 0], [0.5, 0.5, 0.0])
    )
    assert even == pytest.approx(0, abs=1e-6)
    assert narrow > 1


def test_following_it_moves_the_mass_onto_the_object():
    random = torch.Generator().manual_seed(0)
    # All a little alike, for a part whose cosine is negative is beyond the reach of a relu.
    vectors = (torch.randn(2, 6, 5, generator=random) + 1).requires_grad_()
    coverage = torch.tensor([[1.0, 1, 0, 0], [0, 0, 1, 1]])
    losses = []
    for _ in range(60):
        loss = object_mass_loss(
            normalize(vectors, dim=1), PAIRS, coverage, "cross-correlation", False
        )
        losses.append(loss.item())
        (gradient,) = torch.autograd.grad(loss, vectors)
        vectors = (vectors - gradient).detach().requires_grad_()
    assert losses[-1] < 0.2 * losses[0]


def test_no_object_in_view_and_no_likeness_at_all_are_no_trouble():
    packed = batch([-0.5, -0.5]).requires_grad_()  # the marginal falls back to uniform
    for coverage in (torch.zeros(2, 2), torch.ones(2, 2)):
        loss = object_mass_loss(packed, PAIRS, coverage, "cross-correlation", False)
        (gradient,) = torch.autograd.grad(loss, packed)
        assert loss.item() == pytest.approx(0, abs=1e-6)
        assert gradient.isfinite().all()


def test_coverage_counts_the_view_not_the_image():
    mask = np.zeros((1, 40, 40), np.uint8)
    mask[0, :, 25:] = 255
    right_half = np.array([[[2.0, 0, -1], [0, 1, 0], [0, 0, 1]]])
    # The view shows columns 20 to 40, the object starts at a quarter of it.
    assert object_coverage(mask, right_half, (1, 2)).tolist() == [[0.5, 1]]
    assert object_coverage(mask, np.eye(3)[None], (1, 2)).tolist() == [[0, 0.75]]
