"""A DIML model: a backbone, a head applied at every location, and the pooling into parts.

Work is split where caching pays: :meth:`DimlModel.extract` runs the network once per picture;
:meth:`DimlModel.embed` turns its output into parts for one choice of options in milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from diml_core.backbones import Backbone
from diml_core.errors import InputError
from diml_core.grids import Grid, grid_on_map, pooling_matrix
from diml_core.images import Photo
from diml_core.model_config import ModelConfig
from diml_core.options import ExplainOptions, validated
from diml_core.preprocessing import map_shape_for, to_tensor
from diml_core.rollout import attention_rollout, patch_rollout


@dataclass(frozen=True, eq=False)
class ImageFeatures:
    """What the network made of one picture; independent of every option.

    Attributes:
        photo: the picture.
        map: ``[h, w, D]`` float32, head applied, not normalised.
        attentions: softmax attention per block, ``[heads, T, T]``, None for blocks that were not
            recorded; empty without global attention.
    """

    photo: Photo
    map: Tensor
    attentions: tuple[Tensor | None, ...]

    @property
    def nbytes(self) -> int:
        """Bytes of the tensors, for bounding a cache."""
        return sum(t.nbytes for t in (self.map, *self.attentions) if t is not None)


@dataclass(frozen=True, eq=False)
class Embedding:
    """One picture (leading dimensions: a batch of them) as DIML compares it.

    Attributes:
        parts: ``[..., R, D]`` unit part embeddings, row-major over ``grid``.
        pooled: ``[..., D]`` unit global embedding.
        grid: rows, columns; R = rows * columns.
        rollout: ``[..., R]`` rollout mass per part summing to 1, or None without attention.
        rollout_map: ``[..., h, w]`` the same at the resolution of the map, or None.
    """

    parts: Tensor
    pooled: Tensor
    grid: Grid
    rollout: Tensor | None
    rollout_map: Tensor | None


class DimlModel(nn.Module):
    """Backbone and head, with the configuration they were made for."""

    def __init__(self, config: ModelConfig, *, backbone: Backbone | None = None) -> None:
        """Build the network without weights, or around a backbone that has them.

        Raises:
            InputError: see :class:`Backbone`; or rollout pooling without attention.
        """
        super().__init__()
        self.config = config
        self.backbone = backbone or Backbone(
            config.architecture,
            config.architecture_options,
            layer=config.layer,
            input_size=config.input.size,
        )
        if config.pooling == "rollout" and not self.has_rollout:
            raise InputError(
                f"'{config.name}' pools by attention rollout, but {config.architecture} has no global "
                "attention: use mean pooling."
            )
        channels = self.backbone.channels
        self.head = nn.Identity() if config.head is None else nn.Linear(channels, config.head)
        self.eval()

    @property
    def name(self) -> str:
        """The config's name."""
        return self.config.name

    @property
    def has_rollout(self) -> bool:
        """Whether attention rollout exists for this model."""
        return self.backbone.attention_blocks > 0

    @property
    def max_grid(self) -> int:
        """The finest grid, in parts per side of a square picture: the map's own size."""
        return self.backbone.map_side

    @property
    def dim(self) -> int:
        """D, the dimension of an embedding."""
        return self.config.head or self.backbone.channels

    def options(self, **overrides: Any) -> ExplainOptions:
        """This model's default options with some overridden (None means the default), validated.

        Raises:
            InputError: a value that this model cannot serve; the sentence gives the range.
        """
        given = {key: value for key, value in overrides.items() if value is not None}
        try:
            options = replace(ExplainOptions(), **self.config.defaults | given)
        except TypeError as error:
            raise InputError(f"There is no such option ({error}): see ExplainOptions.") from error
        return validated(options, self.max_grid, self.backbone.attention_blocks)

    def preprocess(self, photo: Photo) -> Tensor:
        """The whole picture as network input, ``[3, H, W]`` float32."""
        backbone, config = self.backbone, self.config.input
        shape = map_shape_for(photo.size, backbone.input_size // backbone.unit, backbone.flexible)
        return to_tensor(
            photo.image, shape, backbone.unit, config.mean, config.std, config.interpolation
        )

    def forward(
        self, images: Tensor, attention_from: int | None = 0
    ) -> tuple[Tensor, tuple[Tensor | None, ...]]:
        """Run network and head.

        Args:
            images: ``[B, 3, H, W]`` normalised.
            attention_from: first block whose attention is recorded; None records none.

        Returns:
            The map ``[B, h, w, D]`` and the attention of every block, ``[B, heads, T, T]`` each.
        """
        output = self.backbone(images, attention_from)
        return self.head(output.map.permute(0, 2, 3, 1)), output.attentions

    @torch.inference_mode()
    def extract(self, photo: Photo, attention_from: int | None = 0) -> ImageFeatures:
        """Run the network on one photo.

        Recording attention is what makes this slower than the bare network (by about a seventh for
        all 12 blocks of ViT-S): a caller who knows the start block of the rollout can save most of it.

        Args:
            photo: from :func:`load_photo`.
            attention_from: first block whose attention is recorded. 0, all of them, serves any option.
        """
        device = next(self.parameters()).device
        images = self.preprocess(photo)[None].to(device)
        feature_map, attentions = self(images, attention_from)
        recorded = tuple(None if a is None else a[0].cpu() for a in attentions)
        return ImageFeatures(photo, feature_map[0].cpu(), recorded)

    def embed(
        self, feature_map: Tensor, attentions: tuple[Tensor | None, ...], options: ExplainOptions
    ) -> Embedding:
        """Pool a map into unit part and global embeddings.

        Args:
            feature_map: ``[..., h, w, D]``.
            attentions: per block ``[..., heads, T, T]``, or empty.
            options: grid, start block, head fusion and kept mass are used.
        """
        return self.pool(feature_map, self.rollout_weights(attentions, options), options.grid)

    def pool(
        self, feature_map: Tensor, weights: Tensor | None, side: int, pooling: str | None = None
    ) -> Embedding:
        """The second half of :meth:`embed`, for rollouts that were kept in place of the attentions.

        Args:
            feature_map: ``[..., h, w, D]``.
            weights: ``[..., h * w]`` from :meth:`rollout_weights`, or None.
            side: parts per side of a square picture.
            pooling: another entry of :data:`diml_core.model_config.GLOBAL_POOLINGS` than the config's, to compare them.

        Raises:
            InputError: pooling by rollout without weights.
        """
        map_shape = (feature_map.shape[-3], feature_map.shape[-2])
        cells = feature_map.flatten(-3, -2)
        grid = grid_on_map(map_shape, side)
        method = pooling or self.config.pooling
        pooling_weights = _pooling(map_shape, grid, self.config.grid_pooling).to(cells)
        by_rollout = method == "rollout"
        if by_rollout and weights is None:
            raise InputError(
                f"'{self.name}' pools by attention rollout, but no attention was recorded: extract the "
                "features with attention_from at or before the start block."
            )
        parts = _pool_parts(pooling_weights, cells, weights if by_rollout else None)
        if by_rollout:
            pooled = (weights[..., None] * cells).sum(-2)
        else:
            pooled = (parts if method == "grid" else cells).mean(-2)
        return Embedding(
            parts=functional.normalize(parts, dim=-1),
            pooled=functional.normalize(pooled, dim=-1),
            grid=grid,
            rollout=None if weights is None else weights @ pooling_weights.T,
            rollout_map=None if weights is None else weights.unflatten(-1, map_shape),
        )

    def part_rollout(
        self, map_shape: Grid, attentions: tuple[Tensor | None, ...], options: ExplainOptions
    ) -> Tensor | None:
        """Where every part looked: the rollout rows of its tokens, averaged.

        Args:
            map_shape: rows and columns of the map.
            attentions: per block ``[..., heads, T, T]``, or empty.
            options: grid, start block, head fusion and kept mass are used.

        Returns:
            ``[..., R, h, w]``, each part summing to 1; None without attention.
        """
        if not attentions:
            return None
        rows = _rollout(attentions, options, rows=None)
        prefix = self.backbone.prefix_tokens
        patches = patch_rollout(rows[..., prefix:, :], prefix, options.kept_mass)
        pooling = _pooling(map_shape, grid_on_map(map_shape, options.grid), "area").to(patches)
        shares = pooling / pooling.sum(-1, keepdim=True)
        return (shares @ patches).unflatten(-1, map_shape)

    def rollout_weights(
        self, attentions: tuple[Tensor | None, ...], options: ExplainOptions
    ) -> Tensor | None:
        """``[..., h * w]`` share of the class token per map cell, or None without attention.

        Args:
            attentions: per block ``[..., heads, T, T]``, or empty.
            options: start block, head fusion and kept mass are used.
        """
        if not attentions:
            return None
        # Without a class token every token speaks for the picture: average them all.
        rows = _rollout(attentions, options, rows=[0] if self.backbone.class_token else None)
        return patch_rollout(rows, self.backbone.prefix_tokens, options.kept_mass).mean(-2)


def _rollout(
    attentions: tuple[Tensor | None, ...], options: ExplainOptions, rows: list[int] | None
) -> Tensor:
    return attention_rollout(
        attentions,
        start_block=options.start_block or 0,
        head_fusion=options.head_fusion,
        rows=rows,
    )


@lru_cache(maxsize=256)
def _pooling(map_shape: Grid, grid: Grid, method: str) -> Tensor:
    # Kept from call to call: made while somebody explains, it must still serve one who trains.
    with torch.inference_mode(False):
        return pooling_matrix(map_shape, grid, method)


def _pool_parts(pooling: Tensor, cells: Tensor, weights: Tensor | None) -> Tensor:
    """``[..., R, D]`` means of the cells under each part, weighted by ``weights`` ``[..., h * w]``."""
    if weights is None:
        return (pooling / pooling.sum(-1, keepdim=True)) @ cells
    shares = pooling * weights[..., None, :]
    total = shares.sum(-1, keepdim=True)
    # A part that truncation left without any rollout mass still has a content: its plain mean.
    return (
        torch.where(total > 0, shares, pooling)
        / torch.where(total > 0, total, pooling.sum(-1, keepdim=True))
        @ cells
    )
