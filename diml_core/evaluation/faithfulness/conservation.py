"""Do the parts add up? Attributions that are conserved sum to what they explain.

*Completeness* in Sundararajan et al. 2017, "Axiomatic attribution for deep networks", and *conservation* in layer-wise
relevance propagation (Bach et al. 2015). DIML's contributions sum to the structural similarity to 1e-6, in exact
arithmetic to nothing; what cannot add up has its defect here.
"""

from __future__ import annotations

from diml_core.evaluation.faithfulness.ranking import Weights
from diml_core.explanation import Explanation


def defects(explanation: Explanation, weights: Weights) -> tuple[float, float]:
    """How far the weights of A, and of B, are from adding up to a score of the pair.

    Of the structural, the global and the overall similarity the nearest is taken, in the ranking's favour, the same
    for both sides.

    Returns:
        Two distances, in units of the similarity, 0 or more.
    """
    scores = (
        explanation.structural_similarity,
        explanation.global_similarity,
        explanation.similarity,
    )
    sums = [float(side.sum()) for side in weights]
    best = min(scores, key=lambda score: abs(sums[0] - score) + abs(sums[1] - score))
    return abs(sums[0] - best), abs(sums[1] - best)
