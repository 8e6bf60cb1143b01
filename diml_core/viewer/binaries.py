"""What the network saw of a photo, as bytes for the viewer's engine (``engine/decode.js`` reads them)."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import numpy as np
import torch
from torch import Tensor

from diml_core.comparison.options import ExplainOptions
from diml_core.embedding.features import ImageFeatures
from diml_core.embedding.rollout import HEAD_FUSIONS
from diml_core.errors import InputError
from diml_core.network.model import DimlModel


def first_block(features: ImageFeatures) -> int:
    """The first block whose attention was recorded; 0 without attention."""
    return next((k for k, a in enumerate(features.attentions) if a is not None), 0)


@torch.inference_mode()
def features_bytes(
    model: DimlModel, features: ImageFeatures, options: ExplainOptions, first: int
) -> bytes:
    """The map, and the rollout for every start block from ``first`` on.

    Args:
        model: that extracted the features.
        features: of one photo.
        options: ``head_fusion`` and ``kept_mass`` are used.
        first: no earlier than :func:`first_block`.

    Returns:
        Little-endian: float16 ``[h, w, D]``, then float32 ``[blocks - first, h * w]`` rollout weights of the map's
        cells, each row summing to 1, or NaN for a start block from which no attention reaches any part.
    """

    def weights(block: int) -> Tensor:
        embedder = model.embedder(replace(options, start_block=block))
        try:
            return cast(Tensor, embedder.rollout_weights(features.attentions))
        except InputError:
            return torch.full((features.map.shape[0] * features.map.shape[1],), torch.nan)

    rows = [weights(block) for block in range(first, len(features.attentions))]
    return b"".join([_bytes(features.map, "<f2"), *(_bytes(row, "<f4") for row in rows)])


@torch.inference_mode()
def attention_bytes(features: ImageFeatures, head_fusion: str, first: int) -> bytes:
    """The attention of the blocks from ``first`` on, one byte an entry: where parts looked is only ever drawn.

    Args:
        features: with attention.
        head_fusion: in :data:`diml_core.embedding.rollout.HEAD_FUSIONS`.
        first: no earlier than :func:`first_block`.

    Returns:
        uint8 ``[blocks - first, T, T]``, every row in 255ths of its largest entry: the rollout scales rows to sum to 1,
        whatever they are in.
    """
    recorded = torch.stack(
        [HEAD_FUSIONS[head_fusion](cast(Tensor, a).float()) for a in features.attentions[first:]]
    )
    largest = recorded.amax(-1)
    steps = 255 * recorded / largest.clamp_min(torch.finfo(torch.float32).tiny)[..., None]
    return _bytes(steps.round(), "u1")


def _bytes(values: Tensor, kind: str) -> bytes:
    return np.ascontiguousarray(values.numpy()).astype(kind).tobytes()
