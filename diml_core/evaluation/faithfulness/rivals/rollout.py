"""Attention alone: what the class token looks at, whatever the other photo shows.

Abnar & Zuidema 2020, "Quantifying attention flow in transformers", truncated as in the options.
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
    explanation = explain_features(model, a, b, options)
    assert explanation.rollout_a is not None  # for models with attention only
    assert explanation.rollout_b is not None
    return explanation.rollout_a, explanation.rollout_b


RANKING = Ranking(
    "attention rollout",
    "How much attention flows from each part to the class token; the other photo does not matter.",
    0,
    _weigh,
    needs_attention=True,
)
