"""The module that training optimises, and how: parameter groups, schedule, averaged weights."""

from __future__ import annotations

import math

import torch
from timm.utils import ModelEmaV3
from torch import Tensor, nn
from torch.nn import functional

from diml_core.learning.config import TrainConfig
from diml_core.learning.distance import pack
from diml_core.learning.split_network import SplitNetwork


class Learner(nn.Module):
    """From what the frozen part made of a batch to what losses take."""

    def __init__(self, split: SplitNetwork, precision: str) -> None:
        """Wrap a network.

        Args:
            split: the network; stays in eval mode, so that BatchNorm keeps its statistics.
            precision: of the trained blocks, ``float32`` or ``bfloat16``; head and losses are float32.
        """
        super().__init__()
        self.split = split
        self.precision = precision

    def forward(self, states: Tensor) -> tuple[Tensor, Tensor]:
        """Run the trained part.

        Args:
            states: from :meth:`.SplitNetwork.enter`.

        Returns:
            The packed batch ``[b, D (+ 1), R + 1]`` and the unit cells of the map, ``[b, h * w, D]``.
        """
        feature_map, weights = self.cells(states)
        embedding = self.split.embedder.pool(feature_map, weights)
        cells = functional.normalize(feature_map.flatten(1, 2), dim=-1)
        return pack(embedding, rollout=weights is not None), cells

    def cells(self, states: Tensor) -> tuple[Tensor, Tensor | None]:
        """``[b, h, w, D]`` map and ``[b, h * w]`` rollout weights or None, in the precision of training."""
        side = self.split.model.backbone.map_side
        with torch.autocast(
            states.device.type, torch.bfloat16, enabled=self.precision == "bfloat16"
        ):
            return self.split.cells(states, (side, side))


def optimizer_for(split: SplitNetwork, loss: nn.Module, config: TrainConfig) -> torch.optim.AdamW:
    """AdamW with a rate for the head, rates that fall from block to block, and one for the loss.

    Norms and biases are not decayed. Every group remembers its ``peak`` rate.
    """
    rates = [config.head_rate]
    groups = list(split.trained_groups())
    rates += [config.backbone_rate * config.layer_decay**i for i in range(len(groups) - 1)]
    made = []
    for parameters, rate in zip(groups, rates, strict=True):
        for chosen, decay in (
            ([p for p in parameters if p.ndim > 1], config.weight_decay),
            ([p for p in parameters if p.ndim <= 1], 0.0),
        ):
            if chosen:
                made.append({"params": chosen, "peak": rate, "weight_decay": decay})
    own = list(loss.parameters())
    if own:
        made.append({"params": own, "peak": config.loss_rate, "weight_decay": 0.0})
    return torch.optim.AdamW(made, lr=0.0)


def rate_factor(step: int, steps: int, warmup: int) -> float:
    """Linear warm-up to 1, then half a cosine to 0 (Loshchilov & Hutter 2017)."""
    if step < warmup:
        return (step + 1) / (warmup + 1)
    return 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1, steps - warmup)))


def averaged(learner: Learner, decay: float) -> ModelEmaV3:
    """A copy of the learner whose weights are an exponential moving average; ``update(learner, step)`` after each.

    Args:
        learner: to copy and to follow, frozen part and all.
        decay: of the average; 0 follows exactly. Before step t the decay is at most ``t / (9 + t)``, so that the
            start is forgotten.
    """
    # timm takes 1 + update_after_step off a step, and ours count from 0: the first is t = 1.
    return ModelEmaV3(
        learner, decay, update_after_step=-2, use_warmup=True, warmup_gamma=9, warmup_power=1
    )
