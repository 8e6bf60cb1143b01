"""Which questions of the quiz have a clear answer, by the model's own numbers."""

from __future__ import annotations

import numpy as np

from diml_core.embedding.grids import Grid
from diml_core.explanation import Explanation

CLEAR_SHARE = 0.6
"""Of what a part sends, at least this much goes to one place of the other photo."""

CLEAR_POINTS = 8.0
"""Points of the overall score that two pairs lie apart, at least."""

CLEAR_DIFFERENCE = 0.35
"""Share of the importance that two models put elsewhere, at least."""

_LEAST_SENT = 0.5  # of what an average part sends, and of the part's own importance
_FINE = 48  # cells a side on which grids of different models are compared


def reach_of(grid: Grid) -> int:
    """How many parts in every direction a place takes in: about a quarter of the photo across, whatever the grid.

    The same as ``reachOf`` in ``diml_core/viewer/quiz/scoring.js``.
    """
    return min(2, max(grid) // 6)


def share_at(mass: np.ndarray, grid: Grid) -> np.ndarray:
    """How much of the mass every place receives: a part and its neighbours.

    Args:
        mass: ``[R]``, non-negative, not all zero.
        grid: rows and columns of these parts.

    Returns:
        ``[R]`` in 0..1.
    """
    rows, columns = grid
    reach = reach_of(grid)
    around = np.pad((mass / mass.sum()).reshape(grid), reach)
    steps = range(2 * reach + 1)
    return sum(around[i : i + rows, j : j + columns] for i in steps for j in steps).ravel()


def clear_parts(explanation: Explanation) -> np.ndarray:
    """Parts of A of which it is a fair question where they go, the clearest first.

    Most of what such a part sends goes to one place; it sends at least half as much as an average part does, and at
    least half of its own importance.

    Returns:
        Indices of parts.
    """
    sent = explanation.plan.sum(1)
    enough = sent >= _LEAST_SENT * np.maximum(
        explanation.mass / len(sent), explanation.marginals_a * min(1.0, explanation.mass)
    )
    share = np.zeros(len(sent))
    for part in np.flatnonzero(enough & (sent > 0)):
        share[part] = share_at(explanation.plan[part], explanation.grid_b).max()
    order = np.argsort(-share, kind="stable")
    return order[share[order] >= CLEAR_SHARE]


def is_clear_gap(one: Explanation, other: Explanation) -> bool:
    """Whether it is a fair question which of two pairs a model calls more similar."""
    return 100 * abs(one.similarity - other.similarity) >= CLEAR_POINTS


def difference(one: Explanation, other: Explanation) -> float:
    """How much of the importance two models put elsewhere in the same two photos, 0..1: the mean of both photos."""
    photos = (
        ((one.marginals_a, one.grid_a), (other.marginals_a, other.grid_a)),
        ((one.marginals_b, one.grid_b), (other.marginals_b, other.grid_b)),
    )
    return float(np.mean([np.abs(_spread(*x) - _spread(*y)).sum() / 2 for x, y in photos]))


def _spread(weights: np.ndarray, grid: Grid) -> np.ndarray:
    row, column = (np.arange(_FINE) * cells // _FINE for cells in grid)
    fine = weights.reshape(grid)[np.ix_(row, column)]
    return fine / fine.sum()
