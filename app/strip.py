"""A scrolling strip of single photos to choose from."""

from __future__ import annotations

import html
from collections.abc import Sequence
from pathlib import Path

import gradio as gr

from app import choices
from app.component import html_with_texts
from app.examples import FOLDER, SHOW_THUMBNAILS, THUMBNAIL_SIDE
from app.thumbnails import thumbnail_url

_SCRIPT = f"""{SHOW_THUMBNAILS}
element.addEventListener('click', (event) => {{
  const card = event.target.closest('button[data-photo]');
  if (!card) return;
  {choices.note("photo", "card.dataset.photo")}
  trigger('pick');
}});
"""


class PhotoStrip(gr.HTML):
    """Example photos in a row. ``pick`` fires when one is chosen: its path below the examples is the newest ``photo`` of
    :mod:`app.choices`."""

    def __init__(self, photos: Sequence[Path]) -> None:
        super().__init__(
            "".join(_card(path) for path in photos),
            html_template=html_with_texts(
                '<div class="strip photos" role="group" aria-label="%%retrieve.queries%%">${value}</div>'
            ),
            js_on_load=_SCRIPT,
            apply_default_css=False,
            elem_id="queries",
        )


def _card(path: Path) -> str:
    name = path.relative_to(FOLDER).as_posix()
    return (
        f'<button type="button" data-photo="{html.escape(name)}" title="{html.escape(name)}">'
        f'<img data-src="{thumbnail_url(path, THUMBNAIL_SIDE)}" alt="{html.escape(path.stem)}"></button>'
    )
