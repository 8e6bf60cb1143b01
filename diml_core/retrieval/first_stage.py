"""Stage one: the globally most similar photos, by matrix products over blocks of the gallery."""

from __future__ import annotations

import torch
from torch import Tensor

_BLOCK = 8192  # rows; in float32 at D = 128 they fit a core's cache twice


@torch.inference_mode()
def nearest(pooled: Tensor, queries: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """The ``count`` rows with the largest dot product, exactly.

    Blocks are widened from float16 and multiplied in float32 one at a time, so the memory needed
    beside the (memory-mapped) gallery does not grow with it.

    Args:
        pooled: ``[N, D]`` float16 or float32 unit vectors.
        queries: ``[Q, D]`` unit vectors.
        count: rows wanted per query, at least 1.

    Returns:
        Rows ``[Q, min(count, N)]`` int64, largest first, and the dot products, float32.
    """
    queries = queries.float()
    best = queries.new_empty(len(queries), 0)
    rows = torch.empty(len(queries), 0, dtype=torch.long)
    for start in range(0, len(pooled), _BLOCK):
        similarity = queries @ pooled[start : start + _BLOCK].float().T
        found = similarity.topk(min(count, similarity.shape[1]), sorted=False)
        indices = found.indices.sort().values
        rows = torch.cat([rows, indices + start], 1)
        best = torch.cat([best, similarity.gather(1, indices)], 1)
        if best.shape[1] > count:
            best, rows = _best(best, rows, count)
    return _best(best, rows, count)[::-1]


def _best(values: Tensor, rows: Tensor, count: int) -> tuple[Tensor, Tensor]:
    # Stable: photos that are equal, copies of a file say, come in the order of the gallery.
    order = values.argsort(dim=1, descending=True, stable=True)[:, :count]
    return values.gather(1, order), rows.gather(1, order)
