"""Stage two: transport between the parts of each query and of its K candidates, all in one call.

One matrix product per query gives, for every candidate, the part similarities, the correlations
that the marginals are made of, and the global similarity (the global embedding is stored as one
more row). The transports are then solved by the compiled kernel, or by ``diml_core.transport`` where
numba is missing or epsilon too small for it; both give the same order.
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
from diml_core.similarity import overall_similarity, structural_similarity
from diml_core.transport import partial_transport

RANKING_TOLERANCE = 1e-5
"""Marginal error at which a pair stops; a tighter tolerance of the options changes no ranking."""

_CHUNK_BYTES = 8 << 20  # of one chunk's vectors and similarities together

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

    Memory is bounded by chunks of a few megabytes, whatever Q, K and R are.

    Args:
        queries: ``[Q, R + 1, D]`` unit part embeddings with the global one last, zero rows for
            missing parts.
        weights: ``[Q, R]`` rollout mass per part, or None without attention.
        rows: ``[Q, K]`` int64, the candidates of each query.
        fetch: gives vectors ``[n, R + 1, D]`` and rollout weights ``[n, R]`` or None, of n rows.
        options: marginals, mass, epsilon and tolerance are used.
        engine: a name in :data:`ENGINES`, or None for the fastest that can serve the options.
    """
    solve = ENGINES[engine or default_engine(options)]
    parts, dim = queries.shape[1] - 1, queries.shape[2]
    pair_bytes = 4 * (parts + 1) * (2 * dim + parts + 1)
    per_chunk = max(1, _CHUNK_BYTES // pair_bytes)
    count = rows.shape[1]
    queries_at_once = max(1, per_chunk // max(count, 1))
    global_similarity = torch.empty(rows.shape, dtype=torch.float64)
    structural = torch.empty_like(global_similarity)
    for first in range(0, len(rows), queries_at_once):
        those = slice(first, first + queries_at_once)
        for start in range(0, count, per_chunk):
            chunk = rows[those, start : start + per_chunk]
            vectors, candidate_weights = fetch(chunk.flatten())
            similarity = _all_similarities(queries[those], vectors, chunk.shape)
            query_weights = None
            if weights is not None:
                query_weights = weights[those].repeat_interleave(chunk.shape[1], 0)
            u, v = pair_marginals(similarity, candidate_weights, query_weights, options.marginals)
            scores = solve(similarity, u, v, options).view(chunk.shape)
            structural[those, start : start + per_chunk] = scores.clamp(-1, 1)
            corner = similarity[:, -1, -1].view(chunk.shape)
            global_similarity[those, start : start + per_chunk] = corner.clamp(-1, 1)
    return Scores(global_similarity, structural)


def _all_similarities(queries: Tensor, vectors: Tensor, shape: torch.Size) -> Tensor:
    """``[q * k, R + 1, R + 1]``: cosines of the rows of each candidate with those of its query."""
    length, dim = queries.shape[1:]
    vectors = vectors.float().view(shape[0], shape[1] * length, dim)
    return torch.bmm(vectors, queries.float().mT).view(-1, length, length)


def pair_marginals(
    similarity: Tensor, weights_a: Tensor | None, weights_b: Tensor | None, name: str
) -> tuple[Tensor, Tensor]:
    """Marginals of both sides, from the products that stage two has anyway.

    Args:
        similarity: ``[P, R + 1, R + 1]``: row i, column j is ``<z_i, z_j>``; the last row and
            column belong to the global embeddings. Rows and columns of missing parts are zero.
        weights_a, weights_b: ``[P, R]`` rollout mass of the row and column parts, or None.
        name: of the marginals, in :data:`diml_core.marginals.MARGINALS`.

    Returns:
        u, v: ``[P, R]``, each summing to 1; missing parts have none.
    """
    parts = similarity.shape[-1] - 1
    return (
        _marginal(name, similarity[:, :parts, parts], weights_a),
        _marginal(name, similarity[:, parts, :parts], weights_b),
    )


def _marginal(name: str, correlation: Tensor, weights: Tensor | None) -> Tensor:
    # All that a marginal asks of parts and global embedding is their product, so a part may stand
    # in as the one number that it is along the other photo's global embedding.
    axis = correlation.new_ones(1)
    weight = marginal(name, PartContext(correlation[..., None], axis, weights))
    # Only a missing part, whose row is zero, has no correlation at all with the other photo.
    return normalise(weight * (correlation != 0))


def _solve_torch(similarity: Tensor, u: Tensor, v: Tensor, options: ExplainOptions) -> Tensor:
    part_similarity = similarity[:, :-1, :-1]
    plan = partial_transport(
        1 - part_similarity,
        u,
        v,
        options.mass,
        epsilon=options.epsilon,
        tolerance=max(options.tolerance, RANKING_TOLERANCE),
    ).plan
    return structural_similarity(plan.double(), part_similarity.double())


def _solve_compiled(similarity: Tensor, u: Tensor, v: Tensor, options: ExplainOptions) -> Tensor:
    from diml_core.retrieval import kernel  # compiles on first use

    scores, _ = kernel.solve(
        similarity.numpy(),
        u.numpy(),
        v.numpy(),
        options.mass,
        options.epsilon,
        max(options.tolerance, RANKING_TOLERANCE),
    )
    return torch.from_numpy(scores).double()


ENGINES = {"compiled": _solve_compiled, "torch": _solve_torch}

LEAST_COMPILED_EPSILON = 0.04  # the kernel spans exp(-2 / epsilon)..1 in float32


@cache
def _has_numba() -> bool:
    return find_spec("numba") is not None


def default_engine(options: ExplainOptions) -> str:
    """The compiled engine wherever it is installed and can serve the options."""
    usable = _has_numba() and options.epsilon >= LEAST_COMPILED_EPSILON
    return "compiled" if usable else "torch"
