"""What a viewer does not see must not turn an explanation over: noise, compression, a shift by one pixel.

Alvarez-Melis & Jaakkola 2018, "On the robustness of interpretability methods"; the largest relative change is
*max-sensitivity*, Yeh et al. 2019, "On the (in)fidelity and sensitivity of explanations", over these three changes in
place of random ones.
"""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
from PIL import Image

from diml_core.photo.images import Photo, load_photo

_NOISE = 4.0  # standard deviation, of 255 steps
_QUALITY = 75  # that cameras and web pages use


def _noise(pixels: np.ndarray) -> np.ndarray:
    noise = np.random.default_rng(0).normal(0, _NOISE, pixels.shape)
    return (pixels + noise).round().clip(0, 255).astype(np.uint8)


def _jpeg(pixels: np.ndarray) -> np.ndarray:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=_QUALITY)
    return np.asarray(Image.open(file))


def _shift(pixels: np.ndarray) -> np.ndarray:
    """To the right and down; what comes in repeats the edge."""
    return np.pad(pixels, ((1, 0), (1, 0), (0, 0)), mode="edge")[:-1, :-1]


CHANGES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "noise": _noise,
    "JPEG": _jpeg,
    "shift": _shift,
}
"""What is done to the pixels of a photo, ``[H, W, 3]`` uint8, by name."""


def changed_photo(photo: Photo, change: str) -> Photo:
    """The photo after an entry of :data:`CHANGES`."""
    pixels = CHANGES[change](np.asarray(photo.image))
    return load_photo(Image.fromarray(np.ascontiguousarray(pixels)), name=photo.name)


def relative_change(before: np.ndarray, after: np.ndarray) -> float:
    """``|after - before| / |before|`` of two ``[R]`` weights; 0 where both are all 0."""
    moved, length = np.linalg.norm(after - before), np.linalg.norm(before)
    return float(moved / length) if length > 0 else float(moved > 0)
