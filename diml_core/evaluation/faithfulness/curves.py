"""Deletion and insertion: cover a photo part by part in the order of a ranking, and watch the score.

Petsiuk, Das & Saenko 2018, "RISE: randomized input sampling for explanation of black-box models", section 4.3, and
Samek et al. 2017, "Evaluating the visualization of what a deep neural network has learned", on pairs as in Plummer et
al. 2020, "Why do these match? Explaining the behavior of image similarity models" (SANE), section 3.2. *Deletion*
covers the heaviest parts first: the sooner the score falls, the smaller the area under the curve, the better.
*Insertion* begins with everything covered and shows the heaviest first: the larger the area, the better.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from diml_core.comparison.options import ExplainOptions
from diml_core.counterfactual import COVERS
from diml_core.embedding.features import EmbeddedPhoto, ImageFeatures
from diml_core.errors import InputError
from diml_core.evaluation.faithfulness.cells import grid_of
from diml_core.evaluation.faithfulness.covered import (
    Scores,
    embedded_as_is,
    embedded_covered,
    scores,
)
from diml_core.evaluation.faithfulness.ranking import Weights, order_of
from diml_core.evaluation.faithfulness.rivals import RANKINGS, named_ranking
from diml_core.network.model import DimlModel

Kind = Literal["deletion", "insertion"]
KINDS: tuple[Kind, ...] = ("deletion", "insertion")
SIDES = ("a", "b", "both")

_View = tuple[str, frozenset[int]]  # a side, and which of its parts are covered


@dataclass(frozen=True)
class Curve:
    """The score of a pair while parts are covered or shown in the order of a ranking.

    Attributes:
        key: of the ranking, in :data:`diml_core.evaluation.faithfulness.rivals.RANKINGS`.
        kind: ``deletion`` or ``insertion``.
        side: ``a``, ``b`` or ``both``: whose parts. With both, the same share of each.
        cover: name in :data:`diml_core.counterfactual.COVERS`.
        fractions: share of the parts that is covered (deletion) or shown (insertion), ascending from 0 to 1.
        overall: overall similarity there.
        global_: global similarity there.
    """

    key: str
    kind: Kind
    side: str
    cover: str
    fractions: tuple[float, ...]
    overall: tuple[float, ...]
    global_: tuple[float, ...]

    @property
    def area(self) -> float:
        """Area under the overall similarity, by trapezoids; the mean score on the way."""
        return _area(self.fractions, self.overall)

    @property
    def global_area(self) -> float:
        """Area under the global similarity."""
        return _area(self.fractions, self.global_)


class Progress(NamedTuple):
    """Where a computation of curves stands.

    Attributes:
        done: passes of the network that were made, one for each photo.
        total: passes that there will be, at most.
        curves: what is known so far: every curve at the points whose score is there, in the order of the result.
    """

    done: int
    total: int
    curves: tuple[Curve, ...]


class _Course(NamedTuple):
    """What one curve looks at: at every point, the covered parts of A and of B."""

    key: str
    kind: Kind
    side: str
    fractions: tuple[float, ...]
    covered: tuple[tuple[frozenset[int], frozenset[int]], ...]


def curves_steps(
    model: DimlModel,
    a: ImageFeatures,
    b: ImageFeatures,
    options: ExplainOptions,
    keys: Sequence[str],
    *,
    kinds: Sequence[Kind] = KINDS,
    side: str | Sequence[str] = "a",
    cover: str = "blur",
    points: int = 8,
    batch: int = 8,
    weights: Mapping[str, Weights] | None = None,
) -> Generator[Progress, None, list[Curve]]:
    """Deletion and insertion curves of a pair under some rankings, for who wants to draw or stop half-way.

    A covered photo that several curves need, the wholly covered one above all, passes through the network once. With
    ``points`` p, both kinds and one side, k rankings take at most ``2 k (p - 2) + 1`` passes beside their own.

    Args:
        model: the model that extracted the features.
        a, b: features of the two photos as they are.
        options: validated, from ``model.options``.
        keys: rankings, in :data:`diml_core.evaluation.faithfulness.rivals.RANKINGS`.
        kinds: which curves of each.
        side: ``a``, ``b``, ``both``, or several of them, which share their photos.
        cover: ``grey``, ``blur`` or ``mean``.
        points: of each curve, both ends included, at least 2; fewer where the grid has not so many parts.
        batch: photos per pass of the network.
        weights: of rankings that have been asked already.

    Yields:
        A :class:`Progress` before every batch, and before every ranking that runs the network.

    Returns:
        The curves, by side, ranking and kind, in the order asked for.

    Raises:
        InputError: an unknown ranking, kind, side or cover, too few points, or a ranking that the model cannot have,
            before the first pause; or one that fails.
    """
    sides = (side,) if isinstance(side, str) else tuple(side)
    _check(model, keys, kinds, sides, cover, points, batch)
    given = dict(weights or {})
    parts = math.prod(grid_of(a, options)) + math.prod(grid_of(b, options))
    costs = {key: 0 if key in given else _passes(key, parts) for key in keys}
    photos_covered = len({s for side in sides for s in _sides(side)})
    most = photos_covered * (len(costs) * len(kinds) * max(points - 2, 0) + 1)
    done, total = 0, most + sum(costs.values())
    for key, passes in costs.items():
        if passes:
            yield Progress(done, total, ())
        if key not in given:
            given[key] = RANKINGS[key].weights(model, a, b, options)
        done += passes
    courses = [
        _course(key, kind, side, given[key], points)
        for side in sides
        for key in costs
        for kind in kinds
    ]
    nothing: frozenset[int] = frozenset()
    photos: dict[_View, EmbeddedPhoto] = {
        ("a", nothing): embedded_as_is(model, a, options),
        ("b", nothing): embedded_as_is(model, b, options),
    }
    known: dict[tuple[frozenset[int], frozenset[int]], Scores] = {}
    missing = _missing(courses, photos)
    total = done + len(missing)
    while True:
        for course in courses:
            for pair in course.covered:
                if pair not in known and ("a", pair[0]) in photos and ("b", pair[1]) in photos:
                    known[pair] = scores(model, photos["a", pair[0]], photos["b", pair[1]], options)
        if not missing:
            return _known(courses, known, cover)
        yield Progress(done, total, tuple(_known(courses, known, cover)))
        # Of one photo, for only these have one shape.
        now = [view for view in missing if view[0] == missing[0][0]][:batch]
        features = a if now[0][0] == "a" else b
        found = embedded_covered(model, features, [parts for _, parts in now], options, cover)
        photos.update(zip(now, found, strict=True))
        missing = [view for view in missing if view not in photos]
        done += len(now)


def _check(
    model: DimlModel,
    keys: Sequence[str],
    kinds: Sequence[str],
    sides: Sequence[str],
    cover: str,
    points: int,
    batch: int,
) -> None:
    for key in keys:
        named_ranking(key).check(model)
    for what, given, allowed in (
        ("curve", kinds, KINDS),
        ("side", sides, SIDES),
        ("cover", [cover], COVERS),
    ):
        for name in given:
            if name not in allowed:
                raise InputError(
                    f"There is no {what} named '{name}': choose one of {', '.join(allowed)}."
                )
    if points < 2 or batch < 1:
        raise InputError("A curve has at least 2 points, and a batch at least 1 photo.")


def _passes(key: str, parts: int) -> int:
    passes = RANKINGS[key].passes
    return parts if passes is None else passes


def _sides(side: str) -> tuple[str, ...]:
    return ("a", "b") if side == "both" else (side,)


def _course(key: str, kind: Kind, side: str, weights: Weights, points: int) -> _Course:
    orders = {s: order_of(weights["ab".index(s)]) for s in _sides(side)}
    counts = [
        {s: round(float(share) * len(order)) for s, order in orders.items()}
        for share in np.linspace(0, 1, points)
    ]
    counts = [now for k, now in enumerate(counts) if k == 0 or now != counts[k - 1]]
    parts = sum(len(order) for order in orders.values())
    covered = []
    for now in counts:
        sets: dict[str, frozenset[int]] = {"a": frozenset(), "b": frozenset()}
        for s, order in orders.items():
            chosen = order[: now[s]] if kind == "deletion" else order[now[s] :]
            sets[s] = frozenset(int(part) for part in chosen)
        covered.append((sets["a"], sets["b"]))
    fractions = tuple(sum(now.values()) / parts for now in counts)
    return _Course(key, kind, side, fractions, tuple(covered))


def _missing(courses: Sequence[_Course], photos: dict[_View, EmbeddedPhoto]) -> list[_View]:
    """Views to run the network on, ends of the curves first, so that a curve grows from something."""
    points = max((len(course.covered) for course in courses), default=0)
    wanted: dict[_View, None] = {}
    for point in (points - 1, *range(points - 1)):
        for course in courses:
            if point < len(course.covered):
                wanted |= {
                    (s, course.covered[point]["ab".index(s)]): None for s in _sides(course.side)
                }
    return [view for view in wanted if view not in photos]


def _known(
    courses: Sequence[_Course],
    known: dict[tuple[frozenset[int], frozenset[int]], Scores],
    cover: str,
) -> list[Curve]:
    curves = []
    for course in courses:
        there = [k for k, pair in enumerate(course.covered) if pair in known]
        found = [known[course.covered[k]] for k in there]
        curves.append(
            Curve(
                course.key,
                course.kind,
                course.side,
                cover,
                tuple(course.fractions[k] for k in there),
                tuple(s.overall for s in found),
                tuple(s.global_similarity for s in found),
            )
        )
    return curves


def _area(x: Sequence[float], y: Sequence[float]) -> float:
    return float(np.dot(np.diff(x), (np.asarray(y)[1:] + np.asarray(y)[:-1]) / 2))
