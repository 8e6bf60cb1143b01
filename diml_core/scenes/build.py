"""Building the whole set: the plan into a manifest, the views into folders, a sheet to look at."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from tqdm import tqdm

from diml_core.data.scenes import PHOTOGRAPH
from diml_core.errors import InputError
from diml_core.photographs.recipe import Recipe
from diml_core.scenes import sources
from diml_core.scenes.compose import compose, crop_square
from diml_core.scenes.packages import (
    BACKGROUND_PACKAGES,
    CUTOUT_FOLDER,
    CUTOUT_PACKAGE,
    unpack_packages,
)
from diml_core.scenes.plan import Crop, View, plan_crop, plan_view, split_names
from diml_core.scenes.settings import SceneSettings

MANIFEST = "manifest.json"
SHEET = "contact_sheet.png"
_SHEET_CLASSES, _SHEET_VIEWS, _SHEET_SIDE = 12, 8, 112


@dataclass(frozen=True)
class _Sources:
    cutouts: dict[str, np.ndarray]
    backgrounds: dict[str, np.ndarray]
    photographs: dict[str, np.ndarray]
    origin: dict[str, Any]


def build_scenes(
    out: Path,
    settings: SceneSettings,
    *,
    cutouts: Path | None = None,
    backgrounds: Path | None = None,
    packages: Path | None = None,
    photographs: Path | None = None,
) -> dict[str, Any]:
    """Build the set, or what is missing of it.

    ``out`` gets ``train/CLASS/NN.jpg``, ``test/...``, ``masks/train/CLASS/NN.png`` (255 = object),
    ``manifest.json`` (settings, sources, and the warp of every view) and ``contact_sheet.png``.
    Images are the same byte for byte for the same sources, settings and library versions.

    Args:
        out: folder to build in. One that holds another set is refused.
        settings: how many, how large, which.
        cutouts, backgrounds: folders of one's own photographs; both or neither. Without them the
            Debian packages are fetched.
        packages: where to keep the packages; by default in ``out``.
        photographs: folder of further photographs. With ``settings.photograph_views``, crops of each and
            of the training backgrounds become training classes of their own, without masks.

    Returns:
        The manifest.

    Raises:
        InputError: too few usable photographs, packages that cannot be had, or an ``out`` that holds
            a set of other settings or sources.
    """
    if (cutouts is None) != (backgrounds is None):
        raise InputError(
            "Give --cutouts and --backgrounds both, or neither to use Debian's packages."
        )
    if cutouts is not None and backgrounds is not None:
        found = _from_folders(cutouts, backgrounds, 2 * settings.size)
    else:
        found = _from_packages(packages or out / "packages", 2 * settings.size)
    if photographs is not None:
        if not settings.photograph_views:
            raise InputError("Give --photograph-views, how many crops to take of each photograph.")
        found = replace(found, photographs=_photographs(photographs, 3 * settings.size))
    manifest, plans = _plan(found, settings)
    _write_manifest(out, manifest)
    split_of = {name: split for split in manifest["classes"] for name in manifest["classes"][split]}
    for (name, index), view in tqdm(plans.items(), "scenes", unit="image"):
        split = split_of[name]
        background = manifest["backgrounds"][split][view.background]
        _draw(
            out, f"{split}/{name}/{index:02d}", found.cutouts[name], found.backgrounds[background],
            view, settings,
        )  # fmt: skip
    _draw_photographs(out, manifest, found, settings)
    _write_sheet(out, manifest)
    return manifest


def _photographs(folder: Path, side: int) -> dict[str, np.ndarray]:
    files = sources.images_below(folder) if folder.is_dir() else []
    read = {
        path.relative_to(folder).as_posix(): sources.read_photograph(path, side)
        for path in tqdm(files, "photographs", leave=False)
    }
    found = {name: pixels for name, pixels in read.items() if pixels is not None}
    if not found:
        raise InputError(f"There are no photographs in '{folder}', given as --photographs.")
    return found


def _draw_photographs(
    out: Path, manifest: dict[str, Any], found: _Sources, settings: SceneSettings
) -> None:
    crops = _planned_crops(manifest["photographs"], settings)
    quality = [cv2.IMWRITE_JPEG_QUALITY, settings.quality]
    for view, (name, crop) in tqdm(crops.items(), "photographs", unit="image"):
        path = out / f"{view}.jpg"
        if not path.is_file():
            pixels = (
                found.photographs[name] if name in found.photographs else found.backgrounds[name]
            )
            square = crop_square(pixels, crop, settings.size)
            _write(path, cv2.imencode(".jpg", square[..., ::-1], quality)[1].tobytes())


def _planned_crops(names: list[str], settings: SceneSettings) -> dict[str, tuple[str, Crop]]:
    return {
        f"train/{PHOTOGRAPH}{number:04d}/{index:02d}": (name, plan_crop(settings.seed, name, index))
        for number, name in enumerate(names)
        for index in range(settings.photograph_views)
    }


def _from_folders(cutouts: Path, backgrounds: Path, side: int) -> _Sources:
    for folder, option in ((cutouts, "--cutouts"), (backgrounds, "--backgrounds")):
        if not folder.is_dir():
            raise InputError(f"The folder '{folder}' given as {option} does not exist.")
    return _read(
        sources.cutout_files(cutouts),
        [(p, str(p.relative_to(backgrounds))) for p in sources.images_below(backgrounds)],
        side,
        {"cutouts": cutouts.name, "backgrounds": backgrounds.name},
    )


def _from_packages(cache: Path, side: int) -> _Sources:
    unpacked = unpack_packages(cache)
    files = []
    for package in BACKGROUND_PACKAGES:
        root = unpacked.folders[package]
        files += [
            (path, f"{package}/{path.relative_to(root / 'usr/share')}")
            for path in sources.wallpaper_files([root], Recipe.named("photos").not_to_train_on)
        ]
    stamps = sources.stamp_files(unpacked.folders[CUTOUT_PACKAGE] / CUTOUT_FOLDER)
    return _read(stamps, files, side, {"packages": unpacked.versions})


def _read(
    cutout_files: dict[str, Path],
    background_files: list[tuple[Path, str]],
    side: int,
    origin: dict[str, Any],
) -> _Sources:
    read = {
        n: sources.read_cutout(p) for n, p in tqdm(cutout_files.items(), "cut-outs", leave=False)
    }
    kept, repeats = sources.distinct_cutouts({n: c for n, c in read.items() if c is not None})
    if len(kept) < 2:
        raise InputError(
            f"There are {len(kept)} usable cut-outs where 2 are needed: give images with transparency "
            f"around one object of at least {sources.MIN_CUTOUT_SIDE} pixels."
        )
    names = dict(background_files)
    photos = sources.distinct_backgrounds(sources.read_backgrounds(list(names), side))
    if len(photos) < 2:
        raise InputError(
            f"There are {len(photos)} usable backgrounds where 2 are needed: give photographs of at "
            f"least {sources.MIN_BACKGROUND_SIDE} pixels per side."
        )
    origin = origin | {"repeated_cutouts": repeats}
    return _Sources(kept, {names[path]: pixels for path, pixels in photos}, {}, origin)


def _plan(
    found: _Sources, settings: SceneSettings
) -> tuple[dict[str, Any], dict[tuple[str, int], View]]:
    classes = split_names(list(found.cutouts), settings.seed)
    backgrounds = split_names(list(found.backgrounds), settings.seed)
    plans, views = {}, {}
    for split, names in classes.items():
        for name in names:
            height, width = found.cutouts[name].shape[:2]
            for index in range(settings.views):
                view = plan_view(
                    settings.seed, name, index, width / height, len(backgrounds[split])
                )
                plans[name, index] = view
                views[f"{split}/{name}/{index:02d}"] = {
                    "warp": view.warp.round(9).tolist(),
                    "background": view.background,
                }
    shown = []
    if settings.photograph_views:
        shown = sorted(found.photographs) + backgrounds["train"]
    for name, (_, crop) in _planned_crops(shown, settings).items():
        views[name] = {"warp": crop.warp.round(9).tolist()}
    manifest = {
        "format": 1,
        "settings": asdict(settings),
        **found.origin,
        "classes": classes,
        "backgrounds": backgrounds,
        "photographs": shown,
        "views": views,
    }
    return manifest, plans


def _write_manifest(out: Path, manifest: dict[str, Any]) -> None:
    path = out / MANIFEST
    text = json.dumps(manifest, indent=None, separators=(",", ":")) + "\n"
    if path.is_file() and path.read_text(encoding="utf-8") != text:
        raise InputError(
            f"'{out}' holds scenes made with other settings or sources: choose another folder, or delete "
            "that one."
        )
    try:
        out.mkdir(parents=True, exist_ok=True)
        _write(path, text.encode())
    except OSError as error:
        raise InputError(
            f"'{out}' cannot be written ({error.strerror}): choose another folder."
        ) from error


def _draw(
    out: Path,
    name: str,
    cutout: np.ndarray,
    background: np.ndarray,
    view: View,
    settings: SceneSettings,
) -> None:
    image_path, mask_path = out / f"{name}.jpg", out / "masks" / f"{name}.png"
    if image_path.is_file() and mask_path.is_file():
        return
    image, mask = compose(cutout, background, view, settings.size)
    # The image last: where it is, the mask is.
    _write(mask_path, cv2.imencode(".png", mask)[1].tobytes())
    quality = [cv2.IMWRITE_JPEG_QUALITY, settings.quality]
    _write(image_path, cv2.imencode(".jpg", image[..., ::-1], quality)[1].tobytes())


def _write(path: Path, content: bytes) -> None:
    """Write so that a file is whole or absent, also after a kill."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    partial.write_bytes(content)
    os.replace(partial, path)


