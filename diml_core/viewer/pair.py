"""One pair as the viewer gets it: a small JSON object that names where photos and features lie."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from typing import Any

import numpy as np
from PIL import Image

from diml_core.comparison.marginals import marginal_names, named_marginal
from diml_core.comparison.options import ExplainOptions
from diml_core.embedding.features import ImageFeatures
from diml_core.errors import InputError
from diml_core.network.model import DimlModel
from diml_core.photo.images import Photo
from diml_core.viewer.binaries import attention_bytes, features_bytes, first_block

Place = Callable[[str, str, Callable[[], bytes]], str]
"""Where a file can be fetched: from its ending, what it is (equal where the bytes are) and what makes the bytes, to a URL."""

MARGINALS = ("cross-correlation", "uniform", "rollout", "product")
POOLINGS = ("area", "resampled")
"""The marginals and the poolings of parts that the engine computes: what ``engine/marginals.js`` and
``engine/pooling.js`` have."""

LIVE = ("grid", "marginals", "mass", "start_block", "epsilon")
"""The options that the viewer has controls for."""

PHOTO_SIDE = 720  # px of the longer side; sharp on the page, small on the wire
_JPEG_QUALITY = 85


def is_computed(model: DimlModel, options: ExplainOptions) -> bool:
    """Whether the viewer can compute this model's pairs with these options itself."""
    return options.marginals in MARGINALS and model.config.grid_pooling in POOLINGS


def live_pair(
    model: DimlModel,
    a: ImageFeatures,
    b: ImageFeatures,
    options: ExplainOptions,
    place: Place,
) -> dict[str, Any]:
    """A pair whose explanation the viewer computes, for these and any other options.

    Args:
        model: that extracted the features.
        a, b: features of the two photos.
        options: validated; where the viewer starts.
        place: puts a file where the viewer can fetch it.

    Returns:
        JSON-serialisable dict, a few kilobytes.

    Raises:
        InputError: marginals or a pooling that the viewer does not compute, see :func:`is_computed`.
    """
    if not is_computed(model, options):
        raise InputError(
            f"The page does not compute '{options.marginals}' marginals of parts pooled by "
            f"'{model.config.grid_pooling}': choose others, or compare with the library."
        )
    first, prefix = max(first_block(a), first_block(b)), model.backbone.prefix_tokens
    # None where the features were extracted without attention, whatever the model could have recorded.
    blocks = min(len(a.attentions), len(b.attentions))

    def side(features: ImageFeatures) -> dict[str, Any]:
        seen = f"{features.photo.digest}-{model.source or model.name}-{first}"
        fused = f"{seen}-{options.head_fusion}"
        rolled = f"{fused}-{options.kept_mass}"
        values = photo_values(features.photo, place) | {
            "map": list(features.map.shape),
            "features": place(
                "bin", rolled, partial(features_bytes, model, features, options, first)
            ),
            "attention": None,
            "tokens": 0,
        }
        if features.attentions:
            content = partial(attention_bytes, features, options.head_fusion, first)
            values["attention"] = place("attention.bin", fused, content)
            values["tokens"] = features.map.shape[0] * features.map.shape[1] + prefix
        return values

    defaults = asdict(model.options())
    if (
        defaults["start_block"] is not None
    ):  # attention of earlier blocks may not have been recorded
        defaults["start_block"] = max(defaults["start_block"], first)
    return {
        "a": side(a),
        "b": side(b),
        "model": {
            "name": model.name,
            "title": model.config.title,
            "pooling": model.config.pooling,
            "gridPooling": model.config.grid_pooling,
            "maxGrid": model.max_grid,
            "blocks": blocks,
            "firstBlock": first,
            "prefix": prefix,
            "classToken": model.backbone.class_token,
            "marginals": [n for n in marginal_names(blocks > 0) if n in MARGINALS],
            "defaults": {name: defaults[name] for name in LIVE},
            "scale": None if model.scale is None else model.scale.to_dict(),
        },
        "options": asdict(options),
        "fixed": None,
    }


def fixed_pair(
    values: dict[str, Any], photo_a: Photo, photo_b: Photo, place: Place
) -> dict[str, Any]:
    """A pair whose features are gone: the viewer shows the one explanation that there is.

    Args:
        values: what :meth:`diml_core.explanation.Explanation.to_dict` gives.
        photo_a, photo_b: the pictures.
        place: puts a file where the viewer can fetch it.
    """
    photos = {"a": photo_a, "b": photo_b}
    sides = {
        side: photo_values(photos[side], place)
        | {
            "name": values["names"][side],
            "size": list(values["sizes"][side]),
            "map": None,
            "features": None,
            "attention": None,
            "tokens": 0,
        }
        for side in "ab"
    }
    fixed: dict[str, Any] = {
        "cosine": _base64(values["part_similarity"]),
        "plan": _base64(values["plan"]),
        "global": values["global_similarity"],
        "iterations": values["solver"]["iterations"],
        "marginalError": values["solver"]["marginal_error"],
        "converged": values["solver"]["converged"],
        "haveRollout": named_marginal(values["options"]["marginals"]).rollout,
    }
    for side in "ab":
        fixed |= {
            f"grid{side.upper()}": list(values["grid"][side]),
            f"marginals{side.upper()}": _base64(values["marginals"][side]),
            f"rollout{side.upper()}": _base64(values["rollout"] and values["rollout"][side]),
            f"rolloutMap{side.upper()}": _base64(
                values["rollout_map"] and values["rollout_map"][side]
            ),
            f"map{side.upper()}": (
                None
                if values["rollout_map"] is None
                else list(np.shape(values["rollout_map"][side]))
            ),
        }
    return {
        **sides,
        "model": {"name": values["model"], "title": values["model"]},
        "options": values["options"],
        "fixed": fixed,
    }


def photo_values(photo: Photo, place: Place) -> dict[str, Any]:
    """What the viewer is told of a photo."""
    return {
        "name": photo.name,
        "size": list(photo.size),
        "digest": photo.digest,
        "example": False,
        "photo": place("jpg", photo.digest, partial(jpeg, photo, PHOTO_SIDE)),
    }


def jpeg(photo: Photo, side: int) -> bytes:
    """A photo as a JPEG, its longer side at most ``side`` px."""
    image: Image.Image = photo.image
    if max(image.size) > side:
        image = image.copy()
        # Reducing first is many times faster and looks the same at this size.
        image.thumbnail((side, side), Image.Resampling.BICUBIC, reducing_gap=2.0)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=_JPEG_QUALITY)
    return buffer.getvalue()


_KINDS = {"jpg": "image/jpeg"}


def inside(ending: str, key: str, content: Callable[[], bytes]) -> str:
    """A :data:`Place` within the page itself: a ``data:`` URL."""
    kind = _KINDS.get(ending, "application/octet-stream")
    return f"data:{kind};base64,{base64.b64encode(content()).decode()}"


def _base64(values: Any) -> str | None:
    if values is None:
        return None
    return base64.b64encode(np.asarray(values, "<f8").tobytes()).decode()
