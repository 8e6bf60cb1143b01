"""All that a viewer can ask the network, each kind by an event of its own."""

from __future__ import annotations

import gradio as gr

from app.asking import Stops, connect
from app.cover import cover_steps
from app.service import Explorer
from app.trial import curve_steps, rival_steps

_KINDS = {"cover": cover_steps, "rival": rival_steps, "curves": curve_steps}


def connect_questions(explorer: Explorer, viewer: gr.HTML, queue: str) -> None:
    """Answer a viewer, below it on the page.

    Args:
        explorer: has seen the pair, for the session that asks.
        viewer: what asks.
        queue: ``concurrency_id``, which nobody who compares should wait for.
    """
    stops = Stops()
    for event, steps in _KINDS.items():
        connect(explorer, viewer, event, steps, queue, stops)
    stops.listen_to(viewer)
