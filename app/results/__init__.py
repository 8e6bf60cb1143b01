"""Search results, and what re-ranking fixes and breaks, as Gradio components."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from app.component import ObjectHTML

_FOLDER = Path(__file__).parent

CSS_PATH = _FOLDER / "results.css"


class Results(ObjectHTML):
    """Shows what :func:`app.galleries.search_payload` returns; ``{"error": sentence}`` shows the sentence.

    So does ``{"preparing": sentence}``, after which ``again`` fires in a moment. ``open`` fires when a photo is
    clicked: its key is the newest ``result`` of :mod:`app.choices`. "Why?" adds the key of the photo that it overtook,
    after a space.
    """

    def __init__(self, value: dict[str, Any] | None = None, **kwargs: Any) -> None:
        super().__init__(value, **_parts("template.html", "results.js"), **kwargs)


class Mistakes(ObjectHTML):
    """Shows what :func:`app.galleries.mistakes_payload` returns; nothing for ``{}``.

    ``{"error": sentence}`` shows the sentence; so does ``{"counting": sentence}``, and ``again`` fires in a moment.
    ``open`` fires when a row is clicked: the key of its query is the newest ``mistake`` of :mod:`app.choices`.
    """

    def __init__(self, value: dict[str, Any] | None = None, **kwargs: Any) -> None:
        super().__init__(value, **_parts("mistakes.html", "mistakes.js"), **kwargs)


def _parts(template: str, script: str) -> dict[str, str]:
    return {
        "html_template": (_FOLDER / template).read_text(encoding="utf-8"),
        "js_on_load": (_FOLDER / script).read_text(encoding="utf-8"),
    }
