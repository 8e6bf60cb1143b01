"""Where what was computed once is kept for later runs."""

from __future__ import annotations

import os
from pathlib import Path

FOLDER_VARIABLE = "DIML_CACHE"


def cache_folder() -> Path:
    """The folder that ``$DIML_CACHE`` names, else ``~/.cache/diml-explorer``; it need not be there yet."""
    named = os.environ.get(FOLDER_VARIABLE)
    return Path(named) if named else Path.home() / ".cache" / "diml-explorer"
