"""A tiny vision transformer with random weights to train from."""

import torch

from diml_core.network.checkpoints import save_model
from diml_core.network.model import DimlModel
from diml_core.network.model_config import InputConfig, ModelConfig


def save_start(folder):
    """Write it into a folder."""
    config = ModelConfig(
        name="tiny",
        architecture="test_vit",
        architecture_options={"img_size": 64},
        input=InputConfig(size=64),
        layer=3,
        pooling="rollout",
        defaults={"grid": 4, "marginals": "product", "mass": 0.5, "start_block": 3},
    )
    torch.manual_seed(0)
    save_model(DimlModel(config), folder)
