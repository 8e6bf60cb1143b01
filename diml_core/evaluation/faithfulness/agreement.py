"""Does a part that counts twice as much cost twice as much? Weights against the measured fall of the score.

The rank correlation of what a ranking gives to a set of parts, the sum of their weights, with how far the overall
similarity falls when the set is covered: *faithfulness correlation*, Bhatt et al. 2020, "Evaluating and aggregating
feature-based model explanations", and *sensitivity-n*, Ancona et al. 2018, here with connected regions, for nobody
asks about parts strewn over a photo. All regions of a pair have one size, or their size alone would agree.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from diml_core.comparison.options import ExplainOptions
from diml_core.embedding.features import ImageFeatures
from diml_core.embedding.grids import Grid
from diml_core.evaluation.faithfulness.cells import grid_of
from diml_core.evaluation.faithfulness.chance import chance
from diml_core.evaluation.faithfulness.correlation import rank_correlation
from diml_core.evaluation.faithfulness.covered import falls_covered
from diml_core.network.model import DimlModel

Region = frozenset[int]
"""Parts of a photo, by their indices."""


class Falls(NamedTuple):
    """Sets of parts of a photo, and how far the overall similarity fell when each was covered, ``[N]``."""

    regions: list[Region]
    falls: np.ndarray


def random_region(grid: Grid, size: int, random: np.random.Generator) -> Region:
    """A connected set of parts: begun anywhere, and grown by one random neighbour at a time.

    Args:
        grid: rows and columns.
        size: parts in it, at most all.
        random: where chance comes from.
    """
    rows, columns = grid
    region = {int(random.integers(rows * columns))}
    while len(region) < size:
        beside = {
            (row + down) * columns + column + right
            for row, column in (divmod(part, columns) for part in region)
            for down, right in ((0, 1), (1, 0), (0, -1), (-1, 0))
            if 0 <= row + down < rows and 0 <= column + right < columns
        }
        region.add(int(random.choice(sorted(beside - region))))
    return frozenset(region)


def covered_regions(
    model: DimlModel,
    a: ImageFeatures,
    b: ImageFeatures,
    options: ExplainOptions,
    *,
    share: float,
    count: int,
    cover: str = "blur",
) -> Falls:
    """Cover random regions of A, one at a time, and measure.

    Args:
        model, a, b, options: the pair.
        share: of A's parts in each region; 0 for single parts, of which none comes twice.
        count: of regions, at most; they are the same each time.
        cover: name in :data:`diml_core.counterfactual.COVERS`.
    """
    grid = grid_of(a, options)
    parts = math.prod(grid)
    random = chance(a.photo.digest)
    size = max(1, round(share * parts))
    if size == 1:
        regions = [frozenset((int(part),)) for part in random.permutation(parts)[:count]]
    else:
        regions = [random_region(grid, size, random) for _ in range(count)]
    return Falls(regions, falls_covered(model, a, b, options, "a", regions, cover))


def agreement(measured: Falls, weights: Mapping[str, np.ndarray]) -> dict[str, float]:
    """Rank correlation of every ranking with what was measured.

    Args:
        measured: from :func:`covered_regions`.
        weights: ``[R_A]`` by ranking.
    """
    return {
        key: rank_correlation(_sums(measured.regions, own), measured.falls)
        for key, own in weights.items()
    }


def _sums(regions: Sequence[Region], weights: np.ndarray) -> np.ndarray:
    return np.array([weights[sorted(region)].sum() for region in regions])
