"""What goes into an embedding and what comes out of it."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from diml_core.embedding.grids import Grid
from diml_core.photo.images import Photo


@dataclass(frozen=True, eq=False)
class ImageFeatures:
    """What the network made of one picture; independent of every option.

    Attributes:
        photo: the picture.
        map: ``[h, w, D]`` float32, head applied, not normalised.
        attentions: softmax attention per block, ``[heads, T, T]``, None for blocks that were not
            recorded; empty without global attention.
    """

    photo: Photo
    map: Tensor
    attentions: tuple[Tensor | None, ...]

    @property
    def nbytes(self) -> int:
        """Bytes of the tensors, for bounding a cache."""
        return sum(t.nbytes for t in (self.map, *self.attentions) if t is not None)


@dataclass(frozen=True, eq=False)
class Embedding:
    """One picture (leading dimensions: a batch of them) as DIML compares it.

    Attributes:
        parts: ``[..., R, D]`` unit part embeddings, row-major over ``grid``.
        pooled: ``[..., D]`` unit global embedding.
        grid: rows, columns; R = rows * columns.
        rollout: ``[..., R]`` rollout mass per part summing to 1, or None without attention.
        rollout_map: ``[..., h, w]`` the same at the resolution of the map, or None.
    """

    parts: Tensor
    pooled: Tensor
    grid: Grid
    rollout: Tensor | None
    rollout_map: Tensor | None


@dataclass(frozen=True, eq=False)
class EmbeddedPhoto:
    """A picture and all that a comparison takes from it.

    Attributes:
        photo: the picture; only its name, its size and, for drawing, its pixels are used.
        embedding: of it, without leading dimensions.
        part_rollout: ``[R, h, w]`` where every part looked, or None.
    """

    photo: Photo
    embedding: Embedding
    part_rollout: Tensor | None = None
