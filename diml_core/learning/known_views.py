"""The views of scenes, whose objects and correspondences are known, and the losses on that."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from diml_core.comparison.options import ExplainOptions
from diml_core.data.scenes import SceneTruth
from diml_core.learning.correspondence import correspondence_loss, points_on_object
from diml_core.learning.object_mass import object_coverage, object_mass_loss


@dataclass(frozen=True, eq=False)
class KnownViews:
    """What is known of V views of N images; a batch is ``rows`` and ``views``, ``[B]`` each.

    Attributes:
        truth: of the images.
        warps: ``[N, V, 3, 3]``, points of the image to points of the view.
        photographs: ``[N]`` bool, images that are crops of a photograph, not composites.
    """

    truth: SceneTruth
    warps: np.ndarray
    photographs: np.ndarray

    def coverage(self, rows: np.ndarray, views: np.ndarray, side: int) -> Tensor:
        """``[B, side * side]`` how much of every part of a grid is object, in 0..1."""
        return object_coverage(self.truth.masks[rows], self.warps[rows, views], (side, side))

    def quarters(self, rows: np.ndarray, views: np.ndarray) -> Tensor:
        """``[4 B]`` how much of every quarter is object, where that is known.

        What lies behind an object is to lose its weight, and must be free to. Photographs are object all over
        and do not say what that is: they count for nothing.
        """
        coverage = self.coverage(rows, views, 2)
        coverage[torch.from_numpy(self.photographs[rows])] = 0
        return coverage.flatten()

    def correspondence_loss(
        self,
        cells: Tensor,
        side: int,
        pairs: tuple[Tensor, Tensor],
        rows: np.ndarray,
        views: np.ndarray,
    ) -> Tensor:
        """:func:`diml_core.learning.correspondence.correspondence_loss` of ``[B, side * side, D]`` unit cells."""
        view_warps = self.warps[rows, views]
        on_object = points_on_object(self.truth.masks[rows], view_warps, (side, side))
        warps = torch.from_numpy(view_warps @ self.truth.warps[rows])
        return correspondence_loss(cells, (side, side), pairs, warps, on_object)

    def object_mass_loss(
        self,
        packed: Tensor,
        options: ExplainOptions,
        pairs: tuple[Tensor, Tensor],
        rows: np.ndarray,
        views: np.ndarray,
    ) -> Tensor:
        """:func:`diml_core.learning.object_mass.object_mass_loss` of a packed batch."""
        coverage = self.coverage(rows, views, options.grid).to(packed.device)
        rollout = options.start_block is not None
        return object_mass_loss(packed, pairs, coverage, options.marginals, rollout)
