"""The viewer's question to the network: what becomes of the score if this region is covered?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from app.payload import photo_url
from app.service import Explorer
from diml_core.counterfactual import counterfactual, covered_photo
from diml_core.errors import InputError
from diml_core.explanation import Explanation

_PREVIEW_SIDE = 240  # px


def answer_cover(explorer: Explorer) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """The function that the viewer calls.

    It takes ``{model, digests: [a, b], options, side, parts, cover}`` and answers with the scores
    before and after, what the parts had promised, what an average region of this size would promise,
    the falls for other regions, and the covered photo; or with ``{"error": sentence}``.
    """

    def cover(question: dict[str, Any]) -> dict[str, Any]:
        try:
            return _answer(explorer, question)
        except InputError as error:
            return {"error": str(error)}
        except (KeyError, TypeError, ValueError):
            return {"error": "That is not a question about parts of this pair: reload the page."}

    return cover


def _answer(explorer: Explorer, question: dict[str, Any]) -> dict[str, Any]:
    side, parts, how = question["side"], question["parts"], question["cover"]
    model = explorer.model(question["model"])
    options = model.options(**question["options"])
    a, b = (explorer.remembered(question["model"], digest) for digest in question["digests"])
    with explorer.network():
        result = counterfactual(model, a, b, options, side, parts, how)
    before = result.before
    grid, photo = (before.grid_a, a.photo) if side == "a" else (before.grid_b, b.photo)
    area = len(result.parts) / (grid[0] * grid[1])
    return {
        "before": _scores(before),
        "after": _scores(result.after),
        "promised": result.promised,
        "expected": area * before.structural_similarity / 2,
        "controls": list(result.controls),
        "photo": photo_url(covered_photo(photo, grid, result.parts, how), _PREVIEW_SIDE),
    }


def _scores(explanation: Explanation) -> dict[str, float]:
    return {
        "similarity": explanation.similarity,
        "global": explanation.global_similarity,
        "structural": explanation.structural_similarity,
    }
