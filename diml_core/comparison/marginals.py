"""How much each part counts: the marginals of the transport.

A marginal is a product of two factors, and of nothing else: what a part's correlation with the other photo as a
whole counts for, and how much attention the part gets. Whoever compares photos hands over these two numbers per
part, one pair at a time, a batch of all pairs, or in a compiled kernel, and gets the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from diml_core.errors import InputError


@dataclass(frozen=True)
class Marginal:
    """Which factors a marginal has; without any, every part counts the same.

    Attributes:
        correlation: what parts count for by how much they resemble the other photo as a whole: from cosines
            ``[..., R]`` to non-negative weights of that shape; None where that does not matter.
        rollout: parts count by the attention that reaches the class token from them (see ``rollout.py``).
    """

    correlation: Callable[[Tensor], Tensor] | None
    rollout: bool


MARGINALS = {
    "cross-correlation": Marginal(correlation=torch.relu, rollout=False),
    "uniform": Marginal(correlation=None, rollout=False),
    "rollout": Marginal(correlation=None, rollout=True),
    "product": Marginal(correlation=torch.relu, rollout=True),
}
"""Marginals by name. ``relu(<z_i, g_other>)`` is the cross-correlation of Zhao et al. 2021, "Towards interpretable
deep metric learning with structural matching", eq. 8-9."""


def named_marginal(name: str) -> Marginal:
    """The entry of :data:`MARGINALS`.

    Raises:
        InputError: there is none of that name.
    """
    if name not in tuple(MARGINALS):
        raise InputError(
            f"There are no marginals named '{name}': choose one of {', '.join(MARGINALS)}."
        )
    return MARGINALS[name]


def marginal_names(has_rollout: bool) -> list[str]:
    """The marginals that a model with or without attention can serve."""
    return [name for name, factors in MARGINALS.items() if has_rollout or not factors.rollout]


def correlation(parts: Tensor, other_global: Tensor) -> Tensor:
    """Cosine of every part with the other photo as a whole.

    Args:
        parts: ``[..., R, D]`` unit part embeddings of one photo.
        other_global: ``[..., D]`` unit global embedding of the *other*.

    Returns:
        ``[..., R]`` in -1..1.
    """
    return (parts @ other_global[..., None])[..., 0]


def marginal(name: str, correlation: Tensor, rollout: Tensor | None = None) -> Tensor:
    """The marginal of one photo of a pair (leading dimensions are batches).

    Args:
        name: in :data:`MARGINALS`.
        correlation: ``[..., R]`` from :func:`correlation`.
        rollout: ``[..., R]`` rollout mass per part, or None where the model has no attention.

    Returns:
        ``[..., R]``, non-negative, summing to 1; uniform where every part has the weight 0.

    Raises:
        InputError: unknown name, or a marginal that needs a rollout without one.
    """
    factors = named_marginal(name)
    weights = torch.ones_like(correlation)
    if factors.correlation is not None:
        weights = factors.correlation(correlation)
    if factors.rollout:
        if rollout is None:
            raise InputError(
                "These marginals need attention rollout, which only vision transformers have: choose "
                "'cross-correlation' or 'uniform', or another model."
            )
        weights = weights * rollout
    return normalise(weights)


def normalise(weights: Tensor) -> Tensor:
    """Scale non-negative ``[..., R]`` weights to sum to 1; all zero or not finite means uniform."""
    weights = torch.where(weights.isfinite(), weights, 0.0).clamp_min(0)
    # Dividing by the largest first keeps the sum of denormal or huge weights in range.
    largest = weights.amax(-1, keepdim=True)
    some = largest > 0
    # The divisor is replaced as well: what is not chosen must not send NaN into gradients.
    weights = torch.where(some, weights / torch.where(some, largest, 1.0), 1.0)
    return weights / weights.sum(-1, keepdim=True)
