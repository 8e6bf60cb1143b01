"""Every part by its best match, as the visual correspondence of EMD-Corr and CHM-Corr shows it.

Taesiri, Nguyen & Nguyen 2022, "Visual correspondence-based explanations improve AI robustness and human-AI team
accuracy".
"""

from __future__ import annotations

from diml_core.comparison.options import ExplainOptions
from diml_core.embedding.features import ImageFeatures
from diml_core.evaluation.faithfulness.ranking import Ranking, Weights
from diml_core.explain import explain_features
from diml_core.network.model import DimlModel


def _weigh(
    model: DimlModel, a: ImageFeatures, b: ImageFeatures, options: ExplainOptions
) -> Weights:
    similarity = explain_features(model, a, b, options).part_similarity
    return similarity.max(1), similarity.max(0)


RANKING = Ranking(
    "best match",
    "The cosine of each part with the part of the other photo that resembles it most.",
    0,
    _weigh,
)
