"""Where each part of one image lands in the other: a plan read as point correspondences."""

from __future__ import annotations

import torch
from torch import Tensor

from diml_core.embedding.grids import Grid


def centres(grid: Grid) -> Tensor:
    """``[R, 2]`` float64 centres (x, y) of a grid's cells, as fractions of the picture's sides."""
    rows, columns = grid
    y = (torch.arange(rows, dtype=torch.float64) + 0.5) / rows
    x = (torch.arange(columns, dtype=torch.float64) + 0.5) / columns
    return torch.stack(torch.meshgrid(x, y, indexing="xy"), -1).flatten(0, 1)


def matched_points(plan: Tensor, similarity: Tensor, points: Tensor) -> dict[str, Tensor]:
    """Three readings of where part i of A lies in B.

    Args:
        plan: ``[..., Ra, Rb]``.
        similarity: ``[..., Ra, Rb]`` part similarity.
        points: ``[Rb, 2]`` centres of B's parts.

    Returns:
        ``[..., Ra, 2]`` each: ``plan``, the part that gets most of i's mass; ``plan, mean``, the centre of
        all its mass (barycentric projection); ``nearest part``, the most similar part, which no plan
        is needed for. NaN where the plan sends nothing from i.
    """
    plan = plan.to(points.dtype)
    sent = plan.sum(-1, keepdim=True)
    nothing = torch.where(sent > 0, 0.0, torch.nan)
    return {
        "plan": points[plan.argmax(-1)] + nothing,
        "plan, mean": plan @ points / sent.clamp_min(torch.finfo(points.dtype).tiny) + nothing,
        "nearest part": points[similarity.argmax(-1)],
    }
