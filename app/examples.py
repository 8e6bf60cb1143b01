"""The example pairs that ship with the app, and the strip that offers them."""

from __future__ import annotations

import base64
import html
import io
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import gradio as gr
from PIL import Image

from diml_core.photo.images import Photo, load_photo

FOLDER = Path(__file__).resolve().parent.parent / "assets" / "examples"
_THUMBNAIL = (88, 66)  # px


@dataclass(frozen=True)
class ExamplePair:
    """A pair of photos: ``a`` and ``b`` are paths; ``look_for`` tells a class where to look."""

    id: str
    a: Path
    b: Path
    kind: str
    title: str
    look_for: str


@cache
def example_pairs() -> tuple[ExamplePair, ...]:
    """The pairs of ``assets/examples/pairs.json``, in order."""
    rows = json.loads((FOLDER / "pairs.json").read_text(encoding="utf-8"))
    return tuple(
        ExamplePair(**{**row, "a": FOLDER / row["a"], "b": FOLDER / row["b"]}) for row in rows
    )


def example_photo(name: str) -> Path | None:
    """The example photo of that file name, if there is one."""
    return next((p for pair in example_pairs() for p in (pair.a, pair.b) if p.name == name), None)


def is_example(photo: Photo) -> bool:
    """Whether a photo is, pixel by pixel, the example of its name."""
    path = example_photo(photo.name)
    return path is not None and _digest(path) == photo.digest


@cache
def _digest(path: Path) -> str:
    return load_photo(path).digest


_SCRIPT = """
element.addEventListener('click', (event) => {
  const card = event.target.closest('button[data-pair]');
  if (card) trigger('pick', { pair: card.dataset.pair });
});
"""


class ExampleStrip(gr.HTML):
    """A scrolling strip of pairs. ``pick`` fires with ``event.pair``, the id of the chosen one."""

    def __init__(self) -> None:
        super().__init__(
            "".join(_card(pair) for pair in example_pairs()),
            html_template='<div class="strip" aria-label="Example pairs">${value}</div>',
            js_on_load=_SCRIPT,
            apply_default_css=False,
            elem_id="examples",
        )


def _card(pair: ExamplePair) -> str:
    images = "".join(f'<img src="{thumbnail_url(path)}" alt="">' for path in (pair.a, pair.b))
    text = f"<span><b>{html.escape(pair.title)}</b><small>{html.escape(pair.kind)}</small></span>"
    return (
        f'<button type="button" data-pair="{html.escape(pair.id)}" title="{html.escape(pair.look_for)}">'
        f'<span class="thumbs">{images}</span>{text}</button>'
    )


def thumbnail_url(path: Path) -> str:
    """A small JPEG of a photo as a ``data:`` URL."""
    with Image.open(path) as image:
        image = image.convert("RGB")
        image.thumbnail((2 * _THUMBNAIL[0], 2 * _THUMBNAIL[1]))
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=80)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()
