"""Retrieval metrics per query, from ranked neighbours.

Recall@k (is one of the first k neighbours of the query's class?), R-precision (share of the first R
that are) and MAP@R (mean over i = 1..R of precision at i where neighbour i is relevant, else 0) as in
Musgrave et al. 2020, "A metric learning reality check", section 3.2. R is the number of *other*
images of the query's class. A query is never its own neighbour.
"""

from __future__ import annotations

import numpy as np

RECALLS = (1, 2, 4, 8)
METRICS = (*(f"R@{k}" for k in RECALLS), "RP", "MAP@R")
"""What is measured of a query."""

PROTOCOLS = ("usual", "authors")
"""What R counts: the others of a query's class, or, as the DIML authors do, the query as well."""


def positives(labels: np.ndarray, protocol: str = "usual") -> np.ndarray:
    """R of every query.

    Args:
        labels: ``[N]``.
        protocol: ``usual``, or ``authors``: the code of Zhao et al. 2021 counts the query among its own
            positives though it is never ranked, so that perfect retrieval in a class of three scores
            2/3 in RP. For comparison with their figures only.
    """
    _, inverse, counts = np.unique(labels, return_inverse=True, return_counts=True)
    return counts[inverse] - (protocol == "usual")


def needed_neighbours(labels: np.ndarray) -> int:
    """How many neighbours of each query the metrics look at, under any protocol."""
    return min(max(*RECALLS, int(positives(labels, "authors").max())), len(labels) - 1)


def per_query(relevant: np.ndarray, wanted: np.ndarray) -> dict[str, np.ndarray]:
    """Metrics of every query.

    Args:
        relevant: ``[Q, n]`` bool, whether the r-th neighbour is of the query's class; n at least
            :func:`needed_neighbours`.
        wanted: ``[Q]`` R of every query, from :func:`positives`.

    Returns:
        Per name in :data:`METRICS` ``[Q]`` float64 in 0..1, NaN where R is 0: such a query cannot be
        answered and is left out of every mean.
    """
    ranks = np.arange(1, relevant.shape[1] + 1)
    answerable = wanted > 0
    r = np.where(answerable, wanted, 1)
    counted = relevant & (ranks <= r[:, None])
    precision = np.cumsum(relevant, 1) / ranks
    values = {f"R@{k}": relevant[:, :k].any(1).astype(float) for k in RECALLS}
    values["RP"] = counted.sum(1) / r
    values["MAP@R"] = (precision * counted).sum(1) / r
    return {name: np.where(answerable, value, np.nan) for name, value in values.items()}
