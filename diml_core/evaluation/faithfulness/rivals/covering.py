"""Brute force: cover every part once, and measure. What an explanation would like to know for free.

Zeiler & Fergus 2014, "Visualizing and understanding convolutional networks", section 4.2.
"""

from __future__ import annotations

import math

import numpy as np

from diml_core.comparison.options import ExplainOptions
from diml_core.embedding.features import ImageFeatures
from diml_core.evaluation.faithfulness.cells import grid_of
from diml_core.evaluation.faithfulness.covered import falls_covered
from diml_core.evaluation.faithfulness.ranking import Ranking, Weights
from diml_core.network.model import DimlModel

_COVER = "blur"  # that leaves the least of a new thing behind


def _weigh(
    model: DimlModel, a: ImageFeatures, b: ImageFeatures, options: ExplainOptions
) -> Weights:
    def falls(side: str, features: ImageFeatures) -> np.ndarray:
        parts = [(part,) for part in range(math.prod(grid_of(features, options)))]
        return falls_covered(model, a, b, options, side, parts, _COVER)

    return falls("a", a), falls("b", b)


RANKING = Ranking(
    "covering each part",
    "How far the overall similarity falls when that part alone is blurred: one run of the network per part.",
    None,
    _weigh,
)
