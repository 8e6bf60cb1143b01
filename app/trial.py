"""The viewer's questions about other methods: whose order of parts moves the score more, and what one of them says."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from typing import Any

import numpy as np

from app.asking import NO_QUESTION, asked_pair
from app.hardware import ZERO_GPU
from app.service import Explorer
from diml_core.counterfactual import COVERS
from diml_core.errors import InputError
from diml_core.evaluation.faithfulness import (
    RANKINGS,
    Curve,
    Ranking,
    curves_steps,
    order_of,
    rankings_for,
)
from diml_core.network.model import DimlModel
from diml_core.viewer.texts import text

OURS = "diml"
MOST_PASSES = 40
"""Photos that the network looks at for one question."""

_RIVALS = 2  # beside ours
_RIVAL_PASSES = 2  # of a rival that can be chosen: more would leave too few for its curves
_MOST_POINTS = 8  # of a curve
# Few enough that others need not wait long for the network; on ZeroGPU all, for each batch borrows a GPU anew.
_BATCH = MOST_PASSES if ZERO_GPU else 4


def rivals_of(model: DimlModel) -> list[dict[str, str]]:
    """What a visitor can choose from for a model: its ``key``, ``name`` and ``title``, a sentence."""
    return [
        {"key": key, "name": ranking.name, "title": ranking.title}
        for key, ranking in _rivals(model).items()
    ]


def curve_steps(
    explorer: Explorer, question: Any, session: str | None
) -> Generator[dict[str, Any], None, dict[str, Any]]:
    """Answers ``{rivals, side, cover}`` and what :func:`app.asking.asked_pair` takes.

    Yields:
        ``{done, total, curves}``: photos looked at, of how many at most, and the curves as far as they are known.

    Returns:
        ``{curves}``: deletion and insertion of DIML and of two rivals.
    """
    try:
        keys, side, cover = question["rivals"], question["side"], question["cover"]
        if not (isinstance(keys, list) and all(isinstance(x, str) for x in (*keys, side, cover))):
            raise TypeError
    except (KeyError, TypeError):
        raise InputError(NO_QUESTION) from None
    if side not in ("a", "b"):  # both would take twice the passes
        raise InputError(f"There is no photo '{side[:20]}': cover parts of 'a' or of 'b'.")
    if cover not in COVERS:
        raise InputError(f"There is no such cover: choose one of {', '.join(COVERS)}.")
    model, a, b, options = asked_pair(explorer, question, session)
    if len(set(keys)) != len(keys) or len(keys) != _RIVALS:
        raise InputError(f"Choose {_RIVALS} other methods, and not one twice.")
    rankings = {OURS: RANKINGS[OURS]} | {key: _rival(model, key) for key in keys}
    # One photo wholly covered, and for every curve those between its ends.
    passes = 1 + sum(ranking.passes or 0 for ranking in rankings.values())
    curves = 2 * len(rankings)
    points = min(_MOST_POINTS, 2 + (MOST_PASSES - passes) // curves)
    done, weights = 0, {}
    for key, ranking in rankings.items():
        if ranking.passes:
            yield {"done": done, "total": passes + curves * (points - 2), "curves": []}
        weights[key] = ranking.weights(model, a, b, options)
        done += ranking.passes or 0
    orders = {key: order_of(each["ab".index(side)]).tolist() for key, each in weights.items()}
    steps = curves_steps(
        model,
        a,
        b,
        options,
        list(rankings),
        side=side,
        cover=cover,
        points=points,
        batch=_BATCH,
        weights=weights,
    )

    def plain(found: Iterable[Curve]) -> list[dict[str, Any]]:
        return [_plain(curve, orders[curve.key]) for curve in found]

    while True:
        try:
            progress = next(steps)
        except StopIteration as end:
            return {"curves": plain(end.value)}
        yield {
            "done": done + progress.done,
            "total": done + progress.total,
            "curves": plain(progress.curves),
        }


def rival_steps(
    explorer: Explorer, question: Any, session: str | None
) -> Generator[str, None, dict[str, Any]]:
    """Answers ``{rival}`` and what :func:`app.asking.asked_pair` takes.

    Returns:
        ``{a, b}``: how much every part counts to that rival, from 0, the least of its photo, to 1, the most.
    """
    try:
        key = question["rival"]
        if not isinstance(key, str):
            raise TypeError
    except (KeyError, TypeError):
        raise InputError(NO_QUESTION) from None
    model, a, b, options = asked_pair(explorer, question, session)
    ranking = _rival(model, key)
    yield text("network.asking", method=ranking.name)
    weights = ranking.weights(model, a, b, options)
    # Weights of different methods have no common unit, and those of one need have none across photos.
    scaled = [(w - w.min()) / (float(np.ptp(w)) or 1.0) for w in weights]
    return {side: each.tolist() for side, each in zip("ab", scaled, strict=True)}


def _rivals(model: DimlModel) -> dict[str, Ranking]:
    found = {key: RANKINGS[key] for key in rankings_for(model) if key != OURS}
    return {
        key: ranking
        for key, ranking in found.items()
        if ranking.passes is not None and ranking.passes <= _RIVAL_PASSES
    }


def _rival(model: DimlModel, key: str) -> Ranking:
    rivals = _rivals(model)
    if key not in rivals:
        raise InputError(f"There is no such method here: choose one of {', '.join(rivals)}.")
    return rivals[key]


def _plain(curve: Curve, order: list[int]) -> dict[str, Any]:
    """What the viewer draws: ``order`` are the parts of its side, what counts most first."""
    return {
        "key": curve.key,
        "kind": curve.kind,
        "fractions": list(curve.fractions),
        "scores": list(curve.overall),
        "area": curve.area,
        "order": order,
    }
