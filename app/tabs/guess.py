"""Guess: what will the model do? A quiz, scored by the model's own numbers."""

from __future__ import annotations

import gradio as gr

from app.asking import Stops, connect
from app.galleries import MOST_UPLOADS
from app.guess import Guess
from app.inputs import PhotoFiles
from app.rounds import round_steps
from app.service import Explorer
from diml_core.viewer.texts import text

OPEN_IF_ASKED = """() => {
  if (new URLSearchParams(location.search).has('guess')) document.getElementById('guess-tab-button')?.click();
}"""
"""JavaScript: opens the tab if the address of the page asks a question."""


def build(explorer: Explorer, elsewhere: PhotoFiles, queue: str) -> None:
    """Lay out the tab and connect it.

    Args:
        explorer: shared with the other tabs, so that features are shared too.
        elsewhere: where the visitor may have put photos of his own already.
        queue: ``concurrency_id`` of choosing rounds.
    """
    gr.Markdown(text("quiz.intro"), elem_id="guess-intro")
    models = [{"name": name, "title": title} for title, name in explorer.titles()]
    guess = Guess({"models": models}, elem_id="guess")
    # guess.css shows it where the quiz is played with one's own photos.
    with gr.Column(elem_id="guess-own"):
        own = PhotoFiles(
            label=text("quiz.own.label", most=MOST_UPLOADS),
            file_count="multiple",
            file_types=["image"],
            height=140,
            elem_id="guess-files",
        )
        gr.Markdown(text("quiz.own.note"))
    stops = Stops()
    connect(explorer, guess, "round", round_steps, queue, stops, [own, elsewhere])
    stops.listen_to(guess)
    own.change(
        None,
        js="() => { window.dispatchEvent(new Event('diml-own-photos')); }",
        api_visibility="private",
    )
