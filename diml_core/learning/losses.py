"""Losses by name, each with the distance and the miner it is usually trained with.

Adding one means one function and one line in :data:`LOSSES`; everything comes from
pytorch-metric-learning, on :mod:`diml_core.learning.distance`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from pytorch_metric_learning import losses, miners
from pytorch_metric_learning.reducers import AvgNonZeroReducer
from torch import Tensor, nn

from diml_core.comparison.options import ExplainOptions
from diml_core.errors import InputError
from diml_core.learning.distance import StructuralDistance, StructuralSimilarity


class Objective(nn.Module):
    """A loss and, where it has one, its miner.

    Attributes:
        loss: of pytorch-metric-learning; may have parameters of its own (proxies, boundaries).
        miner: likewise, or None for all pairs.
    """

    def __init__(self, loss: nn.Module, miner: nn.Module | None = None) -> None:
        super().__init__()
        self.loss, self.miner = loss, miner

    def forward(self, packed: Tensor, labels: Tensor) -> Tensor:
        """The loss of one batch.

        Args:
            packed: ``[B, D (+ 1), R + 1]`` from :func:`diml_core.learning.distance.pack`.
            labels: ``[B]`` int64.
        """
        return self.loss(packed, labels, self.miner(packed, labels) if self.miner else None)


def multi_similarity(classes: int, dim: int, comparison: dict, **settings: Any) -> Objective:
    """Multi-similarity (Wang et al. 2019) with the constants of the DIML authors.

    Their ``multisimilarity_diml``: pairs are mined, and the mean is over anchors that have some.
    """
    distance = StructuralSimilarity(**comparison)
    settings = {"alpha": 2, "beta": 40, "base": 0.5, "mining_margin": 0.1} | settings
    miner = miners.MultiSimilarityMiner(settings.pop("mining_margin"), distance=distance)
    loss = losses.MultiSimilarityLoss(distance=distance, reducer=AvgNonZeroReducer(), **settings)
    return Objective(loss, miner)


def margin(classes: int, dim: int, comparison: dict, **settings: Any) -> Objective:
    """Margin loss with distance-weighted mining (Wu et al. 2017): the authors' ``margin_diml``."""
    distance = StructuralDistance(**comparison)
    settings = {"margin": 0.2, "beta": 1.2, "learn_beta": True} | settings
    return Objective(
        losses.MarginLoss(distance=distance, **settings),
        miners.DistanceWeightedMiner(distance=distance),
    )


def triplet(classes: int, dim: int, comparison: dict, **settings: Any) -> Objective:
    """Triplet loss on semi-hard triplets (Schroff et al. 2015)."""
    distance = StructuralDistance(**comparison)
    settings = {"margin": 0.2} | settings
    return Objective(
        losses.TripletMarginLoss(distance=distance, **settings),
        miners.TripletMarginMiner(settings["margin"], "semihard", distance=distance),
    )


def contrastive(classes: int, dim: int, comparison: dict, **settings: Any) -> Objective:
    """Contrastive loss (Hadsell et al. 2006) on all pairs."""
    distance = StructuralDistance(**comparison)
    return Objective(
        losses.ContrastiveLoss(
            distance=distance, **({"pos_margin": 0.0, "neg_margin": 1.0} | settings)
        )
    )


def proxy_anchor(classes: int, dim: int, comparison: dict, **settings: Any) -> Objective:
    """Proxy anchor (Kim et al. 2020). A proxy is an image with one part; see ``distance.py``."""
    distance = StructuralSimilarity(**comparison)
    return Objective(losses.ProxyAnchorLoss(classes, dim, distance=distance, **settings))


LOSSES: dict[str, Callable[..., Objective]] = {
    "multi-similarity": multi_similarity,
    "margin": margin,
    "triplet": triplet,
    "contrastive": contrastive,
    "proxy-anchor": proxy_anchor,
}
"""What builds a loss, by its name."""


def objective(
    name: str, classes: int, dim: int, options: ExplainOptions, settings: dict[str, Any]
) -> Objective:
    """Build a loss that compares images as evaluation will, and try it once.

    Args:
        name: a name in :data:`LOSSES`.
        classes: number of classes in training.
        dim: D of the embeddings.
        options: validated; marginals, mass and epsilon are used.
        settings: further arguments of the loss.

    Raises:
        InputError: unknown name, or a setting that the loss does not have or cannot use.
    """
    if name not in LOSSES:
        raise InputError(f"There is no loss '{name}': choose one of {', '.join(LOSSES)}.")
    rollout = options.start_block is not None
    comparison = {
        "marginals": options.marginals,
        "mass": options.mass,
        "epsilon": options.epsilon,
        "rollout": rollout,
    }
    try:
        made = LOSSES[name](classes, dim, comparison, **settings)
        _try(made, classes, dim + rollout)
    except (TypeError, ValueError, AttributeError) as error:
        raise InputError(
            f"The loss '{name}' cannot be set like this ({error}): correct it."
        ) from error
    return made


@torch.no_grad()
def _try(made: Objective, classes: int, channels: int) -> None:
    """Take the loss of a small batch: what a value is used for shows only there. Nothing random is used up."""
    with torch.random.fork_rng(devices=[]):
        made(torch.rand(8, channels, 3), torch.arange(8) % min(classes, 4))
