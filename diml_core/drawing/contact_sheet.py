"""Many pairs on one sheet: a tile per pair, with its photos, its strongest links and its score."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import cast

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from diml_core.drawing.flow import NEGLIGIBLE, draw_flow
from diml_core.drawing.layout import Placement, place_pair
from diml_core.drawing.names import printable, shortened
from diml_core.drawing.sentences import how_compared, score_as_sum
from diml_core.drawing.sheet import FAINT, Sheet
from diml_core.embedding.grids import Box
from diml_core.explanation import Explanation
from diml_core.photo.images import Photo

MOST_TILES = 36
"""More would be a picture that nobody scrolls through, and that many programs refuse to open."""

_COLUMNS = 3
_TILE = 4.4  # inches wide
_PHOTOS = 1.7  # at most
_TITLES = 0.5  # names and score, above the photos
_BETWEEN = 0.4
_MARGIN = 0.4
_HEAD = 0.95
_LINES = 8  # per pair: more hide the photos at this size
_THICKEST = 2.2  # points
_DPI = 120


def contact_sheet(explanations: Sequence[Explanation], of: int) -> Figure:
    """Draw pairs as tiles, in the order given, up to three in a row.

    Args:
        explanations: 1 to :data:`MOST_TILES` pairs of one model and the same options, the most similar
            first, each with its photos.
        of: how many pairs were compared.

    Returns:
        Figure without a window.
    """
    columns = min(_COLUMNS, len(explanations))
    placed = [_placed(explanation) for explanation in explanations]
    heights = [
        _TITLES + max(p.height for p in placed[first : first + columns])
        for first in range(0, len(placed), columns)
    ]
    width = 2 * _MARGIN + columns * _TILE + (columns - 1) * _BETWEEN
    height = _HEAD + sum(heights) + len(heights) * _BETWEEN
    sheet = Sheet(width, height, _DPI)
    _draw_head(sheet, explanations[0], len(explanations), of)
    for index, (explanation, placement) in enumerate(zip(explanations, placed, strict=True)):
        row, column = divmod(index, columns)
        left = _MARGIN + column * (_TILE + _BETWEEN)
        top = _HEAD + sum(heights[:row]) + row * _BETWEEN
        _draw_tile(sheet, index + 1, explanation, placement, (left, top))
    return sheet.figure


def save_contact_sheet(explanations: Sequence[Explanation], of: int, path: Path) -> None:
    """Write :func:`contact_sheet` as a PNG.

    Raises:
        OSError: the file cannot be written.
    """
    # Into memory first: an interruption must not leave half a file.
    content = io.BytesIO()
    FigureCanvasAgg(contact_sheet(explanations, of)).print_png(content)
    path.write_bytes(content.getvalue())


def _placed(explanation: Explanation) -> Placement:
    aspect_a, aspect_b = (w / h for w, h in (explanation.size_a, explanation.size_b))
    return place_pair(aspect_a, aspect_b, _TILE, _PHOTOS, gap=0.45, stacked_gap=0.25)


def _draw_head(sheet: Sheet, first: Explanation, count: int, of: int) -> None:
    inner = sheet.width - 2 * _MARGIN
    pairs = f"pair{'' if of == 1 else 's'}"
    title = f"{of} {pairs}, the most similar first" if count > 1 else f"{of} {pairs}"
    if count < of:
        title = f"The {count} most similar of {of} {pairs}"
    title += f" ({printable(first.model, 'unknown model')})"
    sheet.text(_MARGIN, 0.4, shortened(title, inner, 14, "bold"), 14, weight="bold")
    options = first.options
    lines = f"Lines: the {_LINES} part pairs that add most, thicker and lighter for more"
    sheet.text(_MARGIN, 0.62, shortened(lines, inner, 8), 8, color=FAINT)
    how = f"grid {options.grid}, mass {options.mass:g}, {how_compared(options)}"
    sheet.text(_MARGIN, 0.78, shortened(printable(how), inner, 8), 8, color=FAINT)


def _draw_tile(
    sheet: Sheet,
    number: int,
    explanation: Explanation,
    placement: Placement,
    corner: tuple[float, float],
) -> None:
    left, top = corner
    share = (_TILE - 0.65) / 2  # less the number and the arrow
    names = [
        shortened(printable(name, otherwise), share, 9.5, "bold")
        for name, otherwise in ((explanation.name_a, "photo A"), (explanation.name_b, "photo B"))
    ]
    sheet.text(left, top + 0.14, f"{number}. {names[0]} ↔ {names[1]}", 9.5, weight="bold")
    unsettled = "" if explanation.converged else " (not converged)"
    sheet.text(left, top + 0.34, score_as_sum(explanation) + unsettled, 9)
    photos_top = top + _TITLES
    area: Box = (left, photos_top, left + _TILE, photos_top + placement.height)
    image_a, image_b = (
        cast(Photo, photo).image.convert("RGB")
        for photo in (explanation.photo_a, explanation.photo_b)
    )
    links = [pair for pair in explanation.strongest(_LINES) if pair.contribution > NEGLIGIBLE]
    boxes = (placement.a, placement.b)
    draw_flow(sheet, explanation, (image_a, image_b), area, boxes, links, _THICKEST)
