"""Deletion and insertion: cover a photo part by part in the order of a ranking, and watch the score.

Petsiuk, Das & Saenko 2018, "RISE: randomized input sampling for explanation of black-box models", section 4.3, and
Samek et al. 2017, "Evaluating the visualization of what a deep neural network has learned", on pairs as in Plummer et
al. 2020, "Why do these match? Explaining the behavior of image similarity models" (SANE), section 3.2. *Deletion*
covers the heaviest parts first: the sooner the score falls, the smaller the area under the curve, the better.
*Insertion* begins with everything covered and shows the heaviest first: the larger the area, the better.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Sequence
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
from diml_core.evaluation.faithfulness.ranking import order_of
from diml_core.evaluation.faithfulness.rivals import RANKINGS
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
        order_a, order_b: the parts of A and of B, heaviest first; which of them are covered or shown follows from the
            share.
    """

    key: str
    kind: Kind
    side: str
    cover: str
    fractions: tuple[float, ...]
    overall: tuple[float, ...]
    global_: tuple[float, ...]
    order_a: tuple[int, ...]
    order_b: tuple[int, ...]

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
    fractions: tuple[float, ...]
    covered: tuple[tuple[frozenset[int], frozenset[int]], ...]
    orders: dict[str, np.ndarray]


def curves_steps(
    model: DimlModel,
    a: ImageFeatures,
    b: ImageFeatures,
    options: ExplainOptions,
    keys: Sequence[str],
    *,
    kinds: Sequence[Kind] = KINDS,
    side: str = "a",
    cover: str = "blur",
    points: int = 8,
    batch: int = 8,
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
        side: ``a``, ``b`` or ``both``.
        cover: ``grey``, ``blur`` or ``mean``.
        points: of each curve, both ends included, at least 2; fewer where the grid has not so many parts.
        batch: photos per pass of the network.

    Yields:
        A :class:`Progress` before every batch, and before every ranking that runs the network.

    Returns:
        The curves, by ranking and then by kind, in the order asked for.

    Raises:
        InputError: an unknown ranking, kind, side or cover, too few points, or a ranking that the model cannot have;
            the first before the first pause.
    """
    _check(keys, kinds, side, cover, points, batch)
    counts = {"a": math.prod(grid_of(a, options)), "b": math.prod(grid_of(b, options))}
    sides = ("a", "b") if side == "both" else (side,)
    costs = {key: _passes(key, sum(counts.values())) for key in keys}
    most = len(sides) * (len(costs) * len(kinds) * max(points - 2, 0) + 1)
    done, total = 0, most + sum(costs.values())
    courses: list[_Course] = []
    for key, passes in costs.items():
        if passes:
            yield Progress(done, total, ())
        weights = RANKINGS[key].weights(model, a, b, options)
        done += passes
        orders = {"a": order_of(weights[0]), "b": order_of(weights[1])}
        courses += [_course(key, kind, orders, sides, points) for kind in kinds]
    nothing: frozenset[int] = frozenset()
    photos: dict[_View, EmbeddedPhoto] = {
        ("a", nothing): embedded_as_is(model, a, options),
        ("b", nothing): embedded_as_is(model, b, options),
    }
    known: dict[tuple[frozenset[int], frozenset[int]], Scores] = {}
    missing = _missing(courses, sides, photos)
    total = done + len(missing)
    while True:
        for course in courses:
            for pair in course.covered:
                if pair not in known and ("a", pair[0]) in photos and ("b", pair[1]) in photos:
                    known[pair] = scores(model, photos["a", pair[0]], photos["b", pair[1]], options)
        if not missing:
            return _known(courses, known, side, cover)
        yield Progress(done, total, tuple(_known(courses, known, side, cover)))
        now = [view for view in missing if view[0] == missing[0][0]][:batch]
        features = a if now[0][0] == "a" else b
        found = embedded_covered(model, features, [parts for _, parts in now], options, cover)
        photos.update(zip(now, found, strict=True))
        missing = [view for view in missing if view not in photos]
        done += len(now)


def _check(
    keys: Sequence[str], kinds: Sequence[str], side: str, cover: str, points: int, batch: int
) -> None:
    for what, given, allowed in (
        ("ranking", keys, RANKINGS),
        ("curve", kinds, KINDS),
        ("side", [side], SIDES),
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


def _course(
    key: str, kind: Kind, orders: dict[str, np.ndarray], sides: Sequence[str], points: int
) -> _Course:
    counts = [
        {side: round(float(share) * len(orders[side])) for side in sides}
        for share in np.linspace(0, 1, points)
    ]
    counts = [now for k, now in enumerate(counts) if k == 0 or now != counts[k - 1]]
    parts = sum(len(orders[side]) for side in sides)
    covered = []
    for now in counts:
        sets: dict[str, frozenset[int]] = {"a": frozenset(), "b": frozenset()}
        for side in sides:
            first, rest = orders[side][: now[side]], orders[side][now[side] :]
            chosen = first if kind == "deletion" else rest
            sets[side] = frozenset(int(part) for part in chosen)
        covered.append((sets["a"], sets["b"]))
    fractions = tuple(sum(now.values()) / parts for now in counts)
    return _Course(key, kind, fractions, tuple(covered), orders)


def _missing(
    courses: Sequence[_Course], sides: Sequence[str], photos: dict[_View, EmbeddedPhoto]
) -> list[_View]:
    """Views to run the network on, ends of the curves first, so that a curve grows from something."""
    points = max((len(course.covered) for course in courses), default=0)
    wanted: dict[_View, None] = {}
    for point in (points - 1, *range(points - 1)):
        for side in sides:
            for course in courses:
                if point < len(course.covered):
                    wanted[side, course.covered[point]["ab".index(side)]] = None
    return [view for view in wanted if view not in photos]


def _known(
    courses: Sequence[_Course],
    known: dict[tuple[frozenset[int], frozenset[int]], Scores],
    side: str,
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
                side,
                cover,
                tuple(course.fractions[k] for k in there),
                tuple(s.overall for s in found),
                tuple(s.global_ for s in found),
                *(tuple(course.orders[letter].tolist()) for letter in "ab"),
            )
        )
    return curves


def _area(x: Sequence[float], y: Sequence[float]) -> float:
    return float(np.dot(np.diff(x), (np.asarray(y)[1:] + np.asarray(y)[:-1]) / 2))
