"""Data sets by name. Adding one means one line here and one file beside this."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from diml_core.data.base import SPLITS, LabelledImages
from diml_core.data.cars196 import load_cars196
from diml_core.data.cub200 import load_cub200
from diml_core.data.folder import load_folder
from diml_core.data.photos import load_photos
from diml_core.data.scenes import load_scenes
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
