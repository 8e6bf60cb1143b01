"""How alike two rankings are."""

from __future__ import annotations

import numpy as np


def rank_correlation(x: np.ndarray, y: np.ndarray) -> float:
    """Spearman's rank correlation of two ``[N]`` arrays, -1..1; equal values share their mean rank.

    0 where one of them is constant: what does not rank agrees with nothing.
    """
    ranks = [_ranks(np.asarray(values, dtype=np.float64)) for values in (x, y)]
    centred = [rank - rank.mean() for rank in ranks]
    lengths = np.prod([np.linalg.norm(rank) for rank in centred])
    return float(centred[0] @ centred[1] / lengths) if lengths > 0 else 0.0


def _ranks(values: np.ndarray) -> np.ndarray:
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = counts.cumsum()
    return (last - (counts - 1) / 2)[inverse]
