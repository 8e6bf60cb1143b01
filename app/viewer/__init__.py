"""The linked viewer: a Gradio component whose template, style and script are files in this folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

_FOLDER = Path(__file__).parent
# One function scope, in this order: each file uses what the ones before it define.
_SCRIPTS = ("colour", "data", "layers", "stage", "score", "readout", "pointing", "viewer")

CSS_PATH = _FOLDER / "viewer.css"


def template() -> str:
    """The viewer's markup. It holds no value: everything a user wrote is set as text by the script."""
    return (_FOLDER / "template.html").read_text(encoding="utf-8")


def script() -> str:
    """The viewer's code; defines ``createViewer``."""
    return "\n".join((_FOLDER / f"{name}.js").read_text(encoding="utf-8") for name in _SCRIPTS)


class Viewer(gr.HTML):
    """Shows one pair. Its value is what :func:`app.payload.viewer_payload` returns.

    None shows the invitation to choose photos; ``{"error": sentence}`` shows the sentence.
    """

    def __init__(self, value: dict[str, Any] | None = None, **kwargs: Any) -> None:
        mount = (_FOLDER / "mount.js").read_text(encoding="utf-8")
        super().__init__(
            value,
            html_template=template(),
            js_on_load=script() + "\n" + mount,
            apply_default_css=False,
            **kwargs,
        )

    def api_info(self) -> dict[str, Any]:
        """The value is an object, not text."""
        return {"type": "object"}
