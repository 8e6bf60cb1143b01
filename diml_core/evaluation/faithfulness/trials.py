"""The pairs that rankings are tried on: photos of one kind, and what every ranking says of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from tqdm import tqdm

from diml_core.comparison.options import ExplainOptions
from diml_core.data import LabelledImages
from diml_core.embedding.features import ImageFeatures
from diml_core.errors import InputError
from diml_core.evaluation.alignment import view_pairs
from diml_core.evaluation.faithfulness.ranking import Weights
from diml_core.evaluation.faithfulness.rivals import RANKINGS
from diml_core.network.model import DimlModel
from diml_core.photo.images import load_photo


@dataclass(frozen=True, eq=False)
class Trial:
    """A pair of photos of one kind.

    Attributes:
        row_a, row_b: of the photos in the data set.
        label: of their class.
        a, b: features of the photos as they are.
        weights: what each ranking says, by its short name.
    """

    row_a: int
    row_b: int
    label: int
    a: ImageFeatures
    b: ImageFeatures
    weights: dict[str, Weights]


def like_pairs(labels: np.ndarray, limit: int) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of one class, as even over the classes as they can be.

    Of two things that have nothing in common an explanation has nothing to find, so pairs are of one class: each image
    with the next of its class. One of every class is taken first, then a second of every class, and so on; which
    classes have one more where ``limit`` runs out is drawn at random, the same each time.

    Args:
        labels: ``[N]`` classes.
        limit: at most so many pairs, at least 1.

    Returns:
        Two index arrays of at most ``limit`` entries.

    Raises:
        InputError: no class has two images.
    """
    if (np.unique(labels, return_counts=True)[1] < 2).all():
        raise InputError(
            "No class of this split has two images to make a pair of: take another data set."
        )
    a, b = view_pairs(labels)
    random = np.random.default_rng(0).permutation(int(labels.max()) + 1)
    turn = np.zeros(len(a), dtype=int)
    for label in np.unique(labels[a]):
        own = np.flatnonzero(labels[a] == label)
        # Two images are one pair, not two.
        unique = own[:1] if len(own) == 2 else own
        turn[own] = np.iinfo(int).max
        turn[unique] = np.arange(len(unique))
    order = np.lexsort((random[labels[a]], turn))
    order = order[turn[order] < np.iinfo(int).max][:limit]
    return a[order], b[order]


def trials(
    model: DimlModel,
    dataset: LabelledImages,
    options: ExplainOptions,
    keys: Sequence[str],
    limit: int,
    *,
    progress: bool = True,
) -> list[Trial]:
    """Run the network on pairs of a data set, and ask every ranking about them.

    Args:
        model: the model.
        dataset: the images, in classes.
        options: how pairs are compared.
        keys: rankings, in :data:`diml_core.evaluation.faithfulness.rivals.RANKINGS`.
        limit: see :func:`like_pairs`.
        progress: whether to show a bar.

    Raises:
        InputError: no pairs, an image that cannot be read, or a ranking that the model cannot have or that fails.
    """
    rows_a, rows_b = like_pairs(dataset.labels, limit)
    features: dict[int, ImageFeatures] = {}
    for row in np.unique([rows_a, rows_b]):
        photo = load_photo(dataset.samples[row].path)
        features[int(row)] = model.extract(photo, options.start_block)

    def made() -> Iterator[Trial]:
        for row_a, row_b in zip(rows_a.tolist(), rows_b.tolist(), strict=True):
            a, b = features[row_a], features[row_b]
            weights = {key: RANKINGS[key].weights(model, a, b, options) for key in keys}
            yield Trial(row_a, row_b, int(dataset.labels[row_a]), a, b, weights)

    return list(tqdm(made(), total=len(rows_a), desc="rankings", unit="pair", disable=not progress))
