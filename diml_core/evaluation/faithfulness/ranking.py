"""What every way to rank parts is, DIML's own among them: one signature, so that all are judged alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from diml_core.comparison.options import ExplainOptions
from diml_core.embedding.features import ImageFeatures
from diml_core.errors import InputError
from diml_core.evaluation.faithfulness.cells import grid_of
from diml_core.network.model import DimlModel

Weights = tuple[np.ndarray, np.ndarray]
"""How much every part of A counts, ``[R_A]``, and every part of B, ``[R_B]``; larger counts more."""

Weigh = Callable[[DimlModel, ImageFeatures, ImageFeatures, ExplainOptions], Weights]


@dataclass(frozen=True)
class Ranking:
    """A way to say which parts of two photos make them similar.

    Attributes:
        name: for a table or a list to choose from.
        title: what it does, in one sentence.
        passes: runs of the network beyond one for each photo; None for one per part.
        weigh: the weights. Parts are those of the options' grid, row-major. Features are rounded and carry no
            gradients: who needs these runs the network on ``features.photo``.
        needs_attention: whether only models with attention have it.
        is_drawn: whether chance gives the weights, and the network nothing.
    """

    name: str
    title: str
    passes: int | None
    weigh: Weigh
    needs_attention: bool = False
    is_drawn: bool = False

    def check(self, model: DimlModel) -> None:
        """Raises InputError unless the model can have this ranking."""
        if self.needs_attention and not model.has_rollout:
            raise InputError(
                f"'{self.name}' needs a model with attention, and '{model.name}' has none: choose another ranking."
            )

    def weights(
        self, model: DimlModel, a: ImageFeatures, b: ImageFeatures, options: ExplainOptions
    ) -> Weights:
        """What ``weigh`` gives, in float64 and looked over.

        Raises:
            InputError: a model without the attention it needs, or weights that are no ranking of the parts.
        """
        self.check(model)
        grids = [grid_of(f, options) for f in (a, b)]
        try:
            weights = self.weigh(model, a, b, options)
            side_a, side_b = (np.asarray(w, dtype=np.float64) for w in weights)
        except InputError:
            raise
        except Exception as error:  # a ranking is anybody's code
            raise InputError(
                f"The ranking '{self.name}' failed ({type(error).__name__}: {error}): leave it out, or correct it."
            ) from error
        for side, grid in ((side_a, grids[0]), (side_b, grids[1])):
            if side.shape != (grid[0] * grid[1],) or not np.isfinite(side).all():
                raise InputError(
                    f"The ranking '{self.name}' gave no finite number for each of the {grid[0]} × {grid[1]} parts: "
                    "leave it out, or correct it."
                )
        return side_a, side_b


def order_of(weights: np.ndarray) -> np.ndarray:
    """``[R]`` indices of the parts, heaviest first; parts of one weight come in a random, fixed order.

    Reading order would favour who leaves many parts at 0 where photos have their objects in the middle.
    """
    shuffled = np.random.default_rng(0).permutation(len(weights))
    return shuffled[np.argsort(-weights[shuffled], kind="stable")]
