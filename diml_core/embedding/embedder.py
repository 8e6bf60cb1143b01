"""From features to an embedding: everything that is decided about one photo before it meets another."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor
from torch.nn import functional

from diml_core.embedding.features import Embedding, ImageFeatures
from diml_core.embedding.grids import Grid, grid_on_map
from diml_core.embedding.pooling import pool_parts, pooling_matrix
from diml_core.embedding.rollout import attention_rollout, patch_rollout
from diml_core.errors import InputError

Attentions = tuple[Tensor | None, ...]


@dataclass(frozen=True)
class Embedder:
    """How features become parts: equal embedders make equal embeddings, for any marginals and mass.

    Made by :meth:`diml_core.network.model.DimlModel.embedder`, which knows what its network's tokens are.

    Attributes:
        grid: parts per side of a square picture.
        pooling: where the global embedding comes from, in :data:`diml_core.embedding.pooling.GlobalPooling`.
        grid_pooling: how cells become parts, in :data:`diml_core.embedding.pooling.GRID_POOLINGS`.
        start_block: first block of the rollout, or None without attention.
        head_fusion, kept_mass: of the rollout, see :mod:`diml_core.embedding.rollout`.
        prefix_tokens: leading tokens that are no patch.
        class_token: whether the first of them speaks for the picture.
    """

    grid: int
    pooling: str = "mean"
    grid_pooling: str = "area"
    start_block: int | None = None
    head_fusion: str = "mean"
    kept_mass: float = 1.0
    prefix_tokens: int = 0
    class_token: bool = False

    def __call__(self, features: ImageFeatures) -> Embedding:
        """The embedding of one photo, in float64: another order of the sums, as in a browser, gives the same numbers.

        Raises:
            InputError: see :meth:`rollout_weights` and :meth:`pool`.
        """
        weights = self.rollout_weights(features.attentions)
        return self.pool(features.map.double(), None if weights is None else weights.double())

    def rollout_weights(self, attentions: Attentions) -> Tensor | None:
        """``[..., h * w]`` share of the class token per map cell, or None without attention.

        Args:
            attentions: per block ``[..., heads, T, T]``, or empty.

        Raises:
            InputError: attention that was not recorded, or that reaches no part.
        """
        if not attentions:
            return None
        # Without a class token every token speaks for the picture: average them all.
        rows = self._rollout(attentions, rows=[0] if self.class_token else None)
        return patch_rollout(rows, self.prefix_tokens, self.kept_mass).mean(-2)

    def pool(self, feature_map: Tensor, weights: Tensor | None) -> Embedding:
        """Unit part and global embeddings of a map.

        Args:
            feature_map: ``[..., h, w, D]``.
            weights: ``[..., h * w]`` from :meth:`rollout_weights`, or None.

        Raises:
            InputError: pooling by rollout without weights.
        """
        map_shape = (feature_map.shape[-3], feature_map.shape[-2])
        cells = feature_map.flatten(-3, -2)
        grid = grid_on_map(map_shape, self.grid)
        pooling = pooling_matrix(map_shape, grid, self.grid_pooling).to(cells)
        by_rollout = self.pooling == "rollout"
        if by_rollout and weights is None:
            raise InputError(
                "This model pools by attention rollout, but no attention was recorded: extract the "
                "features with attention_from at or before the start block."
            )
        counted = weights if by_rollout else None
        parts = pool_parts(pooling, cells, counted)
        if counted is not None:
            pooled = (counted[..., None] * cells).sum(-2)
        else:
            pooled = (parts if self.pooling == "grid" else cells).mean(-2)
        return Embedding(
            parts=functional.normalize(parts, dim=-1),
            pooled=functional.normalize(pooled, dim=-1),
            grid=grid,
            # By area, whatever pools the cells: mass is shared out, not resampled, and still sums to 1.
            rollout=None if weights is None else weights @ self._areas(map_shape).to(weights).T,
            rollout_map=None if weights is None else weights.unflatten(-1, map_shape),
        )

    def part_rollout(self, map_shape: Grid, attentions: Attentions) -> Tensor | None:
        """Where every part looked: the rollout rows of its tokens, averaged.

        Args:
            map_shape: rows and columns of the map.
            attentions: per block ``[..., heads, T, T]``, or empty.

        Returns:
            ``[..., R, h, w]``, each part summing to 1; None without attention.
        """
        if not attentions:
            return None
        rows = self._rollout(attentions, rows=None)[..., self.prefix_tokens :, :]
        patches = patch_rollout(rows, self.prefix_tokens, self.kept_mass)
        pooling = self._areas(map_shape).to(patches)
        shares = pooling / pooling.sum(-1, keepdim=True)
        return (shares @ patches).unflatten(-1, map_shape)

    def _areas(self, map_shape: Grid) -> Tensor:
        return pooling_matrix(map_shape, grid_on_map(map_shape, self.grid), "area")

    def _rollout(self, attentions: Attentions, rows: list[int] | None) -> Tensor:
        return attention_rollout(
            attentions,
            start_block=self.start_block or 0,
            head_fusion=self.head_fusion,
            rows=rows,
        )
