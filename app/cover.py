"""The viewer's question to the network: what becomes of the score if this region is covered?"""

from __future__ import annotations

import base64
from collections.abc import Generator
from typing import Any

from app.asking import NO_QUESTION, asked_pair
from app.service import Explorer
from diml_core.counterfactual import Counterfactual, counterfactual_steps, covered_photo
from diml_core.embedding.features import ImageFeatures
from diml_core.errors import InputError
from diml_core.explanation import Explanation
from diml_core.viewer.pair import jpeg
from diml_core.viewer.texts import text

_PREVIEW_SIDE = 240  # px
_MOST_PARTS = (
    4096  # more than the finest grid has; a list of millions would be looked through first
)


def cover_steps(
    explorer: Explorer, question: Any, session: str | None
) -> Generator[str, None, dict[str, Any]]:
    """Answers ``{side, parts, cover}`` and what :func:`app.asking.asked_pair` takes.

    Returns:
        The scores before and after, what the parts had promised, what an average region of this size would promise,
        the falls for other regions, and the covered photo.
    """
    try:
        side, parts, how = question["side"], question["parts"], question["cover"]
        if not (
            all(isinstance(text, str) for text in (side, how))
            and isinstance(parts, list)
            and len(parts) <= _MOST_PARTS
            and all(type(part) is int for part in parts)
        ):
            raise TypeError
    except (KeyError, TypeError):
        raise InputError(NO_QUESTION) from None
    model, a, b, options = asked_pair(explorer, question, session)
    steps = counterfactual_steps(model, a, b, options, side, parts, how)
    while True:
        try:
            done, total = next(steps)
        except StopIteration as end:
            return _answer(end.value, a if side == "a" else b)
        yield text("network.step", done=done + 1, total=total)


def _answer(result: Counterfactual, covered: ImageFeatures) -> dict[str, Any]:
    before = result.before
    grid = before.grid_a if result.side == "a" else before.grid_b
    area = len(result.parts) / (grid[0] * grid[1])
    photo = jpeg(covered_photo(covered.photo, grid, result.parts, result.cover), _PREVIEW_SIDE)
    return {
        "before": _scores(before),
        "after": _scores(result.after),
        "promised": result.promised,
        "expected": area * before.structural_similarity / 2,
        "controls": list(result.controls),
        "photo": "data:image/jpeg;base64," + base64.b64encode(photo).decode(),
    }


def _scores(explanation: Explanation) -> dict[str, float]:
    return {
        "similarity": explanation.similarity,
        "global": explanation.global_similarity,
        "structural": explanation.structural_similarity,
    }
