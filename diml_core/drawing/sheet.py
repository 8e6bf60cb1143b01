"""A matplotlib figure addressed in inches from its top left corner, as one plans a printed page."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import QuadMesh
from matplotlib.colors import Colormap, Normalize
from matplotlib.figure import Figure
from matplotlib.spines import Spine
from matplotlib.text import Text
from matplotlib.ticker import MaxNLocator
from PIL import Image

from diml_core.drawing.names import font_families
from diml_core.embedding.grids import Box

INK = "#1a1a1a"
FAINT = "#5a5a5a"


class Sheet:
    """A page.

    What would come from rcParams is said here: a style chosen elsewhere in the process must not
    change the page, and changing rcParams would not be thread-safe. Only switches of rendering
    quality, such as antialiasing, still apply.

    Args:
        width, height: inches.
        density: pixels per inch that pictures are scaled down to.
    """

    def __init__(self, width: float, height: float, density: float) -> None:
        self.width, self.height, self.density = width, height, density
        self.figure = Figure(
            figsize=(width, height),
            dpi=density,
            facecolor="white",
            layout="none",  # type: ignore[arg-type]  # which matplotlib's stubs leave out
            linewidth=0,
        )

    def axes(self, box: Box, gid: str) -> Axes:
        """Bare axes over ``box``; data coordinates are inches from its top left corner.

        Args:
            box: left, top, right, bottom in inches.
            gid: id of the group in an SVG file.
        """
        left, top, right, bottom = box
        axes = self.figure.add_axes(
            (
                left / self.width,
                1 - bottom / self.height,
                (right - left) / self.width,
                (bottom - top) / self.height,
            ),
            aspect="auto",
            facecolor="white",
            axisbelow="line",
        )
        axes.grid(False)
        axes.set_axis_off()
        axes.set_xlim(0, right - left)
        axes.set_ylim(bottom - top, 0)
        axes.set_gid(gid)
        return axes

    def text(self, x: float, y: float, text: str, size: float, **style: Any) -> Text:
        """Write one line whose baseline starts at (x, y) inches; never read as mathematics."""
        style = {"color": INK, "weight": "normal", "ha": "left", "va": "baseline"} | style
        return self.figure.text(
            x / self.width,
            1 - y / self.height,
            text,
            size=size,
            family=list(font_families()),
            parse_math=False,
            usetex=False,
            **style,
        )

    def picture(self, axes: Axes, image: Image.Image, box: Box) -> None:
        """Show a PIL image (RGB or L) in ``box`` of the axes, scaled down to what can be seen."""
        left, top, right, bottom = box
        most = [max(1, round(n * self.density)) for n in (right - left, bottom - top)]
        if image.width > most[0] or image.height > most[1]:
            size = min(image.width, most[0]), min(image.height, most[1])
            image = image.resize(size, Image.Resampling.LANCZOS, reducing_gap=3)
        axes.imshow(
            np.asarray(image),
            cmap="gray",
            vmin=0,
            vmax=255,
            extent=(left, right, bottom, top),
            origin="upper",
            aspect="auto",
            interpolation="bilinear",
            resample=True,
        )
        # imshow has set the limits to this one picture.
        self.reset_limits(axes)

    def reset_limits(self, axes: Axes) -> None:
        """Make the data coordinates inches again, after something has changed the limits."""
        box = axes.get_position()
        axes.set_xlim(0, box.width * self.width)
        axes.set_ylim(box.height * self.height, 0)

    def colour_bar(
        self, box: Box, norm: Normalize, colours: Colormap, *, extend: str = "neither", gid: str
    ) -> list[float]:
        """Draw a horizontal colour bar with numbers below it; returns the values of the numbers."""
        axes = self.axes(box, gid)
        axes.set_axis_on()
        locator = MaxNLocator(nbins=4, steps=[1, 2, 2.5, 5, 10])
        low, high = cast(float, norm.vmin), cast(float, norm.vmax)
        margin = (high - low) * 1e-6
        ticks = [
            float(tick)
            for tick in locator.tick_values(low, high)
            if low - margin <= tick <= high + margin
        ]
        bar = self.figure.colorbar(
            ScalarMappable(norm, colours), cax=axes, orientation="horizontal", extend=extend
        )
        bar.set_ticks(
            ticks, labels=[f"{tick:.6g}" for tick in ticks], ha="center", parse_math=False
        )
        bar.ax.minorticks_off()
        bar.ax.tick_params(
            axis="x",
            direction="out",
            length=2,
            width=0.6,
            pad=1.5,
            labelsize=6.5,
            color=FAINT,
            labelcolor=INK,
            labelfontfamily=font_families()[0],
        )
        # The types of matplotlib 3.10 take the outline for a method.
        cast(Spine, bar.outline).set(linewidth=0.5, edgecolor=FAINT)
        # Else PDF viewers show white seams between the colours.
        cast(QuadMesh, bar.solids).set(edgecolor="face", linewidth=0.5)
        return ticks
