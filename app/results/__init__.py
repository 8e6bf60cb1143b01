"""Search results, and what re-ranking fixes and breaks, as Gradio components."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from app.component import ObjectHTML, html_with_texts, script_with_texts

_FOLDER = Path(__file__).parent

CSS_PATH = _FOLDER / "results.css"


class Results(ObjectHTML):
    """Shows what :func:`app.galleries.search_payload` returns; ``{"error": sentence}`` shows the sentence, above the
    results before it.

    So does ``{"preparing": sentence}``, after which ``again`` fires in a moment. ``open`` fires when a photo is
    clicked: its key is the newest ``result`` of :mod:`app.choices`. "Why?" adds the key of the photo that it overtook,
    after a space.
    """

    def __init__(self, value: dict[str, Any] | None = None, **kwargs: Any) -> None:
        super().__init__(value, **_parts("template.html", "results.js", "results"), **kwargs)


class Mistakes(ObjectHTML):
    """Shows what :func:`app.galleries.mistakes_payload` returns; nothing for ``{}``.

    ``{"error": sentence}`` shows the sentence; so does ``{"counting": sentence}``, and ``again`` fires in a moment.
    ``open`` fires when a row is clicked: the key of its query is the newest ``mistake`` of :mod:`app.choices`.
    """

    def __init__(self, value: dict[str, Any] | None = None, **kwargs: Any) -> None:
        super().__init__(value, **_parts("mistakes.html", "mistakes.js", "mistakes"), **kwargs)


def _parts(template: str, script: str, area: str) -> dict[str, str]:
    return {
        "html_template": html_with_texts((_FOLDER / template).read_text(encoding="utf-8")),
        "js_on_load": script_with_texts((_FOLDER / script).read_text(encoding="utf-8"), area),
    }
