"""The check on an explanation: cover some parts of a photo, run the network again, and compare the fall
of the score with what the parts had promised.

Occlusion as a test of an attribution is Zeiler & Fergus 2014, "Visualizing and understanding
convolutional networks", section 4.2. The same cover laid over other regions of the same shape says
whether the network minds *these* parts, or any cover at all.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image

from diml_core.comparison.options import ExplainOptions
from diml_core.embedding.features import ImageFeatures
from diml_core.embedding.grids import Grid, cell_box
from diml_core.errors import InputError
from diml_core.explain import explain_features
from diml_core.explanation import Explanation
from diml_core.network.model import DimlModel
from diml_core.photo.images import Photo, load_photo
from diml_core.steps import result_of

_BLUR_SIDE = 256  # px; a blur this strong looks the same when made small, and takes milliseconds


def _grey(pixels: np.ndarray) -> np.ndarray:
    return np.full_like(pixels, 128)


def _mean(pixels: np.ndarray) -> np.ndarray:
    return np.broadcast_to(pixels.mean((0, 1)).round().astype(np.uint8), pixels.shape)


def _blur(pixels: np.ndarray) -> np.ndarray:
    height, width = pixels.shape[:2]
    scale = min(1.0, _BLUR_SIDE / max(height, width))
    small_size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(pixels, small_size, interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), max(small.shape[:2]) / 16)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)


COVERS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "grey": _grey,
    "blur": _blur,
    "mean": _mean,
}
"""What a part is covered with, by name."""


@dataclass(frozen=True)
class Counterfactual:
    """What became of the score when parts of one photo were covered.

    Attributes:
        side: ``a`` or ``b``, the photo that was covered.
        parts: indices of the covered parts, row-major in its grid.
        cover: name in :data:`COVERS`.
        before, after: the pair as it was, and with the parts covered.
        promised: half the sum of the parts' contributions: what they had added to the score.
        controls: fall of the score for the same cover on other regions of the same shape; empty where
            the region leaves no room for another.
    """

    side: str
    parts: tuple[int, ...]
    cover: str
    before: Explanation
    after: Explanation
    promised: float
    controls: tuple[float, ...]

    @property
    def fall(self) -> float:
        """Overall similarity before minus after."""
        return self.before.similarity - self.after.similarity


def counterfactual(
    model: DimlModel,
    a: ImageFeatures,
    b: ImageFeatures,
    options: ExplainOptions,
    side: str,
    parts: Sequence[int],
    cover: str = "grey",
    controls: int = 4,
) -> Counterfactual:
    """Cover parts of one photo and score the pair again with the network.

    Args:
        model: the model that extracted the features.
        a, b: features of the two photos as they are.
        options: validated, from ``model.options``.
        side: ``a`` or ``b``.
        parts: at least one index in the grid of that side.
        cover: ``grey`` (mid-grey), ``blur`` (Gaussian) or ``mean`` (mean colour of the photo).
        controls: at most this many other places are covered for comparison; one forward pass each.

    Raises:
        InputError: unknown side or cover, or a part outside the grid.
    """
    return result_of(counterfactual_steps(model, a, b, options, side, parts, cover, controls))


def counterfactual_steps(
    model: DimlModel,
    a: ImageFeatures,
    b: ImageFeatures,
    options: ExplainOptions,
    side: str,
    parts: Sequence[int],
    cover: str = "grey",
    controls: int = 4,
) -> Generator[tuple[int, int], None, Counterfactual]:
    """:func:`counterfactual` for who wants to stop half-way: pauses before every forward pass.

    Yields:
        Forward passes done, and all there will be.

    Returns:
        What :func:`counterfactual` returns.

    Raises:
        InputError: as there, before the first pause.
    """
    if side not in ("a", "b"):
        raise InputError(f"There is no photo '{side}': cover parts of 'a' or of 'b'.")
    before = explain_features(model, a, b, options)
    grid = before.grid_a if side == "a" else before.grid_b
    features = a if side == "a" else b
    chosen = _checked(parts, grid)
    _check_cover(cover)

    def score(covered_parts: Sequence[int]) -> Explanation:
        covered = model.extract(
            covered_photo(features.photo, grid, covered_parts, cover), options.start_block
        )
        pair = (covered, b) if side == "a" else (a, covered)
        return explain_features(model, *pair, options)

    elsewhere = same_shape_elsewhere(chosen, grid, controls)
    yield 0, 1 + len(elsewhere)
    after = score(chosen)
    falls: list[float] = []
    for other in elsewhere:
        yield 1 + len(falls), 1 + len(elsewhere)
        falls.append(before.similarity - score(other).similarity)
    contributions = before.contribution.sum(1 if side == "a" else 0)
    return Counterfactual(
        side=side,
        parts=chosen,
        cover=cover,
        before=before,
        after=after,
        promised=float(contributions[list(chosen)].sum()) / 2,
        controls=tuple(falls),
    )


def covered_photo(photo: Photo, grid: Grid, parts: Sequence[int], cover: str = "grey") -> Photo:
    """The photo with some parts of its grid covered.

    Raises:
        InputError: unknown cover, or a part outside the grid.
    """
    return covered_photos(photo, grid, [parts], cover)[0]


def covered_photos(
    photo: Photo, grid: Grid, sets: Sequence[Sequence[int]], cover: str = "grey"
) -> list[Photo]:
    """The photo several times, each time with other parts covered; what covers is made once.

    Raises:
        InputError: unknown cover, or a part outside the grid.
    """
    _check_cover(cover)
    pixels = np.asarray(photo.image)
    hidden = COVERS[cover](pixels)
    covered = []
    for parts in sets:
        result = pixels.copy()
        for part in _checked(parts, grid):
            left, top, right, bottom = (
                round(edge) for edge in cell_box(part, grid, photo.image.size)
            )
            result[top:bottom, left:right] = hidden[top:bottom, left:right]
        covered.append(load_photo(Image.fromarray(result), name=photo.name))
    return covered


def same_shape_elsewhere(parts: Sequence[int], grid: Grid, count: int) -> list[tuple[int, ...]]:
    """Up to ``count`` shifted copies of a set of parts that fit the grid and do not touch it.

    Spread evenly over all such places in reading order, so that the choice is the same every time.
    """
    rows, columns = grid
    cells = [divmod(part, columns) for part in parts]
    taken = set(parts)
    places = []
    for down in range(-min(r for r, _ in cells), rows - max(r for r, _ in cells)):
        for right in range(-min(c for _, c in cells), columns - max(c for _, c in cells)):
            moved = tuple((r + down) * columns + c + right for r, c in cells)
            if not taken.intersection(moved):
                places.append(moved)
    if len(places) <= count:
        return places
    return [places[round(k * (len(places) - 1) / max(count - 1, 1))] for k in range(count)]


def _check_cover(cover: str) -> None:
    if cover not in COVERS:
        raise InputError(f"There is no cover named '{cover}': choose one of {', '.join(COVERS)}.")


def _checked(parts: Sequence[int], grid: Grid) -> tuple[int, ...]:
    count = grid[0] * grid[1]
    chosen = tuple(dict.fromkeys(int(part) for part in parts))
    if not chosen or min(chosen) < 0 or max(chosen) >= count:
        raise InputError(f"Choose parts to cover from 0 to {count - 1}, at least one.")
    return chosen
