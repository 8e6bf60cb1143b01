"""Photos on their way in: from Gradio's upload to something ``load_photo`` takes.

Decoding, orientation and limits belong to ``diml_core.photo.images``; Gradio must not open the file first.
"""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr
from gradio.utils import get_upload_folder, is_in_or_equal

from app import files
from diml_core.errors import InputError
from diml_core.photo.images import DEFAULT_LIMITS, Photo, load_photo
from diml_core.viewer.texts import text

GONE = "This photo is no longer here, for it was not used for hours: choose it again."
NOT_FETCHED = "Addresses on the internet are not fetched here: send the photo itself, as a file or as a data: URL."


class Upload(NamedTuple):
    """A file or its bytes, and the name its owner gave it."""

    source: Path | bytes
    name: str | None

    def load(self) -> Photo:
        """Decode it. Raises InputError."""
        if isinstance(self.source, Path) and files.uploads() in self.source.parents:
            files.touch(self.source.parent)
            if not self.source.exists():
                raise InputError(GONE)
        return load_photo(self.source, name=self.name)


class PhotoInput(gr.Image):
    """An image upload that hands over the untouched file as an :class:`Upload` (or None)."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            type="filepath",
            image_mode=None,
            sources=["upload", "webcam", "clipboard"],
            buttons=[],  # they would lie over the label; the viewer shows the photo large
            height=170,
            placeholder=text("compare.drop"),
            **kwargs,
        )

    def get_block_name(self) -> str:
        """The front end knows this component as an image."""
        return "image"

    def get_config(self, cls: type | None = None) -> dict[str, Any]:
        """The front end needs every setting of an image, also those not named in our __init__."""
        return super().get_config(cls or gr.Image)

    def preprocess(self, payload: Any) -> Upload | None:
        """Where the upload lies; nothing is opened."""
        if payload is None:
            return None
        return upload_from(payload.model_dump())


class PhotoFiles(gr.File):
    """Several uploads, as a list of :class:`Upload`, or None."""

    def get_block_name(self) -> str:
        """The front end knows this component as a file."""
        return "file"

    def preprocess(self, payload: Any) -> list[Upload] | None:
        """Where they lie; nothing is opened, and nothing is made for them."""
        if payload is None:
            return None
        return [upload_from(each) for each in payload.model_dump()]


def upload_from(data: Any) -> Upload:
    """Turn Gradio's file data into an :class:`Upload`.

    Args:
        data: a dict with ``path`` of an uploaded file, or ``url`` holding a base64 ``data:`` URL, and
            optionally ``orig_name``.

    Raises:
        InputError: not file data, larger than the limit, or a path outside the upload folder: an
            API caller must not make the server read its own files.
    """
    if not isinstance(data, dict):
        raise InputError(
            "A photo must be an uploaded file: send it with gradio_client.handle_file(path)."
        )
    given = (data.get(key) for key in ("orig_name", "path", "url"))
    name, path, url = (value if isinstance(value, str) else "" for value in given)
    if url.startswith("data:"):
        encoded = url.partition(",")[2]
        if len(encoded) * 3 // 4 > DEFAULT_LIMITS.max_bytes:
            raise InputError("The photo in the data: URL is too large: send a smaller one.")
        try:
            return Upload(base64.b64decode(encoded, validate=True), name or None)
        except ValueError as error:  # binascii.Error is one, and so is text that is not ASCII
            raise InputError(
                "The photo's data: URL is not valid base64: send a file instead."
            ) from error
    if not _is_uploaded(path):
        raise InputError(
            "That photo was not uploaded here: send it with gradio_client.handle_file(path)."
        )
    return Upload(Path(path), name or Path(path).name)


def _is_uploaded(path: str) -> bool:
    try:
        return bool(path) and is_in_or_equal(path, get_upload_folder()) and Path(path).is_file()
    except (OSError, ValueError):  # a name too long for any file, or with a NUL in it
        return False
