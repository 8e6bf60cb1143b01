"""Search results in two orders: a Gradio component whose template, style and script are files in this folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from app.component import ObjectHTML

_FOLDER = Path(__file__).parent

CSS_PATH = _FOLDER / "results.css"


class Results(ObjectHTML):
    """Shows what :func:`app.galleries.search_payload` returns; ``{"error": sentence}`` shows the sentence.

    So does ``{"preparing": sentence}``, after which ``again`` fires in a moment. ``open`` fires when a photo is
    clicked: its key is the newest ``result`` of :mod:`app.choices`.
    """

    def __init__(self, value: dict[str, Any] | None = None, **kwargs: Any) -> None:
        super().__init__(
            value,
            html_template=(_FOLDER / "template.html").read_text(encoding="utf-8"),
            js_on_load=(_FOLDER / "results.js").read_text(encoding="utf-8"),
            **kwargs,
        )
