"""What the viewer gets: one compact JSON object per pair, from which the browser draws everything."""

from __future__ import annotations

import base64
import io
from dataclasses import asdict
from functools import lru_cache
from typing import Any

import numpy as np
from PIL import Image

from app.examples import is_example
from app.snippets import reproduce
from diml_core.explanation import Explanation
from diml_core.photo.images import Photo

PHOTO_SIDE = 720  # px of the longer side; sharp on the page, small on the wire
_JPEG_QUALITY = 85


def viewer_payload(explanation: Explanation) -> dict[str, Any]:
    """Render an explanation for the viewer.

    Args:
        explanation: with photos.

    Returns:
        JSON-serialisable dict. Matrices are base64 of little-endian float32, row-major (parts of A as
        rows), so that sums formed in the browser agree with the library to 1e-6; scores are numbers.
    """
    sides = {
        side: {
            "name": getattr(explanation, f"name_{side}"),
            "size": list(getattr(explanation, f"size_{side}")),
            "grid": list(getattr(explanation, f"grid_{side}")),
            "photo": photo_url(getattr(explanation, f"photo_{side}")),
            "marginals": _packed(getattr(explanation, f"marginals_{side}")),
            "rollout": _packed(getattr(explanation, f"rollout_map_{side}")),
            "rolloutGrid": _shape(getattr(explanation, f"rollout_map_{side}")),
            "looked": _bytes_per_row(getattr(explanation, f"part_rollout_{side}")),
            "digest": getattr(explanation, f"photo_{side}").digest,
            "example": is_example(getattr(explanation, f"photo_{side}")),
        }
        for side in "ab"
    }
    return {
        **sides,
        "model": explanation.model,
        "similarity": explanation.similarity,
        "global": explanation.global_similarity,
        "structural": explanation.structural_similarity,
        "mass": explanation.mass,
        "plan": _packed(explanation.plan),
        "cosine": _packed(explanation.part_similarity),
        "options": asdict(explanation.options),
        "iterations": explanation.iterations,
        "marginalError": explanation.marginal_error,
        "converged": explanation.converged,
        "reproduce": reproduce(explanation),
    }


def _packed(array: np.ndarray | None) -> str | None:
    return None if array is None else base64.b64encode(array.astype("<f4").tobytes()).decode()


def _bytes_per_row(rows: np.ndarray | None) -> dict[str, str] | None:
    """``[R, h, w]`` as one byte per entry and the largest value of each row.

    A heatmap shows no more than 256 steps, and at 16 x 16 parts these rows are the bulk of a payload.
    """
    if rows is None:
        return None
    flat = rows.reshape(len(rows), -1)
    top = flat.max(1)
    steps = np.rint(255 * flat / np.maximum(top, np.finfo(np.float64).tiny)[:, None])
    return {
        "steps": base64.b64encode(steps.astype(np.uint8).tobytes()).decode(),
        "top": _packed(top),
    }


def _shape(array: np.ndarray | None) -> list[int] | None:
    return None if array is None else list(array.shape)


def photo_url(photo: Photo, side: int = PHOTO_SIDE) -> str:
    """A photo as a JPEG ``data:`` URL, its longer side at most ``side`` px."""
    return _encoded(_ByContent(photo), side)


class _ByContent:
    """A photo as a cache key: equal where the pixels are."""

    def __init__(self, photo: Photo) -> None:
        self.image, self.digest = photo.image, photo.digest

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _ByContent) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)


@lru_cache(maxsize=64)
def _encoded(key: _ByContent, side: int) -> str:
    image: Image.Image = key.image
    if max(image.size) > side:
        image = image.copy()
        # Reducing first is many times faster and looks the same at this size.
        image.thumbnail((side, side), Image.Resampling.BICUBIC, reducing_gap=2.0)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=_JPEG_QUALITY)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()
