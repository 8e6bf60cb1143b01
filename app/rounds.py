"""Rounds of the quiz: photos are drawn until their question is a fair one (:mod:`app.fairness`).

The browser asks, scores and explains, from the same numbers that its viewer shows; here it is only chosen what to ask.
"""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Callable, Generator, Iterator, Sequence
from functools import cache
from itertools import pairwise
from math import isqrt
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

import numpy as np

from app.asking import NO_QUESTION
from app.examples import FOLDER, example_pairs, shared_photo
from app.fairness import CLEAR_DIFFERENCE, clear_parts, difference, is_clear_gap
from app.galleries import MOST_UPLOADS, SCENES, name_of
from app.inputs import Upload
from app.links import read_link
from app.pairs import shown_pair
from app.service import Explorer
from diml_core.embedding.grids import Grid
from diml_core.errors import InputError
from diml_core.evaluation.keypoints import load_keypoints
from diml_core.explanation import Explanation
from diml_core.photo.images import Photo, load_photo
from diml_core.viewer.texts import text

SOURCES = ("examples", "built-in", "own")

_TRIES = 8  # pairs that are looked at for one round
_DRAWN = 60  # pairs to choose from, of a gallery that has many more
_MOST_SEEN = 200
_PARTS = re.compile(r"([ab])(\d{1,5}(?:\.\d{1,5}){0,400})")

Shot = Path | Upload
Points = dict[str, tuple[float, float]]
Steps = Generator[str, None, Any]


class Draw(NamedTuple):
    """Two photos to ask about.

    Attributes:
        a, b: the photos.
        marked_a, marked_b: what people have marked in them, by name: (x, y) as fractions of width and height.
    """

    a: Shot
    b: Shot
    marked_a: Points
    marked_b: Points


def round_steps(
    explorer: Explorer,
    question: Any,
    session: str | None,
    *uploads: Sequence[Upload] | None,
) -> Generator[str, None, dict[str, Any]]:
    """Answers ``{source, model, kind, seen}``, or ``{link}``: the query part of an address.

    Args:
        explorer: has the models, and what they saw before.
        question: ``source`` is one of :data:`SOURCES`, ``kind`` is ``part``, ``pair`` or ``model``, ``seen`` the keys of
            rounds that should not come again.
        session: who asks; nothing is kept of him.
        uploads: lists of his photos; the first that is not empty counts.

    Returns:
        ``{kind, key, pairs}``: values of viewers. Of the kind ``part`` also ``asked``: ``{side, parts, name, marked}``, the
        last two None where nobody has named that part, or marked it in the other photo; of the kind ``model`` also
        ``wanted``: which of the two pairs is to be found, and ``apart``: :func:`app.fairness.difference`.

    Raises:
        InputError: another question, too few photos or too many, or none among them that makes a fair question.
    """
    if not isinstance(question, dict):
        raise InputError(NO_QUESTION)
    if "link" in question:
        return (yield from _linked(explorer, question["link"]))
    try:
        source, model, kind, seen = (question[key] for key in ("source", "model", "kind", "seen"))
        if source not in SOURCES or kind not in _KINDS or not isinstance(seen, list):
            raise TypeError
        if len(seen) > _MOST_SEEN or not all(isinstance(key, str) for key in seen):
            raise TypeError
    except (KeyError, TypeError):
        raise InputError(NO_QUESTION) from None
    explorer.check_name(model)
    own = next((given for given in uploads if given), ())
    if len(own) > MOST_UPLOADS:
        raise InputError(text("quiz.own.many", count=len(own), most=MOST_UPLOADS))
    dice = random.Random()
    drawn = draws(source, kind, own, dice)
    drawn.sort(key=lambda draw: _key(kind, draw) in seen)  # what was asked before comes last
    return (yield from _KINDS[kind](explorer, model, drawn[:_TRIES], dice))


def draws(source: str, kind: str, own: Sequence[Upload], dice: random.Random) -> list[Draw]:
    """Pairs of photos of a source, in random order.

    For parts and models the photos of a pair have something in common, as far as that is known.

    Raises:
        InputError: too few photos of the visitor's own.
    """
    if source == "own":
        least = 3 if kind == "pair" else 2
        if len(own) < least:
            raise InputError(text("quiz.own.few", count=least))
        # By their numbers: there are far more than are drawn.
        pairs = len(own) * (len(own) - 1) // 2
        found = [_plain(*_pair_of(own, n)) for n in dice.sample(range(pairs), min(pairs, _DRAWN))]
    elif source == "built-in":
        found = _alike(dice)
        if kind == "pair":
            found = [each for pair in zip(found, _unlike(dice), strict=False) for each in pair]
            return found[:_DRAWN]
    elif kind == "pair":
        found = [_plain(pair.a, pair.b) for pair in example_pairs() if pair.a != pair.b]
    else:
        found = list(_marked_pairs())
    dice.shuffle(found)
    return found[:_DRAWN]


