"""Lets timm be imported beside a CPU-only torch and PyPI's CUDA build of torchvision.

PyPI's Linux torchvision is compiled for CUDA. Beside a CPU-only torch its compiled operators cannot
load, and ``import torchvision`` (hence ``import timm``) dies with "operator torchvision::nms does
not exist", because torchvision registers Python fallbacks for operators that were never declared.
timm needs only torchvision's Python part, so declaring the two schemas is enough.
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
from pathlib import Path

import torch

_SCHEMAS = {
    "nms": "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms": "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
}

# Declarations last as long as the Library object that made them.
_declarations: torch.library.Library | None = None


def ensure_torchvision_ops() -> bool:
    """Declare ``torchvision::nms`` and ``::qnms`` where the compiled operators cannot load.

    Call before the first import of timm or torchvision. Does nothing where the operators load, where
    torchvision is absent, or when called again.

    Returns:
        True if the schemas had to be declared (now or by an earlier call).
    """
    global _declarations
    if _declarations is None and not _registered("nms") and not _compiled_ops_load():
        library = torch.library.Library("torchvision", "FRAGMENT")
        for name, schema in _SCHEMAS.items():
            if not _registered(name):
                library.define(schema)
        _declarations = library
    return _declarations is not None


def _registered(name: str) -> bool:
    return hasattr(torch.ops.torchvision, name)


def _compiled_ops_load() -> bool:
    """Try to load torchvision's compiled operators without importing torchvision."""
    spec = importlib.util.find_spec("torchvision")
    if spec is None or spec.origin is None:
        return True  # nothing installed, nothing to cure
    finder = importlib.machinery.FileFinder(
        str(Path(spec.origin).parent),
        (importlib.machinery.ExtensionFileLoader, importlib.machinery.EXTENSION_SUFFIXES),
    )
    extension = finder.find_spec("_C") or finder.find_spec("_C_stable")
    if extension is None or extension.origin is None:
        return False
    try:
        torch.ops.load_library(extension.origin)
    except OSError:
        return False
    return _registered("nms")