def _write_sheet(out: Path, manifest: dict[str, Any]) -> None:
    """A row per class, half of them training classes, spread over the names; objects outlined."""
    rows = []
    for split, names in manifest["classes"].items():
        picked = np.unique(np.linspace(0, len(names) - 1, _SHEET_CLASSES).round().astype(int))
        for name in (names[i] for i in picked):
            views = [_thumbnail(out, f"{split}/{name}/{v:02d}") for v in
                     range(min(_SHEET_VIEWS, manifest["settings"]["views"]))]  # fmt: skip
            rows.append(np.hstack(views))
    half = (len(rows) + 1) // 2
    rows += [np.zeros_like(rows[0])] * (2 * half - len(rows))
    gap = np.full((half * _SHEET_SIDE, 8, 3), 255, np.uint8)
    sheet = np.hstack([np.vstack(rows[:half]), gap, np.vstack(rows[half:])])
    _write(out / SHEET, cv2.imencode(".png", sheet)[1].tobytes())


def _thumbnail(out: Path, name: str) -> np.ndarray:
    image: Any = cv2.imread(str(out / f"{name}.jpg"))
    mask: Any = cv2.imread(str(out / "masks" / f"{name}.png"), cv2.IMREAD_GRAYSCALE)
    outlines, _ = cv2.findContours(
        (mask > 127).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
    )
    cv2.drawContours(image, outlines, -1, (0, 255, 255), max(1, len(image) // 128))
    return cv2.resize(image, (_SHEET_SIDE, _SHEET_SIDE), interpolation=cv2.INTER_AREA)