def _part_round(
    explorer: Explorer, model: str, drawn: Sequence[Draw], dice: random.Random
) -> Steps:
    for draw, photos in _readable(drawn):
        explanation = yield from _explained(explorer, model, photos)
        clear = clear_parts(explanation)
        if draw.marked_a:
            names = _named(draw.marked_a, explanation.grid_a)
            clear = np.array([part for part in clear if part in names], dtype=int)
        if not len(clear):
            continue
        part = int(dice.choice(clear[: 8 if draw.marked_a else 3]))
        name = dice.choice(_named(draw.marked_a, explanation.grid_a).get(part, [None]))
        asked = _asked("a", [part], name, draw.marked_b)
        return _round("part", draw, [_shown(explorer, model, photos)], asked=asked)
    raise InputError(text("quiz.unclear"))


def _pair_round(
    explorer: Explorer, model: str, drawn: Sequence[Draw], dice: random.Random
) -> Steps:
    seen: list[tuple[Draw, list[Photo], Explanation]] = []
    for draw, photos in _readable(drawn):
        explanation = yield from _explained(explorer, model, photos)
        for earlier, its_photos, its_explanation in seen:
            if is_clear_gap(explanation, its_explanation):
                both = [(draw, photos), (earlier, its_photos)]
                dice.shuffle(both)
                pairs = [_shown(explorer, model, each) for _, each in both]
                return _round("pair", draw, pairs)
        seen.append((draw, photos, explanation))
    raise InputError(text("quiz.unclear"))


def _model_round(
    explorer: Explorer, model: str, drawn: Sequence[Draw], dice: random.Random
) -> Steps:
    names = [model, _other(explorer, model)]
    for draw, photos in _readable(drawn):
        one = yield from _explained(explorer, names[0], photos)
        other = yield from _explained(explorer, names[1], photos)
        apart = difference(one, other)
        if apart < CLEAR_DIFFERENCE:
            continue
        pairs = [_shown(explorer, name, photos) for name in dice.sample(names, 2)]
        return _round("model", draw, pairs, wanted=dice.randrange(2), apart=apart)
    raise InputError(text("quiz.unclear"))


_KINDS: dict[str, Callable[..., Steps]] = {
    "part": _part_round,
    "pair": _pair_round,
    "model": _model_round,
}


def _linked(explorer: Explorer, link: Any) -> Steps:
    """The question of a teacher's link: where do these parts go? Whether that is a fair question he has been told."""
    if not isinstance(link, str) or len(link) > 4000:
        raise InputError(NO_QUESTION)
    query = dict(parse_qsl(link))
    if any(shared_photo(query.get(side, "")) is None for side in "ab"):
        raise InputError(text("quiz.link.photo"))
    asks = read_link(link, explorer.default, shared_photo)
    found = _PARTS.fullmatch(query.get("parts", ""))
    if found is None:
        raise InputError(text("quiz.link.parts"))
    side, parts = found[1], sorted({int(part) for part in found[2].split(".")})
    photos = [load_photo(path, name=name_of(path)) for path in (asks.a, asks.b)]
    explanation = yield from _explained(explorer, asks.model, photos, **asks.options)
    grids = {"a": explanation.grid_a, "b": explanation.grid_b}
    rows, columns = grids[side]
    plan = explanation.plan if side == "a" else explanation.plan.T
    if parts[-1] >= rows * columns or not plan[parts].sum() > 0:
        raise InputError(text("quiz.link.parts"))
    marked = [_points().get(name_of(path), {}) for path in (asks.a, asks.b)]
    own, others = marked if side == "a" else reversed(marked)
    names = _named(own, grids[side]).get(parts[0], [None]) if len(parts) == 1 else [None]
    asked = _asked(side, parts, names[0], others)
    pair = _shown(explorer, asks.model, photos, **asks.options)
    return _round("part", _plain(asks.a, asks.b), [pair], asked=asked)


