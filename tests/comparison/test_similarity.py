"""Scores from a plan: sums, bounds and gradients."""

import torch

from diml_core.comparison.similarity import (
    contributions,
    overall_similarity,
    part_similarity,
    structural_similarity,
)


def unit(*shape):
    return torch.nn.functional.normalize(
        torch.randn(*shape, generator=torch.Generator().manual_seed(0)), dim=-1
    )


def test_part_similarity_is_the_cosine_of_every_pair():
    a, b = unit(2, 4, 8), unit(2, 3, 8)
    found = part_similarity(a, b)
    assert found.shape == (2, 4, 3)
    assert found.dtype == torch.float64
    expected = torch.nn.functional.cosine_similarity(a[:, :, None], b[:, None], dim=-1)
    torch.testing.assert_close(found.float(), expected)
    assert part_similarity(a, a).amax() <= 1


def test_contributions_sum_to_the_structural_similarity():
    plan = torch.rand(5, 4, 3, generator=torch.Generator().manual_seed(1)).double()
    similarity = part_similarity(unit(5, 4, 8), unit(5, 3, 8))
    found = contributions(plan, similarity)
    torch.testing.assert_close(found.sum((1, 2)), structural_similarity(plan, similarity))
    half = contributions(plan / 2, similarity)  # partial similarity divides by the mass moved
    torch.testing.assert_close(half, found)


def test_a_plan_on_equal_parts_scores_one():
    parts = unit(6, 8)
    plan = torch.eye(6) / 6
    assert abs(structural_similarity(plan, part_similarity(parts, parts)) - 1) < 1e-6
    assert overall_similarity(torch.tensor(0.5), torch.tensor(1.0)) == 0.75
