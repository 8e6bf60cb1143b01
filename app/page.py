"""The whole page."""

from __future__ import annotations

from typing import Any

import gradio as gr

from app import beside, door, examples, files, guess, results, theme, viewer
from app.endpoint import offer
from app.galleries import Galleries
from app.service import Explorer
from app.tabs import compare, retrieve
from app.tabs import guess as guess_tab
from diml_core.photo.images import DEFAULT_LIMITS
from diml_core.viewer.texts import glossary_html, text

MODEL_QUEUE = "model"  # one pair at a time, its photos side by side
COVER_QUEUE = "cover"  # in which nobody waits who compares
GUESS_QUEUE = "guess"  # nor here: the next round is chosen while this one is played
MOST_WAITING = 100  # events; beyond it, "This application is currently busy. Please try again."

_SESSIONS = 1000  # whose state is kept
# Files lie where Gradio serves them, wherever a proxy has put the page itself.
_PLACED = (
    "window.dimlPlaced = (url) => "
    "url?.startsWith('/') ? (window.gradio_config?.root ?? '').replace(/\\/$/, '') + url : url;"
)


def build_page(
    explorer: Explorer | None = None, galleries: Galleries | None = None
) -> door.GuardedBlocks:
    """Assemble the page, its first example already looked at."""
    files.root()  # before the components, which remember where uploads lie
    with door.GuardedBlocks(title=text("page.title"), analytics_enabled=False) as page:
        gr.Markdown(
            f"# {text('page.title')}\n{text('page.intro')}",
            elem_classes="title",
        )
        explorer = explorer or Explorer()
        galleries = galleries or Galleries(explorer)
        # Before what is private here, which would take their names.
        offer(explorer, galleries, MODEL_QUEUE, retrieve.SEARCH_QUEUE)
        with gr.Tabs():
            with gr.Tab(text("page.compare")):
                compare.build(explorer, MODEL_QUEUE, COVER_QUEUE)
            with gr.Tab(text("page.retrieve")) as tab:
                own = retrieve.build(explorer, galleries, COVER_QUEUE, tab)
            with gr.Tab(text("page.guess"), elem_id="guess-tab"):
                guess_tab.build(explorer, own, GUESS_QUEUE)
        with gr.Accordion(text("page.words"), open=False, elem_id="words"):
            # Whoever has no pointer over a word finds it here, and so does who wants to read them all.
            gr.HTML(glossary_html())
        page.load(None, js=guess_tab.OPEN_IF_ASKED, api_visibility="private")
    # Nothing goes past the queue.
    page.queue(max_size=MOST_WAITING, api_open=False)
    files.keep_what_is_here()
    return page


def _style() -> str:
    sheets = (theme.CSS_PATH, viewer.STYLE, beside.CSS_PATH, results.CSS_PATH, guess.CSS_PATH)
    return "".join(path.read_text(encoding="utf-8") for path in sheets)


def launch_options() -> dict[str, Any]:
    """What Gradio 6 takes at launch."""
    return {
        "theme": theme.theme(),
        # In the head, as they are: Gradio rewrites the selectors of css_paths and drops @container rules.
        "head": f"<style>{_style()}</style><script>{_PLACED}</script>",
        # Whatever folder the app is started from.
        "allowed_paths": [str(folder) for folder in (examples.FOLDER, files.shown(), files.own())],
        "app_kwargs": door.app_kwargs(),
        "max_file_size": DEFAULT_LIMITS.max_bytes,
        "show_error": True,
        "state_session_capacity": _SESSIONS,
        "ssr_mode": False,
        "footer_links": ["api"],
    }
