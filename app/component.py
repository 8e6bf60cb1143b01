"""What our own components have in common."""

from __future__ import annotations

from typing import Any

import gradio as gr


class ObjectHTML(gr.HTML):
    """A component of ours: its value is an object, which its script shows. Without Gradio's style."""

    def __init__(self, value: dict[str, Any] | None = None, **kwargs: Any) -> None:
        super().__init__(value or {}, apply_default_css=False, **kwargs)

    def api_info(self) -> dict[str, Any]:
        """Not text, as of other HTML."""
        return {"type": "object"}
