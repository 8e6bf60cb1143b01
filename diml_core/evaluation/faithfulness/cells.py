"""The parts of a photo, and maps of its cells laid on them."""

from __future__ import annotations

from torch import Tensor

from diml_core.comparison.options import ExplainOptions
from diml_core.embedding.features import ImageFeatures
from diml_core.embedding.grids import Grid, grid_on_map
from diml_core.embedding.pooling import pooling_matrix


def on_parts(cells: Tensor, side: int) -> Tensor:
    """Share what lies on cells out to parts, by area: the sum stays.

    Args:
        cells: ``[h, w]``.
        side: parts per side of a square picture, as in the options.

    Returns:
        ``[R]``, row-major, float64.
    """
    shape = (cells.shape[0], cells.shape[1])
    areas = pooling_matrix(shape, grid_on_map(shape, side), "area")
    return areas.double() @ cells.double().flatten()


def grid_of(features: ImageFeatures, options: ExplainOptions) -> Grid:
    """Rows and columns of a photo's parts."""
    return grid_on_map((features.map.shape[0], features.map.shape[1]), options.grid)
