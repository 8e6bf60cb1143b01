"""From two pictures to an :class:`~diml_core.explanation.Explanation`."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import torch

from diml_core.comparison.marginals import correlation, marginal
from diml_core.comparison.options import ExplainOptions
from diml_core.comparison.similarity import part_similarity
from diml_core.comparison.transport import partial_transport
from diml_core.embedding.features import EmbeddedPhoto, Embedding, ImageFeatures
from diml_core.explanation import Explanation, Observation
from diml_core.network.model import DimlModel
from diml_core.photo.images import load_photo


def explain(model: DimlModel, image_a: Any, image_b: Any, **options: Any) -> Explanation:
    """Compare two images part by part.

    Args:
        model: from :func:`diml_core.load_model`.
        image_a, image_b: anything :func:`diml_core.photo.images.load_photo` takes (path, bytes, PIL image,
            array), or :class:`ImageFeatures` from ``model.extract`` to save the forward pass.
        **options: fields of :class:`ExplainOptions`; what is left out is the model's default.

    Returns:
        Explanation, whose parts add up to the score.

    Raises:
        InputError: an image that cannot be read, or an option out of the model's range.
    """
    chosen = model.options(**options)  # before any work, so that a bad option fails at once
    given = [
        image if isinstance(image, ImageFeatures) else load_photo(image)
        for image in (image_a, image_b)
    ]
    a, b = (
        f if isinstance(f, ImageFeatures) else model.extract(f, chosen.start_block) for f in given
    )
    return explain_features(model, a, b, chosen)


@torch.inference_mode()
def explain_features(
    model: DimlModel, a: ImageFeatures, b: ImageFeatures, options: ExplainOptions
) -> Explanation:
    """The part of :func:`explain` after the network: milliseconds, for any options.

    Args:
        model: the model that extracted the features.
        a, b: features of the two pictures.
        options: validated, from ``model.options``.

    Raises:
        InputError: attention that was not recorded, or that reaches no part.
    """
    embedder = model.embedder(options)
    embedded_a, embedded_b = (
        EmbeddedPhoto(
            f.photo,
            embedder(f),
            embedder.part_rollout((f.map.shape[0], f.map.shape[1]), f.attentions),
        )
        for f in (a, b)
    )
    explanation = explain_embedded(
        model.name, embedded_a, embedded_b, options, Observation(model, a, b)
    )
    if not explanation.converged:
        warnings.warn(
            f"The transport between '{a.photo.name}' and '{b.photo.name}' has not converged (marginal error "
            f"{explanation.marginal_error:.1e}): its score is near, not exact; take a larger epsilon.",
            stacklevel=2,
        )
    return explanation


@torch.inference_mode()
def explain_embedded(
    model: str,
    a: EmbeddedPhoto,
    b: EmbeddedPhoto,
    options: ExplainOptions,
    observed: Observation | None = None,
) -> Explanation:
    """The part of :func:`explain` that is about the pair, for who compares one photo with many.

    Does not warn where the transport has not converged: see :attr:`diml_core.explanation.Explanation.converged`.

    Args:
        model: name of the model.
        a, b: the two pictures, embedded by that model's embedder for these options.
        options: validated, from ``model.options``.
        observed: kept in the explanation.
    """
    marginals_a = _marginal(options, a.embedding, b.embedding)
    marginals_b = _marginal(options, b.embedding, a.embedding)
    similarity = part_similarity(a.embedding.parts, b.embedding.parts)
    transport = partial_transport(
        1 - similarity,
        marginals_a,
        marginals_b,
        options.mass,
        epsilon=options.epsilon,
        tolerance=options.tolerance,
    )
    return Explanation(
        model=model,
        options=options,
        name_a=a.photo.name,
        name_b=b.photo.name,
        size_a=a.photo.size,
        size_b=b.photo.size,
        grid_a=a.embedding.grid,
        grid_b=b.embedding.grid,
        global_similarity=float(a.embedding.pooled.double() @ b.embedding.pooled.double()),
        part_similarity=similarity.numpy(),
        plan=transport.plan.numpy(),
        marginals_a=marginals_a.numpy(),
        marginals_b=marginals_b.numpy(),
        rollout_a=_numpy(a.embedding.rollout),
        rollout_b=_numpy(b.embedding.rollout),
        rollout_map_a=_numpy(a.embedding.rollout_map),
        rollout_map_b=_numpy(b.embedding.rollout_map),
        iterations=int(transport.iterations),
        marginal_error=float(transport.marginal_error),
        part_rollout_a=_numpy(a.part_rollout),
        part_rollout_b=_numpy(b.part_rollout),
        photo_a=a.photo,
        photo_b=b.photo,
        observed=observed,
    )


def _marginal(options: ExplainOptions, own: Embedding, other: Embedding) -> torch.Tensor:
    rollout = None if own.rollout is None else own.rollout.double()
    towards = correlation(own.parts.double(), other.pooled.double())
    return marginal(options.marginals, towards, rollout)


def _numpy(tensor: torch.Tensor | None) -> np.ndarray | None:
    return None if tensor is None else tensor.numpy()
