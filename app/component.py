"""What our own components have in common."""

from __future__ import annotations

import html
import json
import re
from typing import Any

import gradio as gr

from diml_core.viewer.texts import text, texts

# As view/texts.js has it, for scripts that are no modules.
_TEXT = "const text = (key, values = {}) => TEXTS[key].replace(/\\{(\\w+)\\}/g, (_, name) => values[name]);"


class ObjectHTML(gr.HTML):
    """A component of ours: its value is an object, which its script shows. Without Gradio's style."""

    def __init__(self, value: dict[str, Any] | None = None, **kwargs: Any) -> None:
        super().__init__(value or {}, apply_default_css=False, **kwargs)

    def api_info(self) -> dict[str, Any]:
        """Not text, as of other HTML."""
        return {"type": "object"}


def script_with_texts(script: str, *areas: str) -> str:
    """JavaScript behind what gives it the page's texts: ``text(key, values)``, and all of them as ``TEXTS``.

    Args:
        script: the component's.
        areas: what the keys begin with, up to their first dot.
    """
    known = {
        key: words for key, words in texts().items() if key.split(".")[0] in ("language", *areas)
    }
    return f"const TEXTS = {json.dumps(known, ensure_ascii=False)};\n{_TEXT}\n{script}"


def html_with_texts(template: str) -> str:
    """HTML with the page's texts in place of ``%%key%%``."""
    return re.sub(r"%%([\w.]+)%%", lambda found: html.escape(text(found[1])), template)
