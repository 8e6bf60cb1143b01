"""Where the files that come with the library are: in the clone, or inside the installed package."""

from __future__ import annotations

from pathlib import Path

_CLONE = Path(__file__).resolve().parent.parent
_INSTALLED = Path(__file__).resolve().parent / "shipped"


def shipped_folder(name: str) -> Path:
    """The folder ``checkpoints`` or ``assets``."""
    installed = _INSTALLED / name
    return installed if installed.is_dir() else _CLONE / name
