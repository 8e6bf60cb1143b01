"""The geometry of parts: how a picture is cut into a grid.

The network always sees the whole picture, so the cell in row r, column c of a ``rows x cols`` grid
covers the fraction ``[c/cols, (c+1)/cols] x [r/rows, (r+1)/rows]`` of the original.
"""

from __future__ import annotations

import math
from functools import lru_cache

Grid = tuple[int, int]
"""Rows, columns."""

Box = tuple[float, float, float, float]
"""Left, top, right, bottom."""


@lru_cache(maxsize=1024)
def grid_for(aspect: float, parts: int) -> Grid:
    """The grid of at most ``parts`` nearly square cells that covers a picture.

    Args:
        aspect: width / height of the picture.
        parts: upper bound on rows * columns.

    Returns:
        ``(rows, columns)``, at least (1, 1); N x N for a square picture and ``parts = N * N``.
    """

    def misfit(grid: Grid) -> float:
        # Cells should be square first, and as many as allowed second.
        rows, columns = grid
        return abs(math.log(columns / rows / aspect)) + 0.5 * math.log(parts / (rows * columns))

    candidates = [
        (rows, columns)
        for rows in range(1, parts + 1)
        for columns in {math.floor(rows * aspect), math.ceil(rows * aspect), parts // rows}
        if columns >= 1 and rows * columns <= parts
    ]
    return min(candidates, key=misfit)


def grid_on_map(map_shape: Grid, side: int) -> Grid:
    """The grid that a feature map is pooled to when the user asks for ``side`` parts per side.

    Args:
        map_shape: rows and columns of the feature map; its cells are square in the picture.
        side: parts per side of a square picture. Other pictures get a grid of their own shape with
            no more parts than ``side * side``.
    """
    rows, columns = grid_for(map_shape[1] / map_shape[0], side * side)
    return min(rows, map_shape[0]), min(columns, map_shape[1])


def cell_box(part: int, grid: Grid, size: tuple[float, float] = (1, 1)) -> Box:
    """Where a part lies in the picture.

    Args:
        part: index in row-major order, 0 to rows * columns - 1.
        grid: rows, columns.
        size: (width, height) of the picture in pixels; (1, 1) gives fractions.
    """
    rows, columns = grid
    row, column = divmod(part, columns)
    width, height = size[0] / columns, size[1] / rows
    return column * width, row * height, (column + 1) * width, (row + 1) * height
