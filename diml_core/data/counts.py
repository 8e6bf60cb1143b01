"""How many images and classes a benchmark split must have, and the sentence that says it has not."""

from __future__ import annotations

from dataclasses import dataclass

from diml_core.data.base import LabelledImages
from diml_core.errors import InputError


@dataclass(frozen=True)
class Counts:
    """Images and classes of one split."""

    images: int
    classes: int


Expected = dict[str, Counts]
"""Counts by the name of the split."""


def checked(dataset: LabelledImages, expected: Expected | None, where: str) -> LabelledImages:
    """The data set itself, once its counts are what they must be.

    A benchmark with a few files missing gives figures that look right and compare with nothing.

    Args:
        dataset: as found on disk.
        expected: counts by split, or None for a data set that may have any.
        where: the folder, for the sentence.

    Raises:
        InputError: naming both numbers.
    """
    if expected is None:
        return dataset
    wanted = expected[dataset.split]
    for what, found, must in (
        ("classes", len(dataset.classes), wanted.classes),
        ("images", len(dataset), wanted.images),
    ):
        if found != must:
            raise InputError(
                f"The {dataset.split} split of '{dataset.name}' in '{where}' has {found:,} {what} where "
                f"the benchmark has {must:,}: unpack the complete data set there again."
            )
    return dataset
