"""A tiny ViT and CNN with random weights, and a small set of scenes, once per session."""

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from diml_core.__main__ import main
from diml_core.network.checkpoints import load_model, save_model
from diml_core.network.model import DimlModel
from diml_core.network.model_config import InputConfig, ModelConfig
from diml_core.photo.images import load_photo


def _saved(folder, architecture, options, **settings):
    torch.manual_seed(0)
    config = ModelConfig(
        name=folder.name,
        architecture=architecture,
        architecture_options=options,
        input=InputConfig(size=64),
        **settings,
    )
    save_model(DimlModel(config), folder)
    return folder


@pytest.fixture(scope="session")
def vit_folder(tmp_path_factory):
    """Rollout pooling, product marginals and half the mass, as the shipped ViT has them."""
    return _saved(
        tmp_path_factory.mktemp("models") / "tiny-vit",
        "test_vit",
        {"img_size": 64},
        layer=3,
        pooling="rollout",
        defaults={"grid": 3, "marginals": "product", "mass": 0.5, "start_block": 4},
    )


@pytest.fixture(scope="session")
def cnn_folder(tmp_path_factory):
    """Cross-correlation and all the mass."""
    folder = tmp_path_factory.mktemp("models") / "tiny-cnn"
    return _saved(folder, "test_resnet", {}, head=24, defaults={"grid": 2})


@pytest.fixture(scope="session", params=["vit_folder", "cnn_folder"])
def tiny(request):
    """Each tiny model in turn."""
    return load_model(request.getfixturevalue(request.param))


@pytest.fixture(scope="session")
def photos():
    """Two photos of blotches."""
    random = np.random.default_rng(0)
    cells = random.integers(0, 256, (2, 4, 5, 3), dtype=np.uint8)
    return [
        load_photo(Image.fromarray(c).resize((80, 64), Image.Resampling.BICUBIC)) for c in cells
    ]


@pytest.fixture
def pair(tiny, photos):
    """What each tiny model saw in them."""
    return [tiny.extract(photo) for photo in photos]


@pytest.fixture(scope="session")
def scenes(tmp_path_factory):
    """Scenes of six cut-outs on five backgrounds: 4 classes train, 2 test, 4 views each."""
    root = tmp_path_factory.mktemp("scenes")
    random = np.random.default_rng(0)
    for folder in ("cutouts", "backgrounds"):
        (root / folder).mkdir()
    for index in range(6):
        cells = random.integers(0, 256, (3, 3, 4)).astype(np.uint8)
        cells[..., 3] = 255
        object_ = cv2.resize(cells, (60 + 20 * index, 80), interpolation=cv2.INTER_NEAREST)
        object_ = cv2.copyMakeBorder(object_, 4, 4, 4, 4, cv2.BORDER_CONSTANT, value=0)
        cv2.imwrite(str(root / "cutouts" / f"thing{index}.png"), object_)
    for index in range(5):
        cells = random.integers(0, 256, (12, 12, 3)).astype(np.uint8)
        photo = cv2.resize(cells, (640, 640), interpolation=cv2.INTER_LINEAR)
        cv2.imwrite(str(root / "backgrounds" / f"place{index}.png"), photo)
    built = root / "built"
    arguments = [
        "scenes",
        built,
        "--cutouts",
        root / "cutouts",
        "--backgrounds",
        root / "backgrounds",
    ]
    assert main([*map(str, arguments), "--views", "4", "--size", "96"]) == 0
    return built
