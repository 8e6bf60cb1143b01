"""The model that training starts from: a backbone with some settings changed, and a new head."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor, nn

from diml_core.checkpoints import load_model
from diml_core.errors import InputError
from diml_core.model import DimlModel
from diml_core.model_config import ModelConfig


def starting_model(start: str, changes: dict) -> DimlModel:
    """Load a model and change its configuration, keeping every weight that still has a place.

    Args:
        start: as :func:`diml_core.checkpoints.load_model` takes it.
        changes: fields of :class:`ModelConfig`. Fewer blocks (``architecture_options.depth``) or no
            classifier drop weights; a head of another size starts anew.

    Raises:
        InputError: see :func:`load_model`; an unknown field; or a network that needs weights which
            the start does not have.
    """
    source = load_model(start)
    stored = source.config.to_dict()
    config = ModelConfig.from_dict(stored | {"trained_with_diml": True} | changes)
    config = replace(config, trained_with_diml=True)
    model = DimlModel(config)
    own, given = model.state_dict(), source.state_dict()
    fitting = {k: v for k, v in given.items() if k in own and own[k].shape == v.shape}
    absent = [k for k in own if k not in fitting and not k.startswith("head.")]
    if absent:
        raise InputError(
            f"'{start}' has no weights for {absent[0]} of {config.architecture}: start from a model of "
            "the same architecture."
        )
    model.load_state_dict(fitting, strict=False)
    return model


@torch.no_grad()
def principal_head(head: nn.Linear, features: Tensor) -> None:
    """Set a linear head to the principal components of features, centred.

    Cosines of D components are those of all C channels, up to what the dropped ones vary: a start
    that already compares parts as the backbone does.

    Args:
        head: C -> D, changed in place.
        features: ``[n, C]``, n at least D.
    """
    features = features.double()
    mean = features.mean(0)
    _, _, components = torch.linalg.svd(features - mean, full_matrices=False)
    weight = components[: head.out_features]
    head.weight.copy_(weight)
    head.bias.copy_(-weight @ mean)
