"""One layout of an embedding wherever many are compared: parts, then the global embedding as one more row.

One matrix product of two such arrays yields part similarities, the correlations that marginals are made of,
and the global similarity.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from diml_core.embedding.features import Embedding


def packed(embedding: Embedding, parts: int | None = None) -> tuple[Tensor, Tensor | None]:
    """An embedding as arrays.

    Args:
        embedding: of one picture or a batch.
        parts: P, parts to make room for; None for those there are.

    Returns:
        Vectors ``[..., P + 1, D]``: unit part embeddings, zero rows where there are fewer than P, and the
        unit global embedding as the last row. Rollout mass ``[..., P]``, 0 for missing parts, or None
        without attention.
    """
    missing = 0 if parts is None else parts - embedding.parts.shape[-2]
    rows = functional.pad(embedding.parts, (0, 0, 0, missing))
    vectors = torch.cat([rows, embedding.pooled[..., None, :]], -2)
    if embedding.rollout is None:
        return vectors, None
    return vectors, functional.pad(embedding.rollout, (0, missing))
