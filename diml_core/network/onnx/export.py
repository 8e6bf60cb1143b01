"""Graphs that are known to give torch's numbers: in a folder of one's own, or kept for the engine."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from diml_core.cache_folder import cache_folder
from diml_core.errors import InputError
from diml_core.network.fingerprint import model_fingerprint
from diml_core.network.model import DimlModel
from diml_core.network.onnx.graph import write_graph
from diml_core.network.onnx.packages import needs
from diml_core.network.onnx.parity import check_parity, glance, photographs
from diml_core.network.onnx.session import OnnxModel

GRAPH, DESCRIPTION = "model.onnx", "model.json"
_VERSION = 1  # of what a graph holds: another one makes kept graphs anew


def export_onnx(model: DimlModel, folder: Path) -> None:
    """Write ``model.onnx``, and ``model.json`` with what a program without torch has to know of the model.

    The graph is what :mod:`diml_core.network.onnx.graph` says. ``model.json`` has ``config``, that of the checkpoint;
    ``scale``, where its scores lie, or null; ``dim``, D; and what the backbone was found to be
    (:class:`diml_core.network.backbones.Backbone`): ``unit``, ``map_side``, ``flexible``, ``prefix_tokens``,
    ``class_token``, ``attention_blocks`` and ``attention_heads``.

    Args:
        model: on the processor, in torch.
        folder: created if needed.

    Raises:
        InputError: a network that cannot be traced, or whose graph gives other numbers than torch on photographs;
            then nothing has been written. Or a folder that cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write_checked(model, folder / GRAPH)
        text = json.dumps(_description(model), indent=2) + "\n"
        (folder / DESCRIPTION).write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(
            f"'{folder}' cannot be written ({error.strerror}): choose another folder."
        ) from error


def in_onnx_runtime(model: DimlModel) -> OnnxModel:
    """The same model in ONNX Runtime.

    Its graph is made once, in some seconds, and kept in :func:`diml_core.cache_folder.cache_folder` by the
    fingerprint of the weights; a kept one that is damaged, or gives other numbers here, is made anew.

    Args:
        model: on the processor, in torch.

    Raises:
        InputError: missing packages, a network that cannot be traced or whose graph gives other numbers than torch,
            or a cache that cannot be written.
    """
    needs("onnxruntime")
    file = cache_folder() / "onnx" / f"{model_fingerprint(model)}-{_VERSION}.onnx"
    if (kept := _kept(model, file)) is not None:
        return kept
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        return _write_checked(model, file)
    except OSError as error:
        raise InputError(
            f"The ONNX graph cannot be kept in '{file.parent}' ({error.strerror}): let $DIML_CACHE name another folder."
        ) from error


def _kept(model: DimlModel, file: Path) -> OnnxModel | None:
    if not file.is_file():
        return None
    try:
        opened = OnnxModel(model, file)
        check_parity(model, opened, glance(model))
    except Exception:  # ONNX Runtime raises what it likes for a file that is no graph
        return None
    return opened


def _write_checked(model: DimlModel, file: Path) -> OnnxModel:
    """Put a graph there, whole or not at all, and open it."""
    part = file.with_name(f"{file.name}.{os.getpid()}.part")
    try:
        write_graph(model, part)
        opened = OnnxModel(model, part)
        check_parity(model, opened, photographs(model))
        os.replace(part, file)
    finally:
        part.unlink(missing_ok=True)
    return opened


def _description(model: DimlModel) -> dict[str, Any]:
    backbone = model.backbone
    return {
        "config": model.config.to_dict(),
        "scale": None if model.scale is None else model.scale.to_dict(),
        "dim": model.dim,
        "unit": backbone.unit,
        "map_side": backbone.map_side,
        "flexible": backbone.flexible,
        "prefix_tokens": backbone.prefix_tokens,
        "class_token": backbone.class_token,
        "attention_blocks": backbone.attention_blocks,
        "attention_heads": backbone.attention_heads,
    }
