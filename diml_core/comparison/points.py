"""The one unit of what is shown to people: points of the overall score (``docs/method.md``, *Points*).

Files, arrays and the API keep similarities of -1 to 1.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np

_Amount = TypeVar("_Amount", float, np.ndarray)


def points_of(contribution: _Amount) -> _Amount:
    """Points that a contribution, or each of several, adds to the score, of which the structural similarity is half."""
    return 50 * contribution


def written(points: float, decimals: int | None = None) -> str:
    """Points as text: with one decimal, and with two below one point.

    Args:
        points: 100 are a similarity of 1.
        decimals: of a column whose numbers should all have as many.
    """
    text = f"{abs(points):.{_decimals(points) if decimals is None else decimals}f}"
    return f"-{text}" if points < 0 and float(text) else text


def shown_sum(similarity: float, global_similarity: float) -> tuple[float, float, float]:
    """A score, its global part and its structural part, in points rounded to one decimal.

    A reader who checks the sum must not find it off by one: the structural part is what the other two leave
    over once they are rounded, and so up to 0.1 points off.

    Args:
        similarity, global_similarity: -1 to 1.
    """
    total, whole = round(100 * similarity, 1), round(50 * global_similarity, 1)
    return total, whole, round(total - whole, 1)


def share(points: float, similarity: float) -> str:
    """The share of the overall score, as ``9.6%``; of a score that is not above 0 there are no shares."""
    if similarity <= 0:
        return "–"
    percent = points / similarity
    return f"{percent:.{_decimals(percent)}f}%"


def _decimals(value: float) -> int:
    return 2 if abs(value) < 1 else 1
