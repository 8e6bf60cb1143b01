"""The words on the figure: the score as a sum, what the lines carry, how it was computed."""

from __future__ import annotations

from diml_core.comparison.options import ExplainOptions
from diml_core.explanation import Explanation, PartPair


def score_as_sum(explanation: Explanation, fewest: int = 2) -> str:
    """``similarity 0.62 = (global 0.71 + structural 0.53) / 2``.

    A reader who checks the printed sum must not find it off by one: the numbers are rounded to the
    fewest decimals, up to 4, with which the rounded ones add up. Where none do, the part of the two
    that lost more in rounding is rounded the other way, in the fourth decimal.

    Args:
        explanation: the pair of photos.
        fewest: decimals; 4 gives all pairs as many, to compare them.
    """
    exact = (
        explanation.similarity,
        explanation.global_similarity,
        explanation.structural_similarity,
    )
    for decimals in range(fewest, 5):
        unit = 10**-decimals
        units = [round(value / unit) for value in exact]
        if 2 * units[0] == units[1] + units[2]:
            break
    if missing := 2 * units[0] - units[1] - units[2]:
        left_over = [missing * (exact[i] / unit - units[i]) for i in (1, 2)]
        units[1 + left_over.index(max(left_over))] += missing
    total, part, other = (f"{count * unit:.{decimals}f}" for count in units)  # of int: no "-0.00"
    return f"similarity {total} = (global {part} + structural {other}) / 2"


def what_lines_carry(explanation: Explanation, pairs: list[PartPair], asked: int) -> str:
    """How many of how many part pairs are drawn, and their share of the structural similarity.

    Args:
        explanation: the pair of photos.
        pairs: what is drawn, each with a positive contribution.
        asked: how many lines were asked for.
    """
    count, structural = explanation.plan.size, explanation.structural_similarity
    of_all = f"{count} part pair{'' if count == 1 else 's'}"
    if not pairs:
        none = f"none of {of_all} adds to the structural similarity" if asked else of_all
        return f"{none}; transported mass {explanation.mass:.3g}"
    subject = f"the {len(pairs)} strongest of {of_all} carry"
    if len(pairs) == 1:
        subject = (
            "the only part pair" if count == 1 else f"the strongest of {of_all}"
        ) + " carries"
    carried = sum(pair.contribution for pair in pairs)
    if structural > 0:
        what = f"{carried / structural:.0%} of the structural similarity"
        if carried > structural * 1.005:
            what += " (others subtract)"
    else:  # a share of nothing, or of a negative number, says nothing
        subject = subject.replace("carries", "adds").replace("carry", "add")
        what = f"{carried:.2g} to a structural similarity of {structural + 0.0:.2g}"
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
