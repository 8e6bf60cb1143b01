"""What stands beside the pair: nothing, a third photo, the same model at other settings, or a second model."""

from __future__ import annotations

import html
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import gradio as gr

from app import choices, files
from app.component import ObjectHTML
from app.examples import FOLDER, SHOW_THUMBNAILS, THUMBNAIL_SIDE, Example
from app.thumbnails import thumbnail_url
from diml_core.viewer import modules
from diml_core.viewer.texts import text

CSS_PATH = modules.FOLDER / "beside.css"
NOTHING = ""
PHOTO_C = "photo-c"
SETTINGS = "settings"

LIVE_BESIDE = "window.dimlOptionsOf?.['second-viewer'] ?? ''"
"""JavaScript: the options that the viewer beside the first stands at, as :func:`app.options.read_options` reads them."""

# The page's layout follows it: photo C is asked for where it is wanted, and two viewers have all the width.
NOTE_CHOICE = "(chosen) => { document.querySelector('#layout').dataset.beside = chosen; }"


def choices_beside(titles: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """What to choose from: labels and values, the models' last."""
    own = [(NOTHING, "nothing"), (PHOTO_C, "photo"), (SETTINGS, "settings")]
    return [*((text(f"present.beside.{name}"), value) for value, name in own), *titles]


@dataclass(frozen=True)
class ExampleTriple(Example):
    """Three example photos: ``a`` is like ``b`` and unlike ``c``."""

    a: Path
    b: Path
    c: Path


@cache
def example_triples() -> tuple[ExampleTriple, ...]:
    """The triples of ``assets/examples/triples.json``, in order."""
    rows = json.loads((FOLDER / "triples.json").read_text(encoding="utf-8"))
    return tuple(
        ExampleTriple(**{**row, **{side: FOLDER / row[side] for side in "abc"}}) for row in rows
    )


class TripleStrip(gr.HTML):
    """The example triples. ``pick`` fires when one is chosen: its id is the newest ``triple`` of :mod:`app.choices`."""

    def __init__(self) -> None:
        script = f"""{SHOW_THUMBNAILS}
element.addEventListener('click', (event) => {{
  const card = event.target.closest('button[data-triple]');
  if (!card) return;
  {choices.note("triple", "card.dataset.triple")}
  trigger('pick');
}});
"""
        label = html.escape(text("triple.examples"))
        super().__init__(
            "".join(_card(triple) for triple in example_triples()),
            html_template=f'<div class="strip triples" role="group" aria-label="{label}">${{value}}</div>',
            js_on_load=script,
            apply_default_css=False,
            elem_id="triples",
        )


def _card(triple: ExampleTriple) -> str:
    images = "".join(
        f'<img data-src="{thumbnail_url(path, THUMBNAIL_SIDE)}" alt="">'
        for path in (triple.a, triple.b, triple.c)
    )
    return (
        f'<button type="button" data-triple="{html.escape(triple.id)}" title="{html.escape(triple.look_for)}">'
        f'<span class="thumbs">{images}</span><span><b>{html.escape(triple.title)}</b></span></button>'
    )


class BesidePanel(ObjectHTML):
    """Says what makes the difference between the pairs that ``#viewer`` and ``#second-viewer`` show."""

    def __init__(self) -> None:
        place = json.dumps(files.url(files.served(modules.FOLDER, "*.js")))
        triples = {
            " ".join(path.name for path in (each.a, each.b, each.c)): each.look_for
            for each in example_triples()
        }
        super().__init__(
            html_template='<div class="beside-host"></div>',
            js_on_load=f"import(`${{dimlPlaced({place})}}/view/beside.js`).then(({{ mountBeside }}) => "
            "mountBeside(element.querySelector('.beside-host'), ['#viewer', '#second-viewer'], "
            f"{json.dumps(triples)}));",
            elem_id="beside",
        )


def options_asked(beside: str, first: str, own: str) -> tuple[str, ...]:
    """Which options the viewer beside the first starts at: JSON of the browser, the first that is of its model.

    Args:
        beside: what stands there.
        first: those of the first viewer.
        own: those that it stands at already.
    """
    if beside == SETTINGS:
        return own, first
    return (first,) if beside == PHOTO_C else ()


def photo_c(pair: dict[str, Any]) -> dict[str, Any]:
    """The pair of photos A and C: its second photo is called C."""
    return pair | {"b": pair["b"] | {"letter": "C"}}
