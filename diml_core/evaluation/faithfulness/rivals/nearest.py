"""Matching without transport: every part goes to its nearest neighbour, from either side (Chamfer matching).

The plan has ``1 / R_A`` from every part of A to its nearest of B and ``1 / R_B`` from every part of B to its nearest
of A, halved; what it moves times the cosine is each pair's contribution, as in DIML. Barrow et al. 1977,
"Parametric correspondence and chamfer matching".
"""

from __future__ import annotations

import numpy as np

from diml_core.comparison.options import ExplainOptions
from diml_core.embedding.features import ImageFeatures
from diml_core.evaluation.faithfulness.ranking import Ranking, Weights
from diml_core.explain import explain_features
from diml_core.network.model import DimlModel


def nearest_plan(similarity: np.ndarray) -> np.ndarray:
    """``[R_A, R_B]`` plan of nearest neighbours, summing to 1, of ``[R_A, R_B]`` cosines."""
    count_a, count_b = similarity.shape
    plan = np.zeros_like(similarity)
    plan[np.arange(count_a), similarity.argmax(1)] += 0.5 / count_a
    plan[similarity.argmax(0), np.arange(count_b)] += 0.5 / count_b
    return plan


def _weigh(
    model: DimlModel, a: ImageFeatures, b: ImageFeatures, options: ExplainOptions
) -> Weights:
    similarity = explain_features(model, a, b, options).part_similarity
    contribution = nearest_plan(similarity) * similarity
    return contribution.sum(1), contribution.sum(0)


RANKING = Ranking(
    "nearest neighbours",
    "What each part adds where every part is matched with its nearest neighbour, and no mass is moved.",
    0,
    _weigh,
)
