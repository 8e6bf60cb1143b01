"""The words on the figure: the score as a sum, what the lines carry, how it was computed."""

from __future__ import annotations

from diml_core.comparison.options import ExplainOptions
from diml_core.comparison.points import points_of, share, shown_sum, written
from diml_core.explanation import Explanation, PartPair


def score_as_sum(explanation: Explanation) -> str:
    """``62.0 points = 35.5 global part + 26.5 structural part``, which adds up as it is printed."""
    scores = shown_sum(explanation.similarity, explanation.global_similarity)
    total, whole, parts = (written(score, 1) for score in scores)
    return f"{total} points = {whole} global part + {parts} structural part"


def what_lines_carry(explanation: Explanation, pairs: list[PartPair], asked: int) -> str:
    """How many of how many part pairs are drawn, and what they add to the score.

    Args:
        explanation: the pair of photos.
        pairs: what is drawn, each with a positive contribution.
        asked: how many lines were asked for.
    """
    count = explanation.plan.size
    of_all = f"{count} part pair{'' if count == 1 else 's'}"
    if not pairs:
        none = f"none of {of_all} adds to the score" if asked else of_all
        return f"{none}; transported mass {explanation.mass:.3g}"
    subject = f"the {len(pairs)} strongest of {of_all} carry"
    if len(pairs) == 1:
        subject = (
            "the only part pair" if count == 1 else f"the strongest of {of_all}"
        ) + " carries"
    carried = points_of(sum(pair.contribution for pair in pairs))
    score = 100 * explanation.similarity
    what = f"{written(carried)} points ({share(carried, explanation.similarity)}) of {written(score, 1)}"
    if carried > points_of(explanation.structural_similarity) + 0.05:
        what += " (others subtract)"
    return f"{subject} {what}; transported mass {explanation.mass:.3g}"


def settings(explanation: Explanation) -> str:
    """What someone needs to compute the same figure again, as one line."""
    grids = f"{_by(explanation.grid_a)} and {_by(explanation.grid_b)}"
    unsettled = "" if explanation.converged else " (not converged)"
    return (
        f"parts {grids} (rows × columns), {how_compared(explanation.options)}, "
        f"marginal error {explanation.marginal_error:.0e}{unsettled}"
    )


def how_compared(options: ExplainOptions) -> str:
    """What of the settings does not depend on the photos, but for grid and mass."""
    words = f"marginals {options.marginals}, epsilon {options.epsilon:g}"
    if options.start_block is not None:
        words += (
            f", rollout from block {options.start_block}, {options.head_fusion} over heads, "
            f"kept mass {options.kept_mass:g}"
        )
    return words


def _by(grid: tuple[int, int]) -> str:
    return f"{grid[0]} × {grid[1]}"
