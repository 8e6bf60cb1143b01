"""Caltech-UCSD Birds 200-2011: the first 100 classes train, the other 100 test."""

from __future__ import annotations

from pathlib import Path

from diml_core.data.base import LabelledImages, images_below
from diml_core.data.counts import Counts, Expected, checked
from diml_core.data.places import first_folder, lines_of
from diml_core.errors import InputError

EXPECTED = {"train": Counts(5864, 100), "test": Counts(5924, 100)}


def load_cub200(root: Path, split: str, expected: Expected | None = EXPECTED) -> LabelledImages:
    """Read CUB-200-2011.

    Takes the layout of the DIML authors (``cub200/images/001.Black_footed_Albatross/*.jpg``) and the
    distributed one (``CUB_200_2011/images.txt`` beside the same ``images`` folder, whose list counts
    then). ``root`` is that folder or the one that holds it.

    Args:
        root: where the data set lies.
        split: ``train`` or ``test``.
        expected: counts to insist on; by default those of the benchmark.

    Raises:
        InputError: nothing there, a listed image missing, or other counts than expected.
    """
    folder = first_folder(root, ("", "cub200", "CUB_200_2011"), "images", "CUB-200-2011")
    listing = folder / "images.txt"
    if listing.is_file():
        paths = [Path(fields[1]) for fields in lines_of(listing, 2)]
        missing = next((p for p in paths if not (folder / "images" / p).is_file()), None)
        if missing:
            raise InputError(
                f"'{listing}' lists '{missing}', which is not in '{folder / 'images'}': unpack the "
                "complete data set there again."
            )
    else:
        paths = [p.relative_to(folder / "images") for p in images_below(folder / "images")]
    pairs = [(path.parts[0], folder / "images" / path) for path in paths if len(path.parts) > 1]
    # The number before the dot is the class; the standard split is made of these numbers.
    names = sorted({name for name, _ in pairs})
    half = set(names[: len(names) // 2] if split == "train" else names[len(names) // 2 :])
    dataset = LabelledImages.from_pairs("cub200", split, (p for p in pairs if p[0] in half))
    return checked(dataset, expected, str(folder))
