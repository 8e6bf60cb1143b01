"""Tiny models, once per session."""

import pytest
from tiny import saved_model, tiny_config, write_photos

from diml_core.network.checkpoints import load_model


@pytest.fixture(scope="session")
def vit_folder(tmp_path_factory):
    """Rollout pooling, product marginals and half the mass, as the shipped ViT has them."""
    config = tiny_config(
        "tiny-vit",
        layer=3,
        pooling="rollout",
        defaults={"grid": 4, "marginals": "product", "mass": 0.5, "start_block": 4},
    )
    return saved_model(tmp_path_factory.mktemp("models") / "tiny-vit", config)


@pytest.fixture(scope="session")
def cnn_folder(tmp_path_factory):
    """Cross-correlation and all the mass."""
    config = tiny_config("tiny-cnn", "test_resnet", head=24, defaults={"grid": 2})
    return saved_model(tmp_path_factory.mktemp("models") / "tiny-cnn", config)


@pytest.fixture(scope="session", params=["vit_folder", "cnn_folder"])
def model(request):
    return load_model(request.getfixturevalue(request.param))


@pytest.fixture(scope="session")
def photos(tmp_path_factory):
    return write_photos(tmp_path_factory.mktemp("photos"), 40)
