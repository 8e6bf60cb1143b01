"""Anybody's own photos: one sub-folder per class."""

from __future__ import annotations

from pathlib import Path

from diml_core.errors import InputError
from diml_core.learning.data.base import LabelledImages, images_below

DEFAULT_RATIO = 0.5


def load_folder(
    root: Path, split: str, ratio: float = DEFAULT_RATIO, *, name: str = "folder"
) -> LabelledImages:
    """Read a folder of classes, ``root/CLASS/**/*.jpg``.

    The first ``ratio`` of the classes in sorted order train, the others test, so that no class is
    in both. Where ``root`` holds exactly the folders ``train`` and ``test``, these are the splits.

    Args:
        root: the folder.
        split: ``train`` or ``test``.
        ratio: share of the classes that train, 0 (all of them test) to 1.
        name: what to call the data set.

    Raises:
        InputError: no such folder, a class in both splits, or a split without a class of two images, in which
            nothing can be retrieved.
    """
    if not 0 <= ratio <= 1:
        raise InputError(f"The share of the classes that train must be 0 to 1, not {ratio}.")
    if not root.is_dir():
        raise InputError(
            f"The folder '{root}' does not exist: give one with a sub-folder per class."
        )
    names = _sub_folders(root)
    if names == ["test", "train"]:
        shared = set(_sub_folders(root / "train")) & set(_sub_folders(root / "test"))
        if shared:
            raise InputError(
                f"The class '{min(shared)}' is in both splits of '{root}': leave each class in one of them, "
                "for what is measured is how a model does on classes it has not seen."
            )
        root, chosen = root / split, _sub_folders(root / split)
    else:
        count = round(ratio * len(names))
        chosen = names[:count] if split == "train" else names[count:]
    pairs = [(c, path) for c in chosen for path in images_below(root / c)]
    dataset = LabelledImages.from_pairs(name, split, pairs)
    if len(dataset) <= len(dataset.classes):
        raise InputError(
            f"The {split} split of '{root}' has {len(dataset)} images in {len(dataset.classes)} classes, "
            "where some class needs at least two: put each class into a sub-folder of its own, or "
            "choose another share of training classes."
        )
    return dataset


def _sub_folders(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))
