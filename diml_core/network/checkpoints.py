"""Loading and saving models: folders, repositories of the hub, timm names, and the DIML authors' ResNet-50 files.

Nothing here unpickles code: tensors come from safetensors, or from ``torch.load(weights_only=True)``.
"""

from __future__ import annotations

import os
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import cast

import torch
from torch import Tensor

from diml_core.errors import InputError
from diml_core.network.backbones import Backbone
from diml_core.network.checkpoint_files import (
    CONFIG,
    read_config,
    read_scale,
    read_weights,
    write_checkpoint,
)
from diml_core.network.devices import device_of
from diml_core.network.hub import HUB_PREFIX, fetch
from diml_core.network.model import DimlModel
from diml_core.network.model_config import InputConfig, Layer, ModelConfig
from diml_core.network.onnx.export import in_onnx_runtime
from diml_core.network.preprocessing import Interpolation
from diml_core.shipped_files import shipped_folder

SHIPPED = shipped_folder("checkpoints")
FOLDER_VARIABLE = "DIML_CHECKPOINTS"
DEFAULT_MODEL = "efficientnet-lite0"
"""What measures best on real photographs (``evaluate --data photos --split validation``)."""

TIMM_PREFIX = "timm:"

_SHOWN = 100  # characters of a name that a sentence repeats
_PICKLED_SUFFIXES = {".pth", ".pt", ".tar", ".ckpt"}


def shipped_models() -> list[str]:
    """Names of the models that come along, and of those in ``$DIML_CHECKPOINTS``; the default first."""
    names = {path.parent.name for folder in _folders() for path in folder.glob(f"*/{CONFIG}")}
    return sorted(names, key=lambda name: (name != DEFAULT_MODEL, name))


def _folders() -> list[Path]:
    named = os.environ.get(FOLDER_VARIABLE)
    return [Path(named), SHIPPED] if named else [SHIPPED]


def model_names() -> str:
    """What :func:`load_model` takes, as the sentences for users list it."""
    return (
        f"{', '.join(shipped_models())}, a checkpoint folder, {HUB_PREFIX}USER/REPO of the Hugging Face hub, "
        f"{TIMM_PREFIX}NAME for a timm model, or a .pth file of the DIML authors"
    )


def load_model(
    name_or_path: str | PathLike[str] = DEFAULT_MODEL, *, device: str = "cpu", engine: str = "torch"
) -> DimlModel:
    """Load a model, in eval mode, float32.

    Args:
        name_or_path: one of these:

            - a shipped model's name, see :func:`shipped_models`; the folder named by ``$DIML_CHECKPOINTS``
              is looked into first;
            - a folder with ``config.json`` and ``model.safetensors``;
            - ``hf:USER/REPO`` or ``hf:USER/REPO@REVISION``, such a folder on the Hugging Face Hub, as
              :meth:`diml_core.network.model.DimlModel.push_to_hub` makes it; it stays in the hub's cache;
            - ``timm:NAME``, any timm model with a spatial map, with timm's pretrained weights;
            - a ``.pth`` file of the DIML authors' ResNet-50 (github.com/wl-zhao/DIML).

        device: as :func:`diml_core.network.devices.device_named` takes it: ``cpu``, ``cuda``, ``mps``, or ``auto``
            for the fastest there is. What the network gives is always on the CPU.
        engine: one of :data:`diml_core.network.devices.ENGINES`: ``torch``, or ``onnx`` for ONNX Runtime on the
            processor, whose numbers are torch's but for rounding. Its first use of a model takes some seconds, see
            :func:`diml_core.network.onnx.export.in_onnx_runtime`.

    Raises:
        InputError: nothing there, weights that do not fit or cannot be downloaded, no such device, or an engine that
            cannot run the model.
    """
    chosen = device_of(engine, device)
    model, source = _loaded(str(name_or_path))
    model.source = source
    return in_onnx_runtime(model) if engine == "onnx" else model.to(chosen)


def _loaded(text: str) -> tuple[DimlModel, str]:
    """The model, and the name that gets it again from any folder."""
    if text.startswith(TIMM_PREFIX):
        return _load_timm(text.removeprefix(TIMM_PREFIX)), text
    if text.startswith(HUB_PREFIX):
        return _load_folder(fetch(text.removeprefix(HUB_PREFIX)), text), text
    for folder in (*(folder / text for folder in _folders()), Path(text)):
        if text and _is_file(folder / CONFIG):
            named = text in shipped_models()
            return _load_folder(folder, str(folder)), text if named else str(folder.resolve())
    path = Path(text)
    if _is_file(path) and path.suffix in _PICKLED_SUFFIXES:
        return _load_authors(path), str(path.resolve())
    shown = text if len(text) <= _SHOWN else text[:_SHOWN] + "..."
    raise InputError(f"There is no model {shown!r}: give one of {model_names()}.")


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a name too long for any file system, or with a NUL in it
        return False


def save_model(model: DimlModel, folder: str | PathLike[str]) -> None:
    """Write ``config.json`` and ``model.safetensors`` into ``folder``, creating it.

    Weights are float16, but for tensors whose values float16 cannot hold (the running variance of a
    BatchNorm may exceed its 65504): these stay as they are. An interruption leaves every file old or new.
    """
    write_checkpoint(model.config, model.state_dict(), Path(folder))


