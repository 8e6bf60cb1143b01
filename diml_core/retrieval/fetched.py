"""What a collection hands over of its candidates."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class Fetched(NamedTuple):
    """Vectors of n candidates, where they lie: a memory-mapped index gives itself.

    Attributes:
        vectors: ``[M, R + 1, D]`` float16 unit part embeddings, the global one last.
        weights: ``[M, R]`` float32 rollout weights, or None without attention.
        places: ``[n]`` int64, where in these each candidate is.
    """

    vectors: Tensor
    weights: Tensor | None
    places: Tensor

    def gathered(self) -> tuple[Tensor, Tensor | None]:
        """Copies in the order of ``places``: vectors ``[n, R + 1, D]`` and weights ``[n, R]``."""
        return _gather(self.vectors, self.places), self.gathered_weights()

    def gathered_weights(self) -> Tensor | None:
        """The second of these alone."""
        return None if self.weights is None else self.weights.index_select(0, self.places)


def _gather(vectors: Tensor, rows: Tensor) -> Tensor:
    """``vectors[rows]`` of a ``[N, ..., D]`` float16 tensor.

    torch copies float16 number by number here; taken as 32-bit words the same bytes are copied many
    times as fast.
    """
    words = vectors.view(len(vectors), -1)
    if words.shape[1] % 2:
        return vectors.index_select(0, rows)
    copied = words.view(torch.int32).index_select(0, rows).view(vectors.dtype)
    return copied.view(len(rows), *vectors.shape[1:])
