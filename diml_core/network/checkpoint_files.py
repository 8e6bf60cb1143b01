"""The files of a checkpoint, ``config.json``, ``model.safetensors`` and, where its scores were measured on photographs,
``scale.json``. None can hold code."""

from __future__ import annotations

import json
import os
from pathlib import Path

import safetensors.torch
from safetensors import SafetensorError
from torch import Tensor

from diml_core.comparison.scale import Scale
from diml_core.errors import InputError
from diml_core.network.model_config import ModelConfig

CONFIG, WEIGHTS, SCALE = "config.json", "model.safetensors", "scale.json"


def write_checkpoint(config: ModelConfig, state: dict[str, Tensor], folder: Path) -> None:
    """Write both files into ``folder``, creating it; see :func:`diml_core.network.checkpoints.save_model`."""
    folder.mkdir(parents=True, exist_ok=True)
    stored = {_stored_name(key): _halved(value) for key, value in state.items()}
    weights_part, config_part = folder / (WEIGHTS + ".part"), folder / (CONFIG + ".part")
    safetensors.torch.save_file(stored, weights_part, metadata={"format": "pt"})
    config_part.write_text(json.dumps(config.to_dict(), indent=2) + "\n", encoding="utf-8")
    os.replace(weights_part, folder / WEIGHTS)
    os.replace(config_part, folder / CONFIG)


def read_config(folder: Path, shown: str) -> ModelConfig:
    """Read ``config.json``.

    Raises:
        InputError: not there, or no config of a model; it calls the checkpoint ``shown``.
    """
    try:
        return ModelConfig.from_dict(json.loads((folder / CONFIG).read_text(encoding="utf-8")))
    except InputError as error:
        raise InputError(f"The checkpoint '{shown}' cannot be used: {error}") from error
    except (OSError, ValueError, RecursionError) as error:
        raise _unreadable(shown, error) from error


def read_weights(folder: Path, shown: str) -> dict[str, Tensor]:
    """Read ``model.safetensors``, with keys as in the state of a model.

    Raises:
        InputError: not there, or damaged; it calls the checkpoint ``shown``.
    """
    try:
        tensors = safetensors.torch.load_file(folder / WEIGHTS)
    except (OSError, ValueError, SafetensorError) as error:
        raise _unreadable(shown, error) from error
    return {
        key.replace("backbone.", "backbone.network.", 1): value for key, value in tensors.items()
    }


def read_scale(folder: Path, shown: str) -> Scale | None:
    """Read ``scale.json``; None where there is none.

    Raises:
        InputError: damaged; it calls the checkpoint ``shown``.
    """
    try:
        return Scale.from_dict(json.loads((folder / SCALE).read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except InputError as error:
        raise InputError(f"The {SCALE} of '{shown}' cannot be used: {error}") from error
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(
            f"The {SCALE} of '{shown}' cannot be read ({error}): measure it again, or remove it."
        ) from error


def _unreadable(shown: str, error: Exception) -> InputError:
    return InputError(
        f"The checkpoint '{shown}' cannot be read ({error}): restore its {CONFIG} and {WEIGHTS}."
    )


def _halved(value: Tensor) -> Tensor:
    if not value.is_floating_point():
        return value
    half = value.half()
    return (half if half.isfinite().all() or not value.isfinite().all() else value).contiguous()


def _stored_name(key: str) -> str:
    """``backbone.network.x`` is stored as ``backbone.x``: the file holds timm names, not our nesting."""
    return key.replace("backbone.network.", "backbone.", 1)
