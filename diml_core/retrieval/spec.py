"""What a gallery was made with, and how one photo is packed into its arrays."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import partial
from typing import Annotated, Any

import numpy as np
import torch
from pydantic import BeforeValidator
from torch import Tensor

from diml_core.comparison.options import ExplainOptions
from diml_core.embedding.grids import Grid
from diml_core.embedding.packing import packed
from diml_core.errors import InputError
from diml_core.network.fingerprint import model_fingerprint
from diml_core.network.model import DimlModel
from diml_core.validation import Positive, from_object, settings


@settings
class GallerySpec:
    """Everything that decides what the numbers in a gallery mean.

    Attributes:
        model: what :func:`diml_core.load_model` takes to get the model again; empty where it takes nothing.
        fingerprint: :func:`diml_core.network.fingerprint.model_fingerprint` of that model.
        options: how pairs are compared. Grid, start block, head fusion and kept mass are baked into
            the stored vectors; marginals, mass, epsilon and tolerance are defaults of a search.
        parts: R, parts that every photo has room for. Elongated photos have fewer; zero rows pad.
        dim: D, dimension of an embedding.
        has_rollout: whether rollout weights are stored beside the vectors.
    """

    model: str
    fingerprint: str
    options: Annotated[ExplainOptions, BeforeValidator(partial(from_object, ExplainOptions))]
    parts: Positive
    dim: Positive
    has_rollout: bool

    @classmethod
    def of(cls, model: DimlModel, options: ExplainOptions) -> GallerySpec:
        """The spec of a gallery that ``model`` makes with ``options``."""
        return cls(
            model=model.source,
            fingerprint=model_fingerprint(model),
            options=options,
            parts=options.grid**2,
            dim=model.dim,
            has_rollout=model.has_rollout,
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> GallerySpec:
        """Rebuild from :meth:`to_dict`. Raises InputError for anything else."""
        return from_object(cls, values)

    def check_model(self, model: DimlModel, where: str) -> None:
        """Refuse a model that did not make the vectors.

        Raises:
            InputError: naming both models.
        """
        if model_fingerprint(model) != self.fingerprint:
            raise InputError(
                f"The gallery '{where}' was made with another model ('{self.model}') than "
                f"'{model.name}' as it is now: open it with that model, or index the photos again "
                "into a new folder."
            )


@dataclass(frozen=True, eq=False)
class PackedPhoto:
    """One photo as a gallery stores it.

    Attributes:
        vectors: ``[R + 1, D]`` float16, from :func:`diml_core.embedding.packing.packed`.
        weights: ``[R]`` float32 rollout mass per part, or None without attention.
        grid: rows, columns of the real parts.
    """

    vectors: np.ndarray
    weights: np.ndarray | None
    grid: Grid


@torch.inference_mode()
def pack_photos(model: DimlModel, images: Tensor, spec: GallerySpec) -> list[PackedPhoto]:
    """Run the network on photos of one shape and lay their embeddings out for storage.

    Args:
        model: the model, on any device.
        images: ``[B, 3, H, W]`` from ``model.preprocess``.
        spec: of the gallery.
    """
    embedder = model.embedder(spec.options)
    feature_map, attentions = model(images.to(model.device), spec.options.start_block)
    embedding = embedder.pool(feature_map, embedder.rollout_weights(attentions))
    vectors, weights = packed(embedding, spec.parts)
    stored = [None] * len(images) if weights is None else weights.float().cpu().numpy()
    return [
        PackedPhoto(rows, mass, embedding.grid)
        for rows, mass in zip(vectors.half().cpu().numpy(), stored, strict=True)
    ]
