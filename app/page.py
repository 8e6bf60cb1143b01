"""The whole page."""

from __future__ import annotations

from typing import Any

import gradio as gr

from app import examples, results, theme, viewer
from app.service import Explorer
from app.tabs import compare, retrieve
from diml_core.photo.images import DEFAULT_LIMITS

MODEL_QUEUE = "model"  # one network at a time: two at once would only make both slower


def build_page(explorer: Explorer | None = None) -> gr.Blocks:
    """Assemble the page, its first example already solved."""
    with gr.Blocks(title="DIML Explorer", analytics_enabled=False) as page:
        gr.Markdown(
            "# DIML Explorer\nSee *why* a vision model calls two photos similar: "
            "which part matches which, and what that adds to the score.",
            elem_classes="title",
        )
        explorer = explorer or Explorer()
        with gr.Tabs():
            with gr.Tab("Compare"):
                compare.build(explorer, MODEL_QUEUE)
            with gr.Tab("Retrieve") as tab:
                retrieve.build(explorer, MODEL_QUEUE, tab)
    return page


def _style() -> str:
    sheets = (theme.CSS_PATH, viewer.CSS_PATH, results.CSS_PATH)
    return "".join(path.read_text(encoding="utf-8") for path in sheets)


def launch_options() -> dict[str, Any]:
    """What Gradio 6 takes at launch."""
    return {
        "theme": theme.theme(),
        # In the head, as they are: Gradio rewrites the selectors of css_paths and drops @container rules.
        "head": f"<style>{_style()}</style>",
        "allowed_paths": [str(examples.FOLDER)],  # whatever folder the app is started from
        "max_file_size": DEFAULT_LIMITS.max_bytes,
        "show_error": True,
        "ssr_mode": False,
        "footer_links": ["api"],
    }
