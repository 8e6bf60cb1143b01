"""Embedding a data set in several ways at once: the network sees every image one time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from tqdm import tqdm

from diml_core.embedding.embedder import Embedder
from diml_core.embedding.features import Embedding
from diml_core.embedding.packing import packed
from diml_core.errors import InputError
from diml_core.evaluation.memory import available_memory
from diml_core.network.batches import SPACE, batch_size, by_shape, loaded_ahead
from diml_core.network.model import DimlModel
from diml_core.photo.images import load_photo
from diml_core.retrieval.fetched import Fetched


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
    model: DimlModel, paths: Sequence[Path], embedders: Sequence[Embedder], *, progress: bool = True
) -> dict[Embedder, Embedded]:
    """Run the network on every image, at the model's own preprocessing, and pool in every way asked.

    Args:
        model: the model.
        paths: image files.
        embedders: the ways, from ``model.embedder``.
        progress: whether to show a bar.

    Raises:
        InputError: an image that cannot be read, or embeddings that do not fit into memory.
    """
    starts = [e.start_block for e in embedders if e.start_block is not None]
    attention_from = min(starts, default=0) if model.has_rollout else None
    embedders = list(dict.fromkeys(embedders))
    _check_room([_empty(model, len(paths), embedder.grid, "meta") for embedder in embedders])
    stored = {embedder: _empty(model, len(paths), embedder.grid, "cpu") for embedder in embedders}
    size = batch_size(model, attention_from)
    with (
        loaded_ahead(lambda path: model.preprocess(load_photo(path)), paths, size) as images,
        tqdm(total=len(paths), desc="images", unit="image", disable=not progress) as bar,
    ):
        for indices, batch in by_shape(enumerate(images), size):
            feature_map, attentions = model(batch.to(model.device), attention_from)
            rollouts: dict[tuple, Tensor | None] = {}
            for embedder, embedded in stored.items():
                key = (embedder.start_block, embedder.head_fusion, embedder.kept_mass)
                if key not in rollouts:
                    rollouts[key] = embedder.rollout_weights(attentions)
                _store(embedder.pool(feature_map, rollouts[key]), embedded, indices)
            bar.update(len(indices))
    return stored


def _empty(model: DimlModel, count: int, side: int, device: str) -> Embedded:
    parts = side**2
    return Embedded(
        torch.zeros(count, parts + 1, model.dim, dtype=torch.float16, device=device),
        torch.zeros(count, parts, device=device) if model.has_rollout else None,
        torch.zeros(count, 2, dtype=torch.long, device=device),
    )


def _check_room(planned: Sequence[Embedded]) -> None:
    needed = SPACE + sum(
        tensor.nbytes
        for embedded in planned
        for tensor in (embedded.vectors, embedded.weights, embedded.grids)
        if tensor is not None
    )
    available = available_memory()
    if available is not None and needed > available:
        raise InputError(
            f"Embedding {len(planned[0].grids):,} images in {len(planned)} ways takes "
            f"{needed / 2**30:,.1f} GiB of memory, and {available / 2**30:,.1f} are free: take a coarser "
            "grid or fewer settings, or a machine with more memory."
        )


def _store(embedding: Embedding, into: Embedded, indices: list[int]) -> None:
    vectors, weights = packed(embedding, into.vectors.shape[1] - 1)
    into.vectors[indices] = vectors.half().cpu()
    into.grids[indices] = torch.tensor(embedding.grid)
    if into.weights is not None and weights is not None:
        into.weights[indices] = weights.float().cpu()
