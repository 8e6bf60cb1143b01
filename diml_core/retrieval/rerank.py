"""Stage two: transport between the parts of each query and of its K candidates, all in one call.

One matrix product per query gives, for every candidate, the part similarities, the correlations
that the marginals are made of, and the global similarity (the global embedding is stored as one
more row). The transports are then solved by one of the ``engines``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from diml_core.comparison.options import ExplainOptions
from diml_core.comparison.similarity import overall_similarity
from diml_core.retrieval.engines import ENGINES, default_engine
from diml_core.retrieval.fetched import Fetched
from diml_core.retrieval.threads import in_parallel

# Of one chunk's vectors and similarities: large enough that the calls around the arithmetic do not count.
_CHUNK_BYTES = 8 << 20

Fetch = Callable[[Tensor], Fetched]


@dataclass(frozen=True, eq=False)
class Scores:
    """Similarities of Q queries to K candidates each, ``[Q, K]`` float64, in -1..1.

    Attributes:
        global_similarity: cosines of the global embeddings.
        structural: transport-weighted part similarities.
    """

    global_similarity: Tensor
    structural: Tensor

    @property
    def overall(self) -> Tensor:
        """Their mean, by which DIML ranks."""
        return overall_similarity(self.global_similarity, self.structural)


@torch.inference_mode()
def rerank(
    queries: Tensor,
    weights: Tensor | None,
    rows: Tensor,
    fetch: Fetch,
    options: ExplainOptions,
    *,
    engine: str | None = None,
) -> Scores:
    """Score candidates by their parts.

    Memory is bounded: every thread holds one chunk of at most a few megabytes (or a single pair),
    whatever Q, K and R are.

    Args:
        queries: ``[Q, R + 1, D]`` unit part embeddings with the global one last, zero rows for
            missing parts.
        weights: ``[Q, R]`` rollout mass per part, or None without attention.
        rows: ``[Q, K]`` int64, the candidates of each query.
        fetch: gives n rows; called from several threads.
        options: marginals, mass, epsilon and tolerance are used.
        engine: a name in :data:`diml_core.retrieval.engines.ENGINES`, or None for the fastest that
            can serve the options.
    """
    length, dim = queries.shape[1:]
    similarities = ENGINES[engine or default_engine(options, length - 1)]
    pairs_at_once = max(1, _CHUNK_BYTES // (4 * length * (2 * dim + length)))
    count = rows.shape[1]
    # A single query, too, is shared among the threads.
    pairs_at_once = min(pairs_at_once, max(1, -(-rows.numel() // torch.get_num_threads())))
    queries_at_once = max(1, pairs_at_once // max(count, 1))
    global_similarity = torch.empty(rows.shape, dtype=torch.float64)
    structural = torch.empty_like(global_similarity)

    def score(chunk: tuple[slice, slice]) -> None:
        asked = chunk[0]
        global_similarity[chunk], structural[chunk] = similarities(
            queries[asked].float(),
            None if weights is None else weights[asked],
            fetch(rows[chunk].flatten()),
            options,
        )

    in_parallel(
        score,
        [
            (slice(first, first + queries_at_once), slice(start, start + pairs_at_once))
            for first in range(0, len(rows), queries_at_once)
            for start in range(0, count, pairs_at_once)
        ],
    )
    return Scores(global_similarity.clamp_(-1, 1), structural.clamp_(-1, 1))
