"""Look of the page: system fonts (nothing is fetched from anywhere), one accent colour, little chrome."""

from __future__ import annotations

from pathlib import Path

import gradio as gr

_SANS = [
    "system-ui",
    "-apple-system",
    "Segoe UI",
    "Roboto",
    "Helvetica Neue",
    "Arial",
    "sans-serif",
]
_MONO = ["ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "monospace"]

CSS_PATH = Path(__file__).parent / "page.css"


def theme() -> gr.themes.Base:
    """The theme; light and dark follow the visitor's system."""
    return gr.themes.Default(
        primary_hue="blue", neutral_hue="slate", font=_SANS, font_mono=_MONO, text_size="md"
    ).set(
        body_background_fill="#f6f7fa",
        # Gradio's own subdued grey has a contrast of 2.6 here; text on a projector needs 4.5 or more.
        body_text_color_subdued="*neutral_600",
        body_text_color_subdued_dark="*neutral_400",
        block_shadow="none",
        block_border_width="1px",
        button_primary_background_fill="*primary_600",
    )
