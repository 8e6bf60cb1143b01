"""Which of the files at hand are usable cut-outs and backgrounds, and which show the same thing twice."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

from diml_core.data.base import images_below

DROPPED_FOLDERS = frozenset(
    [
        "cartoon",
        "toys",
        "plastic",
        "symbols",
        "seasonal",
        "flags",
        "roadsigns",
        "people",
        "clothes",
        "naturalforces",
    ]
)
"""Folders of the stamps collection that hold drawings, not photographs."""

DROPPED_FILES = frozenset(
    [
        "animals/insects/bee",
        "animals/mammals/hedgehog",
        "food/pizza",
        "household/dishes/glass",
        "medical/tooth",
        "space/planets/0_sun",
        "sports/rugby_goal_posts",
        "town/monuments/inukshuk-outline",
        "vehicles/emergency/sedan_police",
    ]
)
"""Single drawings, and photographs with holes where their object is, found by looking at all of them."""

MIN_CUTOUT_SIDE = 40
MIN_BACKGROUND_SIDE = 600
MIN_PHOTOGRAPH_SIDE = 90
_MIN_CONTRAST = 6.0  # standard deviation of a background's grey levels; plain colours have less
_SOLID = 128  # alpha from which a pixel belongs to the object
_THUMBNAIL = 24
_SAME_BACKGROUND = 0.9
_SAME_ASPECT, _SAME_OUTLINE, _SAME_PATTERN, _SAME_COLOUR = 0.15, 0.85, 0.6, 0.115


def stamp_files(root: Path) -> dict[str, Path]:
    """The photographs among the stamps of Tux Paint, by class name (``animals-birds-crow``)."""
    files = {}
    for path in images_below(root):
        name = path.relative_to(root).with_suffix("")
        drawn = DROPPED_FOLDERS & set(name.parts[:-1]) or name.as_posix() in DROPPED_FILES
        if path.suffix == ".png" and not drawn and not name.name.endswith("_mirror"):
            files["-".join(name.parts)] = path
    return files


def cutout_files(root: Path) -> dict[str, Path]:
    """Every image in a folder of one's own cut-outs, by class name."""
    return {"-".join(p.relative_to(root).with_suffix("").parts): p for p in images_below(root)}


def wallpaper_files(roots: Iterable[Path], without: Collection[str] = ()) -> list[Path]:
    """One file per wallpaper: the largest of the sizes that a package brings of it, never the dark one.

    Args:
        roots: folders of wallpapers.
        without: parts of paths that are left out.
    """
    chosen: dict[Path, Path] = {}
    for path in images_below_all(roots):
        if "images_dark" in path.parts or path.stem in ("screenshot", "preview"):
            continue
        if any(part in path.as_posix() for part in without):
            continue
        same = path.parent if path.parent.name == "images" else path
        if same not in chosen or path.stat().st_size > chosen[same].stat().st_size:
            chosen[same] = path
    return sorted(chosen.values())


def images_below_all(roots: Iterable[Path]) -> list[Path]:
    """Image files in several folders, folder by folder."""
    return [path for root in roots for path in images_below(root)]


