"""A loss on where marginals fall, for images whose object is known: evenly on it, not beside it."""

from __future__ import annotations

import numpy as np
from torch import Tensor
from torch.nn import functional

from diml_core.comparison.marginals import correlation, marginal
from diml_core.embedding.grids import Grid
from diml_core.learning.correspondence import points_on_object
from diml_core.learning.distance import unpack

_SAMPLES = 4  # points per side of a part
_LEAST_MASS = 1e-4  # of a part: the slope of its logarithm stays finite


def object_mass_loss(
    packed: Tensor, pairs: tuple[Tensor, Tensor], coverage: Tensor, marginals: str, rollout: bool
) -> Tensor:
    """How far marginals are from falling on the object evenly, averaged over pairs.

    The plan and the marginals are constants in a structural loss, so that nothing there teaches a
    part of the background that it should not count. Here gradients flow through the marginal ``u``:
    the loss is the Kullback-Leibler divergence of ``u`` from ``t``, the object's share in every part.
    (To maximise the mass on the object alone puts all of it on a few parts, and leaves the plan
    nothing to say about the others.)

    Args:
        packed: ``[B, D (+ 1), R + 1]`` from :func:`diml_core.learning.distance.pack`.
        pairs: indices of views a and of views b of the same objects, ``[P]`` each.
        coverage: ``[B, R]`` how much of every part is object, in 0..1.
        marginals: name in :data:`diml_core.comparison.marginals.MARGINALS`.
        rollout: whether the last channel of the batch is rollout mass.

    Returns:
        Scalar ``sum_i t_i log(t_i / u_i)``, at least 0; 0 where no object is in view. A view that is
        object all over (a photograph, not a composite) says nothing of where to look, and does not count.
    """
    a, b = pairs
    parts, pooled, mass = unpack(packed, rollout=rollout)
    area = coverage[a].sum(-1, keepdim=True)
    seen = (area[:, 0] > 0) & (area[:, 0] < coverage.shape[-1])
    if not seen.any():
        return packed.sum() * 0
    towards = correlation(parts[a], pooled[b])[seen]
    looked = None if mass is None else mass[a][seen]
    even = (coverage[a] / area)[seen]
    given = marginal(marginals, towards, looked).clamp_min(_LEAST_MASS)
    return functional.kl_div(given.log(), even, reduction="batchmean")


def object_coverage(masks: np.ndarray, view_warps: np.ndarray, grid: Grid) -> Tensor:
    """How much of every part of a view is object.

    Args:
        masks: ``[B, H, W]`` uint8 of the whole images.
        view_warps: ``[B, 3, 3]``, points of the image to points of the view.
        grid: rows and columns.

    Returns:
        ``[B, R]`` float32 in 0..1, by a few points per part.
    """
    rows, columns = grid
    fine = points_on_object(masks, view_warps, (rows * _SAMPLES, columns * _SAMPLES))
    cells = fine.float().view(-1, rows, _SAMPLES, columns, _SAMPLES)
    return cells.mean((2, 4)).flatten(1)
