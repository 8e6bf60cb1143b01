"""Any timm model as a source of a spatial feature map and, for vision transformers, attention."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import timm
import torch
from torch import Tensor, nn
from torch.nn import functional

from diml_core.errors import InputError
from diml_core.network.attention import holds_attention, recording, watch
from diml_core.network.model_config import FINAL, Layer

_LEAST_LENGTH = 1e-6  # of a map's cells: a map of zeros stays one


TimmModel = Any
"""An ``nn.Module``, of which a type checker would take every attribute for a tensor or a module."""


class BackboneOutput(NamedTuple):
    """One forward pass.

    Attributes:
        map: ``[B, C, h, w]`` features, prefix tokens removed.
        attentions: softmax attention per block, each ``[B, heads, T, T]`` with T = prefix + h * w;
            empty where the model has no global attention. Blocks that were not recorded are None.
    """

    map: Tensor
    attentions: tuple[Tensor | None, ...]


class Backbone(nn.Module):
    """A timm model, probed once for what the rest needs to know.

    Attributes:
        network: the timm model.
        layers: which of ``forward_intermediates``' outputs make the feature map, or ``final`` (:data:`diml_core.network.model_config.FINAL`);
            several are joined, see :func:`joined`.
        channels: C of the map.
        input_size: pixels per side of the square the model was made for.
        map_side: cells per side of the map of that square.
        unit: input pixels per cell of the coarsest map that is taken: inputs are multiples of it.
        flexible: whether other input shapes than that square are understood.
        prefix_tokens: class, register and distillation tokens in front of the patches.
        class_token: whether the first of them is a class token.
        attention_blocks: number of blocks whose attention can be rolled out; 0 for none.
        attention_heads: heads of each of them; 0 for none.
    """

    network: TimmModel
    layers: tuple[Layer, ...]
    channels: int
    input_size: int
    map_side: int
    unit: int
    attention_heads: int

    def __init__(
        self,
        architecture: str,
        options: dict | None = None,
        *,
        layer: Layer | Sequence[Layer] = -1,
        input_size: int | None = None,
        pretrained: bool = False,
    ) -> None:
        """Build ``timm.create_model(architecture, **options)``.

        Args:
            architecture: timm model name.
            options: further arguments of ``timm.create_model``.
            layer: index of the intermediate to take as the map, or several; negative counts from the
                last, ``final`` is what comes behind it.
            input_size: pixels per side; by default the model's own.
            pretrained: load timm's weights (from the hub).

        Raises:
            InputError: unknown model, or one that gives no spatial map.
        """
        super().__init__()
        self.network = _create(architecture, options or {}, pretrained)
        self.network.eval()
        self.input_size = input_size or self.network.pretrained_cfg["input_size"][-1]
        self.layers = (layer,) if isinstance(layer, int | str) else tuple(layer)
        blocks = list(getattr(self.network, "blocks", []))
        attentions: list[Any] = [getattr(block, "attn", None) for block in blocks]
        self.attention_blocks = len(attentions) if all(map(holds_attention, attentions)) else 0
        self.prefix_tokens = 0
        if self.attention_blocks:
            watch(attentions)
            self.prefix_tokens = getattr(self.network, "num_prefix_tokens", 0)
        self._probe(architecture)

    def _probe(self, architecture: str) -> None:
        square = torch.zeros(1, 3, self.input_size, self.input_size)
        try:
            with torch.inference_mode():
                output = self(square)
                coarsest = min(m.shape[-1] for m in self._maps(square))
        except Exception as error:  # whatever a network raises that knows no such layer or size
            raise InputError(
                f"The timm model '{architecture}' gives no spatial feature map at "
                f"{self.input_size} px ({_first_line(error)}): choose another model or layer."
            ) from error
        self.channels, height, width = output.map.shape[1:]
        self.map_side = height
        self.unit = self.input_size // coarsest
        tokens = self.prefix_tokens + height * width
        if any(a is None or a.shape[-2:] != (tokens, tokens) for a in output.attentions):
            # Windowed or pooled: nothing to roll out.
            self.attention_blocks = self.prefix_tokens = 0
        self.attention_heads = output.attentions[0].shape[1] if self.attention_blocks else 0
        self.class_token = (
            self.prefix_tokens > 0 and getattr(self.network, "cls_token", None) is not None
        )
        self.flexible = getattr(
            self.network, "dynamic_img_size", False
        ) or not self.network.pretrained_cfg.get("fixed_input_size", True)

    def forward(self, images: Tensor, attention_from: int | None = 0) -> BackboneOutput:
        """Run the network.

        Args:
            images: ``[B, 3, H, W]`` normalised; multiples of ``unit`` where ``flexible``, else
                ``input_size`` squares.
            attention_from: first block whose attention is recorded (0-based); None records none.
                Recorded blocks run without fused attention, which costs a few per cent.

        Returns:
            BackboneOutput.
        """
        if attention_from is None or not self.attention_blocks:
            return BackboneOutput(joined(self._maps(images)), ())
        with recording(self.attention_blocks, attention_from) as record:
            maps = self._maps(images)
        return BackboneOutput(joined(maps), tuple(record))

    def _maps(self, images: Tensor) -> list[Tensor]:
        indices = [layer for layer in self.layers if layer != FINAL]
        # Tokens between two blocks of a transformer are comparable only after its final norm.
        how = {"norm": hasattr(self.network, "patch_embed"), "output_fmt": "NCHW"}
        if len(indices) == len(self.layers):
            return self.network.forward_intermediates(
                images, indices=indices, intermediates_only=True, **how
            )
        final, maps = self.network.forward_intermediates(images, indices=indices or [-1], **how)
        if final.ndim != 4:
            raise InputError("its final output is no map of a CNN: give the number of a block")
        return [*(maps if indices else ()), final]


def joined(maps: Sequence[Tensor]) -> Tensor:
    """One map of several, so that a part keeps the detail of an early map and the meaning of a late one.

    Coarser maps are resampled bilinearly to the finest, and each is divided by the root mean square
    length of its cells, so that none outweighs the others. All but the coarsest lose their mean over
    the picture first: they tell parts apart, and leave the mean of the joined map, the global
    embedding, to the coarsest. (Left in, textures of backgrounds that were not trained on found their
    way into it.)

    Args:
        maps: ``[B, C_k, h_k, w_k]``; a single one is returned as it is.

    Returns:
        ``[B, sum of C_k, h, w]``.
    """
    if len(maps) == 1:
        return maps[0]
    by_cells = [m.shape[-2] * m.shape[-1] for m in maps]
    finest = maps[by_cells.index(max(by_cells))].shape[-2:]
    same = []
    for each, cells in zip(maps, by_cells, strict=True):
        if cells > min(by_cells):
            each = each - each.mean((2, 3), keepdim=True)
        length = each.float().square().sum(1, keepdim=True).mean((2, 3), keepdim=True).sqrt()
        scaled = each / length.clamp_min(_LEAST_LENGTH).to(each)
        if scaled.shape[-2:] != finest:
            scaled = functional.interpolate(scaled, finest, mode="bilinear", align_corners=False)
        same.append(scaled)
    return torch.cat(same, 1)


def _create(architecture: str, options: dict, pretrained: bool) -> TimmModel:
    if not timm.is_model(architecture):
        similar = timm.list_models(f"*{architecture.split('.')[0][:6]}*")[:3]
        hint = f" (did you mean {', '.join(similar)}?)" if similar else ""
        raise InputError(
            f"timm knows no model named '{architecture[:100]}'{hint}: see timm.list_models() for the names."
        )
    try:
        return _built(architecture, options, pretrained)
    except Exception as error:  # networks raise what they like for arguments they cannot take
        if pretrained:
            raise
        raise InputError(
            f"timm cannot build '{architecture}' with {options} ({_first_line(error)}): correct "
            "architecture_options."
        ) from error


def _built(architecture: str, options: dict, pretrained: bool) -> nn.Module:
    try:  # transformers that can take other shapes than their training square must be told to
        return timm.create_model(
            architecture, pretrained=pretrained, **{"dynamic_img_size": True, **options}
        )
    except TypeError:
        return timm.create_model(architecture, pretrained=pretrained, **options)


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]
