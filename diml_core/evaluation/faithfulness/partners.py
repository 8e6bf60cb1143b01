"""What the plan knows and the marginals do not: to which parts of B a region of A belongs.

A region of A is named, and parts of B are covered: those that the plan sends it to, or as many others. With all of A
the score hangs on everything in B, and covering what counts most in B costs most, whatever the region. So A is also
cropped to the region (not covered around it: two covered photos resemble each other), and there is a test that no
ranking of B alone can pass: the crop should miss the partners of *its* region more than those of another region of A.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from diml_core.comparison.options import ExplainOptions
from diml_core.embedding.features import EmbeddedPhoto, ImageFeatures
from diml_core.embedding.grids import Grid, cell_box
from diml_core.evaluation.faithfulness.cells import grid_of
from diml_core.evaluation.faithfulness.chance import chance
from diml_core.evaluation.faithfulness.covered import (
    embedded_as_is,
    embedded_covered,
    embedded_photos,
    scores,
)
from diml_core.evaluation.faithfulness.ranking import order_of
from diml_core.explain import explain_features
from diml_core.explanation import Explanation
from diml_core.network.model import DimlModel
from diml_core.photo.images import Photo, load_photo

_SIDE = 1 / 3  # of A, the region's
WAYS = {
    "plan": "by what the plan brings from the region",
    "best match": "by the best cosine with a part of the region",
    "marginals": "by B's marginals",
    "random": "at random",
}
"""How the parts of B are chosen."""


class PartnerFalls(NamedTuple):
    """How far the overall similarity fell when the chosen parts of B were covered.

    Attributes:
        whole: with A as it is.
        cropped: with A cropped to the region.
        own: the last, over covering what is chosen for another region; mean over the two regions. 0 for who does not
            look at the region.
    """

    whole: float
    cropped: float
    own: float


def strongest_regions(contribution: np.ndarray, grid: Grid) -> tuple[list[int], list[int]]:
    """The rectangle of a third of the rows and columns in which parts contribute most, and the next beside it.

    Args:
        contribution: ``[R]`` of each part.
        grid: rows and columns.

    Returns:
        Parts of both; they are disjoint, except in a grid with no room for a second.
    """
    rows, columns = grid
    height, width = (max(1, round(_SIDE * n)) for n in grid)
    places = [
        [r * columns + c for r in range(top, top + height) for c in range(left, left + width)]
        for top in range(rows - height + 1)
        for left in range(columns - width + 1)
    ]
    ordered = sorted(places, key=lambda place: -contribution[place].sum())
    first = ordered[0]
    return first, next((place for place in ordered if not set(place) & set(first)), first)


def cropped_photo(photo: Photo, region: Sequence[int], grid: Grid) -> Photo:
    """What a rectangle of parts shows."""
    boxes = np.array([cell_box(part, grid, photo.image.size) for part in region])
    left, top = boxes[:, :2].min(0).round().astype(int).tolist()
    right, bottom = boxes[:, 2:].max(0).round().astype(int).tolist()
    # A part of a tiny photo may have less than a pixel.
    box = (left, top, max(right, left + 1), max(bottom, top + 1))
    return load_photo(photo.image.crop(box), name=photo.name)


def partner_weights(
    explanation: Explanation, region: list[int], digest: str
) -> dict[str, np.ndarray]:
    """``[R_B]`` what each of :data:`WAYS` says of the parts of B, of that digest; larger is to be covered first."""
    return {
        "plan": explanation.contribution[region].sum(0),
        "best match": explanation.part_similarity[region].max(0),
        "marginals": explanation.marginals_b,
        "random": chance(digest).random(len(explanation.marginals_b)),
    }


def partner_falls(
    model: DimlModel,
    a: ImageFeatures,
    b: ImageFeatures,
    options: ExplainOptions,
    cover: str = "blur",
) -> dict[str, PartnerFalls]:
    """Cover the partners of A's strongest region, chosen in each of :data:`WAYS`; as large a share of B as it is of A.

    Args:
        model, a, b, options: the pair.
        cover: name in :data:`diml_core.counterfactual.COVERS`.
    """
    explanation = explain_features(model, a, b, options)
    grid_a, grid_b = grid_of(a, options), grid_of(b, options)
    regions = strongest_regions(explanation.contribution.sum(1), grid_a)
    count = max(1, round(len(regions[0]) / math.prod(grid_a) * math.prod(grid_b)))
    sets = [
        order_of(weights)[:count].tolist()
        for region in regions
        for weights in partner_weights(explanation, region, b.photo.digest).values()
    ]
    covered = embedded_covered(model, b, sets, options, cover)
    still = embedded_as_is(model, b, options)

    def falls(shown: EmbeddedPhoto) -> np.ndarray:
        """``[2, W]``: by the region whose partners are covered, and by the way they are chosen."""
        before = scores(model, shown, still, options).overall
        after = [scores(model, shown, moved, options).overall for moved in covered]
        return before - np.array(after).reshape(2, -1)

    whole = falls(embedded_as_is(model, a, options))
    first, second = (
        falls(embedded_photos(model, [cropped_photo(a.photo, region, grid_a)], options)[0])
        for region in regions
    )
    own = (first[0] - first[1] + second[1] - second[0]) / 2
    return {
        way: PartnerFalls(float(whole[0, k]), float(first[0, k]), float(own[k]))
        for k, way in enumerate(WAYS)
    }
