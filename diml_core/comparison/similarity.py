"""The scores: part-wise cosines, their transport-weighted sum, and the two scales together.

Zhao et al. 2021, "Towards interpretable deep metric learning with structural matching", eq. 3-10.
"""

from __future__ import annotations

from torch import Tensor


def part_similarity(parts_a: Tensor, parts_b: Tensor) -> Tensor:
    """Cosine of every part of A with every part of B.

    Args:
        parts_a: ``[..., Ra, D]`` unit vectors.
        parts_b: ``[..., Rb, D]`` unit vectors.

    Returns:
        ``[..., Ra, Rb]`` in -1..1, float64: the sums shown to a user must add up beyond float32.
    """
    return (parts_a @ parts_b.mT).double().clamp(-1, 1)


def contributions(plan: Tensor, similarity: Tensor) -> Tensor:
    """What each pair of parts adds to the structural similarity: ``T_ij S_ij / sum(T)``.

    Args:
        plan: ``[..., Ra, Rb]`` transport plan, full (sums to 1) or partial.
        similarity: ``[..., Ra, Rb]`` part similarity.

    Returns:
        ``[..., Ra, Rb]``; its sum over both is the structural similarity.
    """
    return plan * similarity / plan.sum((-2, -1), keepdim=True)


def structural_similarity(plan: Tensor, similarity: Tensor) -> Tensor:
    """``sum_ij T_ij S_ij / sum(T)``: ``[...]`` in -1..1. Differentiates through S; T is a constant.

    Dividing by the transported mass makes this the partial similarity where the plan is partial,
    and changes nothing where it is full.
    """
    return contributions(plan.detach(), similarity).sum((-2, -1))


def overall_similarity(global_similarity: Tensor, structural: Tensor) -> Tensor:
    """Multi-scale matching: the mean of the global and the structural similarity, ``[...]``."""
    return (global_similarity + structural) / 2
