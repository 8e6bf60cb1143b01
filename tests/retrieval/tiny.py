"""A tiny ViT and CNN with random weights, and small photos that differ in shape and content."""

import numpy as np
import torch
from PIL import Image

from diml_core.network.checkpoints import save_model
from diml_core.network.model import DimlModel
from diml_core.network.model_config import InputConfig, ModelConfig

SIZES = [(64, 64), (96, 48), (48, 80), (64, 60)]


def tiny_config(name, architecture="test_vit", **settings):
    return ModelConfig(
        name=name,
        architecture=architecture,
        architecture_options={"img_size": 64} if "vit" in architecture else {},
        input=InputConfig(size=64),
        **settings,
    )


def saved_model(folder, config, seed=0):
    torch.manual_seed(seed)
    save_model(DimlModel(config), folder)
    return folder


def write_photos(folder, count, seed=0):
    """``count`` PNGs of smooth random colours, some in a sub-folder, in four shapes."""
    random = np.random.default_rng(seed)
    for index in range(count):
        path = folder / ("deep/er" if index % 3 == 0 else ".") / f"{index:03}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        coarse = random.integers(0, 256, (4, 4, 3), dtype=np.uint8)
        Image.fromarray(coarse).resize(SIZES[index % 4], Image.Resampling.BICUBIC).save(path)
    return folder
