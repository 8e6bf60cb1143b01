"""The scenes of ``python -m diml_core scenes``, and what is known about each of them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from diml_core.data.base import LabelledImages, Sample
from diml_core.errors import InputError

PHOTOGRAPH = "photograph-"
"""What the names of classes start with that are one photograph each, seen in crops under known warps."""

_MANIFEST = "manifest.json"


def load_scenes(root: Path, split: str) -> LabelledImages:
    """Read one split of a built set.

    Raises:
        InputError: no manifest there, or an image missing.
    """
    pairs = []
    for name in _manifest(root)["views"]:
        view_split, class_name, _ = name.split("/")
        if view_split == split:
            pairs.append((class_name, root / f"{name}.jpg"))
    missing = next((path for _, path in pairs if not path.is_file()), None)
    if missing:
        raise InputError(
            f"'{missing}' is missing: run 'python -m diml_core scenes {root}' again to complete the set."
        )
    return LabelledImages.from_pairs("scenes", split, pairs)


def is_photograph(sample: Sample) -> bool:
    """Whether a sample is a crop of a photograph, not a composite."""
    return sample.class_name.startswith(PHOTOGRAPH)


@dataclass(frozen=True, eq=False)
class SceneTruth:
    """What is known about a set of scenes, in the order of its samples.

    Attributes:
        masks: ``[N, H, W]`` uint8, 255 where all of a pixel is object; all of it in a photograph.
        warps: ``[N, 3, 3]`` float64; maps a point of the cut-out to the image, both in fractions of
            their width and height from the upper left corner.
    """

    masks: np.ndarray
    warps: np.ndarray

    def between(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """``[P, 3, 3]`` maps of points of images ``a`` to where they are in images ``b`` (indices)."""
        return self.warps[b] @ np.linalg.inv(self.warps[a])


def load_truth(samples: tuple[Sample, ...], root: Path) -> SceneTruth:
    """Read masks and warps of some samples of :func:`load_scenes`.

    Raises:
        InputError: a sample that the manifest does not know, or a mask that cannot be read.
    """
    manifest = _manifest(root)
    views, side = manifest["views"], manifest.get("settings", {}).get("size", 0)
    masks, warps = [], []
    for sample in samples:
        name = sample.path.relative_to(root).with_suffix("").as_posix()
        path = root / "masks" / f"{name}.png"
        try:
            warps.append(views[name]["warp"])
            if is_photograph(sample):
                masks.append(np.full((side, side), 255, np.uint8))
                continue
            with Image.open(path) as mask:
                masks.append(np.asarray(mask.convert("L")))
        except (KeyError, OSError) as error:
            raise InputError(
                f"The mask or warp of '{name}' is missing or damaged: run 'python -m diml_core scenes "
                f"{root}' again to complete the set."
            ) from error
    return SceneTruth(np.stack(masks), np.array(warps))


def _manifest(root: Path) -> dict:
    path = Path(root) / _MANIFEST
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        if stored["format"] != 1:
            raise ValueError(f"format {stored['format']}")
    except FileNotFoundError as error:
        raise InputError(
            f"There are no scenes in '{root}': build them with 'python -m diml_core scenes {root}'."
        ) from error
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(
            f"'{path}' is not the manifest of scenes ({error}): build the set again in another folder."
        ) from error
    return stored
