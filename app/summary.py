"""An explanation in a few numbers, for who reads it rather than draws it."""

from __future__ import annotations

from typing import Any

from diml_core.comparison.scale import FALSE_MATCHES
from diml_core.explanation import Explanation
from diml_core.photo.images import clean_name

STRONGEST = 5
"""Pairs of parts in a summary."""

_NAME = 40  # characters
_SCALE = {
    "range": [-1, 1],
    "similarity": "mean of global_similarity and structural_similarity",
    "global_similarity": "cosine of the two photos' global embeddings",
    "structural_similarity": "sum of the contributions of all pairs of parts; "
    "a contribution is mass x cosine / transported_mass",
    "points": "the unit that the page shows: 100 x similarity; a contribution adds 50 x contribution",
    "standing": "among pairs of real photographs: the share of pairs of different things that score lower, of the same "
    f"kind that score higher; the threshold that {FALSE_MATCHES:.0%} of the former exceed, and the share of the latter",
}


def summary(explanation: Explanation) -> dict[str, Any]:
    """Scores, what they range over and average, and the strongest pairs of parts: at most 2 KB of JSON.

    Args:
        explanation: what to summarise. Parts are ``[row, column]`` in the grid of their photo, from 0.
    """
    strongest = explanation.strongest(STRONGEST)
    return {
        "model": explanation.model,
        "names": {
            "a": clean_name(explanation.name_a, _NAME),
            "b": clean_name(explanation.name_b, _NAME),
        },
        "grid": {"a": list(explanation.grid_a), "b": list(explanation.grid_b)},
        "similarity": explanation.similarity,
        "global_similarity": explanation.global_similarity,
        "structural_similarity": explanation.structural_similarity,
        "scale": _SCALE,
        "standing": _standing(explanation),
        "transported_mass": explanation.mass,
        "converged": explanation.converged,
        "strongest": [
            {
                "a": list(pair.cell_a),
                "b": list(pair.cell_b),
                "mass": round(pair.mass, 6),
                "cosine": round(pair.cosine, 6),
                "contribution": round(pair.contribution, 6),
            }
            for pair in strongest
        ],
        "share_of_strongest": round(sum(pair.share for pair in strongest), 4),
    }


def _standing(explanation: Explanation) -> dict[str, Any] | None:
    """None where nobody has measured it: of other options than the model's own, and of models without a scale."""
    if explanation.standing is None:
        return None
    return {name: round(value, 4) for name, value in explanation.standing._asdict().items()}
