"""What the plan is measured against: how much each part was to count before any transport."""

from __future__ import annotations

from diml_core.comparison.options import ExplainOptions
from diml_core.embedding.features import ImageFeatures
from diml_core.evaluation.faithfulness.ranking import Ranking, Weights
from diml_core.explain import explain_features
from diml_core.network.model import DimlModel


def _weigh(
    model: DimlModel, a: ImageFeatures, b: ImageFeatures, options: ExplainOptions
) -> Weights:
    explanation = explain_features(model, a, b, options)
    return explanation.marginals_a, explanation.marginals_b


RANKING = Ranking(
    "marginals alone",
    "How much each part is to count before parts are matched: the marginals of the transport.",
    0,
    _weigh,
)