def read_cutout(path: Path) -> np.ndarray | None:
    """The object, cropped to its alpha box: ``[h, w, 4]`` uint8 RGBA; None where there is no object.

    An object must be solid somewhere, see-through somewhere (else nothing was cut out), at least
    :data:`MIN_CUTOUT_SIDE` pixels long and no thinner than one to six.
    """
    try:
        with Image.open(path) as image:
            pixels = np.asarray(image.convert("RGBA"))
    except (OSError, ValueError, Image.DecompressionBombError):
        return None
    solid = pixels[..., 3] >= _SOLID
    rows, columns = np.flatnonzero(solid.any(1)), np.flatnonzero(solid.any(0))
    if not len(rows) or solid.mean() > 0.98:
        return None
    pixels = pixels[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    short, long = sorted(pixels.shape[:2])
    return pixels if long >= MIN_CUTOUT_SIDE and long <= 6 * short else None


def read_background(path: Path, side: int) -> np.ndarray | None:
    """A photograph with its shorter side scaled down to ``side``: ``[h, w, 3]`` uint8, or None.

    None where it is smaller than :data:`MIN_BACKGROUND_SIDE`, transparent, or nearly one colour.
    """
    try:
        with Image.open(path) as image:
            if min(image.size) < MIN_BACKGROUND_SIDE:
                return None
            image.draft(
                "RGB", (2 * side, 2 * side)
            )  # decodes large JPEGs at a fraction of the size
            if image.mode in ("RGBA", "LA", "PA") and np.asarray(image.getchannel("A")).min() < 255:
                return None
            scale = side / min(image.size)
            size = [max(side, round(length * scale)) for length in image.size]
            pixels = np.asarray(image.convert("RGB").resize(size, Image.Resampling.BOX))
    except (OSError, ValueError, Image.DecompressionBombError):
        return None
    return pixels if pixels.mean(-1).std() >= _MIN_CONTRAST else None


def read_photograph(path: Path, side: int) -> np.ndarray | None:
    """A photograph to take crops of, its longer side scaled down to ``side``: ``[h, w, 3]`` uint8.

    None where it cannot be read or is shorter than :data:`MIN_PHOTOGRAPH_SIDE`.
    """
    try:
        with Image.open(path) as image:
            if min(image.size) < MIN_PHOTOGRAPH_SIDE:
                return None
            image.draft("RGB", (2 * side, 2 * side))
            scaled = image.convert("RGB")
            scaled.thumbnail((side, side), Image.Resampling.BICUBIC)
            return np.asarray(scaled)
    except (OSError, ValueError, Image.DecompressionBombError):
        return None


def distinct_cutouts(
    cutouts: dict[str, np.ndarray],
) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Drop cut-outs that show what an earlier one shows, possibly mirrored.

    Two are the same where their boxes have one shape (aspects within 15%), and, after scaling to one
    size, their outlines overlap (intersection over union above 0.85), and inside both their grey levels correlate (above 0.6) and their colours differ
    little (mean below 0.115 of the range). Colour must count, or every ball would be the same ball.

    Args:
        cutouts: RGBA arrays by class name.

    Returns:
        Those that are kept, and for each that is not the name of the one it repeats.
    """
    kept: dict[str, np.ndarray] = {}
    repeats: dict[str, str] = {}
    for name in sorted(cutouts):
        thumbnail = _resized(cutouts[name])
        for other, known in kept.items():
            if _similar_shape(cutouts[name], cutouts[other]) and any(
                _same(thumbnail, known[:, ::step]) for step in (1, -1)
            ):
                repeats[name] = other
                break
        else:
            kept[name] = thumbnail
    return {name: cutouts[name] for name in kept}, repeats


def distinct_backgrounds(
    backgrounds: Sequence[tuple[Path, np.ndarray]],
) -> list[tuple[Path, np.ndarray]]:
    """Drop photographs whose grey thumbnail correlates above 0.9 with an earlier one's."""
    kept: list[tuple[Path, np.ndarray]] = []
    thumbnails: list[np.ndarray] = []
    for path, pixels in backgrounds:
        thumbnail = _centred(_resized(pixels).mean(-1))
        if all((thumbnail * other).sum() < _SAME_BACKGROUND for other in thumbnails):
            kept.append((path, pixels))
            thumbnails.append(thumbnail)
    return kept


def read_backgrounds(paths: Sequence[Path], side: int) -> list[tuple[Path, np.ndarray]]:
    """Read those that are usable, with a progress bar."""
    read = ((path, read_background(path, side)) for path in tqdm(paths, "backgrounds", leave=False))
    return [(path, pixels) for path, pixels in read if pixels is not None]


def _resized(pixels: np.ndarray) -> np.ndarray:
    """``[24, 24, C]`` in 0..1; the average of what lies under each cell, without regard to alpha."""
    small = Image.fromarray(pixels).resize((_THUMBNAIL, _THUMBNAIL), Image.Resampling.BOX)
    return np.asarray(small, dtype=float) / 255


def _centred(values: np.ndarray) -> np.ndarray:
    values = values - values.mean()
    return values / max(float(np.linalg.norm(values)), 1e-9)


def _similar_shape(a: np.ndarray, b: np.ndarray) -> bool:
    return abs(np.log(a.shape[1] / a.shape[0] * b.shape[0] / b.shape[1])) < _SAME_ASPECT


def _same(a: np.ndarray, b: np.ndarray) -> bool:
    outline_a, outline_b = a[..., 3], b[..., 3]
    union = np.maximum(outline_a, outline_b).sum()
    inside = (outline_a > 0.95) & (outline_b > 0.95)
    if np.minimum(outline_a, outline_b).sum() <= _SAME_OUTLINE * union or inside.sum() < 60:
        return False
    colours_a, colours_b = a[inside][:, :3], b[inside][:, :3]
    pattern = (_centred(colours_a.mean(-1)) * _centred(colours_b.mean(-1))).sum()
    return pattern > _SAME_PATTERN and np.abs(colours_a - colours_b).mean() < _SAME_COLOUR
