"""A DIML model: a backbone, and a head applied at every location.

Work is split where caching pays: :meth:`DimlModel.extract` runs the network once per picture; what
:meth:`DimlModel.embedder` gives turns its output into parts, for one choice of options, in milliseconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from diml_core.comparison.options import ExplainOptions, validated
from diml_core.comparison.scale import Scale
from diml_core.embedding.embedder import Embedder
from diml_core.embedding.features import ImageFeatures, as_float16
from diml_core.errors import InputError
from diml_core.network.backbones import Backbone
from diml_core.network.hub import push
from diml_core.network.model_config import ModelConfig
from diml_core.network.preprocessing import map_shape_for, to_tensor
from diml_core.photo.images import Photo


class DimlModel(nn.Module):
    """Backbone and head, with the configuration they were made for.

    Attributes:
        config: that configuration.
        backbone: the network.
        head: what is applied to every location of its map.
        source: what :func:`diml_core.load_model` takes, from any folder, to load this model again; empty for a
            model that was not loaded.
        scale: where its scores lie on real photographs, for its default options; None where nobody has measured it,
            or weights have changed since.
    """

    def __init__(self, config: ModelConfig, *, backbone: Backbone | None = None) -> None:
        """Build the network without weights, or around a backbone that has them.

        Raises:
            InputError: see :class:`Backbone`; or rollout pooling without attention.
        """
        super().__init__()
        self.config = config
        self.source = ""
        self.scale: Scale | None = None
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
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.parameters()).device

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
        options = ExplainOptions(**self.config.defaults | given)
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
            photo: from :func:`diml_core.load_photo`.
            attention_from: first block whose attention is recorded. 0, all of them, serves any option.
        """
        images = self.preprocess(photo)[None]
        return self.extract_images([photo], images, attention_from)[0]

    @torch.inference_mode()
    def extract_images(
        self, photos: Sequence[Photo], images: Tensor, attention_from: int | None = 0
    ) -> list[ImageFeatures]:
        """Run the network once, on images of one shape.

        Args:
            photos: B, what the images are of.
            images: ``[B, 3, H, W]`` as :meth:`preprocess` makes them.
            attention_from: see :meth:`extract`.
        """
        maps, attentions = self(images.to(self.device), attention_from)
        return [
            ImageFeatures(
                photo,
                as_float16(maps[row].cpu()),
                tuple(None if each is None else each[row].cpu() for each in attentions),
            )
            for row, photo in enumerate(photos)
        ]

    def embedder(self, options: ExplainOptions, pooling: str | None = None) -> Embedder:
        """What turns this model's features into parts, for one choice of options.

        Args:
            options: validated, from :meth:`options`; those that concern one photo are used.
            pooling: another entry of :data:`diml_core.embedding.pooling.GlobalPooling` than the config's,
                to compare them.
        """
        return Embedder(
            grid=options.grid,
            pooling=pooling or self.config.pooling,
            grid_pooling=self.config.grid_pooling,
            start_block=options.start_block,
            head_fusion=options.head_fusion,
            kept_mass=options.kept_mass,
            prefix_tokens=self.backbone.prefix_tokens,
            class_token=self.backbone.class_token,
        )

    def push_to_hub(
        self,
        repository: str,
        *,
        private: bool = False,
        token: str | None = None,
        commit_message: str = "Push a DIML model",
    ) -> str:
        """Upload config and weights (float16) to the Hugging Face Hub, for ``load_model("hf:USER/REPO")``.

        A short model card goes with them where the repository has none. It names no licence: that is
        for you to add there, and a later push leaves the card alone.

        Args:
            repository: ``USER/REPO``; made if it is not there.
            private: whether only you and whom you choose may see it. A public repository stays public,
                so pushing to one as private is refused.
            token: of an account that may write there; by default that of ``hf auth login`` or ``$HF_TOKEN``.
            commit_message: title of the commit.

        Returns:
            The address of the repository.

        Raises:
            InputError: a bad name, a repository you may not write to or that is public though ``private``,
                or a hub that cannot be reached.
        """
        return push(
            self.config,
            self.state_dict(),
            repository,
            private=private,
            token=token,
            commit_message=commit_message,
        )