@cache
def _marked_pairs() -> tuple[Draw, ...]:
    """Pairs of examples, with what people have marked in both photos."""
    return tuple(
        Draw(
            pair.photo_a,
            pair.photo_b,
            _by_name(pair.names, pair.points_a),
            _by_name(pair.names, pair.points_b),
        )
        for pair in load_keypoints()
    )


@cache
def _points() -> dict[str, Points]:
    """What people have marked in the example photos, by their names."""
    found: dict[str, Points] = {}
    for draw in _marked_pairs():
        for photo, marked in ((draw.a, draw.marked_a), (draw.b, draw.marked_b)):
            found.setdefault(name_of(photo), {}).update(marked)
    return found


def _by_name(names: Sequence[str], points: np.ndarray) -> Points:
    return {name: (float(x), float(y)) for name, (x, y) in zip(names, points, strict=True)}


def _plain(a: Shot, b: Shot) -> Draw:
    return Draw(a, b, {}, {})


def _pair_of(photos: Sequence[Upload], number: int) -> tuple[Upload, Upload]:
    """The pair of that number: 0 and 1, 0 and 2, 1 and 2, 0 and 3, ..."""
    later = (1 + isqrt(1 + 8 * number)) // 2
    return photos[number - later * (later - 1) // 2], photos[later]


def _alike(dice: random.Random) -> list[Draw]:
    """Two photos of one kind, of as many kinds as the built-in gallery has."""
    return [_plain(*dice.sample(photos, 2)) for photos in _kinds(dice) if len(photos) > 1]


def _unlike(dice: random.Random) -> list[Draw]:
    return [_plain(dice.choice(x), dice.choice(y)) for x, y in pairwise(_kinds(dice))]


def _kinds(dice: random.Random) -> list[list[Path]]:
    found: dict[Path, list[Path]] = {}
    for path in sorted((FOLDER / SCENES).glob("*/*.jpg")):
        found.setdefault(path.parent, []).append(path)
    kinds = list(found.values())
    dice.shuffle(kinds)
    return kinds


def _named(marked: Points, grid: Grid) -> dict[int, list[str]]:
    """Which parts have names: those in which people have marked something."""
    rows, columns = grid
    found: dict[int, list[str]] = {}
    for name, (x, y) in marked.items():
        row, column = min(int(y * rows), rows - 1), min(int(x * columns), columns - 1)
        found.setdefault(row * columns + column, []).append(name)
    return found


def _asked(side: str, parts: list[int], name: str | None, others: Points) -> dict[str, Any]:
    return {"side": side, "parts": parts, "name": name, "marked": others.get(name or "")}


def _round(kind: str, draw: Draw, pairs: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    return {"kind": kind, "key": _key(kind, draw), "pairs": pairs, **more}


def _key(kind: str, draw: Draw) -> str:
    named = repr((kind, draw.a, draw.b))
    return hashlib.sha256(named.encode()).hexdigest()[:12]


def _readable(drawn: Sequence[Draw]) -> Iterator[tuple[Draw, list[Photo]]]:
    """The photos of every pair, without those of the visitor that are none. Raises InputError if that leaves nothing."""
    refused, found = None, False
    for draw in drawn:
        try:
            photos = _loaded(draw)
        except InputError as error:
            refused = error
            continue
        found = True
        yield draw, photos
    if refused and not found:
        raise refused


def _loaded(draw: Draw) -> list[Photo]:
    return [
        shot.load() if isinstance(shot, Upload) else load_photo(shot, name=name_of(shot))
        for shot in draw[:2]
    ]


def _explained(explorer: Explorer, model: str, photos: Sequence[Photo], **options: Any) -> Steps:
    """Pauses before every photo, so that who compares gets a lane in between; also before one that the network has seen,
    for that somebody showed it here is nobody else's business."""
    for photo in photos:
        yield text("quiz.looking")
        explorer.features(model, photo)
    return explorer.compare(model, *photos, **options)


def _shown(
    explorer: Explorer, model: str, photos: Sequence[Photo], **options: Any
) -> dict[str, Any]:
    return shown_pair(explorer, model, *photos, **options)


def _other(explorer: Explorer, model: str) -> str:
    """The first model of another architecture, or the first other one. Raises InputError where there is none."""
    others = [name for name in explorer.names if name != model]
    if not others:
        raise InputError(text("quiz.one.model"))
    own = explorer.model(model).config.architecture
    differs = (name for name in others if explorer.model(name).config.architecture != own)
    return next(differs, others[0])
