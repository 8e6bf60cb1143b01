"""Is that high? Where a model's scores lie on pairs of real photographs of the same and of different kinds of things."""

from __future__ import annotations

import itertools
from dataclasses import asdict
from typing import Annotated, Any, NamedTuple

from pydantic import Field

from diml_core.comparison.options import ExplainOptions
from diml_core.validation import Whole, from_object, settings

BINS = 200
"""Of a histogram: equally wide, from -1 to 1."""

FALSE_MATCHES = 0.01
"""Share of the pairs of different kinds that score above the threshold that is told with a score."""

_Count = Annotated[Whole, Field(ge=0)]


class Standing(NamedTuple):
    """A score among those of other pairs.

    Attributes:
        different_below: share of the pairs of different kinds whose score is lower, 0..1.
        same_above: share of the pairs of one kind whose score is higher, 0..1.
        threshold: the score that :data:`FALSE_MATCHES` of the pairs of different kinds exceed.
        same_above_threshold: share of the pairs of one kind whose score exceeds it, 0..1.
        photographs, kinds: how many photographs were compared, each with all others, and of how many kinds of things.
        pairs_different, pairs_same: how many pairs of two kinds and of one that made.
    """

    different_below: float
    same_above: float
    threshold: float
    same_above_threshold: float
    photographs: int
    kinds: int
    pairs_different: int
    pairs_same: int


@settings
class Scale:
    """Histograms of a model's overall similarity, with one choice of options.

    Attributes:
        photographs: how many were compared, each with all others.
        kinds: of things on them.
        same, different: pairs of photographs of one kind, and of two, per bin: :data:`BINS` counts.
        options: how pairs were compared.

    Raises:
        InputError: another number of bins, or no pairs.
    """

    photographs: Annotated[Whole, Field(gt=1, description="number of photographs")]
    kinds: Annotated[Whole, Field(gt=1, description="number of kinds")]
    same: Annotated[tuple[_Count, ...], Field(min_length=BINS, max_length=BINS)]
    different: Annotated[tuple[_Count, ...], Field(min_length=BINS, max_length=BINS)]
    options: dict[str, Any]

    @classmethod
    def from_dict(cls, values: Any) -> Scale:
        """Read what :meth:`to_dict` gave. Raises InputError for anything else."""
        if isinstance(values, dict):  # JSON has lists
            values = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
        return from_object(cls, values)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    def serves(self, options: ExplainOptions) -> bool:
        """Whether pairs compared with these options stand on this scale."""
        return asdict(options) == self.options

    def standing(self, score: float) -> Standing:
        """Where an overall similarity stands."""
        threshold = self.threshold(FALSE_MATCHES)
        return Standing(
            different_below=_share_below(self.different, score),
            same_above=1 - _share_below(self.same, score),
            threshold=threshold,
            same_above_threshold=1 - _share_below(self.same, threshold),
            photographs=self.photographs,
            kinds=self.kinds,
            pairs_different=sum(self.different),
            pairs_same=sum(self.same),
        )

    def threshold(self, false_matches: float) -> float:
        """The score that this share of the pairs of different kinds exceeds.

        Args:
            false_matches: in (0, 1).
        """
        wanted = (1 - false_matches) * sum(self.different)
        for bin, (before, after) in enumerate(
            itertools.pairwise(itertools.accumulate(self.different, initial=0))
        ):
            if after >= wanted and after > before:
                return _edge(bin) + (wanted - before) / (after - before) * 2 / BINS
        return 1.0


def histogram(scores: list[float]) -> list[int]:
    """Counts of scores in -1..1 per bin."""
    counts = [0] * BINS
    for score in scores:
        counts[_bin_of(score)] += 1
    return counts


def _share_below(counts: tuple[int, ...], score: float) -> float:
    """Within a bin scores are taken to be spread evenly."""
    bin = _bin_of(score)
    inside = min(max((score - _edge(bin)) * BINS / 2, 0.0), 1.0)
    return (sum(counts[:bin]) + inside * counts[bin]) / max(sum(counts), 1)


def _bin_of(score: float) -> int:
    return min(max(int((score + 1) * BINS / 2), 0), BINS - 1)


def _edge(bin: int) -> float:
    return bin * 2 / BINS - 1
