"""One page that explains a pair: the score, the flow between the photos, and a map per quantity."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure

from diml_core.drawing.flow import NEGLIGIBLE, draw_flow, draw_scale
from diml_core.drawing.heatmaps import HEAD_AND_FOOT, draw_heatmaps, greyed, quantities
from diml_core.drawing.layout import place_pair
from diml_core.drawing.names import printable, shortened
from diml_core.drawing.sentences import score_as_sum, settings, what_lines_carry
from diml_core.drawing.sheet import FAINT, Sheet
from diml_core.errors import InputError
from diml_core.explanation import Explanation
from diml_core.photo.images import Photo

WIDTH = 11.0  # inches; with the heights below a page is at most 8.04 high: A4 or Letter
_MARGIN = 0.4
_TITLE = 1.1  # title lines
_LABELS = 0.28  # names above the photos
_PHOTOS = 3.3  # at most
_SCALE = 0.7  # legend of the lines
_MAPS = 1.2  # at most
_FOOT = 0.3
_MOST_LINES = 1000  # more would be a blot, and slow


def explanation_figure(
    explanation: Explanation,
    *,
    flow_lines: int = 24,
    photos: Sequence[Photo] | None = None,
    dpi: float = 200,
) -> Figure:
    """Draw an explanation as a page 11 inches wide and at most 8.04 high (A4, Letter).

    Safe to call from many threads: no pyplot, and rcParams are neither followed nor changed.

    Args:
        explanation: what to draw.
        flow_lines: how many part pairs get a line, strongest first, 0 to 1000; pairs that add
            nothing get none.
        photos: A and B, for an explanation without its own (loaded from JSON).
        dpi: pixels per inch; photos are scaled down to it.

    Returns:
        Figure without a window.

    Raises:
        InputError: photos are missing or of another shape, or flow_lines is out of range.
    """
    flow_lines = _whole(flow_lines)
    photo_a, photo_b = _photos(explanation, photos)
    images = (photo_a.image.convert("RGB"), photo_b.image.convert("RGB"))
    pairs = [pair for pair in explanation.strongest(flow_lines) if pair.contribution > NEGLIGIBLE]
    shown = quantities(explanation)

    aspect_a, aspect_b = (w / h for w, h in (explanation.size_a, explanation.size_b))
    inner = WIDTH - 2 * _MARGIN
    places = place_pair(
        aspect_a, aspect_b, inner, _PHOTOS, gap=1.1, stacked_gap=0.7, least_slot=1.8
    )
    apart = 0.3
    panel_width = (inner - apart * (len(shown) - 1)) / len(shown)
    maps = place_pair(aspect_a, aspect_b, panel_width, _MAPS, gap=0.08, stacked_gap=0.18)

    photos_top = _TITLE + _LABELS
    panels_top = photos_top + places.height + (_LABELS if places.stacked else 0) + _SCALE
    panels_bottom = panels_top + maps.height + HEAD_AND_FOOT
    sheet = Sheet(WIDTH, panels_bottom + _FOOT, dpi)
    _draw_title(sheet, explanation, what_lines_carry(explanation, pairs, flow_lines))

    area = (_MARGIN, photos_top, WIDTH - _MARGIN, photos_top + places.height)
    draw_flow(sheet, explanation, images, area, (places.a, places.b), pairs)
    names = (explanation.name_a, explanation.name_b)
    for letter, name, box in zip("AB", names, (places.a, places.b), strict=True):
        label = shortened(f"{letter}: {printable(name, '(no name)')}", places.slot, 9)
        # Above the photo; below the lower of two, where no line crosses it.
        below = places.stacked and letter == "B"
        baseline = photos_top + (box[3] + 0.19 if below else box[1] - 0.07)
        sheet.text(_MARGIN + (box[0] + box[2]) / 2, baseline, label, 9, ha="center")
    if pairs:
        middle, bar_top = WIDTH / 2, panels_top - 0.42
        draw_scale(sheet, (middle - 1.4, bar_top, middle + 1.4, bar_top + 0.1), pairs)

    greys = (greyed(images[0]), greyed(images[1]))
    for index, quantity in enumerate(shown):
        left = _MARGIN + index * (panel_width + apart)
        panel = (left, panels_top, left + panel_width, panels_bottom)
        draw_heatmaps(sheet, quantity, greys, panel, (maps.a, maps.b))
    sheet.text(_MARGIN, sheet.height - 0.13, printable(settings(explanation)), 6.5, color=FAINT)
    return sheet.figure


def _draw_title(sheet: Sheet, explanation: Explanation, carried: str) -> None:
    inner = WIDTH - 2 * _MARGIN
    size = 11.0
    names = [
        shortened(printable(name, otherwise), inner * 0.34, size)
        for name, otherwise in ((explanation.name_a, "photo A"), (explanation.name_b, "photo B"))
    ]
    model = shortened(printable(explanation.model, "unknown model"), inner * 0.22, size)
    sheet.text(_MARGIN, 0.36, f"{names[0]} ↔ {names[1]} ({model})", size)
    sheet.text(_MARGIN, 0.67, score_as_sum(explanation), 14, weight="bold")
    sheet.text(_MARGIN, 0.91, carried, 9.5)


def _photos(explanation: Explanation, given: Sequence[Photo] | None) -> tuple[Photo, Photo]:
    all_given = (explanation.photo_a, explanation.photo_b) if given is None else tuple(given)
    photos = [photo for photo in all_given if isinstance(photo, Photo)]
    if len(all_given) != 2 or len(photos) != 2:
        raise InputError(
            "This explanation has no photos to draw on (JSON files leave them out): load it from "
            "an NPZ file, or pass photos=(A, B), both from load_photo."
        )
    sizes = (explanation.size_a, explanation.size_b)
    for letter, photo, (width, height) in zip("AB", photos, sizes, strict=True):
        # A smaller copy is welcome (each side rounded to a pixel), another photo would be an error.
        across, down = photo.size[0] * height, photo.size[1] * width
        if abs(across - down) > max(width + height, 0.02 * across):
            raise InputError(
                f"Photo {letter} has {photo.size[0]} × {photo.size[1]} pixels, but the one that "
                f"was compared has {width} × {height}: pass the photo that was compared."
            )
    return photos[0], photos[1]


def _whole(flow_lines: object) -> int:
    try:
        number = int(flow_lines)  # type: ignore[call-overload]
        fits = number == flow_lines and 0 <= number <= _MOST_LINES
    except (TypeError, ValueError, OverflowError):
        fits = False
    if not fits:
        raise InputError(
            f"The number of flow lines must be a whole number from 0 to {_MOST_LINES}, not "
            f"{printable(flow_lines)}."
        )
    return number
