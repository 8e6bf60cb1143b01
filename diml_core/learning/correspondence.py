"""A loss on correspondences that are known: a part should be most similar to where it truly went."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from diml_core.comparison.matching import centres
from diml_core.embedding.grids import Grid

_TEMPERATURE = 0.05  # of the softmax over parts: the entropy of the transport
_SOLID = 127  # value of a mask from which a point is on the object


def correspondence_loss(
    cells: Tensor, grid: Grid, pairs: tuple[Tensor, Tensor], warps: Tensor, on_object: Tensor
) -> Tensor:
    """Cross-entropy between a part's similarities to all parts of the other view and its true place.

    The true place lies between cells and is shared out bilinearly. Parts beside the object, or
    whose true place is outside the other view, do not count.

    Args:
        cells: ``[B, R, D]`` unit embeddings of the cells of a map.
        grid: its rows and columns.
        pairs: indices of views a and of views b of the same objects, ``[P]`` each.
        warps: ``[B, 3, 3]`` float64, points of the object to points of each view, as fractions.
        on_object: ``[B, R]`` bool. Both on the processor, wherever the cells are: there alone float64 is sure.

    Returns:
        Scalar; 0 where nothing counts.
    """
    a, b = pairs
    points = centres(grid).to(warps)
    between = warps[b] @ torch.linalg.inv(warps[a])
    true = points @ between[:, :2, :2].mT + between[:, None, :2, 2]  # [P, R, 2]
    counted = on_object[a] & ((true >= 0) & (true <= 1)).all(-1)
    if not counted.any():
        return cells.sum() * 0
    target = _shares(true[counted], grid).to(cells.dtype).to(cells.device)
    logits = (cells[a] @ cells[b].mT)[counted.to(cells.device)] / _TEMPERATURE
    return functional.cross_entropy(logits, target)


def _shares(points: Tensor, grid: Grid) -> Tensor:
    """``[n, R]`` bilinear shares of ``[n, 2]`` points (x, y) in the cells of a grid, summing to 1."""
    rows, columns = grid
    along = []
    for coordinate, count in ((points[:, 1], rows), (points[:, 0], columns)):
        place = (coordinate * count - 0.5).clamp(0, count - 1)
        cell = torch.arange(count, device=points.device, dtype=points.dtype)
        along.append((1 - (place[:, None] - cell).abs()).clamp_min(0))
    return (along[0][:, :, None] * along[1][:, None]).flatten(1)


def neighbours_in_class(classes: int, images: int) -> tuple[Tensor, Tensor]:
    """Pairs of a class-by-class batch: each image with the next of its class, the last with the first."""
    index = torch.arange(classes * images).view(classes, images)
    return index.flatten(), index.roll(-1, 1).flatten()


def points_on_object(masks: np.ndarray, view_warps: np.ndarray, grid: Grid) -> Tensor:
    """Which cells of a view lie on the object.

    Args:
        masks: ``[B, H, W]`` uint8 of the whole images.
        view_warps: ``[B, 3, 3]``, points of the image to points of the view.
        grid: rows and columns.

    Returns:
        ``[B, R]`` bool.
    """
    points = np.concatenate([centres(grid).numpy(), np.ones((grid[0] * grid[1], 1))], 1)
    places = (points @ np.linalg.inv(view_warps).swapaxes(1, 2))[..., :2]
    height, width = masks.shape[1:]
    columns = np.clip((places[..., 0] * width).astype(int), 0, width - 1)
    rows = np.clip((places[..., 1] * height).astype(int), 0, height - 1)
    return torch.from_numpy(masks[np.arange(len(masks))[:, None], rows, columns] > _SOLID)
