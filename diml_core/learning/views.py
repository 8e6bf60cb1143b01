"""Augmented views of an image, and where its points went."""

from __future__ import annotations

import math

import numpy as np
from PIL import Image, ImageEnhance
from torch import Tensor

from diml_core.embedding.grids import Grid
from diml_core.network.model import DimlModel
from diml_core.network.preprocessing import to_tensor
from diml_core.photo.images import Photo

_ASPECTS = (3 / 4, 4 / 3)  # of a crop, relative to the image's own


def view(
    photo: Photo, random: np.random.Generator, least_crop: float, colour_jitter: float
) -> tuple[Image.Image, np.ndarray]:
    """A random crop, mirrored half the time, in changed colours.

    Args:
        photo: the image.
        random: generator.
        least_crop: smallest share of the image that is kept.
        colour_jitter: brightness, contrast and saturation change by at most this share.

    Returns:
        The view and the ``[3, 3]`` map of points of the image to the view, both in fractions of
        their width and height.
    """
    image = photo.image
    area = random.uniform(least_crop, 1)
    aspect = math.exp(random.uniform(*np.log(_ASPECTS)))
    width, height = min(1, math.sqrt(area * aspect)), min(1, math.sqrt(area / aspect))
    left, top = random.uniform(0, 1 - width), random.uniform(0, 1 - height)
    box = (
        left * image.width, top * image.height,
        (left + width) * image.width, (top + height) * image.height,
    )  # fmt: skip
    seen = image.transform(
        (max(1, round(width * image.width)), max(1, round(height * image.height))),
        Image.Transform.EXTENT,
        box,
        Image.Resampling.BICUBIC,
    )
    warp = np.array([[1 / width, 0, -left / width], [0, 1 / height, -top / height], [0, 0, 1]])
    if random.random() < 0.5:
        seen = seen.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        warp = np.array([[-1, 0, 1], [0, 1, 0], [0, 0, 1]]) @ warp
    for change in (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color):
        seen = change(seen).enhance(1 + random.uniform(-colour_jitter, colour_jitter))
    return seen, warp


def square_input(model: DimlModel, image: Image.Image) -> Tensor:
    """A view as network input: squeezed into the model's square, as batches need one shape."""
    backbone, config = model.backbone, model.config.input
    side = backbone.input_size // backbone.unit
    shape: Grid = (side, side)
    return to_tensor(image, shape, backbone.unit, config.mean, config.std, config.interpolation)
