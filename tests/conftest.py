"""What the tests of the core share: the shipped models and the example photos."""

from pathlib import Path

import pytest

from diml_core import load_model

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def examples():
    """Folder of the example photos."""
    return ROOT / "assets" / "examples"


@pytest.fixture(scope="session")
def vit():
    """The shipped vision transformer."""
    return load_model("dinov2-s14")


@pytest.fixture(scope="session")
def cnn():
    """The shipped convolutional network."""
    return load_model("efficientnet-lite0")


@pytest.fixture(params=["dinov2-s14", "efficientnet-lite0"])
def model(request, vit, cnn):
    """Each shipped model in turn."""
    return vit if request.param == vit.name else cnn
