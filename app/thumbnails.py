"""Photos made small, as files that browsers fetch."""

from __future__ import annotations

from pathlib import Path

from app import files
from diml_core.photo.images import load_photo
from diml_core.viewer.pair import jpeg


def thumbnail_url(path: Path, side: int) -> str:
    """Where a browser on the page finds a small JPEG of a photo, decoded when it is shown for the first time only.

    Args:
        path: of the photo.
        side: pixels of its longer side.

    Raises:
        InputError: no photo.
        OSError: no such file.
    """
    key = f"{path}:{path.stat().st_mtime_ns}"
    return files.url(files.by_digest(f"{side}.jpg", key, lambda: jpeg(load_photo(path), side)))
