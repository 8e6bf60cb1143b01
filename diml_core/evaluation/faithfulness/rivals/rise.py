"""RISE on pairs: cover half of a photo at random, many times, and see with which parts the score is high.

Petsiuk, Das & Saenko 2018, "RISE: randomized input sampling for explanation of black-box models": masks of 7 x 7
cells, each shown with probability 0.5, magnified with a random shift. Here the score is the overall similarity with
the other photo, what is hidden is the mean colour that the network was trained with, and half of the masks go to
each photo.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from diml_core.comparison.options import ExplainOptions
from diml_core.embedding.features import ImageFeatures
from diml_core.evaluation.faithfulness.cells import on_parts
from diml_core.evaluation.faithfulness.covered import embedded_as_is, embedded_images, scores
from diml_core.evaluation.faithfulness.ranking import Ranking, Weights
from diml_core.network.batches import batch_size
from diml_core.network.model import DimlModel

_MASKS = 100  # per photo
_CELLS = 7
_SHOWN = 0.5


def masks(count: int, height: int, width: int) -> Tensor:
    """``[count, height, width]`` in 0..1, the same each time."""
    random = np.random.default_rng(0)
    coarse = torch.from_numpy(
        (random.random((count, 1, _CELLS + 1, _CELLS + 1)) < _SHOWN).astype(np.float32)
    )
    cell_height, cell_width = -(-height // _CELLS), -(-width // _CELLS)
    size = (cell_height * (_CELLS + 1), cell_width * (_CELLS + 1))
    large = functional.interpolate(coarse, size, mode="bilinear", align_corners=False)[:, 0]
    tops = random.integers(0, cell_height, count)
    lefts = random.integers(0, cell_width, count)
    return torch.stack(
        [
            mask[top : top + height, left : left + width]
            for mask, top, left in zip(large, tops, lefts, strict=True)
        ]
    )


def _weigh(
    model: DimlModel, a: ImageFeatures, b: ImageFeatures, options: ExplainOptions
) -> Weights:
    return _one_side(model, a, b, options, "a"), _one_side(model, b, a, options, "b")


def _one_side(
    model: DimlModel, own: ImageFeatures, other: ImageFeatures, options: ExplainOptions, side: str
) -> np.ndarray:
    image = model.preprocess(own.photo)
    shown = masks(_MASKS, image.shape[1], image.shape[2])
    still = embedded_as_is(model, other, options)
    size = batch_size(model, options.start_block)
    values: list[float] = []
    for start in range(0, _MASKS, size):
        masked = image * shown[start : start + size, None]
        for moved in embedded_images(model, own.photo, masked, options):
            pair = (moved, still) if side == "a" else (still, moved)
            values.append(scores(model, *pair, options).overall)
    scored = torch.tensor(values, dtype=torch.float64)
    # Divided by how often a pixel was shown, not by its expectation: with 100 masks the two differ.
    saliency = torch.einsum("n,nhw->hw", scored, shown.double()) / shown.double().sum(0)
    rows, columns = own.map.shape[:2]
    cells = functional.adaptive_avg_pool2d(saliency[None, None], (rows, columns))[0, 0]
    return on_parts(cells, options.grid).numpy()


RANKING = Ranking(
    "RISE",
    "How similar the photos are on average when a part is shown, under 100 random masks of each.",
    2 * _MASKS,
    _weigh,
)
