"""Do the weights lie on the thing? On scenes, where it is known which pixels are it.

The share of the weights on the object, and the pointing game (Zhang et al. 2018, "Top-down neural attention by
excitation backprop"): whether the centre of the heaviest part is on it. :mod:`diml_core.evaluation.alignment` asks the
same of the marginals alone.
"""

from __future__ import annotations

import numpy as np

from diml_core.comparison.matching import centres
from diml_core.embedding.grids import Grid
from diml_core.evaluation.alignment import SOLID, object_shares, values_at
from diml_core.evaluation.faithfulness.ranking import order_of


def localised(weights: np.ndarray, mask: np.ndarray, grid: Grid) -> tuple[float, float]:
    """Share of the positive weights on the object, and whether the heaviest part points at it.

    Args:
        weights: ``[R]``; where none is positive every part counts the same, as in the marginals.
        mask: ``[H, W]`` uint8, 255 where all of a pixel is object.
        grid: rows and columns of the parts.

    Returns:
        Two numbers in 0..1.
    """
    positive = np.clip(weights, 0, None)
    if not positive.any():
        positive = np.ones_like(positive)
    shares = positive / positive.sum()
    inside = float(shares @ object_shares(mask[None], grid)[0])
    heaviest = order_of(weights)[0]
    on_object = values_at(mask[None], centres(grid).numpy())[0] > SOLID
    return inside, float(on_object[heaviest])
