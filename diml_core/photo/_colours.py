"""From the many ways in which files store colours to plain sRGB."""

from __future__ import annotations

import contextlib
import io
from typing import Any, cast

import numpy as np
from PIL import Image, ImageCms

# White is the paper that transparent cut-outs and logos are drawn for; viewers show them on it.
BACKGROUND = 255

_MAX_PROFILE = 4 << 20  # bytes of an ICC profile; the largest printer profiles have about 3 MB


def to_bytes(values: np.ndarray, top: float) -> np.ndarray:
    """0..top as uint8 0..255; in 32 bits and in place, for there may be 64 million of them."""
    scaled = np.multiply(values, np.float32(255 / top), dtype=np.float32)
    return np.rint(scaled, out=scaled).astype(np.uint8)


def flatten(image: Image.Image) -> Image.Image:
    """Opaque L, RGB or CMYK; the colours are still those of the file's own profile."""
    if image.mode in ("La", "RGBa"):
        image = image.convert(image.mode.upper())
    if image.has_transparency_data:
        image = image if image.mode in ("LA", "RGBA") else image.convert("RGBA")
        paper = Image.new(image.mode[:-1], image.size, (BACKGROUND,) * (len(image.mode) - 1))
        paper.paste(image.convert(paper.mode), mask=image.getchannel("A"))
        return paper
    if image.mode == "LAB":  # Pillow itself converts LAB to nothing else
        return _in_srgb(image, ImageCms.createProfile("LAB"))
    if image.mode == "1":
        return image.convert("L")
    return image if image.mode in ("L", "RGB", "CMYK") else image.convert("RGB")


def to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """RGB in sRGB, by way of the file's ICC profile if that is usable."""
    if profile and len(profile) <= _MAX_PROFILE:
        with contextlib.suppress(Exception):  # a broken or unfitting profile is no profile
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            if "sRGB" not in ImageCms.getProfileDescription(source):  # else nothing is due
                return _in_srgb(image, source)
    return image.convert("RGB")  # a copy, even of an RGB image, which may be the caller's


def _in_srgb(image: Image.Image, profile: Any) -> Image.Image:
    srgb = ImageCms.createProfile("sRGB")
    converted = ImageCms.profileToProfile(image, profile, srgb, outputMode="RGB")
    return cast(Image.Image, converted)  # it is None only when asked to work in place
