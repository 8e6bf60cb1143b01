"""No knowledge at all: the floor under every other ranking."""

from __future__ import annotations

import math

from diml_core.comparison.options import ExplainOptions
from diml_core.embedding.features import ImageFeatures
from diml_core.evaluation.faithfulness.cells import grid_of
from diml_core.evaluation.faithfulness.chance import chance
from diml_core.evaluation.faithfulness.ranking import Ranking, Weights
from diml_core.network.model import DimlModel


def _weigh(
    model: DimlModel, a: ImageFeatures, b: ImageFeatures, options: ExplainOptions
) -> Weights:
    # By network and photos, so that they differ.
    random = chance(*(f"{model.name} {f.photo.digest}" for f in (a, b)))
    in_a, in_b = (random.random(math.prod(grid_of(f, options))) for f in (a, b))
    return in_a, in_b


RANKING = Ranking(
    "random", "Parts in an order drawn at random, the same each time.", 0, _weigh, is_drawn=True
)
