"""Where two pictures of any shape go in a given area, each as large as it can be."""

from __future__ import annotations

from typing import NamedTuple

from diml_core.embedding.grids import Box

_Size = tuple[float, float]  # width, height
_SPLITS = [0.2 + 0.6 * i / 24 for i in range(25)]  # share of the area that goes to the first
# How much larger pictures must get to be stacked: beside each other they are easier to compare.
_STACKING = 1.25


class Placement(NamedTuple):
    """Where two pictures go.

    Attributes:
        a, b: left, top, right, bottom; inches from the top left of the area, centred in its width.
        height: in use, inches.
        slot: width that a label over either may have, inches.
        stacked: whether B lies below A, not beside it.
    """

    a: Box
    b: Box
    height: float
    slot: float
    stacked: bool


def place_pair(
    aspect_a: float,
    aspect_b: float,
    width: float,
    height: float,
    *,
    gap: float,
    stacked_gap: float,
    least_slot: float = 0.0,
) -> Placement:
    """Lay two pictures beside each other, or, where both are very wide, one above the other.

    Neither is distorted. The area is shared so that the product of the pictures' areas is largest:
    a panorama beside a square leaves the square room to be seen.

    Args:
        aspect_a, aspect_b: width / height.
        width, height: of the area, inches.
        gap, stacked_gap: inches between the pictures, beside or above each other.
        least_slot: inches that a picture occupies beside the other at least, for its label.
    """

    def best(slots: list[tuple[_Size, _Size]]) -> tuple[_Size, _Size]:
        tried = ((_inside(aspect_a, *a), _inside(aspect_b, *b)) for a, b in slots)
        return max(tried, key=lambda sizes: _product(*sizes))

    across = width - gap
    down = height - stacked_gap
    beside = best([((across * f, height), (across * (1 - f), height)) for f in _SPLITS])
    above = best([((width, down * f), (width, down * (1 - f))) for f in _SPLITS])

    if _product(*above) > _STACKING**4 * _product(*beside):  # four lengths
        (wide_a, high_a), (wide_b, high_b) = above
        top = high_a + stacked_gap
        return Placement(
            ((width - wide_a) / 2, 0.0, (width + wide_a) / 2, high_a),
            ((width - wide_b) / 2, top, (width + wide_b) / 2, top + high_b),
            top + high_b,
            width,
            stacked=True,
        )
    (wide_a, high_a), (wide_b, high_b) = beside
    slot_a, slot_b = max(wide_a, least_slot), max(wide_b, least_slot)
    used = max(high_a, high_b)
    left = (width - slot_a - gap - slot_b) / 2
    middle_a = left + slot_a / 2
    middle_b = left + slot_a + gap + slot_b / 2
    return Placement(
        _centred(middle_a, used / 2, wide_a, high_a),
        _centred(middle_b, used / 2, wide_b, high_b),
        used,
        min(slot_a, slot_b),
        stacked=False,
    )


def _inside(aspect: float, width: float, height: float) -> tuple[float, float]:
    return (width, width / aspect) if width / aspect <= height else (height * aspect, height)


def _product(a: tuple[float, float], b: tuple[float, float]) -> float:
    return a[0] * a[1] * b[0] * b[1]


def _centred(x: float, y: float, width: float, height: float) -> Box:
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2
