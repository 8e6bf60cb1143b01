"""What goes into an embedding and what comes out of it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import Tensor

from diml_core.embedding.grids import Grid
from diml_core.photo.images import Photo


@dataclass(frozen=True, eq=False)
class ImageFeatures:
    """What the network made of one picture; independent of every option.

    Attributes:
        photo: the picture.
        map: ``[h, w, D]`` float32, head applied, not normalised; every number is one that float16 has (see
            :func:`as_float16`).
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


def as_float16(feature_map: Tensor) -> Tensor:
    """A feature map in the one precision in which features are compared, kept and sent.

    A browser gets half the bytes, and computes from the same numbers as the library, so nobody sees two
    scores for a pair. Where a map lies outside what float16 holds with full precision, it is scaled by a power of
    two first: cosines do not mind.

    Args:
        feature_map: ``[..., h, w, D]`` of one photo.

    Returns:
        The same shape, float32, each number one that float16 has.
    """
    largest = float(feature_map.abs().max())
    if math.isfinite(largest) and largest > 0 and not _LEAST < largest < _MOST:
        feature_map = feature_map * 2.0 ** -math.frexp(largest)[1]
    return feature_map.half().float()


# Entries a thousand times smaller than the largest, which matter to a cosine, still have their 11 bits.
_LEAST, _MOST = 2.0**-4, 2.0**15
