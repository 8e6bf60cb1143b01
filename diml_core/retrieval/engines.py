"""Three ways to solve the transports of stage two, which give the same order.

``lanes`` and ``pairs`` are compiled kernels, for small grids and for any; ``torch`` is
``diml_core.transport``, for where numba is missing or epsilon too small for them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec

import torch
from torch import Tensor

from diml_core.marginals import MARGINALS, marginal, normalise
from diml_core.options import ExplainOptions
from diml_core.retrieval.fetched import Fetched
from diml_core.similarity import structural_similarity
from diml_core.transport import partial_transport

RANKING_TOLERANCE = 1e-4
"""Marginal error at which a pair stops, unless the options ask for less accuracy. Scores are then
within about 2e-5 of converged, less than what storage in float16 changes."""

LEAST_COMPILED_EPSILON = 0.04  # the kernels span exp(-2 / epsilon)..1 in float32

MOST_PARTS_IN_LANES = 25
"""Up to how many parts ``lanes`` is faster than ``pairs`` on features of the shipped models (on
features that all converge alike, up to 64)."""

Engine = Callable[[Tensor, Tensor | None, Fetched, ExplainOptions], tuple[Tensor, Tensor]]
"""Of ``[q, R + 1, D]`` float32 queries, their rollout weights ``[q, R]`` or None, and ``q * k``
candidates, k of each query in turn, the global and structural similarities, ``[q, k]``."""


def default_engine(options: ExplainOptions, parts: int) -> str:
    """The fastest engine that is installed and can serve the options on grids of R parts."""
    if options.epsilon < LEAST_COMPILED_EPSILON or not has_numba():
        return "torch"
    return "lanes" if parts <= MOST_PARTS_IN_LANES else "pairs"


@cache
def has_numba() -> bool:
    """Whether the compiled engines can be used."""
    return find_spec("numba") is not None


@dataclass(frozen=True)
class _Pairs:
    """Candidates and their queries as P pairs.

    Attributes:
        similarity: ``[P, R + 1, R + 1]`` float32 cosines of a candidate's rows with its query's.
        weights: rollout weights of candidates and queries, ``[P, R]`` each, or None for both.
    """

    similarity: Tensor
    weights: tuple[Tensor | None, Tensor | None]

    @classmethod
    def of(cls, queries: Tensor, query_weights: Tensor | None, candidates: Fetched) -> _Pairs:
        count, length, dim = queries.shape
        vectors, weights = candidates.gathered()
        similarity = torch.bmm(vectors.float().view(count, -1, dim), queries.mT)
        if query_weights is not None:
            query_weights = query_weights.repeat_interleave(len(vectors) // count, 0)
        return cls(similarity.view(-1, length, length), (weights, query_weights))

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
    plan = partial_transport(
        1 - part_similarity,
        _marginal(options.marginals, pairs.similarity[:, :parts, parts], pairs.weights[0]),
        _marginal(options.marginals, pairs.similarity[:, parts, :parts], pairs.weights[1]),
        **_accuracy(options),
    ).plan
    structural = structural_similarity(plan.double(), part_similarity.double())
    return pairs.shaped(structural, len(queries))


def _marginal(name: str, correlation: Tensor, weights: Tensor | None) -> Tensor:
    weight = marginal(name, correlation, weights)
    # Only a missing part, whose row is zero, has no correlation at all with the other photo.
    return normalise(weight * (correlation != 0))


def _by_pairs(
    queries: Tensor, weights: Tensor | None, candidates: Fetched, options: ExplainOptions
) -> tuple[Tensor, Tensor]:
    from diml_core.retrieval import pair_kernel  # compiles on first use

    pairs = _Pairs.of(queries, weights, candidates)
    factors_of = MARGINALS[options.marginals]
    factors = (x.numpy() for x in pairs.weights) if factors_of.rollout else (None, None)
    structural, _ = pair_kernel.solve(
        pairs.similarity.numpy(),
        *factors,
        by_correlation=factors_of.correlation,
        **_accuracy(options),
    )
    return pairs.shaped(torch.from_numpy(structural), len(queries))


def _by_lanes(
    queries: Tensor, weights: Tensor | None, candidates: Fetched, options: ExplainOptions
) -> tuple[Tensor, Tensor]:
    from diml_core.retrieval import lane_kernel  # compiles on first use

    factors_of = MARGINALS[options.marginals]
    places = candidates.places.view(len(queries), -1)
    factors = None, None
    if factors_of.rollout:
        theirs = candidates.gathered_weights().view(*places.shape, -1)
        factors = theirs.numpy(), weights.numpy()
    solved = lane_kernel.solve(
        queries.numpy(),
        candidates.vectors.numpy(),
        places.numpy(),
        *factors,
        by_correlation=factors_of.correlation,
        **_accuracy(options),
    )
    return tuple(map(torch.from_numpy, solved))


def _accuracy(options: ExplainOptions) -> dict[str, float]:
    return {
        "mass": options.mass,
        "epsilon": options.epsilon,
        "tolerance": max(options.tolerance, RANKING_TOLERANCE),
    }


ENGINES: dict[str, Engine] = {"lanes": _by_lanes, "pairs": _by_pairs, "torch": _by_torch}
