"""Retrieval among held-out classes while training runs."""

from __future__ import annotations

import numpy as np
import torch

from diml_core.evaluation.embedding import Embedded
from diml_core.evaluation.retrieval import retrieval_metrics
from diml_core.learning.activations import Activations
from diml_core.learning.learner import Learner

_BATCH = 32
_TOP_K = 50
CHOSEN_BY = "overall MAP@R"


@torch.no_grad()
def validate(learner: Learner, activations: Activations, labels: np.ndarray) -> dict[str, float]:
    """Metrics of the whole images of some classes, each a query to all others.

    Args:
        learner: the model, with the weights to validate.
        activations: one view per image, the whole of it.
        labels: ``[N]``.

    Returns:
        Per cent by name: R@1 and MAP@R, global and overall (re-ranked by parts), over the images that have
        another of their class.
    """
    device = next(learner.parameters()).device
    vectors, masses = [], []
    for start in range(0, len(labels), _BATCH):
        rows = np.arange(start, min(start + _BATCH, len(labels)))
        packed, _ = learner(activations.fetch(rows, np.zeros_like(rows), device))
        packed = packed.mT.float().cpu()
        if learner.split.options.start_block is not None:
            masses.append(packed[:, :-1, -1])
            packed = packed[..., :-1]
        vectors.append(packed.half())
    side = learner.split.options.grid
    embedded = Embedded(
        torch.cat(vectors),
        torch.cat(masses) if masses else None,
        torch.tensor([[side, side]]).expand(len(labels), 2),
    )
    found = retrieval_metrics(embedded, labels, learner.split.options, (0, _TOP_K))
    return {
        f"{scale} {metric}": 100 * float(np.nanmean(found[k][metric]))
        for scale, k in (("global", 0), ("overall", _TOP_K))
        for metric in ("R@1", "MAP@R")
    }
