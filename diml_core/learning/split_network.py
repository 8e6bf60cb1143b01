"""A network cut in two: what stays frozen and can be computed once, and what is trained."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import torch
from timm.models.efficientnet import EfficientNet
from timm.models.eva import Eva
from timm.models.mobilenetv3 import MobileNetV3
from timm.models.resnet import ResNet
from timm.models.vision_transformer import VisionTransformer
from torch import Tensor, nn

from diml_core.comparison.options import ExplainOptions
from diml_core.embedding.features import Embedding
from diml_core.errors import InputError
from diml_core.network.attention import recording
from diml_core.network.backbones import TimmModel, joined
from diml_core.network.model import DimlModel
from diml_core.network.model_config import FINAL


class SplitNetwork(nn.Module):
    """A model whose last blocks and head are trained.

    ``enter`` runs the frozen part, ``finish`` the rest; one after the other they are the model.
    Plain vision transformers (DeiT, DINOv2; EVA-02 and DINOv3 with their rotations, too), EfficientNets,
    MobileNets and ResNets can be cut anywhere, others trained as a whole or not at all.

    Attributes:
        model: the model.
        embedder: what makes parts of its maps.
        first: index of the first trained block; None where the whole network is trained.
        entered: index of the first block that :meth:`finish` runs; None where it runs them all.
    """

    def __init__(
        self,
        model: DimlModel,
        trained_blocks: int,
        options: ExplainOptions,
        *,
        depthwise: bool = True,
    ) -> None:
        """Cut, and leave only the trained part requiring gradients.

        Args:
            model: changed in place.
            trained_blocks: number of last blocks that are trained; 0 for the head alone, -1 for the
                whole network.
            options: validated; grid and rollout settings are used.
            depthwise: whether depthwise convolutions are trained, too. On a processor their gradients
                take half of a step's time.

        Raises:
            InputError: more blocks than there are, or a network that cannot be cut.
        """
        super().__init__()
        self.model, self.options, self._depthwise = model, options, depthwise
        self.embedder = model.embedder(options)
        network = model.backbone.network
        self._transformer = isinstance(network, VisionTransformer | Eva)
        self._stages = _stages(network)
        self.first: int | None = None
        self.entered: int | None = None
        if trained_blocks >= 0:
            if not self._stages:
                raise InputError(
                    f"'{model.config.architecture}' cannot be cut between blocks: set trained_blocks to "
                    "-1 to train the whole network."
                )
            if trained_blocks > len(self._stages):
                raise InputError(
                    f"'{model.config.architecture}' has {len(self._stages)} blocks, so trained_blocks "
                    f"cannot be {trained_blocks}."
                )
            self.first = len(self._stages) - trained_blocks
            # What the rollout runs through has to be run again for its attention.
            self.entered = self.first
            if options.start_block is not None:
                self.entered = min(self.first, options.start_block)
        if not self._transformer:
            model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # not in torch's stubs
        for parameter in model.parameters():
            parameter.requires_grad_(False)
        for parameters in self.trained_groups():
            for parameter in parameters:
                parameter.requires_grad_(True)

    def trained_groups(self) -> Iterator[list[nn.Parameter]]:
        """Trained parameters in groups from the head down to the earliest block.

        The first group is the head's; what comes behind the last block (a transformer's final norm, the
        last convolution of an EfficientNet) goes with that block.
        """
        # Not timm's param_groups_layer_decay: within the stages of a convolutional network it lets the rate fall
        # from residual block to residual block, and by once more where there still is a classifier.
        yield list(self.model.head.parameters())
        network = self.model.backbone.network
        if self.first is None:
            yield self._parameters_of(network)
            return
        behind = (
            _behind(network) if self._transformer or FINAL in self.model.backbone.layers else []
        )
        for number, stage in enumerate(reversed(self._stages[self.first :])):
            modules = [*behind, stage] if number == 0 else [stage]
            yield [p for module in modules for p in self._parameters_of(module)]

    def _parameters_of(self, module: nn.Module) -> list[nn.Parameter]:
        kept = set() if self._depthwise else {
            m.weight for m in module.modules()
            if isinstance(m, nn.Conv2d) and m.groups == m.in_channels > 1
        }  # fmt: skip
        return [p for p in module.parameters() if p not in kept]

    @torch.no_grad()
    def enter(self, images: Tensor) -> Tensor:
        """What reaches the first block that is run in training: tokens, a map, or the images.

        Blocks after that one are the trained ones and those of the rollout.

        Returns:
            ``[B, T, C]``, ``[B, C, h, w]`` or ``[B, 3, H, W]``.
        """
        if self.first is None:
            return images
        images = _channels_last(images)
        network = self.model.backbone.network
        if not self._transformer:
            state = _stem(network, images)
            for stage in self._stages[: self.entered]:
                state = stage(state)
            return state
        state, how = _embedded(network, network.patch_embed(images))
        for stage, named in zip(self._stages[: self.entered], how, strict=False):
            state = stage(state, **named)
        return state

    def finish(self, state: Tensor, map_shape: tuple[int, int]) -> Embedding:
        """Run the trained part and pool.

        Args:
            state: from :meth:`enter`.
            map_shape: rows and columns of the map.

        Returns:
            Embedding ``[B, ...]``; unlike the model's own it is differentiable in the rollout, too.
        """
        feature_map, weights = self.cells(state, map_shape)
        return self.embedder.pool(feature_map, weights)

    def cells(self, state: Tensor, map_shape: tuple[int, int]) -> tuple[Tensor, Tensor | None]:
        """``[B, h, w, D]`` map with the head applied, and ``[B, h * w]`` rollout weights or None."""
        features, weights = self.features(state, map_shape)
        with torch.autocast(features.device.type, enabled=False):
            return self.model.head(features), weights

    def features(self, state: Tensor, map_shape: tuple[int, int]) -> tuple[Tensor, Tensor | None]:
        """The same before the head, ``[B, h, w, C]`` float32."""
        backbone = self.model.backbone
        if self.first is None:
            output = backbone(state, self.options.start_block)
            weights = self.embedder.rollout_weights(output.attentions)
            return output.map.permute(0, 2, 3, 1).float(), weights
        if not self._transformer:
            return self._convolved(state, self.first), None
        return self._transformed(state, map_shape, cast(int, self.entered))

    def _convolved(self, state: Tensor, first: int) -> Tensor:
        backbone = self.model.backbone
        taps = [tap["module"] for tap in backbone.network.feature_info]
        numbered = [layer for layer in backbone.layers if isinstance(layer, int)]
        wanted = {backbone.network.get_submodule(taps[layer]) for layer in numbered}
        state = _channels_last(state)
        before = self._stages[first - 1 : first]  # what was entered may be a map itself
        maps = [state.float() for stage in before if stage in wanted]
        for stage in self._stages[first:]:
            state = stage(state)
            if stage in wanted:
                maps.append(state.float())
        if len(maps) < len(wanted):
            raise InputError(
                "Parts come from a block that stays frozen: train more blocks (trained_blocks), or take "
                "parts from later ones (layer)."
            )
        if FINAL in backbone.layers:
            for module in _behind(backbone.network):
                state = module(state)
            maps.append(state.float())
        return joined(maps).permute(0, 2, 3, 1)

    def _transformed(
        self, tokens: Tensor, map_shape: tuple[int, int], entered: int
    ) -> tuple[Tensor, Tensor | None]:
        backbone, start = self.model.backbone, self.options.start_block
        if len(backbone.layers) > 1:
            raise InputError(
                "A transformer is trained with the parts of one block: set layer to one number, or "
                "trained_blocks to -1."
            )
        layer = cast(int, backbone.layers[0]) % len(self._stages)  # a transformer has no FINAL
        if layer < entered:
            raise InputError(
                f"Parts come from block {layer}, before the first that is run in training "
                f"({entered}): train more blocks, or let the rollout start at {layer}."
            )
        how = _rotations(backbone.network, map_shape)
        last = layer if start is None else len(self._stages) - 1
        with recording(
            len(self._stages), len(self._stages) if start is None else start, gradients=True
        ) as attentions:
            for index in range(entered, last + 1):
                tokens = self._stages[index](tokens, **how[index])
                if index == layer:
                    patches = backbone.network.norm(tokens)[:, backbone.prefix_tokens :].float()
        rolled = tuple(None if a is None else a.float() for a in attentions)
        weights = None if start is None else self.embedder.rollout_weights(rolled)
        return patches.unflatten(1, map_shape), weights


def _channels_last(maps: Tensor) -> Tensor:
    """Convolutions on a processor run twice as fast in this order."""
    return maps.contiguous(memory_format=torch.channels_last)


def _stages(network: nn.Module) -> list[nn.Module]:
    """The blocks or stages between which a network can be cut; none where it is not known how."""
    if isinstance(network, VisionTransformer | Eva | EfficientNet | MobileNetV3):
        return list(network.blocks)
    if isinstance(network, ResNet):
        return [getattr(network, f"layer{i}") for i in range(1, 5)]
    return []


def _embedded(network: TimmModel, patches: Tensor) -> tuple[Tensor, list[dict[str, Tensor]]]:
    """Tokens ``[B, T, C]`` as they enter the first block, and what every block takes beside them."""
    embedded = network._pos_embed(patches)
    if isinstance(network, VisionTransformer):
        return network.norm_pre(network.patch_drop(embedded)), [{} for _ in network.blocks]
    tokens, rotation = embedded
    mixed = getattr(network, "rope_mixed", False) and rotation is not None
    how = [{"rope": rotation[index] if mixed else rotation} for index in range(len(network.blocks))]
    return network.norm_pre(tokens), how


def _rotations(network: TimmModel, map_shape: tuple[int, int]) -> list[dict[str, Tensor]]:
    """The second of :func:`_embedded` for patches of that shape, when they are not at hand."""
    if isinstance(network, VisionTransformer):
        return [{} for _ in network.blocks]
    device = next(network.parameters()).device
    shape = map_shape if network.dynamic_img_size else (map_shape[0] * map_shape[1],)
    return _embedded(network, torch.zeros(1, *shape, network.embed_dim, device=device))[1]


def _behind(network: TimmModel) -> list[nn.Module]:
    """What comes between the last block and the classifier's pooling."""
    if hasattr(network, "patch_embed"):
        return [network.norm]
    # Where there is no bn2 (MobileNetV3), conv_head comes after the pooling.
    return (
        [network.conv_head, network.bn2]
        if hasattr(network, "conv_head") and hasattr(network, "bn2")
        else []
    )


def _stem(network: TimmModel, images: Tensor) -> Tensor:
    if hasattr(network, "conv_stem"):
        return network.bn1(network.conv_stem(images))
    return network.maxpool(network.act1(network.bn1(network.conv1(images))))
