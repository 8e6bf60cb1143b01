"""The linked viewer: a Gradio component whose template, style and script are files in this folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr

_FOLDER = Path(__file__).parent
# One function scope, in this order: each file uses what the ones before it define.
_SCRIPTS = (
    "dom",
    "colour",
    "data",
    "sinkhorn",
    "layers",
    "stage",
    "paint",
    "score",
    "readout",
    "tip",
    "formula",
    "cover",
    "share",
    "linking",
    "presenter",
    "pointing",
    "viewer",
)

CSS_PATH = _FOLDER / "viewer.css"


def template() -> str:
    """The viewer's markup. It holds no value: everything a user wrote is set as text by the script."""
    return (_FOLDER / "template.html").read_text(encoding="utf-8")


def script() -> str:
    """The viewer's code; defines ``createViewer``."""
    return "\n".join((_FOLDER / f"{name}.js").read_text(encoding="utf-8") for name in _SCRIPTS)


class Viewer(gr.HTML):
    """Shows one pair. Its value is what :func:`app.payload.viewer_payload` returns.

    ``{}`` shows the invitation to choose photos; ``{"error": sentence}`` shows the sentence. (Gradio does
    not tell a component that its value became None.)

    Args:
        value: the first pair.
        cover: answers the viewer's counterfactual questions, see :func:`app.cover.answer_cover`.
        address: whether this viewer keeps its view in the address bar; no by default.
    """

    def __init__(self, value: dict[str, Any] | None = None, **kwargs: Any) -> None:
        # Gradio sends every named parameter of a component's __init__ to the browser: these are not named.
        cover: Callable[[dict[str, Any]], dict[str, Any]] = kwargs.pop("cover")
        mount = (_FOLDER / "mount.js").read_text(encoding="utf-8")
        super().__init__(
            value or {},
            html_template=template(),
            js_on_load=script() + "\n" + mount,
            apply_default_css=False,
            server_functions=[cover],
            **kwargs,
        )

    def api_info(self) -> dict[str, Any]:
        """The value is an object, not text."""
        return {"type": "object"}
