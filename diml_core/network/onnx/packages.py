"""The packages of the extra ``onnx``, imported when they are needed."""

from __future__ import annotations

import importlib
from typing import Any

from diml_core.errors import InputError


def needs(package: str) -> Any:
    """The module ``onnx`` or ``onnxruntime``.

    Raises:
        InputError: it is not installed.
    """
    try:
        return importlib.import_module(package)
    except ImportError as error:
        raise InputError(
            "ONNX Runtime needs two packages: pip install onnx onnxruntime, or take the engine torch."
        ) from error
