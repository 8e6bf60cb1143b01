"""Drawing one planned view: the image and the mask of the object."""

from __future__ import annotations

import cv2
import numpy as np

from diml_core.scenes.plan import Crop, View


def compose(
    cutout: np.ndarray, background: np.ndarray, view: View, size: int
) -> tuple[np.ndarray, np.ndarray]:
    """Draw a cut-out over a crop of a background.

    Args:
        cutout: ``[h, w, 4]`` uint8 RGBA.
        background: ``[H, W, 3]`` uint8 RGB.
        view: the plan.
        size: pixels per side of the image.

    Returns:
        ``[size, size, 3]`` uint8 RGB and ``[size, size]`` uint8, how much of each pixel is object.
    """
    scene = _crop(background, view, size).astype(np.float32)
    layer = _premultiplied(cutout, view, size)
    layer = cv2.warpAffine(
        layer, _pixel_warp(view.warp, layer.shape[1], layer.shape[0], size), (size, size),
        flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_CONSTANT,
    )  # fmt: skip
    alpha = layer[..., 3:].clip(0, 1)
    image = layer[..., :3].clip(0, 255 * alpha) + (1 - alpha) * scene
    return image.clip(0, 255).round().astype(np.uint8), (255 * alpha[..., 0]).round().astype(
        np.uint8
    )


def crop_square(photograph: np.ndarray, crop: Crop, size: int) -> np.ndarray:
    """A planned crop of ``[H, W, 3]`` uint8, as ``[size, size, 3]`` uint8."""
    height, width = photograph.shape[:2]
    # Whole numbers of pixels would move the crop; this samples it where the plan has it.
    scale = np.diag([size, size, 1.0]) @ crop.warp @ np.diag([1 / width, 1 / height, 1.0])
    half = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
    matrix = (np.linalg.inv(half) @ scale @ half)[:2]
    shrink = 1 / max(abs(matrix[0, 0]), abs(matrix[1, 1]))
    if shrink > 1.5:  # a warp takes single points: average first
        factor = 1 / shrink
        smaller = (max(1, round(width * factor)), max(1, round(height * factor)))
        return crop_square(
            cv2.resize(photograph, smaller, interpolation=cv2.INTER_AREA), crop, size
        )
    return cv2.warpAffine(
        photograph, matrix, (size, size), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )


def _crop(background: np.ndarray, view: View, size: int) -> np.ndarray:
    height, width = background.shape[:2]
    side = max(1, round(view.crop[2] * min(height, width)))
    left, top = round(view.crop[0] * (width - side)), round(view.crop[1] * (height - side))
    crop = background[top : top + side, left : left + side]
    if view.mirrored:
        crop = crop[:, ::-1]
    shrinking = side > size
    return cv2.resize(
        np.ascontiguousarray(crop), (size, size),
        interpolation=cv2.INTER_AREA if shrinking else cv2.INTER_CUBIC,
    )  # fmt: skip


def _premultiplied(cutout: np.ndarray, view: View, size: int) -> np.ndarray:
    """Tinted colours times alpha, and alpha in 0..1: so that no colour bleeds from outside the object.

    Scaled down beforehand where the view is smaller than the cut-out, for a warp does not average.
    """
    layer = cutout.astype(np.float32)
    layer[..., 3] /= 255
    layer[..., :3] = (layer[..., :3] * np.array(view.gains, np.float32)).clip(0, 255) * layer[
        ..., 3:
    ]
    height, width = cutout.shape[:2]
    drawn = size * np.linalg.norm(view.warp[:2, :2], axis=0)  # width and height in the image
    scale = max(drawn[0] / width, drawn[1] / height)
    if scale >= 1:
        return layer
    smaller = max(1, round(width * scale)), max(1, round(height * scale))
    return cv2.resize(layer, smaller, interpolation=cv2.INTER_AREA)


def _pixel_warp(warp: np.ndarray, width: int, height: int, size: int) -> np.ndarray:
    """``[2, 3]`` between pixel indices, where OpenCV has the centre of the first pixel at 0."""
    to_fractions = np.array([[1 / width, 0, 0.5 / width], [0, 1 / height, 0.5 / height], [0, 0, 1]])
    to_pixels = np.array([[size, 0, -0.5], [0, size, -0.5], [0, 0, 1]])
    return (to_pixels @ warp @ to_fractions)[:2]
