"""A loss on where marginals fall, for images whose object is known: mass belongs on the object."""

from __future__ import annotations

import numpy as np
from torch import Tensor

from diml_core.grids import Grid
from diml_core.learning.correspondence import points_on_object
from diml_core.learning.distance import unpack
from diml_core.marginals import PartContext, marginal

_SAMPLES = 4  # points per side of a part
_LEAST_MASS = 1e-4  # the slope of its logarithm stays finite


def object_mass_loss(
    packed: Tensor, pairs: tuple[Tensor, Tensor], coverage: Tensor, marginals: str, rollout: bool
) -> Tensor:
    """``-log`` of the mass that a marginal puts on the object, averaged over pairs.

    The plan and the marginals are constants in a structural loss, so that nothing there teaches a
    part of the background that it should not count. Here gradients flow through the marginal: such
    parts grow unlike the other image's global embedding and, with a rollout, less attended to.

    Args:
        packed: ``[B, D (+ 1), R + 1]`` from :func:`diml_core.learning.distance.pack`.
        pairs: indices of views a and of views b of the same objects, ``[P]`` each.
        coverage: ``[B, R]`` how much of every part is object, in 0..1.
        marginals: name in :data:`diml_core.marginals.MARGINALS`.
        rollout: whether the last channel of the batch is rollout mass.

    Returns:
        Scalar, at least 0; 0 where no object is in view.
    """
    a, b = pairs
    parts, pooled, mass = unpack(packed, rollout=rollout)
    context = PartContext(parts[a], pooled[b], None if mass is None else mass[a])
    on_object = (marginal(marginals, context) * coverage[a]).sum(-1)
    seen = coverage[a].sum(-1) > 0
    if not seen.any():
        return packed.sum() * 0
    return -on_object[seen].clamp_min(_LEAST_MASS).log().mean()


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
