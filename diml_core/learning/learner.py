"""The module that training optimises, and how: parameter groups, schedule, averaged weights."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator

import torch
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
            states: from :meth:`SplitNetwork.enter`.

        Returns:
            The packed batch ``[b, D (+ 1), R + 1]`` and the unit cells of the map, ``[b, h * w, D]``.
        """
        split = self.split
        side = split.model.backbone.map_side
        with torch.autocast(
            states.device.type, torch.bfloat16, enabled=self.precision == "bfloat16"
        ):
            feature_map, weights = split.cells(states, (side, side))
        embedding = split.embedder.pool(feature_map, weights)
        cells = functional.normalize(feature_map.flatten(1, 2), dim=-1)
        return pack(embedding, rollout=weights is not None), cells


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


class AveragedWeights:
    """Exponential moving average of the trained parameters."""

    def __init__(self, module: nn.Module, decay: float) -> None:
        """Start from the present weights; ``decay`` 0 follows them exactly."""
        self.decay = decay
        self._parameters = {n: p for n, p in module.named_parameters() if p.requires_grad}
        self.values = {n: p.detach().clone() for n, p in self._parameters.items()}

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Take the present weights in; early steps count more, so that the start is forgotten."""
        decay = min(self.decay, (1 + step) / (10 + step))
        for name, parameter in self._parameters.items():
            self.values[name].lerp_(parameter, 1 - decay)

    @contextlib.contextmanager
    def applied(self) -> Iterator[None]:
        """Let the module have the averaged weights for a while."""
        present = {n: p.detach().clone() for n, p in self._parameters.items()}
        self._copy(self.values)
        try:
            yield
        finally:
            self._copy(present)

    @torch.no_grad()
    def _copy(self, values: dict[str, Tensor]) -> None:
        for name, parameter in self._parameters.items():
            parameter.copy_(values[name])
