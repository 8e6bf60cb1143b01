"""Retrieving every image of a data set with every other: by the global embedding, then re-ranked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from diml_core.comparison.options import ExplainOptions
from diml_core.evaluation.embedding import Embedded
from diml_core.evaluation.metrics import needed_neighbours, per_query, positives
from diml_core.retrieval.first_stage import nearest
from diml_core.retrieval.rerank import rerank

TOP_KS = (0, 5, 10, 50, 100)
_BLOCK = 4096  # queries at a time


@dataclass(frozen=True, eq=False)
class Ranking:
    """Neighbours of every image among all others.

    Attributes:
        by_global: ``[N, n]`` int64, most similar first by the global embedding, without the image
            itself.
        overall: ``[N, K]`` float64 overall similarity (global and structural) of the first K of them.
    """

    by_global: Tensor
    overall: Tensor

    def reranked(self, top_k: int) -> Tensor:
        """``[N, n]``: the first ``top_k`` by overall similarity, the rest as they were."""
        top_k = min(top_k, self.overall.shape[1])
        order = self.overall[:, :top_k].argsort(dim=1, descending=True, stable=True)
        first = self.by_global[:, :top_k].gather(1, order)
        return torch.cat([first, self.by_global[:, top_k:]], 1)


def rank(embedded: Embedded, options: ExplainOptions, neighbours: int, top_k: int) -> Ranking:
    """Rank by both stages.

    Args:
        embedded: the data set.
        options: marginals, mass, epsilon and tolerance are used.
        neighbours: n, how many to keep.
        top_k: K, how many of them to score by their parts; 0 for none.
    """
    by_global = without_self(embedded.vectors[:, -1], max(neighbours, top_k))
    candidates = by_global[:, :top_k]
    if not candidates.shape[1]:
        return Ranking(by_global, torch.empty(len(by_global), 0, dtype=torch.float64))
    scores = []
    for start in range(0, len(by_global), _BLOCK):
        block = slice(start, start + _BLOCK)
        queries, weights = embedded.vectors[block], embedded.weights
        weights = None if weights is None else weights[block]
        scores.append(rerank(queries, weights, candidates[block], embedded.fetch, options).overall)
    return Ranking(by_global, torch.cat(scores))


def without_self(pooled: Tensor, count: int) -> Tensor:
    """``[N, min(count, N - 1)]`` nearest others of every row of ``[N, D]`` unit vectors."""
    count = min(count, len(pooled) - 1)
    found = []
    for start in range(0, len(pooled), _BLOCK):
        rows, _ = nearest(pooled, pooled[start : start + _BLOCK], count + 1)
        own = rows == torch.arange(start, start + len(rows))[:, None]
        # Copies of an image may crowd it out of its own neighbourhood: then the last one goes.
        own[:, -1] |= ~own.any(1)
        found.append(rows[~own].view(len(rows), count))
    return torch.cat(found)


def retrieval_metrics(
    embedded: Embedded,
    labels: np.ndarray,
    options: ExplainOptions,
    top_ks: Sequence[int] = TOP_KS,
    protocol: str = "usual",
) -> dict[int, dict[str, np.ndarray]]:
    """Metrics per query for several numbers of re-ranked candidates; 0 is the global embedding alone.

    Args:
        embedded: the data set.
        labels: ``[N]`` classes.
        options: how pairs are compared.
        top_ks: numbers of candidates; the transports of the largest serve all.
        protocol: entry of :data:`diml_core.evaluation.metrics.PROTOCOLS`.
    """
    ranking = rank(embedded, options, needed_neighbours(labels), max(top_ks))
    wanted = positives(labels, protocol)
    return {
        k: per_query(labels[ranking.reranked(k).numpy()] == labels[:, None], wanted) for k in top_ks
    }
