"""Data sets by name. Adding one means one file beside this and one line here, or two where objects are known."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from diml_core.data.base import SPLITS, LabelledImages, Sample
from diml_core.data.cars196 import load_cars196
from diml_core.data.cub200 import load_cub200
from diml_core.data.folder import load_folder
from diml_core.data.photos import load_photos
from diml_core.data.scenes import SceneTruth, load_scenes, load_truth
from diml_core.data.sop import load_sop
from diml_core.errors import InputError

DATASETS: dict[str, Callable[..., LabelledImages]] = {
    "cub200": load_cub200,
    "cars196": load_cars196,
    "sop": load_sop,
    "folder": load_folder,
    "scenes": load_scenes,
    "photos": load_photos,
}
"""What reads a data set, by its name: a function of root, split, and options of its own."""

TRUTHS: dict[str, Callable[[tuple[Sample, ...], Path], SceneTruth]] = {"scenes": load_truth}
"""What reads where the objects are, for the data sets that know: a function of samples and root."""

_WITH_VALIDATION = frozenset({"photos", "folder"})


def load_dataset(name: str, root: Path, split: str, **options: Any) -> LabelledImages:
    """Read one split of a data set.

    Args:
        name: a name in :data:`DATASETS`.
        root: the folder it lies in.
        split: ``train`` or ``test``; ``validation`` for photos.
        **options: further arguments of that data set's own function.

    Raises:
        InputError: unknown name or split, or what the data set's own function raises.
    """
    if name not in DATASETS:
        raise InputError(f"There is no data set '{name}': choose one of {', '.join(DATASETS)}.")
    if split not in SPLITS:
        raise InputError(f"There is no split '{split}': choose one of {', '.join(SPLITS)}.")
    if split == "validation" and name not in _WITH_VALIDATION:
        raise InputError(f"'{name}' has no validation split: choose train or test.")
    return DATASETS[name](Path(root), split, **options)


def known_truth(images: LabelledImages, root: Path) -> SceneTruth | None:
    """Masks and correspondences of some images, or None where their data set knows none.

    Args:
        images: from :func:`load_dataset`.
        root: the folder they were read from.

    Raises:
        InputError: see :func:`diml_core.data.scenes.load_truth`.
    """
    load = TRUTHS.get(images.name)
    return None if load is None else load(images.samples, Path(root))
