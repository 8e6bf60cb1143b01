"""A pair whose photos were changed, scored again by the network, many photos at a time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from diml_core.comparison.options import ExplainOptions
from diml_core.counterfactual import covered_photos
from diml_core.embedding.features import EmbeddedPhoto, ImageFeatures
from diml_core.evaluation.faithfulness.cells import grid_of
from diml_core.explain import explain_embedded
from diml_core.network.batches import batch_size
from diml_core.network.model import DimlModel
from diml_core.photo.images import Photo


class Scores(NamedTuple):
    """Of a pair: overall and global similarity."""

    overall: float
    global_similarity: float


def embedded_as_is(
    model: DimlModel, features: ImageFeatures, options: ExplainOptions
) -> EmbeddedPhoto:
    """A photo that the network has seen."""
    return EmbeddedPhoto(features.photo, model.embedder(options)(features))


@torch.inference_mode()
def embedded_images(
    model: DimlModel, photo: Photo, images: Tensor, options: ExplainOptions
) -> list[EmbeddedPhoto]:
    """Run the network on variants of one photo, in one forward pass.

    Args:
        model: the model.
        photo: what they are variants of.
        images: ``[B, 3, H, W]`` as ``model.preprocess`` makes them.
        options: validated, from ``model.options``.
    """
    embedder = model.embedder(options)
    seen = model.extract_images([photo] * len(images), images, options.start_block)
    return [EmbeddedPhoto(photo, embedder(features)) for features in seen]


def embedded_photos(
    model: DimlModel, photos: Sequence[Photo], options: ExplainOptions
) -> list[EmbeddedPhoto]:
    """Run the network on photos of one size, in one forward pass."""
    images = torch.stack([model.preprocess(photo) for photo in photos])
    return embedded_images(model, photos[0], images, options)


def embedded_covered(
    model: DimlModel,
    features: ImageFeatures,
    sets: Sequence[Iterable[int]],
    options: ExplainOptions,
    cover: str,
) -> list[EmbeddedPhoto]:
    """Run the network on one photo with sets of its parts covered, in one forward pass.

    Args:
        model: the model.
        features: of the photo as it is.
        sets: parts to cover, at least one in each.
        options: validated, from ``model.options``.
        cover: name in :data:`diml_core.counterfactual.COVERS`.

    Raises:
        InputError: an unknown cover, or a part outside the grid.
    """
    grid = grid_of(features, options)
    photos = covered_photos(features.photo, grid, [sorted(parts) for parts in sets], cover)
    return embedded_photos(model, photos, options)


def scores(model: DimlModel, a: EmbeddedPhoto, b: EmbeddedPhoto, options: ExplainOptions) -> Scores:
    """Compare two embedded photos."""
    explanation = explain_embedded(model.name, a, b, options)
    return Scores(explanation.similarity, explanation.global_similarity)


def scores_covered(
    model: DimlModel,
    a: ImageFeatures,
    b: ImageFeatures,
    options: ExplainOptions,
    side: str,
    sets: Sequence[Iterable[int]],
    cover: str,
) -> list[Scores]:
    """Scores of the pair for each of many sets of covered parts of one photo, in batches.

    Args:
        model, a, b, options: the pair.
        side: ``a`` or ``b``, whose parts are covered.
        sets, cover: see :func:`embedded_covered`.
    """
    features, other = (a, b) if side == "a" else (b, a)
    still = embedded_as_is(model, other, options)
    size = batch_size(model, options.start_block)
    result = []
    for start in range(0, len(sets), size):
        for moved in embedded_covered(model, features, sets[start : start + size], options, cover):
            pair = (moved, still) if side == "a" else (still, moved)
            result.append(scores(model, *pair, options))
    return result


def falls_covered(
    model: DimlModel,
    a: ImageFeatures,
    b: ImageFeatures,
    options: ExplainOptions,
    side: str,
    sets: Sequence[Iterable[int]],
    cover: str,
) -> np.ndarray:
    """``[N]`` how far the overall similarity falls for each; the arguments are those of :func:`scores_covered`."""
    before = scores(
        model, embedded_as_is(model, a, options), embedded_as_is(model, b, options), options
    )
    after = scores_covered(model, a, b, options, side, sets, cover)
    return before.overall - np.array([score.overall for score in after])
