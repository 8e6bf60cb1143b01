"""Three ways to solve the transports of stage two, which give the same order.

``lanes`` and ``pairs`` are compiled kernels, for small grids and for any; ``torch`` is
``diml_core.comparison.transport``, for where numba is missing, epsilon too small for them, or the marginal
another than they compute.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypedDict, cast

import numpy as np
import torch
from torch import Tensor

from diml_core.comparison.marginals import MARGINALS, Marginal, marginal
from diml_core.comparison.options import ExplainOptions
from diml_core.comparison.similarity import structural_similarity
from diml_core.comparison.transport import partial_transport
from diml_core.retrieval import kernels
from diml_core.retrieval.fetched import Fetched

RANKING_TOLERANCE = 1e-4
"""Marginal error at which a pair stops, unless the options ask for less accuracy. Scores are then
within about 2e-5 of converged, less than what storage in float16 changes."""

Engine = Callable[[Tensor, Tensor | None, Fetched, ExplainOptions], tuple[Tensor, Tensor]]
"""Of ``[q, R + 1, D]`` float32 queries, their rollout weights ``[q, R]`` or None, and ``q * k``
candidates, k of each query in turn, the global and structural similarities, ``[q, k]``."""


def default_engine(options: ExplainOptions, parts: int) -> str:
    """The fastest engine that is installed and can serve the options on grids of R parts."""
    if not _compiled(MARGINALS[options.marginals]):
        return "torch"
    return kernels.layout_for(parts, options.epsilon) or "torch"


def _compiled(factors: Marginal) -> bool:
    """Whether the kernels compute this marginal: they know one way in which a correlation counts."""
    return factors.correlation in (None, torch.relu)


def _factors_in_kernels(options: ExplainOptions) -> Marginal:
    factors = MARGINALS[options.marginals]
    if not _compiled(factors):
        raise ValueError(
            f"The kernels do not compute '{options.marginals}' marginals: take the engine 'torch'."
        )
    return factors


@dataclass(frozen=True)
class _Pairs:
    """Candidates and their queries as P pairs.

    Attributes:
        vectors: candidates ``[P, R + 1, D]`` float16 and queries ``[q, R + 1, D]`` float32.
        similarity: ``[P, R + 1, R + 1]`` float32 cosines of a candidate's rows with its query's.
        weights: rollout weights of candidates and queries, ``[P, R]`` each, or None for both.
    """

    vectors: tuple[Tensor, Tensor]
    similarity: Tensor
    weights: tuple[Tensor | None, Tensor | None]

    @classmethod
    def of(cls, queries: Tensor, query_weights: Tensor | None, candidates: Fetched) -> _Pairs:
        count, length, dim = queries.shape
        vectors, weights = candidates.gathered()
        similarity = torch.bmm(vectors.float().view(count, -1, dim), queries.mT)
        if query_weights is not None:
            query_weights = query_weights.repeat_interleave(len(vectors) // count, 0)
        return cls(
            (vectors, queries), similarity.view(-1, length, length), (weights, query_weights)
        )

    def counts(self) -> tuple[Tensor, Tensor]:
        """``[P]`` how many parts candidates and queries have: all before the zero rows that fill them up."""
        candidates, queries = (vectors[:, :-1] for vectors in self.vectors)
        own, asked = self.similarity[:, :-1, -1] != 0, queries.any(-1)
        own[~own] = candidates[~own].any(-1)  # a correlation of 0 says little, and is rare
        places = torch.arange(1, self.similarity.shape[1])
        own, asked = ((places * there).amax(-1).clamp_min(1) for there in (own, asked))
        return own, asked.repeat_interleave(len(own) // len(asked))

    def shaped(self, structural: Tensor, count: int) -> tuple[Tensor, Tensor]:
        """Global and structural similarities by query."""
        return self.similarity[:, -1, -1].view(count, -1), structural.view(count, -1)


def _by_torch(
    queries: Tensor, weights: Tensor | None, candidates: Fetched, options: ExplainOptions
) -> tuple[Tensor, Tensor]:
    """Any options, with what the rest of the library is made of."""
    pairs = _Pairs.of(queries, weights, candidates)
    parts = queries.shape[1] - 1
    part_similarity = pairs.similarity[:, :parts, :parts]
    counts_a, counts_b = pairs.counts()
    name = options.marginals
    plan = partial_transport(
        1 - part_similarity,
        _marginals(name, pairs.similarity[:, :parts, parts], pairs.weights[0], counts_a),
        _marginals(name, pairs.similarity[:, parts, :parts], pairs.weights[1], counts_b),
        **_accuracy(options),
    ).plan
    structural = structural_similarity(plan.double(), part_similarity.double())
    return pairs.shaped(structural, len(queries))


def _marginals(name: str, correlation: Tensor, weights: Tensor | None, counts: Tensor) -> Tensor:
    """``[n, R]`` marginals of photos of that many parts, 0 where there is none.

    A marginal may look at all parts that it gets: it gets those of the photo, as in ``explain``.
    """
    dtype = correlation.dtype
    if weights is not None:
        dtype = torch.promote_types(dtype, weights.dtype)
    found = torch.zeros_like(correlation, dtype=dtype)
    for count in counts.unique().tolist():
        alike = counts == count
        shares = None if weights is None else weights[alike, :count]
        found[alike, :count] = marginal(name, correlation[alike, :count], shares)
    return found


def _by_pairs(
    queries: Tensor, weights: Tensor | None, candidates: Fetched, options: ExplainOptions
) -> tuple[Tensor, Tensor]:
    pairs = _Pairs.of(queries, weights, candidates)
    factors_of = _factors_in_kernels(options)
    factors: tuple[np.ndarray | None, ...] = (None, None)
    if factors_of.rollout:
        factors = tuple(cast(Tensor, weights).numpy() for weights in pairs.weights)
    structural, _ = kernels.solve_pairs(
        pairs.similarity.numpy(),
        *factors,
        by_correlation=factors_of.correlation is not None,
        **_accuracy(options),
    )
    return pairs.shaped(torch.from_numpy(structural), len(queries))


def _by_lanes(
    queries: Tensor, weights: Tensor | None, candidates: Fetched, options: ExplainOptions
) -> tuple[Tensor, Tensor]:
    factors_of = _factors_in_kernels(options)
    places = candidates.places.view(len(queries), -1)
    factors: tuple[np.ndarray | None, ...] = (None, None)
    if factors_of.rollout:
        theirs = cast(Tensor, candidates.gathered_weights()).view(*places.shape, -1)
        factors = theirs.numpy(), cast(Tensor, weights).numpy()
    overall, structural = kernels.solve_lanes(
        queries.numpy(),
        candidates.vectors.numpy(),
        places.numpy(),
        *factors,
        by_correlation=factors_of.correlation is not None,
        **_accuracy(options),
    )
    return torch.from_numpy(overall), torch.from_numpy(structural)


class _Accuracy(TypedDict):
    mass: float
    epsilon: float
    tolerance: float


def _accuracy(options: ExplainOptions) -> _Accuracy:
    return {
        "mass": options.mass,
        "epsilon": options.epsilon,
        "tolerance": max(options.tolerance, RANKING_TOLERANCE),
    }


ENGINES: dict[str, Engine] = {"lanes": _by_lanes, "pairs": _by_pairs, "torch": _by_torch}
"""Engines by name."""