def _load_folder(folder: Path, shown: str) -> DimlModel:
    config, tensors = read_config(folder, shown), read_weights(folder, shown)
    model = _built(config, shown)
    _load_weights(model, tensors, shown)
    model.scale = read_scale(folder, shown)
    return model


def _built(config: ModelConfig, shown: str) -> DimlModel:
    """The network of a config, whose default options are known to serve it."""
    try:
        model = DimlModel(config)
        if config.defaults:
            model.options(grid=config.defaults.get("grid", model.max_grid))
    except InputError as error:
        raise InputError(f"The checkpoint '{shown}' cannot be used: {error}") from error
    return model


def _load_timm(name: str) -> DimlModel:
    try:
        backbone = Backbone(name, pretrained=True)
    except InputError:
        raise
    except Exception as error:  # every hub, network and cache library has errors of its own
        raise InputError(
            f"The pretrained weights of the timm model '{name}' could not be downloaded "
            f"({type(error).__name__}): check the connection to the Hugging Face hub, or use a shipped "
            f"model ({', '.join(shipped_models())})."
        ) from error
    config = timm_config(name, backbone)
    backbone.layers = (cast(Layer, config.layer),)  # not several
    return DimlModel(config, backbone=backbone)


def timm_config(name: str, backbone: Backbone) -> ModelConfig:
    """Sensible settings for a timm model nobody has tuned: what measured best on our own ViT and CNN."""
    cfg = backbone.network.pretrained_cfg
    interpolation: Interpolation = (
        "bilinear" if cfg.get("interpolation") == "bilinear" else "bicubic"
    )
    given = InputConfig(backbone.input_size, cfg["mean"], cfg["std"], interpolation)
    config = ModelConfig(
        name=TIMM_PREFIX + name,
        title=name,
        architecture=name,
        input=given,
        defaults={"grid": min(8, backbone.map_side)},
    )
    blocks = backbone.attention_blocks
    if blocks < 4 or not backbone.class_token:
        return config
    # Part correspondence peaks a few blocks before the last; the rollout from the block after it
    # says how the class token draws on exactly those tokens.
    return replace(
        config,
        layer=blocks - 3,
        pooling="rollout",
        defaults=config.defaults | {"marginals": "product", "mass": 0.5, "start_block": blocks - 2},
    )


def _load_authors(path: Path) -> DimlModel:
    """A ``torch.save``d training state of the authors: torchvision names under ``model.``."""
    try:
        stored = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged file makes torch raise almost anything
        raise InputError(
            f"'{path.name}' cannot be read as plain tensors, and code in checkpoints is never run here: "
            "save it again with torch.save({'model': model.state_dict()}, ...)."
        ) from error
    tensors = stored.get("model", stored) if isinstance(stored, dict) else {}
    tensors = {
        str(key).removeprefix("module."): value
        for key, value in (tensors.items() if isinstance(tensors, dict) else ())
        if isinstance(value, Tensor)
    }
    # The same tensors are stored again under layer_blocks.*; model.* alone is complete.
    tensors = {
        key.removeprefix("model."): value
        for key, value in tensors.items()
        if key.startswith("model.")
    }
    head = tensors.pop("last_linear.weight", None)
    bias = tensors.pop("last_linear.bias", None)
    complete = head is not None and bias is not None and "layer4.2.conv3.weight" in tensors
    if not complete or head.ndim not in (2, 4) or not head.shape[0]:
        raise InputError(
            f"'{path.name}' is no ResNet-50 checkpoint of the DIML authors (model.layer4.* and "
            "model.last_linear.* are missing): give one saved by their training script."
        )
    trained_with_diml = head.ndim == 4  # their DIML training makes the head a 1x1 convolution
    model = DimlModel(
        ModelConfig(
            name=path.stem,
            title=f"{path.stem} (DIML authors' ResNet-50)",
            architecture="resnet50",
            architecture_options={"num_classes": 0},  # they replaced the classifier by the head
            input=InputConfig(interpolation="bilinear"),
            pooling="grid" if trained_with_diml else "mean",
            grid_pooling="resampled",
            head=head.shape[0],
            trained_with_diml=trained_with_diml,
            defaults={"grid": 4},
        )
    )
    weights = {f"backbone.network.{key}": value for key, value in tensors.items()}
    _load_weights(model, weights | {"head.weight": head.flatten(1), "head.bias": bias}, path.name)
    return model


def _load_weights(model: DimlModel, tensors: dict[str, Tensor], source: str) -> None:
    try:
        model.load_state_dict({key: value.float() for key, value in tensors.items()}, strict=True)
    except RuntimeError as error:
        raise InputError(
            f"The weights in '{source}' do not fit {model.config.architecture} "
            f"({_first_misfit(model, tensors)}): use the files that belong together."
        ) from error


def _first_misfit(model: DimlModel, tensors: dict[str, Tensor]) -> str:
    """What is wrong with the first weight that does not fit; torch would name every one."""
    for key, own in model.state_dict().items():
        if key not in tensors:
            return f"{key} is missing"
        if tensors[key].shape != own.shape:
            return f"{key} is {list(tensors[key].shape)} instead of {list(own.shape)}"
    unknown = next(key for key in tensors if key not in model.state_dict())
    return f"it has no {unknown[:80]}"
