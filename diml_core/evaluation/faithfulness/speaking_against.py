"""Does what is shown as speaking *against* a pair do so? Where it is covered, the score should rise or hold.

A cover takes something from every photo, so it is set beside covering as much of it at random, and beside covering what
speaks *for* the pair.
"""

from __future__ import annotations

from diml_core.comparison.options import ExplainOptions
from diml_core.embedding.features import ImageFeatures
from diml_core.evaluation.faithfulness.chance import chance
from diml_core.evaluation.faithfulness.covered import falls_covered
from diml_core.evaluation.faithfulness.ranking import order_of
from diml_core.explain import explain_features
from diml_core.network.model import DimlModel

_SHARE = 1 / 8  # of the parts, that is covered
_DRAWS = 4  # of random sets; their mean counts
CHOICES = {
    "against": "what speaks most against the pair",
    "random": "at random",
    "for": "what contributes most",
}
"""What is covered."""


def falls_by_choice(
    model: DimlModel,
    a: ImageFeatures,
    b: ImageFeatures,
    options: ExplainOptions,
    side: str,
    cover: str = "blur",
) -> dict[str, float]:
    """How far the overall similarity falls when an eighth of one photo's parts is covered, by :data:`CHOICES`.

    Args:
        model, a, b, options: the pair.
        side: ``a`` or ``b``, whose parts are covered.
        cover: name in :data:`diml_core.counterfactual.COVERS`.

    Returns:
        Falls in -2..2; below 0 the score rose.
    """
    explanation = explain_features(model, a, b, options)
    against, contributed = (
        (explanation.against_a, explanation.contribution.sum(1))
        if side == "a"
        else (explanation.against_b, explanation.contribution.sum(0))
    )
    count = max(1, round(_SHARE * len(against)))
    random = chance((a if side == "a" else b).photo.digest)
    drawn = [random.permutation(len(against))[:count].tolist() for _ in range(_DRAWS)]
    chosen = [order_of(weights)[:count].tolist() for weights in (against, contributed)]
    falls = falls_covered(model, a, b, options, side, [*chosen, *drawn], cover)
    return {"against": float(falls[0]), "random": float(falls[2:].mean()), "for": float(falls[1])}
