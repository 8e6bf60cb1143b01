"""How the cells of a feature map become the parts of a grid, and parts or cells the global embedding."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from diml_core.embedding.grids import Grid

GlobalPooling = Literal["mean", "grid", "rollout"]
"""Where the global embedding comes from: the mean of all cells, the mean of the grid's parts (the DIML authors'
models), or the mean of all cells weighted by their rollout."""


def area_pooling(cells_in: int, cells_out: int) -> Tensor:
    """Overlap of each output cell with each input cell along one axis, in input cells.

    Returns:
        ``[cells_out, cells_in]`` float32 whose columns sum to 1: input cells are shared out exactly,
        also where the sizes do not divide.
    """
    scale = cells_in / cells_out
    start = torch.arange(cells_out, dtype=torch.float64)[:, None] * scale
    cell = torch.arange(cells_in, dtype=torch.float64)[None]
    overlap = torch.minimum(start + scale, cell + 1) - torch.maximum(start, cell)
    return overlap.clamp_min(0).float()


def resampled_pooling(cells_in: int, cells_out: int) -> Tensor:
    """The pooling of the DIML authors: bilinear to 4 points per cell, corners aligned, then averaged.

    With 7 in and 4 out this is their ``7 -> 16 -> 4``. Returns ``[cells_out, cells_in]`` float32 whose
    rows sum to 1.
    """
    impulses = torch.eye(cells_in)[None]
    points = functional.interpolate(impulses, size=4 * cells_out, mode="linear", align_corners=True)
    return functional.avg_pool1d(points, 4)[0].T.contiguous()


GRID_POOLINGS = {"area": area_pooling, "resampled": resampled_pooling}
"""How cells become parts along one axis, by name: of c cells and r parts the weights ``[r, c]``."""


@lru_cache(maxsize=256)
def pooling_matrix(map_shape: Grid, grid: Grid, method: str = "area") -> Tensor:
    """``[grid parts, map cells]`` weights that pool a flattened map onto a flattened grid."""
    along = GRID_POOLINGS[method]
    # Kept from call to call: made while somebody explains, it must still serve one who trains.
    with torch.inference_mode(False):
        return torch.kron(along(map_shape[0], grid[0]), along(map_shape[1], grid[1]))


def pool_parts(pooling: Tensor, cells: Tensor, weights: Tensor | None) -> Tensor:
    """Means of the cells under each part.

    Args:
        pooling: ``[R, h * w]`` from :func:`pooling_matrix`.
        cells: ``[..., h * w, D]``.
        weights: ``[..., h * w]`` how much each cell counts within its part, or None for all the same.

    Returns:
        ``[..., R, D]``.
    """
    if weights is None:
        return (pooling / pooling.sum(-1, keepdim=True)) @ cells
    shares = pooling * weights[..., None, :]
    total = shares.sum(-1, keepdim=True)
    # A part that truncation left without any rollout mass still has a content: its plain mean.
    return (
        torch.where(total > 0, shares, pooling)
        / torch.where(total > 0, total, pooling.sum(-1, keepdim=True))
        @ cells
    )
