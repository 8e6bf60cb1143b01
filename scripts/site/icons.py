"""The icon of the installed page, drawn: two photos, and the parts of them that match."""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageDraw

SIDES = (192, 512)
_GROUND, _CARD, _PART = "#2563eb", "#ffffff", "#b5367a"
_FINE = 4  # drawn so many times larger, for smooth edges
# In hundredths of the side, within the circle that a phone may cut out (0.4 of the side around the middle).
_CARDS = ((20, 34, 45, 66), (55, 34, 80, 66))
_MATCHES = (((28, 44), (63, 55)), ((37, 57), (72, 43)))
_RADIUS = 4


def write_icons(folder: Path) -> None:
    """Write ``192.png`` and ``512.png``."""
    folder.mkdir(parents=True)
    for side in SIDES:
        _icon(side).save(folder / f"{side}.png", optimize=True)


def _icon(side: int) -> Image.Image:
    unit = side * _FINE / 100
    image = Image.new("RGB", (side * _FINE, side * _FINE), _GROUND)
    draw = ImageDraw.Draw(image)
    for card in _CARDS:
        draw.rounded_rectangle([edge * unit for edge in card], 3 * unit, fill=_CARD)
    for ends in _MATCHES:
        draw.line([(x * unit, y * unit) for x, y in ends], fill=_PART, width=round(2.6 * unit))
        for x, y in ends:
            box = [
                (x - _RADIUS) * unit,
                (y - _RADIUS) * unit,
                (x + _RADIUS) * unit,
                (y + _RADIUS) * unit,
            ]
            draw.ellipse(box, fill=_PART)
    return image.resize((side, side), Image.Resampling.LANCZOS)
