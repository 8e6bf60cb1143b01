"""How much each part counts: the marginals of the transport.

A marginal is registered under its name in :data:`MARGINALS`; adding one touches this file only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from diml_core.errors import InputError


@dataclass(frozen=True)
class PartContext:
    """What a marginal may look at, for one image of a pair (leading dimensions are batches).

    Attributes:
        parts: ``[..., R, D]`` unit part embeddings of this image.
        other_global: ``[..., D]`` unit global embedding of the *other* image.
        rollout: ``[..., R]`` rollout mass per part, or None where the model has no attention.
    """

    parts: Tensor
    other_global: Tensor
    rollout: Tensor | None = None


def uniform(context: PartContext) -> Tensor:
    """Every part counts the same. Returns ``[..., R]`` summing to 1."""
    return normalise(torch.ones_like(context.parts[..., 0]))


def cross_correlation(context: PartContext) -> Tensor:
    """Parts count by how much they resemble the other image as a whole.

    ``u_i`` is proportional to ``relu(<z_i, g_other>)`` (Zhao et al. 2021, "Towards interpretable
    deep metric learning with structural matching", eq. 8-9). Returns ``[..., R]`` summing to 1.
    """
    return normalise(_correlation(context))


def rollout(context: PartContext) -> Tensor:
    """Parts count by the attention that reaches the class token from them (see ``rollout.py``).

    Returns ``[..., R]`` summing to 1.

    Raises:
        InputError: the model has no attention rollout.
    """
    return normalise(_rollout(context))


def product(context: PartContext) -> Tensor:
    """Cross-correlation times rollout: resembles the other image *and* is looked at.

    Returns ``[..., R]`` summing to 1.

    Raises:
        InputError: the model has no attention rollout.
    """
    return normalise(_correlation(context) * _rollout(context))


MARGINALS: dict[str, Callable[[PartContext], Tensor]] = {
    "cross-correlation": cross_correlation,
    "uniform": uniform,
    "rollout": rollout,
    "product": product,
}

NEEDS_ROLLOUT = frozenset({"rollout", "product"})


def marginal(name: str, context: PartContext) -> Tensor:
    """The marginal registered as ``name``: ``[..., R]``, non-negative, summing to 1.

    Raises:
        InputError: unknown name, or a marginal that needs a rollout without one.
    """
    if name not in MARGINALS:
        raise InputError(
            f"There are no marginals named '{name}': choose one of {', '.join(MARGINALS)}."
        )
    return MARGINALS[name](context)


def normalise(weights: Tensor) -> Tensor:
    """Scale non-negative ``[..., R]`` weights to sum to 1; all zero or not finite means uniform."""
    weights = torch.where(weights.isfinite(), weights, 0.0).clamp_min(0)
    # Dividing by the largest first keeps the sum of denormal or huge weights in range.
    largest = weights.amax(-1, keepdim=True)
    some = largest > 0
    # The divisor is replaced as well: what is not chosen must not send NaN into gradients.
    weights = torch.where(some, weights / torch.where(some, largest, 1.0), 1.0)
    return weights / weights.sum(-1, keepdim=True)


def _correlation(context: PartContext) -> Tensor:
    return (context.parts @ context.other_global[..., None])[..., 0].relu()


def _rollout(context: PartContext) -> Tensor:
    if context.rollout is None:
        raise InputError(
            "These marginals need attention rollout, which only vision transformers have: choose "
            "'cross-correlation' or 'uniform', or another model."
        )
    return context.rollout
