"""The example pairs that ship with the app, and the strip that offers them."""

from __future__ import annotations

import html
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import gradio as gr

from app import choices, files
from app.component import html_with_texts
from app.thumbnails import thumbnail_url
from diml_core.photo.images import Photo, load_photo
from diml_core.viewer import modules
from diml_core.viewer.texts import text

FOLDER = Path(__file__).resolve().parent.parent / "assets" / "examples"
THUMBNAIL_SIDE = 176  # px of an example in a strip, twice what is shown


@dataclass(frozen=True)
class Example:
    """What has words among the page's texts, by its ``id``."""

    id: str

    @property
    def title(self) -> str:
        """What it is called."""
        return text(f"examples.{self.id}.title")

    @property
    def look_for(self) -> str:
        """Where a class should look."""
        return text(f"examples.{self.id}.look")


@dataclass(frozen=True)
class ExamplePair(Example):
    """A pair of photos: ``a`` and ``b`` are paths, ``kind`` is a key of the page's texts."""

    a: Path
    b: Path
    kind: str


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


def caption_of(name_a: str, name_b: str) -> dict[str, str] | None:
    """Title of an example pair, whichever photo is A, and where to look in it; None for two other photos."""
    names = {name_a, name_b}
    pair = next((p for p in example_pairs() if {p.a.name, p.b.name} == names), None)
    return None if pair is None else {"title": pair.title, "text": pair.look_for}


def is_example(photo: Photo) -> bool:
    """Whether a photo is, pixel by pixel, the example of its name."""
    path = example_photo(photo.name)
    return path is not None and _digest(path) == photo.digest


@cache
def _shared() -> dict[str, Path]:
    return {path.relative_to(FOLDER).as_posix(): path for path in sorted(FOLDER.rglob("*.jpg"))}


def shared_photo(name: str) -> Path | None:
    """The photo of that name which everybody's page has: an example, or one of the built-in gallery."""
    return _shared().get(name)


def is_shared(photo: Photo) -> bool:
    """Whether a photo is, pixel by pixel, the one of its name that everybody's page has."""
    path = shared_photo(photo.name)
    return path is not None and _digest(path) == photo.digest


@cache
def _digest(path: Path) -> str:
    return load_photo(path).digest


SHOW_THUMBNAILS = "for (const image of element.querySelectorAll('img[data-src]')) image.src = dimlPlaced(image.dataset.src);"
"""JavaScript of a component: its images' ``data-src`` become their sources, wherever the page lies."""


class ExampleStrip(gr.HTML):
    """A scrolling strip of pairs. ``pick`` fires when one is chosen: its id is the newest ``pair`` of :mod:`app.choices`.

    It marks the pair that the viewer shows, and in presenter mode goes on and back.
    """

    def __init__(self) -> None:
        viewer = files.url(files.served(modules.FOLDER, "*.js"))
        script = f"""{SHOW_THUMBNAILS}
element.addEventListener('click', (event) => {{
  const card = event.target.closest('button[data-pair]');
  if (!card) return;
  {choices.note("pair", "card.dataset.pair")}
  trigger('pick');
}});
import(`${{dimlPlaced({json.dumps(viewer)})}}/view/strip.js`).then(({{ mountStrip }}) => mountStrip(element, '#viewer'));
"""
        back, on = _turn(-1, "previous", "‹"), _turn(1, "next", "›")
        super().__init__(
            "".join(_card(pair) for pair in example_pairs()),
            html_template=html_with_texts(
                f'<div class="strip-row">{back}<div class="strip" role="group" aria-label="%%compare.examples%%">${{value}}</div>{on}</div>'
            ),
            js_on_load=script,
            apply_default_css=False,
            elem_id="examples",
        )


def _turn(step: int, key: str, sign: str) -> str:
    label = html.escape(text(f"present.{key}"))
    return f'<button type="button" class="turn" data-turn="{step}" aria-label="{label}" title="{label}">{sign}</button>'


def _card(pair: ExamplePair) -> str:
    images = "".join(
        f'<img data-src="{thumbnail_url(path, THUMBNAIL_SIDE)}" alt="">'
        for path in (pair.a, pair.b)
    )
    photos = " ".join(sorted((pair.a.name, pair.b.name)))
    kind = html.escape(text(f"examples.kind.{pair.kind}"))
    words = f"<span><b>{html.escape(pair.title)}</b><small>{kind}</small></span>"
    return (
        f'<button type="button" data-pair="{html.escape(pair.id)}" data-photos="{html.escape(photos)}" '
        f'title="{html.escape(pair.look_for)}">'
        f'<span class="thumbs">{images}</span>{words}</button>'
    )
