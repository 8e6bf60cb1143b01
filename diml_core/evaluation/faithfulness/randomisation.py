"""An explanation of a network must change with the network, and one of a pair with the pair.

Adebayo et al. 2018, "Sanity checks for saliency maps": weights are randomised from the head down, cumulatively, and
the map must lose its likeness with that of the trained network. Here each tensor's entries are shuffled, which keeps
their distribution, and so keeps activations in range in any architecture. Their *data randomisation*, a network
trained on wrong labels, has a cheap counterpart for pairs: the same photo beside one of another kind.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator

import torch
from torch import nn

from diml_core.network.model import DimlModel

_STEPS = 3  # that the backbone is randomised in


def randomised(model: DimlModel) -> Iterator[tuple[str, DimlModel]]:
    """The model with ever more of its weights shuffled, from the head down; the given one stays as it is.

    Yields:
        What is shuffled, in words, and the same model each time, changed further.
    """
    changed = copy.deepcopy(model).eval()
    random = torch.Generator().manual_seed(0)
    if any(True for _ in changed.head.parameters()):
        _shuffle(changed.head, random)
        yield "head", changed
    layers = [
        module
        for module in changed.backbone.network.modules()
        if any(True for _ in module.parameters(recurse=False))
    ][::-1]
    for step in range(_STEPS):
        begin, end = (round(k * len(layers) / _STEPS) for k in (step, step + 1))
        for layer in layers[begin:end]:
            _shuffle(layer, random)
        yield f"from the top, {step + 1}/{_STEPS}", changed


@torch.no_grad()
def _shuffle(module: nn.Module, random: torch.Generator) -> None:
    """Shuffle the entries of a module's own parameters; its children's stay."""
    for parameter in module.parameters(recurse=False):
        order = torch.randperm(parameter.numel(), generator=random).to(parameter.device)
        parameter.copy_(parameter.flatten()[order].view_as(parameter))
