"""A checkpoint that is small enough to be written anew for a test."""

from diml_core.network.checkpoints import save_model
from diml_core.network.model import DimlModel
from diml_core.network.model_config import InputConfig, ModelConfig


def save_tiny(folder, name="tiny", **more):
    """Write a CNN of a few thousand weights as a checkpoint; ``more`` goes into its config. Returns the folder, as text."""
    config = ModelConfig(
        name=name,
        architecture="test_efficientnet",
        input=InputConfig(size=64),
        **{"defaults": {"grid": 2}} | more,
    )
    save_model(DimlModel(config), folder)
    return str(folder)
