"""Whether a graph gives torch's numbers, on the machine that is to use it."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from diml_core.errors import InputError
from diml_core.network.model import DimlModel
from diml_core.photo.images import load_photo
from diml_core.shipped_files import shipped_folder

TOLERANCE = 1e-4
"""Largest difference of an output, as a share of its largest magnitude; two orders of float32's sums differ by about
1e-6 of it."""

# Upright, wide, nearly square, and the usual camera's.
_PHOTOGRAPHS = ("koala.jpg", "crocodile.jpg", "red-panda-turned.jpg", "arles.jpg")


def photographs(model: DimlModel) -> Iterable[Tensor]:
    """Example photos of several shapes as ``model`` takes them, each with its mirror image, ``[2, 3, H, W]``."""
    for name in _PHOTOGRAPHS:
        image = model.preprocess(load_photo(shipped_folder("assets") / "examples" / name))
        yield torch.stack([image, image.flip(-1)])


def glance(model: DimlModel) -> Iterable[Tensor]:
    """Noise of the smallest shape that is no square, which tells a damaged file in no time."""
    backbone = model.backbone
    sides = [backbone.unit * cells for cells in (2, 3)]
    if not backbone.flexible:
        sides = [backbone.input_size] * 2
    yield torch.randn(1, 3, *sides, generator=torch.Generator().manual_seed(0))


def check_parity(model: DimlModel, other: DimlModel, batches: Iterable[Tensor]) -> None:
    """Compare every output on every batch.

    Args:
        model: that runs in torch.
        other: the same in another engine.
        batches: ``[B, 3, H, W]`` each.

    Raises:
        InputError: one differs by more than :data:`TOLERANCE`, or in shape.
    """
    for images in batches:
        with torch.inference_mode():
            expected, found = (_outputs(each, images) for each in (model, other))
        for name, one in expected.items():
            differs = _difference(one, found[name])
            if not differs <= TOLERANCE:  # nor if it is no number
                height, width = images.shape[-2:]
                raise InputError(
                    f"'{model.name}' has another {name} in ONNX Runtime than in torch ({differs:.0e} of its "
                    f"largest number, on {width} x {height} px): use it with torch."
                )


def _outputs(model: DimlModel, images: Tensor) -> dict[str, Tensor]:
    feature_map, attentions = model(images)
    return {"map": feature_map} | {
        f"attention of block {block}": matrix
        for block, matrix in enumerate(attentions)
        if matrix is not None
    }


def _difference(expected: Tensor, found: Tensor) -> float:
    if expected.shape != found.shape:
        return float("inf")
    largest = expected.abs().max().clamp_min(torch.finfo(expected.dtype).tiny)
    return float((found - expected).abs().max() / largest)
