"""The networks of the site: graphs, named by their content, and what the page has to know of them."""

from __future__ import annotations

import hashlib
import json
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from diml_core import load_model
from diml_core.evaluation.faithfulness import RANKINGS, rankings_for
from diml_core.network.model import DimlModel
from diml_core.network.onnx.export import DESCRIPTION, GRAPH, export_onnx

MODELS = ("efficientnet-lite0", "dinov2-s14")
"""The default first, which every visitor loads; the others are loaded when they are chosen."""

FOLDER = "models"

_GLANCE = 256  # numbers of the map that tell whether a machine computes what torch does
_DIGITS = 12  # of a digest in a name


def write_models(site: Path) -> list[dict[str, Any]]:
    """Write the graphs into ``models/`` of the site.

    Returns:
        For each model what ``models.json`` says of it (``ModelFile`` in ``page/network.js``).

    Raises:
        InputError: see :func:`diml_core.network.onnx.export.export_onnx`.
    """
    (site / FOLDER).mkdir(parents=True)
    return [_written(name, site) for name in MODELS]


def _written(name: str, site: Path) -> dict[str, Any]:
    model = load_model(name)
    with tempfile.TemporaryDirectory() as temporary:
        export_onnx(model, Path(temporary))
        graph = (Path(temporary) / GRAPH).read_bytes()
        description = json.loads((Path(temporary) / DESCRIPTION).read_text(encoding="utf-8"))
    path = f"{FOLDER}/{name}-{hashlib.sha256(graph).hexdigest()[:_DIGITS]}.onnx"
    (site / path).write_bytes(graph)
    return description | {
        "name": name,
        "title": model.config.title,
        "file": {"url": path, "bytes": len(graph)},
        "class_token": model.backbone.class_token,
        "defaults": asdict(model.options()),
        "rivals": [
            {"key": key, "name": RANKINGS[key].name, "title": RANKINGS[key].title}
            for key in rankings_for(model)
        ],
        "glance": _glance(model),
    }


def _glance(model: DimlModel) -> list[float]:
    """The map of the picture that ``glanceAt`` of ``page/network.js`` makes."""
    unit = model.backbone.unit
    shape = (1, 3, 2 * unit, 3 * unit)
    values = ((np.arange(np.prod(shape)) * 7919) % 1009 - 504) / 252
    with torch.inference_mode():
        found, _ = model(torch.from_numpy(values.astype(np.float32)).reshape(shape))
    return [float(f"{value:.7g}") for value in found.flatten()[:_GLANCE].tolist()]
