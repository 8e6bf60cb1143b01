"""Anybody's own photos: one sub-folder per class."""

from __future__ import annotations

from pathlib import Path

from diml_core.data.base import LabelledImages, images_below
from diml_core.errors import InputError

DEFAULT_RATIO = 0.5
_LAID_OUT = {
    "train": "train", "training": "train", "test": "test", "testing": "test", "val": "validation",
    "valid": "validation", "validation": "validation",
}  # fmt: skip


def load_folder(
    root: Path, split: str, ratio: float = DEFAULT_RATIO, *, name: str = "folder"
) -> LabelledImages:
    """Read a folder of classes, ``root/CLASS/**/*.jpg``.

    The first ``ratio`` of the classes in sorted order train, the others test, so that no class is
    in both. Where ``root`` holds nothing but folders named as splits are (train, val or validation, test),
    ``train`` among them, these are the splits, and no class may be in two of them.

    Args:
        root: the folder.
        split: ``train``, ``test``, or ``validation`` where the folder has one.
        ratio: share of the classes that train, 0 (all of them test) to 1.
        name: what to call the data set.

    Raises:
        InputError: no such folder or split, a class in two splits, or a split without a class of two images, in which
            nothing can be retrieved.
    """
    if not 0 <= ratio <= 1:
        raise InputError(f"The share of the classes that train must be 0 to 1, not {ratio}.")
    if not root.is_dir():
        raise InputError(
            f"The folder '{root}' does not exist: give one with a sub-folder per class."
        )
    names = _sub_folders(root)
    splits = {_LAID_OUT[name.lower()]: name for name in names if name.lower() in _LAID_OUT}
    if len(splits) == len(names) > 1 and "train" in splits:
        if split not in splits:
            raise InputError(
                f"'{root}' is laid out in {', '.join(names)} and has no {split} split: name one of its folders "
                f"'{split}', or choose another split."
            )
        _refuse_shared(root, names)
        root, chosen = root / splits[split], _sub_folders(root / splits[split])
    elif split == "validation":
        raise InputError(
            f"'{root}' has no validation split: choose train or test, or lay it out in train, val and test."
        )
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


def _refuse_shared(root: Path, splits: list[str]) -> None:
    seen: dict[str, str] = {}
    for split in splits:
        for name in _sub_folders(root / split):
            if name in seen:
                raise InputError(
                    f"The class '{name}' is in both {seen[name]} and {split} of '{root}': leave each class in "
                    "one of them, for what is measured is how a model does on classes it has not seen."
                )
            seen[name] = split


def _sub_folders(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))
