"""Embedding a data set in several ways at once: the network sees every image one time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from tqdm import tqdm

from diml_core.images import load_photo
from diml_core.model import DimlModel
from diml_core.options import ExplainOptions
from diml_core.packing import packed
from diml_core.retrieval.fetched import Fetched

_BATCH = 16


@dataclass(frozen=True)
class Variant:
    """What decides an embedding; pairs of images may then be compared with any marginals and mass.

    Attributes:
        grid, start_block, head_fusion, kept_mass: as in :class:`ExplainOptions`.
        pooling: entry of :data:`diml_core.model_config.GLOBAL_POOLINGS`.
    """

    grid: int
    pooling: str
    start_block: int | None = None
    head_fusion: str = "mean"
    kept_mass: float = 1.0

    @classmethod
    def of(cls, model: DimlModel, options: ExplainOptions, pooling: str | None = None) -> Variant:
        """The variant that validated options ask for."""
        return cls(
            options.grid,
            pooling or model.config.pooling,
            options.start_block,
            options.head_fusion,
            options.kept_mass,
        )


@dataclass(frozen=True, eq=False)
class Embedded:
    """A data set as stage two takes it.

    Attributes:
        vectors: ``[N, R + 1, D]`` float16 unit part embeddings, zero rows where an image has fewer
            than R parts, and the unit global embedding last.
        weights: ``[N, R]`` float32 rollout mass per part, or None without attention.
        grids: ``[N, 2]`` int64 rows and columns of the real parts.
    """

    vectors: Tensor
    weights: Tensor | None
    grids: Tensor

    def fetch(self, rows: Tensor) -> Fetched:
        """Some images, as :func:`diml_core.retrieval.rerank.rerank` asks for them."""
        return Fetched(self.vectors, self.weights, rows)


@torch.inference_mode()
def embed_all(
    model: DimlModel, paths: Sequence[Path], variants: Sequence[Variant], *, progress: bool = True
) -> dict[Variant, Embedded]:
    """Run the network on every image, at the model's own preprocessing, and pool in every way asked.

    Args:
        model: the model.
        paths: image files.
        variants: the ways.
        progress: whether to show a bar.

    Raises:
        InputError: an image that cannot be read.
    """
    starts = [v.start_block for v in variants if v.start_block is not None]
    attention_from = min(starts, default=0) if model.has_rollout else None
    stored = {variant: _empty(model, len(paths), variant) for variant in dict.fromkeys(variants)}
    device = next(model.parameters()).device
    with tqdm(total=len(paths), desc="images", unit="image", disable=not progress) as bar:
        for indices, images in _batches(model, paths):
            feature_map, attentions = model(images.to(device), attention_from)
            rollouts: dict[tuple, Tensor | None] = {}
            for variant, embedded in stored.items():
                key = (variant.start_block, variant.head_fusion, variant.kept_mass)
                if key not in rollouts:
                    rollouts[key] = model.rollout_weights(attentions, _options(variant))
                _store(model, embedded, variant, indices, feature_map, rollouts[key])
            bar.update(len(indices))
    return stored


def _options(variant: Variant) -> ExplainOptions:
    return ExplainOptions(
        grid=variant.grid,
        start_block=variant.start_block,
        head_fusion=variant.head_fusion,
        kept_mass=variant.kept_mass,
    )


def _empty(model: DimlModel, count: int, variant: Variant) -> Embedded:
    parts = variant.grid**2
    return Embedded(
        torch.zeros(count, parts + 1, model.dim, dtype=torch.float16),
        torch.zeros(count, parts) if model.has_rollout else None,
        torch.zeros(count, 2, dtype=torch.long),
    )


def _store(
    model: DimlModel,
    into: Embedded,
    variant: Variant,
    indices: list[int],
    feature_map: Tensor,
    rollout: Tensor | None,
) -> None:
    embedding = model.pool(feature_map, rollout, variant.grid, variant.pooling)
    vectors, weights = packed(embedding, variant.grid**2)
    into.vectors[indices] = vectors.half().cpu()
    into.grids[indices] = torch.tensor(embedding.grid)
    if into.weights is not None and weights is not None:
        into.weights[indices] = weights.float().cpu()


def _batches(model: DimlModel, paths: Sequence[Path]) -> Iterator[tuple[list[int], Tensor]]:
    """Images of one shape together, for every picture keeps its own."""
    waiting: dict[tuple[int, ...], list[tuple[int, Tensor]]] = {}
    for index, path in enumerate(paths):
        image = model.preprocess(load_photo(path))
        group = waiting.setdefault(tuple(image.shape), [])
        group.append((index, image))
        if len(group) == _BATCH:
            yield _stacked(waiting.pop(tuple(image.shape)))
    for group in waiting.values():
        yield _stacked(group)


def _stacked(group: list[tuple[int, Tensor]]) -> tuple[list[int], Tensor]:
    return [index for index, _ in group], torch.stack([image for _, image in group])
