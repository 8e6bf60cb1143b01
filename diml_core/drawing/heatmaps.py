"""The row of small maps: what each part of both photos has of one quantity."""

from __future__ import annotations

from dataclasses import dataclass

import matplotlib
import numpy as np
from matplotlib.colors import Colormap, ListedColormap, Normalize
from PIL import Image

from diml_core.comparison.points import points_of
from diml_core.drawing.flow import CONTRIBUTION_COLOURS, NEGLIGIBLE
from diml_core.drawing.sheet import FAINT, Sheet
from diml_core.embedding.grids import Box
from diml_core.explanation import Explanation

_ALPHA = 0.6  # of the colours over the grey photo
_GREY = 0.72  # mean brightness of the grey photo
_BAR_BELOW = 0.1  # inches between maps and colour bar
_BAR = 0.09  # height of the colour bar
_HEAD = 0.47  # inches above the maps: title, note, letters A and B

HEAD_AND_FOOT = _HEAD + _BAR_BELOW + _BAR + 0.2  # what a panel needs beside the maps


@dataclass(frozen=True, eq=False)
class Quantity:
    """One value per part (or map cell) of both photos, on one scale.

    Attributes:
        key: short name, for the groups of an SVG file.
        title, note: what it is, in a few words.
        colours: name of the colour map.
        maps: ``[rows, columns]`` of A and B.
        limits: of the colours, the same for both.
    """

    key: str
    title: str
    note: str
    colours: str
    maps: tuple[np.ndarray, np.ndarray]
    limits: tuple[float, float]

    @property
    def extend(self) -> str:
        """``min`` if there are values below the scale, for matplotlib's colour bars."""
        below = min(values.min() for values in self.maps) < self.limits[0] - 1e-9
        return "min" if below else "neither"


def quantities(explanation: Explanation) -> list[Quantity]:
    """What is shown of an explanation, in order; the rollout only where there is one."""
    e = explanation

    def on_grids(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return a.reshape(e.grid_a), b.reshape(e.grid_b)

    best = on_grids(e.part_similarity.max(1), e.part_similarity.max(0))
    added = on_grids(points_of(e.contribution.sum(1)), points_of(e.contribution.sum(0)))
    importance = on_grids(100 * e.marginals_a, 100 * e.marginals_b)
    against = on_grids(100 * e.against_a, 100 * e.against_b)
    shown = [
        Quantity(
            "best-match",
            "Best match",
            "cosine with the most similar part",
            "viridis",
            best,
            (0.0, 1.0),
        ),
        Quantity(
            "contribution",
            "Contribution",
            "points that the part adds to the score",
            CONTRIBUTION_COLOURS,
            added,
            _from_zero(added),
        ),
        Quantity(
            "importance",
            "Importance (marginals)",
            "per cent of the mass of its photo",
            "cividis",
            importance,
            _from_zero(importance),
        ),
        Quantity(
            "against",
            "Against",
            "points that the part keeps the score down by",
            "viridis",
            against,
            _from_zero(against),
        ),
    ]
    if e.rollout_map_a is not None and e.rollout_map_b is not None:
        rollouts = (e.rollout_map_a, e.rollout_map_b)
        start = e.options.start_block
        title = f"Attention rollout from block {start}" if start else "Attention rollout"
        note = "origin of the class token's content"
        shown.append(Quantity("rollout", title, note, "inferno", rollouts, _from_zero(rollouts)))
    return shown


def draw_heatmaps(
    sheet: Sheet,
    quantity: Quantity,
    greys: tuple[Image.Image, Image.Image],
    panel: Box,
    boxes: tuple[Box, Box],
) -> None:
    """Draw one quantity over both photos, with its title above and its colour bar below.

    Args:
        sheet: to draw on.
        quantity: what.
        greys: from :func:`greyed`.
        panel: inches on the sheet.
        boxes: of the photos, inches from the top left of the panel's space for maps.
    """
    left, top, right, bottom = panel
    middle, width = (left + right) / 2, right - left
    sheet.text(middle, top + 0.1, quantity.title, 8.5, ha="center", weight="bold")
    sheet.text(middle, top + 0.25, quantity.note, 6.8, ha="center", color=FAINT)

    norm = Normalize(*quantity.limits)
    colours = matplotlib.colormaps[quantity.colours]
    for letter, grey, values, box in zip("AB", greys, quantity.maps, boxes, strict=True):
        x, y = left + box[0], top + _HEAD + box[1]
        wide, high = box[2] - box[0], box[3] - box[1]
        axes = sheet.axes((x, y, x + wide, y + high), f"{quantity.key}-{letter.lower()}")
        here = (0.0, 0.0, wide, high)
        sheet.picture(axes, grey, here)
        axes.imshow(
            values,
            cmap=_translucent(colours),
            norm=norm,
            extent=(0.0, wide, high, 0.0),
            origin="upper",
            aspect="auto",
            resample=True,
            interpolation="nearest",  # a part is a rectangle; smoothing would invent detail
        )
        sheet.reset_limits(axes)
        sheet.text(x + wide / 2, y - 0.04, letter, 7, ha="center", color=FAINT)

    bar_top = bottom - 0.2 - _BAR
    bar_width = min(width, 1.9)
    sheet.colour_bar(
        (middle - bar_width / 2, bar_top, middle + bar_width / 2, bar_top + _BAR),
        norm,
        _over_grey(colours),
        extend=quantity.extend,
        gid=f"{quantity.key}-scale",
    )


def greyed(image: Image.Image) -> Image.Image:
    """A pale grey copy (mode L): the photo stays recognisable and hardly shifts colours over it."""
    values = np.asarray(image.convert("L"), dtype=np.float32)
    spread = np.ptp(values)
    values = (values - values.mean()) / (spread if spread > 0 else 1.0)
    return Image.fromarray(np.clip(255 * (_GREY + 0.9 * values), 0, 255).astype(np.uint8))


def _translucent(colours: Colormap) -> Colormap:
    # Not imshow's alpha: matplotlib's SVG and PDF writers apply that one twice.
    mixed = colours(np.arange(colours.N))
    mixed[:, 3] = _ALPHA
    return ListedColormap(mixed, name=colours.name)


def _over_grey(colours: Colormap) -> Colormap:
    """The colours as they look over the grey photo, for a bar that compares with the map."""
    mixed = colours(np.arange(colours.N))
    mixed[:, :3] = _ALPHA * mixed[:, :3] + (1 - _ALPHA) * _GREY
    return ListedColormap(mixed, name=colours.name)


def _from_zero(maps: tuple[np.ndarray, np.ndarray]) -> tuple[float, float]:
    """From 0 to the largest value of both; to the largest magnitude, or 1, where all are below."""
    largest = max(float(values.max()) for values in maps)
    if largest <= 0:
        largest = -min(float(values.min()) for values in maps)
    return 0.0, largest if largest > NEGLIGIBLE else 1.0
