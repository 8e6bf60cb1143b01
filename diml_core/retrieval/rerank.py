"""Stage two: transport between the parts of each query and of its K candidates, all in one call.

One matrix product per query gives, for every candidate, the part similarities, the correlations
that the marginals are made of, and the global similarity (the global embedding is stored as one
more row). The transports are then solved by the compiled kernel, or by ``diml_core.transport``
where numba is missing or epsilon too small for it; both give the same order.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec

import torch
from torch import Tensor

from diml_core.marginals import PartContext, marginal, normalise
from diml_core.options import ExplainOptions
from diml_core.retrieval.threads import in_parallel
from diml_core.similarity import overall_similarity, structural_similarity
from diml_core.transport import partial_transport

RANKING_TOLERANCE = 1e-4
"""Marginal error at which a pair stops, unless the options ask for less accuracy. Scores are then
within about 2e-5 of converged, less than what storage in float16 changes."""

# Of one chunk's vectors and similarities: large enough that the calls around the arithmetic do not count.
_CHUNK_BYTES = 8 << 20

Fetch = Callable[[Tensor], tuple[Tensor, Tensor | None]]


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
        fetch: gives vectors ``[n, R + 1, D]`` and rollout weights ``[n, R]`` or None, of n rows;
            called from several threads.
        options: marginals, mass, epsilon and tolerance are used.
        engine: a name in :data:`ENGINES`, or None for the fastest that can serve the options.
    """
    solve = ENGINES[engine or default_engine(options)]
    length, dim = queries.shape[1:]
    pairs_at_once = max(1, _CHUNK_BYTES // (4 * length * (2 * dim + length)))
    count = rows.shape[1]
    # A single query, too, is shared among the threads.
    pairs_at_once = min(pairs_at_once, max(1, -(-rows.numel() // torch.get_num_threads())))
    queries_at_once = max(1, pairs_at_once // max(count, 1))
    global_similarity = torch.empty(rows.shape, dtype=torch.float64)
    structural = torch.empty_like(global_similarity)

    def score(chunk: tuple[slice, slice]) -> None:
        asked = chunk[0]
        chunk_rows = rows[chunk]
        vectors, candidate_weights = fetch(chunk_rows.flatten())
        similarity = _all_similarities(queries[asked], vectors, chunk_rows.shape)
        query_weights = None
        if weights is not None:
            query_weights = weights[asked].repeat_interleave(chunk_rows.shape[1], 0)
        scores = solve(similarity, candidate_weights, query_weights, options)
        structural[chunk] = scores.view(chunk_rows.shape).clamp(-1, 1)
        global_similarity[chunk] = similarity[:, -1, -1].view(chunk_rows.shape).clamp(-1, 1)

    in_parallel(
        score,
        [
            (slice(first, first + queries_at_once), slice(start, start + pairs_at_once))
            for first in range(0, len(rows), queries_at_once)
            for start in range(0, count, pairs_at_once)
        ],
    )
    return Scores(global_similarity, structural)


def _all_similarities(queries: Tensor, vectors: Tensor, shape: torch.Size) -> Tensor:
    """``[q * k, R + 1, R + 1]``: cosines of the rows of each candidate with those of its query."""
    length, dim = queries.shape[1:]
    vectors = vectors.float().view(shape[0], shape[1] * length, dim)
    return torch.bmm(vectors, queries.float().mT).view(-1, length, length)


def _solve_torch(
    similarity: Tensor, weights_a: Tensor | None, weights_b: Tensor | None, options: ExplainOptions
) -> Tensor:
    """Any options, with what the rest of the library is made of."""
    parts = similarity.shape[-1] - 1
    part_similarity = similarity[:, :parts, :parts]
    plan = partial_transport(
        1 - part_similarity,
        _marginal(options.marginals, similarity[:, :parts, parts], weights_a),
        _marginal(options.marginals, similarity[:, parts, :parts], weights_b),
        options.mass,
        epsilon=options.epsilon,
        tolerance=max(options.tolerance, RANKING_TOLERANCE),
    ).plan
    return structural_similarity(plan.double(), part_similarity.double())


def _marginal(name: str, correlation: Tensor, weights: Tensor | None) -> Tensor:
    # All that a marginal asks of parts and global embedding is their product, so a part may stand
    # in as the one number that it is along the other photo's global embedding.
    axis = correlation.new_ones(1)
    weight = marginal(name, PartContext(correlation[..., None], axis, weights))
    # Only a missing part, whose row is zero, has no correlation at all with the other photo.
    return normalise(weight * (correlation != 0))


def _solve_compiled(
    similarity: Tensor, weights_a: Tensor | None, weights_b: Tensor | None, options: ExplainOptions
) -> Tensor:
    from diml_core.retrieval import kernel  # compiles on first use

    by_correlation, by_rollout = _COMPILED_MARGINALS[options.marginals]
    scores, _ = kernel.solve(
        similarity.numpy(),
        weights_a.numpy() if by_rollout else None,
        weights_b.numpy() if by_rollout else None,
        by_correlation=by_correlation,
        mass=options.mass,
        epsilon=options.epsilon,
        tolerance=max(options.tolerance, RANKING_TOLERANCE),
    )
    return torch.from_numpy(scores).double()


ENGINES = {"compiled": _solve_compiled, "torch": _solve_torch}

_COMPILED_MARGINALS = {  # name -> whether correlation and rollout are factors
    "uniform": (False, False),
    "cross-correlation": (True, False),
    "rollout": (False, True),
    "product": (True, True),
}
LEAST_COMPILED_EPSILON = 0.04  # the kernel spans exp(-2 / epsilon)..1 in float32


@cache
def _has_numba() -> bool:
    return find_spec("numba") is not None


def default_engine(options: ExplainOptions) -> str:
    """The compiled engine wherever it is installed and can serve the options."""
    served = options.marginals in _COMPILED_MARGINALS and options.epsilon >= LEAST_COMPILED_EPSILON
    return "compiled" if served and _has_numba() else "torch"
