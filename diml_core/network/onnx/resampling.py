"""Antialiased resampling as two matrix products, which ONNX can say for sizes that are known only when the graph runs.

Torch's exporter has no word for it. Transformers of timm fit their position embeddings to the photo by it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor


def resampled(image: Tensor, size: tuple[Any, Any], mode: str) -> Tensor:
    """``functional.interpolate(image, size, mode=mode, antialias=True)``, but for rounding.

    Args:
        image: ``[B, C, H, W]``.
        size: rows and columns wanted; tensors while a trace runs.
        mode: a key of :data:`KERNELS`.

    Returns:
        ``[B, C, rows, columns]``.
    """
    kernel = KERNELS[mode]
    rows, columns = (
        _weights(to, int(there), kernel) for to, there in zip(size, image.shape[-2:], strict=True)
    )
    return rows @ image @ columns.T


def _weights(to: Any, there: int, kernel: Callable[[Tensor], Tensor]) -> Tensor:
    """``[to, there]``: what every old cell counts for in every new one; rows sum to 1."""
    scale = torch.tensor(float(there)) / to
    centres = (torch.arange(to) + 0.5) * scale
    # Only where cells are lost does the kernel widen, so that all of them count.
    distances = (torch.arange(there) + 0.5 - centres[:, None]) / scale.clamp(min=1)
    weights = kernel(distances.abs())
    return weights / weights.sum(1, keepdim=True)


def _linear(distance: Tensor) -> Tensor:
    return (1 - distance).clamp(min=0)


def _cubic(distance: Tensor) -> Tensor:
    """Keys 1981, "Cubic convolution interpolation for digital image processing", equation 15 (a = -1/2)."""
    near = (1.5 * distance - 2.5) * distance * distance + 1
    far = ((-0.5 * distance + 2.5) * distance - 4) * distance + 2
    return torch.where(distance < 1, near, torch.where(distance < 2, far, 0.0))


KERNELS = {"bilinear": _linear, "bicubic": _cubic}
"""By torch's name: what a cell counts for, by its distance in cells."""
