"""The model that training starts from: a backbone with some settings changed, and a new head."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from diml_core.errors import InputError
from diml_core.learning.activations import Activations
from diml_core.learning.config import TrainConfig
from diml_core.learning.split_network import SplitNetwork
from diml_core.network.checkpoints import load_model
from diml_core.network.model import DimlModel
from diml_core.network.model_config import ModelConfig

_BATCH = 32
_HEAD_IMAGES = {"pca": 512, "classifier": 1024}  # whose features give the head its start
_ELSEWHERE = 0.5  # trace of the covariance that stands for kinds of things that are not at hand
_FINE = 0.6


def starting_model(start: str, changes: dict) -> DimlModel:
    """Load a model and change its configuration, keeping every weight that still has a place.

    Args:
        start: as :func:`diml_core.network.checkpoints.load_model` takes it.
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
def start_head(split: SplitNetwork, activations: Activations, config: TrainConfig) -> None:
    """Start a linear head as the config asks, from the first views of some images; leave any other as it is.

    Args:
        split: the network, its head changed in place.
        activations: of the training images.
        config: its ``start``, ``head_start``, ``head_centre`` and ``seed`` are used.

    Raises:
        InputError: a start without a classifier, or one that sees other channels, where the head is to start from it.
    """
    head, how = split.model.head, config.head_start
    if not isinstance(head, nn.Linear) or how == "kept":
        return
    device = next(split.parameters()).device
    random = np.random.default_rng([config.seed, 6])
    rows = random.permutation(len(activations.states))[: _HEAD_IMAGES[how]]
    side = split.model.backbone.map_side
    found = []
    for start in range(0, len(rows), _BATCH):
        chosen = rows[start : start + _BATCH]
        features, _ = split.features(
            activations.fetch(chosen, np.zeros_like(chosen), device), (side, side)
        )
        cells = features.flatten(1, 2)
        if how == "pca":
            cells = cells.flatten(0, 1)
            cells = cells[torch.from_numpy(random.integers(len(cells), size=1024))]
        found.append(cells.cpu())
    features = torch.cat(found)
    if how == "pca":
        principal_head(head, features)
        return
    classifier = load_model(config.start).backbone.network.get_classifier()
    if not isinstance(classifier, nn.Linear):
        raise InputError(
            f"'{config.start}' has no classifier to start the head from: set head_start to 'pca'."
        )
    classifier_head(head, classifier, features, centre=config.head_centre, seed=config.seed)


@torch.no_grad()
def classifier_head(
    head: nn.Linear, classifier: nn.Linear, features: Tensor, *, centre: float, seed: int
) -> None:
    """Set a linear head to what the features *and* the classifier behind them tell apart.

    Cosines under ``K = I + W'W / (|W|^2 / C)``, W the classifier's centred weights: classes count as much
    as all other directions together, which on real photographs is better than either (the card of
    ``efficientnet-lite0`` has the figures). Of K's C dimensions the D with the most energy are kept, under
    the covariance of the features plus one that is the same in every direction, for the features at hand
    show few of the kinds that the classifier knows.

    Where finer maps are joined in front of the classifier's (:func:`diml_core.network.backbones.joined`), they
    get random orthogonal directions, scaled to be a fixed share of a cell.

    Args:
        head: channels -> D, changed in place; the classifier's C channels are the last of its input.
        classifier: of the start, C -> classes.
        features: ``[n, cells, channels]`` of some images.
        centre: share of the features' mean that is taken off.
        seed: of the random directions.

    Raises:
        InputError: the last channels are not what the classifier sees.
    """
    channels = classifier.in_features
    fine = head.in_features - channels
    if fine < 0:
        raise InputError(
            f"The head sees {head.in_features} channels and the start's classifier {channels}: let 'final' be "
            "the last of the layers, or set head_start to 'pca'."
        )
    features = features.cpu()  # an Apple GPU has no float64
    classes = classifier.weight.cpu().double()
    classes = classes - classes.mean(0)
    metric = torch.eye(channels, dtype=torch.float64)
    metric += classes.T @ classes / (classes.square().sum() / channels)
    values, vectors = torch.linalg.eigh(metric)
    root = vectors * values.sqrt() @ vectors.T
    coarse = features[..., fine:].double().mean(1)
    unit = functional.normalize(coarse, dim=-1)
    covariance = unit.T @ unit / len(unit)
    covariance = covariance / covariance.trace() + _ELSEWHERE * torch.eye(channels) / channels
    _, directions = torch.linalg.eigh(root @ covariance @ root)
    weight = torch.zeros(head.out_features, head.in_features, dtype=torch.float64)
    weight[:, fine:] = directions[:, -head.out_features :].T @ root
    bias = -centre * weight[:, fine:] @ coarse.mean(0)
    cells = features.flatten(0, 1)[::7].double()  # a share of them says how long they are
    length = (cells @ weight.T + bias).norm(dim=-1).mean()
    if fine:
        random = torch.Generator().manual_seed(seed)
        rows = torch.randn(head.out_features, fine, generator=random, dtype=torch.float64)
        directions, _ = torch.linalg.qr(rows)
        weight[:, :fine] = directions * _FINE * length / cells[:, :fine].norm(dim=-1).mean()
    _set(head, weight / length, bias / length)


@torch.no_grad()
def principal_head(head: nn.Linear, features: Tensor) -> None:
    """Set a linear head to the principal components of features, centred.

    Cosines of D components are those of all C channels, up to what the dropped ones vary: a start
    that already compares parts as the backbone does.

    Args:
        head: C -> D, changed in place.
        features: ``[n, C]``, n at least D.
    """
    features = features.cpu().double()  # an Apple GPU has no float64
    mean = features.mean(0)
    _, _, components = torch.linalg.svd(features - mean, full_matrices=False)
    weight = components[: head.out_features]
    _set(head, weight, -weight @ mean)


def _set(head: nn.Linear, weight: Tensor, bias: Tensor) -> None:
    head.weight.copy_(weight.float())
    head.bias.copy_(bias.float())
