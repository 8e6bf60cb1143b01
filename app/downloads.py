"""Files a visitor can take away: renderings of one explanation, written when asked for."""

from __future__ import annotations

import re
from pathlib import Path

from app import files
from diml_core.drawing import save_figure
from diml_core.explanation import Explanation
from diml_core.viewer.texts import text

FORMATS = {
    ending: text(f"download.{ending}") for ending in ("html", "png", "svg", "csv", "json", "npz")
}
"""Endings of the files, and what the page calls them."""

_PRINT_DPI = 300


def write(explanation: Explanation, format: str, flow_lines: int) -> Path:
    """Write one file in a folder of its own, so that visitors never overwrite each other's.

    Args:
        explanation: what to render.
        format: one of :data:`FORMATS`.
        flow_lines: lines to draw in a figure.

    Returns:
        The file, named after the two photos.
    """
    names = [_plain(name) for name in (explanation.name_a, explanation.name_b)]
    path = files.folder("download") / f"{names[0]}--{names[1]}.{format}"
    data = {
        "json": explanation.to_json,
        "npz": explanation.to_npz,
        "csv": explanation.to_csv,
        "html": explanation.to_html,
    }
    if format in data:
        data[format](path)
    else:
        save_figure(explanation, path, flow_lines=flow_lines, dpi=_PRINT_DPI)
    return path


def _plain(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", Path(name).stem)[:40].strip("-.") or "photo"
