"""Names given by strangers as text that is safe to draw: one line, bounded, of known glyphs."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from matplotlib.font_manager import FontProperties, findfont, fontManager, get_font
from matplotlib.textpath import text_to_path

_MAX_LENGTH = 200  # characters worth measuring; nothing longer fits on a page
_BOX = "□"  # stands for a character that no font here can draw

# DejaVu Sans comes with matplotlib. The others widen it to more scripts where they are installed.
_PREFERRED = (
    "DejaVu Sans",
    "Noto Sans CJK JP",
    "Noto Sans CJK SC",
    "WenQuanYi Zen Hei",
    "Hiragino Sans",
    "Microsoft YaHei",
    "Malgun Gothic",
    "Noto Sans Arabic",
    "Noto Sans Devanagari",
    "Arial Unicode MS",
)


@lru_cache(maxsize=1)
def font_families() -> tuple[str, ...]:
    """The installed fonts to draw with, most wanted first.

    Only installed ones, for matplotlib logs a complaint about every other at every text.
    """
    installed = {font.name for font in fontManager.ttflist}
    return tuple(name for name in _PREFERRED if name in installed)


def printable(text: object, otherwise: str = "") -> str:
    """``text`` as one line in which every character can be drawn.

    Line breaks and other white space become single spaces; control, format and surrogate characters
    are left out, and so are marks without a glyph; other characters without a glyph become a box,
    so that matplotlib never warns about them (silencing warnings is not thread-safe).

    Args:
        text: anything; its ``str`` is used.
        otherwise: what to return when nothing is left.
    """
    text = str(text)
    if len(text) > _MAX_LENGTH:  # before the loop below, for it may have been given megabytes
        text = text[: _MAX_LENGTH // 2] + "…" + text[-_MAX_LENGTH // 2 :]
    drawable = _drawable()
    kept = []
    for character in " ".join(text.split()):
        if not character.isprintable():
            continue
        if ord(character) in drawable:
            kept.append(character)
        elif not unicodedata.category(character).startswith("M"):
            kept.append(_BOX)
    return "".join(kept).strip() or otherwise


def shortened(text: str, width: float, size: float, weight: str = "normal") -> str:
    """``text``, its middle replaced by an ellipsis where it is wider than ``width`` inches.

    Args:
        text: from :func:`printable`.
        width: inches.
        size: of the font, points.
        weight: of the font.
    """
    if _width(text, size, weight) <= width:
        return text

    def keep(count: int) -> str:
        tail = count // 3  # has the file extension
        return f"{text[: count - tail].rstrip()}…{text[len(text) - tail :].lstrip()}"

    low, high = 1, len(text) - 1
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (
            (middle, high) if _width(keep(middle), size, weight) <= width else (low, middle - 1)
        )
    return keep(low)


def _width(text: str, size: float, weight: str) -> float:
    font = FontProperties(family=list(font_families()), size=size, weight=weight)
    return text_to_path.get_text_width_height_descent(text, font, ismath=False)[0] / 72


@lru_cache(maxsize=1)
def _drawable() -> frozenset[int]:
    paths = (findfont(FontProperties(family=name)) for name in font_families())
    return frozenset().union(*(get_font(path).get_charmap() for path in paths))
