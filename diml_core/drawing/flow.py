"""The two photos and the lines along which the score flows between their parts."""

from __future__ import annotations

from typing import cast

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PatchCollection
from matplotlib.colors import Normalize
from matplotlib.patches import Rectangle
from PIL import Image

from diml_core.comparison.points import points_of
from diml_core.drawing.sheet import FAINT, Sheet
from diml_core.embedding.grids import Box, cell_box
from diml_core.explanation import Explanation, PartPair

CONTRIBUTION_COLOURS = "magma"
NEGLIGIBLE = 1e-12  # contributions up to this are rounding errors
THICKEST = 5.0  # points, the line of the strongest pair; all others in proportion
_DARK, _LIGHT = "#101010", "#ffffff"


def draw_flow(
    sheet: Sheet,
    explanation: Explanation,
    images: tuple[Image.Image, Image.Image],
    area: Box,
    boxes: tuple[Box, Box],
    pairs: list[PartPair],
    thickest: float = THICKEST,
) -> Axes:
    """Draw photos, outlines of the parts that take part, and one straight line per pair.

    Args:
        sheet: to draw on.
        explanation: the pair of photos.
        images: RGB pictures of A and B.
        area: inches on the sheet.
        boxes: of the photos, inches from the area's top left: the data coordinates of the axes.
        pairs: strongest first, each with a positive contribution.
        thickest: points, the line of the strongest pair.

    Returns:
        The axes. Its collection with gid ``flow-lines`` has one segment per pair, weakest first (so
        that the strongest lies on top), from part centre to part centre.
    """
    axes = sheet.axes(area, "flow")
    for image, box in zip(images, boxes, strict=True):
        sheet.picture(axes, image, box)
    if not pairs:
        return axes

    pairs = pairs[::-1]
    cells = [
        ([pair.a for pair in pairs], explanation.grid_a, boxes[0]),
        ([pair.b for pair in pairs], explanation.grid_b, boxes[1]),
    ]
    for parts, grid, box in cells:
        outlines = [_rectangle(part_box(part, grid, box)) for part in sorted(set(parts))]
        for colour, width in ((_DARK, 1.3), (_LIGHT, 0.6)):
            axes.add_collection(
                PatchCollection(
                    outlines, facecolor="none", edgecolor=colour, linewidth=width, alpha=0.55
                )
            )

    ends = np.stack(
        [[_centre(part_box(part, grid, box)) for part in parts] for parts, grid, box in cells], 1
    )
    lines = list(ends)
    values = np.array([points_of(pair.contribution) for pair in pairs])
    widths = thickest * values / values.max()
    norm = points_scale(pairs)
    # A dark and a light rim: one of them stands out from any photo.
    for colour, extra in ((_DARK, 1.5), (_LIGHT, 0.8)):
        axes.add_collection(
            LineCollection(lines, colors=colour, linewidths=widths + extra, capstyle="round")
        )
    axes.add_collection(
        LineCollection(
            lines,
            array=values,
            cmap=CONTRIBUTION_COLOURS,
            norm=norm,
            linewidths=widths,
            capstyle="round",
            gid="flow-lines",
        )
    )
    x, y = ends.reshape(-1, 2).T
    axes.scatter(
        x,
        y,
        s=np.repeat((widths + 2) ** 2, 2),
        c=np.repeat(values, 2),
        cmap=CONTRIBUTION_COLOURS,
        norm=norm,
        marker="o",
        linewidths=0.7,
        edgecolors=_LIGHT,
        zorder=3,
        gid="flow-ends",
    )
    sheet.reset_limits(axes)
    return axes


def draw_scale(sheet: Sheet, box: Box, pairs: list[PartPair]) -> None:
    """The legend: a colour bar in points, and above each of its numbers a line as thick as that many.

    Args:
        sheet: to draw on.
        box: left, top, right, bottom of the colour bar, inches.
        pairs: what is drawn; not empty.
    """
    norm = points_scale(pairs)
    colours = matplotlib.colormaps[CONTRIBUTION_COLOURS]
    ticks = sheet.colour_bar(box, norm, colours, gid="flow-scale")
    left, top, right, bottom = box
    axes = sheet.axes((left, top - 0.16, right, top), "flow-widths")
    shown = [tick for tick in ticks if tick > 0]
    places = [(right - left) * norm(tick) for tick in shown]
    axes.add_collection(
        LineCollection(
            [[(x - 0.14, 0.08), (x + 0.14, 0.08)] for x in places],
            colors=[colours(norm(tick)) for tick in shown],
            linewidths=[THICKEST * tick / cast(float, norm.vmax) for tick in shown],
            capstyle="butt",
            clip_on=False,
        )
    )
    sheet.reset_limits(axes)
    middle = (top + bottom) / 2
    style = {"va": "center", "color": FAINT}
    sheet.text(left - 0.2, middle, "width and colour of a line:", 7.5, ha="right", **style)
    meaning = "points that the pair adds to the score"
    sheet.text(right + 0.25, middle, meaning, 7.5, **style)


def points_scale(pairs: list[PartPair]) -> Normalize:
    """From 0 to the strongest pair's points; lines start at zero width, so colours do too."""
    return Normalize(0.0, max(points_of(pair.contribution) for pair in pairs))


def part_box(part: int, grid: tuple[int, int], box: Box) -> Box:
    """Where a part of the photo in ``box`` lies, in the coordinates of the box."""
    left, top, right, bottom = cell_box(part, grid, (box[2] - box[0], box[3] - box[1]))
    return box[0] + left, box[1] + top, box[0] + right, box[1] + bottom


def _centre(box: Box) -> tuple[float, float]:
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2


def _rectangle(box: Box) -> Rectangle:
    return Rectangle(box[:2], box[2] - box[0], box[3] - box[1])
