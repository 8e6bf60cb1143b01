"""What is on trial: the contributions that a part has to the structural similarity."""

from __future__ import annotations

from diml_core.comparison.options import ExplainOptions
from diml_core.embedding.features import ImageFeatures
from diml_core.evaluation.faithfulness.ranking import Ranking, Weights
from diml_core.explain import explain_features
from diml_core.network.model import DimlModel


def _weigh(
    model: DimlModel, a: ImageFeatures, b: ImageFeatures, options: ExplainOptions
) -> Weights:
    contribution = explain_features(model, a, b, options).contribution
    return contribution.sum(1), contribution.sum(0)


RANKING = Ranking(
    "DIML contributions",
    "What each part adds to the structural similarity: transported mass times cosine, summed over its partners.",
    0,
    _weigh,
)
