"""The quiz as a Gradio component: its host. The quiz itself is ``diml_core/viewer/quiz``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from app.component import ObjectHTML
from app.viewer import host_script

_FOLDER = Path(__file__).parent

CSS_PATH = _FOLDER / "guess.css"


class Guess(ObjectHTML):
    """Plays rounds: its value is ``{"models": [{"name", "title"}]}``, the first of them chosen.

    Fires ``round`` with what :func:`app.rounds.round_steps` answers, and ``stop`` to have no more of that. A question
    in the address of the page is asked first.

    Args:
        value: the models.
    """

    def __init__(self, value: dict[str, Any], **kwargs: Any) -> None:
        super().__init__(
            value,
            html_template='<div class="quiz-host"></div>',
            js_on_load=host_script(_FOLDER / "host.js"),
            **kwargs,
        )
