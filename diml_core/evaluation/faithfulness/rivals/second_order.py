"""Second-order attribution of the global similarity at the last map: every pair of cells its product.

The global similarity is bilinear in the two maps, up to the lengths of the two global embeddings:
``g = sum_cd <w_c z_c, w'_d z'_d> / (|p| |p'|)`` with ``p = sum_c w_c z_c``. So Hessian times product, and BiLRP with
its relevance started and stopped at that map, are exactly these terms, and for no run of the network: Eberle et al.
2020, "Building and interpreting deep similarity models", section 3. They sum to the global similarity. (BiLRP down to
the pixels would need rules for every layer and a backward pass per dimension of the embedding.)
"""

from __future__ import annotations

import torch
from torch import Tensor

from diml_core.comparison.options import ExplainOptions
from diml_core.embedding.embedder import Embedder
from diml_core.embedding.features import ImageFeatures
from diml_core.evaluation.faithfulness.cells import on_parts
from diml_core.evaluation.faithfulness.ranking import Ranking, Weights
from diml_core.network.model import DimlModel


def _weigh(
    model: DimlModel, a: ImageFeatures, b: ImageFeatures, options: ExplainOptions
) -> Weights:
    embedder = model.embedder(options)
    in_a, in_b = (_weighted(embedder, f) for f in (a, b))
    pooled_a, pooled_b = (embedder(f).pooled for f in (a, b))
    length_a, length_b = (cells.sum((0, 1)).norm() for cells in (in_a, in_b))
    return (
        on_parts(in_a @ pooled_b / length_a, options.grid).numpy(),
        on_parts(in_b @ pooled_a / length_b, options.grid).numpy(),
    )


def _weighted(embedder: Embedder, features: ImageFeatures) -> Tensor:
    """``[h, w, D]`` ``w_c z_c``: the cells of a map as they are summed to the global embedding."""
    height, width, _ = features.map.shape
    # Pooling is linear: given an identity for a map, it shows the weight of each cell, up to its unit length.
    identity = torch.eye(height * width, dtype=torch.float64).unflatten(0, (height, width))
    weights = embedder.rollout_weights(features.attentions)
    counted = embedder.pool(identity, None if weights is None else weights.double()).pooled
    shares = (counted / counted.sum()).unflatten(0, (height, width))
    return shares[..., None] * features.map.double()


RANKING = Ranking(
    "second order (BiLRP at the map)",
    "What each part adds to the global similarity, by the products of all cells of the two last maps.",
    0,
    _weigh,
)
