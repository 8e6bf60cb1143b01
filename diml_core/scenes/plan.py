"""What every view looks like, decided by the seed before anything is drawn."""

from __future__ import annotations

import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

TRAIN_SHARE = 0.65
"""Share of the classes, and of the backgrounds, that only training views show."""

MAX_ANGLE = 35.0  # degrees
SCALES = (0.5, 1.0)  # longer side of the object / side of the image
MAX_SHIFT = 0.15  # of the side of the image
MAX_GAIN = 1.2  # of a colour channel, up or down
LEAST_CROP = 0.4  # side of the crop / shorter side of the background
LEAST_AREA = 0.15  # of a photograph's crop / of the photograph
CROP_ASPECT = 4 / 3  # of a photograph's crop to the photograph's own, up or down


@dataclass(frozen=True)
class View:
    """One composite.

    Attributes:
        background: index among the backgrounds of the split.
        crop: left, top and side of the square crop, as fractions: of the room there is, and of the
            background's shorter side.
        mirrored: whether the background is mirrored.
        gains: factors of the object's red, green and blue.
        warp: ``[3, 3]``; maps a point of the cut-out to the image, both in fractions of their width
            and height from the upper left corner. Affine.
    """

    background: int
    crop: tuple[float, float, float]
    mirrored: bool
    gains: tuple[float, float, float]
    warp: np.ndarray


@dataclass(frozen=True)
class Crop:
    """A crop of a photograph, squeezed into a square.

    Attributes:
        box: left, top, right, bottom, as fractions of the photograph.
        mirrored: whether the crop is mirrored.
    """

    box: tuple[float, float, float, float]
    mirrored: bool

    @property
    def warp(self) -> np.ndarray:
        """``[3, 3]`` map of points of the photograph to points of the crop, both in fractions."""
        left, top, right, bottom = self.box
        width, height = right - left, bottom - top
        warp = np.array([[1 / width, 0, -left / width], [0, 1 / height, -top / height], [0, 0, 1]])
        return np.array([[-1.0, 0, 1], [0, 1, 0], [0, 0, 1]]) @ warp if self.mirrored else warp


def plan_crop(seed: int, name: str, index: int) -> Crop:
    """Decide one crop of a photograph; large and small ones are as likely by the logarithm of their area."""
    random = np.random.default_rng([seed, 2, zlib.crc32(name.encode()), index])
    area = math.exp(random.uniform(math.log(LEAST_AREA), 0))
    aspect = math.exp(random.uniform(-math.log(CROP_ASPECT), math.log(CROP_ASPECT)))
    width = min(1.0, math.sqrt(area * aspect))
    height = min(1.0, area / width)
    left, top = random.uniform(0, 1 - width), random.uniform(0, 1 - height)
    return Crop((left, top, left + width, top + height), bool(random.random() < 0.5))


def split_names(names: Sequence[str], seed: int) -> dict[str, list[str]]:
    """Share names out to ``train`` (65%, at least one) and ``test`` (the rest), at random by seed.

    A name's side depends on the seed and on the other names, not on their order.
    """
    ordered = sorted(names)
    order = np.random.default_rng([seed, 0]).permutation(len(ordered))
    count = min(max(1, round(TRAIN_SHARE * len(ordered))), len(ordered) - 1)
    return {
        "train": sorted(ordered[i] for i in order[:count]),
        "test": sorted(ordered[i] for i in order[count:]),
    }


def plan_view(seed: int, class_name: str, index: int, aspect: float, backgrounds: int) -> View:
    """Decide one view. It depends on nothing but the arguments, so any view can be drawn again alone.

    Args:
        seed: of the whole set.
        class_name: of the cut-out.
        index: of the view within its class.
        aspect: width / height of the cut-out.
        backgrounds: how many backgrounds the split has.
    """
    random = np.random.default_rng([seed, 1, zlib.crc32(class_name.encode()), index])
    angle = math.radians(random.uniform(-MAX_ANGLE, MAX_ANGLE))
    scale = random.uniform(*SCALES)
    shift = random.uniform(-MAX_SHIFT, MAX_SHIFT, 2)
    flip = -1.0 if random.random() < 0.5 else 1.0
    gains = np.exp(random.uniform(-math.log(MAX_GAIN), math.log(MAX_GAIN), 3))
    background = int(random.integers(backgrounds))
    crop = (*random.random(2), random.uniform(LEAST_CROP, 1))
    width, height = (scale, scale / aspect) if aspect >= 1 else (scale * aspect, scale)
    cosine, sine = math.cos(angle), math.sin(angle)
    linear = np.array([[cosine, -sine], [sine, cosine]]) @ np.diag([flip * width, height])
    warp = np.eye(3)
    warp[:2, :2] = linear
    warp[:2, 2] = 0.5 + shift - linear @ [0.5, 0.5]  # the centre of the cut-out lands on the shift
    return View(background, crop, bool(random.random() < 0.5), tuple(gains), warp)
